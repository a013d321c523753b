//! Which messages have not ended, by what cancel_sm and replace_if_present_flag look for.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{Address, Record};

#[derive(Debug, Default)]
pub(super) struct Pending {
    by_account: BTreeMap<Arc<str>, usize>,
    by_destination: BTreeMap<Arc<str>, BTreeMap<Box<[u8]>, usize>>,
    by_addresses: BTreeMap<Between, BTreeSet<u64>>,
}

/// Account, source and destination.
type Between = (Arc<str>, Address, Address);

impl Pending {
    pub(super) fn insert(&mut self, record: &Record) {
        *self.by_account.entry(Arc::clone(&record.account)).or_default() += 1;
        let to = self.by_destination.entry(Arc::clone(&record.account)).or_default();
        *to.entry(record.body.destination.digits.clone()).or_default() += 1;
        self.by_addresses.entry(between(record)).or_default().insert(record.number);
    }

    /// Of a record that was inserted and whose addresses are the same as then.
    pub(super) fn remove(&mut self, record: &Record) {
        if let Some(count) = self.by_account.get_mut(&record.account) {
            *count -= 1;
            if *count == 0 {
                self.by_account.remove(&record.account);
            }
        }
        if let Some(to) = self.by_destination.get_mut(&record.account)
            && let Some(count) = to.get_mut(&record.body.destination.digits)
        {
            *count -= 1;
            if *count == 0 {
                to.remove(&record.body.destination.digits);
            }
        }
        let between = between(record);
        if let Some(numbers) = self.by_addresses.get_mut(&between) {
            numbers.remove(&record.number);
            if numbers.is_empty() {
                self.by_addresses.remove(&between);
            }
        }
    }

    /// How many there are of this account.
    pub(super) fn count(&self, account: &str) -> usize {
        self.by_account.get(account).copied().unwrap_or_default()
    }

    /// Returns how many there are of this account to this destination.
    pub(super) fn count_to(&self, account: &str, destination: &[u8]) -> usize {
        let to = self.by_destination.get(account).and_then(|to| to.get(destination));
        to.copied().unwrap_or_default()
    }

    /// Those between two addresses, oldest first.
    pub(super) fn between(
        &self,
        account: &str,
        source: &Address,
        destination: &Address,
    ) -> impl DoubleEndedIterator<Item = u64> {
        let key = (Arc::from(account), source.clone(), destination.clone());
        self.by_addresses.get(&key).into_iter().flatten().copied()
    }

    pub(super) fn clear(&mut self) {
        *self = Pending::default();
    }
}

fn between(record: &Record) -> Between {
    (Arc::clone(&record.account), record.body.source.clone(), record.body.destination.clone())
}
