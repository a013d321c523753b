//! Sharing of a queue: a process without a bound session that submits holds no message beyond the grace time, so that other
//! processes can send it.
//!
//! Not judged, and counted: a message of which a part was accepted, or whose outcome is being published; a message that was
//! submitted and left to others before, which is counted in one place from then on; times at which the store was away.

use std::collections::BTreeMap;
use std::time::Duration;

use super::super::{Report, slack};
use super::Seen;
use super::seen::Try;
use crate::history::What;
use crate::plan::{FaultKind, LINGER_MS};

/// Time that giving back may take after the grace: a connection that was hung up is waited for, and the store may have to
/// answer first.
const GIVING_BACK: Duration = Duration::from_millis(LINGER_MS + 50);

pub(super) fn sharing(seen: &Seen, report: &mut Report) {
    let Some(grace) = seen.part.options.unbound_grace_ms.map(Duration::from_millis) else { return };
    let processes = seen.plan.processes();
    for process in (0..processes.len()).filter(|process| seen.plan.owner(processes[*process]) == seen.owner) {
        let holds = holds(seen, process);
        for (from, until) in unbound(seen, process) {
            let by = from + grace + GIVING_BACK + slack(seen.plan);
            if by >= until {
                continue;
            }
            for hold in holds.iter().filter(|hold| hold.from < until && by < hold.until) {
                judge(seen, process, (&holds, hold), by, report);
            }
        }
    }
}

/// A message in the hands of a process.
struct Hold {
    message: usize,
    from: Duration,
    until: Duration,
}

fn judge(seen: &Seen, process: usize, (holds, hold): (&[Hold], &Hold), by: Duration, report: &mut Report) {
    let tries = seen.tries.get(&hold.message).into_iter().flatten();
    let accepted =
        tries.filter(|it| it.frame.at >= hold.from).any(|it| it.accepted().is_some_and(|(answer, _)| answer.at <= by));
    let is_told = || seen.events(hold.message).any(|event| event.at >= hold.from && event.event() == "nack");
    if seen.is_store_troubled(hold.from, by) {
        report.excused("sharing: the store was away");
    } else if accepted {
        report.excused("sharing: a part had been accepted");
    } else if is_told() || seen.is_bus_faulty() {
        report.excused("sharing: the outcome was being published");
    } else if was_left_before(seen, process, (holds, hold), by) {
        report.excused("sharing: a message that was submitted had been left to others before");
    } else {
        let words = format!("still held at {by:?}, and its process is not bound");
        report.broken(by, format!("message {} of {}: {words}", hold.message, seen.owner));
    }
}

/// Whether the process submitted the message while it held it, or may have, and in the same life before, when it gave it back: a
/// message at which sessions break, and that nobody else takes, is counted in one place until its tries are over.
fn was_left_before(seen: &Seen, process: usize, (holds, hold): (&[Hold], &Hold), by: Duration) -> bool {
    let is_own = |it: &Try| it.line.process == Some(process);
    let is_tried = |from: Duration, to: Duration| {
        let mut tries = seen.tries.get(&hold.message).into_iter().flatten();
        tries.any(|it| is_own(it) && from <= it.frame.at && it.frame.at <= to)
            || super::fairness::may_be_unwritten(seen, process, from, to)
    };
    let lives = lives(seen, process);
    let is_of_life = |other: &&Hold| {
        let is_in = |(began, ended): &(Duration, Duration)| *began <= other.from && hold.from <= *ended;
        other.message == hold.message && other.until <= hold.from && lives.iter().any(is_in)
    };
    is_tried(hold.from, by) && holds.iter().filter(is_of_life).any(|other| is_tried(other.from, other.until))
}

/// Stretches of a process's lives in which no session of its that submits was bound.
fn unbound(seen: &Seen, process: usize) -> Vec<(Duration, Duration)> {
    let mut stretches = Vec::new();
    for (began, ended) in lives(seen, process) {
        let own = seen.lines.iter().filter(|line| line.process == Some(process) && line.submits());
        let stood = own.filter_map(|line| Some((line.bound_at()?.0, line.hung.unwrap_or(seen.end))));
        let mut stood: Vec<_> = stood.filter(|(at, _)| (began..=ended).contains(at)).collect();
        stood.sort_unstable();
        let mut free = began;
        for (bound, hung) in stood {
            stretches.push((free, bound));
            free = free.max(hung);
        }
        stretches.push((free, ended));
    }
    stretches.retain(|(from, until)| from < until);
    stretches
}

/// From when until when it ran and was not told to stop.
fn lives(seen: &Seen, process: usize) -> Vec<(Duration, Duration)> {
    let (mut lives, mut began) = (Vec::new(), None);
    for (_, fact) in &seen.facts {
        match fact.what {
            What::Started { process: it, .. } if it == process => began = Some(fact.at),
            What::Died { process: it, .. } if it == process => lives.extend(began.take().map(|from| (from, fact.at))),
            What::Stopped { process: it, took } if it == process => {
                lives.extend(began.take().map(|from| (from, fact.at.saturating_sub(took))));
            }
            _ => {}
        }
    }
    lives.extend(began.map(|from| (from, seen.end)));
    lives
}

/// Messages that the bus handed to a process, until it had each of them back.
fn holds(seen: &Seen, process: usize) -> Vec<Hold> {
    let mut open: BTreeMap<usize, Vec<Duration>> = BTreeMap::new();
    let mut holds = Vec::new();
    let is_gone = |what: &What| match what {
        What::Died { process: it, .. } | What::Stopped { process: it, .. } => *it == process,
        // What was handed out before belongs to a connection that is lost.
        What::Fault { fault, ends: false } => {
            matches!(seen.plan.faults[*fault].kind, FaultKind::BusAway(it) if seen.plan.owner(it) == seen.owner)
        }
        _ => false,
    };
    for (_, fact) in &seen.facts {
        match fact.what {
            What::Taken { process: it, message: Some((owner, message)), .. }
                if it == process && owner == seen.owner =>
            {
                open.entry(message).or_default().push(fact.at);
            }
            What::Settled { process: it, message: Some((owner, message)), .. }
                if it == process && owner == seen.owner =>
            {
                let from = open.get_mut(&message).filter(|from| !from.is_empty()).map(|from| from.remove(0));
                holds.extend(from.map(|from| Hold { message, from, until: fact.at }));
            }
            ref what if is_gone(what) => {
                let over = std::mem::take(&mut open).into_iter();
                holds.extend(over.flat_map(|(message, all)| {
                    all.into_iter().map(move |from| Hold { message, from, until: fact.at })
                }));
            }
            _ => {}
        }
    }
    let left = open.into_iter().flat_map(|(message, all)| all.into_iter().map(move |from| (message, from)));
    holds.extend(left.map(|(message, from)| Hold { message, from, until: seen.end }));
    holds
}

/// Situations of shared queues.
pub(super) fn marks(seen: &Seen) -> Vec<&'static str> {
    let given_back = |what: &What| matches!(what, What::Settled { acked: false, .. });
    let processes = seen.plan.processes();
    let own = (0..processes.len()).filter(|process| seen.plan.owner(processes[*process]) == seen.owner);
    let mut met = Vec::new();
    for process in own {
        let unbound = unbound(seen, process);
        let is_back = seen.facts.iter().any(|(_, fact)| {
            let is_own = matches!(fact.what, What::Settled { process: it, .. } if it == process);
            is_own && given_back(&fact.what) && unbound.iter().any(|(from, to)| *from < fact.at && fact.at < *to)
        });
        met.extend(is_back.then_some("messages given back by a process that is not bound"));
    }
    met
}
