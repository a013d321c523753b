//! Sharing of the queue: while no transmitting link is bound, messages are left to other processes.
//!
//! ```text
//!              bound                      unbound for less than the grace
//!   Paused ───────────► Consuming ◄────────────────────────► Waiting
//!      ▲                                                        │
//!      └──────────────── the grace is over: all is given back ◄─┘
//! ```

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use tokio::time::Instant;

use crate::outbound::Tried;

/// Consumption of outbound messages, as far as it depends on the links.
#[derive(Debug)]
pub(super) struct Sharing {
    /// Time without a bound link after which messages are given back; `None` keeps them.
    grace: Option<Duration>,
    state: State,
    handed_over: HandedOver,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum State {
    Consuming,
    /// No link is bound since then.
    Waiting(Instant),
    Paused,
}

/// Most messages that are remembered as left to other processes; the oldest are forgotten first.
const HANDED_OVER_MAX: usize = 10_000;

/// Messages that were submitted here and left to other processes, with the counts of their tries.
#[derive(Debug, Default)]
struct HandedOver {
    ids: BTreeMap<Box<str>, Tried>,
    order: VecDeque<Box<str>>,
}

impl HandedOver {
    fn insert(&mut self, message_id: &str, tried: Tried) {
        if self.ids.insert(message_id.into(), tried).is_none() {
            self.order.push_back(message_id.into());
        }
        if self.order.len() > HANDED_OVER_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.ids.remove(&oldest);
        }
    }
}

/// Change of the consumption that is due.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Change {
    /// Stop consuming, and give back messages that are not in flight.
    Pause,
    /// Consume again.
    Resume,
}

impl Sharing {
    /// Returns the state before the first bind: paused, unless messages are kept while unbound.
    pub(super) fn new(grace: Option<Duration>) -> Sharing {
        let state = if grace.is_some() { State::Paused } else { State::Consuming };
        Sharing { grace, state, handed_over: HandedOver::default() }
    }

    /// Returns `true` while messages are left to other processes.
    pub(super) fn is_paused(&self) -> bool {
        self.state == State::Paused
    }

    /// Returns `true` if a message may be left to other processes. One that was submitted, with an unknown outcome, is left to
    /// them once: a message at which sessions break, and that nobody else takes, is counted here until its tries are over.
    pub(super) fn may_leave(&self, message_id: &str, was_submitted: bool) -> bool {
        !was_submitted || !self.handed_over.ids.contains_key(message_id)
    }

    /// Notes that a message that was submitted is left to other processes.
    pub(super) fn leave(&mut self, message_id: &str, tried: Tried) {
        self.handed_over.insert(message_id, tried);
    }

    /// Returns the count of the tries of a message that was left to others and has come again: it goes on.
    pub(super) fn tried(&self, message_id: &str) -> Option<&Tried> {
        self.handed_over.ids.get(message_id)
    }

    /// Returns the end of the grace time, if it runs.
    pub(super) fn deadline(&self) -> Option<Instant> {
        match (self.state, self.grace) {
            (State::Waiting(since), Some(grace)) => since.checked_add(grace),
            _ => None,
        }
    }

    /// Notes whether a transmitting link is bound, and returns the change that is due.
    pub(super) fn observe(&mut self, now: Instant, is_bound: bool) -> Option<Change> {
        match (self.state, is_bound) {
            (State::Paused, true) => {
                self.state = State::Consuming;
                Some(Change::Resume)
            }
            (State::Waiting(_), true) => {
                self.state = State::Consuming;
                None
            }
            (State::Consuming, false) if self.grace.is_some() => {
                self.state = State::Waiting(now);
                self.pause_when_due(now)
            }
            (State::Waiting(_), false) => self.pause_when_due(now),
            (State::Consuming | State::Paused, _) => None,
        }
    }

    fn pause_when_due(&mut self, now: Instant) -> Option<Change> {
        self.deadline().filter(|deadline| *deadline <= now)?;
        self.state = State::Paused;
        Some(Change::Pause)
    }
}

#[cfg(test)]
mod tests {
    //! Guards when messages are given back, and when consumption resumes.

    use super::*;

    const GRACE: Duration = Duration::from_secs(5);

    #[test]
    fn nothing_is_consumed_before_the_first_bind() {
        let (mut sharing, now) = (Sharing::new(Some(GRACE)), Instant::now());
        assert!(sharing.is_paused());
        assert_eq!(sharing.observe(now, false), None);
        assert_eq!(sharing.deadline(), None);
        assert_eq!(sharing.observe(now, true), Some(Change::Resume));
        assert!(!sharing.is_paused());
    }

    #[test]
    fn messages_are_given_back_once_when_the_grace_is_over() {
        let (mut sharing, now) = (Sharing::new(Some(GRACE)), Instant::now());
        sharing.observe(now, true);
        assert_eq!(sharing.observe(now, false), None);
        assert_eq!(sharing.deadline(), Some(now + GRACE));
        assert_eq!(sharing.observe(now + GRACE / 2, false), None);
        assert_eq!(sharing.observe(now + GRACE, false), Some(Change::Pause));
        assert_eq!(sharing.observe(now + GRACE, false), None);
        assert_eq!(sharing.deadline(), None);
        assert_eq!(sharing.observe(now + GRACE, true), Some(Change::Resume));
    }

    #[test]
    fn a_bind_within_the_grace_changes_nothing_and_the_grace_begins_anew() {
        let (mut sharing, now) = (Sharing::new(Some(GRACE)), Instant::now());
        sharing.observe(now, true);
        sharing.observe(now, false);
        assert_eq!(sharing.observe(now + GRACE / 2, true), None);
        assert_eq!(sharing.observe(now + GRACE * 2, false), None);
        assert_eq!(sharing.deadline(), Some(now + GRACE * 3));
    }

    #[test]
    fn without_a_grace_messages_are_kept() {
        let (mut sharing, now) = (Sharing::new(None), Instant::now());
        assert!(!sharing.is_paused());
        for is_bound in [false, true, false] {
            assert_eq!(sharing.observe(now + GRACE * 100, is_bound), None);
            assert_eq!(sharing.deadline(), None);
        }
    }

    #[test]
    fn a_message_that_was_submitted_is_left_to_others_once() {
        let mut sharing = Sharing::new(Some(GRACE));
        assert!(sharing.may_leave("m", false) && sharing.may_leave("m", true));
        sharing.leave("m", Tried::default());
        assert!(sharing.may_leave("m", false) && !sharing.may_leave("m", true) && sharing.may_leave("n", true));
        (0..HANDED_OVER_MAX).for_each(|number| sharing.leave(&number.to_string(), Tried::default()));
        assert!(sharing.may_leave("m", true), "forgotten");
        assert_eq!(
            (sharing.handed_over.ids.len(), sharing.handed_over.order.len()),
            (HANDED_OVER_MAX, HANDED_OVER_MAX)
        );
    }

    #[test]
    fn a_grace_of_nothing_gives_back_at_once() {
        let (mut sharing, now) = (Sharing::new(Some(Duration::ZERO)), Instant::now());
        sharing.observe(now, true);
        assert_eq!(sharing.observe(now, false), Some(Change::Pause));
    }
}
