//! The bus that is RabbitMQ: vumi2's exchange and queues, and a queue of our own for what was no message.
//!
//! ```text
//!   direct exchange "vumi" ──► {name}.outbound ──► Outbound
//!   Publisher ──► "vumi" ──► {name}.inbound, {name}.event, {name}.failed, and {name}.status if asked for
//! ```
//!
//! All of them are durable and declared here, on every connection, so that nothing is lost because nobody reads it yet;
//! vumi2's three have its arguments, which are none. Messages are persistent, and stored when the broker confirms them.
//! Any number may be on their way to it.
//!
//! The connection comes back by itself, for ever. What the broker had handed out is then handed out again by it, and what
//! becomes of the old deliveries is not told to it: at least once. What was published and not confirmed is published again,
//! as long as somebody waits for it: at least once too.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use lapin::uri::AMQPUri;

use super::{Bus, handles};
use crate::driver::Backoff;
use crate::env::Seed;

mod line;
mod overheard;
mod publishing;
mod settling;
mod task;

/// The exchange, as vumi2 names it.
const EXCHANGE: &str = "vumi";

/// Origin of the exchange and the queues.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Topology {
    /// Declared and bound by the transport on every connection, the queues with these arguments. Values that are whole numbers
    /// are sent as numbers, `true` and `false` as booleans, others as text.
    Declared(BTreeMap<String, String>),
    /// Made by the operator; a connection is refused while a queue is missing.
    Passive,
    /// Made by the operator, and not looked at.
    Given,
}

impl Default for Topology {
    fn default() -> Topology {
        Topology::Declared(BTreeMap::new())
    }
}

/// How a transport uses RabbitMQ.
#[derive(Clone, Debug)]
pub struct AmqpConfig {
    /// Where the broker is, and who asks.
    pub address: AmqpAddress,
    /// What the names of the queues begin with.
    pub transport_name: String,
    /// How many deliveries may be out at once, 1 to 65,535; 0 is taken as 1. Default 20, as vumi2's `worker_concurrency`.
    /// Half of what the SMSC's window takes slows the line down; twice is plenty.
    pub prefetch: u16,
    /// How the exchange and the queues come to be. Default: declared, without arguments.
    pub topology: Topology,
    /// Whether `{name}.status` is declared. What is published there without it is refused. Default false.
    pub has_status: bool,
    /// The queue where what was no message goes, and its routing key. Declared like the others: durable, without arguments.
    /// None is `{name}.failed`. Default none.
    pub reject_to: Option<String>,
    /// How long to wait between tries to connect. Default 1 s to 60 s.
    pub reconnect: Backoff,
    /// The longest silence of a broker that is there, in whole seconds, at most 65,535; 0 takes the broker's own. The lower of
    /// both counts. Default 60 s. A broker that has gone without a word is noticed after twice this.
    pub heartbeat: Duration,
    /// How long connecting, and each request of the broker's own, may take. Default 10 s.
    pub connection_timeout: Duration,
    /// How long the last words may take once all handles are dropped: acknowledgements, confirms, and the goodbye.
    /// Default 5 s.
    pub close_timeout: Duration,
    /// The chance in the waits between tries.
    pub seed: Seed,
}

impl AmqpConfig {
    /// The defaults, for a transport of this name.
    #[must_use]
    pub fn new(address: AmqpAddress, transport_name: impl Into<String>, seed: Seed) -> AmqpConfig {
        AmqpConfig {
            address,
            transport_name: transport_name.into(),
            topology: Topology::default(),
            prefetch: 20,
            has_status: false,
            reject_to: None,
            reconnect: Backoff::default(),
            heartbeat: Duration::from_secs(60),
            connection_timeout: Duration::from_secs(10),
            close_timeout: Duration::from_secs(5),
            seed,
        }
    }
}

impl AmqpConfig {
    /// The queue where what was no message goes.
    fn reject_queue(&self) -> String {
        self.reject_to.clone().unwrap_or_else(|| format!("{}.failed", self.transport_name))
    }
}

/// Where a broker is, and who asks it. Shown without the password.
#[derive(Clone, Eq, PartialEq)]
pub struct AmqpAddress(AMQPUri);

/// Why an `amqp_url` is none. The password is not in it.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "amqp_url: {0}; it is amqp://user:password@host:port/vhost, or amqps://…, and what is left out has its default"
)]
pub struct AmqpAddressError(String);

impl AmqpAddress {
    /// An address as a URL: `amqp://guest:guest@127.0.0.1:5672/vhost`, or `amqps://` for TLS with the machine's roots. A vhost
    /// that is left out, or empty, is `/`, as in vumi2.
    ///
    /// # Errors
    /// When it is no such URL.
    pub fn from_url(url: &str) -> Result<AmqpAddress, AmqpAddressError> {
        let mut uri: AMQPUri = url.parse().map_err(AmqpAddressError)?;
        if uri.vhost.is_empty() {
            uri.vhost = "/".to_owned();
        }
        Ok(AmqpAddress(uri))
    }

    /// An address in parts, without TLS. vumi2's defaults are 127.0.0.1, 5672, guest, guest, and `/`.
    #[must_use]
    pub fn from_parts(hostname: &str, port: u16, username: &str, password: &str, vhost: &str) -> AmqpAddress {
        let mut uri = AMQPUri { vhost: vhost.to_owned(), ..AMQPUri::default() };
        uri.authority.host = hostname.to_owned();
        uri.authority.port = port;
        uri.authority.userinfo.username = username.to_owned();
        uri.authority.userinfo.password = password.to_owned();
        AmqpAddress(uri)
    }
}

impl Default for AmqpAddress {
    fn default() -> AmqpAddress {
        AmqpAddress::from_parts("127.0.0.1", 5672, "guest", "guest", "/")
    }
}

impl fmt::Display for AmqpAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let AMQPUri { scheme, authority, vhost, .. } = &self.0;
        write!(f, "{scheme}://{}@{}:{}/{vhost}", authority.userinfo.username, authority.host, authority.port)
    }
}

impl fmt::Debug for AmqpAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AmqpAddress({self})")
    }
}

/// A bus over RabbitMQ, with its task, which connects at once and whenever the connection is lost. Must be called within a
/// tokio runtime. The task ends when all handles are dropped, at the latest [`AmqpConfig::close_timeout`] after.
///
/// A publication waits while the broker is away or has blocked its publishers; one whose caller has stopped waiting before it
/// was written, or written again, is dropped. [`PublishError::Refused`](super::PublishError::Refused) is what the broker
/// did not want, or could not put into a queue.
///
/// What is dead goes to `{name}.failed`, or as [`AmqpConfig::reject_to`] says, with its reason in the header `reason`, and is acknowledged once it is there.
#[must_use]
pub fn connect(config: AmqpConfig) -> Bus {
    let (bus, ends) = handles(usize::from(config.prefetch.max(1)));
    tokio::spawn(task::Task::new(config, ends).run());
    bus
}

#[cfg(test)]
mod tests;
