//! Submits one message and waits for its receipt: `submit [transmitter|receiver|transceiver] [host:port]`.
//!
//! A transmitter gets the id, but no receipt; a receiver may not submit, and only waits for what arrives.

use std::error::Error;
use std::time::Duration;

use smpp_transport::driver::{Client, ClientConfig, Incoming};
use smpp_transport::pdu::{Body, RegisteredDelivery, ShortMessage, Sm};
use smpp_transport::session::BindKind;
use tokio::time::timeout;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let kind = match arguments.next().as_deref() {
        Some("transmitter") => BindKind::Transmitter,
        Some("receiver") => BindKind::Receiver,
        Some("transceiver") | None => BindKind::Transceiver,
        Some(other) => return Err(format!("{other} is none of transmitter, receiver, transceiver").into()),
    };
    let address = arguments.next().unwrap_or_else(|| "127.0.0.1:2775".to_owned());

    let config = ClientConfig::new(kind, "smppclient1".parse()?, "password".parse()?);
    let (client, mut incoming) = Client::connect(&address, config).await?;
    if kind.transmits() {
        let accepted = client.submit(message()?).await?;
        say(&format!("accepted as {}", accepted.message_id));
    }
    if kind.receives() {
        wait_for_receipt(&mut incoming).await;
    }
    client.unbind().await;
    Ok(())
}

fn message() -> Result<Sm, Box<dyn Error>> {
    Ok(Sm {
        source_addr: "1001".parse()?,
        destination_addr: "27820001001".parse()?,
        registered_delivery: RegisteredDelivery::FINAL,
        short_message: ShortMessage::new("Hello")?,
        ..Sm::default()
    })
}

/// Takes whatever arrives, until a receipt has, or for half a minute.
async fn wait_for_receipt(incoming: &mut Incoming) {
    while let Ok(Some(delivery)) = timeout(Duration::from_secs(30), incoming.next()).await {
        say(&delivery.pdu.in_full().to_string());
        let receipt = matches!(&delivery.pdu.body, Body::DeliverSm(sm) if sm.esm_class.is_receipt());
        delivery.accept();
        if receipt {
            return;
        }
    }
}

#[expect(clippy::print_stdout, reason = "the user of an example wants to see what happens")]
fn say(text: &str) {
    println!("{text}");
}
