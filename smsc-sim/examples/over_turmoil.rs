//! The simulator on turmoil's simulated network, with a client in its own host: time is simulated, and the same seed gives
//! the same run. `cargo run -p smsc-sim --example over_turmoil`.
//!
//! Halfway the network is partitioned; what the client is told then is what a test would be about.

use std::error::Error;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use smpp_transport::driver::{Accept, Client, ClientConfig};
use smpp_transport::env::WallClock;
use smpp_transport::pdu::{ShortMessage, Sm};
use smpp_transport::session::BindKind;
use smsc_sim::{Config, Control, serve};
use tokio::time::{Instant, sleep};
use turmoil::net::{TcpListener, TcpStream};

fn main() -> Result<(), Box<dyn Error>> {
    let mut sim = turmoil::Builder::new().rng_seed(7).simulation_duration(Duration::from_secs(300)).build();
    sim.host("smsc", || async {
        let listener = Listener(TcpListener::bind(("0.0.0.0", 2775)).await?);
        let clock = Arc::new(Simulated(Instant::now()));
        serve(listener, Control::new(Config { seed: 7, ..Config::default() }, clock)?).await;
        Ok(())
    });
    sim.client("esme", async {
        let mut config = ClientConfig::new(BindKind::Transceiver, "smppclient1".parse()?, "password".parse()?);
        config.session.response_timeout = Duration::from_secs(10);
        let (client, _incoming) = Client::over(TcpStream::connect(("smsc", 2775)).await?, config).await?;
        let accepted = client.submit(message("all is well")?).await?;
        assert_eq!(accepted.message_id.text(), "1");

        turmoil::partition("esme", "smsc");
        let asked = Instant::now();
        // Whether it arrived nobody knows: an answer that does not come says neither.
        assert!(client.submit(message("is anybody there?")?).await.is_err());
        assert_eq!(asked.elapsed().as_secs(), 10);
        sleep(Duration::from_secs(60)).await;
        Ok(())
    });
    sim.run().map_err(|error| error.to_string().into())
}

fn message(text: &str) -> Result<Sm, Box<dyn Error>> {
    Ok(Sm {
        source_addr: "1001".parse()?,
        destination_addr: "27820001001".parse()?,
        short_message: ShortMessage::new(text.to_owned())?,
        ..Sm::default()
    })
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
