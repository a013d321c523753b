//! The one place that decides whether a part is sent again, and after which pause. Every resend waits and is counted.

use std::time::Duration;

use super::config::{FullScope, OnUnknown, QueueConfig, QueueFull, Throttle, wait};
use crate::outbound::words;
use crate::pdu::CommandStatus;

/// Shortest pause before a resend, whatever is configured; also the pause after a submit that never left.
pub(super) const PAUSE_MIN: Duration = Duration::from_millis(10);

/// Result of one submit.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Answer {
    /// The SMSC has accepted the part.
    Accepted,
    /// The SMSC has refused the part.
    Refused(CommandStatus),
    /// Whether the SMSC has the part is unknown.
    Unknown(Doubt),
    /// The part never left this process.
    NotSent,
}

/// Reason why an outcome is unknown.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Doubt {
    /// No response within the response timeout.
    Timeout,
    /// The session ended with unbind before the response.
    Unbound,
    /// The session broke before the response: perhaps because of this message.
    Broken,
}

/// Reason for a resend.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Cause {
    /// The SMSC throttles.
    Throttled,
    /// The destination's queue at the SMSC is full.
    QueueFull,
    /// The status is to be retried.
    Refused,
    /// The outcome is unknown.
    Unknown(Doubt),
    /// The part never left.
    NotSent,
}

impl Cause {
    /// Name for logs and metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Cause::Throttled => "throttled",
            Cause::QueueFull => "queue_full",
            Cause::Refused => "refused",
            Cause::Unknown(Doubt::Timeout) => "timeout",
            Cause::Unknown(Doubt::Unbound) => "unbound",
            Cause::Unknown(Doubt::Broken) => "session_lost",
            Cause::NotSent => "not_sent",
        }
    }
}

/// Failed tries of one part.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Tries {
    /// Refusals that were retried.
    pub(super) refused: u32,
    /// Refusals that throttled.
    pub(super) throttled: u32,
    /// Submits of unknown outcome.
    pub(super) unknown: u32,
    /// Submits of unknown outcome because the session broke.
    pub(super) broken: u32,
}

/// Decision about one part.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Decision {
    Done,
    /// To be sent again after a pause.
    Again(Cause, Duration),
    /// The message is refused, in words.
    GiveUp(String),
}

/// Effect of a refusal on messages other than the refused one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Scope {
    Message,
    Destination,
    All,
}

impl QueueConfig {
    /// Messages that a refusal with this status delays.
    pub(super) fn scope(&self, status: CommandStatus) -> Scope {
        let is_full = self.queue_full.statuses.contains(&status);
        match self.queue_full.scope {
            _ if self.throttle.statuses.contains(&status) => Scope::All,
            FullScope::Link if is_full => Scope::All,
            FullScope::Destination if is_full => Scope::Destination,
            _ => Scope::Message,
        }
    }
}

/// Decides about a part after an answer. `full` counts the queue-full refusals of its destination in a row, before this one;
/// `age` is the time since the first failure of the message.
pub(super) fn decide(config: &QueueConfig, tries: &mut Tries, full: u32, age: Duration, answer: Answer) -> Decision {
    let is_too_old = age >= config.retry_max_age;
    match answer {
        Answer::Accepted => Decision::Done,
        Answer::NotSent => Decision::Again(Cause::NotSent, PAUSE_MIN),
        Answer::Refused(status) => {
            let refused = refused(config, tries, full, status);
            let again = refused.filter(|_| !is_too_old);
            again.map_or_else(|| Decision::GiveUp(words(status)), |(cause, pause)| Decision::Again(cause, pause))
        }
        Answer::Unknown(doubt) => {
            tries.unknown += 1;
            tries.broken += u32::from(doubt == Doubt::Broken);
            let is_last = tries.unknown >= config.resend.tries;
            if config.on_unknown == OnUnknown::Nack || is_last || is_too_old {
                return Decision::GiveUp(unknown(*tries, doubt));
            }
            let resend = config.resend;
            let pause = wait(resend.delay, resend.factor, resend.max, tries.unknown - 1);
            Decision::Again(Cause::Unknown(doubt), pause.max(PAUSE_MIN))
        }
    }
}

/// Returns the cause and the pause of a resend after a refusal, or `None` if the refusal is final. An entry in `retry` counts
/// the tries of its status, whatever else the status means.
fn refused(config: &QueueConfig, tries: &mut Tries, full: u32, status: CommandStatus) -> Option<(Cause, Duration)> {
    let scope = config.scope(status);
    if let Some(retry) = config.retry.get(&status) {
        let cause = if scope == Scope::All { Cause::Throttled } else { Cause::Refused };
        tries.refused += 1;
        return (tries.refused <= retry.count).then_some((cause, retry.delay.max(PAUSE_MIN)));
    }
    match scope {
        Scope::Message => None,
        // A part that is throttled again and again, while others are accepted, holds them up less and less often.
        Scope::All => {
            let Throttle { delay, factor, max, .. } = config.throttle;
            tries.throttled = tries.throttled.saturating_add(1);
            // A little longer than the pause of all, so that another part is the probe if there is one.
            let pause = wait(delay, factor, max, tries.throttled - 1).saturating_add(PAUSE_MIN);
            Some((Cause::Throttled, pause))
        }
        Scope::Destination => {
            let QueueFull { tries, delay, factor, max, .. } = config.queue_full;
            let pause = wait(delay, factor, max, full).max(PAUSE_MIN);
            (full.saturating_add(1) < tries).then_some((Cause::QueueFull, pause))
        }
    }
}

/// Reason of a nack for an unknown outcome.
fn unknown(tries: Tries, last: Doubt) -> String {
    let Tries { unknown, broken, .. } = tries;
    match last {
        _ if broken == unknown && unknown > 1 => {
            format!("outcome unknown: the session was lost {broken} times while this message was outstanding")
        }
        Doubt::Timeout if unknown > 1 => format!("outcome unknown after {unknown} tries: no response in time"),
        Doubt::Timeout => "outcome unknown: no response in time".to_owned(),
        _ if unknown > 1 => format!("outcome unknown after {unknown} tries: the session ended before the response"),
        _ => "outcome unknown: the session ended before the response".to_owned(),
    }
}
