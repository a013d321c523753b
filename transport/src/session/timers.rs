//! The session's timers (§7.2): one deadline each. What happens when one fires is one `match` in `mod`.

use std::time::Duration;

/// Why the session wants to be woken.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Timer {
    /// Not bound yet: `session_init_timeout` after the start.
    SessionInit,
    /// Nothing heard for `enquire_link_interval`: ask.
    EnquireLink,
    /// Asked, and nothing heard for `enquire_link_timeout`: the line is dead.
    EnquireLinkAnswer,
    /// No message for `inactivity_timeout`: unbind.
    Inactivity,
    /// An unbind is under way for `unbind_timeout`: close.
    Unbind,
    /// A request of ours is not answered for `response_timeout`.
    Response,
}

/// The timers that are set, but for [`Timer::Response`], whose deadlines are in the window.
#[derive(Default)]
pub(super) struct Timers([Option<Duration>; 5]);

const ALL: [Timer; 5] =
    [Timer::SessionInit, Timer::EnquireLink, Timer::EnquireLinkAnswer, Timer::Inactivity, Timer::Unbind];

impl Timers {
    /// Sets the timer to `now + wait`, or off. A time beyond what can be counted is never reached.
    pub(super) fn start(&mut self, timer: Timer, now: Duration, wait: Option<Duration>) {
        self.0[timer as usize] = wait.map(|wait| now.saturating_add(wait));
    }

    pub(super) fn stop(&mut self, timer: Timer) {
        self.0[timer as usize] = None;
    }

    /// Brings the timer forward to `at`, if that is sooner.
    pub(super) fn not_after(&mut self, timer: Timer, at: Option<Duration>) {
        self.0[timer as usize] = self.0[timer as usize].into_iter().chain(at).min();
    }

    pub(super) fn clear(&mut self) {
        *self = Timers::default();
    }

    pub(super) fn at(&self, timer: Timer) -> Option<Duration> {
        self.0[timer as usize]
    }

    pub(super) fn is_set(&self, timer: Timer) -> bool {
        self.0[timer as usize].is_some()
    }

    /// Takes a timer that fires off the table. The window keeps the deadlines of [`Timer::Response`] itself.
    pub(super) fn fired(&mut self, timer: Timer) {
        if timer != Timer::Response {
            self.stop(timer);
        }
    }

    /// The earliest one; of several at the same instant the first in the order of [`Timer`].
    pub(super) fn next(&self) -> Option<(Duration, Timer)> {
        // A driver asks at every turn: a plain loop takes a quarter of the instructions of an iterator's minimum.
        let mut next: Option<(Duration, Timer)> = None;
        for timer in ALL {
            if let Some(at) = self.0[timer as usize]
                && next.is_none_or(|(earliest, _)| at < earliest)
            {
                next = Some((at, timer));
            }
        }
        next
    }
}
