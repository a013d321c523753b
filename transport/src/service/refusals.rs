//! Receipts for unknown messages that the SMSC is made to send again a few times.

use std::collections::{BTreeMap, VecDeque};

/// Receipts whose refusals are counted, at most; beyond it the oldest are forgotten.
const RECEIPTS_MAX: usize = 10_000;

/// Counts of refusals of each receipt, by its id and state.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    counts: BTreeMap<(String, Box<str>), u32>,
    by_age: VecDeque<(String, Box<str>)>,
}

impl Refusals {
    /// Returns `true` if the receipt is to be refused once more, and counts that.
    pub(super) fn refuses(&mut self, tries: u32, id: &str, smpp_status: &str) -> bool {
        if tries == 0 {
            return false;
        }
        let key = (id.to_owned(), Box::from(smpp_status));
        let Some(count) = self.counts.get_mut(&key) else {
            if self.by_age.len() >= RECEIPTS_MAX
                && let Some(oldest) = self.by_age.pop_front()
            {
                self.counts.remove(&oldest);
            }
            self.by_age.push_back(key.clone());
            self.counts.insert(key, 1);
            return true;
        };
        *count = count.saturating_add(1);
        *count <= tries
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_receipt_is_refused_as_often_as_configured() {
        let mut refusals = Refusals::default();
        assert!(!refusals.refuses(0, "1", "DELIVRD"));
        let refused = [(); 4].map(|()| refusals.refuses(2, "1", "DELIVRD"));
        assert_eq!(refused, [true, true, false, false]);
        assert!(refusals.refuses(2, "1", "UNDELIV") && refusals.refuses(2, "2", "DELIVRD"));
    }

    #[test]
    fn the_oldest_are_forgotten() {
        let mut refusals = Refusals::default();
        (0..=10_000).for_each(|id| assert!(refusals.refuses(1, &id.to_string(), "")));
        assert!(refusals.refuses(1, "0", "") && !refusals.refuses(1, "10000", ""));
        assert_eq!((refusals.counts.len(), refusals.by_age.len()), (10_000, 10_000));
    }
}
