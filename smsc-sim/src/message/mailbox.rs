//! The messages that there are, and what time and their senders make of them.
//!
//! What ESMEs ask afterwards (query_sm, cancel_sm, replace_sm) is in `asked`, what a store needs in `kept`.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use smpp_transport::env::Seed;
use smpp_transport::pdu::{CommandStatus, MessageState};
use smpp_transport::text::{self, JoinLimits, Joiner, PartAddress, Segment};

use super::course::{Turn, rank};
use super::life::error_of;
use super::pending::Pending;
use super::plans::{Act, Plans};
use super::record::MessageBody;
use super::{Address, Filter, Life, Message, Now, Outcome, Receipt, Record, Submission, id};
use crate::policy::{IdForm, Which};
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
    limits: Limits,
    pub(super) records: BTreeMap<u64, Box<Record>>,
    pub(super) plans: Plans,
    pub(super) pending: Pending,
    /// Those that have ended and whose receipts have been handed out, longest ago first. Some may be gone, or have a receipt
    /// again.
    pub(super) ended: VecDeque<u64>,
    joiner: Joiner,
    /// The next number.
    pub(super) next: u64,
    /// Whether there may be decimal ids.
    pub(super) after_decimals: bool,
    version: u64,
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
            next: 1,
            after_decimals: false,
            version: 0,
            changed: None,
            cleared: false,
        }
    }

    /// Takes a message. With replace_if_present_flag the last pending one with the same addresses and service type is
    /// replaced, as replace_sm would: it keeps its number and id, and the response gives that id. Where there is none, the
    /// message is a new one (§5.2.18).
    ///
    /// # Errors
    /// ESME_RMSGQFUL when there is no room, and none can be made. ESME_RINVSUBREP when the one to be replaced is on its way
    /// already, and the new one is to be sent later.
    pub(crate) fn accept(&mut self, now: Now, submission: Submission, life: Life) -> Result<Accepted, CommandStatus> {
        if submission.body.replace_if_present == 1
            && let Some(number) = self.replaceable(&submission)
        {
            return self.replace_all(now, number, submission, life);
        }
        let count = 1 + submission.further.len();
        self.make_room(count)?;
        let Submission { sender, body, further, times } = submission;
        let (first, id) = id::name(life.id_form, sender.short_ids, self.next, self.after_decimals, self.plans.seed);
        self.after_decimals |= matches!(life.id_form, IdForm::Decimal | IdForm::DecimalPadded);
        self.next = first + count as u64;
        let others: Vec<_> =
            further.into_iter().map(|destination| MessageBody { destination, ..body.clone() }).collect();
        for (number, body) in (first..).zip(std::iter::once(body).chain(others)) {
            let whole_text = self.join(now, &sender.account, &body);
            self.insert(
                now,
                Box::new(Record {
                    number,
                    first,
                    id: id.clone(),
                    account: Arc::clone(&sender.account),
                    session: sender.session,
                    body,
                    submitted: now.wall,
                    scheduled: times.scheduled,
                    expires: times.expires,
                    ends: None,
                    done: None,
                    life: life.clone(),
                    state: MessageState::SCHEDULED,
                    error: 0,
                    history: Vec::with_capacity(2),
                    receipts: Vec::new(),
                    whole_text,
                    timer: None,
                    planned: 0,
                }),
            );
        }
        Ok(Accepted { number: first, id, replaced: false })
    }

    fn insert(&mut self, now: Now, mut record: Box<Record>) {
        record.set_out(now, &mut self.plans);
        if !record.state.is_final() {
            self.pending.insert(&record);
        } else if record.planned == 0 {
            self.ended.push_back(record.number);
        }
        self.touch(record.number);
        self.records.insert(record.number, record);
    }

    fn replaceable(&self, new: &Submission) -> Option<u64> {
        let body = &new.body;
        let pending = self.pending.between(&new.sender.account, &body.source, &body.destination);
        pending.rev().find(|number| self.records[number].body.service_type == body.service_type)
    }

    fn replace_all(
        &mut self,
        now: Now,
        number: u64,
        submission: Submission,
        life: Life,
    ) -> Result<Accepted, CommandStatus> {
        let later = submission.times.scheduled.is_some_and(|scheduled| scheduled > now.wall);
        if later && self.records[&number].state == MessageState::ENROUTE {
            return Err(CommandStatus::ESME_RINVSUBREP);
        }
        let whole_text = self.join(now, &submission.sender.account, &submission.body);
        let id = self.change(number, |record, plans| {
            record.stop(plans);
            record.session = submission.sender.session;
            record.body = submission.body;
            record.scheduled = submission.times.scheduled;
            record.expires = submission.times.expires;
            record.life = life;
            record.whole_text = whole_text;
            if record.state == MessageState::ENROUTE {
                record.start_over(now);
            } else if !later {
                record.turn(Turn::Begin, now, plans);
            }
            record.go_on(now, plans);
            record.id.clone()
        });
        let id = id.ok_or(CommandStatus::ESME_RSYSERR)?;
        Ok(Accepted { number, id, replaced: true })
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

    /// Messages with this id, by number: several only of one submit_multi. Case does not count; the form does: what would be
    /// the id of one message in hexadecimal may be that of another in decimal.
    pub(crate) fn find(&self, id: &str) -> impl Iterator<Item = u64> {
        let found = id::readings(id, self.plans.seed).find(|first| self.named(*first, id).next().is_some());
        found.into_iter().flat_map(move |first| self.named(first, id))
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
        matching.take(filter.limit.unwrap_or(usize::MAX)).map(|(_, record)| record.view()).collect()
    }

    /// All, by number.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Record> {
        self.records.values().map(|record| &**record)
    }

    /// Messages of the account that have not ended.
    pub(crate) fn pending(&self, account: &str) -> usize {
        self.pending.count(account)
    }

    /// Messages remembered.
    pub(crate) fn len(&self) -> usize {
        self.records.len()
    }

    /// Rises with each change.
    pub(crate) const fn version(&self) -> u64 {
        self.version
    }

    /// Forgets all messages, and what was planned for them. Numbers go on.
    pub(crate) fn clear(&mut self) {
        self.records.clear();
        self.plans.clear();
        self.pending.clear();
        self.ended.clear();
        self.joiner = Joiner::new(self.limits.join);
        self.version += 1;
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
        Some(done)
    }

    pub(super) fn touch(&mut self, number: u64) {
        self.version += 1;
        if let Some(changed) = &mut self.changed {
            changed.insert(number);
        }
    }

    /// Forgets what ended longest ago until there is room for so many.
    fn make_room(&mut self, count: usize) -> Result<(), CommandStatus> {
        while self.records.len() + count > self.limits.messages_max {
            let number = self.ended.pop_front().ok_or(CommandStatus::ESME_RMSGQFUL)?;
            if self.get(number).is_some_and(is_over) {
                self.records.remove(&number);
                self.touch(number);
            }
        }
        Ok(())
    }

    /// The text of the whole, if this is the part that was missing. Parts of different accounts never meet.
    fn join(&mut self, now: Now, account: &str, body: &MessageBody) -> Option<Box<str>> {
        if !body.may_be_part() {
            return None;
        }
        let content = body.content();
        let segment = Segment::of(&content)?;
        let key = content.part?.key(part_address(account, &body.source), part_address("", &body.destination));
        let _ = self.joiner.expire(now.mono);
        let text::Outcome::Complete(joined) = self.joiner.add(now.mono, &key, &segment).outcome else { return None };
        self.joiner.published(&key);
        let binary = joined.runs.iter().any(|(charset, _)| charset.is_binary());
        (!binary).then(|| joined.decode().text.into_boxed_str())
    }
}

/// Whether nothing more is planned for it.
pub(super) fn is_over(record: &Record) -> bool {
    record.state.is_final() && record.planned == 0
}

fn part_address(account: &str, address: &Address) -> PartAddress {
    let addr = Bytes::from([account.as_bytes(), b"\0", &address.digits].concat());
    PartAddress { ton: address.ton.0, npi: address.npi.0, addr }
}
