//! What time will do: a table of timers, and the receipts whose time has come.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use smpp_transport::env::Seed;

use super::course::Turn;
use super::mailbox::Due;
use super::{Now, Receipt, Record};

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
    pub(super) seed: Seed,
}

/// How often the wall clock is looked at while something waits for a time of day.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

impl Plans {
    pub(super) const fn new(seed: Seed) -> Plans {
        let due = VecDeque::new();
        Plans { timers: BTreeMap::new(), by_day: BTreeSet::new(), looked: Duration::ZERO, order: 0, due, seed }
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

    /// The receipt of the record with this index is due now.
    pub(super) fn receipt_is_due(&mut self, record: &Record, index: usize) {
        self.due.push_back(Due {
            account: record.account.clone(),
            session: record.session,
            which: record.life.receipt.session.unwrap_or_default(),
            before_response: record.life.receipt.before_response.unwrap_or_default(),
            receipt: Receipt::of(record, index, self.seed),
        });
    }

    pub(super) fn poll_due(&mut self) -> Option<Due> {
        self.due.pop_front()
    }

    pub(super) fn clear(&mut self) {
        self.timers.clear();
        self.by_day.clear();
        self.due.clear();
    }
}
