//! Running the transport: the one place where a configuration becomes a service.

use std::process::ExitCode;
use std::sync::Arc;
use std::thread::JoinHandle;

use futures_util::future::select_all;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use smpp_transport::bus::amqp::{self, AmqpAddress, AmqpConfig, Topology};
use smpp_transport::bus::{self, embedded};
use smpp_transport::config::{Bus, Config, Declare, Listen, Loaded, QueueType, StoreClass};
use smpp_transport::disk::{Disk, Journal};
use smpp_transport::env::{Seed, SystemClock, WallClock};
use smpp_transport::http::{self, Listener, Queue};
use smpp_transport::service::{LinkHealth, Service};
use smpp_transport::session::BindKind;
use smpp_transport::store::redis::RedisConfig;
use smpp_transport::store::{self, Store, StoreHealth};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

use super::connect::{Way, places};
use super::log::Log;
use super::outbind::Dialled;
use super::reload::Reload;
use super::tap::Taps;
use super::{build, complain};

/// Runs until told to stop. Exit status 1: it could not begin. 2: the configuration is wrong. 3: the SMSC refuses the account,
/// and `reconnect.on_auth_failure` is `stop`.
pub(crate) fn run(loaded: Loaded, flags: Vec<String>) -> ExitCode {
    let log = match Log::start(&loaded.config) {
        Ok(log) => Arc::new(log),
        Err(words) => return refused(2, &words),
    };
    for warning in &loaded.warnings {
        tracing::warn!("{warning}");
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(WORKERS).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return refused(1, &format!("no threads to run with: {error}")),
    };
    match runtime.block_on(transport(loaded, flags, Arc::clone(&log))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure(status, words)) => refused(status, &words),
    }
}

/// Threads beside that of the disk: one for the sessions, one for the bus and HTTP.
const WORKERS: usize = 2;

/// Why it could not begin, with the exit status.
struct Failure(u8, String);

impl From<String> for Failure {
    /// Something in the configuration.
    fn from(words: String) -> Failure {
        Failure(2, words)
    }
}

fn refused(status: u8, words: &str) -> ExitCode {
    complain(words);
    ExitCode::from(status)
}

async fn transport(loaded: Loaded, flags: Vec<String>, log: Arc<Log>) -> Result<(), Failure> {
    let config = &loaded.config.clone();
    let mut signals = Signals::catch()?;
    let mut hangup = signal(SignalKind::hangup()).map_err(no_signals)?;
    let seed = Seed(config.worker.seed.unwrap_or_else(seed_from_the_system));
    let clock: Arc<dyn WallClock> = Arc::new(SystemClock);
    let service = build::service(config)?;
    let links = build::links(config)?;
    let taps = taps(config, &clock)?;
    let smsc = places(config.smsc_addresses(), &config.smsc, taps.as_ref())?;
    let receiver = places(config.receiver_addresses(), &config.smsc, taps.as_ref())?;
    let dialled = Dialled::bind(&config.smsc, taps).await.map_err(|words| Failure(1, words))?;
    tracing::info!(
        seed = seed.0,
        transport = config.worker.transport_name,
        "smpp-transport {}",
        env!("CARGO_PKG_VERSION")
    );
    let mut disk = OpenDisk::default();
    let cache = store(config, config.stores.cache.class, seed, &mut disk)?;
    let sequencer = store(config, config.stores.sequencer.class, seed, &mut disk)?;
    let prefetch = service.messages_max;
    let (bus, queue) = match config.bus.bus {
        Bus::Amqp => (amqp::connect(amqp_config(config, prefetch, seed)?), None),
        Bus::Embedded => {
            let bounds = embedded::Config {
                retention: config.bus.data_retention.unwrap_or(std::time::Duration::MAX),
                outbound_octets_max: config.bus.data_octets_max,
                ..embedded::Config::default()
            };
            let journal = disk.journal(config)?;
            let bus = embedded::Embedded::open(journal, bounds, Arc::clone(&clock));
            let bus = bus.map_err(|error| Failure(1, format!("data_dir: {error}")))?;
            let queue = Queue::new(bus.clone(), &config.worker.transport_name, seed, Arc::clone(&clock));
            let queue = queue.with_window(config.bus.outbound_dedupe_window);
            (bus.connect(prefetch), Some(queue))
        }
    };
    let bus_name = if queue.is_some() { "embedded" } else { "amqp" };
    tracing::info!("the bus is {bus_name}: {}", config.bus_reason());
    let health = bus.health.clone();
    tokio::spawn(log_bus(bus_name, health.clone()));
    let stores = watched(&[&cache, &sequencer]);
    let service = Service::new(service, bus, cache, clock, seed).with_sequencer(sequencer);
    let given_up = until_all_are_stopped(service.health());
    let mut registry = Registry::default();
    service.metrics().register(&mut registry);
    if !stores.is_empty() {
        registry.register("smpp_store_up", "Whether the store can be reached", store_gauge(&stores));
    }
    let state = http::State {
        bus_name,
        bus: health.clone(),
        links: service.health(),
        stores,
        metrics: Arc::new(registry),
        queue,
    };
    let (stopped, stop) = watch::channel(false);
    let served = serve(config, state, stop).await?;
    let links = links.into_iter().filter_map(|(link, is_dialled)| match is_dialled {
        true => Some((link, Way::Wait(dialled.clone()?))),
        false if link.client.kind == BindKind::Receiver => Some((link, Way::Dial(receiver.clone()))),
        false => Some((link, Way::Dial(smsc.clone()))),
    });
    let mut reload = Reload { flags, running: loaded, log, queue: service.settings() };
    let reloading = async move {
        while hangup.recv().await.is_some() {
            reload.again();
        }
        std::future::pending::<()>().await;
    };
    let mut refusal = None;
    let first = signals.first();
    let shutdown = async {
        tokio::select! {
            biased;
            () = first => {}
            words = given_up => refusal = Some(words),
        }
    };
    tokio::select! {
        biased;
        () = service.run(links, shutdown) => {}
        () = reloading => {}
        () = signals.second() => {
            tracing::warn!("ended at once: what is not done is given back by the bus");
            return Ok(());
        }
    }
    stopped.send_replace(true);
    let bus_ended = until_ended(health);
    tokio::select! {
        biased;
        ((), ()) = async { tokio::join!(served, bus_ended) } => {}
        () = signals.next() => return Ok(()),
    }
    disk.close();
    match refusal {
        Some(words) => Err(Failure(3, words)),
        None => {
            tracing::info!("ended");
            Ok(())
        }
    }
}

/// Completes when no link tries to bind any more, with the reason.
async fn until_all_are_stopped(mut health: watch::Receiver<Vec<LinkHealth>>) -> String {
    let is_stopped = |link: &LinkHealth| link.state == STOPPED || link.is_optional && !link.bound;
    let is_over =
        |links: &Vec<LinkHealth>| links.iter().any(|link| link.state == STOPPED) && links.iter().all(is_stopped);
    let error = match health.wait_for(is_over).await {
        Ok(links) => links.iter().find_map(|link| link.last_error.clone().filter(|_| link.state == STOPPED)),
        // The service has ended by itself.
        Err(_) => return std::future::pending().await,
    };
    let error = error.unwrap_or_default();
    tracing::error!(error, "stopped: reconnect.on_auth_failure is stop");
    format!("stopped, as reconnect.on_auth_failure says: {error}")
}

/// State of a link that does not try any more.
const STOPPED: &str = "stopped";

/// What is written down of what passes, and who does.
fn taps(config: &Config, clock: &Arc<dyn WallClock>) -> Result<Option<Taps>, Failure> {
    let Some(path) = &config.look.capture else { return Ok(None) };
    let taps = Taps::create(path, Arc::clone(clock));
    let taps = taps.map_err(|error| Failure(1, format!("capture: {}: {error}", path.display())))?;
    tokio::spawn(taps.clone().flush_now_and_then());
    Ok(Some(taps))
}

/// The file of the embedded bus and store, opened when the first of them asks.
#[derive(Default)]
struct OpenDisk {
    open: Option<(Journal, JoinHandle<()>)>,
}

impl OpenDisk {
    fn journal(&mut self, config: &Config) -> Result<Journal, Failure> {
        if self.open.is_none() {
            let failed = |error: &dyn std::fmt::Display| Failure(1, format!("data_dir: {error}"));
            let (journal, writer) = Disk::folder(&config.bus.data_dir).open().map_err(|error| failed(&error))?;
            let thread = writer.on_a_thread().map_err(|error| failed(&error))?;
            self.open = Some((journal, thread));
        }
        let journal = self.open.as_ref().map(|(journal, _)| journal.clone());
        journal.ok_or_else(|| Failure(1, "data_dir: it is not open".to_owned()))
    }

    /// Waits until all that was asked for is written.
    fn close(self) {
        if let Some((journal, thread)) = self.open {
            drop(journal);
            if thread.join().is_err() {
                tracing::error!("the disk's thread has panicked");
            }
        }
    }
}

fn store(config: &Config, class: StoreClass, seed: Seed, disk: &mut OpenDisk) -> Result<Store, Failure> {
    let limits = build::limits(config);
    match class {
        StoreClass::Memory => Ok(Store::Memory(store::Memory::new(limits))),
        StoreClass::Embedded => {
            let opened = store::Embedded::open(disk.journal(config)?, limits);
            Ok(Store::Embedded(opened.map_err(|error| Failure(1, format!("data_dir: {error}")))?))
        }
        StoreClass::Redis => {
            let mut redis = RedisConfig::new(seed);
            if let Some(url) = &config.stores.redis_url {
                redis.url = url.reveal().to_owned();
            }
            redis.prefix = config.stores.redis_prefix.clone();
            redis.limits = limits;
            Ok(Store::Redis(store::Redis::open(redis).map_err(|error| error.to_string())?))
        }
    }
}

/// Starts to watch the stores that may be out of reach, and returns their health.
fn watched(stores: &[&Store]) -> Vec<watch::Receiver<StoreHealth>> {
    let watch = |store: &&&Store| {
        let health = store.health()?;
        let store = (**store).clone();
        tokio::spawn(async move { store.watch().await });
        Some(health)
    };
    stores.iter().filter_map(|store| watch(&store)).collect()
}

/// Returns a gauge that is 1 while all stores can be reached.
fn store_gauge(stores: &[watch::Receiver<StoreHealth>]) -> Gauge {
    let gauge = Gauge::default();
    let (mut stores, shown) = (stores.to_vec(), gauge.clone());
    tokio::spawn(async move {
        loop {
            shown.set(i64::from(stores.iter_mut().all(|store| store.borrow_and_update().is_up)));
            let changes = stores.iter_mut().map(|store| Box::pin(store.changed()));
            let (changed, ..) = select_all(changes).await;
            if changed.is_err() {
                break;
            }
        }
    });
    gauge
}

fn amqp_config(config: &Config, prefetch: usize, seed: Seed) -> Result<AmqpConfig, String> {
    let parts = &config.bus.amqp;
    let address = match &config.bus.amqp_url {
        Some(url) => AmqpAddress::from_url(url.reveal()).map_err(|error| format!("amqp_url: {error}"))?,
        None => {
            AmqpAddress::from_parts(&parts.hostname, parts.port, &parts.username, parts.password.reveal(), &parts.vhost)
        }
    };
    Ok(AmqpConfig {
        topology: topology(parts),
        reject_to: config.bus.amqp_reject_to.clone(),
        prefetch: u16::try_from(prefetch).unwrap_or(u16::MAX),
        has_status: config.worker.status_events,
        ..AmqpConfig::new(address, config.worker.transport_name.clone(), seed)
    })
}

/// How the exchange and the queues come to be.
fn topology(amqp: &smpp_transport::config::Amqp) -> Topology {
    let arguments = amqp.queue_arguments.iter().map(|(name, value)| (name.clone(), value.clone()));
    let queue_type = amqp.queue_type.map(|queue_type| match queue_type {
        QueueType::Classic => "classic",
        QueueType::Quorum => "quorum",
    });
    let queue_type = queue_type.map(|name| ("x-queue-type".to_owned(), name.to_owned()));
    match amqp.declare {
        Declare::Active => Topology::Declared(arguments.chain(queue_type).collect()),
        Declare::Passive => Topology::Passive,
        Declare::None => Topology::Given,
    }
}

/// Says what would keep a transport with this configuration from starting, but for what is on the network: files that
/// cannot be read, options that do not fit together.
///
/// # Errors
/// In words, with the option's name.
pub(super) fn check(config: &Config) -> Result<(), String> {
    let service = build::service(config)?;
    build::links(config)?;
    places(config.smsc_addresses(), &config.smsc, None)?;
    amqp_config(config, service.messages_max, Seed(0))?;
    if let Some(url) = &config.stores.redis_url {
        store::Redis::check_url(url.reveal()).map_err(|error| error.to_string())?;
    }
    Ok(())
}

/// Serves HTTP, if that is wanted, until told to stop. It listens when this returns; what is given completes in the end.
async fn serve(
    config: &Config,
    state: http::State,
    mut stop: watch::Receiver<bool>,
) -> Result<impl Future<Output = ()> + use<>, Failure> {
    let address = match &config.worker.http_bind {
        Some(Listen::Tcp(address)) => Some(http::Address::Tcp(address.clone())),
        Some(Listen::Unix(path)) => Some(http::Address::Unix(path.clone())),
        None => None,
    };
    let task = match address {
        None => None,
        Some(address) => {
            let listener = Listener::bind(&address).await;
            let listener = listener.map_err(|error| Failure(1, format!("http_bind: {address}: {error}")))?;
            let shown = listener.tcp_address().map_or_else(|| address.to_string(), |address| address.to_string());
            tracing::info!(address = shown, "HTTP is served");
            let stopped = async move { drop(stop.wait_for(|stop| *stop).await) };
            Some(tokio::spawn(listener.serve(state, stopped)))
        }
    };
    Ok(async move {
        if let Some(task) = task {
            let _ = task.await;
        }
    })
}

/// Logs when the bus is lost, and when it is back.
async fn log_bus(bus: &'static str, mut health: watch::Receiver<bus::Health>) {
    let mut was_up = false;
    loop {
        let bus::Health { is_up, reason, .. } = health.borrow_and_update().clone();
        match (was_up, is_up) {
            (false, true) => tracing::info!(bus, "bus connected"),
            (true, false) => tracing::warn!(bus, %reason, "bus lost"),
            _ => {}
        }
        was_up = is_up;
        if health.changed().await.is_err() {
            return;
        }
    }
}

/// Completes when the bus has said its last words: its handles are gone, and so is its task.
async fn until_ended(mut health: watch::Receiver<bus::Health>) {
    while health.changed().await.is_ok() {}
}

fn no_signals(error: std::io::Error) -> Failure {
    Failure(1, format!("cannot catch signals: {error}"))
}

/// SIGINT and SIGTERM, caught from when this is made.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    told: watch::Sender<u8>,
}

impl Signals {
    fn catch() -> Result<Signals, Failure> {
        let catch = |kind| signal(kind).map_err(no_signals);
        let (terminate, interrupt) = (catch(SignalKind::terminate())?, catch(SignalKind::interrupt())?);
        Ok(Signals { terminate, interrupt, told: watch::Sender::new(0) })
    }

    async fn next(&mut self) {
        tokio::select! {
            biased;
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }

    /// Completes at the first, once [`second`](Signals::second) is polled too.
    fn first(&self) -> impl Future<Output = ()> + use<> {
        let mut told = self.told.subscribe();
        async move { drop(told.wait_for(|told| *told > 0).await) }
    }

    /// Completes at the second.
    async fn second(&mut self) {
        for told in 1..=2 {
            self.next().await;
            self.told.send_replace(told);
        }
    }
}

/// The one place where chance comes in that no seed can repeat: it is logged, so that it can be given next time.
pub(super) fn seed_from_the_system() -> u64 {
    use std::hash::{BuildHasher, Hasher};
    std::collections::hash_map::RandomState::new().build_hasher().finish()
}
