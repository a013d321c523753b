//! A client that is not ours on turmoil's simulated network: `rusmppc`, which takes any stream, against the simulator, each
//! in its own host. `cargo run -p smsc-sim --example rusmppc_over_turmoil`.
//!
//! It submits and has its receipt; is partitioned from the SMSC while it submits again; finds the dead line by its own
//! enquire_link; and binds anew once the network has healed. Any client that can be given a stream can stand in its place.

use std::error::Error;
use std::io;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{Stream, StreamExt};
use rusmpp::Pdu;
use rusmpp::pdus::{BindTransceiver, DeliverSmResp, SubmitSm};
use rusmpp::types::{COctetString, OctetString};
use rusmpp::values::RegisteredDelivery;
use rusmppc::error::Error as ClientError;
use rusmppc::{Client, ConnectionBuilder, Event};
use smpp_transport::driver::Accept;
use smpp_transport::env::WallClock;
use smsc_sim::{Config, Control, serve};
use tokio::time::{Instant, sleep};
use turmoil::net::{TcpListener, TcpStream};

const ENQUIRE_LINK_INTERVAL: Duration = Duration::from_secs(5);
const ENQUIRE_LINK_TIMEOUT: Duration = Duration::from_secs(3);
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(2);

fn main() -> Result<(), Box<dyn Error>> {
    let mut sim = turmoil::Builder::new().rng_seed(7).simulation_duration(Duration::from_secs(300)).build();
    sim.host("smsc", || async {
        let listener = Listener(TcpListener::bind(("0.0.0.0", 2775)).await?);
        let clock = Arc::new(Simulated(Instant::now()));
        serve(listener, Control::new(Config { seed: 7, ..Config::default() }, clock)?).await;
        Ok(())
    });
    sim.client("esme", async {
        let (client, mut events) = bound().await?;
        let id = submit(&client, "all is well").await?;
        let text = receipt(&client, &mut events).await?;
        assert!(text.contains(&format!("id:{id} ")) && text.contains("stat:DELIVRD"), "{text}");

        turmoil::partition("esme", "smsc");
        let asked = Instant::now();
        // Whether it arrived nobody knows: an answer that does not come says neither.
        let unknown = submit(&client, "is anybody there?").await;
        assert!(matches!(unknown, Err(ClientError::ResponseTimeout { .. })), "{unknown:?}");
        let lost = loop {
            if let Event::Error(error) = events.next().await.ok_or("no error was told")? {
                break error;
            }
        };
        assert!(matches!(lost, ClientError::EnquireLinkTimeout { .. }), "{lost}");
        assert!(asked.elapsed() <= ENQUIRE_LINK_INTERVAL + ENQUIRE_LINK_TIMEOUT, "{:?}", asked.elapsed());
        sleep(Duration::from_secs(30)).await;
        turmoil::repair("esme", "smsc");

        let (client, mut events) = bound().await?;
        let id = submit(&client, "is anybody there?").await?;
        assert!(receipt(&client, &mut events).await?.contains(&format!("id:{id} ")));
        client.unbind().await?;
        Ok(())
    });
    sim.run().map_err(|error| error.to_string().into())
}

async fn bound() -> Result<(Client, impl Stream<Item = Event> + Unpin), Box<dyn Error>> {
    let builder = ConnectionBuilder::new()
        .enquire_link_interval(ENQUIRE_LINK_INTERVAL)
        .enquire_link_response_timeout(ENQUIRE_LINK_TIMEOUT)
        .response_timeout(RESPONSE_TIMEOUT);
    let (client, events) = builder.connected(TcpStream::connect(("smsc", 2775)).await?);
    let bind = BindTransceiver::builder()
        .system_id(COctetString::from_str("smppclient1")?)
        .password(COctetString::from_str("password")?);
    client.bind_transceiver(bind.build()).await?;
    Ok((client, events))
}

/// Gives the id that the SMSC gave.
async fn submit(client: &Client, text: &str) -> Result<String, ClientError> {
    let message = SubmitSm::builder()
        .source_addr(COctetString::from_str("1001").expect("it is short"))
        .destination_addr(COctetString::from_str("27820001001").expect("it is short"))
        .registered_delivery(RegisteredDelivery::from(1))
        .short_message(OctetString::from_str(text).expect("it is short"));
    Ok(client.submit_sm(message.build()).await?.message_id().as_str().to_owned())
}

/// The text of the next deliver_sm, once that is answered.
async fn receipt(client: &Client, events: &mut (impl Stream<Item = Event> + Unpin)) -> Result<String, Box<dyn Error>> {
    loop {
        let Event::Incoming(command) = events.next().await.ok_or("the connection has ended")? else { continue };
        if let Some(Pdu::DeliverSm(sm)) = command.pdu() {
            client.deliver_sm_resp(command.sequence_number(), DeliverSmResp::default()).await?;
            return Ok(sm.short_message().to_str()?.to_owned());
        }
    }
}

/// turmoil's listener, as the simulator takes it.
struct Listener(TcpListener);

impl Accept for Listener {
    type Stream = TcpStream;

    async fn accept(&mut self) -> io::Result<(TcpStream, String)> {
        let (stream, peer) = self.0.accept().await?;
        Ok((stream, peer.to_string()))
    }
}

/// The dates of receipts: a fixed day, and simulated time.
struct Simulated(Instant);

impl WallClock for Simulated {
    fn unix(&self) -> Duration {
        Duration::from_secs(1_767_225_600) + self.0.elapsed()
    }
}
