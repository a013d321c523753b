//! An open connection to the broker, and the channel on it.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Poll, ready};
use std::time::Duration;

use futures_util::{FutureExt as _, Stream, StreamExt as _};
use lapin::message::Delivery;
use lapin::options::{
    BasicAckOptions, BasicCancelOptions, BasicConsumeOptions, BasicNackOptions, BasicQosOptions, ConfirmSelectOptions,
    ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions,
};
use lapin::types::{AMQPValue, FieldTable, ShortString};
use lapin::{Channel, Connection, ConnectionProperties, Consumer, Event, ExchangeKind};
use serde_json::Value;
use tokio::time::timeout;

use super::overheard::Ear;
use super::settling::Acks;
use super::{AmqpConfig, EXCHANGE, Topology};

/// Why a line is lost, in words.
pub(super) type Lost = Arc<str>;

/// A channel that is ready, and its connection.
pub(super) struct Line {
    pub(super) connection: Connection,
    pub(super) channel: Arc<Channel>,
    events: Pin<Box<dyn Stream<Item = Event> + Send>>,
    consumer: Option<Consumer>,
    /// Whether the broker takes no publications.
    pub(super) is_blocked: bool,
    limit: Duration,
}

/// Opens a connection. Given with what the broker says of itself.
pub(super) async fn connect(config: &AmqpConfig) -> Result<(Connection, Value), Lost> {
    let mut uri = config.address.0.clone();
    let heartbeat = u16::try_from(config.heartbeat.as_secs()).unwrap_or(u16::MAX);
    uri.query.heartbeat = Some(heartbeat);
    let name = format!("smpp-transport {}", config.transport_name);
    let properties = ConnectionProperties::default().with_connection_name(name.into());
    let ear = Ear::default();
    let asked = Connection::connect_uri_with_runtime(uri, properties, ear.runtime());
    let connection = within(config.connection_timeout, "connecting", asked).await?;
    Ok((connection, ear.leave()))
}

/// Waits for the broker's answer, not for ever.
async fn within<T>(limit: Duration, what: &str, asked: impl Future<Output = lapin::Result<T>>) -> Result<T, Lost> {
    match timeout(limit, asked).await {
        Ok(answer) => answer.map_err(|error| format!("{what}: {error}").into()),
        Err(_) => Err(format!("{what}: no answer within {limit:?}").into()),
    }
}

/// What the broker does.
#[expect(clippy::large_enum_variant, reason = "most are deliveries")]
pub(super) enum Heard {
    /// Something that is not about messages.
    Event(Event),
    /// A delivery, or why there are no more.
    Delivery(lapin::Result<Delivery>),
    /// It hands out no more, until it is asked again.
    Cancelled,
}

/// Makes the channel ready: exchange and queues, confirms, prefetch.
async fn declare(channel: &Channel, config: &AmqpConfig) -> Result<(), Lost> {
    let limit = config.connection_timeout;
    if let Topology::Declared(_) = config.topology {
        let durable = ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
        let asked = channel.exchange_declare(EXCHANGE.into(), ExchangeKind::Direct, durable, FieldTable::default());
        within(limit, "declaring the exchange vumi", asked).await?;
    }
    for end in ["outbound", "inbound", "event"].into_iter().chain(config.has_status.then_some("status")) {
        declare_queue(channel, config, &format!("{}.{end}", config.transport_name)).await?;
    }
    declare_queue(channel, config, &config.reject_queue()).await?;
    let asked = channel.confirm_select(ConfirmSelectOptions::default());
    within(limit, "asking for confirms", asked).await?;
    let asked = channel.basic_qos(config.prefetch.max(1), BasicQosOptions::default());
    within(limit, "setting the prefetch", asked).await
}

/// Declares a queue and binds it, or looks whether it is there, as the configuration says.
async fn declare_queue(channel: &Channel, config: &AmqpConfig, queue: &str) -> Result<(), Lost> {
    let limit = config.connection_timeout;
    let (passive, arguments) = match &config.topology {
        Topology::Declared(arguments) => (false, field_table(arguments)),
        Topology::Passive => (true, FieldTable::default()),
        Topology::Given => return Ok(()),
    };
    let options = QueueDeclareOptions { durable: true, passive, ..QueueDeclareOptions::default() };
    let asked = channel.queue_declare(queue.into(), options, arguments);
    within(limit, &format!("declaring the queue {queue}"), asked).await?;
    if passive {
        return Ok(());
    }
    let bind = QueueBindOptions::default();
    let asked = channel.queue_bind(queue.into(), EXCHANGE.into(), queue.into(), bind, FieldTable::default());
    within(limit, &format!("binding the queue {queue}"), asked).await
}

/// Returns arguments of a queue with the types that the broker expects.
fn field_table(arguments: &BTreeMap<String, String>) -> FieldTable {
    let mut table = FieldTable::default();
    for (name, value) in arguments {
        let value = match (value.parse::<i64>(), value.as_str()) {
            (Ok(number), _) => AMQPValue::LongLongInt(number),
            (Err(_), "true") => AMQPValue::Boolean(true),
            (Err(_), "false") => AMQPValue::Boolean(false),
            (Err(_), text) => AMQPValue::LongString(text.into()),
        };
        table.insert(name.as_str().into(), value);
    }
    table
}

impl Line {
    /// Opens a channel and declares everything on it.
    pub(super) async fn open(connection: Connection, config: &AmqpConfig) -> Result<Line, (Lost, Connection)> {
        // Before anything that could be told is asked for.
        let events = Box::pin(connection.events_listener());
        let channel = match within(config.connection_timeout, "opening a channel", connection.create_channel()).await {
            Ok(channel) => Arc::new(channel),
            Err(lost) => return Err((lost, connection)),
        };
        match declare(&channel, config).await {
            Ok(()) => {
                let is_blocked = connection.status().blocked();
                let limit = config.connection_timeout;
                Ok(Line { connection, channel, events, consumer: None, is_blocked, limit })
            }
            Err(lost) => Err((lost, connection)),
        }
    }

    /// Has deliveries come. Asked again when the broker has cancelled that: the queue may have to be declared again.
    pub(super) async fn consume(&mut self, config: &AmqpConfig) -> Result<(), Lost> {
        let queue = format!("{}.outbound", config.transport_name);
        declare_queue(&self.channel, config, &queue).await?;
        let options = BasicConsumeOptions::default();
        let asked = self.channel.basic_consume(queue.into(), ShortString::default(), options, FieldTable::default());
        self.consumer = Some(within(self.limit, "asking for messages", asked).await?);
        Ok(())
    }

    /// Returns `true` while the broker has a consumer of this channel.
    pub(super) fn is_consuming(&self) -> bool {
        self.consumer.is_some()
    }

    /// Drops the consumer that the broker has cancelled.
    pub(super) fn forget_consumer(&mut self) {
        self.consumer = None;
    }

    /// What the broker does next. Without `wants_more`, deliveries are left where they are.
    pub(super) async fn next(&mut self, wants_more: bool) -> Heard {
        poll_fn(|cx| {
            if let Poll::Ready(Some(event)) = self.events.poll_next_unpin(cx) {
                return Poll::Ready(Heard::Event(event));
            }
            let Some(consumer) = self.consumer.as_mut().filter(|_| wants_more) else { return Poll::Pending };
            let delivery = ready!(consumer.poll_next_unpin(cx));
            Poll::Ready(delivery.map_or(Heard::Cancelled, Heard::Delivery))
        })
        .await
    }

    /// Has no more deliveries come, and gives those that came and were not handed out.
    pub(super) async fn cancel(&mut self) -> Result<Vec<Delivery>, Lost> {
        let Some(mut consumer) = self.consumer.take() else { return Ok(Vec::new()) };
        let asked = self.channel.basic_cancel(consumer.tag(), BasicCancelOptions::default());
        within(self.limit, "asking for no more messages", asked).await?;
        let left = std::iter::from_fn(|| consumer.next().now_or_never().flatten());
        Ok(left.filter_map(Result::ok).collect())
    }

    /// Says that these are done with. What is said to a line that is lost is lost too: then they come again.
    pub(super) fn ack(&self, Acks { up_to, single }: Acks) {
        // They are in line to be written once they have been polled. Nothing answers them.
        if let Some(tag) = up_to {
            let _ = self.channel.basic_ack(tag, BasicAckOptions { multiple: true }).now_or_never();
        }
        for tag in single {
            let _ = self.channel.basic_ack(tag, BasicAckOptions::default()).now_or_never();
        }
    }

    /// Says that this is to come again.
    pub(super) fn give_back(&self, tag: u64) {
        let options = BasicNackOptions { requeue: true, ..BasicNackOptions::default() };
        let _ = self.channel.basic_nack(tag, options).now_or_never();
    }

    /// Says goodbye. What was in line is written before.
    pub(super) async fn close(self) -> lapin::Result<()> {
        self.channel.close(200, "OK".into()).await?;
        self.connection.close(200, "OK".into()).await
    }
}
