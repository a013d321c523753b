//! What is told of messages to those who watch, and the receipts that they send by hand.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Fate, Mailbox, Message, Now};
use crate::control::ReceiptNow;
use crate::words::State;

impl Mailbox {
    /// The message with this id; of submit_multi the one to the first destination.
    pub(crate) fn view(&self, id: &str) -> Option<Message> {
        let record = self.find(id).next().and_then(|number| self.get(number));
        record.map(|record| record.view(self.plans.seed))
    }

    /// How many there are in each state.
    pub(crate) fn by_state(&self) -> BTreeMap<State, u64> {
        let mut counts = BTreeMap::new();
        for record in self.iter() {
            *counts.entry(State(record.state)).or_default() += 1;
        }
        counts
    }

    /// A receipt is due now, whatever the message asks for.
    pub(crate) fn report(&mut self, now: Now, number: u64, receipt: &ReceiptNow) {
        self.change(number, |record, plans| {
            let mut policy = receipt.receipt.over(&record.life.receipt);
            policy.state = receipt.state.or(receipt.receipt.state);
            let policy = Arc::new(policy);
            let state = receipt.state.map_or(record.state, |state| state.0);
            for _ in 0..policy.times.unwrap_or(1) {
                record.receipts.push(Fate {
                    intermediate: receipt.intermediate,
                    policy: Some(Arc::clone(&policy)),
                    error: receipt.error,
                    ..Fate::new(state, record.done.unwrap_or(now.wall), now.wall, now.wall)
                });
                plans.receipt_is_due(record, record.receipts.len() - 1);
            }
        });
    }
}
