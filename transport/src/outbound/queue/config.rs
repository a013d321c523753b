//! Options of the queue.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::pdu::CommandStatus;

/// Policies of the queue: order, pace, and resends.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct QueueConfig {
    /// Order among messages. Default [`KeepOrder::PerDestination`].
    pub keep_order: KeepOrder,
    /// Policy for a part of unknown outcome. Default [`OnUnknown::Resend`].
    pub on_unknown: OnUnknown,
    /// Pauses and count of resends of a part of unknown outcome.
    pub resend: Resend,
    /// Statuses that slow the sending of all messages down.
    pub throttle: Throttle,
    /// Statuses that say that a destination's queue is full.
    pub queue_full: QueueFull,
    /// Refusals that are tried again.
    pub retry: BTreeMap<CommandStatus, Retry>,
    /// Longest time from the first failure of a message to its last resend. Default 20 min.
    pub retry_max_age: Duration,
    /// Most submits per second; `None` for no limit.
    pub rate: Option<Rate>,
    /// Highest age of a message at its first submit; `None` for no limit. Default none.
    pub message_max_age: Option<Duration>,
    /// Start of the validity period. Default [`Validity::FromSubmit`].
    pub validity: Validity,
}

impl Default for QueueConfig {
    fn default() -> QueueConfig {
        QueueConfig {
            keep_order: KeepOrder::default(),
            on_unknown: OnUnknown::default(),
            resend: Resend::default(),
            throttle: Throttle::default(),
            queue_full: QueueFull::default(),
            retry: BTreeMap::new(),
            retry_max_age: Duration::from_secs(20 * 60),
            rate: None,
            message_max_age: None,
            validity: Validity::default(),
        }
    }
}

/// Start of the validity period of a message.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Validity {
    /// Each submit gives the SMSC the whole period.
    #[default]
    FromSubmit,
    /// The period counts from when the bus accepted the message; each submit carries what is left of it.
    FromAcceptance,
}

/// Order among messages.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum KeepOrder {
    /// No order: a message that is sent again is overtaken, and any number to one destination may be outstanding.
    None,
    /// Messages to one destination, and their parts, go in the order in which they were added: one submit is outstanding for
    /// each destination.
    #[default]
    PerDestination,
    /// All messages go in the order in which they were added: one submit is outstanding.
    Strict,
}

/// Policy for a part of unknown outcome.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum OnUnknown {
    /// Sends it again: the subscriber may get it twice.
    #[default]
    Resend,
    /// Refuses the message: the subscriber may have it all the same.
    Nack,
}

/// Pauses and count of resends of a part of unknown outcome.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Resend {
    /// Most submits of a part that stays unknown, the first included; at least 1. Default 5.
    pub tries: u32,
    /// Pause before the first resend. Default 1 s.
    pub delay: Duration,
    /// Factor from each pause to the next; at least 1. Default 2.
    pub factor: f64,
    /// Longest pause. Default 60 s.
    pub max: Duration,
}

impl Default for Resend {
    fn default() -> Resend {
        Resend { tries: 5, delay: Duration::from_secs(1), factor: 2.0, max: Duration::from_secs(60) }
    }
}

/// Statuses that slow the sending of all messages down.
#[derive(Clone, Debug, PartialEq)]
pub struct Throttle {
    /// Default ESME_RTHROTTLED.
    pub statuses: BTreeSet<CommandStatus>,
    /// First pause. Default 100 ms.
    pub delay: Duration,
    /// Factor from each pause to the next, until something is accepted; at least 1. Default 2.
    pub factor: f64,
    /// Longest pause. Default 30 s.
    pub max: Duration,
    /// Whether the rate that the SMSC accepts is estimated and kept to. Default true.
    pub adapt: bool,
}

impl Default for Throttle {
    fn default() -> Throttle {
        Throttle {
            statuses: BTreeSet::from([CommandStatus::ESME_RTHROTTLED]),
            delay: Duration::from_millis(100),
            factor: 2.0,
            max: Duration::from_secs(30),
            adapt: true,
        }
    }
}

/// Statuses that say that a destination's queue is full, and the policy for them.
#[derive(Clone, Debug, PartialEq)]
pub struct QueueFull {
    /// Messages that are delayed. Default [`FullScope::Destination`].
    pub scope: FullScope,
    /// Default ESME_RMSGQFUL.
    pub statuses: BTreeSet<CommandStatus>,
    /// Refusals in a row of a destination after which a refused message ends; at least 1. Default 5.
    pub tries: u32,
    /// First pause. Default 1 s.
    pub delay: Duration,
    /// Factor from each pause to the next; at least 1. Default 2.
    pub factor: f64,
    /// Longest pause. Default 60 s.
    pub max: Duration,
}

impl Default for QueueFull {
    fn default() -> QueueFull {
        QueueFull {
            scope: FullScope::Destination,
            statuses: BTreeSet::from([CommandStatus::ESME_RMSGQFUL]),
            tries: 5,
            delay: Duration::from_secs(1),
            factor: 2.0,
            max: Duration::from_secs(60),
        }
    }
}

/// Messages that a full queue at the SMSC delays.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum FullScope {
    /// Messages to the same destination, a few times, until the message is refused.
    #[default]
    Destination,
    /// All messages, as [`Throttle`] says.
    Link,
}

/// Count and pause of the retries of one refusal.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Retry {
    /// Resends after the first submit.
    pub count: u32,
    /// Pause before each.
    pub delay: Duration,
}

/// Most submits per second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    /// Submits per second; more than 0, and less than 1 is one in more than a second.
    pub per_second: f64,
    /// Submits at once after a pause; at least 1.
    pub burst: f64,
}

/// Returns the pause number `nth`, counted from 0, of pauses that grow by a factor.
pub(super) fn wait(delay: Duration, factor: f64, max: Duration, nth: u32) -> Duration {
    let grown = delay.as_secs_f64() * factor.max(1.0).powi(i32::try_from(nth).unwrap_or(i32::MAX));
    Duration::try_from_secs_f64(grown).unwrap_or(Duration::MAX).min(max)
}
