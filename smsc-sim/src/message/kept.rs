//! What a store needs to know of a mailbox, and how a mailbox takes up again what a store kept.

use std::collections::BTreeSet;

use super::accept::part_of;
use super::mailbox::{Mailbox, is_over};
use super::{Now, Outcome, Record};

/// What a store is told.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Change {
    /// All is forgotten. What follows came after.
    Cleared,
    /// A message is new or has changed.
    Kept(Box<Record>),
    /// A message is forgotten. The store may never have heard of it.
    Forgotten(u64),
}

impl Mailbox {
    /// Whether changes are noted for a store, which then must take them. Default: no.
    pub(crate) fn track_changes(&mut self, track: bool) {
        self.changed = track.then(BTreeSet::new);
        self.cleared = false;
    }

    /// What has changed since this was last asked, by number.
    pub(crate) fn take_changes(&mut self) -> Vec<Change> {
        let cleared = std::mem::take(&mut self.cleared).then_some(Change::Cleared);
        let numbers = self.changed.as_mut().map(std::mem::take).unwrap_or_default();
        let changes = numbers.into_iter().map(|number| match self.records.get(&number) {
            Some(record) => Change::Kept(record.clone()),
            None => Change::Forgotten(number),
        });
        cleared.into_iter().chain(changes).collect()
    }

    /// The next message gets this number, if not a higher one: those below may have been given.
    pub(crate) fn skip_numbers_to(&mut self, number: u64) {
        self.next = self.next.max(number);
    }

    /// The number that the next message gets.
    pub(crate) const fn next_number(&self) -> u64 {
        self.next
    }

    /// Takes up what a store kept: what was to come goes on, what is overdue comes now. Receipts that nobody has taken are
    /// due again, in the order they had; so one whose answer was lost comes twice. New numbers are above all of these.
    /// Long messages of which parts were missing are not joined.
    pub(crate) fn restore(&mut self, now: Now, mut records: Vec<Record>) {
        self.look(now);
        records.sort_by_key(|record| record.number);
        let (mut ended, mut receipts) = (Vec::new(), Vec::new());
        for mut record in records {
            let number = record.number;
            self.next = self.next.max(number + 1);
            // Nobody knows what those that are forgotten were called.
            self.after_decimals = true;
            (record.timer, record.planned) = (None, 0);
            if let Some(done) = record.done {
                ended.push((done, number));
            } else {
                self.pending.insert(&record);
            }
            for (index, fate) in record.receipts.iter_mut().enumerate().filter(|(_, fate)| !fate.outcome.is_final()) {
                fate.outcome = Outcome::Waiting;
                receipts.push((fate.due, number, index));
            }
            self.index(&record);
            if record.life.joins_parts()
                && let Some((key, part)) = part_of(&record.account, &record.body)
            {
                self.groups.add(key, part, number, record.first, &record.id);
            }
            self.records.insert(number, Box::new(record));
        }
        receipts.sort_unstable();
        for (_, number, index) in receipts {
            self.change(number, |record, plans| record.send_receipt(index, now, plans));
        }
        ended.sort_unstable();
        let over = ended.into_iter().map(|(_, number)| number).filter(|number| self.get(*number).is_some_and(is_over));
        let over: Vec<_> = over.collect();
        self.ended.extend(over);
        let waiting: Vec<_> =
            self.iter().filter(|record| !record.state.is_final()).map(|record| record.number).collect();
        for number in waiting {
            self.change(number, |record, plans| record.go_on(now, plans));
        }
    }
}
