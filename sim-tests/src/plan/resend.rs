//! Resends: how often a transport submits a part again whose outcome is unknown, or whose destination's queue is full.

use std::time::Duration;

use rand::seq::IndexedRandom;
use rand::{Rng, RngExt};
use serde::{Deserialize, Serialize};

/// Limit and waits of resends of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Resend {
    /// Submits of one part, the first included.
    pub tries: u32,
    /// Wait before the first.
    pub delay_ms: u64,
    /// Growth of the wait from one to the next, at least 1.
    pub factor: f64,
    /// Longest wait.
    pub max_ms: u64,
}

impl Default for Resend {
    fn default() -> Resend {
        Resend { tries: 5, delay_ms: 200, factor: 2.0, max_ms: 1_000 }
    }
}

impl Resend {
    pub(super) fn draw(rng: &mut impl Rng) -> Resend {
        let delay_ms = rng.random_range(50..600);
        Resend {
            tries: rng.random_range(2..7),
            delay_ms,
            factor: *[1.0, 1.5, 2.0].choose(rng).expect("there are three"),
            max_ms: delay_ms + rng.random_range(0..1_200),
        }
    }

    /// Wait before the nth resend, counted from 1.
    #[must_use]
    pub fn wait(&self, nth: u32) -> Duration {
        let growth = self.factor.max(1.0).powi(i32::try_from(nth.saturating_sub(1)).unwrap_or(i32::MAX));
        Duration::from_secs_f64((self.delay_ms as f64 * growth).min(self.max_ms as f64) / 1_000.0)
    }

    /// Resends of one part.
    #[must_use]
    pub fn resends(&self) -> u32 {
        self.tries.saturating_sub(1)
    }

    /// All waits together.
    #[must_use]
    pub fn waits_ms(&self) -> u64 {
        u64::from(self.tries) * self.max_ms
    }
}

/// Reach of a status that says that a queue is full.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QueueFull {
    /// The destination waits.
    #[default]
    Destination,
    /// The link pauses.
    Link,
}
