//! Events by the clock: when each falls due. Pure: times are arguments.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::time::Time;

/// Times at which a rule is followed on every session that meets it, without a request.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Clock {
    /// Time of the first event, above 0. Default: that of `every`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Time>,
    /// Time from one event to the next, at least 10 ms. Default: there is one event only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub every: Option<Time>,
    /// Moment from which both are counted.
    #[serde(skip_serializing_if = "Since::is_start")]
    pub since: Since,
}

/// Moment from which the times of a clock are counted.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Since {
    /// Start of the simulator, its last reset, or the last change of rules: the same for all sessions.
    #[default]
    Start,
    /// Bind of the session: each session has times of its own.
    Bind,
}

/// Least time between two events of one rule.
const EVERY_MIN: Duration = Duration::from_millis(10);

impl Clock {
    /// Time of the last event after `after`, up to and including `until`, where all are counted from `base`.
    pub(crate) fn last(self, base: Duration, after: Duration, until: Duration) -> Option<Duration> {
        let first = base.saturating_add(self.first()?);
        let last = match self.every {
            Some(every) if until >= first => first + times(every.0, passed(until - first, every.0)),
            _ => first,
        };
        (after < last && last <= until).then_some(last)
    }

    /// Time of the first event after `after`.
    pub(crate) fn next(self, base: Duration, after: Duration) -> Option<Duration> {
        let first = base.saturating_add(self.first()?);
        if after < first {
            return Some(first);
        }
        let every = self.every?.0;
        Some(first + times(every, passed(after - first, every) + 1))
    }

    fn first(self) -> Option<Duration> {
        self.at.or(self.every).map(|time| time.0)
    }

    pub(super) fn validate(self) -> Result<(), String> {
        if self.at.is_none() && self.every.is_none() {
            return Err("when.clock is empty: at, every, or both are expected".to_owned());
        }
        if self.at.is_some_and(|at| at.0.is_zero()) {
            return Err("when.clock.at is 0: a time above 0 is allowed".to_owned());
        }
        match self.every {
            Some(every) if every.0 < EVERY_MIN => Err(format!("when.clock.every is {every}: 10ms or more is allowed")),
            _ => Ok(()),
        }
    }
}

impl Since {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands it over so")]
    fn is_start(&self) -> bool {
        *self == Since::Start
    }
}

/// Number of whole intervals in a time.
fn passed(time: Duration, every: Duration) -> u64 {
    u64::try_from(time.as_nanos() / every.as_nanos().max(1)).unwrap_or(u64::MAX)
}

fn times(every: Duration, count: u64) -> Duration {
    let nanos = every.as_nanos().saturating_mul(u128::from(count));
    u64::try_from(nanos).map_or(Duration::MAX / 4, Duration::from_nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn clock(at: Option<u64>, every: Option<u64>) -> Clock {
        let time = |seconds| Time(s(seconds));
        Clock { at: at.map(time), every: every.map(time), since: Since::Start }
    }

    #[test]
    fn events_come_once_or_at_an_interval() {
        for (clock, events) in [
            (clock(Some(5), None), vec![105]),
            (clock(None, Some(30)), vec![130, 160, 190]),
            (clock(Some(5), Some(30)), vec![105, 135, 165, 195]),
        ] {
            let base = s(100);
            let mut seen = Vec::new();
            let mut now = s(0);
            while let Some(next) = clock.next(base, now).filter(|next| *next <= s(200)) {
                assert_eq!(clock.last(base, now, next), Some(next));
                assert_eq!(clock.last(base, next, next), None, "an event is not met twice");
                now = next;
                seen.push(next.as_secs());
            }
            assert_eq!(seen, events, "{clock:?}");
        }
    }

    #[test]
    fn of_several_that_are_late_the_last_counts() {
        assert_eq!(clock(None, Some(10)).last(s(0), s(5), s(45)), Some(s(40)));
        assert_eq!(clock(Some(10), None).last(s(0), s(5), s(45)), Some(s(10)));
        assert_eq!(clock(Some(10), None).last(s(0), s(10), s(45)), None);
        assert_eq!(clock(None, Some(10)).last(s(0), s(40), s(45)), None);
    }

    #[test]
    fn clocks_without_times_are_refused() {
        assert!(clock(None, None).validate().is_err());
        assert!(clock(Some(0), None).validate().is_err());
        assert!(clock(None, Some(0)).validate().is_err());
        assert!(clock(Some(1), Some(1)).validate().is_ok());
        assert!(Clock { every: Some(Time::ms(9)), ..Clock::default() }.validate().is_err());
    }
}
