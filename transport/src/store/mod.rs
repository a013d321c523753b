//! What a transport must know later: under which ids the SMSC has accepted its messages, receipts that came before those
//! ids, parts of messages that are not whole, and numbers that nobody else may use.
//!
//! Three stores say the same: memory (gone with the process), embedded (a file), and Redis (shared by several processes).
//! What each keeps is as safe as it is: a store says `Ok` only when that is so. One suite of tests asks all of them.
//!
//! A store is asked by a future, since it may be elsewhere; and it may be away, which is an error that says so. Nothing here
//! reads a clock: `now` is time since 1970-01-01 00:00 UTC, so that it means the same to all processes that share a store.

use std::ops::RangeInclusive;
use std::time::Duration;

use crate::text::{Incomplete, JoinLimits, Outcome, PartKey, Segment};

#[cfg(feature = "embedded")]
pub mod embedded;
pub mod memory;
#[cfg(feature = "redis")]
pub mod redis;

#[cfg(feature = "embedded")]
pub use embedded::Embedded;
pub use memory::{Answers, Memory};
#[cfg(feature = "redis")]
pub use redis::Redis;

/// Bounds of a store. What is beyond the number that may be held pushes out what was held longest.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StoreLimits {
    /// How long ids are kept from when they are remembered. Default 7 days.
    pub id_ttl: Duration,
    /// How long ids are kept from a final receipt on; later copies of it still find their message. Default 1 hour.
    pub final_id_ttl: Duration,
    /// Most ids. Default 1,000,000.
    pub ids_max: usize,
    /// How long a receipt with an id that nobody knows is kept for that id to come. Default 30 s.
    pub early_hold: Duration,
    /// Most receipts kept so. Default 10,000.
    pub early_max: usize,
    /// Bounds of what is not whole. Default 10,000 messages, 64 MiB of text, 1 hour.
    pub join: JoinLimits,
}

impl Default for StoreLimits {
    fn default() -> StoreLimits {
        StoreLimits {
            id_ttl: Duration::from_secs(7 * 86_400),
            final_id_ttl: Duration::from_secs(3_600),
            ids_max: 1_000_000,
            early_hold: Duration::from_secs(30),
            early_max: 10_000,
            join: JoinLimits { sets_max: 10_000, octets_max: 64 << 20, expiry: Duration::from_secs(3_600) },
        }
    }
}

/// Which part of which message of ours an id of the SMSC's stands for.
#[derive(Clone, Debug, Eq, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct PartOf {
    /// Our `message_id`.
    pub message: Box<str>,
    /// Which part, from 1.
    pub number: u8,
    /// How many parts there are, from 1.
    pub total: u8,
}

/// What a receipt said of one part.
#[derive(Clone, Debug, Eq, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Report {
    /// As it is told.
    pub status: crate::bus::DeliveryStatus,
    /// The SMSC's own word.
    pub smpp_status: Box<str>,
    /// Whether nothing can follow.
    pub is_final: bool,
}

/// What is known of the message that a receipt is about.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Known {
    /// Which part of which message.
    pub part: PartOf,
    /// What is reported of each part so far, this receipt included, by number less one.
    pub reports: Vec<Option<Report>>,
    /// Whether this receipt has been noted before: of this part the same was reported last.
    pub is_repeated: bool,
}

/// What became of a receipt.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Matched {
    /// It is about this, and noted there.
    Known(Known),
    /// Nobody knows its id. It is kept until [`StoreLimits::early_hold`] is over, or its id comes.
    Held,
    /// Nobody knows its id, and it is not kept: there are too many.
    Unknown,
}

/// A receipt that was held: its id came, or never came.
#[derive(Clone, Debug, Eq, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Early {
    /// The id as the SMSC wrote it.
    #[serde(default)]
    pub id: String,
    /// The forms of the id, as they were given.
    pub forms: Vec<String>,
    /// What it said.
    pub report: Report,
}

/// A message that never became whole, and will not any more.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct GivenUp {
    /// Its number in this store.
    pub number: u64,
    /// What there is of it.
    pub message: Incomplete,
}

/// What has expired. All of it is held on until it is told, and given again [`StoreLimits::early_hold`] later, and after a
/// second at least, if it is not told by then.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Expired {
    /// Messages that never became whole, in the order of their times: to be [told](Store::told_incomplete) of.
    pub incomplete: Vec<GivenUp>,
    /// Receipts whose ids never came, or came and nobody has told of them: to be [told](Store::told) of.
    pub early: Vec<Early>,
}

/// How long somebody has at least to tell of what has expired.
const HELD_ON_MIN: Duration = Duration::from_secs(1);

/// How many messages that were given up may wait to be told of, before no part is taken any more.
const GIVEN_UP_MAX: usize = 1_000;

impl StoreLimits {
    /// How long somebody has to tell of what has expired.
    fn held_on(&self) -> Duration {
        self.early_hold.max(HELD_ON_MIN)
    }
}

/// Why a store has not done what it was asked to do. It may have.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the store is away: {0}")]
pub struct Away(pub String);

/// Why the numbers of a session are not surely its own any more.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum LeaseError {
    /// Whether they are is not known: they are, until the lease is over.
    #[error(transparent)]
    Away(#[from] Away),
    /// Another session has them.
    #[error("the sequence numbers {} to {} were lost, and another session has them now", .0.start(), .0.end())]
    Lost(RangeInclusive<u32>),
}

/// The stores there are.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Store {
    /// Gone with the process.
    Memory(Memory),
    /// Shared by several processes.
    #[cfg(feature = "redis")]
    Redis(Redis),
    /// In a file.
    #[cfg(feature = "embedded")]
    Embedded(Embedded),
}

/// Runs the same call on whichever store it is.
macro_rules! on_each {
    ($store:expr, $inner:ident => $call:expr) => {
        match $store {
            Store::Memory($inner) => $call,
            #[cfg(feature = "redis")]
            Store::Redis($inner) => $call,
            #[cfg(feature = "embedded")]
            Store::Embedded($inner) => $call,
        }
    };
}

impl Store {
    /// Remembers under which id the SMSC has accepted a part: `id` is a [normal form](crate::text::message_id::normal). Gives
    /// what is held for that id, to be matched [again](Store::receipt_again), and [told](Store::told) then: until it is told
    /// it stays, so that nothing is lost with this process.
    ///
    /// An id that stands for another message already stands for this one from now on: SMSCs begin anew.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn remember(&self, now: Duration, id: &str, part: &PartOf) -> Result<Vec<Early>, Away> {
        on_each!(self, store => store.remember(now, id, part).await)
    }

    /// The parts of a message that the SMSC is known to have accepted, by number: what need not be sent again after a crash.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn accepted(&self, now: Duration, message: &str) -> Result<Vec<u8>, Away> {
        on_each!(self, store => store.accepted(now, message).await)
    }

    /// Finds what a receipt is about, notes what it says, or holds it. The forms are normal ones
    /// of its id, likeliest first: the first that is known counts.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn receipt(&self, now: Duration, receipt: &Early) -> Result<Matched, Away> {
        on_each!(self, store => store.receipt(now, receipt).await)
    }

    /// The same of a receipt that has been held: it is not held another time.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn receipt_again(&self, now: Duration, early: &Early) -> Result<Matched, Away> {
        on_each!(self, store => store.receipt_again(now, early).await)
    }

    /// A receipt that was held is told of, and held no more.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn told(&self, now: Duration, early: &Early) -> Result<(), Away> {
        on_each!(self, store => store.told(now, early).await)
    }

    /// Adds a part of a long message: see [`Joiner::add`](crate::text::Joiner::add). What it supersedes has expired.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn join(&self, now: Duration, key: &PartKey, segment: &Segment) -> Result<Outcome, Away> {
        on_each!(self, store => store.join(now, key, segment).await)
    }

    /// The message is on the bus: see [`Joiner::published`](crate::text::Joiner::published).
    ///
    /// # Errors
    /// When the store is away.
    pub async fn published(&self, now: Duration, key: &PartKey) -> Result<(), Away> {
        on_each!(self, store => store.published(now, key).await)
    }

    /// Gives up what has expired. Each is given to one process, and to another if that one does not tell of it in time: what a
    /// process was given that has died is not lost with it.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn expire(&self, now: Duration) -> Result<Expired, Away> {
        on_each!(self, store => store.expire(now).await)
    }

    /// A message that was given up is told of, and held no more.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn told_incomplete(&self, now: Duration, number: u64) -> Result<(), Away> {
        on_each!(self, store => store.told_incomplete(now, number).await)
    }

    /// When [`expire`](Store::expire) next has something to do, as far as this process knows.
    #[must_use]
    pub fn next_expiry(&self) -> Option<Duration> {
        on_each!(self, store => store.next_expiry())
    }

    /// The next reference for a long message: counts up, and after 65,535 comes 0.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn next_reference(&self) -> Result<u16, Away> {
        on_each!(self, store => store.next_reference().await)
    }

    /// Sequence numbers for one session, which no other session has that shares the store, until they are
    /// [given back](Store::give_back_numbers) or, where processes may die, until their lease is over. A session counts round in
    /// them. Stores that are not shared give all there are.
    ///
    /// # Errors
    /// When the store is away, or all numbers are in use.
    pub async fn take_numbers(&self, now: Duration) -> Result<RangeInclusive<u32>, Away> {
        on_each!(self, store => store.take_numbers(now).await)
    }

    /// Says that the session still uses its numbers: to be called at least every [`Store::LEASE_RENEWAL`].
    ///
    /// # Errors
    /// When the store is away, and the numbers are the session's all the same until the lease is over; or when they are
    /// another's, and the session must end.
    pub async fn keep_numbers(&self, now: Duration, numbers: &RangeInclusive<u32>) -> Result<(), LeaseError> {
        on_each!(self, store => store.keep_numbers(now, numbers).await)
    }

    /// The session has ended.
    ///
    /// # Errors
    /// When the store is away: then the lease ends by itself.
    pub async fn give_back_numbers(&self, numbers: &RangeInclusive<u32>) -> Result<(), Away> {
        on_each!(self, store => store.give_back_numbers(numbers).await)
    }

    /// How often a lease is to be renewed.
    pub const LEASE_RENEWAL: Duration = Duration::from_secs(60);
    /// How long a lease lasts after it was renewed last: an outage of the store that is shorter costs nothing.
    pub const LEASE: Duration = Duration::from_secs(86_400);
}
