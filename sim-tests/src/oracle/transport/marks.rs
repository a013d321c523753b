//! Situations of transports that a sweep must have met.

use std::collections::{BTreeMap, BTreeSet};

use smpp_transport::bus::Route;
use smpp_transport::pdu::CommandStatus;

use super::Seen;
use super::seen::is_submit;
use crate::history::{Way, What};
use crate::plan::Keeps;
use crate::transport::handset;

/// Names of all marks of transports.
pub(crate) fn all() -> impl Iterator<Item = &'static str> {
    MARKS.into_iter().chain(super::forms::names())
}

/// Marks of this file and of the oracles.
const MARKS: [&str; 39] = [
    "message acked",
    "message nacked",
    "long message sent in parts",
    "message of as many parts as there can be, or nearly",
    "message of too many parts",
    "message to what is no address",
    "no message, put aside",
    "message sent again, its outcome unknown",
    "message handed out again",
    "message handed out again and not sent again",
    "submit slowed down",
    "two messages to one destination, in order",
    "message waits for one to its destination that goes again",
    "transport killed with submits outstanding",
    "transport's power cut with submits outstanding",
    "transport stopped with submits outstanding",
    "two processes on one account",
    "message joined from its parts",
    "message that never became whole",
    "250 parts or more from a handset",
    "parts of several with the same reference",
    "parts out of order",
    "inbound put off",
    "report of another session's submit",
    "report before the ack of its message",
    "report over a restart",
    "publication stored twice",
    "put again, not knowing",
    "bound to another SMSC",
    "receipt after a fail-over",
    "message tried again after its session broke",
    "message goes before one that broke a session",
    "full queue of a destination",
    "message sent again to a queue that was full",
    "messages given back by a process that is not bound",
    "message too old to be sent",
    "message sent again with what was left of its validity",
    "early receipt and another that contradicts it",
    "early receipt put off, with as many held as may be",
];

pub(crate) fn marks(all: &[Seen]) -> BTreeSet<&'static str> {
    all.iter().flat_map(of_one).collect()
}

fn of_one(seen: &Seen) -> BTreeSet<&'static str> {
    let mut met = BTreeSet::new();
    let mut mark = |is_met: bool, name: &'static str| {
        if is_met {
            met.insert(name);
        }
    };
    mark(seen.part.processes > 1, "two processes on one account");
    mark(!seen.kept_aside.is_empty(), "no message, put aside");
    for (message, text) in seen.part.messages.iter().enumerate() {
        let is_refused =
            seen.events(message).any(|event| event.event() == "nack") && !seen.tries.contains_key(&message);
        mark(is_refused && text.wrong.is_some(), "message to what is no address");
        mark(is_refused && seen.needs_too_many_parts(message), "message of too many parts");
        let expired = |event: &super::seen::Published| event.said.nack_reason().starts_with("expired before");
        mark(is_refused && seen.events(message).any(expired), "message too old to be sent");
    }
    for event in &seen.published {
        mark(event.event() == "ack", "message acked");
        mark(event.event() == "nack", "message nacked");
    }
    for (message, tries) in &seen.tries {
        let total = tries.first().map_or(0, |it| it.part.total);
        mark(total > 1, "long message sent in parts");
        mark(total >= 254, "message of as many parts as there can be, or nearly");
        for (place, again) in tries.iter().enumerate() {
            let Some(before) = tries[..place].iter().rev().find(|it| it.part == again.part) else { continue };
            let taken = seen.is_taken_between(*message, before.frame.order, again.frame.order);
            mark(!taken && before.answer.is_none(), "message sent again, its outcome unknown");
            mark(seen.part.options.validity_s.is_some(), "message sent again with what was left of its validity");
        }
        let throttled = |status| matches!(status, CommandStatus::ESME_RTHROTTLED | CommandStatus::ESME_RMSGQFUL);
        mark(tries.iter().filter_map(super::seen::Try::status).any(throttled), "submit slowed down");
    }
    for (order, fact) in &seen.facts {
        match &fact.what {
            What::Died { is_cut, .. } => {
                let name = if *is_cut {
                    "transport's power cut with submits outstanding"
                } else {
                    "transport killed with submits outstanding"
                };
                mark(has_outstanding(seen, *order), name);
            }
            What::Stopped { .. } => mark(has_outstanding(seen, *order), "transport stopped with submits outstanding"),
            What::Taken { redelivered: true, message, .. } => {
                mark(true, "message handed out again");
                let tries = message.and_then(|(_, message)| seen.tries.get(&message));
                let again = tries.is_some_and(|tries| tries.iter().any(|it| it.frame.order > *order));
                mark(!again, "message handed out again and not sent again");
            }
            What::Put { message, .. } => mark(seen.puts(*message) > 1, "put again, not knowing"),
            _ => {}
        }
    }
    inward(seen, &mut met);
    over(seen, &mut met);
    met.extend(super::order::marks(seen));
    met.extend(super::fairness::marks(seen));
    met.extend(super::storm::marks(seen));
    met.extend(super::forms::marks(seen));
    met.extend(super::sharing::marks(seen));
    met.extend(super::finals::marks(seen));
    met
}

/// What is seen of sessions that go from one SMSC to another, and come back.
fn over(seen: &Seen, met: &mut BTreeSet<&'static str>) {
    let bound = || seen.lines.iter().filter(|line| line.bound_at().is_some());
    for line in bound() {
        let before = bound().rfind(|it| it.process == line.process && it.number < line.number);
        met.extend(before.filter(|it| it.smsc != line.smsc).map(|_| "bound to another SMSC"));
    }
    for receipt in &seen.delivered {
        let Some((_, message)) = receipt.receipt_of() else { continue };
        let line = receipt.line;
        let tries = seen.tries.get(&message).into_iter().flatten();
        let given = tries.filter(|it| it.accepted().is_some() && it.line.smsc == line.smsc);
        let is_between = |from: u32| bound().any(|it| it.smsc != line.smsc && (from..line.number).contains(&it.number));
        met.extend(given.filter(|it| is_between(it.line.number)).map(|_| "receipt after a fail-over"));
    }
}

fn has_outstanding(seen: &Seen, order: usize) -> bool {
    seen.lines.iter().any(|line| {
        let frames = line.frames.iter().filter(|frame| frame.order < order && is_submit(frame));
        let open = |frame: &&crate::oracle::Frame| {
            let pdu = frame.pdu.as_ref();
            let answered = |pdu| line.answers_to(pdu).any(|it| it.way == Way::Read && it.order < order);
            !pdu.is_some_and(answered)
        };
        // Lines that ended before have nothing outstanding any more.
        line.frames.last().is_some_and(|last| last.order + 50 > order) && frames.into_iter().any(|frame| open(&frame))
    })
}

fn inward(seen: &Seen, met: &mut BTreeSet<&'static str>) {
    for number in 0..seen.part.handsets.len() {
        let text = crate::transport::handset_text(seen.plan, seen.owner, number).unwrap_or_default();
        let from = handset(seen.owner, number);
        let published = seen.published.iter().filter(|it| it.route == Route::Inbound && it.said.from() == from);
        let mut count = 0;
        for it in published {
            let is_part = seen.delivered.iter().any(|delivered| delivered.from == from && delivered.part.total > 1);
            let is_whole = it.said.content() == text;
            met.extend((is_part && is_whole).then_some("message joined from its parts"));
            met.extend((is_part && !is_whole).then_some("message that never became whole"));
            count += usize::from(is_whole);
        }
        met.extend((count > 1).then_some("publication stored twice"));
    }
    met.extend(many_parts(seen));
    for delivered in &seen.delivered {
        let put_off = delivered.accepted().is_none() && !delivered.is_receipt;
        met.extend(put_off.then_some("inbound put off"));
        let Some((_, message)) = delivered.receipt_of() else { continue };
        let Some(first) = seen.tries.get(&message).and_then(|tries| tries.first()) else { continue };
        let same = first.line.frames.binary_search_by_key(&delivered.frame.order, |frame| frame.order).is_ok();
        met.extend((!same).then_some("report of another session's submit"));
        let acked = seen.events(message).find(|event| event.event() == "ack").map(|event| event.order);
        let is_early = acked.is_some_and(|acked| delivered.frame.order < acked);
        let is_put_off = delivered.answer.is_some() && delivered.accepted().is_none();
        let is_full = seen.part.options.early_max.is_some() && is_early && is_put_off && !seen.is_bus_faulty();
        met.extend(is_full.then_some("early receipt put off, with as many held as may be"));
        met.extend(
            acked.is_none_or(|acked| acked > delivered.frame.order).then_some("report before the ack of its message"),
        );
        let told = seen.events(message).find(|event| event.event() == "delivery_report").map(|event| event.order);
        let restarted = told.is_some_and(|told| seen.ends.iter().any(|end| (first.frame.order..told).contains(end)));
        met.extend((restarted && seen.part.keeps != Keeps::Nothing).then_some("report over a restart"));
    }
}

/// What is seen of parts beside one another.
fn many_parts(seen: &Seen) -> BTreeSet<&'static str> {
    let mut met = BTreeSet::new();
    let mut of: BTreeMap<&str, Vec<u8>> = BTreeMap::new();
    for delivered in seen.delivered.iter().filter(|it| it.part.total > 1) {
        met.extend((delivered.part.total >= 250).then_some("250 parts or more from a handset"));
        of.entry(&delivered.from).or_default().push(delivered.part.number);
    }
    met.extend(of.values().any(|numbers| !numbers.is_sorted()).then_some("parts out of order"));
    let references = seen.part.handsets.iter().enumerate().filter_map(|(number, it)| Some((number, it.reference?)));
    let mut senders: BTreeMap<u16, usize> = BTreeMap::new();
    for (number, reference) in references {
        if of.contains_key(handset(seen.owner, number).as_str()) {
            *senders.entry(reference).or_default() += 1;
        }
    }
    met.extend(senders.values().any(|count| *count > 1).then_some("parts of several with the same reference"));
    met
}
