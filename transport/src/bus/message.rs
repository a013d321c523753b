//! Messages and events as vumi2 writes them: JSON objects with every key present.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::pdu::time::Civil;

/// What `message_version` says.
const VERSION: &str = "20110921";

/// A message to or from a phone. The order of the fields is that of vumi2's JSON.
///
/// Read from JSON, only `to_addr` and `from_addr` must be there; unknown keys are ignored, as vumi2 does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// Who gets it.
    pub to_addr: String,
    /// Who sent it.
    pub from_addr: String,
    /// The transport that it goes, or came, through. Empty if the sender left it out.
    #[serde(default)]
    pub transport_name: String,
    /// `sms` or `ussd`; others are kept. `sms` if the sender left it out.
    #[serde(default = "sms")]
    pub transport_type: String,
    /// Of the format.
    #[serde(default = "version")]
    pub message_version: String,
    /// `user_message`.
    #[serde(default = "user_message")]
    pub message_type: String,
    /// When it was made, in UTC: `2026-11-22 17:58:56.000000`.
    #[serde(default)]
    pub timestamp: String,
    /// Passed on.
    #[serde(default, deserialize_with = "map_or_null")]
    pub routing_metadata: Map<String, Value>,
    /// Passed on.
    #[serde(default, deserialize_with = "map_or_null")]
    pub helper_metadata: Map<String, Value>,
    /// Its name, by which events speak of it. Empty if the sender left it out: then whoever reads it gives it one.
    #[serde(default)]
    pub message_id: String,
    /// The message that it answers.
    #[serde(default)]
    pub in_reply_to: Option<String>,
    /// Passed on.
    #[serde(default)]
    pub provider: Option<String>,
    /// Where in a USSD session it is.
    #[serde(default)]
    pub session_event: Option<SessionEvent>,
    /// The text; none is an empty one.
    #[serde(default)]
    pub content: Option<String>,
    /// Settings of this message for the transport, and what the transport adds.
    #[serde(default, deserialize_with = "map_or_null")]
    pub transport_metadata: Map<String, Value>,
    /// Passed on.
    #[serde(default)]
    pub group: Option<String>,
    /// Passed on.
    #[serde(default)]
    pub to_addr_type: Option<String>,
    /// Passed on.
    #[serde(default)]
    pub from_addr_type: Option<String>,
}

/// Where in a USSD session a message is.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SessionEvent {
    /// It begins one.
    New,
    /// It goes on with one.
    Resume,
    /// It ends one.
    Close,
}

/// What became of an outbound message. The order of the fields is that of vumi2's JSON.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// The message that it is about.
    pub user_message_id: String,
    /// What has happened.
    pub event_type: EventType,
    /// Of the format.
    pub message_version: String,
    /// `event`.
    pub message_type: String,
    /// When it happened, in UTC: `2026-11-22 17:58:56.265016`.
    pub timestamp: String,
    /// Empty.
    pub routing_metadata: Map<String, Value>,
    /// Empty.
    pub helper_metadata: Map<String, Value>,
    /// What the SMSC said: of a report, `smpp_delivery_status`.
    pub transport_metadata: Map<String, Value>,
    /// Its name.
    pub event_id: String,
    /// Of an ack and a nack, the message again.
    pub sent_message_id: Option<String>,
    /// Of a nack, why, in words.
    pub nack_reason: Option<String>,
    /// Of a report, what it says.
    pub delivery_status: Option<DeliveryStatus>,
}

/// What an event says.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventType {
    /// The SMSC has accepted the message.
    Ack,
    /// It has not, or it could not be sent.
    Nack,
    /// What the SMSC says later of a message that it has accepted.
    DeliveryReport,
}

/// What a delivery report says.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DeliveryStatus {
    /// Nothing final.
    Pending,
    /// It did not arrive, and will not.
    Failed,
    /// It arrived.
    Delivered,
}

/// When and by which name something new is: from the wall clock and a stream of chance.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Stamp {
    /// 32 hexadecimal digits.
    pub id: String,
    /// Since 1970-01-01 00:00 UTC.
    pub at: Duration,
}

impl Stamp {
    /// A stamp with an id drawn from `rng`: the form of a random UUID (RFC 9562 §5.4) without its hyphens, as vumi2's are.
    pub fn draw(rng: &mut impl rand::Rng, at: Duration) -> Stamp {
        use rand::RngExt as _;
        let drawn: u128 = rng.random();
        let id = drawn & !(0xF << 76) & !(0x3 << 62) | (0x4 << 76) | (0x2 << 62);
        Stamp { id: format!("{id:032x}"), at }
    }
}

/// Why octets are no message.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct MessageError {
    /// Its `message_id`, if that much could be read: whoever sent it can be told.
    pub message_id: Option<String>,
    /// What is wrong, and where.
    pub words: String,
}

impl fmt::Display for MessageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words)
    }
}

impl std::error::Error for MessageError {}

impl Message {
    /// Reads a message. One that has no id gets that of the stamp, one that has no time its time.
    ///
    /// # Errors
    /// When the octets are not JSON, no object, or a key is missing or of another type.
    pub fn read(body: &[u8], stamp: impl FnOnce() -> Stamp) -> Result<Message, MessageError> {
        match serde_json::from_slice::<Message>(body) {
            Ok(message) => Ok(message.completed(stamp)),
            Err(_) => Message::read_by_path(body).map(|message| message.completed(stamp)),
        }
    }

    /// Reads a message from a value: as [`read`](Message::read) does from its JSON.
    ///
    /// # Errors
    /// When the value is no object, or a key is missing or of another type.
    pub fn from_value(value: &Value, stamp: impl FnOnce() -> Stamp) -> Result<Message, MessageError> {
        match Message::deserialize(value) {
            Ok(message) => Ok(message.completed(stamp)),
            Err(_) => Message::read(&serde_json::to_vec(value).unwrap_or_default(), stamp),
        }
    }

    /// Reads a message slowly, to name the key in an error.
    fn read_by_path(body: &[u8]) -> Result<Message, MessageError> {
        let mut reader = serde_json::Deserializer::from_slice(body);
        let read: Result<Message, _> = serde_path_to_error::deserialize(&mut reader);
        match read.map(|message| reader.end().map(|()| message)) {
            Ok(Ok(message)) => Ok(message),
            Ok(Err(error)) => Err(refused(body, error.to_string())),
            Err(error) => {
                let path = error.path().to_string();
                let words = match path.as_str() {
                    "." => error.inner().to_string(),
                    path => format!("{path}: {}", error.inner()),
                };
                Err(refused(body, words))
            }
        }
    }

    fn completed(mut self, stamp: impl FnOnce() -> Stamp) -> Message {
        if self.message_id.is_empty() || self.timestamp.is_empty() {
            let Stamp { id, at } = stamp();
            if self.message_id.is_empty() {
                self.message_id = id;
            }
            if self.timestamp.is_empty() {
                self.timestamp = timestamp(at);
            }
        }
        self
    }

    /// A message from a phone.
    #[must_use]
    pub fn inbound(stamp: Stamp, transport_name: &str, from: String, to: String, content: String) -> Message {
        Message {
            to_addr: to,
            from_addr: from,
            transport_name: transport_name.to_owned(),
            transport_type: sms(),
            message_version: version(),
            message_type: user_message(),
            timestamp: timestamp(stamp.at),
            routing_metadata: Map::new(),
            helper_metadata: Map::new(),
            message_id: stamp.id,
            in_reply_to: None,
            provider: None,
            session_event: None,
            content: Some(content),
            transport_metadata: Map::new(),
            group: None,
            to_addr_type: None,
            from_addr_type: None,
        }
    }

    /// Its JSON.
    #[must_use]
    pub fn to_json(&self) -> Bytes {
        json(self)
    }
}

impl Event {
    /// The SMSC has accepted all of the message.
    #[must_use]
    pub fn ack(stamp: Stamp, message_id: &str) -> Event {
        Event { sent_message_id: Some(message_id.to_owned()), ..Event::new(stamp, message_id, EventType::Ack) }
    }

    /// The message was not accepted, for this reason.
    #[must_use]
    pub fn nack(stamp: Stamp, message_id: &str, reason: impl Into<String>) -> Event {
        let event = Event::new(stamp, message_id, EventType::Nack);
        Event { sent_message_id: Some(message_id.to_owned()), nack_reason: Some(reason.into()), ..event }
    }

    /// The SMSC reports on the message; `smpp_status` is its own word for it.
    #[must_use]
    pub fn delivery_report(stamp: Stamp, message_id: &str, status: DeliveryStatus, smpp_status: &str) -> Event {
        let mut event = Event::new(stamp, message_id, EventType::DeliveryReport);
        event.transport_metadata.insert("smpp_delivery_status".to_owned(), smpp_status.into());
        Event { delivery_status: Some(status), ..event }
    }

    fn new(stamp: Stamp, message_id: &str, event_type: EventType) -> Event {
        Event {
            user_message_id: message_id.to_owned(),
            event_type,
            message_version: version(),
            message_type: "event".to_owned(),
            timestamp: timestamp(stamp.at),
            routing_metadata: Map::new(),
            helper_metadata: Map::new(),
            transport_metadata: Map::new(),
            event_id: stamp.id,
            sent_message_id: None,
            nack_reason: None,
            delivery_status: None,
        }
    }

    /// Its JSON.
    #[must_use]
    pub fn to_json(&self) -> Bytes {
        json(self)
    }
}

/// A time as vumi2 writes it, in UTC.
#[must_use]
pub fn timestamp(unix: Duration) -> String {
    let civil = Civil::from_unix(i64::try_from(unix.as_secs()).unwrap_or(i64::MAX));
    let (year, month, day) = (civil.year(), civil.month(), civil.day());
    let (hour, minute, second) = (civil.hour(), civil.minute(), civil.second());
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}.{:06}", unix.subsec_micros())
}

fn json(value: &impl Serialize) -> Bytes {
    // Strings and maps with keys that are strings: nothing that JSON could not say.
    serde_json::to_vec(value).unwrap_or_default().into()
}

/// The words that are no message, and whose it would have been.
fn refused(body: &[u8], words: String) -> MessageError {
    let value: Value = serde_json::from_slice(body).unwrap_or_default();
    let message_id = value.get("message_id").and_then(Value::as_str).filter(|id| !id.is_empty());
    MessageError { message_id: message_id.map(str::to_owned), words }
}

fn map_or_null<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Map<String, Value>, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

fn sms() -> String {
    "sms".to_owned()
}

fn version() -> String {
    VERSION.to_owned()
}

fn user_message() -> String {
    "user_message".to_owned()
}

#[cfg(test)]
mod tests;
