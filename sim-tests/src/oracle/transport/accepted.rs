//! Order at the SMSC: what it accepts for a destination comes in the order in which one process took it from the bus, part by
//! part, retries, throttling and several binds included. Parts of a message are therefore adjacent for their destination.
//!
//! Not judged, and counted: a message that the bus handed out again after it had been submitted, and a submit that had been given
//! up and arrived later.

use std::collections::BTreeMap;

use super::super::Report;
use super::Seen;
use super::arrivals::{Arrival, arrival};
use super::order::{Life, failed_from, handed_out, is_of};
use super::seen::Try;
use crate::plan::Order;

/// First acceptance of one part.
struct Accepted<'a, 'b> {
    /// Where its message was handed to the process, as a place among all facts, and the number of the part.
    key: (usize, u8),
    message: usize,
    submit: &'b Try<'a>,
    arrival: Arrival,
}

/// Destination of a message: one that several share, or its own. In strict order all are one.
#[derive(Clone, Copy, Eq, Ord, PartialEq, PartialOrd)]
enum Destination {
    Any,
    Shared(u16),
    Own(usize),
}

pub(super) fn in_order(seen: &Seen, life: &Life, report: &mut Report) {
    for accepted in by_destination(seen, life, report).into_values() {
        for (place, later) in accepted.iter().enumerate() {
            let overtaken = accepted[..place].iter().filter(|before| before.key > later.key);
            // A submit that was given up before the other one went may reach the SMSC whenever the network lets it.
            let is_late = |before: &&Accepted| failed_from(seen, later.submit) <= before.submit.frame.at;
            let (late, wrong): (Vec<_>, Vec<_>) = overtaken.partition(is_late);
            late.iter().for_each(|_| report.excused("order: a submit that was given up arrived later"));
            if let Some(before) = wrong.first() {
                report.broken(later.arrival.at, words(seen, before, later));
                break;
            }
        }
    }
}

fn words(seen: &Seen, before: &Accepted, later: &Accepted) -> String {
    let (part, total) = (later.submit.part.number, later.submit.part.total);
    let who = format!("message {} of {}", later.message, seen.owner);
    if before.message == later.message {
        let first = before.submit.part.number;
        return format!("{who}: the SMSC accepted part {first} of {total} before part {part}");
    }
    let when = "which was taken from the bus later";
    format!("{who}: the SMSC accepted message {} before part {part} of {total}, {when}", before.message)
}

/// First acceptances by destination, in the order in which the SMSC read them.
fn by_destination<'a, 'b>(
    seen: &'b Seen<'a>,
    life: &Life,
    report: &mut Report,
) -> BTreeMap<Destination, Vec<Accepted<'a, 'b>>> {
    let handed = handed_out(seen, life);
    let mut all: BTreeMap<Destination, Vec<Accepted>> = BTreeMap::new();
    for (message, tries) in &seen.tries {
        let mut first: BTreeMap<u8, Accepted> = BTreeMap::new();
        let Some(place) = handed.get(message).copied() else {
            if tries.iter().any(|it| is_of(life, it)) {
                report.excused("order: the bus handed a message out twice");
            }
            continue;
        };
        for submit in tries.iter().filter(|it| is_of(life, it)) {
            let Some(arrival) = arrival(seen, submit).filter(|it| it.is_accepted) else { continue };
            let key = (place, submit.part.number);
            if first.get(&submit.part.number).is_none_or(|before| arrival.order < before.arrival.order) {
                first.insert(submit.part.number, Accepted { key, message: *message, submit, arrival });
            }
        }
        all.entry(destination(seen, *message)).or_default().extend(first.into_values());
    }
    all.values_mut().for_each(|accepted| accepted.sort_by_key(|it| it.arrival.order));
    all
}

fn destination(seen: &Seen, message: usize) -> Destination {
    match seen.part.messages.get(message).and_then(|text| text.to) {
        _ if seen.part.options.keep_order == Order::Strict => Destination::Any,
        Some(shared) => Destination::Shared(shared),
        None => Destination::Own(message),
    }
}
