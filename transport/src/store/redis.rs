//! The store in Redis, which several processes share.
//!
//! Each call is one Lua script, which runs as a whole or not at all, and nothing is decided here that another process could
//! decide otherwise meanwhile. The scripts make the names of their keys, so this is for one Redis, or one with replicas, and
//! not for a Redis Cluster. What Redis is told to forget under memory pressure is forgotten: use `maxmemory-policy noeviction`.
//!
//! All keys begin with the prefix, and all have an end of their own. Times are `now` of the processes that share the store:
//! their clocks should agree to a second or two.
//!
//! The store is as safe as Redis is: with `appendfsync everysec` a crash of its machine loses a second, and without
//! persistence a restart loses all. Then messages of ours are not found by their receipts, and long ones stay incomplete, but
//! the numbers of running sessions are put back by [`keep_numbers`](super::Store::keep_numbers).

use std::fmt;
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{FromRedisValue, IntoConnectionInfo as _, ScriptInvocation};
use tokio::sync::watch;

use super::{
    Aggregate, Away, Early, Expired, GivenUp, Known, LeaseError, Matched, Next, PartOf, Report, Store, StoreHealth,
    StoreLimits,
};
use crate::bus::DeliveryStatus;
use crate::env::Seed;
use crate::session::SEQUENCE_MAX;
use crate::text::{Incomplete, Outcome, PartKey, Refusal, Segment, join};

mod form;
mod scripts;

use scripts::Scripts;

/// Sequence numbers in a block. The first block is one shorter: there is no number 0.
const BLOCK: u32 = 0x1_0000;
/// How many blocks there are.
const BLOCKS: u32 = SEQUENCE_MAX / BLOCK + 1;
/// How much longer than needed a key stays when nobody sees to it.
const KEY_MARGIN: Duration = Duration::from_secs(7 * 86_400);
/// How long the last reference of long messages is remembered.
const REFERENCE_TTL: Duration = Duration::from_secs(30 * 86_400);
/// How often to look whether something of another process's has expired.
const LOOK_AGAIN: Duration = Duration::from_secs(60);
/// How often Redis is asked whether it can be used.
const PROBE_INTERVAL: Duration = Duration::from_secs(1);
/// How many of each kind one call of a script gives up.
const EXPIRED_MAX: usize = 500;

/// How a transport uses Redis.
#[derive(Clone)]
pub struct RedisConfig {
    /// Where it is: `redis://user:password@host:port/database`. Default `redis://127.0.0.1:6379`.
    pub url: String,
    /// What the names of all keys begin with, before a colon. Processes with the same prefix share the store. Default
    /// `smpp-transport`.
    pub prefix: String,
    /// How long a call may take, connecting again included. Default 2 s.
    pub timeout: Duration,
    /// Bounds. Processes that share a store should agree on them.
    pub limits: StoreLimits,
    /// Which block of sequence numbers is tried first, and what stands in it as the owner: processes that share a store must
    /// not share this.
    pub seed: Seed,
}

impl RedisConfig {
    /// The defaults.
    #[must_use]
    pub fn new(seed: Seed) -> RedisConfig {
        RedisConfig {
            url: "redis://127.0.0.1:6379".to_owned(),
            prefix: "smpp-transport".to_owned(),
            timeout: Duration::from_secs(2),
            limits: StoreLimits::default(),
            seed,
        }
    }
}

impl fmt::Debug for RedisConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without the URL, which may hold a password.
        let mut shown = f.debug_struct("RedisConfig");
        shown.field("prefix", &self.prefix).field("timeout", &self.timeout).field("limits", &self.limits);
        shown.finish_non_exhaustive()
    }
}

/// Why there can be no such store. The password is not in it.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("redis_url: {0}; it is redis://user:password@host:port/database")]
pub struct RedisUrlError(String);

/// A store in Redis. Clones share its connection.
#[derive(Clone)]
pub struct Redis(Arc<Inner>);

struct Inner {
    connection: ConnectionManager,
    scripts: Scripts,
    config: RedisConfig,
    /// What says that a block of numbers is ours.
    token: String,
    rng: Mutex<ChaCha8Rng>,
    next_expiry: Mutex<Duration>,
    /// Messages that wait for parts, when it was asked last.
    unfinished: AtomicUsize,
    health: watch::Sender<StoreHealth>,
}

impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Redis").field(&self.0.config).finish()
    }
}

impl Redis {
    /// A store in this Redis, which is connected to when it is first asked, and again whenever the connection is lost. Must be
    /// called within a tokio runtime.
    ///
    /// # Errors
    /// When the URL is none.
    pub fn open(config: RedisConfig) -> Result<Redis, RedisUrlError> {
        let refused = |error: redis::RedisError| RedisUrlError(error.to_string());
        let info = config.url.as_str().into_connection_info().map_err(refused)?;
        let client = redis::Client::open(info).map_err(refused)?;
        let manager = ConnectionManagerConfig::new()
            .set_number_of_retries(1)
            .set_max_delay(Duration::from_millis(200))
            .set_connection_timeout(Some(config.timeout))
            .set_response_timeout(Some(config.timeout));
        let connection = ConnectionManager::new_lazy_with_config(client, manager).map_err(refused)?;
        let mut rng = config.seed.stream("redis store", 0);
        let token = format!("{:032x}", rng.random::<u128>());
        let (next_expiry, unfinished) = (Mutex::new(Duration::ZERO), AtomicUsize::new(0));
        let (scripts, health) = (Scripts::new(), watch::Sender::new(StoreHealth::default()));
        let rng = Mutex::new(rng);
        Ok(Redis(Arc::new(Inner { connection, scripts, config, token, rng, next_expiry, unfinished, health })))
    }

    /// Says whether a URL can be used.
    ///
    /// # Errors
    /// When it cannot. The password is not in the error.
    pub fn check_url(url: &str) -> Result<(), RedisUrlError> {
        let refused = |error: redis::RedisError| RedisUrlError(error.to_string());
        let info = url.into_connection_info().map_err(refused)?;
        redis::Client::open(info).map(|_| ()).map_err(refused)
    }

    /// Runs a script with the arguments that it has been given.
    async fn ask<T: FromRedisValue>(&self, invocation: &ScriptInvocation<'_>) -> Result<T, Away> {
        let mut connection = self.0.connection.clone();
        self.within(invocation.invoke_async(&mut connection)).await
    }

    /// Waits for an answer, but not for ever, and notes whether one came.
    async fn within<T>(&self, asked: impl Future<Output = redis::RedisResult<T>>) -> Result<T, Away> {
        let answer = match tokio::time::timeout(self.0.config.timeout, asked).await {
            Ok(answer) => answer.map_err(|error| Away(error.to_string())),
            Err(_) => Err(Away(format!("no answer within {:?}", self.0.config.timeout))),
        };
        self.note(answer.as_ref().err());
        answer
    }

    fn note(&self, away: Option<&Away>) {
        let now = StoreHealth { is_up: away.is_none(), reason: away.map_or("".into(), |away| away.0.as_str().into()) };
        self.0.health.send_if_modified(|health| {
            let is_new = *health != now;
            match (health.is_up, now.is_up) {
                (true, false) => tracing::warn!(reason = &*now.reason, "store unavailable"),
                (false, true) => tracing::info!("store available"),
                _ => {}
            }
            *health = now;
            is_new
        });
    }

    /// Returns whether Redis can be used, now and whenever that changes.
    pub(super) fn health(&self) -> watch::Receiver<StoreHealth> {
        self.0.health.subscribe()
    }

    /// Writes a key now and then, to see whether Redis can be used.
    pub(super) async fn watch(&self) {
        let key = format!("{}:probe", self.0.config.prefix);
        loop {
            let mut connection = self.0.connection.clone();
            let mut probe = redis::cmd("SET");
            probe.arg(&key).arg(1).arg("PX").arg(60_000);
            let _ = self.within(probe.query_async::<()>(&mut connection)).await;
            tokio::time::sleep(PROBE_INTERVAL).await;
        }
    }

    /// A script with what all of them begin with: the prefix and the time.
    fn with<'a>(&self, script: &'a redis::Script, now: Duration) -> ScriptInvocation<'a> {
        let mut invocation = script.arg(&self.0.config.prefix);
        invocation.arg(form::time(now));
        invocation
    }

    /// Something expires then that may be sooner than all that is known.
    fn expires_no_later(&self, found: &str) {
        let mut next = self.0.next_expiry.lock().unwrap_or_else(PoisonError::into_inner);
        *next = form::read_time(found).map_or(*next, |found| found.min(*next));
    }

    fn expires_next(&self, now: Duration, found: &str) {
        let again = now.saturating_add(LOOK_AGAIN);
        let next = form::read_time(found).map_or(again, |found| found.min(again));
        *self.0.next_expiry.lock().unwrap_or_else(PoisonError::into_inner) = next;
    }

    pub(super) async fn remember(&self, now: Duration, id: &str, part: &PartOf) -> Result<Vec<Early>, Away> {
        let limits = &self.0.config.limits;
        let mut script = self.with(&self.0.scripts.remember, now);
        script.arg(id).arg(&*part.message).arg(part.number).arg(part.total);
        script.arg(form::time(now.saturating_add(limits.id_ttl))).arg(limits.ids_max.max(1)).arg(ttl(limits.id_ttl));
        script.arg(&*part.to).arg(u8::from(part.is_unreported)).arg(self.aggregate_due(now));
        let (next, waited): (String, Vec<String>) = self.ask(&script).await?;
        self.expires_no_later(&next);
        Ok(waited.iter().filter_map(|early| form::read(early)).collect())
    }

    pub(super) async fn accepted(&self, now: Duration, message: &str) -> Result<Vec<u8>, Away> {
        let mut script = self.with(&self.0.scripts.accepted, now);
        script.arg(message);
        let mut numbers: Vec<u8> = self.ask(&script).await?;
        numbers.sort_unstable();
        Ok(numbers)
    }

    pub(super) async fn receipt(&self, now: Duration, receipt: &Early) -> Result<Matched, Away> {
        self.matched(now, receipt, self.0.config.limits.early_max).await
    }

    pub(super) async fn receipt_again(&self, now: Duration, early: &Early) -> Result<Matched, Away> {
        self.matched(now, early, 0).await
    }

    pub(super) async fn told(&self, now: Duration, early: &Early) -> Result<(), Away> {
        let mut script = self.with(&self.0.scripts.told, now);
        script.arg(form::json(early)).arg(early.forms.first());
        self.ask(&script).await
    }

    /// Finds what a receipt is about, or holds it, if fewer than `held_max` are held.
    async fn matched(&self, now: Duration, early: &Early, held_max: usize) -> Result<Matched, Away> {
        let Early { forms, guesses, addresses, report, .. } = early;
        let limits = &self.0.config.limits;
        let mut script = self.with(&self.0.scripts.receipt, now);
        script.arg(form::json(report)).arg(u8::from(report.is_final));
        script.arg(form::time(now.saturating_add(limits.final_id_ttl)));
        script.arg(form::json(early)).arg(form::time(now.saturating_add(limits.early_hold)));
        script.arg(held_max).arg(ttl(limits.early_hold));
        script.arg(self.aggregate_due(now)).arg(form::time(now.saturating_add(limits.held_on())));
        script.arg(self.aggregate_ttl());
        let addresses: Vec<&str> = addresses.iter().map(|address| &**address).collect();
        script.arg(addresses.len()).arg(addresses).arg(forms.len()).arg(forms).arg(guesses);
        let answer: Vec<String> = self.ask(&script).await?;
        let answer: Vec<&str> = answer.iter().map(String::as_str).collect();
        match answer[..] {
            [
                "known",
                form,
                message,
                number,
                total,
                to,
                is_unreported,
                is_repeated,
                next,
                without,
                expiry,
                ref reports @ ..,
            ] => {
                let part = PartOf {
                    message: message.into(),
                    number: form::number(number)?,
                    total: form::number(total)?,
                    to: to.into(),
                    is_unreported: is_unreported == "1",
                };
                self.expires_no_later(expiry);
                let reports: Vec<Option<Report>> = reports.iter().map(|report| form::read(report)).collect();
                let next = match next {
                    "report" => Next::Report,
                    "late" => Next::Late,
                    "aggregate" => Next::Aggregate(aggregate(message, false, without, reports.clone())),
                    _ => Next::Nothing,
                };
                Ok(Matched::Known(Known { part, reports, is_repeated: is_repeated == "1", form: form.into(), next }))
            }
            ["held", next] => {
                self.expires_next(now, next);
                Ok(Matched::Held)
            }
            ["full"] => Ok(Matched::Full),
            _ => Ok(Matched::Unknown),
        }
    }

    /// Time at which the report of all parts is due at the latest; empty if each part is reported by itself.
    fn aggregate_due(&self, now: Duration) -> String {
        let timeout = self.0.config.limits.aggregate_timeout;
        timeout.map(|timeout| form::time(now.saturating_add(timeout)).to_string()).unwrap_or_default()
    }

    /// Time for which the report of all parts of a message stays in Redis at least.
    fn aggregate_ttl(&self) -> u64 {
        let limits = &self.0.config.limits;
        ttl(limits.aggregate_timeout.unwrap_or_default().max(limits.id_ttl).saturating_add(limits.held_on()))
    }

    pub(super) async fn told_aggregate(
        &self,
        now: Duration,
        message: &str,
        status: DeliveryStatus,
    ) -> Result<(), Away> {
        let mut script = self.with(&self.0.scripts.told_aggregate, now);
        let status = match status {
            DeliveryStatus::Pending => "pending",
            DeliveryStatus::Failed => "failed",
            DeliveryStatus::Delivered => "delivered",
        };
        script.arg(message).arg(status);
        self.ask(&script).await
    }

    pub(super) async fn held(&self, now: Duration) -> Result<Vec<Early>, Away> {
        let held: Vec<String> = self.ask(&self.with(&self.0.scripts.held, now)).await?;
        Ok(held.iter().filter_map(|early| form::read(early)).collect())
    }

    pub(super) async fn hold_as(&self, now: Duration, early: &Early, other: &Early) -> Result<bool, Away> {
        let mut script = self.with(&self.0.scripts.hold_as, now);
        script.arg(form::json(early)).arg(early.forms.first().map_or("", String::as_str));
        script.arg(form::json(other)).arg(ttl(self.0.config.limits.early_hold));
        self.ask(&script).await
    }

    pub(super) async fn join(&self, now: Duration, key: &PartKey, segment: &Segment) -> Result<Outcome, Away> {
        if !(1..=key.total).contains(&segment.number) {
            return Ok(Outcome::Refused(Refusal::Number));
        }
        let limits = &self.0.config.limits.join;
        let mut script = self.with(&self.0.scripts.join, now);
        script.arg(form::key(key)).arg(key.total).arg(segment.number).arg(form::content(segment));
        script.arg(form::time(now.saturating_add(limits.expiry)));
        script.arg(limits.sets_max).arg(limits.octets_max).arg(ttl(limits.expiry)).arg(super::GIVEN_UP_MAX);
        let (next, outcome, given, unfinished): (String, String, Vec<Vec<u8>>, usize) = self.ask(&script).await?;
        self.0.unfinished.store(unfinished, Ordering::Relaxed);
        self.expires_next(now, &next);
        Ok(match outcome.as_str() {
            "waiting" => Outcome::Waiting,
            "complete" => Outcome::Complete(join(form::segments(&given)?)),
            "duplicate" => Outcome::Duplicate,
            "sets" => Outcome::Refused(Refusal::SetsFull),
            _ => Outcome::Refused(Refusal::OctetsFull),
        })
    }

    pub(super) async fn published(&self, now: Duration, key: &PartKey) -> Result<(), Away> {
        let mut script = self.with(&self.0.scripts.published, now);
        script.arg(form::key(key)).arg(key.total).arg(ttl(self.0.config.limits.join.expiry));
        let (next, unfinished): (String, usize) = self.ask(&script).await?;
        self.0.unfinished.store(unfinished, Ordering::Relaxed);
        self.expires_next(now, &next);
        Ok(())
    }

    pub(super) async fn expire(&self, now: Duration) -> Result<Expired, Away> {
        // Asked again a while later, should this fail.
        self.expires_next(now, "");
        let mut expired = Expired::default();
        loop {
            let mut script = self.with(&self.0.scripts.expire, now);
            let limits = &self.0.config.limits;
            let held_on = limits.held_on();
            script.arg(EXPIRED_MAX).arg(form::time(now.saturating_add(held_on))).arg(ttl(held_on));
            script.arg(form::time(now.saturating_add(limits.join.expiry))).arg(ttl(limits.join.expiry));
            let waits = limits.aggregate_timeout.unwrap_or_default().max(held_on);
            script.arg(form::time(now.saturating_add(waits))).arg(self.aggregate_ttl());
            type Set = (u64, Vec<u8>, Vec<Vec<u8>>);
            type Due = (String, u8, String, Vec<String>);
            type Answer = (String, u8, Vec<String>, Vec<Set>, Vec<Due>, usize);
            let answered: Result<Answer, Away> = self.ask(&script).await;
            let (next, has_more, early, sets, aggregates, unfinished) = match answered {
                Ok(answer) => answer,
                // What has been given already is told: nobody else will soon.
                Err(_) if expired != Expired::default() => return Ok(expired),
                Err(away) => return Err(away),
            };
            self.0.unfinished.store(unfinished, Ordering::Relaxed);
            expired.early.extend(early.iter().filter_map(|early| form::read(early)));
            for (message, is_incomplete, without, reports) in aggregates {
                let reports = reports.iter().map(|report| form::read(report)).collect();
                expired.aggregates.push(aggregate(&message, is_incomplete == 1, &without, reports));
            }
            for (number, key, segments) in sets {
                let message = Incomplete { key: form::read_key(&key)?, segments: form::segments(&segments)? };
                expired.incomplete.push(GivenUp { number, message });
            }
            if has_more == 0 {
                self.expires_next(now, &next);
                return Ok(expired);
            }
        }
    }

    pub(super) async fn told_incomplete(&self, now: Duration, number: u64) -> Result<(), Away> {
        let mut script = self.with(&self.0.scripts.told_incomplete, now);
        script.arg(number);
        self.ask(&script).await
    }

    /// Never none: what other processes have left is looked for every minute.
    pub(super) fn next_expiry(&self) -> Option<Duration> {
        Some(*self.0.next_expiry.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn unfinished(&self) -> usize {
        self.0.unfinished.load(Ordering::Relaxed)
    }

    pub(super) async fn next_reference(&self) -> Result<u16, Away> {
        let mut script = self.with(&self.0.scripts.reference, Duration::ZERO);
        script.arg(ttl(REFERENCE_TTL));
        self.ask(&script).await
    }

    pub(super) async fn take_numbers(&self, now: Duration) -> Result<RangeInclusive<u32>, Away> {
        let first = self.0.rng.lock().unwrap_or_else(PoisonError::into_inner).random_range(0..BLOCKS);
        let mut script = self.with(&self.0.scripts.take, now);
        script.arg(&self.0.token).arg(first).arg(BLOCKS).arg(lease());
        let block: i64 = self.ask(&script).await?;
        u32::try_from(block)
            .map(numbers)
            .map_err(|_| Away(format!("all {BLOCKS} blocks of sequence numbers are in use")))
    }

    pub(super) async fn keep_numbers(&self, now: Duration, numbers: &RangeInclusive<u32>) -> Result<(), LeaseError> {
        let mut script = self.with(&self.0.scripts.keep, now);
        script.arg(&self.0.token).arg(block(numbers)).arg(lease());
        match self.ask(&script).await? {
            1 => Ok(()),
            _ => Err(LeaseError::Lost(numbers.clone())),
        }
    }

    pub(super) async fn give_back_numbers(&self, numbers: &RangeInclusive<u32>) -> Result<(), Away> {
        let mut script = self.with(&self.0.scripts.give_back, Duration::ZERO);
        script.arg(&self.0.token).arg(block(numbers));
        let _: u8 = self.ask(&script).await?;
        Ok(())
    }
}

fn aggregate(message: &str, is_incomplete: bool, without: &str, reports: Vec<Option<Report>>) -> Aggregate {
    let unreported = without.split(',').filter_map(|number| number.parse().ok()).collect();
    Aggregate { message: message.into(), reports, unreported, is_incomplete }
}

/// How long a key lives, in milliseconds.
fn ttl(needed: Duration) -> u64 {
    // What Redis can count to, or it would refuse.
    const MILLIS_MAX: u128 = 1 << 52;
    u64::try_from(needed.saturating_add(KEY_MARGIN).as_millis().min(MILLIS_MAX)).unwrap_or_default()
}

/// How long a lease lasts, in milliseconds.
fn lease() -> u64 {
    u64::try_from(Store::LEASE.as_millis()).unwrap_or(u64::MAX)
}

fn numbers(block: u32) -> RangeInclusive<u32> {
    let first = block * BLOCK;
    first.max(1)..=first + (BLOCK - 1)
}

fn block(numbers: &RangeInclusive<u32>) -> u32 {
    numbers.start() / BLOCK
}

#[cfg(test)]
mod tests;
