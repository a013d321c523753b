//! What the simulator does to those who ask it something: one list of rules, of which the first that matches a request is
//! followed. Data: the same in YAML, over HTTP, in a test and in a simulation.
//!
//! ```yaml
//! rules:
//!   - name: the account is throttled above ten a second
//!     when: { account: smppclient1, operation: submit_sm, above_rate: 10 }
//!     then: { status: ESME_RTHROTTLED }
//!   - when: { to: "9$", chance: 0.5 }
//!     then: { policy: { outcome: UNDELIVERABLE, error: 9 }, delay: 100ms..2s }
//! ```
//!
//! `RULES.md` describes every key, with examples.
//!
//! All chance is drawn from the seed, by session and by the request's place in it, so that the same traffic meets the same
//! faults. Which one is followed is decided in `engine`.

mod asked;
mod check;
mod clock;
mod counts;
mod engine;
mod malformed;
mod read;
mod sets;
mod values;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use smpp_transport::pdu::CommandId;

pub(crate) use asked::{Asked, Fields, Party};
pub use clock::{Clock, Since};
pub(crate) use engine::{Decision, Engine};
pub use read::parse;
pub(crate) use read::{in_one_line, validate};
pub use sets::{RuleSet, SETS};
pub use values::{Amount, Between, Octet, TlvIs, TlvName};

use crate::mo::Mo;
use crate::policy::Policy;
use crate::time::{Delay, Time, as_text};
use crate::words::{AnyOf, Bind, Pattern, Status};

/// One rule.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Rule {
    /// For people, and in the log.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Which requests it is for. Default: all.
    pub when: When,
    /// What is done.
    pub then: Then,
}

/// Conditions of a rule: it is for the requests that meet all that is said here. Conditions that count (`above_rate` and what
/// follows it) see only those that no earlier rule has taken.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct When {
    /// system_id of the account; for a bind, that which is asked for.
    #[serde(skip_serializing_if = "AnyOf::is_any")]
    #[schema(schema_with = crate::schema::any_name)]
    pub account: AnyOf<String>,
    /// How the session is bound; for a bind, that which is asked for.
    #[serde(skip_serializing_if = "AnyOf::is_any")]
    #[schema(schema_with = crate::schema::any_bind)]
    pub bind: AnyOf<Bind>,
    /// Request. Default: the messages, which are submit_sm, submit_multi and data_sm.
    #[serde(skip_serializing_if = "AnyOf::is_any")]
    #[schema(schema_with = crate::schema::any_operation)]
    pub operation: AnyOf<Operation>,
    /// Regular expression that is found in the source address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Pattern>,
    /// Type of number of the source address.
    #[serde(skip_serializing_if = "AnyOf::is_any")]
    #[schema(schema_with = crate::schema::any_octet)]
    pub from_ton: AnyOf<Octet>,
    /// Numbering plan of the source address.
    #[serde(skip_serializing_if = "AnyOf::is_any")]
    #[schema(schema_with = crate::schema::any_octet)]
    pub from_npi: AnyOf<Octet>,
    /// Regular expression that is found in the destination address. Each destination of a submit_multi is asked for itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<Pattern>,
    /// Type of number of the destination address.
    #[serde(skip_serializing_if = "AnyOf::is_any")]
    #[schema(schema_with = crate::schema::any_octet)]
    pub to_ton: AnyOf<Octet>,
    /// Numbering plan of the destination address.
    #[serde(skip_serializing_if = "AnyOf::is_any")]
    #[schema(schema_with = crate::schema::any_octet)]
    pub to_npi: AnyOf<Octet>,
    /// Regular expression that is found in the text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<Pattern>,
    /// Octets of short_message or message_payload, header included: a number or a range.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub length: Option<Amount>,
    /// esm_class, or some of its bits: `0x40/0x40` is any with a user data header.
    #[serde(skip_serializing_if = "AnyOf::is_any")]
    #[schema(schema_with = crate::schema::any_octet)]
    pub esm_class: AnyOf<Octet>,
    /// data_coding, or some of its bits.
    #[serde(skip_serializing_if = "AnyOf::is_any")]
    #[schema(schema_with = crate::schema::any_octet)]
    pub data_coding: AnyOf<Octet>,
    /// registered_delivery, or some of its bits: `0x01/0x03` asks for a receipt whatever becomes of the message.
    #[serde(skip_serializing_if = "AnyOf::is_any")]
    #[schema(schema_with = crate::schema::any_octet)]
    pub registered_delivery: AnyOf<Octet>,
    /// Optional parameters by tag, each `present`, `absent`, octets (`0x0A0B`) or a text. All must be as they are said.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schema(value_type = BTreeMap<String, TlvIs>)]
    pub tlv: BTreeMap<TlvName, TlvIs>,
    /// Number of the part of a long message, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub part: Option<u8>,
    /// Number of parts that a part says its message has: `3`, `2..`; `1..` is any part, 0 is a message that is not a part.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parts: Option<Amount>,
    /// Time since the start, or the last reset, is in between: `10s..20s`, `10s..`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub between: Option<Between>,
    /// Time since the session was bound, or, before that, connected: `10m..`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_age: Option<Between>,
    /// Bound sessions of the account; for a bind, those before it: `2..`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sessions: Option<Amount>,
    /// Bound sessions of all accounts together; for a bind, those before it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sessions_total: Option<Amount>,
    /// Times at which the rule is followed on each bound session that meets the rest, without a request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clock: Option<Clock>,
    /// What `above_rate`, `above_pending`, `after`, `every` and `first` count for. Default: the first two for each account,
    /// the others over all sessions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per: Option<Per>,
    /// Rate above this many a second, of requests that meet what stands above, with a burst of as many as come in a tenth of a
    /// second, at least one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub above_rate: Option<f64>,
    /// More messages than this that have not ended: of the account, or to the destination.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub above_pending: Option<usize>,
    /// Skip the first N that meet all that stands above.
    #[serde(skip_serializing_if = "is_zero")]
    pub after: u64,
    /// Every nth of those that are left: 3 is the third, the sixth and so on. 0 and 1 are all.
    #[serde(skip_serializing_if = "is_zero")]
    pub every: u64,
    /// At most N of those that are left.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first: Option<u64>,
    /// By chance, 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chance: Option<f64>,
}

/// Scope of the counts of a rule. Of more than 100,000 accounts, destinations or sessions the rest count together.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = CountedPer)]
pub enum Per {
    /// Each account for itself.
    Account,
    /// Each session for itself.
    Session,
    /// Each destination address for itself.
    Destination,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands it over so")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// What can be asked.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// A connection, before anything is said on it: only `before`, `delay` and `answer: never` can be followed.
    Connect,
    /// Any of the three.
    Bind,
    /// A message.
    SubmitSm,
    /// A message to several.
    SubmitMulti,
    /// A message.
    DataSm,
    /// What has become of a message.
    QuerySm,
    /// To take a message back.
    CancelSm,
    /// To change a message.
    ReplaceSm,
    /// Whether the line is alive.
    EnquireLink,
    /// Anything else.
    Other,
}

impl Operation {
    /// What this request asks.
    #[must_use]
    pub const fn of(command: CommandId) -> Operation {
        match command {
            CommandId::BIND_TRANSMITTER | CommandId::BIND_RECEIVER | CommandId::BIND_TRANSCEIVER => Operation::Bind,
            CommandId::SUBMIT_SM => Operation::SubmitSm,
            CommandId::SUBMIT_MULTI => Operation::SubmitMulti,
            CommandId::DATA_SM => Operation::DataSm,
            CommandId::QUERY_SM => Operation::QuerySm,
            CommandId::CANCEL_SM => Operation::CancelSm,
            CommandId::REPLACE_SM => Operation::ReplaceSm,
            CommandId::ENQUIRE_LINK => Operation::EnquireLink,
            _ => Operation::Other,
        }
    }

    /// Whether it brings a message.
    #[must_use]
    pub const fn is_message(self) -> bool {
        matches!(self, Operation::SubmitSm | Operation::SubmitMulti | Operation::DataSm)
    }
}

/// What is done about a request.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Then {
    /// Refuse it with this status. Default: what is due by the standard.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
    /// How long the response takes. Different delays make responses overtake each other.
    #[serde(skip_serializing_if = "Delay::is_none")]
    pub delay: Delay,
    /// The response comes after so many responses to later requests; at the latest after a second.
    #[serde(skip_serializing_if = "is_zero")]
    pub behind: u64,
    /// How it is answered.
    #[serde(skip_serializing_if = "is_once")]
    pub answer: Answer,
    /// What is done before the response.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub before: Vec<Step>,
    /// What is done after the response.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<Step>,
    /// What becomes of the message, before what its account and the simulator say.
    #[serde(skip_serializing_if = "Policy::is_default")]
    pub policy: Policy,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands it over so")]
fn is_once(answer: &Answer) -> bool {
    *answer == Answer::Once
}

/// How a request is answered. Whatever the ESME hears of it, a message that is not refused is accepted.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// With its response.
    #[default]
    Once,
    /// With its response, two times.
    Twice,
    /// Never.
    Never,
    /// With generic_nack and the rule's status, ESME_RSYSERR without; the message is not accepted.
    Nack,
    /// With the response of another command, ESME_ROK; the message is accepted.
    WrongType,
    /// With its response under a number that nobody has used; the message is accepted.
    WrongNumber,
    /// With its response without a body.
    Bare,
    /// With its response and a body, also where an error needs none.
    WithBody,
}

/// One thing that is done to a session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// unbind is sent.
    Unbind,
    /// The connection is closed without a word.
    Disconnect(Cut),
    /// Nothing is read or written for so long, while the connection stays open. `forever` is until it is told otherwise.
    Silence(Silence),
    /// Nothing passes in one direction for a time, while the session goes on.
    Stall(Stall),
    /// From now on reads and writes are in small pieces.
    Pace(Pace),
    /// enquire_link is sent.
    EnquireLink,
    /// Octets, in hexadecimal, whatever they are.
    Raw(Hex),
    /// A PDU that is wrong in this way, under a number that nobody has used.
    Malformed(Malformed),
    /// A response to a number that nobody has used.
    UnknownResponse,
    /// enquire_link_resp with the number of the request; outside of an answer, with number 1.
    WrongResponse,
    /// generic_nack with this status and number 0.
    GenericNack(Status),
    /// A mobile-originated message, or many, to the session if it receives, else to another of its account. In a rule its
    /// `from`, `to` and `text` may repeat what the request says: `{text}`, `{from}`, `{to}`, `{account}`, and, after the
    /// response, `{message_id}`.
    Deliver(Box<Mo>),
    /// alert_notification: a subscriber can be reached again, or not (§4.12).
    Alert(Alert),
}

/// What an alert_notification says (§4.12.1).
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Alert {
    /// The subscriber, at most 64 characters.
    pub from: String,
    /// ms_availability_status (§5.3.2.30): 0 available, 1 denied, 2 unavailable. Default: it does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u8>,
}

/// How a connection is closed.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Cut {
    /// In order, with FIN.
    #[default]
    Close,
    /// With RST: what is on its way is lost.
    Reset,
}

/// For how long nothing is read or written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Silence {
    /// So long.
    For(Time),
    /// Until the session is told to do something else.
    Forever,
}

impl std::str::FromStr for Silence {
    type Err = String;
    fn from_str(text: &str) -> Result<Silence, String> {
        match text {
            "forever" => Ok(Silence::Forever),
            time => time.parse().map(Silence::For).map_err(|error| format!("{error}; or forever")),
        }
    }
}

impl std::fmt::Display for Silence {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Silence::Forever => f.write_str("forever"),
            Silence::For(time) => time.fmt(f),
        }
    }
}

/// Reads and writes in small pieces. 65,536 octets without a pause are full speed again, and end a stall too.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Pace {
    /// Octets of each, at most; at least 1.
    pub octets: usize,
    /// Wait after each.
    #[serde(default)]
    pub pause: Time,
    /// Direction. Default: both.
    #[serde(default, skip_serializing_if = "Direction::is_both")]
    pub of: Direction,
}

/// Direction of a connection, as the simulator sees it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Reads and writes.
    #[default]
    Both,
    /// Octets from the ESME.
    Reads,
    /// Octets to the ESME.
    Writes,
}

impl Direction {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands it over so")]
    fn is_both(&self) -> bool {
        *self == Direction::Both
    }

    pub(crate) const fn reads(self) -> bool {
        matches!(self, Direction::Both | Direction::Reads)
    }

    pub(crate) const fn writes(self) -> bool {
        matches!(self, Direction::Both | Direction::Writes)
    }
}

/// Directions in which nothing passes for a time, while the session goes on: its timers run, and the other direction passes.
/// A later stall or pace of the same direction ends it; `0` ends it at once.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Stall {
    /// Time in which nothing is read from the ESME.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reads: Option<Silence>,
    /// Time in which nothing is written to the ESME. Answers wait until it is over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub writes: Option<Silence>,
}

/// Octets as hexadecimal digits; white space between them is skipped.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Hex(pub Vec<u8>);

impl std::str::FromStr for Hex {
    type Err = String;
    fn from_str(text: &str) -> Result<Hex, String> {
        smpp_transport::pdu::json::from_hex(text).map(Hex)
    }
}

impl std::fmt::Display for Hex {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&smpp_transport::pdu::json::hex(&self.0))
    }
}

as_text!(Silence, Hex);

/// How a PDU is wrong. Each is a deliver_sm but for what is wrong with it.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Malformed {
    /// command_length 0.
    LengthZero,
    /// command_length 15.
    LengthShort,
    /// command_length 0xFFFFFFFF.
    LengthHuge,
    /// command_length one more than there are octets, so that the next PDU begins within this one.
    LengthOneMore,
    /// A command_id that nobody knows, as a request.
    UnknownCommand,
    /// The body ends in the middle of a field.
    CutBody,
    /// An address without its NUL.
    MissingNul,
    /// sm_length beyond the end.
    SmLength,
    /// An optional parameter that is longer than what is left.
    TlvOverrun,
    /// Three octets of an optional parameter.
    TlvCut,
    /// Both a short_message and a message_payload.
    TwoTexts,
    /// A user data header that is longer than the message.
    UdhOverrun,
    /// Sequence number 0.
    SequenceZero,
}

impl Malformed {
    /// All of them.
    pub const ALL: [Malformed; 13] = [
        Malformed::LengthZero,
        Malformed::LengthShort,
        Malformed::LengthHuge,
        Malformed::LengthOneMore,
        Malformed::UnknownCommand,
        Malformed::CutBody,
        Malformed::MissingNul,
        Malformed::SmLength,
        Malformed::TlvOverrun,
        Malformed::TlvCut,
        Malformed::TwoTexts,
        Malformed::UdhOverrun,
        Malformed::SequenceZero,
    ];
}

#[cfg(test)]
mod tests;
