//! The store in memory. Its [`Table`] is a pure value, of which the embedded store keeps in a file what changes.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::sleep;

use super::{Away, Early, Expired, GIVEN_UP_MAX, GivenUp, LeaseError, Matched, PartOf, Report, StoreLimits};
use crate::bus::DeliveryStatus;
use crate::session::SEQUENCE_MAX;
use crate::text::{Incomplete, Joiner, Outcome, PartKey, Refusal, Segment};

/// A store that is gone with the process. Clones share it.
#[derive(Clone, Debug)]
pub struct Memory {
    table: Arc<Mutex<Table>>,
    answers: Arc<Mutex<Answers>>,
}

/// How a store answers: for tests, to which one in memory is the server that others share.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Answers {
    /// At once.
    #[default]
    AtOnce,
    /// After so long.
    After(Duration),
    /// That it is away. Nothing is done.
    Refuses,
    /// Not at all: what was asked is done, and whoever asked gives up after [`SILENCE`].
    Never,
}

/// How long an answer is waited for that does not come.
pub const SILENCE: Duration = Duration::from_secs(1);

/// What a store knows: bounded, deterministic, and without a clock.
#[derive(Clone, Debug)]
pub struct Table {
    limits: StoreLimits,
    ids: HashMap<Box<str>, Id>,
    /// Ids by when they go.
    ids_by_end: BTreeSet<(Duration, Box<str>)>,
    messages: HashMap<Box<str>, Sent>,
    early: BTreeMap<u64, (Duration, Early)>,
    /// Early receipts by when they go.
    early_by_end: BTreeSet<(Duration, u64)>,
    /// Which early receipts wait for an id.
    early_by_form: HashMap<String, Vec<u64>>,
    earlies: u64,
    /// Messages in parts by when their report is due.
    aggregates_by_time: BTreeSet<(Duration, Box<str>)>,
    /// Parts of messages that are not whole.
    joiner: Joiner,
    /// What was given up, and from when on it is given to somebody.
    given_up: BTreeMap<u64, (Duration, Incomplete)>,
    given_up_by_time: BTreeSet<(Duration, u64)>,
    given_ups: u64,
    reference: u16,
    are_numbers_lost: bool,
    /// What is different since somebody has asked, if somebody asks.
    noted: Option<BTreeSet<Noted>>,
}

/// Something that a table knows and that is different from before.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Noted {
    Id(Box<str>),
    Message(Box<str>),
    Early(u64),
    GivenUp(u64),
    Reference,
}

#[derive(Clone, Debug)]
struct Id {
    part: PartOf,
    /// Other parts of the same message that the SMSC gave the same id.
    others: BTreeSet<u8>,
    until: Duration,
}

/// A message that has at least one id, or a report that is due.
#[derive(Clone, Debug)]
struct Sent {
    /// How many ids stand for its parts.
    ids: usize,
    accepted: BTreeSet<u8>,
    /// Parts for which no receipt can come.
    unreported: BTreeSet<u8>,
    reports: Vec<Option<Report>>,
    /// Time of the report of all parts, once a final receipt has come.
    due: Option<Due>,
    /// Status of the report of all parts, once it is published.
    told: Option<DeliveryStatus>,
}

/// When the report of all parts of a message is due.
#[derive(Clone, Copy, Debug, Eq, PartialEq, serde::Serialize, serde::Deserialize)]
struct Due {
    at: Duration,
    /// Whether somebody is publishing it: it is given again at that time.
    is_given: bool,
}

impl Memory {
    /// A store that knows nothing.
    #[must_use]
    pub fn new(limits: StoreLimits) -> Memory {
        Memory { table: Arc::new(Mutex::new(Table::new(limits))), answers: Arc::default() }
    }

    /// Answers so from now on. For tests.
    pub fn answer(&self, answers: Answers) {
        *self.answers.lock().unwrap_or_else(PoisonError::into_inner) = answers;
    }

    async fn ask<T>(&self, what: impl FnOnce(&mut Table) -> T) -> Result<T, Away> {
        let answers = *self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        match answers {
            Answers::AtOnce => {}
            Answers::After(delay) => sleep(delay).await,
            Answers::Refuses => return Err(Away("it refuses".to_owned())),
            Answers::Never => {
                what(&mut self.table());
                sleep(SILENCE).await;
                return Err(Away("it does not answer".to_owned()));
            }
        }
        Ok(what(&mut self.table()))
    }

    /// As if another process had the numbers of one session: the next to ask for its own hears so. For tests.
    pub fn lose_numbers(&self) {
        self.table().are_numbers_lost = true;
    }

    /// No panic can happen while the lock is held, so a poisoned one is as good as any.
    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) async fn remember(&self, now: Duration, id: &str, part: &PartOf) -> Result<Vec<Early>, Away> {
        self.ask(|table| table.remember(now, id, part)).await
    }

    pub(super) async fn accepted(&self, now: Duration, message: &str) -> Result<Vec<u8>, Away> {
        self.ask(|table| table.accepted(now, message)).await
    }

    pub(super) async fn receipt(&self, now: Duration, receipt: &Early) -> Result<Matched, Away> {
        self.ask(|table| table.receipt(now, receipt)).await
    }

    pub(super) async fn receipt_again(&self, now: Duration, early: &Early) -> Result<Matched, Away> {
        self.ask(|table| table.receipt_again(now, early)).await
    }

    pub(super) async fn told(&self, _now: Duration, early: &Early) -> Result<(), Away> {
        self.ask(|table| table.told(early)).await
    }

    pub(super) async fn told_aggregate(
        &self,
        _now: Duration,
        message: &str,
        status: DeliveryStatus,
    ) -> Result<(), Away> {
        self.ask(|table| table.told_aggregate(message, status)).await
    }

    pub(super) async fn held(&self, _now: Duration) -> Result<Vec<Early>, Away> {
        self.ask(|table| table.held()).await
    }

    pub(super) async fn hold_as(&self, now: Duration, early: &Early, other: &Early) -> Result<bool, Away> {
        self.ask(|table| table.hold_as(now, early, other)).await
    }

    pub(super) async fn join(&self, now: Duration, key: &PartKey, segment: &Segment) -> Result<Outcome, Away> {
        self.ask(|table| table.join(now, key, segment)).await
    }

    pub(super) async fn published(&self, _now: Duration, key: &PartKey) -> Result<(), Away> {
        self.ask(|table| table.published(key)).await
    }

    pub(super) async fn told_incomplete(&self, _now: Duration, number: u64) -> Result<(), Away> {
        self.ask(|table| table.told_incomplete(number)).await
    }

    pub(super) async fn expire(&self, now: Duration) -> Result<Expired, Away> {
        self.ask(|table| table.expire(now)).await
    }

    pub(super) fn next_expiry(&self) -> Option<Duration> {
        self.table().next_expiry()
    }

    pub(super) fn unfinished(&self) -> usize {
        self.table().unfinished()
    }

    pub(super) async fn next_reference(&self) -> Result<u16, Away> {
        self.ask(Table::next_reference).await
    }

    pub(super) async fn take_numbers(&self, _now: Duration) -> Result<RangeInclusive<u32>, Away> {
        self.ask(|_| 1..=SEQUENCE_MAX).await
    }

    pub(super) async fn keep_numbers(&self, _now: Duration, numbers: &RangeInclusive<u32>) -> Result<(), LeaseError> {
        let is_lost = self.ask(|table| std::mem::take(&mut table.are_numbers_lost)).await?;
        if is_lost { Err(LeaseError::Lost(numbers.clone())) } else { Ok(()) }
    }

    pub(super) async fn give_back_numbers(&self, _numbers: &RangeInclusive<u32>) -> Result<(), Away> {
        self.ask(|_| ()).await
    }
}

impl Table {
    /// A table that knows nothing.
    #[must_use]
    pub fn new(limits: StoreLimits) -> Table {
        Table {
            joiner: Joiner::new(limits.join),
            limits,
            ids: HashMap::new(),
            ids_by_end: BTreeSet::new(),
            messages: HashMap::new(),
            early: BTreeMap::new(),
            early_by_end: BTreeSet::new(),
            early_by_form: HashMap::new(),
            earlies: 0,
            aggregates_by_time: BTreeSet::new(),
            given_up: BTreeMap::new(),
            given_up_by_time: BTreeSet::new(),
            given_ups: 0,
            reference: 0,
            are_numbers_lost: false,
            noted: None,
        }
    }

    /// See [`Store::remember`](super::Store::remember).
    pub fn remember(&mut self, now: Duration, id: &str, part: &PartOf) -> Vec<Early> {
        self.forget_ids(now);
        let sent = self.messages.entry(part.message.clone()).or_insert_with(|| Sent {
            ids: 0,
            accepted: BTreeSet::new(),
            unreported: BTreeSet::new(),
            reports: vec![None; usize::from(part.total)],
            due: None,
            told: None,
        });
        // Counted before any id goes: it may stand for another part of the same message.
        sent.ids += 1;
        sent.accepted.insert(part.number);
        if part.is_unreported {
            sent.unreported.insert(part.number);
        }
        let others = self.others_of(id, part);
        self.note_said_of_others(part, &others);
        self.forget_id(id);
        while self.ids.len() >= self.limits.ids_max.max(1) {
            let Some((_, oldest)) = self.ids_by_end.pop_first() else { break };
            self.forget_id(&oldest);
        }
        let until = now.saturating_add(self.limits.id_ttl);
        self.ids.insert(id.into(), Id { part: part.clone(), others, until });
        self.ids_by_end.insert((until, id.into()));
        self.note_change(|| Noted::Id(id.into()));
        self.note_change(|| Noted::Message(part.message.clone()));
        if part.total > 1 && self.limits.aggregate_timeout.is_some() {
            self.report_after_acceptance(now, &part.message);
        }
        self.waiting_for(id)
    }

    /// See [`Store::accepted`](super::Store::accepted).
    #[must_use]
    pub fn accepted(&mut self, now: Duration, message: &str) -> Vec<u8> {
        self.forget_ids(now);
        let sent = self.messages.get(message).filter(|sent| sent.ids > 0);
        sent.map(|sent| sent.accepted.iter().copied().collect()).unwrap_or_default()
    }

    /// See [`Store::receipt`](super::Store::receipt).
    pub fn receipt(&mut self, now: Duration, receipt: &Early) -> Matched {
        match self.receipt_again(now, receipt) {
            Matched::Unknown => self.hold(now, receipt),
            known => known,
        }
    }

    /// See [`Store::told`](super::Store::told).
    pub fn told(&mut self, told: &Early) {
        if let Some(number) = self.number_of(told) {
            self.take_early(number);
        }
    }

    /// See [`Store::hold_as`](super::Store::hold_as).
    pub fn hold_as(&mut self, now: Duration, early: &Early, other: &Early) -> bool {
        self.forget_ids(now);
        let Some(number) = self.number_of(early) else { return false };
        let Some((until, _)) = self.early.get(&number) else { return false };
        let until = *until;
        self.take_early(number);
        self.put_early(number, until, other.clone());
        self.find(other).is_some()
    }

    fn number_of(&self, held: &Early) -> Option<u64> {
        let numbers = self.early_by_form.get(held.forms.first()?)?;
        let is_it = |number: &&u64| self.early.get(number).is_some_and(|(_, early)| early == held);
        numbers.iter().find(is_it).copied()
    }

    fn hold(&mut self, now: Duration, receipt: &Early) -> Matched {
        if receipt.forms.is_empty() || self.limits.early_max == 0 {
            return Matched::Unknown;
        }
        if self.early.len() >= self.limits.early_max {
            return Matched::Full;
        }
        self.earlies += 1;
        self.put_early(self.earlies, now.saturating_add(self.limits.early_hold), receipt.clone());
        Matched::Held
    }

    fn put_early(&mut self, number: u64, until: Duration, early: Early) {
        for form in early.all_forms() {
            let numbers = self.early_by_form.entry(form.clone()).or_default();
            if !numbers.contains(&number) {
                numbers.push(number);
            }
            // One that is held under another form has its place.
            numbers.sort_unstable();
        }
        self.early.insert(number, (until, early));
        self.early_by_end.insert((until, number));
        self.note_change(|| Noted::Early(number));
    }

    fn hold_early_until(&mut self, number: u64, till: Duration) {
        let Some((until, _)) = self.early.get_mut(&number) else { return };
        self.early_by_end.remove(&(*until, number));
        *until = till;
        self.early_by_end.insert((till, number));
        self.note_change(|| Noted::Early(number));
    }

    /// Receipts that wait for this id, in the order in which they came.
    fn waiting_for(&self, id: &str) -> Vec<Early> {
        let numbers = self.early_by_form.get(id).map_or(&[][..], Vec::as_slice);
        numbers.iter().filter_map(|number| self.early.get(number)).map(|(_, early)| early.clone()).collect()
    }

    fn take_early(&mut self, number: u64) -> Option<Early> {
        let (until, early) = self.early.remove(&number)?;
        self.early_by_end.remove(&(until, number));
        self.note_change(|| Noted::Early(number));
        for form in early.all_forms() {
            if let Some(numbers) = self.early_by_form.get_mut(form) {
                numbers.retain(|other| *other != number);
                if numbers.is_empty() {
                    self.early_by_form.remove(form);
                }
            }
        }
        Some(early)
    }

    /// See [`Store::join`](super::Store::join).
    pub fn join(&mut self, now: Duration, key: &PartKey, segment: &Segment) -> Outcome {
        if self.given_up.len() >= GIVEN_UP_MAX {
            return Outcome::Refused(Refusal::SetsFull);
        }
        let added = self.joiner.add(now, key, segment);
        if let Some(superseded) = added.superseded {
            self.give_up(now, superseded);
        }
        added.outcome
    }

    /// See [`Store::published`](super::Store::published).
    pub fn published(&mut self, key: &PartKey) {
        self.joiner.published(key);
    }

    /// See [`Store::told_incomplete`](super::Store::told_incomplete).
    pub fn told_incomplete(&mut self, number: u64) {
        if let Some((from, _)) = self.given_up.remove(&number) {
            self.given_up_by_time.remove(&(from, number));
            self.note_change(|| Noted::GivenUp(number));
        }
    }

    fn give_up(&mut self, from: Duration, message: Incomplete) {
        self.given_ups += 1;
        self.put_given_up(self.given_ups, from, message);
    }

    fn put_given_up(&mut self, number: u64, from: Duration, message: Incomplete) {
        self.given_up.insert(number, (from, message));
        self.given_up_by_time.insert((from, number));
        self.note_change(|| Noted::GivenUp(number));
    }

    fn give_later(&mut self, number: u64, later: Duration) {
        if let Some((from, _)) = self.given_up.get_mut(&number) {
            self.given_up_by_time.remove(&(*from, number));
            *from = later;
            self.given_up_by_time.insert((later, number));
            self.note_change(|| Noted::GivenUp(number));
        }
    }

    /// What is given to somebody now, and again if nobody has told of it by then.
    fn expire_incomplete(&mut self, now: Duration, held_on: Duration) -> Vec<GivenUp> {
        for message in self.joiner.expire(now) {
            self.give_up(now, message);
        }
        // None waits for longer: the clock has gone back since.
        while let Some((_, number)) = self.given_up_by_time.last().copied().filter(|(from, _)| *from > held_on) {
            self.give_later(number, held_on);
        }
        let due = self.given_up_by_time.iter().take_while(|(from, _)| *from <= now);
        let due: Vec<u64> = due.map(|(_, number)| *number).collect();
        due.iter().for_each(|number| self.give_later(*number, held_on));
        let given = due.into_iter().filter_map(|number| Some((number, self.given_up.get(&number)?)));
        given.map(|(number, (_, message))| GivenUp { number, message: message.clone() }).collect()
    }

    /// See [`Store::expire`](super::Store::expire).
    pub fn expire(&mut self, now: Duration) -> Expired {
        self.forget_ids(now);
        let held_on = now.saturating_add(self.limits.held_on());
        // None is held for longer: the clock has gone back since.
        while let Some((_, number)) = self.early_by_end.last().copied().filter(|(until, _)| *until > held_on) {
            self.hold_early_until(number, held_on);
        }
        // One that is held on is still the one that came first.
        let due = self.early_by_end.iter().take_while(|(until, _)| *until <= now);
        let due: Vec<u64> = due.map(|(_, number)| *number).collect();
        due.iter().for_each(|number| self.hold_early_until(*number, held_on));
        let early = due.iter().filter_map(|number| self.early.get(number)).map(|(_, early)| early.clone()).collect();
        let aggregates = self.expire_aggregates(now, held_on);
        Expired { incomplete: self.expire_incomplete(now, held_on), early, aggregates }
    }

    /// See [`Store::next_expiry`](super::Store::next_expiry).
    #[must_use]
    pub fn next_expiry(&self) -> Option<Duration> {
        let firsts = [self.early_by_end.first(), self.given_up_by_time.first()];
        let firsts = firsts.map(|first| first.map(|(at, _)| *at));
        let aggregate = self.aggregates_by_time.first().map(|(at, _)| *at);
        firsts.into_iter().chain([aggregate, self.joiner.next_expiry()]).flatten().min()
    }

    /// See [`Store::unfinished`](super::Store::unfinished).
    #[must_use]
    pub fn unfinished(&self) -> usize {
        self.joiner.unfinished()
    }

    /// See [`Store::next_reference`](super::Store::next_reference).
    pub fn next_reference(&mut self) -> u16 {
        self.reference = self.reference.wrapping_add(1);
        self.note_change(|| Noted::Reference);
        self.reference
    }

    /// How many ids are known.
    #[must_use]
    pub fn ids(&self) -> usize {
        self.ids.len()
    }

    fn forget_ids(&mut self, now: Duration) {
        while let Some((until, _)) = self.ids_by_end.first()
            && *until <= now
            && let Some((_, id)) = self.ids_by_end.pop_first()
        {
            self.forget_id(&id);
        }
    }

    fn forget_id(&mut self, id: &str) {
        let Some(Id { part, until, .. }) = self.ids.remove(id) else { return };
        self.ids_by_end.remove(&(until, id.into()));
        self.note_change(|| Noted::Id(id.into()));
        self.note_change(|| Noted::Message(part.message.clone()));
        if let Some(sent) = self.messages.get_mut(&part.message) {
            sent.ids -= 1;
            if sent.ids == 0 && sent.due.is_none() {
                self.messages.remove(&part.message);
            }
        }
    }

    fn note_change(&mut self, what: impl FnOnce() -> Noted) {
        if let Some(noted) = &mut self.noted {
            noted.insert(what());
        }
    }
}

mod receipts;
#[cfg(feature = "embedded")]
mod rows;
#[cfg(test)]
mod tests;
