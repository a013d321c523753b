//! Situations in which faults begin, that a sweep must have met.

use std::collections::BTreeSet;
use std::time::Duration;

use smpp_transport::pdu::CommandId;

use super::Line;
use crate::history::{End, History, Way, What};
use crate::plan::{FaultKind, Plan};
use crate::transport::outcome_of;

/// Those that there are.
pub(super) const MARKS: [&str; 19] = [
    "lost on the way to the SMSC",
    "lost on the way from the SMSC",
    "network slow with messages outstanding",
    "connection refused for a while",
    "connection hangs for a while",
    "SMSC unbinds all its sessions",
    "SMSC resets all its connections",
    "store refuses with submits outstanding",
    "store silent with submits outstanding",
    "store slow with submits outstanding",
    "wall clock ahead",
    "wall clock behind",
    "SMSC's wall clock ahead with messages outstanding",
    "SMSC's wall clock behind with messages outstanding",
    "fault while binding",
    "fault while unbinding",
    "fault just after a message was put",
    "fault between an event and its acknowledgement",
    "fault as enquire_link was due",
];

/// How soon after something a fault is just after it.
const JUST: Duration = Duration::from_millis(10);

pub(super) fn marks(plan: &Plan, history: &History, lines: &[Line]) -> BTreeSet<&'static str> {
    let mut met = BTreeSet::new();
    for (order, fact) in history.facts.iter().enumerate() {
        let What::Fault { fault, ends: false } = fact.what else { continue };
        let fault = plan.faults[fault];
        let up = || lines.iter().filter(|line| line.end == End::Esme && fault.is_at(line.smsc) && stands(line, order));
        let end = Duration::from_millis(fault.at_ms + fault.for_ms);
        let waits = up().any(|line| waits_for(line, order, CommandId::SUBMIT_SM));
        let of_kind = match fault.kind {
            FaultKind::LostToSmsc => up().any(is_bound(order)).then_some("lost on the way to the SMSC"),
            FaultKind::LostFromSmsc => up().any(is_bound(order)).then_some("lost on the way from the SMSC"),
            FaultKind::Slow(_) => waits.then_some("network slow with messages outstanding"),
            FaultKind::ConnectRefused | FaultKind::ConnectHangs => {
                // Somebody hung up, and had a connection again only after it.
                let is_refused = fault.kind == FaultKind::ConnectRefused;
                let hung =
                    lines.iter().any(|line| line.hung.is_some_and(|hung| hung > fact.at && hung + 4 * JUST < end));
                let name = if is_refused { "connection refused for a while" } else { "connection hangs for a while" };
                hung.then_some(name)
            }
            FaultKind::SmscUnbinds => up().any(is_bound(order)).then_some("SMSC unbinds all its sessions"),
            FaultKind::SmscResets => up().any(is_bound(order)).then_some("SMSC resets all its connections"),
            FaultKind::StoreRefuses(_) => waits.then_some("store refuses with submits outstanding"),
            FaultKind::StoreSilent(_) => waits.then_some("store silent with submits outstanding"),
            FaultKind::StoreSlow(..) => waits.then_some("store slow with submits outstanding"),
            FaultKind::ClockStep(_, seconds) => {
                Some(if seconds < 0 { "wall clock behind" } else { "wall clock ahead" })
            }
            FaultKind::SmscClockStep(seconds) => waits.then_some(if seconds < 0 {
                "SMSC's wall clock behind with messages outstanding"
            } else {
                "SMSC's wall clock ahead with messages outstanding"
            }),
            _ => None,
        };
        met.extend(of_kind);
        let binds = [CommandId::BIND_TRANSMITTER, CommandId::BIND_RECEIVER, CommandId::BIND_TRANSCEIVER];
        met.extend(
            up().any(|line| binds.iter().any(|bind| waits_for(line, order, *bind))).then_some("fault while binding"),
        );
        met.extend(up().any(|line| waits_for(line, order, CommandId::UNBIND)).then_some("fault while unbinding"));
        met.extend(up().any(|line| asks(line, order)).then_some("fault as enquire_link was due"));
        met.extend(is_just_put(history, order).then_some("fault just after a message was put"));
        met.extend(is_between(history, order).then_some("fault between an event and its acknowledgement"));
    }
    met
}

/// Whether the connection was there at this place among the facts.
fn stands(line: &Line, order: usize) -> bool {
    line.frames.first().is_some_and(|first| first.order < order)
        && line.frames.last().is_some_and(|last| last.order > order)
}

fn is_bound(order: usize) -> impl Fn(&Line) -> bool {
    move |line| line.frames.iter().any(|frame| frame.way == Way::Read && frame.order < order)
}

/// Whether a request of this kind was written before it and not answered until then.
fn waits_for(line: &Line, order: usize, command: CommandId) -> bool {
    let before = || line.frames.iter().take_while(|frame| frame.order < order);
    before()
        .filter(|frame| frame.is(Way::Written, command))
        .any(|frame| frame.pdu.as_ref().is_some_and(|pdu| !before().any(|it| it.way == Way::Read && it.answers(pdu))))
}

/// Whether it asks for a sign of life just after this.
fn asks(line: &Line, order: usize) -> bool {
    let after = line.frames.iter().find(|frame| frame.order > order);
    let before = line.frames.iter().take_while(|frame| frame.order < order).last();
    let silence = before.zip(after).map(|(before, after)| after.at - before.at);
    after.is_some_and(|frame| frame.is(Way::Written, CommandId::ENQUIRE_LINK)) && silence > Some(JUST)
}

fn is_just_put(history: &History, order: usize) -> bool {
    let at = history.facts[order].at;
    let before = history.facts[..order].iter().rev().take_while(|fact| fact.at + JUST >= at);
    before.into_iter().any(|fact| matches!(fact.what, What::Put { is_stored: true, .. }))
}

/// Whether the outcome of a message was told before this, and the message is acknowledged only after it, or never.
fn is_between(history: &History, order: usize) -> bool {
    let mut told = BTreeSet::new();
    for fact in &history.facts[..order] {
        match &fact.what {
            What::Published { body, .. } => told.extend(outcome_of(body)),
            What::Settled { message: Some(message), .. } => _ = told.remove(message),
            _ => {}
        }
    }
    let settled = |fact: &crate::history::Fact| matches!(&fact.what, What::Settled { message: Some(it), .. } if told.contains(it));
    history.facts[order..].iter().any(settled)
}
