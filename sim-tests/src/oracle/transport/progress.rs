//! Progress: while a message waits for its outcome something is done about it, again and again. The bound on the whole run
//! must allow for every fault that the plan has; a wait for nothing hides below it, and not here.

use std::time::Duration;

use smpp_transport::pdu::CommandId;

use super::super::{Frame, Report};
use super::Seen;
use crate::plan::{Plan, THROTTLE_MAX_MS, Transport, WrongText};

pub(super) fn progress(seen: &Seen, report: &mut Report) {
    let patience = patience(seen.plan, seen.part);
    let waits = waits(seen);
    for pair in moments(seen).windows(2) {
        let &[from, until] = pair else { continue };
        let waiting = waits.iter().find(|(_, put, told)| *put <= from && until <= *told);
        if let Some((message, ..)) = waiting
            && until - from > patience
        {
            let idle = (until - from).as_secs_f64();
            let words = format!("message {message} of {}: it waits, and for {idle} s nothing is done", seen.owner);
            report.broken(until, words);
        }
    }
}

/// The longest that anything can take of which nothing is seen: a dead session and its successor, an answer, a pause, a bus.
fn patience(plan: &Plan, part: &Transport) -> Duration {
    // An octet or so at a time, at worst.
    let stalls = 100 * (plan.wire.esme.stall_ms + plan.wire.smsc.stall_ms);
    let waits =
        plan.smsc.slowness_max_ms() + stalls + 2 * part.bus.delay_ms + 10 * part.sync_ms + THROTTLE_MAX_MS + 3_000;
    plan.timers.rebind_bound() + Duration::from_millis(waits)
}

/// From when until when each message waits.
fn waits(seen: &Seen) -> Vec<(usize, Duration, Duration)> {
    let told = |message: usize| seen.events(message).find(|event| event.event() != "delivery_report");
    let of = |message| Some((message, seen.put(message)?, told(message).map_or(seen.end, |event| event.at)));
    // Of what is no message nothing is ever told.
    let is_one = |message: &usize| seen.part.messages[*message].wrong != Some(WrongText::NoMessage);
    (0..seen.part.messages.len()).filter(is_one).filter_map(of).collect()
}

/// When something happened, in order: with the sessions, at the bus, to the processes and around them.
fn moments(seen: &Seen) -> Vec<Duration> {
    let keeps_alive =
        |frame: &Frame| matches!(frame.command(), Some(CommandId::ENQUIRE_LINK | CommandId::ENQUIRE_LINK_RESP));
    let frames = seen.lines.iter().flat_map(|line| &line.frames).filter(|frame| !keeps_alive(frame));
    let hung = seen.lines.iter().filter_map(|line| line.hung);
    let facts = seen.facts.iter().map(|(_, fact)| fact.at);
    let mut moments: Vec<_> = frames.map(|frame| frame.at).chain(hung).chain(facts).collect();
    moments.push(seen.end);
    moments.sort_unstable();
    moments.dedup();
    moments
}
