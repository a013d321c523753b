//! How a session behaves: its waits and its limits.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::Role;
use crate::pdu::CommandStatus;

/// The highest sequence number (§5.1.4). After it comes 1.
pub const SEQUENCE_MAX: u32 = 0x7FFF_FFFF;

/// How a session behaves. Every wait and every number of outstanding requests has its bound here. A wait of
/// [`Duration::MAX`] never ends.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SessionConfig {
    /// How long after the start the session may be unbound, for either role. Default 30 s.
    pub session_init_timeout: Duration,
    /// After how much silence of the peer to send enquire_link; none never asks, and then a dead line is not noticed while
    /// nothing is sent. Default 55 s.
    pub enquire_link_interval: Option<Duration>,
    /// When enquire_link is sent. Default [`EnquireLinkWhen::Idle`].
    pub enquire_link_when: EnquireLinkWhen,
    /// Whether the session answers the peer's enquire_link itself. If not, it comes as an
    /// [`Event::Request`](super::Event::Request), to be answered or forgotten like any other: for simulators of peers that
    /// are slow or dead, since a real peer takes a session that does not answer for broken. Default true.
    pub answers_enquire_link: bool,
    /// How long to wait, once asked, for the answer or anything else from the peer; none is as long as for any answer. A dead
    /// line is found within this and the interval above. Default none.
    pub enquire_link_timeout: Option<Duration>,
    /// How long to wait for the answer to a request. Default 60 s.
    pub response_timeout: Duration,
    /// After how long without a PDU, either way, but for enquire_link and its answer, to unbind; none never does. Default
    /// none.
    pub inactivity_timeout: Option<Duration>,
    /// How long an unbind may take, ours or the peer's, before the line is closed without it. Default 5 s.
    pub unbind_timeout: Duration,
    /// Requests of ours that may be outstanding, at least 1. More than the SMSC serves end in timeouts and duplicates.
    /// Default 10.
    pub window: usize,
    /// Requests of the peer's that may be unanswered, at least 1; what comes beyond is answered with `busy_status`. Default
    /// 1,000.
    pub inbound_window: usize,
    /// What puts the peer off when its request cannot be taken now: ESME_RX_T_APPN for an ESME, so that the SMSC keeps the
    /// message; ESME_RTHROTTLED for an SMSC.
    pub busy_status: CommandStatus,
    /// The first sequence number, 1 to [`SEQUENCE_MAX`]. Default 1.
    pub sequence_start: u32,
    /// The numbers that the session counts round in: those that it does not share with another. It begins with
    /// `sequence_start` if that is among them. One that has not room for the window and three more is widened. Default 1 to
    /// [`SEQUENCE_MAX`] (§5.1.4).
    pub sequence_range: RangeInclusive<u32>,
}

/// Times at which a session sends enquire_link.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum EnquireLinkWhen {
    /// After an interval in which the peer said nothing.
    #[default]
    Idle,
    /// After each interval, whatever passes: for peers that close sessions without it.
    Always,
}

impl SessionConfig {
    /// How long a peer that was asked may say nothing.
    pub(super) fn silence_max(&self) -> Duration {
        self.enquire_link_timeout.unwrap_or(self.response_timeout)
    }

    /// The numbers to count round in: enough for all that may be outstanding.
    pub(super) fn numbers(&self) -> RangeInclusive<u32> {
        let needed = u32::try_from(self.window).unwrap_or(SEQUENCE_MAX).saturating_add(3);
        let first = (*self.sequence_range.start()).clamp(1, SEQUENCE_MAX);
        let last = (*self.sequence_range.end()).clamp(first, SEQUENCE_MAX);
        if last - first >= needed {
            return first..=last;
        }
        let last = first.saturating_add(needed).min(SEQUENCE_MAX);
        last.saturating_sub(needed).max(1).min(first)..=last
    }

    /// The defaults of this role.
    #[must_use]
    pub fn new(role: Role) -> SessionConfig {
        SessionConfig {
            session_init_timeout: Duration::from_secs(30),
            enquire_link_interval: Some(Duration::from_secs(55)),
            enquire_link_when: EnquireLinkWhen::Idle,
            answers_enquire_link: true,
            enquire_link_timeout: None,
            response_timeout: Duration::from_secs(60),
            inactivity_timeout: None,
            unbind_timeout: Duration::from_secs(5),
            window: 10,
            inbound_window: 1_000,
            busy_status: match role {
                Role::Esme => CommandStatus::ESME_RX_T_APPN,
                Role::Smsc => CommandStatus::ESME_RTHROTTLED,
            },
            sequence_start: 1,
            sequence_range: 1..=SEQUENCE_MAX,
        }
    }
}
