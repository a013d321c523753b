//! The messages that there are, and what time and their senders make of them.
//!
//! How a message comes in is in `accept`, what ESMEs ask afterwards (query_sm, cancel_sm, replace_sm) in `asked`, what a
//! store needs in `kept`.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use smpp_transport::env::Seed;
use smpp_transport::pdu::{CommandStatus, MessageState};
use smpp_transport::text::{JoinLimits, Joiner};

use super::accept::part_of;
use super::course::{Turn, rank};
use super::groups::Groups;
use super::life::{error_of, is_success};
use super::pending::Pending;
use super::plans::{Act, Plans};
use super::{Filter, Message, Now, Outcome, Receipt, Record, id};
use crate::policy::{IdForm, PartIds, Which};
use crate::words::State;

/// Bounds of a [`Mailbox`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Limits {
    /// Messages that are remembered. Beyond it the one that ended longest ago is forgotten, once its receipts have been
    /// handed out; if there is none, a new one is refused with ESME_RMSGQFUL. Default 100,000.
    pub(crate) messages_max: usize,
    /// Long messages of which parts are missing. Default: 10,000 with 64 MiB, each for an hour after its last part.
    pub(crate) join: JoinLimits,
}

impl Default for Limits {
    fn default() -> Limits {
        let join = JoinLimits { sets_max: 10_000, octets_max: 64 << 20, expiry: Duration::from_secs(3600) };
        Limits { messages_max: 100_000, join }
    }
}

/// What the ESME is told of a message that was accepted.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Accepted {
    /// The message's number, of submit_multi the first of consecutive ones.
    pub(crate) number: u64,
    /// For the response.
    pub(crate) id: Box<str>,
    /// Whether it took the place of one that was pending.
    pub(crate) replaced: bool,
}

/// A receipt that is to be sent now.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Due {
    /// system_id of the account that gets it.
    pub(crate) account: Arc<str>,
    /// The session that submitted.
    pub(crate) session: u64,
    /// Which of the account's sessions gets it.
    pub(crate) which: Which,
    /// Whether it goes before the response to the message, if that has not been sent.
    pub(crate) before_response: bool,
    pub(crate) receipt: Receipt,
}

/// Messages and their timers. One input, drain all of [`poll_due`](Mailbox::poll_due), next input.
#[derive(Debug)]
pub(crate) struct Mailbox {
    pub(super) limits: Limits,
    pub(super) records: BTreeMap<u64, Box<Record>>,
    pub(super) plans: Plans,
    pub(super) pending: Pending,
    /// Those that have ended and whose receipts have been handed out, longest ago first. Some may be gone, or have a receipt
    /// again.
    pub(super) ended: VecDeque<u64>,
    pub(super) joiner: Joiner,
    /// Long messages whose parts are treated as one.
    pub(super) groups: Groups,
    /// Numbers by id in lower case, where the number cannot be read from the id.
    pub(super) by_id: BTreeMap<Box<str>, BTreeSet<u64>>,
    /// The next number.
    pub(super) next: u64,
    /// Whether there may be decimal ids.
    pub(super) after_decimals: bool,
    /// What the clocks said when they last agreed.
    pub(super) clocks: Option<Now>,
    /// For a store: which have changed. None if there is no store.
    pub(super) changed: Option<BTreeSet<u64>>,
    pub(super) cleared: bool,
}

impl Mailbox {
    /// Holds nothing. `seed` is what ids that look like chance are made from.
    pub(crate) fn new(limits: Limits, seed: Seed) -> Mailbox {
        Mailbox {
            limits,
            records: BTreeMap::new(),
            plans: Plans::new(seed),
            pending: Pending::default(),
            ended: VecDeque::new(),
            joiner: Joiner::new(limits.join),
            groups: Groups::default(),
            by_id: BTreeMap::new(),
            next: 1,
            after_decimals: false,
            clocks: None,
            changed: None,
            cleared: false,
        }
    }

    /// Puts a message into a later state, whatever was going to happen to it. ACCEPTED may be followed by another final
    /// state, as with operators that report it first.
    ///
    /// # Errors
    /// In words: there is no such message, or it does not go that way.
    pub(crate) fn force(
        &mut self,
        now: Now,
        number: u64,
        state: MessageState,
        error: Option<u8>,
    ) -> Result<(), String> {
        self.look(now);
        let was = self.get(number).ok_or_else(|| format!("there is no message {number}"))?.state;
        if state.name().is_none() || rank(state) <= rank(was) {
            return Err(format!("message {number} is {}: it cannot become {}", State(was), State(state)));
        }
        self.change(number, |record, plans| {
            if state.is_final() {
                record.finish(state, error.unwrap_or_else(|| error_of(state)), now, plans);
            } else {
                record.stop(plans);
                record.turn(Turn::Begin, now, plans);
                record.go_on(now, plans);
            }
        });
        Ok(())
    }

    /// When [`tick`](Self::tick) next has something to do, on the clock of [`Now::mono`].
    pub(crate) fn poll_timeout(&self) -> Option<Duration> {
        self.plans.next()
    }

    /// Time has passed. What was to happen happens in its order, each at its own time, however late this is called.
    pub(crate) fn tick(&mut self, now: Now) {
        self.look(now);
        while let Some((mono, act)) = self.plans.pop(now.mono) {
            let then = Now { mono, wall: now.wall.saturating_sub(now.mono - mono) };
            match act {
                Act::Turn(number, turn) => self.change(number, |record, plans| {
                    record.timer = None;
                    record.turn(turn, then, plans);
                    record.go_on(then, plans);
                }),
                Act::Receipt(number, index) => self.change(number, |record, plans| {
                    record.planned -= 1;
                    plans.receipt_is_due(record, index);
                }),
            };
        }
    }

    /// The next receipt to be sent, in the order in which they came due.
    pub(crate) fn poll_due(&mut self) -> Option<Due> {
        self.plans.poll_due()
    }

    /// A receipt is on its way to a session.
    pub(crate) fn sent(&mut self, now: Now, number: u64, index: usize, session: u64) {
        self.change(number, |record, _| {
            if let Some(fate) = record.receipts.get_mut(index) {
                (fate.outcome, fate.session, fate.at) = (Outcome::Sent, session, now.wall);
                fate.attempts += 1;
            }
        });
    }

    /// What became of sending it: `Waiting` when it is offered again, or a final outcome; `status` is what the ESME said.
    pub(crate) fn ended(
        &mut self,
        now: Now,
        number: u64,
        index: usize,
        outcome: Outcome,
        status: Option<CommandStatus>,
    ) {
        self.change(number, |record, _| {
            if let Some(fate) = record.receipts.get_mut(index) {
                (fate.outcome, fate.status, fate.at) = (outcome, status.or(fate.status), now.wall);
            }
        });
    }

    /// Messages with this id, by number: several of one submit_multi, of one long message, or of a pattern that gives all the
    /// same id. Case does not count; the form does: the id of one message in hexadecimal may be that of another in decimal.
    pub(crate) fn find(&self, id: &str) -> impl Iterator<Item = u64> + use<> {
        let read = id::readings(id, self.plans.seed).find(|first| self.named(*first, id).next().is_some());
        let mut found: BTreeSet<u64> = read.into_iter().flat_map(|first| self.named(first, id)).collect();
        if !self.by_id.is_empty() && !id.is_empty() {
            found.extend(self.by_id.get(id.to_ascii_lowercase().as_str()).into_iter().flatten());
        }
        found.into_iter()
    }

    /// Adds a message to those that are found by id alone, if it is one.
    pub(super) fn index(&mut self, record: &Record) {
        if is_indexed(record) {
            self.by_id.entry(record.id.to_ascii_lowercase().into()).or_default().insert(record.number);
        }
    }

    pub(super) fn unindex(&mut self, record: &Record) {
        let id = record.id.to_ascii_lowercase();
        if is_indexed(record)
            && let Some(numbers) = self.by_id.get_mut(id.as_str())
        {
            numbers.remove(&record.number);
            if numbers.is_empty() {
                self.by_id.remove(id.as_str());
            }
        }
    }

    /// Of the messages whose id is made from `first`: those whose id this is.
    fn named(&self, first: u64, id: &str) -> impl Iterator<Item = u64> {
        let together =
            self.records.range(first..).map_while(move |(_, record)| (record.first == first).then_some(record));
        together.filter(move |record| record.id.eq_ignore_ascii_case(id)).map(|record| record.number)
    }

    /// One message.
    pub(crate) fn get(&self, number: u64) -> Option<&Record> {
        self.records.get(&number).map(|record| &**record)
    }

    /// Those that match, as they are shown.
    pub(crate) fn select(&self, filter: &Filter) -> Vec<Message> {
        let from = filter.after.map_or(0, |after| after.saturating_add(1));
        let (mut ahead, mut back) = (self.records.range(from..), self.records.range(from..).rev());
        let numbered = std::iter::from_fn(|| if filter.newest_first { back.next() } else { ahead.next() });
        let matching = numbered.filter(|(_, record)| filter.matches(record));
        matching.take(filter.limit.unwrap_or(usize::MAX)).map(|(_, record)| record.view(self.plans.seed)).collect()
    }

    /// All, by number.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Record> {
        self.records.values().map(|record| &**record)
    }

    /// Messages of the account that have not ended.
    pub(crate) fn pending(&self, account: &str) -> usize {
        self.pending.count(account)
    }

    /// Messages of the account to this destination that have not ended.
    pub(crate) fn pending_to(&self, account: &str, destination: &str) -> usize {
        // Addresses are shown as Latin-1.
        let octets: Vec<u8> = destination.chars().map(|character| character as u8).collect();
        self.pending.count_to(account, &octets)
    }

    /// Seed of ids that look random.
    pub(crate) const fn seed(&self) -> Seed {
        self.plans.seed
    }

    /// Messages remembered.
    pub(crate) fn len(&self) -> usize {
        self.records.len()
    }

    /// Forgets all messages, and what was planned for them. Numbers go on.
    pub(crate) fn clear(&mut self) {
        self.records.clear();
        self.plans.clear();
        self.pending.clear();
        self.ended.clear();
        self.joiner = Joiner::new(self.limits.join);
        self.groups.clear();
        self.by_id.clear();
        self.cleared = self.changed.as_mut().map(BTreeSet::clear).is_some();
    }

    /// Everything that happens to a message that is there happens in here, so that the lists stay true.
    pub(super) fn change<T>(&mut self, number: u64, act: impl FnOnce(&mut Record, &mut Plans) -> T) -> Option<T> {
        let record = self.records.get_mut(&number)?;
        let (was_final, was_over) = (record.state.is_final(), is_over(record));
        let done = act(record, &mut self.plans);
        if !was_final && record.state.is_final() {
            self.pending.remove(record);
        }
        if !was_over && is_over(record) {
            self.ended.push_back(number);
        }
        self.touch(number);
        self.look_at_ended_parts();
        Some(done)
    }

    /// Sends the receipt of each long message whose last part has ended.
    pub(super) fn look_at_ended_parts(&mut self) {
        while let Some((number, now)) = self.plans.poll_ended_part() {
            let Some(record) = self.get(number) else { continue };
            let Some((key, _)) = part_of(&record.account, &record.body) else { continue };
            let Some(group) = self.groups.of(&key, number).filter(|group| group.is_complete()) else { continue };
            let states: Vec<_> = group.messages.iter().filter_map(|number| Some(self.get(*number)?.state)).collect();
            let Some(&first) = group.messages.first().filter(|_| states.iter().all(|state| state.is_final())) else {
                continue;
            };
            self.groups.remove(&key);
            // The worst of them: the message has not arrived if a part has not.
            let state = states.iter().copied().find(|state| !is_success(*state)).or(states.first().copied());
            let state = state.unwrap_or(MessageState::DELIVERED);
            self.change(first, |record, plans| record.plan_receipts(state, now, plans));
        }
    }

    pub(super) fn touch(&mut self, number: u64) {
        if let Some(changed) = &mut self.changed {
            changed.insert(number);
        }
    }
}

/// Returns `true` if the number cannot be read from the id.
fn is_indexed(record: &Record) -> bool {
    let is_shared = record.life.part_ids == PartIds::Shared && record.body.may_be_part();
    !record.id.is_empty() && (is_shared || matches!(record.life.id_form, IdForm::Pattern(_)))
}

/// Whether nothing more is planned for it.
pub(super) fn is_over(record: &Record) -> bool {
    record.state.is_final() && record.planned == 0
}
