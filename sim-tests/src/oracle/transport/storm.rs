//! Storms: nothing is submitted or connected more often than the policy allows, in total and per second. Every resend waits
//! and is counted, whatever its cause.

use std::collections::BTreeMap;
use std::time::Duration;

use smpp_transport::pdu::CommandStatus;

use super::super::{Line, Report, slack};
use super::Seen;
use super::order::{is_of, lives};
use super::seen::{PartOf, Try};
use crate::app::backoff;
use crate::history::How;
use crate::plan::{LINGER_MS, RETRY_DELAY_MS, THROTTLE_DELAY_MS};

pub(super) fn storm(seen: &Seen, report: &mut Report) {
    for life in lives(seen) {
        for (message, tries) in &seen.tries {
            let mut parts: BTreeMap<PartOf, Vec<&Try>> = BTreeMap::new();
            for it in tries.iter().filter(|it| is_of(&life, it)) {
                parts.entry(it.part).or_default().push(it);
            }
            for tries in parts.values() {
                resends(seen, *message, tries, report);
            }
        }
    }
    connections(seen, report);
}

/// Reason for which a part goes again.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Cause {
    /// No answer in time, or none before the session ended.
    Unknown,
    /// The queue of its destination is full.
    QueueFull,
    /// The link is throttled.
    Throttled,
    /// A refusal that is tried again.
    Refused,
}

impl Cause {
    /// Of a try after which the part went again; `None` where nothing in its answer calls for it.
    fn of(seen: &Seen, it: &Try, again: &Try) -> Option<Cause> {
        if it.answer.is_none_or(|answer| answer.order > again.frame.order) {
            return Some(Cause::Unknown);
        }
        match it.status()? {
            CommandStatus::ESME_ROK => None,
            status if seen.pauses_link(status) => Some(Cause::Throttled),
            CommandStatus::ESME_RMSGQFUL => Some(Cause::QueueFull),
            _ => Some(Cause::Refused),
        }
    }
}

/// Tries of one part in one life: each waits for as long as its cause asks, and each cause is counted.
fn resends(seen: &Seen, message: usize, tries: &[&Try], report: &mut Report) {
    let mut counts: BTreeMap<Cause, u32> = BTreeMap::new();
    for two in tries.windows(2) {
        let [it, again] = two else { continue };
        // What the bus hands out again is counted anew.
        if seen.is_taken_between(message, it.frame.order, again.frame.order) {
            report.excused("storm: the bus handed a message out again");
            counts.clear();
            continue;
        }
        if [it, again].iter().any(|it| seen.copies_held(message, it.frame.order) > 1) {
            report.excused("storm: a process had two copies of a message, which was put on the bus twice");
            continue;
        }
        if it.answer.is_some_and(|answer| answer.order < again.frame.order) && !it.is_heard(seen.plan) {
            report.excused("storm: an answer came as its time or its session ended");
            continue;
        }
        let Some(cause) = Cause::of(seen, it, again) else { continue };
        let count = counts.entry(cause).or_default();
        *count += 1;
        // Count and wait for a full queue begin anew once the destination has taken another part.
        let is_anew = cause == Cause::QueueFull && has_taken_between(seen, message, it, again);
        let nth = if is_anew { 1 } else { *count };
        let least = least_wait(seen, cause, nth);
        let waited = again.frame.at.saturating_sub(it.frame.at);
        let who = || format!("message {message} of {}: part {} of {}", seen.owner, it.part.number, it.part.total);
        if waited + slack(seen.plan) < least {
            let words = format!("sent again after {waited:?} ({cause:?}), where it waits for {least:?}");
            report.broken(again.frame.at, format!("{}: {words}", who()));
        }
        if most(seen, cause).is_some_and(|most| nth > most) {
            let words = format!("sent again for the {} time ({cause:?})", ordinal(nth));
            report.broken(again.frame.at, format!("{}: {words}", who()));
        }
        if is_anew {
            *count = 0;
        }
    }
}

/// Whether the SMSC accepted a part to the destination of this message between two tries. That counts for the transport when the
/// id is in its store, on its disk.
fn has_taken_between(seen: &Seen, message: usize, it: &Try, again: &Try) -> bool {
    let shared = |message: usize| seen.part.messages.get(message).and_then(|text| text.to);
    let is_to_same = |other: usize| other == message || (shared(other).is_some() && shared(other) == shared(message));
    let tries = seen.tries.iter().filter(|(other, _)| is_to_same(**other)).flat_map(|(_, tries)| tries);
    let mut answers = tries.filter_map(Try::accepted).map(|(answer, _)| answer);
    let written = Duration::from_millis(4 * seen.part.sync_ms);
    answers.any(|answer| {
        let is_after =
            it.frame.order <= answer.order || (written > Duration::ZERO && it.frame.at <= answer.at + written);
        is_after && answer.order < again.frame.order
    })
}

fn ordinal(number: u32) -> String {
    let ending = match (number % 10, number % 100) {
        (1, teen) if teen != 11 => "st",
        (2, teen) if teen != 12 => "nd",
        (3, teen) if teen != 13 => "rd",
        _ => "th",
    };
    format!("{number}{ending}")
}

/// Shortest time from a submit to its next, where this is the nth of its cause.
fn least_wait(seen: &Seen, cause: Cause, nth: u32) -> Duration {
    let options = &seen.part.options;
    match cause {
        Cause::Unknown => options.resend.wait(nth),
        Cause::QueueFull => options.full.wait(nth),
        Cause::Throttled => Duration::from_millis(THROTTLE_DELAY_MS),
        Cause::Refused => Duration::from_millis(RETRY_DELAY_MS),
    }
}

/// Resends that a cause allows; `None` where only age ends them.
fn most(seen: &Seen, cause: Cause) -> Option<u32> {
    let options = &seen.part.options;
    match cause {
        Cause::Unknown => Some(options.resend.resends()),
        Cause::QueueFull => Some(options.full.resends()),
        Cause::Throttled => None,
        Cause::Refused => Some(options.retries),
    }
}

/// Sessions of one process come back with a wait that grows until one was stable.
fn connections(seen: &Seen, report: &mut Report) {
    for life in process_lives(seen) {
        let (links, hosts) = (seen.part.links.len(), seen.plan.smscs);
        let backoff = backoff(&seen.plan.timers);
        let shortest = |failures: u32| {
            let growth = backoff.factor.powi(i32::try_from(failures).unwrap_or(i32::MAX));
            let wait = (backoff.min.as_secs_f64() * growth).min(backoff.max.as_secs_f64());
            Duration::from_secs_f64(wait * (1.0 - backoff.jitter))
        };
        let mut failures = 0_u32;
        for (place, line) in life.iter().enumerate() {
            let Some(before) = place.checked_sub(links).map(|before| life[before]) else { continue };
            // Of several links nobody knows which of them an end of a connection set free.
            let is_one = links == 1 && hosts == 1;
            failures = if was_stable(seen, before, backoff.stable_after) { 0 } else { failures + 1 };
            let least = if is_one { shortest(failures.saturating_sub(1)) } else { shortest(0) };
            let (Some(from), Some(at)) = (before.opened, line.opened) else { continue };
            let from = if is_one { before.hung.unwrap_or(from).min(at) } else { from };
            if at.saturating_sub(from) + slack(seen.plan) < least {
                let words = format!("connected {:?} after the one before, where it waits for {least:?}", at - from);
                report.broken(at, format!("transport {}: {words}", seen.owner));
                break;
            }
        }
    }
}

/// Whether a session lasted for so long. One that its own end has closed lasts until the other end has closed it too, or is not
/// waited for any more.
fn was_stable(seen: &Seen, line: &Line, stable_after: Duration) -> bool {
    let bound = line.bound_at().map(|(at, _)| at);
    let hung = line.hung.unwrap_or(seen.end);
    let lingers = if line.how == Some(How::Shut) { Duration::from_millis(LINGER_MS) } else { Duration::ZERO };
    bound.is_some_and(|bound| hung.saturating_sub(bound) + lingers + slack(seen.plan) >= stable_after)
}

/// Connections of each life of each process, in order.
fn process_lives<'a>(seen: &Seen<'a>) -> Vec<Vec<&'a Line>> {
    let mut lives: BTreeMap<(Option<usize>, usize), Vec<&Line>> = BTreeMap::new();
    for line in seen.lines.iter().copied().filter(|line| line.opened.is_some()) {
        lives.entry((line.process, seen.starts_before(line))).or_default().push(line);
    }
    lives.values_mut().for_each(|lines| lines.sort_by_key(|line| line.opened));
    lives.into_values().collect()
}

/// Situations of resends.
pub(super) fn marks(seen: &Seen) -> Vec<&'static str> {
    let mut met = Vec::new();
    for tries in seen.tries.values() {
        for (place, again) in tries.iter().enumerate() {
            let Some(before) = tries[..place].iter().rev().find(|it| it.part == again.part) else { continue };
            let cause = Cause::of(seen, before, again);
            met.extend((cause == Some(Cause::QueueFull)).then_some("message sent again to a queue that was full"));
        }
    }
    met
}
