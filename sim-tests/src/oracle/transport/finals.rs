//! Final states: a message that asked for a receipt, and whose SMSC sent one that can be read, is reported with one final
//! state: the one that the SMSC's own records call for, in the end, and never taken back.
//!
//! Not judged, and counted: messages of which the SMSC has several copies, or whose id it gave twice; parts that share an id or a
//! receipt; receipts in parts that were refused; what a store without a file has forgotten; and of two final receipts that
//! differ those that crossed each other.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use smpp_transport::pdu::MessageState;
use smpp_transport::text::message_id::normal;
use smsc_sim::policy::TlvFault;

use super::super::line::user_data;
use super::super::{Frame, Report, slack};
use super::Seen;
use super::arrivals::arrival;
use super::reports::{forms, has_failed_meanwhile, is_part_lost, may_contradict, soon};
use super::seen::{Delivered, Published, Try};
use crate::app::{destination, shared_destination};
use crate::history::Kept;
use crate::plan::Ids;
use crate::plan::reading::{Reading, reading};

pub(super) fn finals(seen: &Seen, report: &mut Report) {
    for message in 0..seen.part.messages.len() {
        let told: Vec<&Published> = seen.events(message).filter(|event| event.event() == "delivery_report").collect();
        let tries = seen.tries.get(&message).map_or(&[][..], Vec::as_slice);
        if is_one_copy(seen, message, tries, report) {
            never_backward(seen, message, tries, &told, report);
            right_one(seen, message, tries, &told, report);
            told_once_complete(seen, message, tries, &told, report);
            reported_in_the_end(seen, message, tries, &told, report);
        }
    }
}

/// Whether the SMSC accepted each part once, and no id of the message stands for another one: of several copies each has an
/// end of its own.
fn is_one_copy(seen: &Seen, message: usize, tries: &[Try], report: &mut Report) -> bool {
    if tries.is_empty() {
        return false;
    }
    let mut accepted: BTreeMap<u8, usize> = BTreeMap::new();
    for it in tries.iter().filter(|it| arrival(seen, it).is_some_and(|arrival| arrival.is_accepted)) {
        *accepted.entry(it.part.number).or_default() += 1;
    }
    let is_one = accepted.values().all(|count| *count == 1) && seen.puts(message) <= 1;
    let ids = tries.iter().filter_map(Try::accepted).map(|(_, id)| id);
    let ids: Vec<String> = ids.collect();
    let is_own = ids.iter().all(|id| !seen.is_given_twice(id) && !has_receipt_of_another(seen, message, id));
    if !is_one || !is_own {
        report.excused("finals: the SMSC has several copies of a message, or gave its id twice");
        return false;
    }
    if ids.iter().any(|id| seen.is_other_form_of_another(id)) || has_id_of_another(seen, message, &ids) {
        report.excused("finals: an id is that of another message in the form of receipts");
        return false;
    }
    true
}

/// Whether a receipt with this id was of another message: its response may have been lost with the SMSC's memory.
fn has_receipt_of_another(seen: &Seen, message: usize, id: &str) -> bool {
    let id = normal(id);
    let is_of_another = |it: &Delivered| it.receipt_of().is_some_and(|of| of != (seen.owner, message));
    seen.delivered.iter().any(|it| is_of_another(it) && forms(seen, it).contains(&id))
}

/// Whether the id of a receipt of this message is that of another message as it stands. Until the form of ids is learned it counts
/// for that one.
fn has_id_of_another(seen: &Seen, message: usize, ids: &[String]) -> bool {
    let own = seen.delivered.iter().filter(|it| it.receipt_of() == Some((seen.owner, message)));
    let is_of_another = |id: &String| seen.is_given(id) && !ids.iter().any(|own| normal(own) == normal(id));
    seen.part.options.ids == Ids::Auto && own.filter_map(|it| it.id.as_ref()).any(is_of_another)
}

fn is_final(status: &str) -> bool {
    matches!(status, "delivered" | "failed")
}

/// Each part of a message may be reported by itself, if the transport is told so.
fn never_backward(seen: &Seen, message: usize, tries: &[Try], told: &[&Published], report: &mut Report) {
    let total = tries.first().map_or(1, |it| it.part.total);
    if total > 1 && seen.part.options.report_parts {
        return;
    }
    let Some(first) = told.iter().position(|it| is_final(it.said.delivery_status())) else { return };
    let status = told[first].said.delivery_status();
    if let Some(other) = told[first + 1..].iter().find(|it| it.said.delivery_status() != status) {
        if seen.forgets(tries[0].frame.order, other.order) {
            return report.excused("finals: the store was forgotten in between");
        }
        if is_reported_by_two(seen, message, told[first]) {
            return report.excused("finals: two processes reported a message at the same time");
        }
        let after = other.said.delivery_status();
        let words = format!("message {message} of {}: {after} was reported after {status}", seen.owner);
        report.broken(other.at, words);
    }
}

/// Whether two processes had a receipt of this message in hand when one of them published its final state.
fn is_reported_by_two(seen: &Seen, message: usize, told: &Published) -> bool {
    let own = seen.delivered.iter().filter(|it| it.receipt_of() == Some((seen.owner, message)));
    let in_hand = own.filter(|it| {
        let answered = it.answer.map_or(usize::MAX, |answer| answer.order);
        it.frame.order < told.order && told.order < answered
    });
    in_hand.map(|it| it.line.process).collect::<BTreeSet<_>>().len() > 1
}

/// In the end the report is the one that the records of the SMSC call for.
fn right_one(seen: &Seen, message: usize, tries: &[Try], told: &[&Published], report: &mut Report) {
    let total = tries.first().map_or(1, |it| it.part.total);
    let Some(last) = told.last() else { return };
    if !seen.at_rest || seen.forgets(tries[0].frame.order, seen.rest) {
        return;
    }
    let first = first_of_several(seen, message, tries);
    if matches!(first, First::Unknown) || (total > 1 && matches!(first, First::Is(_))) {
        return report
            .excused("finals: two final receipts of a message that differ crossed each other, or one was refused");
    }
    let kept = kept(seen, message, tries);
    if kept.len() != usize::from(total) || seen.plan.smsc.policy.receipt.state.is_some() {
        return report.excused("finals: the SMSC has no record of every part");
    }
    if is_text_cut(seen, message) {
        return report.excused("finals: the text of a receipt, which says more than its parameters, may be cut");
    }
    if total > 1 && is_not_of_all(seen, message, tries, last) {
        return report.excused("finals: one receipt counts for several parts, or the time for the others was over");
    }
    let said: BTreeSet<Reading> = match first {
        First::Is(reading) => [reading].into(),
        _ => kept.iter().map(|kept| reading(&seen.plan.smsc, kept.state)).collect(),
    };
    let status = last.said.delivery_status();
    let is_right = match status {
        "delivered" => said.contains(&Reading::Delivered) && !said.contains(&Reading::Failed),
        "failed" => said.contains(&Reading::Failed),
        _ => !said.contains(&Reading::Failed) || total > 1,
    };
    // A receipt of a part may never have come, or be one for all.
    let is_sure = total == 1 || !seen.part.options.report_parts;
    if is_right || !is_sure {
        return;
    }
    // Receipts are held for a while, and by wall clocks.
    let hold = Duration::from_millis(seen.part.options.early_hold_ms);
    let known = tries.iter().filter_map(Try::accepted).map(|(answer, _)| answer.at).max().unwrap_or_default();
    let is_forgotten = |it: &Delivered| {
        let is_wrong = it.frame.at < last.at && seen.clocks_differ(it.frame.at, last.at);
        is_wrong || it.frame.at + hold <= known + slack(seen.plan)
    };
    let finals = finals_of(seen, message, tries);
    let first = finals.first().is_some_and(|(it, _)| is_forgotten(it));
    // Of a receipt in parts nobody knows here which of them says what.
    let parts = || {
        let own = seen.delivered.iter().filter(|it| it.receipt_of() == Some((seen.owner, message)));
        own.filter(|it| it.part.total > 1)
    };
    if parts().any(|it| is_part_lost(seen, it)) {
        return report.excused("finals: parts of a receipt were refused or forgotten");
    }
    let is_known = finals.iter().any(|(it, _)| it.part.total == 1);
    if !is_known && parts().any(is_forgotten)
        || first && (status != "pending" || finals.iter().all(|(it, _)| is_forgotten(it)))
    {
        return report
            .excused("finals: the first receipt with a final state came long before its id, or a clock was wrong");
    }
    let states: Vec<MessageState> = kept.iter().map(|kept| kept.state).collect();
    let words = format!("{status} was reported in the end, and the SMSC has {states:?}");
    report.broken(last.at, format!("message {message} of {}: {words}", seen.owner));
}

/// Returns `true` if the text of a receipt is in a parameter that cannot be read, and `message_state` says something else.
fn is_text_cut(seen: &Seen, message: usize) -> bool {
    let policy = &seen.plan.smsc.policy.receipt;
    let is_cut = matches!(policy.tlv_fault, Some(TlvFault::Overrun | TlvFault::Short | TlvFault::Cut));
    let mut own = seen.delivered.iter().filter(|it| it.receipt_of() == Some((seen.owner, message)));
    let has_no_text = |it: &Delivered| it.frame.understood().is_none_or(|pdu| user_data(pdu).is_empty());
    is_cut && policy.tlv_state.is_some() && (policy.split.is_some() || own.any(has_no_text))
}

/// The one of several final receipts of a message that counts.
enum First {
    /// All say the same.
    Same,
    /// Some differ, and this was read first and taken.
    Is(Reading),
    /// Some differ, and nobody can say which of them the transport took first.
    Unknown,
}

/// The first final receipt that is read counts, also if it comes before the id of its message. Two processes may each read one at
/// the same time, and one that was refused comes again later.
fn first_of_several(seen: &Seen, message: usize, tries: &[Try]) -> First {
    let further = seen.plan.smsc.policy.receipt.then.iter().flatten();
    if !further.into_iter().any(|further| Reading::of(further.state.0) != Reading::Pending) {
        return First::Same;
    }
    let finals = finals_of(seen, message, tries);
    let mut own = seen.delivered.iter().filter(|it| it.receipt_of() == Some((seen.owner, message)));
    // The id of a receipt in parts is in one of them.
    let (Some((first, reading)), false) = (finals.first(), own.any(|it| it.part.total > 1)) else {
        return First::Unknown;
    };
    let others = finals.iter().filter(|(_, other)| other != reading).map(|(receipt, _)| receipt);
    let mut elsewhere = others.filter(|receipt| receipt.line.process != first.line.process);
    // Questions to a store that is slow may overtake one another.
    let answered = first.accepted().map(|answer| answer.at);
    let is_asked_in_order = answered.is_some_and(|answered| !seen.is_store_troubled(first.frame.at, answered));
    if is_asked_in_order && elsewhere.next().is_none() { First::Is(*reading) } else { First::Unknown }
}

/// Receipts with a final state and an id of this message, in the order in which they were read.
fn finals_of<'b>(seen: &'b Seen, message: usize, tries: &[Try]) -> Vec<(&'b Delivered<'b>, Reading)> {
    let ids: BTreeSet<String> = tries.iter().filter_map(|it| Some(normal(&it.accepted()?.1))).collect();
    let own = seen.delivered.iter().filter(|it| it.receipt_of() == Some((seen.owner, message)));
    let is_known = |it: &&Delivered| forms(seen, it).iter().any(|id| ids.contains(id));
    let state = |it: &Delivered| it.frame.receipt().and_then(|receipt| receipt.state);
    let said = own.filter(is_known).filter_map(|it| Some((it, reading(&seen.plan.smsc, state(it)?))));
    let mut finals: Vec<_> = said.filter(|(_, reading)| *reading != Reading::Pending).collect();
    finals.sort_by_key(|(it, _)| it.frame.order);
    finals
}

/// Situations of final states.
pub(super) fn marks(seen: &Seen) -> Vec<&'static str> {
    let is_met = |(message, tries): (&usize, &Vec<Try>)| {
        let acked = seen.events(*message).find(|event| event.event() == "ack").map(|event| event.order);
        let finals = finals_of(seen, *message, tries);
        let first = finals.first().filter(|(it, _)| acked.is_some_and(|acked| it.frame.order < acked));
        first.is_some_and(|(_, reading)| finals.iter().any(|(_, other)| other != reading))
    };
    seen.tries.iter().any(is_met).then_some("early receipt and another that contradicts it").into_iter().collect()
}

/// Whether the report of a message in parts may have been made before the receipts of all parts were there.
fn is_not_of_all(seen: &Seen, message: usize, tries: &[Try], last: &Published) -> bool {
    // A part without an id is reported by the id of another one, if the SMSC gives one for all.
    let ids = tries.iter().filter_map(|it| Some(normal(&it.accepted()?.1))).filter(|id| !id.is_empty());
    let ids: BTreeSet<String> = ids.collect();
    let parts: BTreeSet<u8> = tries.iter().filter(|it| it.accepted().is_some()).map(|it| it.part.number).collect();
    let own = seen.delivered.iter().filter(|it| it.receipt_of() == Some((seen.owner, message)));
    let first = own.map(|it| it.frame.at).min().unwrap_or_default();
    let limit = Duration::from_millis(seen.part.options.aggregate_timeout_ms);
    ids.len() < parts.len() || last.at + slack(seen.plan) >= first + limit || seen.clocks_differ(first, last.at)
}

/// A message in parts has a final report once a receipt of one part with a final state has been taken: at the latest when the
/// time for the others is over.
fn reported_in_the_end(seen: &Seen, message: usize, tries: &[Try], told: &[&Published], report: &mut Report) {
    let whole = tries.iter().map(|it| it.part).collect::<BTreeSet<_>>().len() == usize::from(tries[0].part.total);
    let is_heard = tries.iter().all(|it| it.accepted().is_some() && it.is_heard(seen.plan));
    if !(whole && is_heard && seen.at_rest) || told.iter().any(|it| is_final(it.said.delivery_status())) {
        return;
    }
    let ids: BTreeSet<String> = tries.iter().filter_map(|it| Some(normal(&it.accepted()?.1))).collect();
    let own =
        seen.delivered.iter().filter(|it| it.receipt_of() == Some((seen.owner, message)) && it.accepted().is_some());
    let says_its_end = |it: &&Delivered| {
        let receipt = it.frame.receipt();
        let is_known = forms(seen, it).iter().any(|id| ids.contains(id));
        let is_final = |state| reading(&seen.plan.smsc, state) != Reading::Pending;
        is_known && receipt.and_then(|receipt| receipt.state).is_some_and(is_final)
    };
    let Some(receipt) = own.into_iter().find(says_its_end) else { return };
    if receipt.answer.is_some_and(|answer| may_contradict(seen, receipt, answer)) {
        return report.excused("finals: a receipt was taken while a final one that differs was");
    }
    if is_id_lost(seen, message, tries) {
        return report.excused("finals: a process ended before its store could take an id");
    }
    let hold = Duration::from_millis(seen.part.options.early_hold_ms);
    // The ids are in the store before the ack is published.
    let last = seen.events(message).find(|event| event.event() == "ack").map_or(seen.end, |event| event.at);
    if is_part_lost(seen, receipt) {
        return report.excused("finals: parts of a receipt were refused or forgotten");
    }
    if seen.forgets(tries[0].frame.order, seen.rest) {
        return report.excused("finals: the store was forgotten");
    }
    // Receipts are held by wall clocks.
    let is_held_wrongly = receipt.frame.at < last && seen.clocks_differ(receipt.frame.at, last);
    if is_held_wrongly || receipt.frame.at + hold <= last + slack(seen.plan) {
        return report.excused("finals: a receipt came long before its id, or a clock was wrong meanwhile");
    }
    let words = "a receipt with a final state was taken, and no final state was reported";
    report.broken(receipt.frame.at, format!("message {message} of {}: {words}", seen.owner));
}

/// A message in parts is reported once a part has failed, or the last receipt is there that it can have, and not when the time for
/// the others is over. Parts without an id have none, and parts with the same id have one for all.
fn told_once_complete(seen: &Seen, message: usize, tries: &[Try], told: &[&Published], report: &mut Report) {
    if tries[0].part.total == 1 || seen.part.options.report_parts {
        return;
    }
    let Some(first) = told.iter().find(|it| is_final(it.said.delivery_status())) else { return };
    let Some(acked) = seen.events(message).find(|event| event.event() == "ack") else { return };
    let accepted: Vec<(&Frame, String)> = tries.iter().filter_map(Try::accepted).collect();
    let ids: BTreeSet<String> = accepted.iter().map(|(_, id)| normal(id)).filter(|id| !id.is_empty()).collect();
    let own = seen.delivered.iter().filter(|it| it.receipt_of() == Some((seen.owner, message)) && it.part.total == 1);
    let said = |it: &Delivered| {
        let state = it.frame.receipt().and_then(|receipt| receipt.state)?;
        Some(reading(&seen.plan.smsc, state)).filter(|reading| *reading != Reading::Pending)
    };
    let finals: Vec<(&Delivered, Reading)> = own.filter_map(|it| Some((it, said(it)?))).collect();
    // A receipt counts for all parts that have its id, also for those that are accepted later.
    let of = |id: &String| -> Vec<&(&Delivered, Reading)> {
        finals.iter().filter(|(it, _)| forms(seen, it).contains(id)).collect()
    };
    let taken = |id: &String| of(id).into_iter().filter_map(|(it, _)| it.accepted()).map(|answer| answer.at).min();
    let whole = ids.iter().map(taken).collect::<Option<Vec<Duration>>>().and_then(|taken| taken.into_iter().max());
    // What is made of two states that differ is another promise.
    let is_plain = seen.plan.smsc.policy.receipt.tlv_state.is_none();
    let has_failed = |id: &&String| is_plain && of(id).into_iter().all(|(_, reading)| *reading == Reading::Failed);
    let failed = ids.iter().filter(has_failed).filter_map(taken).min();
    let Some(due) = failed.into_iter().chain(whole).min() else { return };
    let whole = accepted.iter().map(|(answer, _)| answer.at).max().unwrap_or_default();
    let complete = due.max(whole).max(acked.at);
    if first.at <= complete + soon(seen) {
        return;
    }
    let since = finals.iter().map(|(it, _)| it.frame.at).min().unwrap_or_default();
    if has_failed_meanwhile(seen, since.min(tries[0].frame.at), first.at)
        || !tries.iter().all(|it| it.is_heard(seen.plan))
    {
        return report.excused("finals: something failed while the receipts of all parts came");
    }
    let words = format!("its receipts were complete at {complete:?}, and it was reported later");
    report.broken(first.at, format!("message {message} of {}: {words}", seen.owner));
}

/// Returns `true` if an id came while the store took nothing, and the process ended before the message was acked.
fn is_id_lost(seen: &Seen, message: usize, tries: &[Try]) -> bool {
    let acked = seen.events(message).find(|event| event.event() == "ack").map_or(usize::MAX, |event| event.order);
    let mut answers = tries.iter().filter_map(|it| it.answer);
    answers.any(|answer| {
        seen.is_store_troubled(answer.at, answer.at) && seen.ends.iter().any(|end| (answer.order..acked).contains(end))
    })
}

/// Records of the SMSCs of what these tries submitted, by the ids that they gave.
fn kept<'a>(seen: &Seen<'a>, message: usize, tries: &[Try]) -> Vec<&'a Kept> {
    let shared = seen.part.messages[message].to;
    let to = shared.map_or_else(|| destination(seen.owner, message), |shared| shared_destination(seen.owner, shared));
    let ids: BTreeSet<(usize, String)> =
        tries.iter().filter_map(|it| Some((it.line.smsc, it.accepted()?.1))).filter(|(_, id)| !id.is_empty()).collect();
    let of_one = seen.kept.iter().flat_map(|(smsc, messages)| messages.iter().map(move |kept| (*smsc, kept)));
    of_one
        .filter(|(smsc, kept)| kept.to == to && ids.contains(&(*smsc, kept.id.clone())))
        .map(|(_, kept)| kept)
        .collect()
}
