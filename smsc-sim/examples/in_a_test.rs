//! What a test of an SMPP client looks like with the simulator in it: `cargo run -p smsc-sim --example in_a_test`.
//!
//! The client under test is this project's own here; put yours in its place.

use std::error::Error;
use std::time::Duration;

use smpp_transport::driver::{Client, ClientConfig, RequestError};
use smpp_transport::pdu::{Body, CommandStatus, RegisteredDelivery, ShortMessage, Sm};
use smpp_transport::session::BindKind;
use smsc_sim::{Filter, Mo, SmscSim, rules};

const LIMIT: Duration = Duration::from_secs(5);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let smsc = SmscSim::builder().account("tester", "secret").start().await?;
    let config = ClientConfig::new(BindKind::Transceiver, "tester".parse()?, "secret".parse()?);
    let (client, mut incoming) = Client::connect(&smsc.address().to_string(), config).await?;

    // What the client sends, the simulator has; and the receipt that was asked for comes back.
    let submitted = client.submit(hello()?).await?;
    let filter = Filter { to: Some("27820001001".parse()?), ..Filter::default() };
    let message = smsc.wait_for_message(&filter, LIMIT).await.ok_or("no message has come")?;
    assert_eq!(message.id, submitted.message_id.text());
    assert_eq!(message.text.as_deref(), Some("Hello"));
    let receipt = incoming.next().await.ok_or("no receipt has come")?;
    assert!(matches!(&receipt.pdu.body, Body::DeliverSm(sm) if sm.esm_class.is_receipt()));
    receipt.accept();

    // A message from a handset, and how the client takes it.
    let mo = Mo { from: "27820001001".to_owned(), to: "1001".to_owned(), text: Some("Hi".to_owned()), ..Mo::default() };
    let parts = smsc.deliver(&mo)?;
    incoming.next().await.ok_or("no message has come")?.accept();
    let taken = smsc.wait_for_deliveries(&[parts[0].id], LIMIT).await;
    assert_eq!(taken[0].status.as_deref(), Some("ESME_ROK"));

    // And what it does when things go wrong.
    smsc.set_rules(rules::parse("- { when: { first: 1 }, then: { status: ESME_RTHROTTLED } }")?)?;
    let refused = client.submit(hello()?).await;
    assert!(matches!(refused, Err(RequestError::Refused(pdu)) if pdu.status == CommandStatus::ESME_RTHROTTLED));

    client.unbind().await;
    smsc.stop().await;
    Ok(())
}

fn hello() -> Result<Sm, Box<dyn Error>> {
    Ok(Sm {
        source_addr: "1001".parse()?,
        destination_addr: "27820001001".parse()?,
        registered_delivery: RegisteredDelivery::FINAL,
        short_message: ShortMessage::new("Hello")?,
        ..Sm::default()
    })
}
