//! What the simulator itself says: whether it is at rest, and the account that it gives at the end and before it is killed.

use std::time::Duration;

use smsc_sim::{Control, DeliveryInfo, Filter, Message, MessageReceipt};

use crate::history::{Kept, KeptReceipt, Recorder, What};

/// What is left for the simulator to do, in words. To be asked often: first what is cheap.
pub(super) fn left(control: &Control) -> Vec<String> {
    let stats = control.stats();
    if stats.pending == 0 && stats.deliveries_waiting == 0 && stats.messages == 0 {
        return Vec::new();
    }
    let mut words = Vec::new();
    for message in control.messages(&Filter::default()) {
        if !message.state.0.is_final() {
            words.push(format!("end of {}, which is {}", message.id, message.state));
        }
        let open = message.receipts.iter().filter(|receipt| !receipt.outcome.is_final());
        words.extend(open.map(|_| format!("receipt of {}", message.id)));
    }
    if words.is_empty() && stats.deliveries_waiting > 0 {
        words.push(format!("{} deliveries", stats.deliveries_waiting));
    }
    words
}

/// Whether there is nothing left for it to do.
pub(super) fn is_at_rest(control: &Control) -> bool {
    let stats = control.stats();
    stats.pending == 0 && stats.deliveries_waiting == 0 && left(control).is_empty()
}

/// Notes what it says of messages and deliveries.
pub(super) fn note(recorder: &Recorder, control: &Control, killed: bool) {
    let messages = control.messages(&Filter::default()).into_iter().map(kept).collect();
    let deliveries = (1..).map_while(|id| control.delivery(id)).map(|DeliveryInfo { state, .. }| state).collect();
    recorder.note(What::Account { killed, messages, deliveries });
}

fn kept(message: Message) -> Kept {
    Kept {
        id: message.id,
        account: message.account,
        to: message.to.address,
        registered_delivery: message.registered_delivery,
        state: message.state.0,
        states: message.history.iter().map(|stay| (stay.state.0, simulated(&stay.at))).collect(),
        receipts: message.receipts.iter().map(kept_receipt).collect(),
    }
}

fn kept_receipt(receipt: &MessageReceipt) -> KeptReceipt {
    let MessageReceipt { intermediate, outcome, attempts, .. } = *receipt;
    KeptReceipt { state: receipt.state.0, intermediate, outcome, attempts }
}

/// Simulated time of a date in the first month: `2026-01-01T00:00:01.234Z`.
fn simulated(date: &str) -> Duration {
    let number = |from: usize, to: usize| date.get(from..to).and_then(|digits| digits.parse::<u64>().ok()).unwrap_or(0);
    let hours = (number(8, 10).saturating_sub(1)) * 24 + number(11, 13);
    Duration::from_millis(((hours * 60 + number(14, 16)) * 60 + number(17, 19)) * 1_000 + number(20, 23))
}
