//! An SMSC simulator. As a program it serves real SMPP clients of any language; as a library it starts inside a test:
//!
//! ```
//! # tokio::runtime::Runtime::new().unwrap().block_on(async {
//! use smsc_sim::SmscSim;
//!
//! let smsc = SmscSim::builder().account("tester", "secret").start().await?;
//! let address = smsc.address(); // a free port: point the client under test here
//! # assert_ne!(address.port(), 0);
//! smsc.stop().await;
//! # Ok::<(), smsc_sim::StartError>(()) }).unwrap();
//! ```
//!
//! What the client did is asked of [`Control`], to which [`SmscSim`] derefs: [`Control::wait_for_message`] waits until a
//! message has come, [`Control::deliver`] sends one to the client, [`Control::set_rules`] makes things go wrong.
//!
//! [`serve`] takes any listener, so that the same simulator runs over a simulated network: `examples/over_turmoil.rs`, and,
//! with another project's client, `examples/rusmppc_over_turmoil.rs`.

pub mod config;
mod control;
pub mod file;
mod http;
mod hub;
mod line;
mod message;
pub mod mo;
mod peer;
pub mod policy;
pub mod rules;
mod schema;
mod start;
mod store;
pub mod time;
mod tls;
mod traffic;
pub mod words;

use std::sync::Arc;
use std::time::Duration;

pub use config::{Account, Config, Limits, Strictness};
pub use control::{AlertNow, Control, ControlError, Dial, PduFilter, ReceiptNow, Reset};
pub use hub::{AccountInfo, DeliveryInfo, DeliveryState, RuleInfo, SessionInfo, Stats};
pub use message::{Filter, Message, MessageAddress, MessagePart, MessageReceipt, MessageTlv, Outcome, Stay, Term};
pub use mo::Mo;
pub use policy::Policy;
pub use rules::Rule;
use smpp_transport::driver::Accept;
pub use start::{Builder, SmscSim, StartError, Tls};
use tokio::task::JoinSet;
use tokio::time::timeout;
pub use traffic::PduRecord;

use crate::hub::Hub;
use crate::line::Line;
use crate::peer::Peer;
use crate::traffic::Tap;

/// How long [`SmscSim::stop`] and [`serve`] wait for sessions to unbind.
const STOP_TIMEOUT: Duration = Duration::from_secs(10);
/// How long to wait when a connection cannot be accepted, as when there are no file descriptors left.
const ACCEPT_RETRY_DELAY: Duration = Duration::from_millis(50);

/// Serves whatever `accept` takes until [`Control::stop`]; then unbinds all sessions and returns once they have ended, at
/// the latest after ten seconds. To be called once for each simulator: it is also what lets its messages live.
///
/// Dropping the future ends all connections at once, without a word.
pub async fn serve<A: Accept>(accept: A, control: Control) {
    let mut tasks = JoinSet::new();
    let hub = Arc::clone(&control.hub);
    tasks.spawn(async move { hub.live().await });
    listen(accept, &control.hub).await;
}

/// Serves one listener. Whoever the simulator dials is served here too.
pub(crate) async fn listen<A: Accept>(mut accept: A, hub: &Arc<Hub>) {
    let mut peers = JoinSet::new();
    loop {
        tokio::select! {
            biased;
            () = hub.until_stopped() => break,
            Some(_) = peers.join_next(), if !peers.is_empty() => {}
            adopted = hub.adopted() => {
                peers.spawn(adopted);
            }
            accepted = accept.accept() => match accepted {
                Ok((stream, peer)) => {
                    let Some(place) = hub.open(peer.clone(), false) else { continue };
                    tracing::debug!(session = place.0, peer, "connected");
                    let line = Line::new(stream, Some(Tap::new(Arc::clone(&hub.traffic), place.0, None, peer.parse().ok())));
                    peers.spawn(Peer::new(Arc::clone(hub), place, line, A::reset).run());
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot accept");
                    tokio::time::sleep(ACCEPT_RETRY_DELAY).await;
                }
            }
        }
    }
    drop(accept);
    let _ = timeout(STOP_TIMEOUT, async { while peers.join_next().await.is_some() {} }).await;
}
