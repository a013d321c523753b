//! Receipts find their message: each one that is taken is told of, and nothing is told of another message, or that it does not
//! say.

use std::time::Duration;

use smpp_transport::pdu::MessageState;
use smpp_transport::text::message_id::{decimal_to_hex, hex_to_decimal, normal};

use super::super::{Frame, Report, slack};
use super::Seen;
use super::seen::{Delivered, Published, Try};
use crate::plan::{Fault, Ids};

/// Time after a fault until whoever met it has asked again.
const AGAIN: Duration = Duration::from_secs(2);

pub(super) fn reports(seen: &Seen, report: &mut Report) {
    nothing_is_told_that_no_receipt_says(seen, report);
    for receipt in seen.delivered.iter().filter(|it| it.is_receipt) {
        told_of(seen, receipt, report);
        comes_from_its_smsc(seen, receipt, report);
    }
}

/// SMSCs know nothing of what others were given.
fn comes_from_its_smsc(seen: &Seen, receipt: &Delivered, report: &mut Report) {
    let Some((owner, message)) = receipt.receipt_of() else { return };
    let smsc = receipt.line.smsc;
    let mut tries = seen.tries.get(&message).into_iter().flatten();
    if !tries.any(|it| it.line.smsc == smsc && it.frame.order < receipt.frame.order) {
        let words = format!("message {message} of {owner}: a receipt of SMSC {smsc}, which was never given it");
        report.broken(receipt.frame.at, words);
    }
}

fn nothing_is_told_that_no_receipt_says(seen: &Seen, report: &mut Report) {
    let receipts = seen.delivered.iter().filter(|it| it.is_receipt);
    let receipts: Vec<_> = receipts.map(|it| (it, forms(seen, it))).collect();
    for told in seen.published.iter().filter(|it| it.event() == "delivery_report") {
        let Some(message) = told.message else {
            let words = format!("a report of {:?}, which nobody sent", told.said.user_message_id());
            report.broken(told.at, words);
            continue;
        };
        // An SMSC that has lost its memory gives the same ids again: what comes then may be of another message.
        let ids = seen.tries.get(&message.1).into_iter().flatten().filter_map(Try::accepted);
        let ids: Vec<_> = ids.map(|(_, id)| normal(&id)).collect();
        let read = receipts.iter().filter(|(it, forms)| {
            let is_its = it.receipt_of() == Some(message) || forms.iter().any(|form| ids.contains(form));
            it.frame.order < told.order && is_its
        });
        let read: Vec<_> = read.map(|(it, _)| *it).collect();
        if read.is_empty() && ids.iter().any(|id| seen.is_given_twice(id)) {
            report.excused("reports: the SMSC gave an id twice");
        } else if read.is_empty() && ids.iter().any(|id| seen.is_other_form_of_another(id)) {
            report.excused("reports: an id is that of another message in the form of receipts");
        } else if read.is_empty() && seen.part.options.ids == Ids::Auto && has_forgotten(seen) {
            report.excused("reports: a form of ids may have been learned from a copy of a message that was forgotten");
        } else if read.is_empty() {
            let words = format!("message {} of {}: a report, and no receipt of it was read", message.1, message.0);
            report.broken(told.at, words);
        } else {
            tells_what_one_says(seen, message, told, &read, report);
        }
    }
}

/// Of messages of one part: what is told of several parts at once is not looked at.
fn tells_what_one_says(
    seen: &Seen,
    (owner, message): (usize, usize),
    told: &Published,
    read: &[&Delivered],
    report: &mut Report,
) {
    let mut tries = seen.tries.get(&message).into_iter().flatten();
    let is_sure = |it: &Try| it.part.total == 1 && it.accepted().is_none_or(|(_, id)| !seen.is_given_twice(&id));
    let status = told.said.delivery_status();
    // What is made of two states that differ is held against the SMSC's records.
    let is_plain = seen.plan.smsc.policy.receipt.tlv_state.is_none();
    if is_plain && tries.all(is_sure) && !read.iter().any(|receipt| may_mean(receipt, status)) {
        let words = format!("message {message} of {owner}: {status:?} was reported, which no receipt of it says");
        report.broken(told.at, words);
    }
}

/// Whether this is what a receipt comes to, by the state that it tells.
fn may_mean(receipt: &Delivered, status: &str) -> bool {
    let Some(state) = receipt.frame.receipt().and_then(|receipt| receipt.state) else { return true };
    match state {
        MessageState::DELIVERED => status == "delivered",
        MessageState::SCHEDULED | MessageState::ENROUTE | MessageState::UNKNOWN | MessageState::ACCEPTED => {
            status == "pending"
        }
        _ => status == "failed",
    }
}

/// Of messages of one part that were sent once, whose answer was heard and gave the id that the receipt has.
fn told_of(seen: &Seen, receipt: &Delivered, report: &mut Report) {
    let (Some((owner, message)), Some(answer)) = (receipt.receipt_of(), receipt.accepted()) else { return };
    let Some([only]) = seen.tries.get(&message).map(Vec::as_slice).filter(|_| owner == seen.owner) else { return };
    let Some(given) = only.accepted().filter(|_| only.part.total == 1 && only.is_heard(seen.plan)) else { return };
    let (first, last) = (given.0.order.min(receipt.frame.order), answer.order.max(given.0.order));
    if !is_its_id(seen, receipt, &given.1) || !seen.at_rest || seen.forgets(only.frame.order, seen.rest) {
        return;
    }
    if is_too_early(seen, receipt, only) || seen.is_given_twice(&given.1) {
        return;
    }
    let mut events = seen.events(message);
    let told = events.find(|event| event.event() == "delivery_report" && event.order >= first);
    if let Some(told) = told {
        told_once_learned(seen, receipt, &given.1, told, report);
    } else if is_part_lost(seen, receipt) {
        report.excused("reports: parts of a receipt may have been forgotten");
    } else if may_contradict(seen, receipt, answer) {
        report.excused("reports: a receipt was taken while a final one that differs was");
    } else if is_id_of_another_read(seen, receipt, &given.1, answer) {
        report.excused("reports: a receipt of another message, whose id is this one as it stands, was read before");
    } else {
        let words =
            format!("message {message} of {owner}: its receipt was taken at {last}, and nothing was told of it");
        report.broken(answer.at, words);
    }
}

/// Whether a final receipt of the same message that says something else was read before this one was answered: this one says
/// nothing more then, and if the bus refuses the report of the other, the SMSC has that still. One that is not final waits for
/// the ack of its message, and says nothing more if a final one comes meanwhile.
pub(super) fn may_contradict(seen: &Seen, receipt: &Delivered, answer: &Frame) -> bool {
    // The text may not be readable here, and say something else than the parameter.
    let is_plain = seen.plan.smsc.policy.receipt.tlv_state.is_none();
    let state = |it: &Delivered| it.frame.receipt().and_then(|receipt| receipt.state).filter(|_| is_plain);
    let may_be_final = |it: &Delivered| state(it).is_none() || !may_mean(it, "pending");
    let may_differ = |it: &Delivered| state(it).is_none() || state(it) != state(receipt);
    let acks = receipt.receipt_of().into_iter().flat_map(|(_, message)| seen.events(message));
    let acked = acks.filter(|event| event.event() == "ack").map(|event| event.order).max();
    let by = acked
        .filter(|_| state(receipt).is_none() || may_mean(receipt, "pending"))
        .map_or(answer.order, |acked| acked.max(answer.order));
    let of_same = seen.delivered.iter().filter(|it| it.receipt_of() == receipt.receipt_of());
    let mut others = of_same.filter(|it| it.frame.order != receipt.frame.order && may_be_final(it) && may_differ(it));
    others.any(|it| it.frame.order < by)
}

/// Whether a receipt of another message, whose id as it stands is the one that was given for this message, was read before this
/// receipt was answered. Until the form of ids is learned it counts for this message.
fn is_id_of_another_read(seen: &Seen, receipt: &Delivered, given: &str, answer: &Frame) -> bool {
    let is_same_id = |it: &Delivered| it.id.as_ref().is_some_and(|id| normal(id) == normal(given));
    let mut others = seen.delivered.iter().filter(|it| it.is_receipt && it.receipt_of() != receipt.receipt_of());
    seen.part.options.ids == Ids::Auto && others.any(|it| is_same_id(it) && it.frame.order < answer.order)
}

/// Whether it is a part of a receipt that may never have become whole: the store was forgotten, or a part of a receipt of the
/// same message was not taken or never came, or parts waited for one another for longer than they are held.
pub(super) fn is_part_lost(seen: &Seen, receipt: &Delivered) -> bool {
    if receipt.part.total <= 1 {
        return false;
    }
    let is_of_same = |it: &&Delivered| it.part.total > 1 && it.receipt_of() == receipt.receipt_of();
    let parts = || seen.delivered.iter().filter(is_of_same);
    let first = parts().map(|it| (it.frame.at, it.frame.order)).min().unwrap_or_default();
    let last = parts().map(|it| it.frame.at).max().unwrap_or_default();
    let held = Duration::from_millis(seen.part.options.join_expiry_ms);
    let is_late = last + slack(seen.plan) >= first.0 + held || seen.clocks_differ(first.0, last);
    let count = |number: u8| parts().filter(|it| it.part.number == number).count();
    let never_came = (1..=receipt.part.total).any(|number| count(number) < count(receipt.part.number));
    parts().any(|it| it.accepted().is_none() || seen.may_be_mixed(it))
        || never_came
        || is_late
        || seen.forgets(first.1, seen.rest)
}

/// Whether the store was forgotten at any time before the end.
fn has_forgotten(seen: &Seen) -> bool {
    seen.forgets(0, seen.rest)
}

fn is_its_id(seen: &Seen, receipt: &Delivered, given: &str) -> bool {
    forms(seen, receipt).contains(&normal(given))
        || is_guess(seen, receipt, given)
        || learned(seen, receipt, given).is_some()
}

/// When a process learned the form of an id of digits alone while it held the receipt: from a receipt whose id is found by a guess,
/// and whose message was sent by then. `None` if it did not, or if the id may be another message's as it stands.
fn learned(seen: &Seen, receipt: &Delivered, given: &str) -> Option<Duration> {
    let (id, answer) = (receipt.id.as_ref()?, receipt.accepted()?);
    let converted = match (seen.part.options.ids, Ids::of(&seen.plan.smsc.policy)) {
        (Ids::Auto, Ids::DecimalReceipts) => decimal_to_hex(&normal(id)),
        (Ids::Auto, Ids::HexReceipts) => hex_to_decimal(&normal(id)),
        _ => None,
    };
    if converted != Some(normal(given)) || seen.is_given(id) || seen.is_other_form_of_another(given) {
        return None;
    }
    let teaches = |other: &&Delivered| {
        let (Some(taken), Some((owner, message))) = (other.accepted(), other.receipt_of()) else { return false };
        let mut own = seen.tries.get(&message).into_iter().flatten().filter_map(Try::accepted);
        let is_guessed = own.any(|(_, id)| is_guess(seen, other, &id));
        let is_sent = seen.events(message).any(|event| event.event() == "ack" && event.order < other.frame.order);
        let hold = Duration::from_millis(seen.part.options.early_hold_ms);
        let is_held = other.frame.at < receipt.frame.at + hold;
        let is_later = is_held && other.frame.order > answer.order && other.part.total == 1;
        owner == seen.owner && is_guessed && is_sent && is_later && is_of_one_process(seen, receipt, other, taken)
    };
    let teacher = seen.delivered.iter().find(teaches)?;
    teacher.accepted().map(|taken| taken.at)
}

/// A form that is learned counts for receipts that are held at once, and not when their time is over.
fn told_once_learned(seen: &Seen, receipt: &Delivered, given: &str, told: &Published, report: &mut Report) {
    let (Some(learned), Some((_, message))) = (learned(seen, receipt, given), receipt.receipt_of()) else { return };
    // No report is published before the ack of its message.
    let acked = seen.events(message).find(|event| event.event() == "ack").map_or(learned, |event| event.at);
    if told.at <= learned.max(acked) + soon(seen) {
        return;
    }
    if has_failed_meanwhile(seen, receipt.frame.at, told.at) {
        return report.excused("reports: something failed while a form of ids was learned");
    }
    let words = format!("the form of its id was learned at {learned:?}, and it was reported later");
    report.broken(told.at, format!("a receipt of {:?}: {words}", receipt.receipt_of()));
}

/// Time within which a transport reports what it knows: each of several reports needs store and bus several times.
pub(super) fn soon(seen: &Seen) -> Duration {
    Duration::from_millis(10 * (seen.part.bus.delay_ms + 4 * seen.part.sync_ms)) + slack(seen.plan)
}

/// Whether bus, store or anything else failed between these times, or somebody waited for it to be back.
pub(super) fn has_failed_meanwhile(seen: &Seen, from: Duration, to: Duration) -> bool {
    let began = |fault: &Fault| Duration::from_millis(fault.at_ms);
    let ended = |fault: &Fault| Duration::from_millis(fault.at_ms + fault.for_ms);
    let mut faults = seen.plan.faults.iter();
    let bus = &seen.part.bus;
    bus.refuse > 0.0 || bus.unconfirmed > 0.0 || faults.any(|it| began(it) <= to && from <= ended(it) + AGAIN)
}

/// Whether two receipts came to one process, and no process ended from the first of them until a second after the second was
/// taken.
fn is_of_one_process(seen: &Seen, first: &Delivered, second: &Delivered, taken: &Frame) -> bool {
    let is_same = first.line.process == second.line.process;
    let soon = taken.at + Duration::from_secs(1);
    let ends_before = |end: &usize| *end > first.frame.order && seen.at(*end).is_none_or(|at| at <= soon);
    is_same && !seen.ends.iter().any(ends_before)
}

/// Whether the id is found by a guess: in hexadecimal on one side and in decimal on the other, with letters on the one side. An
/// id that is another message's as it stands is that message's.
fn is_guess(seen: &Seen, receipt: &Delivered, given: &str) -> bool {
    let (Some(id), Ids::Auto) = (receipt.id.as_ref(), seen.part.options.ids) else { return false };
    let (id, given) = (normal(id), normal(given));
    let has_letters = |id: &str| id.bytes().any(|octet| octet.is_ascii_alphabetic());
    let is_hexadecimal = has_letters(&given) && decimal_to_hex(&id).as_ref() == Some(&given);
    let is_decimal = has_letters(&id) && hex_to_decimal(&id).as_ref() == Some(&given);
    (is_hexadecimal || is_decimal) && !seen.is_given(&id)
}

/// The ids that a receipt has in its parameter and in its text, as responses gave them.
pub(super) fn forms(seen: &Seen, receipt: &Delivered) -> Vec<String> {
    let form = |id: &String| match seen.part.options.ids {
        Ids::AsIs | Ids::Auto => Some(normal(id)),
        Ids::DecimalReceipts => decimal_to_hex(id),
        Ids::HexReceipts => hex_to_decimal(id),
    };
    [&receipt.id, &receipt.id_in_text].into_iter().flatten().filter_map(form).collect()
}

/// One that comes before its id is held for a while only.
fn is_too_early(seen: &Seen, receipt: &Delivered, only: &Try) -> bool {
    let hold = Duration::from_millis(seen.part.options.early_hold_ms);
    // The id is remembered before anything is told, however long that takes.
    let known = seen.events_after(only).unwrap_or(seen.end);
    let is_held = receipt.frame.at < known && seen.clocks_differ(receipt.frame.at, known);
    is_held || receipt.frame.at + hold <= known + slack(seen.plan)
}
