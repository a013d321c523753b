//! Situations that a sweep must have met: one that never meets them proves little.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use smpp_transport::pdu::{CommandId, CommandStatus};
use smpp_transport::session::SEQUENCE_MAX;

use super::line::Wrong;
use super::{Line, faults, smsc, transport};
use crate::history::{End, History, Outcome, Way, What};
use crate::plan::{FaultKind, Plan};

/// Every mark that there is.
pub fn all() -> impl Iterator<Item = &'static str> {
    OF_LINES.into_iter().chain(faults::MARKS).chain(smsc::MARKS).chain(transport::all())
}

/// Those of connections and outcomes.
const OF_LINES: [&str; 26] = [
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
    "bind refused for now",
    "bind refused for good",
    "bind not answered",
    "transport bound after a refusal",
];

/// When messages expired.
type Expired = BTreeMap<(usize, usize), Duration>;

/// The marks that a run has met.
pub(super) fn marks(plan: &Plan, seen: &[smsc::Seen], history: &History, lines: &[Line]) -> BTreeSet<&'static str> {
    let mut met = BTreeSet::new();
    let mut bound = BTreeSet::new();
    let mut expired = Expired::new();
    for fact in &history.facts {
        match &fact.what {
            What::Bound { client } => {
                met.insert(if bound.insert(*client) { "bound" } else { "bound again" });
            }
            What::Outcome { client, message, outcome } => {
                if *outcome == Outcome::Expired {
                    expired.entry((*client, *message)).or_insert(fact.at);
                }
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
        of_line(plan, &expired, line, &mut met);
    }
    met.extend(smsc::marks(seen));
    met.extend(binds(plan, lines));
    met.extend(faults::marks(plan, history, lines));
    met
}

/// What became of binds.
fn binds(plan: &Plan, lines: &[Line]) -> BTreeSet<&'static str> {
    let mut met = BTreeSet::new();
    let mut refused = BTreeSet::new();
    for line in lines.iter().filter(|line| line.end == End::Esme) {
        let Some(client) = line.client else { continue };
        let answer = line.frames.iter().filter(|frame| frame.way == Way::Read).find_map(|frame| frame.pdu.as_ref());
        let answer = answer.filter(|pdu| pdu.command_id().is_response());
        let is_for_good = |status| matches!(status, CommandStatus::ESME_RINVPASWD | CommandStatus::ESME_RINVSYSID);
        match answer.map(|pdu| pdu.status) {
            Some(CommandStatus::ESME_ROK) if plan.transport(client).is_some() && refused.contains(&client) => {
                met.insert("transport bound after a refusal");
            }
            Some(CommandStatus::ESME_ROK) => {}
            Some(status) => {
                refused.insert(client);
                met.insert(if is_for_good(status) { "bind refused for good" } else { "bind refused for now" });
            }
            None => {
                let reached = lines.iter().find(|it| it.number == line.number && it.end == End::Smsc);
                let asked = reached.is_some_and(|it| it.frames.iter().any(|frame| frame.way == Way::Read));
                met.extend((asked && line.frames.len() == 1).then_some("bind not answered"));
            }
        }
    }
    met
}

fn of_line(plan: &Plan, expired: &Expired, line: &Line, met: &mut BTreeSet<&'static str>) {
    let mut outstanding: Vec<u32> = Vec::new();
    let mut answered: BTreeSet<u32> = BTreeSet::new();
    if line.end == End::Smsc {
        met.extend(line.frames.iter().any(|f| f.is(Way::Written, CommandId::UNBIND)).then_some("unbind from the SMSC"));
        return;
    }
    let holds: Vec<Duration> = plan
        .faults
        .iter()
        .filter(|fault| fault.kind == FaultKind::Hold && fault.is_at(line.smsc))
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
                    is_late(expired, line, pdu.sequence, frame.at).then_some("answer after its request expired"),
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

fn is_late(expired: &Expired, line: &Line, sequence: u32, at: Duration) -> bool {
    let submit = line.numbered(sequence).find_map(super::Frame::submitted);
    submit.is_some_and(|message| expired.get(&message).is_some_and(|expired| *expired < at))
}
