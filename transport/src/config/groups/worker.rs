//! What every vumi2 worker has: a name, a bus, logs, HTTP, middlewares.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use crate::config::kind::{
    at_most, flag, list, map, named, names, never_or, number, or_never, path, secret, secret_url, text, time,
};
use crate::config::option::{Nested, options};
use crate::config::record::record;
use crate::config::secret::Secret;
use crate::config::word::{self, Level, Listen};

/// Which bus.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Bus {
    /// A durable queue in a folder, spoken to over HTTP.
    Embedded,
    /// RabbitMQ, with vumi2's names.
    Amqp,
}

options! {
    /// The worker: its name, its logs, its end.
    pub struct Worker {
        /// The name of this transport. On AMQP its queues are called so: `NAME.outbound` is consumed, `NAME.inbound` and
        /// `NAME.event` are published to. Messages carry it too.
        transport_name: String = "smpp".to_owned(), text(1..=200);
        /// How many messages are worked on at once. The bus hands out no more than this, unless `amqp_prefetch` is given; how
        /// many of them wait for the SMSC at once is `smpp_window`, by default the same number.
        worker_concurrency: u16 = 20, number(1..=10_000);
        /// What to log: this, and what is worse. DEBUG shows message ids; texts and numbers of people only with `pdu_log`.
        /// Python's names are read: CRITICAL is ERROR here, NOTSET is TRACE.
        log_level: Level = Level::Info, word::level();
        /// Where to report errors: the DSN of a project in Sentry. Each line of the log at level ERROR is an event there, without
        /// the secrets of this configuration, and without numbers of seven digits and more, which may be somebody's. Over
        /// `https` the server's certificate must be one of those that browsers take.
        sentry_dsn: Option<Secret> = None, secret_url(&["https", "http"]).optional();
        /// Where to serve `/health`, `/ready` and `/metrics`, and with the embedded bus its messages too. Nothing serves no
        /// HTTP. With AMQP and none given there is none, as in vumi2. It has no password and no TLS: on other addresses than
        /// 127.0.0.1, put a proxy before it.
        http_bind: Option<Listen> = Some(Listen::Tcp("127.0.0.1:8080".to_owned())), word::listen().optional();
        /// What messages and events pass on their way, in this order. Each is a map: `class_path` and the options below.
        middlewares: Vec<Middleware> = Vec::new(), at_most(100, list(record(&["class_path"])));
        /// From which all chance is drawn: message ids, jitter. None takes one from the system; either way the log names it.
        /// For tests: two processes with the same seed make the same ids.
        seed: Option<u64> = None, number(0..=u64::MAX).optional();
        /// How long to wait, when told to stop, for answers that are outstanding. What is not answered then is given back to
        /// the bus.
        shutdown_timeout: Duration = Duration::from_secs(20), time(Duration::ZERO, Duration::from_secs(3_600));
        /// Whether to publish changes of state of the links (connecting, bound, stopped) and of throttling (throttled, unthrottled):
        /// on AMQP to `NAME.status`, with the embedded bus to `GET /statuses`. Each is a JSON object with `component` (the link),
        /// `type` (the state), `status` (`ok`, `degraded` or `down`), `message` and `timestamp`.
        status_events: bool = false, flag();
        /// Whether to keep `ack` and `nack` events to oneself, for applications that cannot take them. Failures are then seen
        /// in the log only.
        disable_ack: bool = false, flag();
        /// Whether to keep delivery reports to oneself, for applications that cannot take them.
        disable_delivery_report: bool = false, flag();
    }
}

/// What a middleware does.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum MiddlewareClass {
    /// Logs each message and event.
    Logging,
    /// Writes other letters with those of ASCII: `é` becomes `e`.
    Unidecoder,
}

options! {
    /// One of `middlewares`.
    pub struct Middleware {
        /// Which. It must be given.
        class_path: MiddlewareClass = MiddlewareClass::Logging, names(&[
            ("logging", MiddlewareClass::Logging),
            ("vumi2.middlewares.logging.LoggingMiddleware", MiddlewareClass::Logging),
            ("unidecoder", MiddlewareClass::Unidecoder),
            ("vumi2.middlewares.unidecoder.Unidecoder", MiddlewareClass::Unidecoder),
        ]);
        /// For which connectors: this transport has one, which is called as `transport_name` says. None given is all of them;
        /// vumi2 has no such default.
        enable_for_connectors: Option<Vec<String>> = None, list(text(1..=200)).optional();
        /// Whether messages from the SMSC pass.
        inbound_enabled: bool = false, flag();
        /// Whether messages to the SMSC pass.
        outbound_enabled: bool = false, flag();
        /// Whether events pass.
        event_enabled: bool = false, flag();
        /// For `logging`: at which level. The line has the whole message: numbers and text.
        log_level: Level = Level::Info, word::level();
        /// For `logging`: under which name.
        logger_name: String = "vumi2.middlewares.logging".to_owned(), text(1..=200);
    }
}

options! {
    /// The bus: where messages come from and go to.
    pub struct BusOptions {
        /// Which bus. If none is given: `amqp` when any `amqp` option is given or the file was named by `VUMI_CONFIG_FILE`, else
        /// `embedded`. The first lines of the log say which, and why.
        bus: Bus = Bus::Embedded, names(&[("embedded", Bus::Embedded), ("amqp", Bus::Amqp)]);
        /// The broker, part by part.
        amqp: Amqp = Amqp::default(), Nested;
        /// The broker, as a URL: `amqp://user:password@host:5672/vhost`, or `amqps://` for TLS. If given, host, port, user,
        /// password and virtual host under `amqp` do not count.
        amqp_url: Option<Secret> = None, secret_url(&["amqp", "amqps"]).optional();
        /// How many messages the broker hands out before one is acknowledged. None is what `worker_concurrency` says. More than
        /// the window keeps the line full; what is handed out is handed out again after a crash.
        amqp_prefetch: Option<u16> = None, number(1..=65_535).optional();
        /// How long messages are kept while no session is bound that could send them. After this time they are given back to the
        /// bus, where another process with the same queue takes them, and nothing is consumed until a session is bound again. Only
        /// messages of which the SMSC has some parts already are kept. With `never` messages stay with this process.
        unbound_grace: Option<Duration> = Some(Duration::from_secs(5)),
            or_never(time(Duration::ZERO, Duration::from_secs(3_600)));
        /// How long the bus may take to store a message from the SMSC. After it the SMSC is told `inbound.error_status`, and
        /// keeps the message.
        inbound_timeout: Duration = Duration::from_secs(30), time(Duration::from_millis(100), Duration::from_secs(3_600));
        /// The queue where outbound messages go that are none: text that is not JSON, or has no addresses. It is declared durable
        /// and without arguments, and bound to the exchange `vumi` by its name. None is `NAME.failed`.
        amqp_reject_to: Option<String> = None, text(1..=255).optional();
        /// How long the embedded bus remembers the `message_id` of messages that are posted with one. The same message posted again
        /// within this time is answered like the first, and sent once; another message with the same id is refused with 409. At
        /// most 100,000 are remembered, in memory.
        outbound_dedupe_window: Option<Duration> = Some(Duration::from_secs(3_600)),
            never_or(time(Duration::from_secs(1), Duration::from_secs(86_400)));
        /// The folder of the embedded bus and of the embedded store.
        data_dir: PathBuf = PathBuf::from("./smpp-transport-data"), path();
        /// How long the embedded bus keeps messages and events that may have been read.
        data_retention: Option<Duration> = Some(Duration::from_secs(7 * 86_400)),
            never_or(time(Duration::from_secs(60), Duration::from_secs(365 * 86_400)));
        /// How many octets of messages may wait in the embedded bus to be sent. Beyond it `POST /outbound` is refused with 507.
        /// What comes from the SMSC is still taken: `data_retention` bounds that.
        data_octets_max: u64 = 1 << 30, number(1 << 20..=1 << 50);
    }
}

/// How queues come to be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Declare {
    /// Declared and bound on every connection.
    Active,
    /// Looked at, and used as they are.
    Passive,
    /// Used without a look.
    None,
}

/// Type of a queue.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum QueueType {
    /// On one node of the broker.
    Classic,
    /// On several nodes of the broker.
    Quorum,
}

options! {
    /// The broker, part by part.
    pub struct Amqp {
        /// Its host name or address.
        hostname: String = "127.0.0.1".to_owned(), word::host();
        /// Its port. For TLS, which only `amqp_url` can ask for, it is 5671 with most brokers.
        port: u16 = 5672, number(1..=65_535);
        /// Our name with the broker.
        username: String = "guest".to_owned(), text(1..=255);
        /// Our password with the broker.
        password: Secret = Secret::new("guest"), secret(0..=255);
        /// Which of the broker's virtual hosts to use; `/` is the one that it begins with.
        vhost: String = "/".to_owned(), text(1..=255);
        /// How the exchange and the queues come to be: `active` declares them, `passive` uses those that the operator has made,
        /// whatever their type and arguments, and says so if one is missing; `none` asks for nothing, for a user without the
        /// right to configure. With the last two nothing is bound to the exchange either.
        declare: Declare = Declare::Active,
            names(&[("active", Declare::Active), ("passive", Declare::Passive), ("none", Declare::None)]);
        /// Type of the queues that are declared. None says nothing of it, as vumi2: the type is the default of the virtual host.
        queue_type: Option<QueueType> = None,
            names(&[("classic", QueueType::Classic), ("quorum", QueueType::Quorum)]).optional();
        /// Further arguments of the queues that are declared, such as `{x-message-ttl: 86400000}`. Numbers are whole; queues that
        /// exist already must have the same.
        queue_arguments: BTreeMap<String, String> = BTreeMap::new(), map(text(1..=128), text(0..=255));
    }
}

/// Which part of a PDU is logged.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum PduLog {
    /// None.
    Off,
    /// Command, status and sequence number.
    Headers,
    /// All but passwords: numbers and texts of people too.
    Full,
}

options! {
    /// What to look at when something goes wrong.
    pub struct Look {
        /// Whether to log each PDU, whatever `log_level` says: `headers` has no numbers and texts of people, `full` has. Passwords
        /// are in neither.
        pdu_log: PduLog = PduLog::Off,
            named(" (it has numbers and texts of people)", &[("off", PduLog::Off), ("headers", PduLog::Headers), ("full", PduLog::Full)]);
        /// How many PDUs of each session are remembered, to be logged when it breaks: at level INFO, with numbers and texts only
        /// if `pdu_log` is `full`. An unbind, ours or the SMSC's, is no break.
        pdu_log_ring: u16 = 0, number(0..=10_000);
        /// A file to write everything to that passes between us and the SMSC, for Wireshark, without the TLS around it. It is made
        /// anew at the start, for nobody else to read: the password of the bind is in it, and so are texts.
        capture: Option<PathBuf> = None, path().optional();
    }
}
