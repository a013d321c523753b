//! What the stories are told with: a transport between a bus in memory and a simulator, whose lines are pipes. Time is
//! paused, and goes on when all wait.

use std::collections::VecDeque;
use std::future::pending;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use serde_json::{Value, json};
use smpp_transport::bus::Route;
use smpp_transport::bus::memory::Memory;
use smpp_transport::driver::{Accept, Backoff, ClientConfig, Connect};
use smpp_transport::env::{Seed, WallClock};
use smpp_transport::service::{Link, Metrics, Service, ServiceConfig};
use smpp_transport::session::BindKind;
use smpp_transport::store::{self, Store, StoreLimits};
use smsc_sim::rules::parse;
use smsc_sim::{Config, Control, Filter, Message, Mo, serve};
use tokio::io::{DuplexStream, duplex};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

/// Octets that are on their way at most.
const PIPE_OCTETS: usize = 64 * 1024;
/// How long anything is waited for.
const PATIENCE: Duration = Duration::from_secs(300);
/// How often it is looked for.
const LOOK: Duration = Duration::from_millis(5);
/// How often a transport may find something to do before time goes on.
const POLLS_MAX: u32 = 10_000;

pub(crate) const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

struct Door(mpsc::UnboundedReceiver<DuplexStream>);

impl Accept for Door {
    type Stream = DuplexStream;

    async fn accept(&mut self) -> io::Result<(DuplexStream, String)> {
        match self.0.recv().await {
            Some(line) => Ok((line, "a story".to_owned())),
            None => pending().await,
        }
    }
}

#[derive(Clone)]
struct Pipes(mpsc::UnboundedSender<DuplexStream>);

impl Connect for Pipes {
    type Stream = DuplexStream;

    async fn connect(&mut self) -> io::Result<DuplexStream> {
        let (near, far) = duplex(PIPE_OCTETS);
        self.0.send(far).map_err(|_| io::ErrorKind::ConnectionRefused)?;
        Ok(near)
    }
}

/// Begins at the first of January 2026, 00:00.
struct NewYear(Instant);

impl WallClock for NewYear {
    fn unix(&self) -> Duration {
        Duration::from_secs(1_767_225_600) + self.0.elapsed()
    }
}

/// A transport that finds something to do for ever, while time stands still, panics: else its story would never end.
struct Restful<F> {
    inner: Pin<Box<F>>,
    at: Instant,
    polls: u32,
}

impl<F: Future> Future for Restful<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let now = Instant::now();
        self.polls = if self.at == now { self.polls + 1 } else { 0 };
        self.at = now;
        assert!(self.polls < POLLS_MAX, "the transport never rests");
        self.inner.as_mut().poll(cx)
    }
}

/// A transport that runs.
struct Running {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
    metrics: Arc<Metrics>,
}

pub(crate) struct World {
    pub(crate) smsc: Control,
    pub(crate) bus: Memory,
    pub(crate) store: Store,
    pub(crate) config: ServiceConfig,
    pub(crate) links: Vec<Link>,
    pub(crate) prefetch: usize,
    lines: mpsc::UnboundedSender<DuplexStream>,
    clock: Arc<NewYear>,
    running: Option<Running>,
    published: Mutex<VecDeque<(Route, Value)>>,
}

/// A link of the default account.
pub(crate) fn link(kind: BindKind) -> Link {
    let client = ClientConfig::new(kind, "smppclient1".parse().unwrap(), "password".parse().unwrap());
    let backoff = Backoff { min: Duration::from_millis(100), ..Backoff::default() };
    Link { backoff, ..Link::new("link", client) }
}

impl World {
    /// A transport that asks for no receipts, with one transceiver, and a simulator that follows these rules, in YAML. It is
    /// bound when this returns.
    pub(crate) async fn new(rules: &str) -> World {
        World::with(rules, |_| {}).await
    }

    pub(crate) async fn with(rules: &str, change: impl FnOnce(&mut World)) -> World {
        let clock = Arc::new(NewYear(Instant::now()));
        let mut config = Config { rules: parse(rules).unwrap(), ..Config::default() };
        config.session.enquire_link_interval = None;
        let smsc = Control::new(config, Arc::<NewYear>::clone(&clock)).unwrap();
        let (lines, door) = mpsc::unbounded_channel();
        tokio::spawn(serve(Door(door), smsc.clone()));
        let service = ServiceConfig { messages_max: 100, ..ServiceConfig::default() };
        let mut world = World {
            smsc,
            bus: Memory::new(),
            store: Store::Memory(store::Memory::new(StoreLimits::default())),
            config: service,
            links: vec![link(BindKind::Transceiver)],
            prefetch: 100,
            lines,
            clock,
            running: None,
            published: Mutex::default(),
        };
        change(&mut world);
        world.start().await;
        world
    }

    /// Starts the transport, and waits until it is bound.
    pub(crate) async fn start(&mut self) {
        let bus = self.bus.connect(self.prefetch);
        let clock = Arc::<NewYear>::clone(&self.clock);
        let service = Service::new(self.config.clone(), bus, self.store.clone(), clock, Seed(1));
        let mut health = service.health();
        let metrics = service.metrics();
        let links: Vec<_> = self.links.iter().map(|link| (link.clone(), Pipes(self.lines.clone()))).collect();
        let count = links.len();
        let (stop, stopped) = oneshot::channel::<()>();
        let inner = Box::pin(service.run(links, async { drop(stopped.await) }));
        let task = tokio::spawn(Restful { inner, at: Instant::now(), polls: 0 });
        self.running = Some(Running { stop, task, metrics });
        let bound = health.wait_for(|links| links.iter().filter(|link| link.bound).count() == count);
        drop(bound.await.expect("the transport runs"));
    }

    /// Tells the transport to end, and waits until it has. How long that took.
    pub(crate) async fn stop(&mut self) -> Duration {
        let start = Instant::now();
        let running = self.running.take().expect("it runs");
        let _ = running.stop.send(());
        running.task.await.expect("the transport does not panic");
        start.elapsed()
    }

    /// Ends the transport as a crash does: nothing is finished.
    pub(crate) async fn kill(&mut self) {
        let running = self.running.take().expect("it runs");
        running.task.abort();
        let _ = running.task.await;
        sleep(LOOK).await;
    }

    pub(crate) fn metrics(&self) -> &Metrics {
        &self.running.as_ref().expect("it runs").metrics
    }

    /// Puts a message on the bus, with this id.
    pub(crate) fn send(&self, id: &str, content: &str) {
        self.send_as(id, json!({"content": content}));
    }

    pub(crate) fn send_as(&self, id: &str, fields: Value) {
        let mut body = json!({"to_addr": "27821230001", "from_addr": "1001", "message_id": id, "transport_name": "smpp",
            "transport_type": "sms", "content": "hello"});
        for (key, value) in fields.as_object().into_iter().flatten() {
            body[key] = value.clone();
        }
        self.bus.put(body.to_string());
    }

    /// The next thing that is published on this route. What is published on others before it stays.
    pub(crate) async fn published(&self, route: Route) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(value) = self.take(route) {
                return value;
            }
            assert!(
                Instant::now() < deadline,
                "nothing comes on {route:?}; there is {:?}",
                self.published.lock().unwrap()
            );
            sleep(LOOK).await;
        }
    }

    fn take(&self, route: Route) -> Option<Value> {
        let mut published = self.published.lock().unwrap();
        let new = self.bus.take_published().into_iter();
        published.extend(new.map(|(route, body)| (route, serde_json::from_slice(&body).unwrap_or(Value::Null))));
        let at = published.iter().position(|(other, _)| *other == route)?;
        published.remove(at).map(|(_, value)| value)
    }

    /// All that is published and not taken.
    pub(crate) fn take_all(&self) -> Vec<(Route, Value)> {
        let routes = [Route::Event, Route::Inbound, Route::Failed];
        routes
            .into_iter()
            .flat_map(|route| std::iter::from_fn(move || self.take(route).map(|value| (route, value))))
            .collect()
    }

    /// The next event, as `ack m`, `nack m: why` or `delivered m DELIVRD`.
    pub(crate) async fn event(&self) -> String {
        told(&self.published(Route::Event).await)
    }

    pub(crate) async fn inbound(&self) -> Value {
        self.published(Route::Inbound).await
    }

    /// Whether nothing is published for so long.
    pub(crate) async fn hears_nothing_for(&self, time: Duration) -> bool {
        sleep(time).await;
        [Route::Event, Route::Inbound, Route::Failed].into_iter().all(|route| self.take(route).is_none())
    }

    /// Takes what is told in so long, and does not look at it.
    pub(crate) async fn passes_over(&self, time: Duration) {
        sleep(time).await;
        while self.take(Route::Event).is_some() {}
    }

    /// Sends a message from a phone; gives the numbers of its parts.
    pub(crate) fn deliver(&self, fields: Value) -> Vec<u64> {
        let mut mo = json!({"from": "27831112222", "to": "1001"});
        for (key, value) in fields.as_object().into_iter().flatten() {
            mo[key] = value.clone();
        }
        let mo: Mo = serde_json::from_value(mo).unwrap();
        self.smsc.deliver(&mo).unwrap().iter().map(|delivery| delivery.id).collect()
    }

    /// How the deliveries were answered, once all have been.
    pub(crate) async fn answers(&self, ids: &[u64]) -> Vec<String> {
        let known = self.smsc.wait_for_deliveries(ids, PATIENCE).await;
        known
            .iter()
            .map(|delivery| delivery.status.clone().unwrap_or_else(|| format!("{:?}", delivery.state)))
            .collect()
    }

    /// The messages that the simulator has.
    pub(crate) fn taken(&self) -> Vec<Message> {
        self.smsc.messages(&Filter::default())
    }

    /// Does something to the session that was bound last.
    pub(crate) fn act(&self, step: Value) {
        let session = self.smsc.sessions().last().expect("somebody is connected").id;
        self.smsc.act(session, serde_json::from_value(step).unwrap()).unwrap();
    }

    pub(crate) fn rules(&self, yaml: &str) {
        self.smsc.set_rules(parse(yaml).unwrap()).unwrap();
    }
}

pub(crate) fn told(event: &Value) -> String {
    let text = |key: &str| event[key].as_str().unwrap_or_default().to_owned();
    let message = text("user_message_id");
    match event["event_type"].as_str() {
        Some("delivery_report") => {
            let word = event["transport_metadata"]["smpp_delivery_status"].as_str().unwrap_or_default().to_owned();
            format!("{} {message} {word}", text("delivery_status"))
        }
        Some("nack") => format!("nack {message}: {}", text("nack_reason")),
        _ => format!("{} {message}", text("event_type")),
    }
}
