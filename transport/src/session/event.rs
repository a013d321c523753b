//! What a session says, and what it is told with: events, outcomes, tickets, counters. Values only.

use super::BindKind;
use crate::pdu::{CommandId, Pdu};

/// What the session has to say. The last one is always [`Event::Closed`].
#[derive(Debug)]
pub enum Event<T> {
    /// The session is bound.
    Bound(BindKind),
    /// The peer asks; answer with [`Session::respond`](super::Session::respond) or [`Session::refuse`](super::Session::refuse).
    Request(Ticket, Pdu),
    /// The peer tells what needs no answer: outbind, alert_notification. From a driver also a response that comes after its
    /// request has expired.
    Notice(Pdu),
    /// A request of ours has ended.
    Ended {
        /// What was given with the request.
        token: T,
        /// Its command.
        command: CommandId,
        /// Its sequence number.
        sequence: u32,
        /// How it ended.
        outcome: Outcome,
    },
    /// Nothing passes any more: send what is to be transmitted, then hang up.
    Closed(Why),
}

/// How a request of ours ended.
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "nearly every outcome is an answer, and is handed on at once")]
pub enum Outcome {
    /// With its response, or with generic_nack.
    Answered(Pdu),
    /// Not answered within `response_timeout`: whether the peer has acted on it is unknown.
    Expired,
    /// The line went first, or its response could not be read: whether the peer has acted on it is unknown.
    Lost(Why),
}

/// Why a session ended, or why a request was lost.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Why {
    /// We sent unbind.
    Unbound,
    /// The peer sent unbind.
    PeerUnbound,
    /// Not bound within `session_init_timeout`.
    SessionInit,
    /// No answer to enquire_link.
    EnquireLink,
    /// No answer to unbind.
    UnbindTimeout,
    /// The peer's octets cannot be trusted any more, or its response cannot be read.
    Malformed,
    /// The peer hung up without unbind.
    PeerClosed,
    /// Reading or writing failed.
    Broken,
    /// We hung up without unbind.
    Dropped,
}

/// The right to answer one request of the peer's, once.
#[derive(Debug)]
#[must_use = "the peer waits for an answer"]
pub struct Ticket {
    pub(super) command: CommandId,
    pub(super) sequence: u32,
}

impl Ticket {
    /// The command to answer.
    #[must_use]
    pub const fn command(&self) -> CommandId {
        self.command
    }

    /// The peer's sequence number.
    #[must_use]
    pub const fn sequence(&self) -> u32 {
        self.sequence
    }
}

/// Why a request of ours is not sent.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Refused {
    /// The command may not be sent by this role in this state.
    #[error("not allowed in this state of the session")]
    WrongState,
    /// As many are outstanding as may be.
    #[error("the window is full")]
    WindowFull,
    /// The session has ended or is about to.
    #[error("the session has ended")]
    Closed,
}

/// What has passed, for metrics: PDUs, but where it says otherwise.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Counters {
    /// Received, readable or not.
    pub received: u64,
    /// Handed out to be sent.
    pub transmitted: u64,
    /// Responses to a number that is not outstanding: late, doubled or invented.
    pub unexpected_responses: u64,
    /// Responses to an outstanding number that answer another command.
    pub mismatched_responses: u64,
    /// Received that could not be read.
    pub malformed: u64,
    /// Requests answered with an error by the session itself: unknown, illegal here, or beyond the inbound window.
    pub refused: u64,
    /// Requests of ours that expired.
    pub expired: u64,
}
