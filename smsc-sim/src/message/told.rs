//! What is told of messages to those who watch, and the receipts that they send by hand.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Fate, Mailbox, Message, Now, Outcome};
use crate::control::ReceiptNow;
use crate::words::State;

impl Mailbox {
    /// The message with this id; of submit_multi the one to the first destination.
    pub(crate) fn view(&self, id: &str) -> Option<Message> {
        self.find(id).next().and_then(|number| self.get(number)).map(super::Record::view)
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
            let (policy, error) = (Arc::clone(&record.life.receipt), record.error);
            let mut told = receipt.receipt.over(&policy);
            told.state = receipt.state.or(receipt.receipt.state);
            record.error = receipt.error.unwrap_or(error);
            let times = told.times.unwrap_or(1);
            record.life.receipt = Arc::new(told);
            for _ in 0..times {
                record.receipts.push(Fate {
                    state: receipt.state.map_or(record.state, |state| state.0),
                    intermediate: receipt.intermediate,
                    reached: record.done.unwrap_or(now.wall),
                    due: now.wall,
                    outcome: Outcome::Waiting,
                    session: 0,
                    status: None,
                    attempts: 0,
                    at: now.wall,
                });
                plans.receipt_is_due(record, record.receipts.len() - 1);
            }
            (record.life.receipt, record.error) = (policy, error);
        });
    }
}
