//! A service over an in-memory bus, and an SMSC at the other end of a pipe.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use prometheus_client::registry::Registry;
use serde_json::{Value, json};
use smpp_transport::bus::Route;
use smpp_transport::bus::memory::Memory as MemoryBus;
use smpp_transport::driver::{ClientConfig, Connect};
use smpp_transport::env::{Seed, WallClock};
use smpp_transport::pdu::RegisteredDelivery;
use smpp_transport::service::{Link, Metrics, Service, ServiceConfig};
use smpp_transport::session::BindKind;
use smpp_transport::store::{Memory, Store, StoreLimits};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep};

const SUBMIT_SM: u32 = 4;
const DELIVER_SM: u32 = 5;
const RESPONSE: u32 = 0x8000_0000;

/// Destination of all messages.
pub(crate) const TO: &str = "27820001001";

/// Wall time that follows the paused clock.
struct Clock(Instant);

impl WallClock for Clock {
    fn unix(&self) -> Duration {
        Duration::from_secs(1_790_000_000) + self.0.elapsed()
    }
}

/// A deliver_sm to send, and where its status goes.
type Order = (Vec<u8>, oneshot::Sender<u32>);

/// An SMSC with one session. It answers submits with the ids that it was given, and then with others.
struct Pipe {
    ids: Arc<Mutex<VecDeque<Vec<u8>>>>,
    orders: Option<mpsc::Receiver<Order>>,
}

impl Connect for Pipe {
    type Stream = DuplexStream;

    async fn connect(&mut self) -> io::Result<DuplexStream> {
        let (near, far) = tokio::io::duplex(1 << 16);
        let orders = self.orders.take().ok_or(io::ErrorKind::ConnectionRefused)?;
        tokio::spawn(serve(far, Arc::clone(&self.ids), orders));
        Ok(near)
    }
}

fn frame(command: u32, sequence: u32, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(16 + body.len()).unwrap();
    [&length.to_be_bytes()[..], &command.to_be_bytes(), &[0; 4], &sequence.to_be_bytes(), body].concat()
}

fn number(octets: &[u8], at: usize) -> u32 {
    u32::from_be_bytes(octets[at..at + 4].try_into().unwrap())
}

async fn serve(mut stream: DuplexStream, ids: Arc<Mutex<VecDeque<Vec<u8>>>>, mut orders: mpsc::Receiver<Order>) {
    let (mut read, mut asked) = (Vec::new(), Vec::new());
    loop {
        let mut some = [0; 4096];
        tokio::select! {
            biased;
            count = stream.read(&mut some) => match count {
                Ok(count) if count > 0 => read.extend_from_slice(&some[..count]),
                _ => return,
            },
            Some((body, answered)) = orders.recv() => {
                asked.push(answered);
                let sequence = u32::try_from(asked.len()).unwrap();
                if stream.write_all(&frame(DELIVER_SM, sequence, &body)).await.is_err() {
                    return;
                }
            }
        }
        while read.len() >= 16 && read.len() >= number(&read, 0) as usize {
            let pdu: Vec<u8> = read.drain(..number(&read, 0) as usize).collect();
            let (command, status, sequence) = (number(&pdu, 4), number(&pdu, 8), number(&pdu, 12));
            let answer = match command {
                DELIVER_SM_RESP => {
                    let at = usize::try_from(sequence).unwrap() - 1;
                    let answered = std::mem::replace(&mut asked[at], oneshot::channel().0);
                    let _ = answered.send(status);
                    continue;
                }
                SUBMIT_SM => [ids.lock().unwrap().pop_front().unwrap_or_else(|| b"other".to_vec()), vec![0]].concat(),
                1 | 2 | 9 => b"SMSC\0".to_vec(),
                _ if command & RESPONSE != 0 => continue,
                _ => Vec::new(),
            };
            if stream.write_all(&frame(command | RESPONSE, sequence, &answer)).await.is_err() {
                return;
            }
        }
    }
}

const DELIVER_SM_RESP: u32 = DELIVER_SM | RESPONSE;

/// Events and messages of an application.
#[derive(Debug, Default)]
pub(crate) struct Got {
    pub(crate) events: Vec<Value>,
    pub(crate) inbound: Vec<Value>,
}

impl Got {
    /// Statuses of the delivery reports of a message, in order.
    pub(crate) fn reports(&self, message: &str) -> Vec<&str> {
        self.reports_of(message).map(|event| event["delivery_status"].as_str().unwrap()).collect()
    }

    pub(crate) fn reports_of(&self, message: &str) -> impl Iterator<Item = &Value> {
        let is_its = move |event: &&Value| event["user_message_id"] == message;
        self.events.iter().filter(|event| event["event_type"] == "delivery_report").filter(is_its)
    }

    pub(crate) fn texts(&self) -> Vec<&str> {
        self.inbound.iter().map(|message| message["content"].as_str().unwrap()).collect()
    }
}

/// Options of a service.
pub(crate) struct Options {
    pub(crate) config: ServiceConfig,
    pub(crate) limits: StoreLimits,
}

impl Default for Options {
    fn default() -> Options {
        let mut config = ServiceConfig::default();
        config.submit.registered_delivery = RegisteredDelivery::FINAL;
        config.messages_max = 1_000;
        Options { config, limits: StoreLimits { early_hold: Duration::from_secs(1), ..StoreLimits::default() } }
    }
}

/// A service that runs.
pub(crate) struct World {
    pub(crate) bus: MemoryBus,
    pub(crate) store: Store,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) got: Got,
    ids: Arc<Mutex<VecDeque<Vec<u8>>>>,
    orders: mpsc::Sender<Order>,
    config: ServiceConfig,
    clock: Arc<Clock>,
    running: tokio::task::JoinHandle<()>,
}

impl World {
    pub(crate) fn start(Options { config, limits }: Options) -> World {
        let (bus, store) = (MemoryBus::new(), Store::Memory(Memory::new(limits)));
        World::with(config, bus, store, Arc::new(Clock(Instant::now())), Got::default())
    }

    fn with(config: ServiceConfig, bus: MemoryBus, store: Store, clock: Arc<Clock>, got: Got) -> World {
        let ids = Arc::<Mutex<VecDeque<Vec<u8>>>>::default();
        let (orders, ordered) = mpsc::channel(1_000);
        let pipe = Pipe { ids: Arc::clone(&ids), orders: Some(ordered) };
        let mut client = ClientConfig::new(BindKind::Transceiver, "esme".parse().unwrap(), "secret".parse().unwrap());
        (client.incoming_max, client.session.inbound_window) = (2_000, 2_000);
        let service = Service::new(config.clone(), bus.connect(1_000), store.clone(), Arc::clone(&clock) as _, Seed(1));
        let metrics = service.metrics();
        let running = tokio::spawn(service.run([(Link::new("trx", client), pipe)], std::future::pending()));
        World { bus, store, metrics, got, ids, orders, config, clock, running }
    }

    /// Kills the service and starts another one with the same bus and store.
    pub(crate) async fn restart(self) -> World {
        self.running.abort();
        let _ = self.running.await;
        World::with(self.config, self.bus, self.store, self.clock, self.got)
    }

    /// Submits a message; the SMSC gives its parts these ids. Waits for its ack.
    pub(crate) async fn submit(&mut self, message: &str, content: &str, ids: &[&[u8]]) {
        self.submit_to(message, TO, content, ids).await;
    }

    pub(crate) async fn submit_to(&mut self, message: &str, to: &str, content: &str, ids: &[&[u8]]) {
        self.put(message, to, content, ids);
        for _ in 0..10_000 {
            self.look();
            if self.got.events.iter().any(|event| event["user_message_id"] == message) {
                return;
            }
            sleep(Duration::from_millis(1)).await;
        }
        panic!("message {message} is not acknowledged");
    }

    /// Puts a message on the bus.
    pub(crate) fn put(&self, message: &str, to: &str, content: &str, ids: &[&[u8]]) {
        self.ids.lock().unwrap().extend(ids.iter().map(|id| id.to_vec()));
        self.bus
            .put(json!({"message_id": message, "to_addr": to, "from_addr": "1001", "content": content}).to_string());
    }

    /// Sends a deliver_sm and gives the status of its answer.
    pub(crate) async fn deliver(&self, body: Vec<u8>) -> u32 {
        self.send(body).await.await.expect("it is answered")
    }

    /// Sends a deliver_sm without waiting for its answer.
    pub(crate) async fn send(&self, body: Vec<u8>) -> oneshot::Receiver<u32> {
        let (answered, status) = oneshot::channel();
        self.orders.send((body, answered)).await.expect("the SMSC runs");
        status
    }

    /// Lets time pass, and looks at everything that was published.
    pub(crate) async fn pass(&mut self, time: Duration) {
        sleep(time).await;
        self.look();
    }

    fn look(&mut self) {
        for (route, body) in self.bus.take_published() {
            let value: Value = serde_json::from_slice(&body).unwrap();
            match route {
                Route::Event => self.got.events.push(value),
                Route::Inbound => self.got.inbound.push(value),
                _ => {}
            }
        }
    }

    /// Count of receipts under this kind.
    pub(crate) fn counted(&self, kind: &str) -> u64 {
        let (mut registry, mut text) = (Registry::default(), String::new());
        self.metrics.register(&mut registry);
        prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
        let start = format!("smpp_receipts_total{{kind=\"{kind}\"}} ");
        text.lines().find_map(|line| line.strip_prefix(&start)).map_or(0, |count| count.parse().unwrap())
    }
}

/// A deliver_sm: who it is from, its esm_class and data_coding, its text, and its parameters.
pub(crate) fn deliver_sm(from: &str, esm_class: u8, data_coding: u8, text: &[u8], tlvs: &[(u16, &[u8])]) -> Vec<u8> {
    let mut body = [&[0, 1, 1][..], from.as_bytes(), &[0, 0, 1], b"1001", &[0, esm_class, 0, 0, 0, 0, 0, 0]].concat();
    body.extend([data_coding, 0, u8::try_from(text.len()).unwrap()]);
    body.extend_from_slice(text);
    for (tag, value) in tlvs {
        body.extend(tag.to_be_bytes());
        body.extend(u16::try_from(value.len()).unwrap().to_be_bytes());
        body.extend_from_slice(value);
    }
    body
}

/// A receipt for a message to [`TO`].
pub(crate) fn receipt(text: &str) -> Vec<u8> {
    deliver_sm(TO, 0x04, 0, text.as_bytes(), &[])
}
