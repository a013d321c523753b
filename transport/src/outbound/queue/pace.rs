//! Pace of all submits: the configured rate, the pauses that the SMSC asks for, and the rate that it has been seen to accept.
//!
//! ```text
//!            throttled                    pause over: one probe goes
//!   open ───────────────► paused ────────────────────────► half open ──► accepted: open, at the estimated rate
//!                           ▲                                  │
//!                           └────── throttled: longer ─────────┘
//! ```

use std::time::Duration;

use super::config::{QueueConfig, Rate, wait};
use super::estimate::Estimate;

/// Tolerance for what is earned in a time that was computed from the rate.
const ROUNDING: f64 = 1e-6;

/// Mark of a submit: episodes of throttling that had begun before it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Episode(u64);

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Gate {
    Open,
    /// Until the SMSC accepts something; with whether a probe is outstanding.
    Half {
        is_probing: bool,
    },
}

/// Pace of all submits.
#[derive(Debug)]
pub(super) struct Pace {
    /// Submits that may go now, and when that was true.
    allowance: (f64, Duration),
    gate: Gate,
    episode: u64,
    /// Pauses in this episode.
    pauses: u32,
    refusals: u32,
    paused_until: Option<Duration>,
    estimate: Option<Estimate>,
    recent: Recent,
}

impl Pace {
    pub(super) fn new(config: &QueueConfig) -> Pace {
        Pace {
            allowance: (burst(config.rate), Duration::ZERO),
            gate: Gate::Open,
            episode: 0,
            pauses: 0,
            refusals: 0,
            paused_until: None,
            estimate: None,
            recent: Recent::default(),
        }
    }

    /// Follows another configuration. A pause becomes no longer than the longest that is configured now.
    pub(super) fn follow(&mut self, now: Duration, old: &QueueConfig, new: &QueueConfig) {
        self.earn(now, old.rate);
        let left = if old.rate.is_some() { self.allowance.0 } else { burst(new.rate) };
        self.allowance = (left.min(burst(new.rate)), now);
        let longest = now.saturating_add(new.throttle.max);
        self.paused_until = self.paused_until.map(|until| until.min(longest));
        if !new.throttle.adapt {
            self.estimate = None;
        }
    }

    /// Returns `true` while nothing goes because the SMSC has throttled.
    pub(super) fn is_paused(&self, now: Duration) -> bool {
        self.paused_until.is_some_and(|until| until > now)
    }

    /// Returns `true` if a submit may go now. To be asked only while there is one that could.
    pub(super) fn allows(&mut self, now: Duration, rate: Option<Rate>) -> bool {
        self.earn(now, rate);
        let is_held = self.is_paused(now) || self.gate == Gate::Half { is_probing: true };
        if is_held || (rate.is_some() && self.allowance.0 < 1.0 - ROUNDING) {
            return false;
        }
        self.gate != Gate::Open || self.estimate.as_mut().is_none_or(|estimate| estimate.allows(now))
    }

    /// Earliest time at which a submit may go, if no answer is needed for that.
    pub(super) fn next(&self, rate: Option<Rate>) -> Option<Duration> {
        if self.gate == (Gate::Half { is_probing: true }) {
            return None;
        }
        let (left, at) = self.allowance;
        let earned = rate.filter(|_| left < 1.0 - ROUNDING).map(|rate| {
            let wait = Duration::try_from_secs_f64((1.0 - left) / rate.per_second).unwrap_or(Duration::MAX);
            at.saturating_add(wait)
        });
        let estimated = self.estimate.as_ref().filter(|_| self.gate == Gate::Open).map(Estimate::next);
        self.paused_until.max(earned).max(estimated)
    }

    /// Notes a submit.
    pub(super) fn sent(&mut self, now: Duration) -> Episode {
        self.allowance.0 -= 1.0;
        match &mut self.gate {
            Gate::Half { is_probing } => *is_probing = true,
            Gate::Open => {
                if let Some(estimate) = &mut self.estimate {
                    estimate.sent(now);
                }
            }
        }
        Episode(self.episode)
    }

    /// Notes that the SMSC has throttled: begins an episode, makes its pause longer, or counts what was sent before it.
    pub(super) fn throttled(&mut self, now: Duration, sent: Episode, config: &QueueConfig) {
        self.refusals += 1;
        if sent.0 < self.episode {
            return;
        }
        if self.gate == Gate::Open {
            self.episode += 1;
            (self.pauses, self.refusals) = (0, 1);
            match &mut self.estimate {
                Some(estimate) => estimate.throttled(now, config.throttle.max),
                None if config.throttle.adapt => {
                    self.estimate = Some(Estimate::new(now, self.recent.per_second(now)));
                }
                None => {}
            }
        }
        let throttle = &config.throttle;
        let pause = wait(throttle.delay, throttle.factor, throttle.max, self.pauses);
        let shortest = self.estimate.as_ref().map_or(Duration::ZERO, Estimate::pause);
        self.pauses = self.pauses.saturating_add(1);
        self.paused_until = Some(now.saturating_add(pause.max(shortest).min(throttle.max.max(pause))));
        self.gate = Gate::Half { is_probing: false };
    }

    /// Notes an answer that did not throttle.
    pub(super) fn answered(&mut self, now: Duration, sent: Episode, is_accepted: bool) {
        if is_accepted {
            self.recent.note(now);
        }
        let is_probe = sent.0 == self.episode && matches!(self.gate, Gate::Half { .. });
        if is_probe {
            self.gate = Gate::Open;
            if let Some(estimate) = &mut self.estimate {
                estimate.resumed(now, self.refusals);
            }
        } else if self.gate == Gate::Open
            && is_accepted
            && self.estimate.as_mut().is_some_and(|estimate| !estimate.accepted(now))
        {
            self.estimate = None;
        }
    }

    /// Notes the end of a submit that says nothing of the SMSC's limit: another probe may go.
    pub(super) fn unanswered(&mut self, sent: Episode) {
        if sent.0 == self.episode
            && let Gate::Half { is_probing } = &mut self.gate
        {
            *is_probing = false;
        }
    }

    fn earn(&mut self, now: Duration, rate: Option<Rate>) {
        let Some(Rate { per_second, .. }) = rate else { return };
        let (left, at) = self.allowance;
        let earned = now.saturating_sub(at).as_secs_f64() * per_second;
        self.allowance = ((left + earned).min(burst(rate)), now);
    }
}

fn burst(rate: Option<Rate>) -> f64 {
    rate.map_or(0.0, |rate| rate.burst.max(1.0))
}

/// Accepted submits of the last second, in tenths of it.
#[derive(Debug, Default)]
struct Recent {
    tenths: [u32; 10],
    at: u128,
}

impl Recent {
    fn turn(&mut self, now: Duration) {
        let at = now.as_millis() / 100;
        let passed = usize::try_from(at.saturating_sub(self.at)).unwrap_or(usize::MAX).min(self.tenths.len());
        self.tenths.rotate_left(passed);
        let kept = self.tenths.len() - passed;
        self.tenths[kept..].fill(0);
        self.at = at;
    }

    fn note(&mut self, now: Duration) {
        self.turn(now);
        self.tenths[9] = self.tenths[9].saturating_add(1);
    }

    fn per_second(&mut self, now: Duration) -> f64 {
        self.turn(now);
        f64::from(self.tenths.iter().sum::<u32>()).max(1.0)
    }
}
