//! RabbitMQ: its topology, its outages, and what it refuses.

use std::collections::BTreeSet;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use bytes::Bytes;
use lapin::options::{
    BasicGetOptions, BasicPublishOptions, ConfirmSelectOptions, ExchangeDeclareOptions, ExchangeDeleteOptions,
    QueueBindOptions, QueueDeclareOptions, QueueDeleteOptions,
};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties, ExchangeKind};
use smpp_transport::bus::amqp::{AmqpAddress, AmqpConfig, Topology, connect};
use smpp_transport::bus::{Bus, Delivery, PublishError, Route};
use smpp_transport::driver::Backoff;
use smpp_transport::env::Seed;
use tokio::io::AsyncReadExt as _;
use tokio::time::timeout;

use super::server::RabbitMq;
use super::{PATIENCE, World, all_at_once, next, nothing, publish, published, until, waiting};

/// What is on the other side of a broker: applications, with a connection of their own.
pub(super) struct Applications {
    port: u16,
    pub(super) name: String,
    line: tokio::sync::Mutex<Option<(Connection, Channel)>>,
}

/// A broker that all questions are asked of, each about queues of its own.
pub(super) fn shared() -> Option<Applications> {
    static SERVER: OnceLock<Option<RabbitMq>> = OnceLock::new();
    SERVER.get_or_init(RabbitMq::start).as_ref().map(|server| Applications::new(server.port))
}

impl Applications {
    pub(super) fn new(port: u16) -> Applications {
        static NAMES: AtomicU32 = AtomicU32::new(0);
        let name = format!("smpp{}", NAMES.fetch_add(1, Ordering::Relaxed));
        Applications { port, name, line: tokio::sync::Mutex::default() }
    }

    fn config(&self) -> AmqpConfig {
        let address = AmqpAddress::from_parts("127.0.0.1", self.port, "guest", "guest", "/");
        let mut config = AmqpConfig::new(address, self.name.clone(), Seed(1));
        config.reconnect =
            Backoff { min: Duration::from_millis(50), max: Duration::from_millis(500), ..Backoff::default() };
        config
    }

    fn queue(&self, end: &str) -> String {
        format!("{}.{end}", self.name)
    }

    /// A channel, on a new connection if the last one is gone.
    async fn channel(&self) -> Channel {
        let mut line = self.line.lock().await;
        if let Some((_, channel)) = line.as_ref().filter(|(_, channel)| channel.status().connected()) {
            return channel.clone();
        }
        let url = format!("amqp://127.0.0.1:{}", self.port);
        let connection = Connection::connect(&url, ConnectionProperties::default()).await.expect("the broker is there");
        let channel = connection.create_channel().await.unwrap();
        channel.confirm_select(ConfirmSelectOptions::default()).await.unwrap();
        *line = Some((connection, channel.clone()));
        channel
    }

    /// Declares a queue as vumi2 does; how many messages wait in it.
    async fn declare(&self, end: &str) -> u32 {
        let (channel, queue) = (self.channel().await, self.queue(end));
        let durable = ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
        channel.exchange_declare("vumi".into(), ExchangeKind::Direct, durable, FieldTable::default()).await.unwrap();
        let durable = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
        let declared = channel.queue_declare(queue.as_str().into(), durable, FieldTable::default()).await.unwrap();
        let (name, bind) = (queue.as_str(), QueueBindOptions::default());
        channel.queue_bind(name.into(), "vumi".into(), name.into(), bind, FieldTable::default()).await.unwrap();
        declared.message_count()
    }

    async fn take(&self, end: &str) -> Option<lapin::message::BasicGetMessage> {
        let options = BasicGetOptions { no_ack: true };
        self.channel().await.basic_get(self.queue(end).as_str().into(), options).await.unwrap()
    }

    async fn delete(&self, end: &str) {
        let options = QueueDeleteOptions::default();
        self.channel().await.queue_delete(self.queue(end).as_str().into(), options).await.unwrap();
    }
}

impl World for Applications {
    fn connect(&self, prefetch: u16) -> Bus {
        connect(AmqpConfig { prefetch, ..self.config() })
    }

    async fn put(&self, body: &str) {
        self.declare("outbound").await;
        let (channel, key) = (self.channel().await, self.queue("outbound"));
        let properties = BasicProperties::default().with_delivery_mode(2);
        let options = BasicPublishOptions::default();
        let stored = channel
            .basic_publish("vumi".into(), key.as_str().into(), options, body.as_bytes(), properties)
            .await
            .unwrap();
        assert!(stored.await.unwrap().is_ack());
    }

    async fn published(&self, route: Route) -> Vec<Bytes> {
        self.declare(route.name()).await;
        let mut all = Vec::new();
        while let Some(message) = self.take(route.name()).await {
            all.push(message.delivery.data.into());
        }
        all
    }

    async fn waiting(&self) -> usize {
        self.declare("outbound").await as usize
    }
}

pub(super) async fn up(bus: &mut Bus) {
    timeout(PATIENCE, bus.health.wait_for(|health| health.is_up)).await.expect("it comes up").expect("it runs");
}

async fn down(bus: &mut Bus) {
    timeout(PATIENCE, bus.health.wait_for(|health| !health.is_up)).await.expect("it goes down").expect("it runs");
}

#[tokio::test]
async fn all_queues_are_declared_as_vumi2_declares_them_and_messages_are_persistent_and_nothing_else() {
    let Some(world) = shared() else { return };
    let mut bus = connect(AmqpConfig { has_status: true, ..world.config() });
    up(&mut bus).await;
    for route in [Route::Inbound, Route::Event, Route::Status, Route::Failed] {
        assert_eq!(publish(&bus.publisher, route, route.name()).await, Ok(()));
        // Other arguments than those of the queue that is there would be an error.
        let message = world.take(route.name()).await.expect("it is there");
        world.declare(route.name()).await;
        assert_eq!(message.delivery.data, route.name().as_bytes());
        assert_eq!(message.delivery.properties, BasicProperties::default().with_delivery_mode(2));
        assert_eq!(message.delivery.exchange.as_str(), "vumi");
    }
    world.put("dead").await;
    next(&mut bus).await.dead_letter("it is no message");
    until("it is kept", async || world.declare("failed").await == 1).await;
    let mut headers = FieldTable::default();
    headers.insert("reason".into(), AMQPValue::LongString("it is no message".into()));
    let properties = BasicProperties::default().with_delivery_mode(2).with_headers(headers);
    assert_eq!(world.take("failed").await.expect("it is there").delivery.properties, properties);
    let health = bus.health.borrow().clone();
    assert_eq!((health.is_up, health.state, &*health.reason), (true, "open", ""));
    let said = &health.server_properties;
    assert!(said["product"] == "RabbitMQ" && said["capabilities"]["publisher_confirms"] == true, "{said}");
}

#[tokio::test]
async fn what_no_queue_takes_is_refused_and_nothing_else_is() {
    let Some(world) = shared() else { return };
    let mut bus = world.connect(1);
    up(&mut bus).await;
    world.delete("event").await;
    let many = (0..500).map(|number| {
        let route = if number % 7 == 3 { Route::Event } else { Route::Inbound };
        let publisher = &bus.publisher;
        async move { (route, publish(publisher, route, number.to_string()).await) }
    });
    for (route, result) in all_at_once(many).await {
        match (route, &result) {
            (Route::Inbound, Ok(())) | (Route::Event, Err(PublishError::Refused(_))) => {}
            wrong => panic!("{wrong:?}"),
        }
    }
    assert_eq!(world.published(Route::Inbound).await.len(), (0..500).filter(|number| number % 7 != 3).count());
    let status = publish(&bus.publisher, Route::Status, "not asked for").await;
    let Err(PublishError::Refused(reason)) = status else { panic!("{status:?}") };
    assert!(reason.contains("NO_ROUTE") && reason.contains(".status"), "{reason}");
}

#[tokio::test]
async fn a_queue_that_is_deleted_is_declared_again_and_consumed() {
    let Some(world) = shared() else { return };
    let mut bus = world.connect(1);
    up(&mut bus).await;
    world.delete("outbound").await;
    until("it is there again", async || {
        let passive = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
        let queue = world.queue("outbound");
        let declared = world.channel().await.queue_declare(queue.as_str().into(), passive, FieldTable::default()).await;
        declared.is_ok_and(|queue| queue.consumer_count() == 1)
    })
    .await;
    world.put("hello").await;
    assert_eq!(next(&mut bus).await.body, "hello");
}

/// A broker whose channels and exchange can be taken from all: not shared.
#[tokio::test]
async fn a_channel_that_the_broker_closes_is_opened_again_and_what_was_on_its_way_is_published_again() {
    let Some(server) = RabbitMq::start() else { return };
    let world = Applications::new(server.port);
    let mut bus = world.connect(2);
    world.put("out").await;
    let out = next(&mut bus).await;
    assert!(!out.is_void());
    let options = ExchangeDeleteOptions::default();
    world.channel().await.exchange_delete("vumi".into(), options).await.unwrap();
    // Publishing where no exchange is closes the channel.
    let many = (0..100).map(|number| publish(&bus.publisher, Route::Inbound, number.to_string()));
    assert_eq!(all_at_once(many).await, vec![Ok(()); 100]);
    let expected: Vec<Bytes> = (0..100).map(|number: u32| number.to_string().into()).collect();
    assert_eq!(published(&world, Route::Inbound, 100).await, expected);
    // What was out comes again, and its old delivery has nothing more to say.
    let again = next(&mut bus).await;
    assert_eq!((&again.body[..], again.redelivered), (&b"out"[..], true));
    assert!(out.is_void() && !again.is_void());
    out.ack();
    again.give_back();
    let again = next(&mut bus).await;
    assert_eq!((&again.body[..], again.redelivered), (&b"out"[..], true));
    up(&mut bus).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_that_goes_and_comes_back_costs_time_only() {
    let Some(mut server) = RabbitMq::start() else { return };
    let world = Applications::new(server.port);
    let mut bus = world.connect(5);
    for is_crash in [true, false] {
        up(&mut bus).await;
        for number in 0..10 {
            world.put(&number.to_string()).await;
        }
        let mut old = Vec::new();
        for _ in 0..5 {
            old.push(next(&mut bus).await);
        }
        // Publications that are on their way when it goes, and some while it is away.
        let publisher = bus.publisher.clone();
        let publishing = tokio::spawn(async move {
            let many = (0..2_000).map(|number| publish(&publisher, Route::Event, number.to_string()));
            all_at_once(many).await
        });
        until("some are published", async || world.declare("event").await > 10 || publishing.is_finished()).await;
        tokio::task::block_in_place(|| if is_crash { server.server.kill9() } else { server.server.stop() });
        down(&mut bus).await;
        let state = bus.health.borrow().clone();
        assert!(state.state == "connecting" && !state.reason.is_empty(), "{state:?}");
        assert!(old.iter().all(Delivery::is_void));
        let publisher = bus.publisher.clone();
        let away = publisher.publish(Route::Inbound, "while away".into());
        tokio::pin!(away);
        assert!(timeout(Duration::from_millis(200), away.as_mut()).await.is_err(), "it waits");
        nothing(&mut bus).await;
        tokio::task::block_in_place(|| server.server.start_again());
        assert_eq!(timeout(PATIENCE, away).await.expect("it is stored"), Ok(()));
        assert!(publishing.await.unwrap().iter().all(Result::is_ok), "at least once");
        let mut events = world.published(Route::Event).await;
        events.sort_unstable();
        events.dedup();
        assert_eq!(events.len(), 2_000, "all are there");
        assert_eq!(published(&world, Route::Inbound, 1).await, ["while away"]);
        // As many as the prefetch allows are still out, so no more come until the old ones are settled, which changes nothing.
        nothing(&mut bus).await;
        old.into_iter().for_each(smpp_transport::bus::Delivery::ack);
        for number in 0..10 {
            let delivery = next(&mut bus).await;
            assert_eq!(delivery.body, number.to_string());
            // After a crash the broker says so of all that it had.
            assert!(delivery.redelivered || number >= 5, "{delivery:?}");
            delivery.ack();
        }
        nothing(&mut bus).await;
        waiting(&world, 0).await;
    }
    drop(bus);
}

#[tokio::test]
async fn a_bus_waits_for_a_broker_and_ends_without_one_when_its_handles_are_dropped() {
    // One that listens and says nothing.
    let mute = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let world = Applications::new(mute.local_addr().unwrap().port());
    let bus = connect(AmqpConfig { connection_timeout: Duration::from_millis(100), ..world.config() });
    // Its connections are given up: each ends.
    let (mut first, _) = mute.accept().await.unwrap();
    let gone = async { while first.read(&mut [0; 64]).await.is_ok_and(|count| count > 0) {} };
    timeout(PATIENCE, gone).await.expect("it is given up");
    drop(mute);
    let publishing = bus.publisher.publish(Route::Event, "nobody hears".into());
    assert!(timeout(Duration::from_millis(500), publishing).await.is_err(), "it waits");
    let mut health = bus.health.clone();
    assert!(!health.borrow().is_up && health.borrow().reason.contains("connecting"), "{:?}", health.borrow());
    drop(bus);
    let ended = timeout(PATIENCE, async { while health.changed().await.is_ok() {} }).await;
    assert!(ended.is_ok() && health.borrow().state == "closed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn publishing_waits_while_the_broker_is_out_of_memory() {
    let Some(server) = RabbitMq::start() else { return };
    let world = Applications::new(server.port);
    let mut bus = world.connect(1);
    up(&mut bus).await;
    tokio::task::block_in_place(|| server.control(&["set_vm_memory_high_watermark", "0.00001"]));
    // It tells those who publish.
    let publisher = bus.publisher.clone();
    let waits = tokio::spawn(async move { publish(&publisher, Route::Event, "waits").await });
    down(&mut bus).await;
    let health = bus.health.borrow().clone();
    assert!(health.state == "blocked" && !health.reason.is_empty(), "{health:?}");
    let also = bus.publisher.publish(Route::Event, "also waits".into());
    assert!(timeout(Duration::from_millis(300), also).await.is_err() && !waits.is_finished());
    tokio::task::block_in_place(|| server.control(&["set_vm_memory_high_watermark", "0.9"]));
    assert_eq!(waits.await.unwrap(), Ok(()));
    up(&mut bus).await;
    assert_eq!(publish(&bus.publisher, Route::Event, "afterwards").await, Ok(()));
}

#[tokio::test]
async fn what_is_dead_goes_to_the_queue_that_it_is_told_to() {
    let Some(world) = shared() else { return };
    let queue = format!("{}.elsewhere", world.config().transport_name);
    let mut bus = connect(AmqpConfig { reject_to: Some(queue), ..world.config() });
    up(&mut bus).await;
    world.put("dead").await;
    next(&mut bus).await.dead_letter("it is no message");
    until("it is kept", async || world.declare("elsewhere").await == 1).await;
    assert_eq!(world.take("elsewhere").await.expect("it is there").delivery.data, b"dead");
    assert_eq!(world.declare("failed").await, 0);
}

impl Applications {
    /// Makes queues of this transport as an operator would, with these arguments, and binds them.
    async fn make(&self, ends: &[&str], arguments: &FieldTable) {
        let channel = self.channel().await;
        let durable = ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
        channel.exchange_declare("vumi".into(), ExchangeKind::Direct, durable, FieldTable::default()).await.unwrap();
        for end in ends {
            let (queue, durable) =
                (self.queue(end), QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() });
            channel.queue_declare(queue.as_str().into(), durable, arguments.clone()).await.unwrap();
            let (name, bind) = (queue.as_str(), QueueBindOptions::default());
            channel.queue_bind(name.into(), "vumi".into(), name.into(), bind, FieldTable::default()).await.unwrap();
        }
    }

    /// Puts a message into the queue of outbound messages, which is there.
    async fn put_as_it_is(&self, body: &str) {
        let (channel, key) = (self.channel().await, self.queue("outbound"));
        let (options, properties) = (BasicPublishOptions::default(), BasicProperties::default());
        let stored = channel.basic_publish("vumi".into(), key.as_str().into(), options, body.as_bytes(), properties);
        assert!(stored.await.unwrap().await.unwrap().is_ack());
    }
}

/// Queues as operators make them: of another type, with a time to live, with a bound.
#[tokio::test]
async fn queues_of_the_operator_are_used_as_they_are_or_declared_alike() {
    const ALL: [&str; 4] = ["outbound", "inbound", "event", "failed"];
    let quorum = ("x-queue-type", AMQPValue::LongString("quorum".into()), "quorum");
    let ttl = ("x-message-ttl", AMQPValue::LongLongInt(86_400_000), "86400000");
    let bound = ("x-max-length", AMQPValue::LongLongInt(1_000), "1000");
    for (name, value, written) in [quorum, ttl, bound] {
        let mut arguments = FieldTable::default();
        arguments.insert(name.into(), value);
        let declared = Topology::Declared([(name.to_owned(), written.to_owned())].into());
        for topology in [declared, Topology::Passive, Topology::Given] {
            let Some(world) = shared() else { return };
            world.make(&ALL, &arguments).await;
            let mut bus = connect(AmqpConfig { topology: topology.clone(), ..world.config() });
            up(&mut bus).await;
            world.put_as_it_is("hello").await;
            let delivery = next(&mut bus).await;
            assert_eq!(delivery.body, "hello", "{name} {topology:?}");
            delivery.ack();
            assert_eq!(publish(&bus.publisher, Route::Event, "done").await, Ok(()), "{name} {topology:?}");
            assert_eq!(world.take("event").await.expect("it is there").delivery.data, b"done");
        }
    }
}

/// The broker refuses every declaration of this account.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_without_the_right_to_configure_needs_topology_that_is_there() {
    let Some(server) = RabbitMq::start() else { return };
    tokio::task::block_in_place(|| {
        server.control(&["add_user", "worker", "secret"]);
        server.control(&["set_permissions", "worker", "^$", ".*", ".*"]);
    });
    let address = AmqpAddress::from_parts("127.0.0.1", server.port, "worker", "secret", "/");
    for (topology, is_up) in [(Topology::default(), false), (Topology::Passive, true), (Topology::Given, true)] {
        let world = Applications::new(server.port);
        world.make(&["outbound", "inbound", "event", "failed"], &FieldTable::default()).await;
        let mut bus = connect(AmqpConfig { address: address.clone(), topology: topology.clone(), ..world.config() });
        if is_up {
            up(&mut bus).await;
            world.put_as_it_is("hello").await;
            let delivery = next(&mut bus).await;
            assert_eq!(delivery.body, "hello", "{topology:?}");
            delivery.ack();
            assert_eq!(publish(&bus.publisher, Route::Event, "done").await, Ok(()), "{topology:?}");
        } else {
            let refused = bus.health.wait_for(|health| health.reason.contains("ACCESS_REFUSED"));
            let health = timeout(PATIENCE, refused).await.expect("it is refused").expect("it runs").clone();
            assert!(!health.is_up, "{health:?}");
        }
    }
}

#[tokio::test]
async fn a_queue_with_other_arguments_or_that_is_missing_is_an_error_that_names_it() {
    let Some(world) = shared() else { return };
    let mut quorum = FieldTable::default();
    quorum.insert("x-queue-type".into(), AMQPValue::LongString("quorum".into()));
    world.make(&["outbound"], &quorum).await;
    for (topology, words) in [(Topology::default(), "PRECONDITION_FAILED"), (Topology::Passive, "NOT_FOUND")] {
        let mut bus = connect(AmqpConfig { topology, ..world.config() });
        let refused = bus.health.wait_for(|health| health.reason.contains("declaring the queue"));
        let health = timeout(PATIENCE, refused).await.expect("it is refused").expect("it runs").clone();
        assert!(!health.is_up && health.reason.contains(words), "{health:?}");
    }
}

/// An SMSC that can be reached, or none.
#[derive(Clone)]
struct Place(Option<std::net::SocketAddr>);

impl smpp_transport::driver::Connect for Place {
    type Stream = tokio::net::TcpStream;

    async fn connect(&mut self) -> std::io::Result<tokio::net::TcpStream> {
        match self.0 {
            Some(address) => tokio::net::TcpStream::connect(address).await,
            None => Err(std::io::ErrorKind::ConnectionRefused.into()),
        }
    }
}

/// Starts a process of the transport on this queue; it ends when the sender is dropped.
fn process(world: &Applications, seed: u64, place: Place) -> tokio::sync::oneshot::Sender<()> {
    use smpp_transport::driver::ClientConfig;
    use smpp_transport::env::SystemClock;
    use smpp_transport::service::{Link, Service, ServiceConfig};
    use smpp_transport::session::BindKind;
    use smpp_transport::store::{self, Store, StoreLimits};
    let bus = connect(AmqpConfig { prefetch: 10, ..world.config() });
    let config = ServiceConfig {
        transport_name: world.name.clone(),
        messages_max: 10,
        unbound_grace: Some(Duration::from_secs(1)),
        shutdown_timeout: Duration::from_secs(1),
        ..ServiceConfig::default()
    };
    let store = Store::Memory(store::Memory::new(StoreLimits::default()));
    let service = Service::new(config, bus, store, std::sync::Arc::new(SystemClock), Seed(seed));
    let client = ClientConfig::new(BindKind::Transceiver, "smppclient1".parse().unwrap(), "password".parse().unwrap());
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    tokio::spawn(async move { service.run([(Link::new("trx", client), place)], async { drop(stopped.await) }).await });
    stop
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_processes_on_one_queue_the_one_with_an_smsc_sends_all() {
    let Some(world) = shared() else { return };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let place = Place(Some(listener.local_addr().unwrap()));
    let clock = std::sync::Arc::new(smpp_transport::env::SystemClock);
    let smsc = smsc_sim::Control::new(smsc_sim::Config::default(), clock).unwrap();
    let dying = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent = Place(Some(dying.local_addr().unwrap()));
    let serving = tokio::spawn(smsc_sim::serve(listener, smsc.clone()));
    // One never has an SMSC; another loses it with messages in flight.
    let _dead = process(&world, 1, Place(None));
    let rules = smsc_sim::rules::parse("[{ when: { operation: submit_sm }, then: { answer: never } }]").unwrap();
    let config = smsc_sim::Config { rules, ..smsc_sim::Config::default() };
    let clock = std::sync::Arc::new(smpp_transport::env::SystemClock);
    let broken = smsc_sim::Control::new(config, clock).unwrap();
    let dies = tokio::spawn(smsc_sim::serve(dying, broken.clone()));
    let _dying = process(&world, 2, silent);
    until("it is bound", async || !broken.sessions().is_empty()).await;
    let count = 30;
    for number in 0..count {
        let body = serde_json::json!({"to_addr": "27820001001", "from_addr": "1001", "content": "hi",
            "message_id": format!("m{number}"), "transport_name": world.name, "transport_type": "sms"});
        world.put(&body.to_string()).await;
    }
    until("it has some", async || world.waiting().await == count - 10).await;
    let _living = process(&world, 3, place);
    until("it has sent what nobody holds", async || world.waiting().await == 0).await;
    dies.abort();
    for session in broken.sessions() {
        broken.act(session.id, serde_json::from_value(serde_json::json!({"disconnect": "reset"})).unwrap()).unwrap();
    }
    until("all are sent", async || smsc.messages(&smsc_sim::Filter::default()).len() >= count).await;
    let mut acked = BTreeSet::new();
    until("all are acknowledged", async || {
        let events = world.published(Route::Event).await;
        let ids = events
            .iter()
            .map(|body| serde_json::from_slice::<serde_json::Value>(body).unwrap()["user_message_id"].to_string());
        acked.extend(ids);
        acked.len() == count
    })
    .await;
    assert_eq!(smsc.messages(&smsc_sim::Filter::default()).len(), count, "each once by the one that lives");
    serving.abort();
}
