//! Situations that a sweep must have met: one that never meets them proves little.

use std::collections::BTreeSet;
use std::time::Duration;

use smpp_transport::pdu::CommandId;
use smpp_transport::session::SEQUENCE_MAX;

use super::line::Wrong;
use super::{Line, smsc, transport};
use crate::history::{End, History, Outcome, Way, What};
use crate::plan::{FaultKind, Plan};

/// Every mark that there is.
pub fn all() -> impl Iterator<Item = &'static str> {
    OF_LINES.into_iter().chain(smsc::MARKS).chain(transport::MARKS)
}

/// Those of connections and outcomes.
const OF_LINES: [&str; 22] = [
    "bound",
    "bound again",
    "number after 0x7FFFFFFF",
    "window full",
    "answer overtaken by a later one",
    "answer after its request expired",
    "answer twice",
    "message refused",
    "message expired",
    "message lost",
    "receipt before its answer",
    "enquire_link answered",
    "unbind from the SMSC",
    "held with messages outstanding",
    "frame above 4096 octets",
    "connection never answered",
    "SMSC killed",
    "length that cannot be",
    "length that is one too large",
    "body that cannot be read",
    "response that cannot be read",
    "command that nobody knows",
];

/// The marks that a run has met.
pub(super) fn marks(seen: &smsc::Seen, history: &History, lines: &[Line]) -> BTreeSet<&'static str> {
    let plan = seen.plan;
    let mut met = BTreeSet::new();
    let mut bound = BTreeSet::new();
    for fact in &history.facts {
        match &fact.what {
            What::Bound { client } => {
                met.insert(if bound.insert(*client) { "bound" } else { "bound again" });
            }
            What::Outcome { outcome, .. } => {
                met.extend(match outcome {
                    Outcome::Accepted(_) => None,
                    Outcome::Refused(_) => Some("message refused"),
                    Outcome::Expired => Some("message expired"),
                    Outcome::Lost => Some("message lost"),
                });
            }
            What::Fault { fault, ends: false } => {
                met.extend(plan.faults[*fault].kind.ends_smsc().then_some("SMSC killed"));
            }
            _ => {}
        }
    }
    for line in lines {
        of_line(plan, history, line, &mut met);
    }
    met.extend(smsc::marks(seen));
    met
}

fn of_line(plan: &Plan, history: &History, line: &Line, met: &mut BTreeSet<&'static str>) {
    let mut outstanding: Vec<u32> = Vec::new();
    let mut answered: BTreeSet<u32> = BTreeSet::new();
    if line.end == End::Smsc {
        met.extend(line.frames.iter().any(|f| f.is(Way::Written, CommandId::UNBIND)).then_some("unbind from the SMSC"));
        return;
    }
    let holds: Vec<Duration> = plan
        .faults
        .iter()
        .filter(|fault| fault.kind == FaultKind::Hold)
        .map(|fault| Duration::from_millis(fault.at_ms))
        .collect();
    let mut last = Duration::ZERO;
    met.extend((line.frames.iter().all(|frame| frame.way == Way::Written)).then_some("connection never answered"));
    for frame in &line.frames {
        let held = holds.iter().any(|at| (last..frame.at).contains(at));
        met.extend((held && !outstanding.is_empty()).then_some("held with messages outstanding"));
        last = frame.at;
        met.extend((frame.way == Way::Read).then(|| wrong(frame)).flatten());
        let Some(pdu) = &frame.pdu else { continue };
        met.extend((frame.octets.len() > 4096).then_some("frame above 4096 octets"));
        match (frame.way, pdu.command_id()) {
            (Way::Written, CommandId::SUBMIT_SM | CommandId::DATA_SM) => {
                met.extend(
                    (pdu.sequence < 100 && answered.contains(&SEQUENCE_MAX)).then_some("number after 0x7FFFFFFF"),
                );
                met.extend(
                    (outstanding.contains(&SEQUENCE_MAX) && pdu.sequence < 100).then_some("number after 0x7FFFFFFF"),
                );
                outstanding.push(pdu.sequence);
                let window = line.client.map_or(usize::MAX, |client| plan.window(client));
                met.extend((outstanding.len() >= window).then_some("window full"));
            }
            (Way::Read, CommandId::SUBMIT_SM_RESP | CommandId::DATA_SM_RESP) => {
                met.extend(
                    (outstanding.iter().position(|n| *n == pdu.sequence) > Some(0))
                        .then_some("answer overtaken by a later one"),
                );
                met.extend(answered.contains(&pdu.sequence).then_some("answer twice"));
                met.extend(
                    expired(history, line, pdu.sequence, frame.at).then_some("answer after its request expired"),
                );
                outstanding.retain(|number| *number != pdu.sequence);
                answered.insert(pdu.sequence);
            }
            (Way::Read, CommandId::ENQUIRE_LINK_RESP) => {
                met.insert("enquire_link answered");
            }
            (Way::Read, CommandId::DELIVER_SM | CommandId::DATA_SM) => {
                met.extend((!outstanding.is_empty()).then_some("receipt before its answer"));
            }
            _ => {}
        }
    }
}

/// How what was read is wrong.
fn wrong(frame: &super::Frame) -> Option<&'static str> {
    let (command, _) = frame.header().unwrap_or_default();
    match frame.wrong? {
        Wrong::Length => Some("length that cannot be"),
        Wrong::Shifted => Some("length that is one too large"),
        Wrong::Body if command.is_response() => Some("response that cannot be read"),
        Wrong::Body => Some("body that cannot be read"),
        Wrong::Said => command.rule().is_none().then_some("command that nobody knows"),
    }
}

fn expired(history: &History, line: &Line, sequence: u32, at: Duration) -> bool {
    let submit = line
        .frames
        .iter()
        .find(|frame| frame.submitted().is_some() && frame.pdu.as_ref().is_some_and(|pdu| pdu.sequence == sequence));
    let Some(message) = submit.and_then(super::Frame::submitted) else { return false };
    history.facts.iter().any(|fact| match &fact.what {
        What::Outcome { client, message: number, outcome: Outcome::Expired } => {
            (*client, *number) == message && fact.at < at
        }
        _ => false,
    })
}
