//! Where chance and wall time come from: one seed, and one clock, given at the top.

use std::time::{Duration, SystemTime};

use rand::SeedableRng;
pub use rand_chacha::ChaCha8Rng;

/// One number from which all chance is drawn. Each use has a stream of its own, by name and ordinal, so that a new draw
/// in one place moves no other.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Seed(pub u64);

impl Seed {
    /// The stream of this name and ordinal: the same on every machine.
    #[must_use]
    pub fn stream(self, name: &str, ordinal: u64) -> ChaCha8Rng {
        // FNV-1a over the name, then two rounds of mixing: enough to tell streams apart.
        let named = name.bytes().fold(0xCBF2_9CE4_8422_2325, |hash: u64, octet| {
            (hash ^ u64::from(octet)).wrapping_mul(0x0000_0100_0000_01B3)
        });
        ChaCha8Rng::seed_from_u64(mix(mix(self.0 ^ named).wrapping_add(ordinal)))
    }
}

fn mix(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ (value >> 31)
}

/// What time it is for people: the dates of receipts. Timers do not use it.
pub trait WallClock: Send + Sync {
    /// Time since 1970-01-01 00:00 UTC.
    fn unix(&self) -> Duration;
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl WallClock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place where wall time comes in")]
    fn unix(&self) -> Duration {
        SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
    }
}
