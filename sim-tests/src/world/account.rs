//! What the simulator itself says: the account that it gives at the end and before it is killed.

use std::time::Duration;

use smsc_sim::{Control, DeliveryInfo, Filter, Message, MessageReceipt};

use super::elsewhere;
use crate::history::{Kept, KeptReceipt, Recorder, What};
use crate::plan::Plan;

/// Notes what it says of messages and deliveries, and what is left for it to do.
pub(super) fn note(recorder: &Recorder, plan: &Plan, smsc: usize, control: &Control, killed: bool) {
    let messages: Vec<_> = control.messages(&Filter::default()).into_iter().map(kept).collect();
    if !killed {
        left(plan, control, &messages).into_iter().for_each(|what| recorder.note(What::Restless { what }));
    }
    let deliveries = (1..).map_while(|id| control.delivery(id)).map(|DeliveryInfo { state, .. }| state).collect();
    recorder.note(What::Account { smsc, killed, messages, deliveries });
}

/// What is left to do, in words.
fn left(plan: &Plan, control: &Control, messages: &[Kept]) -> Vec<String> {
    let open = |kept: &Kept| kept.receipts.iter().filter(|receipt| !receipt.outcome.is_final()).count();
    let elsewhere = elsewhere(plan, control);
    // What waits for a transport that is bound elsewhere is not left, if it does wait.
    let is_held = |account: &String| {
        let of_it = messages.iter().filter(|kept| kept.account == *account);
        elsewhere.contains(account) && of_it.map(open).sum::<usize>() <= control.held(account)
    };
    let mut left = Vec::new();
    for kept in messages {
        left.extend((!kept.state.is_final()).then(|| format!("end of {}, which is {}", kept.id, kept.state)));
        if open(kept) > 0 && !is_held(&kept.account) {
            left.extend((0..open(kept)).map(|_| format!("receipt of {}", kept.id)));
        }
    }
    let held: usize = elsewhere.iter().map(|account| control.held(account)).sum();
    let waiting = control.stats().deliveries_waiting;
    if left.is_empty() && waiting > held as u64 {
        left.push(format!("{waiting} deliveries"));
    }
    left
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
