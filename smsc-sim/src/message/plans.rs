//! What time will do: a table of timers, and the receipts whose time has come.

use std::collections::{BTreeMap, VecDeque};
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
    order: u64,
    due: VecDeque<Due>,
    pub(super) seed: Seed,
}

impl Plans {
    pub(super) const fn new(seed: Seed) -> Plans {
        Plans { timers: BTreeMap::new(), order: 0, due: VecDeque::new(), seed }
    }

    /// Something is to happen at this wall time, which has not come.
    pub(super) fn plan(&mut self, now: Now, wall: Duration, act: Act) -> Key {
        self.order += 1;
        let key = (now.mono.saturating_add(wall.saturating_sub(now.wall)), self.order);
        self.timers.insert(key, act);
        key
    }

    pub(super) fn cancel(&mut self, key: Key) {
        self.timers.remove(&key);
    }

    /// When the next timer is.
    pub(super) fn next(&self) -> Option<Duration> {
        self.timers.first_key_value().map(|(key, _)| key.0)
    }

    /// The next of those whose time has come.
    pub(super) fn pop(&mut self, mono: Duration) -> Option<(Duration, Act)> {
        let first = self.timers.first_entry()?;
        (first.key().0 <= mono).then(|| first.remove_entry()).map(|((at, _), act)| (at, act))
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
        self.due.clear();
    }
}
