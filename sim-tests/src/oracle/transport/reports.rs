//! Receipts find their message: each one that is taken is told of, and nothing is told of another message, or that it does not
//! say.

use std::time::Duration;

use smpp_transport::pdu::MessageState;
use smpp_transport::text::message_id::{decimal_to_hex, hex_to_decimal, normal};

use super::super::{Report, slack};
use super::Seen;
use super::seen::{Delivered, Published, Try};
use crate::plan::Ids;

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
    let receipts: Vec<_> = receipts.map(|it| (it, form(seen, it))).collect();
    for told in seen.published.iter().filter(|it| it.event() == "delivery_report") {
        let Some(message) = told.message else {
            let words = format!("a report of {:?}, which nobody sent", told.said.user_message_id());
            report.broken(told.at, words);
            continue;
        };
        // An SMSC that has lost its memory gives the same ids again: what comes then may be of another message.
        let ids = seen.tries.get(&message.1).into_iter().flatten().filter_map(Try::accepted);
        let ids: Vec<_> = ids.map(|(_, id)| normal(&id)).collect();
        let read = receipts.iter().filter(|(it, form)| {
            let is_its = it.receipt_of() == Some(message) || form.as_ref().is_some_and(|form| ids.contains(form));
            it.frame.order < told.order && is_its
        });
        let read: Vec<_> = read.map(|(it, _)| *it).collect();
        if read.is_empty() {
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
    let is_sure = |it: &Try| it.part.total == 1 && it.accepted().is_none_or(|(_, id)| !is_given_twice(seen, &id));
    let status = told.said.delivery_status();
    if tries.all(is_sure) && !read.iter().any(|receipt| may_mean(receipt, status)) {
        let words = format!("message {message} of {owner}: {status:?} was reported, which no receipt of it says");
        report.broken(told.at, words);
    }
}

/// Whether this is what a receipt comes to, by the state that it tells.
fn may_mean(receipt: &Delivered, status: &str) -> bool {
    let Some(state) = receipt.frame.receipt().and_then(|receipt| receipt.state) else { return true };
    match state {
        MessageState::DELIVERED => status == "delivered",
        // Some SMSCs mean that it has arrived, others that they have it: its name and the word for it in texts count as either.
        MessageState::ACCEPTED => matches!(status, "delivered" | "pending"),
        MessageState::SCHEDULED | MessageState::ENROUTE | MessageState::UNKNOWN => status == "pending",
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
    if is_too_early(seen, receipt, only) || is_given_twice(seen, &given.1) {
        return;
    }
    let is_told = seen.events(message).any(|event| event.event() == "delivery_report" && event.order >= first);
    if !is_told {
        let words =
            format!("message {message} of {owner}: its receipt was taken at {last}, and nothing was told of it");
        report.broken(answer.at, words);
    }
}

fn is_its_id(seen: &Seen, receipt: &Delivered, given: &str) -> bool {
    form(seen, receipt).is_some_and(|form| form == normal(given))
}

/// The id that a receipt has, as the response gave it.
fn form(seen: &Seen, receipt: &Delivered) -> Option<String> {
    let id = receipt.id.as_ref()?;
    match seen.part.options.ids {
        Ids::AsIs => Some(normal(id)),
        Ids::DecimalReceipts => decimal_to_hex(id),
        Ids::HexReceipts => hex_to_decimal(id),
    }
}

/// An SMSC that has lost its memory counts its ids anew.
fn is_given_twice(seen: &Seen, id: &str) -> bool {
    seen.given.get(&normal(id)).is_some_and(|count| *count > 1)
}

/// One that comes before its id is held for a while only.
fn is_too_early(seen: &Seen, receipt: &Delivered, only: &Try) -> bool {
    let hold = Duration::from_millis(seen.part.options.early_hold_ms);
    // The id is remembered before anything is told, however long that takes.
    let known = seen.events_after(only).unwrap_or(seen.end);
    let is_held = receipt.frame.at < known && seen.clocks_differ(receipt.frame.at, known);
    is_held || receipt.frame.at + hold <= known + slack(seen.plan)
}
