//! One message of the queue, with the state of each of its parts.

use std::time::Duration;

use super::config::{QueueConfig, Validity};
use super::lanes::LaneId;
use super::pace::Episode;
use super::resend::Tries;
use super::suspects::Suspicion;
use crate::pdu::time::{Period, SmppTime};
use crate::pdu::{COctets, Sm, Tlvs};

/// Time limits of a message, on the queue's clock.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Limits {
    /// Latest time of the first submit; `None` for no limit.
    pub(super) first_try_by: Option<Duration>,
    /// End of the validity; each submit carries what is left of it. `None` leaves the validity as it was given.
    pub(super) valid_until: Option<Duration>,
}

impl Limits {
    /// Limits of a message of this age, whose first part is `sm`.
    pub(super) fn new(config: &QueueConfig, now: Duration, age: Duration, sm: Option<&Sm>) -> Limits {
        let left = |time: Duration| now.saturating_add(time.saturating_sub(age));
        let sm = sm.filter(|_| config.validity == Validity::FromAcceptance);
        let period = sm.and_then(|sm| match SmppTime::parse(sm.validity_period.as_bytes()) {
            Ok(SmppTime::Relative(period)) => u64::try_from(period.after(0)).ok().map(Duration::from_secs),
            _ => None,
        });
        Limits { first_try_by: config.message_max_age.map(left), valid_until: period.map(left) }
    }

    /// Time at which a message ends that has not been sent.
    pub(super) fn end(self) -> Option<Duration> {
        match (self.first_try_by, self.valid_until) {
            (Some(first), Some(valid)) => Some(first.min(valid)),
            (first, valid) => first.or(valid),
        }
    }
}

/// State of a part.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum State {
    /// May go as soon as it is its turn.
    Ready,
    /// Waits until a time.
    Paused(Duration),
    Outstanding {
        link: u64,
        sent: Episode,
    },
    Accepted,
}

#[derive(Debug)]
pub(super) struct Part {
    pub(super) sm: Sm,
    pub(super) tlvs: Tlvs,
    pub(super) state: State,
    pub(super) tries: Tries,
}

/// A message that is not done. `T` is the owner's.
#[derive(Debug)]
pub(super) struct Message<T> {
    pub(super) token: T,
    pub(super) lane: LaneId,
    pub(super) parts: Vec<Part>,
    pub(super) outstanding: usize,
    /// Parts that have not been accepted.
    pub(super) left: usize,
    /// Link on which the parts go, while it is there.
    pub(super) link: Option<u64>,
    pub(super) failed_since: Option<Duration>,
    /// Reason, once a part has failed for good.
    pub(super) refused: Option<String>,
    pub(super) suspicion: Option<Suspicion>,
    pub(super) limits: Limits,
    /// Submits that are outstanding or may have reached the SMSC.
    pub(super) submits: usize,
    /// Time at which the message ends, as the queue has noted it.
    pub(super) deadline: Option<Duration>,
}

impl<T> Message<T> {
    pub(super) fn new(token: T, parts: Vec<(Sm, Tlvs)>, limits: Limits, lane: LaneId) -> Message<T> {
        let part = |(sm, tlvs)| Part { sm, tlvs, state: State::Ready, tries: Tries::default() };
        let parts: Vec<Part> = parts.into_iter().map(part).collect();
        Message {
            token,
            lane,
            outstanding: 0,
            left: parts.len(),
            parts,
            link: None,
            failed_since: None,
            refused: None,
            suspicion: None,
            limits,
            submits: 0,
            deadline: None,
        }
    }

    /// Time from which no part of the message is sent any more.
    pub(super) fn end(&self) -> Option<Duration> {
        if self.submits == 0 { self.limits.end() } else { self.limits.valid_until }
    }

    /// First part that may go; in order, no part goes before the one before it has been accepted.
    pub(super) fn next(&self, in_order: bool) -> Option<usize> {
        if self.refused.is_some() {
            return None;
        }
        let is_left = |part: &Part| if in_order { part.state != State::Accepted } else { part.state == State::Ready };
        let place = self.parts.iter().position(is_left)?;
        (self.parts[place].state == State::Ready).then_some(place)
    }

    /// Returns `true` if nothing of the message has been accepted or is outstanding.
    pub(super) fn is_untouched(&self) -> bool {
        self.outstanding == 0 && self.left == self.parts.len()
    }

    pub(super) fn is_done(&self) -> bool {
        self.outstanding == 0 && (self.left == 0 || self.refused.is_some())
    }
}

/// Validity period for what is left until a time.
pub(super) fn validity(now: Duration, until: Duration) -> Option<COctets<17>> {
    let left = until.saturating_sub(now);
    let seconds = left.as_secs() + u64::from(left.subsec_nanos() > 0);
    let period = Period::from_seconds(seconds).ok()?;
    SmppTime::Relative(period).to_string().parse().ok()
}
