//! What the simulator itself says: the account that it gives at the end and before it is killed.

use std::time::Duration;

use smsc_sim::{Control, DeliveryInfo, Filter, Message, MessageReceipt};

use super::elsewhere;
use crate::history::{Kept, KeptReceipt, Recorder, What};
use crate::plan::{FaultKind, Plan};

/// Notes what it says of messages and deliveries, and what is left for it to do.
pub(super) fn note(recorder: &Recorder, plan: &Plan, smsc: usize, control: &Control, killed: bool) {
    let messages = control.messages(&Filter::default()).into_iter();
    let messages: Vec<_> = messages.map(|message| kept(plan, smsc, message)).collect();
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

fn kept(plan: &Plan, smsc: usize, message: Message) -> Kept {
    Kept {
        id: message.id,
        account: message.account,
        to: message.to.address,
        registered_delivery: message.registered_delivery,
        state: message.state.0,
        states: message.history.iter().map(|stay| (stay.state.0, simulated(plan, smsc, &stay.at))).collect(),
        receipts: message.receipts.iter().map(kept_receipt).collect(),
    }
}

fn kept_receipt(receipt: &MessageReceipt) -> KeptReceipt {
    let MessageReceipt { intermediate, outcome, attempts, .. } = *receipt;
    KeptReceipt { state: receipt.state.0, intermediate, outcome, attempts }
}

/// How far from its fault what a wrong clock has said may be: time is rounded on the slower tier.
const ROUNDED_MS: i64 = 100;

/// Simulated time of a date that the simulator's clock has said. It is wrong by more than a run takes, where it is wrong: so
/// what it has said then is far from all else.
fn simulated(plan: &Plan, smsc: usize, date: &str) -> Duration {
    let said = since_the_epoch_ms(date);
    let then = plan.faults.iter().filter(|fault| fault.is_at(smsc)).find_map(|fault| {
        let FaultKind::SmscClockStep(seconds) = fault.kind else { return None };
        let at = said - i64::from(seconds) * 1_000;
        let ms = |ms: u64| i64::try_from(ms).unwrap_or(i64::MAX);
        let (from, until) = (ms(fault.at_ms) - ROUNDED_MS, ms(fault.at_ms + fault.for_ms) + ROUNDED_MS);
        (from..=until).contains(&at).then_some(at)
    });
    Duration::from_millis(u64::try_from(then.unwrap_or(said)).unwrap_or(0))
}

/// Of a date in the first month, or the day before: `2026-01-01T00:00:01.234Z`.
fn since_the_epoch_ms(date: &str) -> i64 {
    let number = |from: usize, to: usize| date.get(from..to).and_then(|digits| digits.parse::<i64>().ok()).unwrap_or(0);
    let day = number(8, 10) - if date.starts_with("2025-12") { 32 } else { 1 };
    let hours = day * 24 + number(11, 13);
    ((hours * 60 + number(14, 16)) * 60 + number(17, 19)) * 1_000 + number(20, 23)
}
