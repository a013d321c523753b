//! What the simulator itself says: the account that it gives at the end and before it is killed.

use std::time::Duration;

use smsc_sim::{Control, DeliveryInfo, Filter, Message, MessageReceipt};

use crate::history::{Kept, KeptReceipt, Recorder, What};

/// Notes what it says of messages and deliveries, and what is left for it to do.
pub(super) fn note(recorder: &Recorder, control: &Control, killed: bool) {
    let messages: Vec<_> = control.messages(&Filter::default()).into_iter().map(kept).collect();
    let mut left: Vec<_> = messages.iter().filter(|_| !killed).flat_map(left).collect();
    let waiting = control.stats().deliveries_waiting;
    if !killed && left.is_empty() && waiting > 0 {
        left.push(format!("{waiting} deliveries"));
    }
    left.into_iter().for_each(|what| recorder.note(What::Restless { what }));
    let deliveries = (1..).map_while(|id| control.delivery(id)).map(|DeliveryInfo { state, .. }| state).collect();
    recorder.note(What::Account { killed, messages, deliveries });
}

/// What is left to do with a message, in words.
fn left(kept: &Kept) -> Vec<String> {
    let open = kept.receipts.iter().filter(|receipt| !receipt.outcome.is_final());
    let end = (!kept.state.is_final()).then(|| format!("end of {}, which is {}", kept.id, kept.state));
    end.into_iter().chain(open.map(|_| format!("receipt of {}", kept.id))).collect()
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
