//! Outbound, at least once, and never silently: every message has its outcome, which is the SMSC's word; it is acknowledged
//! to the bus after that is stored; and it is sent again only where nobody knows whether the SMSC has it.

use std::collections::BTreeSet;
use std::time::Duration;

use smpp_transport::pdu::Body;
use smpp_transport::pdu::time::SmppTime;
use smpp_transport::text::message_id::normal;

use super::super::{Report, slack};
use super::Seen;
use super::fairness::may_be_unwritten;
use super::seen::{PartOf, Published, Try};
use crate::history::What;
use crate::plan::{Keeps, WrongText};

pub(super) fn outbound(seen: &Seen, report: &mut Report) {
    for (message, text) in seen.part.messages.iter().enumerate() {
        let tries = seen.tries.get(&message).map_or(&[][..], Vec::as_slice);
        if text.wrong == Some(WrongText::NoMessage) {
            kept_aside(seen, message, report);
            continue;
        }
        told(seen, message, report);
        if text.wrong.is_some() {
            refused(seen, message, tries, report);
            continue;
        }
        for event in seen.events(message) {
            match event.event() {
                "ack" => acked(seen, message, tries, event, report),
                "nack" => nacked(seen, message, tries, event, report),
                _ => {}
            }
        }
        sent_again(seen, message, tries, report);
        too_old(seen, message, tries, report);
        valid_for_what_is_left(seen, message, tries, report);
    }
    acknowledged_after_its_event(seen, report);
}

fn told(seen: &Seen, message: usize, report: &mut Report) {
    if seen.put(message).is_some()
        && seen.at_rest
        && !seen.events(message).any(|event| matches!(event.event(), "ack" | "nack"))
    {
        report.broken(seen.end, format!("message {message} of {}: nothing was told of it", seen.owner));
    }
}

/// What is no message is told of by nobody, and is where somebody can look at it.
fn kept_aside(seen: &Seen, message: usize, report: &mut Report) {
    let who = format!("message {message} of {}", seen.owner);
    if let Some(event) = seen.events(message).next() {
        report.broken(event.at, format!("{who}: it is no message, and something was told of it"));
    }
    if seen.put(message).is_some() && seen.at_rest && !seen.kept_aside.contains(&message) {
        report.broken(seen.end, format!("{who}: it is no message, and is not in the dead-letter queue"));
    }
}

/// What cannot be sent is not, and its sender hears why.
fn refused(seen: &Seen, message: usize, tries: &[Try], report: &mut Report) {
    let who = format!("message {message} of {}", seen.owner);
    if let Some(first) = tries.first() {
        report.broken(first.frame.at, format!("{who}: it was sent, and cannot be"));
    }
    for event in seen.events(message) {
        if event.event() != "nack" || event.said.nack_reason().is_empty() {
            report.broken(event.at, format!("{who}: it cannot be sent, and its sender does not hear why"));
        }
    }
}

fn acked(seen: &Seen, message: usize, tries: &[Try], event: &Published, report: &mut Report) {
    let total = tries.first().map_or(1, |first| first.part.total);
    let missing = missing(tries, event, total);
    if !missing.is_empty() {
        let words = format!("message {message} of {}: acked, and parts {missing:?} of {total} were not", seen.owner);
        report.broken(event.at, words);
    }
}

fn nacked(seen: &Seen, message: usize, tries: &[Try], event: &Published, report: &mut Report) {
    let who = format!("message {message} of {}", seen.owner);
    if event.said.nack_reason().is_empty() {
        report.broken(event.at, format!("{who}: nack without a reason"));
    }
    // A session that ends may have taken a request, and nothing of it has left.
    let unknown = event.said.nack_reason().starts_with("outcome unknown");
    let went_wrong = |it: &Try| it.frame.order < event.order && (it.is_refused() || !it.is_heard(seen.plan));
    // In an earlier life it may have been accepted.
    let is_taken_again = seen.is_taken_between(message, tries.first().map_or(0, |it| it.frame.order), event.order);
    let may_be = unknown && (is_taken_again || !is_accepted(tries, event));
    let needs_too_many = tries.is_empty() && seen.needs_too_many_parts(message);
    let is_too_old = has_expired(seen, message, tries, event) || is_no_longer_valid(seen, message, tries, event);
    if !tries.iter().any(went_wrong) && !may_be && !needs_too_many && !is_too_old {
        let reason = event.said.nack_reason();
        report.broken(event.at, format!("{who}: nack ({reason}), but nothing that was sent of it was refused or lost"));
    }
}

/// A message is not submitted for the first time when it is older than it may be.
fn too_old(seen: &Seen, message: usize, tries: &[Try], report: &mut Report) {
    let limit = seen.part.options.age_max_ms().map(Duration::from_millis);
    let (Some(limit), Some(put), Some(first)) = (limit, seen.put(message), tries.first()) else { return };
    let age = first.frame.at.saturating_sub(put);
    if age <= limit + slack(seen.plan) {
        return;
    }
    if seen.is_clock_wrong(put, first.frame.at) || seen.puts(message) > 1 {
        return report.excused("outbound: the age of a message was not known");
    }
    // Octets that wait may be of an earlier submit, on a session that broke before it was written.
    if first.line.process.is_some_and(|process| may_be_unwritten(seen, process, put, first.frame.at)) {
        return report.excused("outbound: a session broke that may have had the message before it was written");
    }
    let words = format!("submitted for the first time when it was {age:?} old, where {limit:?} is the limit");
    report.broken(first.frame.at, format!("message {message} of {}: {words}", seen.owner));
}

/// A validity counts from when the bus had the message: each submit carries no more than what is left of it, in whole seconds, and
/// none goes after its end.
fn valid_for_what_is_left(seen: &Seen, message: usize, tries: &[Try], report: &mut Report) {
    let (Some(validity_s), Some(put)) = (seen.part.options.validity_s, seen.put(message)) else { return };
    for it in tries {
        if seen.is_clock_wrong(put, it.frame.at) || seen.puts(message) > 1 {
            report.excused("outbound: the age of a message was not known");
            continue;
        }
        let left = (put + Duration::from_secs(validity_s) + slack(seen.plan)).saturating_sub(it.frame.at);
        let Some(Body::SubmitSm(sm)) = it.frame.pdu.as_ref().map(|pdu| &pdu.body) else { continue };
        let said = match SmppTime::parse(sm.validity_period.as_bytes()) {
            Ok(SmppTime::Relative(period)) => u64::try_from(period.after(0)).unwrap_or_default(),
            _ => u64::MAX,
        };
        if said == 0 {
            let words = format!("submitted after its validity of {validity_s} s");
            return report.broken(it.frame.at, format!("message {message} of {}: {words}", seen.owner));
        }
        if said > left.as_secs() + 1 {
            let words = format!("submitted with a validity of {said} s, when {left:?} of {validity_s} s was left");
            return report.broken(it.frame.at, format!("message {message} of {}: {words}", seen.owner));
        }
    }
}

/// Whether a nack says that the message was too old to be sent, and it was.
fn has_expired(seen: &Seen, message: usize, tries: &[Try], event: &Published) -> bool {
    let text = &seen.part.messages[message];
    let by = |limit| Duration::from_millis(text.at_ms + limit);
    let is_old = seen.part.options.age_max_ms().is_some_and(|limit| {
        event.at + slack(seen.plan) >= by(limit) || seen.is_clock_wrong(Duration::from_millis(text.at_ms), event.at)
    });
    let mut earlier = tries.iter().filter(|it| it.frame.order < event.order);
    let is_new = earlier.all(|it| seen.is_taken_between(message, it.frame.order, event.order));
    // Of two copies one may have been sent and the other not.
    let is_new = is_new || seen.puts(message) > 1;
    is_old && is_new && event.said.nack_reason().starts_with("expired before it was sent")
}

/// Whether a nack says that the validity was over before all parts were accepted, and it was.
fn is_no_longer_valid(seen: &Seen, message: usize, tries: &[Try], event: &Published) -> bool {
    let Some(validity_s) = seen.part.options.validity_s else { return false };
    let from = Duration::from_millis(seen.part.messages[message].at_ms);
    let options = &seen.part.options;
    let processes = seen.lines.iter().filter_map(|line| line.process).collect::<BTreeSet<_>>();
    // A submit of which nothing was written may have been lost: what would go again too late does not go again.
    let may_be_lost = processes.into_iter().any(|process| may_be_unwritten(seen, process, event.at, event.at));
    let waits =
        if may_be_lost { options.resend.wait(u32::MAX).max(options.full.wait(u32::MAX)) } else { Duration::ZERO };
    let is_over = event.at + slack(seen.plan) + waits >= from + Duration::from_secs(validity_s);
    (is_over || seen.is_clock_wrong(from, event.at))
        && (!is_accepted(tries, event) || seen.puts(message) > 1)
        && event.said.nack_reason().starts_with("validity period over before it was accepted")
}

/// Whether every part was accepted before this was told.
fn is_accepted(tries: &[Try], event: &Published) -> bool {
    let total = tries.first().map_or(1, |first| first.part.total);
    missing(tries, event, total).is_empty()
}

/// The parts that had not been accepted when this was told.
fn missing(tries: &[Try], event: &Published, total: u8) -> Vec<u8> {
    let before = |it: &&Try| it.accepted().is_some_and(|(answer, _)| answer.order < event.order);
    let accepted: BTreeSet<PartOf> = tries.iter().filter(before).map(|it| it.part).collect();
    (1..=total).filter(|number| !accepted.contains(&PartOf { number: *number, total })).collect()
}

/// A part goes again if it was refused, or if nobody knows; or if the bus has handed out its message again, unless what was
/// remembered says that it need not.
fn sent_again(seen: &Seen, message: usize, tries: &[Try], report: &mut Report) {
    // Put again by an application that did not hear that it had been: on the bus those are two messages, of which each is
    // sent.
    let copies = seen.puts(message).max(1);
    for (place, again) in tries.iter().enumerate() {
        let Some(before) = tries[..place].iter().rev().find(|it| it.part == again.part) else { continue };
        let (from, to) = (before.frame.order, again.frame.order);
        // Of two processes neither knows what the other has in hand when the broker gives that to it.
        let first = tries.first().map_or(0, |first| first.frame.order);
        if seen.part.processes > 1 && seen.is_taken_between(message, first, to) {
            continue;
        }
        let who = || format!("message {message} of {}: part {} was sent again", seen.owner, again.part.number);
        if seen.is_taken_between(message, from, to) {
            let is_known = seen.part.keeps != Keeps::Nothing
                && copies == 1
                && !is_given_to_another(seen, message, &tries[..place])
                && seen.events(message).any(|event| event.event() == "ack" && event.order < to);
            if is_known {
                report.broken(again.frame.at, format!("{} after its ack", who()));
            }
            continue;
        }
        let since = |it: &&Try| it.part == again.part && !seen.is_taken_between(message, it.frame.order, to);
        let earlier = || tries[..place].iter().filter(since);
        let is_answered = |it: &Try| it.answer.is_some_and(|answer| answer.order < to);
        let accepted = |it: &&Try| it.is_heard(seen.plan) && is_answered(it) && it.accepted().is_some();
        if earlier().filter(accepted).count() >= copies {
            report.broken(again.frame.at, format!("{}, although it had been accepted", who()));
        }
        let unknown = |it: &&Try| !is_answered(it) && it.line.number != again.line.number;
        if earlier().filter(unknown).count() >= copies && !seen.part.options.resend_unknown {
            report.broken(again.frame.at, format!("{}, although nobody knew what had become of it", who()));
        }
    }
}

/// Whether an SMSC that has lost its memory has given an id of these to another message: then it stands for that.
fn is_given_to_another(seen: &Seen, message: usize, tries: &[Try]) -> bool {
    let ids = |tries: &[Try]| -> BTreeSet<String> {
        tries.iter().filter_map(Try::accepted).map(|(_, id)| normal(&id)).collect()
    };
    let own = ids(tries);
    seen.tries.iter().any(|(other, tries)| *other != message && !own.is_disjoint(&ids(tries)))
}

fn acknowledged_after_its_event(seen: &Seen, report: &mut Report) {
    for (order, fact) in &seen.facts {
        let What::Settled { message: Some((owner, message)), acked: true, .. } = fact.what else { continue };
        let is_told = seen.events(message).any(|event| event.order < *order && event.event() != "delivery_report");
        if owner == seen.owner && !is_told {
            report.broken(fact.at, format!("message {message} of {owner}: acknowledged before its event was stored"));
        }
    }
}
