//! What time will do: a table of timers, and the receipts whose time has come.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use smpp_transport::env::Seed;

use super::course::Turn;
use super::mailbox::Due;
use super::{Fate, Now, Receipt, Record};

/// What happens at a time.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Act {
    /// The message with this number goes on.
    Turn(u64, Turn),
    /// Its receipt with this index is due.
    Receipt(u64, usize),
}

/// Key of a timer: of two at the same time the one that was planned first comes first.
pub(super) type Key = (Duration, u64);

#[derive(Debug)]
pub(super) struct Plans {
    /// A tree and not a heap: a message that ends otherwise takes its timer along, however far that is off.
    timers: BTreeMap<Key, Act>,
    /// Those of them that stand for a time of day: the wall clock is looked at while there are any.
    by_day: BTreeSet<Key>,
    /// When it was last.
    pub(super) looked: Duration,
    order: u64,
    due: VecDeque<Due>,
    /// Messages that have ended as parts of a long one, of which one receipt is wanted.
    ended_parts: VecDeque<(u64, Now)>,
    pub(super) seed: Seed,
}

/// How often the wall clock is looked at while something waits for a time of day.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

impl Plans {
    pub(super) const fn new(seed: Seed) -> Plans {
        Plans {
            timers: BTreeMap::new(),
            by_day: BTreeSet::new(),
            looked: Duration::ZERO,
            order: 0,
            due: VecDeque::new(),
            ended_parts: VecDeque::new(),
            seed,
        }
    }

    /// Something is to happen at this wall time, which has not come.
    pub(super) fn plan(&mut self, now: Now, wall: Duration, act: Act) -> Key {
        self.order += 1;
        let key = (now.mono.saturating_add(wall.saturating_sub(now.wall)), self.order);
        self.timers.insert(key, act);
        key
    }

    /// The same, and it is a time of day.
    pub(super) fn plan_by_day(&mut self, now: Now, wall: Duration, act: Act) -> Key {
        let key = self.plan(now, wall, act);
        self.by_day.insert(key);
        key
    }

    pub(super) fn cancel(&mut self, key: Key) {
        self.timers.remove(&key);
        self.by_day.remove(&key);
    }

    /// When the next timer is, or the wall clock is looked at.
    pub(super) fn next(&self) -> Option<Duration> {
        let timer = self.timers.first_key_value().map(|(key, _)| key.0)?;
        Some(if self.by_day.is_empty() { timer } else { timer.min(self.looked.saturating_add(LOOK_INTERVAL)) })
    }

    /// The next of those whose time has come.
    pub(super) fn pop(&mut self, mono: Duration) -> Option<(Duration, Act)> {
        let first = self.timers.first_entry()?;
        let (key, act) = (first.key().0 <= mono).then(|| first.remove_entry())?;
        self.by_day.remove(&key);
        Some((key.0, act))
    }

    /// The receipt of the record with this index is due now, in as many parts as it is sent in.
    pub(super) fn receipt_is_due(&mut self, record: &mut Record, index: usize) {
        let receipt = Receipt::of(record, index, self.seed);
        let total = if receipt.is_part() { 1 } else { receipt.parts() };
        if total == 1 {
            return self.is_due(record, receipt);
        }
        for number in 1..=total {
            let fate = Fate { part: Some((number, total)), first_part: index, ..record.receipts[index].clone() };
            let index = if number == 1 { index } else { record.receipts.len() };
            match record.receipts.get_mut(index) {
                Some(first) => *first = fate,
                None => record.receipts.push(fate),
            }
            self.is_due(record, Receipt::of(record, index, self.seed));
        }
    }

    fn is_due(&mut self, record: &Record, receipt: Receipt) {
        let policy = receipt.policy();
        self.due.push_back(Due {
            account: record.account.clone(),
            session: record.session,
            which: policy.session.unwrap_or_default(),
            before_response: policy.before_response.unwrap_or_default(),
            receipt,
        });
    }

    /// A part has ended of a long message that has one receipt.
    pub(super) fn part_ended(&mut self, number: u64, now: Now) {
        self.ended_parts.push_back((number, now));
    }

    pub(super) fn poll_ended_part(&mut self) -> Option<(u64, Now)> {
        self.ended_parts.pop_front()
    }

    pub(super) fn poll_due(&mut self) -> Option<Due> {
        self.due.pop_front()
    }

    pub(super) fn clear(&mut self) {
        self.timers.clear();
        self.by_day.clear();
        self.due.clear();
        self.ended_parts.clear();
    }
}
