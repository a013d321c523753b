//! What a session says, and what it is told with: events, outcomes, tickets, counters. Values only.

use std::time::Duration;

use super::BindKind;
use crate::pdu::{CommandId, DecodeError, Pdu};

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
pub enum Outcome {
    /// With its response, or with generic_nack.
    Answered(Pdu),
    /// With a response whose status is ESME_ROK and whose body cannot be read: the peer has acted on the request.
    Unreadable(DecodeError),
    /// Not answered within `response_timeout`: whether the peer has acted on it is unknown.
    Expired,
    /// The session ended first: whether the peer has acted on it is unknown.
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

impl std::fmt::Display for Why {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Why::Unbound => "we sent unbind",
            Why::PeerUnbound => "the peer sent unbind",
            Why::SessionInit => "no bind in time",
            Why::EnquireLink => "no answer to enquire_link",
            Why::UnbindTimeout => "no answer to unbind",
            Why::Malformed => "malformed PDU",
            Why::PeerClosed => "the peer closed the connection without unbind",
            Why::Broken => "connection error",
            Why::Dropped => "we closed the connection without unbind",
        })
    }
}

impl Why {
    /// All reasons.
    pub const ALL: [Why; 9] = [
        Why::Unbound,
        Why::PeerUnbound,
        Why::SessionInit,
        Why::EnquireLink,
        Why::UnbindTimeout,
        Why::Malformed,
        Why::PeerClosed,
        Why::Broken,
        Why::Dropped,
    ];

    /// Name of the reason in logs and metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Why::Unbound => "unbind_sent",
            Why::PeerUnbound => "unbind_received",
            Why::SessionInit => "bind_timeout",
            Why::EnquireLink => "enquire_link_timeout",
            Why::UnbindTimeout => "unbind_timeout",
            Why::Malformed => "framing_error",
            Why::PeerClosed => "connection_closed",
            Why::Broken => "connection_error",
            Why::Dropped => "hung_up",
        }
    }
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
    /// Requests of the peer whose command is unknown.
    pub unknown: u64,
    /// Answers to our enquire_links.
    pub enquire_links: u64,
    /// Time from the last answered enquire_link to its answer.
    pub enquire_link_time: Duration,
}
