//! Estimate of the SMSC's rate limit, learned from throttled answers.
//!
//! ```text
//!  rate
//!    │          ceiling reached again: throttled          not throttled: the limit was lifted
//!    │  ceiling ┬ ─ ─ ─ ─ ─ /| ─ ─ ─ ─ ─ ─/| ─ ─ ─ ─ ─ ─ ─ ─ ─ ─/
//!    │          |        /   |         /   |             /  faster each second
//!    │    floor ┴ ─ /─ ─ ─ ─ └─ ─ /─ ─ ─ ─ └─ ─ ─ /─
//!    └─────────────────────────────────────────────────────────────► accepted
//! ```
//!
//! The rate climbs from the floor to the ceiling over a number of accepted submits in proportion to the refusals of the last
//! episode, so that a small and bounded share of all submits is refused. Above the ceiling the climb becomes steeper every
//! second. A refusal takes the rate to just below where it was; a refusal at the floor shows that the floor is too high.

use std::time::Duration;

/// Share of the refused rate at which sending goes on.
const BACK: f64 = 0.96;
/// Accepted submits between two visits of the ceiling, for each refusal of the last episode.
const CLIMB: f64 = 60.0;
/// Shortest time between two visits of the ceiling, in seconds.
const CLIMB_SECONDS: f64 = 5.0;
/// Factors for a floor that was refused, the first time and each further time in a row.
const LOWER: [f64; 3] = [0.85, 0.7, 0.5];
/// Factor for a rate that was refused on the first half of the way to the ceiling.
const EARLY: f64 = 0.9;
/// Time after an episode, in seconds, within which another one shows that the rate is far too high.
const SHORT: f64 = 0.5;
/// Growth per second just above the ceiling, and while no ceiling is known.
const PROBE: f64 = 0.01;
const SEARCH: f64 = 0.08;
/// Most growth for one accepted submit.
const GROWTH_MAX: f64 = 0.1;
/// Longest stretch of time that one accepted submit lets the rate grow for.
const STEP_MAX: f64 = 0.25;
/// Time for which a late timer is made up for.
const LAG: Duration = Duration::from_millis(20);
/// Rate, in submits per second, beyond which there is no limit.
const RATE_MAX: f64 = 20_000.0;

/// Rate at which an SMSC that has throttled accepts submits.
#[derive(Debug)]
pub(super) struct Estimate {
    /// Submits per second.
    rate: f64,
    floor: f64,
    /// Rate at which the SMSC refused last; `None` while the limit is searched for.
    ceiling: Option<f64>,
    /// Growth for each accepted submit below the ceiling.
    step: f64,
    /// Time above the ceiling or in search, in seconds.
    probing: f64,
    /// Refusals of floors in a row.
    lowered: usize,
    /// When the rate grew last.
    grown: Duration,
    /// Submits accepted since the last episode.
    since_resumed: f64,
    /// Earliest time of the next submit.
    next: Duration,
    /// Whether the rate has held a submit back since it grew last.
    held: bool,
}

impl Estimate {
    /// Begins at a measured rate, which may be far too low or too high.
    pub(super) fn new(now: Duration, measured: f64) -> Estimate {
        let rate = (measured * BACK).min(RATE_MAX);
        Estimate {
            rate,
            floor: rate,
            ceiling: None,
            step: 0.0,
            probing: 0.0,
            lowered: 0,
            grown: now,
            since_resumed: 0.0,
            next: now,
            held: false,
        }
    }

    /// Shortest pause after a refusal: time for a sliding window at the SMSC to forget it.
    pub(super) fn pause(&self) -> Duration {
        Duration::from_secs_f64(1.5 / self.rate)
    }

    /// Earliest time of the next submit.
    pub(super) fn next(&self) -> Duration {
        self.next
    }

    /// Returns `true` if a submit may go now; remembers that one had to wait if not.
    pub(super) fn allows(&mut self, now: Duration) -> bool {
        let allows = self.next <= now;
        self.held |= !allows;
        allows
    }

    /// Notes a submit.
    pub(super) fn sent(&mut self, now: Duration) {
        self.next = self.next.max(now.saturating_sub(LAG)) + Duration::from_secs_f64(1.0 / self.rate);
    }

    /// Lowers the rate: an episode of throttling has begun. No pause between two submits becomes longer than `longest`.
    pub(super) fn throttled(&mut self, now: Duration, longest: Duration) {
        let is_far_off = self.rate <= self.floor * 1.001 || self.since_resumed < self.rate * SHORT;
        let is_early = self.ceiling.is_some_and(|ceiling| self.rate < (ceiling + self.floor) / 2.0);
        let factor = match is_far_off {
            true => LOWER[self.lowered.min(LOWER.len() - 1)],
            false if is_early => EARLY,
            false => BACK,
        };
        self.lowered = if is_far_off { self.lowered + 1 } else { 0 };
        self.ceiling = Some(self.rate);
        self.floor = (self.rate * factor).max(1.0 / longest.as_secs_f64());
        self.rate = self.floor;
        self.probing = 0.0;
        self.grown = now;
        self.held = false;
    }

    /// Ends an episode with so many refusals.
    pub(super) fn resumed(&mut self, now: Duration, refusals: u32) {
        let climb = (CLIMB * f64::from(refusals.max(1))).max(CLIMB_SECONDS * self.rate);
        self.step = self.ceiling.map_or(0.0, |ceiling| (ceiling - self.floor).max(0.0) / climb);
        self.grown = now;
        self.since_resumed = 0.0;
        self.next = now + Duration::from_secs_f64(1.0 / self.rate);
    }

    /// Raises the rate after an accepted submit, if the rate is what held submits back. Returns `false` once the limit is
    /// gone.
    pub(super) fn accepted(&mut self, now: Duration) -> bool {
        let passed = now.saturating_sub(self.grown).as_secs_f64().min((2.0 / self.rate).max(STEP_MAX));
        self.grown = now;
        self.since_resumed += 1.0;
        if !std::mem::take(&mut self.held) {
            return true;
        }
        match self.ceiling {
            Some(ceiling) if self.rate < ceiling => self.rate = (self.rate + self.step).min(ceiling),
            ceiling => {
                let first = if ceiling.is_some() { PROBE } else { SEARCH };
                self.probing += passed;
                let growth = (first * self.probing.exp2()).min(2.0);
                self.rate *= 1.0 + (growth * passed).min(GROWTH_MAX);
            }
        }
        self.rate < RATE_MAX
    }
}
