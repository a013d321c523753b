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

use serde_json::{Map, Value};

use crate::bus::DeliveryStatus;
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

/// Availability of a store that may be out of reach.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StoreHealth {
    /// Whether the last call was answered.
    pub is_up: bool,
    /// Reason why the store cannot be used; empty while it can.
    pub reason: std::sync::Arc<str>,
}

impl Default for StoreHealth {
    fn default() -> StoreHealth {
        StoreHealth { is_up: true, reason: "".into() }
    }
}

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
    /// Longest time from the first final receipt of a message in parts to its report. `None` reports each part by itself.
    /// Default 10 minutes.
    pub aggregate_timeout: Option<Duration>,
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
            aggregate_timeout: Some(Duration::from_secs(600)),
            join: JoinLimits { sets_max: 10_000, octets_max: 64 << 20, expiry: Duration::from_secs(3_600) },
        }
    }
}

/// Part of a message of ours for which an id of the SMSC's stands.
#[derive(Clone, Debug, Default, Eq, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct PartOf {
    /// Our `message_id`.
    pub message: Box<str>,
    /// Number of the part, from 1.
    pub number: u8,
    /// Number of parts, from 1.
    pub total: u8,
    /// Address that the part was sent to, as [`address_digits`] writes it. Empty if it is not known.
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub to: Box<str>,
    /// Whether no receipt can come for this part: the SMSC gave no id for it, or no receipt was asked for.
    #[serde(default, skip_serializing_if = "is_false")]
    pub is_unreported: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks with a reference")]
fn is_false(is: &bool) -> bool {
    !is
}

/// State of a message by one receipt.
#[derive(Clone, Debug, Eq, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Report {
    /// Status as it is reported.
    pub status: DeliveryStatus,
    /// Word of the SMSC.
    pub smpp_status: Box<str>,
    /// Whether no other state can follow.
    pub is_final: bool,
    /// Details for `transport_metadata.smpp`: error, dates, ids.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub details: Map<String, Value>,
}

impl Report {
    /// A report without details.
    #[must_use]
    pub fn new(status: DeliveryStatus, smpp_status: &str, is_final: bool) -> Report {
        Report { status, smpp_status: smpp_status.into(), is_final, details: Map::new() }
    }

    /// Returns `true` if both say the same of a message, whatever their details.
    fn says_the_same(&self, other: &Report) -> bool {
        (self.status, &self.smpp_status, self.is_final) == (other.status, &other.smpp_status, other.is_final)
    }
}

/// Message that a receipt is about, and what to do with the receipt.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Known {
    /// Part of the message.
    pub part: PartOf,
    /// Latest report of each part, this receipt included, by number less one. Final reports stay.
    pub reports: Vec<Option<Report>>,
    /// Whether this receipt has been noted before: the same was reported of this part last.
    pub is_repeated: bool,
    /// Form of the id under which the message was found.
    pub form: Box<str>,
    /// Step that follows.
    pub next: Next,
}

/// Step that follows a receipt.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Next {
    /// Publish this receipt as a report.
    Report,
    /// Publish the report of all parts, then say so by [`Store::told_aggregate`].
    Aggregate(Aggregate),
    /// Nothing: other parts are outstanding, or the report is published already or being published.
    Nothing,
    /// Nothing, because the receipt contradicts a final state that was noted before.
    Late,
}

/// Reports of the parts of one message, when all that can come have come, or one has failed, or time is up.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Aggregate {
    /// Our `message_id`.
    pub message: Box<str>,
    /// Latest report of each part, by number less one.
    pub reports: Vec<Option<Report>>,
    /// Numbers of the parts for which no receipt can come.
    pub unreported: Vec<u8>,
    /// Whether receipts of some parts are missing: they have not come in time.
    pub is_incomplete: bool,
}

impl Aggregate {
    /// Returns the report that decides: the first failure, or else the first final report.
    #[must_use]
    pub fn deciding(&self) -> Option<&Report> {
        let finals = || self.reports.iter().flatten().filter(|report| report.is_final);
        finals().find(|report| report.status != DeliveryStatus::Delivered).or_else(|| finals().next())
    }
}

/// Digits of an address without leading zeros, by which the two writings of one number can be compared; the address itself if it
/// has no digits.
#[must_use]
pub fn address_digits(address: &str) -> Box<str> {
    let digits: String = address.chars().filter(char::is_ascii_digit).collect();
    let digits = digits.trim_start_matches('0');
    if digits.is_empty() { address.into() } else { digits.into() }
}

/// Fewest digits that a national number shares with an international one.
const SHARED_DIGITS_MIN: usize = 6;

/// Whether a message to `to` may be the one of a receipt with these addresses: `None` if that is not known.
fn is_confirmed(to: &str, addresses: &[Box<str>]) -> Option<bool> {
    let mut known = addresses.iter().filter(|address| !address.is_empty()).peekable();
    if to.is_empty() || known.peek().is_none() {
        return None;
    }
    let is_same = |address: &str| {
        let (short, long) = if address.len() < to.len() { (address, to) } else { (to, address) };
        short == long || short.len() >= SHARED_DIGITS_MIN && long.ends_with(short)
    };
    Some(known.any(|address| is_same(address)))
}

/// What became of a receipt.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Matched {
    /// It is about this, and noted there.
    Known(Known),
    /// Nobody knows its id. It is kept until [`StoreLimits::early_hold`] is over, or its id comes.
    Held,
    /// Nobody knows its id, and it is not kept: none are kept, or this was not asked for.
    Unknown,
    /// Nobody knows its id, and it is not kept: there are as many as there may be.
    Full,
}

/// A receipt that was held: its id came, or never came.
#[derive(Clone, Debug, Eq, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Early {
    /// The id as the SMSC wrote it.
    #[serde(default)]
    pub id: String,
    /// Id in its text, where that is another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id_in_text: Option<String>,
    /// Forms of its ids that are sure, the likeliest first.
    pub forms: Vec<String>,
    /// Forms that its ids may have besides: these count only for a message to one of `addresses`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub guesses: Vec<String>,
    /// Addresses of the receipt, as [`address_digits`] writes them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<Box<str>>,
    /// What it said.
    pub report: Report,
}

impl Early {
    /// All forms, the sure ones first.
    fn all_forms(&self) -> impl Iterator<Item = &String> {
        self.forms.iter().chain(&self.guesses)
    }

    /// Returns `true` if both say the same of the same id, whatever its forms are thought to be.
    fn is_same_as(&self, other: &Early) -> bool {
        self.id == other.id && self.report.says_the_same(&other.report)
    }
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
    /// Messages whose report is due: to be published, and [told](Store::told_aggregate) of.
    pub aggregates: Vec<Aggregate>,
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

    /// Finds the message of a receipt and notes what it says, or holds the receipt.
    ///
    /// Of the forms and guesses, all of them [normal](crate::text::message_id::normal), the first counts that is known for a
    /// message to one of the receipt's addresses; or else the first form that is known. In a message in parts the state of an id
    /// counts for all parts that have it.
    ///
    /// A final state of a receipt that is still held for the same id counts before this one: the SMSC sent it before.
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

    /// The report of all parts of a message is published with this status: nothing else is reported of it from now on.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn told_aggregate(&self, now: Duration, message: &str, status: DeliveryStatus) -> Result<(), Away> {
        on_each!(self, store => store.told_aggregate(now, message, status).await)
    }

    /// The receipts that are held for their ids.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn held(&self, now: Duration) -> Result<Vec<Early>, Away> {
        on_each!(self, store => store.held(now).await)
    }

    /// Holds a held receipt in another form from now on, at the same place and for as long as it was to be held. Returns `true` if
    /// it is held and its message is known in that form.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn hold_as(&self, now: Duration, early: &Early, other: &Early) -> Result<bool, Away> {
        on_each!(self, store => store.hold_as(now, early, other).await)
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

    /// Number of messages that wait for missing parts; of Redis, when this process last asked it for such messages.
    #[must_use]
    pub fn unfinished(&self) -> usize {
        on_each!(self, store => store.unfinished())
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

    /// Returns the availability, now and whenever it changes; `None` for a store within the process or on its disk.
    #[must_use]
    pub fn health(&self) -> Option<tokio::sync::watch::Receiver<StoreHealth>> {
        #[cfg(feature = "redis")]
        if let Store::Redis(redis) = self {
            return Some(redis.health());
        }
        None
    }

    /// Asks a store that may be out of reach now and then whether it can be used, so that its [`health`](Store::health) is
    /// known while nothing else asks. Never completes for such a store.
    pub async fn watch(&self) {
        #[cfg(feature = "redis")]
        if let Store::Redis(redis) = self {
            redis.watch().await;
        }
    }

    /// How often a lease is to be renewed.
    pub const LEASE_RENEWAL: Duration = Duration::from_secs(60);
    /// How long a lease lasts after it was renewed last: an outage of the store that is shorter costs nothing.
    pub const LEASE: Duration = Duration::from_secs(86_400);
}
