//! Fail-over: as long as one of a process's SMSCs can be reached it is not without a connection for longer than it takes to
//! try each of them once.

use std::collections::BTreeSet;
use std::time::Duration;

use smpp_transport::store::memory::SILENCE;

use super::super::{Report, slack};
use super::Seen;
use crate::history::What;
use crate::plan::FaultKind;

/// The longest that a session's numbers can be waited for when the store is well: it was asked before that, gives up, and is
/// asked again a second later.
const NUMBERS_MAX: Duration = SILENCE.saturating_add(Duration::from_secs(1));

/// From when until when.
type Stretch = (Duration, Duration);

pub(super) fn failover(seen: &Seen, report: &mut Report) {
    let transports = seen.plan.processes();
    let own = (0..transports.len()).filter(|process| seen.plan.owner(transports[*process]) == seen.owner);
    for process in own {
        let hosts = seen.plan.hosts(process);
        let longest = seen.plan.round_bound(hosts.len()) + slack(seen.plan);
        let connections = connections(seen, process);
        let lives = lives(seen, process);
        for host in hosts {
            for (from, until) in well(seen, process, host) {
                let alive = lives.iter().map(|life| (from.max(life.0), until.min(life.1)));
                for gap in alive.filter_map(|stretch| gap(stretch, &connections, longest)) {
                    let words = format!("process {process} of {}: SMSC {host} can be reached", seen.owner);
                    report.broken(gap + longest, format!("{words}, and it has no connection since {gap:?}"));
                }
            }
        }
    }
}

/// When it was connected, in order.
fn connections(seen: &Seen, process: usize) -> Vec<Stretch> {
    let own = seen.lines.iter().filter(|line| line.process == Some(process));
    let mut all: Vec<_> = own.filter_map(|line| Some((line.opened?, line.hung.unwrap_or(seen.end)))).collect();
    all.sort_unstable();
    all
}

/// When it ran, and was not told to stop.
fn lives(seen: &Seen, process: usize) -> Vec<Stretch> {
    let (mut lives, mut began) = (Vec::new(), None);
    for (_, fact) in &seen.facts {
        match fact.what {
            What::Started { process: it, .. } if it == process => began = Some(fact.at),
            What::Died { process: it, .. } if it == process => lives.extend(began.take().map(|at| (at, fact.at))),
            What::Stopped { process: it, took } if it == process => {
                lives.extend(began.take().map(|at| (at, fact.at.saturating_sub(took))));
            }
            _ => {}
        }
    }
    lives
}

/// When no fault was on that concerns this process and this SMSC.
fn well(seen: &Seen, process: usize, host: usize) -> Vec<Stretch> {
    let transport = seen.plan.processes()[process];
    let (mut stretches, mut since, mut active) = (Vec::new(), Some(Duration::ZERO), BTreeSet::new());
    let mut ready = Duration::ZERO;
    for (_, fact) in &seen.facts {
        let What::Fault { fault: number, ends } = fact.what else { continue };
        let fault = seen.plan.faults[number];
        let concerns = fault.is_at(host) && fault.kind.of(|it| it == process, |it| it == transport);
        // Whoever has the wrong time can be reached all the same.
        if !concerns || matches!(fault.kind, FaultKind::SmscClockStep(_) | FaultKind::ClockStep(..)) {
            continue;
        }
        if ends {
            active.remove(&number);
            // Between two hosts' turns time is known only roughly: never too late.
            let ended = fact.at.max(Duration::from_millis(fault.at_ms + fault.for_ms));
            let lag = fault.kind.store().map_or(Duration::ZERO, |_| NUMBERS_MAX);
            ready = ready.max(ended + lag);
            since = since.or(active.is_empty().then_some(ready));
        } else {
            active.insert(number);
            stretches.extend(since.take().map(|since| (since, fact.at)));
        }
    }
    stretches.extend(since.map(|since| (since, seen.end)));
    stretches
}

/// Since when there was no connection for longer than this within a stretch.
fn gap((from, until): Stretch, connections: &[Stretch], longest: Duration) -> Option<Duration> {
    let mut free = from;
    for (opened, hung) in connections.iter().filter(|(opened, _)| *opened < until) {
        if opened.saturating_sub(free) > longest {
            return Some(free);
        }
        free = free.max(*hung);
    }
    (until.saturating_sub(free) > longest).then_some(free)
}
