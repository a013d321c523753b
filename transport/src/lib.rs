//! An SMPP 3.4 stack in layers that each know only those below.
//!
//! - [`pdu`]: octets become values, and nowhere else.
//! - [`text`]: data coding, multipart messages, receipts.
//! - [`session`]: state changes, and nowhere else. No clock, no chance, no I/O.
//! - [`driver`]: waiting happens, and nowhere else: one byte stream, one session, one loop. [`driver::Client`] is what most
//!   programs want.
//! - `capture`, a feature: what passes, written down for Wireshark.
//! - `config`, with the feature `cli`: what a transport can be told.
//! - [`env`]: where chance and wall time come in.
//!
//! ```no_run
//! use smpp_transport::driver::{Client, ClientConfig};
//! use smpp_transport::pdu::{ShortMessage, Sm};
//! use smpp_transport::session::BindKind;
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let config = ClientConfig::new(BindKind::Transceiver, "smppclient1".parse()?, "password".parse()?);
//! let (client, mut incoming) = Client::connect("127.0.0.1:2775", config).await?;
//! let hello = Sm {
//!     source_addr: "1001".parse()?,
//!     destination_addr: "27820001001".parse()?,
//!     short_message: ShortMessage::new("Hello")?,
//!     ..Sm::default()
//! };
//! println!("accepted as {}", client.submit(hello).await?.message_id);
//! if let Some(delivery) = incoming.next().await {
//!     println!("{}", delivery.pdu);
//!     delivery.accept();
//! }
//! client.unbind().await;
//! # Ok(())
//! # }
//! ```

#[cfg(feature = "service")]
pub mod bus;
#[cfg(feature = "capture")]
pub mod capture;
#[cfg(feature = "cli")]
pub mod config;
#[cfg(feature = "disk")]
pub mod disk;
pub mod driver;
pub mod env;
#[cfg(feature = "guard")]
pub mod guard;
#[cfg(feature = "http")]
pub mod http;
#[cfg(feature = "service")]
pub mod inbound;
#[cfg(feature = "service")]
pub mod outbound;
pub mod pdu;
#[cfg(feature = "service")]
pub mod service;
pub mod session;
#[cfg(feature = "service")]
pub mod store;
pub mod text;
#[cfg(feature = "service")]
pub mod ussd;
