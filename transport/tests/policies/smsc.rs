//! An SMSC that does what a script says with each submit_sm, and a service bound to it.

use std::collections::BTreeMap;
use std::future::pending;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::BytesMut;
use serde_json::{Value, json};
use smpp_transport::bus::Route;
use smpp_transport::bus::memory::Memory;
use smpp_transport::driver::{ClientConfig, Connect};
use smpp_transport::env::{Seed, WallClock};
use smpp_transport::pdu::{Body, CommandId, FRAME_OCTETS_MAX, Leniency, Pdu, Sm, next_frame};
use smpp_transport::service::{Link, Service, ServiceConfig};
use smpp_transport::session::BindKind;
use smpp_transport::store::{self, Store, StoreLimits};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

/// Answer of the SMSC to a submit_sm.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    /// ESME_ROK with a message id.
    Accept,
    /// A response with this status and these octets after the header.
    Raw(u32, Vec<u8>),
    /// The connection is closed.
    HangUp,
    /// No response.
    Never,
}

/// A submit_sm that came.
#[derive(Clone, Debug)]
pub(crate) struct Came {
    pub(crate) at: Duration,
    pub(crate) session: usize,
    pub(crate) to: String,
    pub(crate) sm: Sm,
}

type Script = Box<dyn FnMut(&Came) -> Reply + Send>;

struct Inner {
    start: Instant,
    script: Script,
    sessions: usize,
    came: Vec<Came>,
}

/// Connections to the SMSC, of which each is a task.
#[derive(Clone)]
pub(crate) struct Smsc(Arc<Mutex<Inner>>);

impl Connect for Smsc {
    type Stream = DuplexStream;

    async fn connect(&mut self) -> io::Result<DuplexStream> {
        let (near, far) = duplex(64 * 1024);
        let session = {
            let mut inner = self.0.lock().unwrap();
            inner.sessions += 1;
            inner.sessions
        };
        tokio::spawn(self.clone().serve(far, session));
        Ok(near)
    }
}

impl Smsc {
    async fn serve(self, mut stream: DuplexStream, session: usize) {
        let mut input = BytesMut::new();
        loop {
            while let Some(frame) = next_frame(&mut input, FRAME_OCTETS_MAX).unwrap() {
                let pdu = Pdu::decode(&frame, Leniency::TOLERANT).unwrap();
                let Some(answer) = self.answer(&pdu, session) else { return };
                // The other end may have gone.
                let _ = stream.write_all(&answer).await;
            }
            if !matches!(stream.read_buf(&mut input).await, Ok(1..)) {
                return;
            }
        }
    }

    fn answer(&self, pdu: &Pdu, session: usize) -> Option<Vec<u8>> {
        let Body::SubmitSm(sm) = &pdu.body else {
            let Some(answer) = pdu.command_id().answer() else { return Some(Vec::new()) };
            let body: &[u8] = if pdu.command_id().is_bind() { b"SMSC\0" } else { b"" };
            return Some(octets(answer, 0, pdu.sequence, body));
        };
        let inner = &mut *self.0.lock().unwrap();
        let came = Came { at: inner.start.elapsed(), session, to: sm.destination_addr.text(), sm: sm.clone() };
        inner.came.push(came.clone());
        let id = format!("id{}\0", inner.came.len());
        match (inner.script)(&came) {
            Reply::Accept => Some(octets(CommandId::SUBMIT_SM_RESP, 0, pdu.sequence, id.as_bytes())),
            Reply::Raw(status, body) => Some(octets(CommandId::SUBMIT_SM_RESP, status, pdu.sequence, &body)),
            Reply::HangUp => None,
            Reply::Never => Some(Vec::new()),
        }
    }
}

fn octets(command: CommandId, status: u32, sequence: u32, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(16 + body.len()).unwrap();
    let header = [length, command.0, status, sequence].map(u32::to_be_bytes).concat();
    [&header[..], body].concat()
}

/// The wall clock: an epoch and the paused time.
#[derive(Debug)]
struct Clock(Instant);

/// 2026-11-22 17:58:56 UTC.
const EPOCH: Duration = Duration::from_secs(1_795_370_336);

impl WallClock for Clock {
    fn unix(&self) -> Duration {
        EPOCH + self.0.elapsed()
    }
}

/// A running service.
pub(crate) struct World {
    pub(crate) bus: Memory,
    smsc: Smsc,
    task: JoinHandle<()>,
}

impl Drop for World {
    fn drop(&mut self) {
        self.task.abort();
    }
}

pub(crate) struct Setup {
    pub(crate) config: ServiceConfig,
    pub(crate) client: ClientConfig,
    pub(crate) links: usize,
}

impl World {
    /// A service that has messages on its bus: their ids are their destinations, with a number if there are several.
    pub(crate) fn new(
        destinations: &[&str],
        change: impl FnOnce(&mut Setup),
        script: impl FnMut(&Came) -> Reply + Send + 'static,
    ) -> World {
        let start = Instant::now();
        let bus = Memory::new();
        let client = ClientConfig::new(BindKind::Transceiver, "esme".parse().unwrap(), "secret".parse().unwrap());
        let mut setup = Setup { config: ServiceConfig::default(), client, links: 1 };
        change(&mut setup);
        for to in destinations {
            bus.put(message(to, "2026-11-22 17:58:56").to_string());
        }
        let inner = Inner { start, script: Box::new(script), sessions: 0, came: Vec::new() };
        let smsc = Smsc(Arc::new(Mutex::new(inner)));
        let store = Store::Memory(store::Memory::new(StoreLimits::default()));
        let prefetch = setup.config.messages_max;
        let service = Service::new(setup.config, bus.connect(prefetch), store, Arc::new(Clock(start)), Seed(1));
        let link = |number| (Link::new(format!("trx{number}"), setup.client.clone()), smsc.clone());
        let links: Vec<_> = (1..=setup.links).map(link).collect();
        let task = tokio::spawn(service.run(links, pending()));
        World { bus, smsc, task }
    }

    /// Lets this much time pass.
    pub(crate) async fn pass(&self, time: Duration) {
        sleep(time).await;
    }

    pub(crate) fn came(&self) -> Vec<Came> {
        self.smsc.0.lock().unwrap().came.clone()
    }

    pub(crate) fn tries(&self, to: &str) -> usize {
        self.came().iter().filter(|came| came.to == to).count()
    }

    /// Number of connections so far.
    pub(crate) fn sessions(&self) -> usize {
        self.smsc.0.lock().unwrap().sessions
    }

    /// Outcomes since this was asked last, by message id: `ack`, or the reason of a nack.
    pub(crate) fn outcomes(&self) -> BTreeMap<String, String> {
        let mut outcomes = BTreeMap::new();
        for (route, body) in self.bus.take_published() {
            let event: Value = serde_json::from_slice(&body).unwrap();
            if matches!(route, Route::Event) {
                let id = event["user_message_id"].as_str().unwrap().to_owned();
                let outcome = event["nack_reason"].as_str().unwrap_or("ack").to_owned();
                assert!(outcomes.insert(id.clone(), outcome).is_none(), "two outcomes of {id}");
            }
        }
        outcomes
    }
}

/// A message as an application writes it.
pub(crate) fn message(to: &str, timestamp: &str) -> Value {
    json!({
        "message_id": to, "to_addr": to, "from_addr": "1001", "content": "hello", "timestamp": timestamp,
    })
}
