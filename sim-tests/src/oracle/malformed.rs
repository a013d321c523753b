//! What the SMSC writes that is no PDU, or one that is wrong: the ESME says so as the standard wants it, and goes on where
//! it can.

use std::collections::BTreeMap;
use std::time::Duration;

use smpp_transport::pdu::{CommandId, CommandStatus, Leniency, Pdu};

use super::line::Wrong;
use super::{Frame, Line, Report, slack};
use crate::history::{End, History, How, Way, What};
use crate::plan::{LINGER_MS, Plan};

pub(super) fn malformed(plan: &Plan, history: &History, lines: &[Line], report: &mut Report) {
    for line in lines.iter().filter(|line| line.end == End::Esme) {
        let read = || line.frames.iter().filter(|frame| frame.way == Way::Read);
        if let Some(broken) = read().find(|frame| frame.wrong == Some(Wrong::Length)) {
            ends(plan, history, line, broken, lines, report);
        }
        let mut asked: BTreeMap<_, Vec<&Frame>> = BTreeMap::new();
        let wrong = |frame: &&Frame| matches!(frame.wrong, Some(Wrong::Body | Wrong::Said)) && frame.way == Way::Read;
        for frame in line.readable().iter().filter(wrong) {
            asked.entry(frame.header()).or_default().push(frame);
        }
        for frames in asked.values() {
            answered(plan, line, frames, lines, report);
        }
    }
}

/// A length that cannot be: generic_nack with ESME_RINVCMDLEN, and the connection is closed (§4.3).
fn ends(plan: &Plan, history: &History, line: &Line, broken: &Frame, lines: &[Line], report: &mut Report) {
    let who = format!("line {}: {:02X?} cannot be the beginning of a frame", line.number, octets(broken));
    let after = line.frames.iter().filter(|frame| frame.order > broken.order && frame.way == Way::Written);
    let by = broken.at + Duration::from_millis(LINGER_MS) + slack(plan);
    if line.hung.is_none_or(|hung| hung > by) && line.frames.last().is_some_and(|last| last.at > by) {
        return report.broken(by, format!("{who}, and the connection is still up"));
    }
    let died = history.facts.iter().any(|fact| {
        matches!(fact.what, What::Died { process, .. } if Some(process) == line.process) && fact.at == broken.at
    });
    let cut_short = died || smsc_hung_up_first(line, lines) || plan.wire.is_cutting() || line.how != Some(How::Shut);
    let after: Vec<_> = after.collect();
    if let Some(request) = after.iter().find(|frame| frame.is_request() && frame.at > broken.at) {
        report.broken(request.at, format!("{who}, and a request is written after it"));
    }
    if cut_short || after.iter().any(|frame| is_of_length(frame)) {
        return;
    }
    let is_unbind = |frame: &Frame| matches!(frame.command(), Some(CommandId::UNBIND | CommandId::UNBIND_RESP));
    if line.frames.iter().any(|frame| frame.order < broken.order && is_unbind(frame)) {
        report.excused("malformed: the session had been unbound, and may have ended before");
    } else {
        report.broken(broken.at, format!("{who}, and it is not said"));
    }
}

/// Whether the SMSC had hung up when this end did, or has no end of it.
fn smsc_hung_up_first(line: &Line, lines: &[Line]) -> bool {
    let other = lines.iter().find(|other| other.number == line.number && other.end == End::Smsc);
    other.is_none_or(|other| other.hung.is_some_and(|hung| line.hung.is_none_or(|at| hung <= at)))
}

/// Whether it says that a length cannot be.
fn is_of_length(frame: &Frame) -> bool {
    let status = frame.pdu.as_ref().map(|pdu| pdu.status);
    frame.is(Way::Written, CommandId::GENERIC_NACK) && status == Some(CommandStatus::ESME_RINVCMDLEN)
}

/// A request that is wrong is answered once; one that nobody knows by generic_nack with ESME_RINVCMDID (§3.3), one that
/// cannot be read by what is no success. A response never is. Several with one number are answered as often.
fn answered(plan: &Plan, line: &Line, frames: &[&Frame], lines: &[Line], report: &mut Report) {
    let (Some(first), Some(last)) = (frames.first(), frames.last()) else { return };
    let Some((command, sequence)) = first.header() else { return };
    // What cannot be read any more is answered by chance.
    let readable = line.readable().iter();
    let answers =
        || readable.clone().filter(|it| it.way == Way::Written && it.answers_frame(first) && !is_of_length(it));
    let wait = line.client.map_or(0, |owner| plan.answer_delay_ms(owner));
    let by = last.at + Duration::from_millis(wait) + slack(plan);
    let excused = line.ending_at().is_some_and(|at| at <= by) || line.frames.last().is_none_or(|last| last.at <= by);
    let who = format!("line {}: {command:?} with number {sequence}, which is wrong", line.number);
    let count = answers().count();
    let wanted = if command.is_response() { 0 } else { frames.len() };
    if count > wanted || (count < wanted && !excused) {
        report.broken(by, format!("{who}: came {wanted} times, answered {count} times"));
    }
    for answer in answers().filter_map(|frame| frame.pdu.as_ref()) {
        let is_unknown = command.rule().is_none();
        let is_told = answer.command_id() == CommandId::GENERIC_NACK && answer.status == CommandStatus::ESME_RINVCMDID;
        let is_refused = answer.status != CommandStatus::ESME_ROK;
        let is_understood = Pdu::decode(&first.octets, Leniency::TOLERANT).is_ok();
        if (is_unknown && !is_told) || !(is_refused || is_understood) {
            report.broken(first.at, format!("{who}: answered by {answer}"));
        }
    }
    if !smsc_hung_up_first(line, lines) {
        goes_on(plan, line, last, report);
    }
}

/// One PDU that is wrong ends no session.
fn goes_on(plan: &Plan, line: &Line, wrong: &Frame, report: &mut Report) {
    let Some(hung) = line.hung.filter(|hung| *hung <= wrong.at + slack(plan) && line.how == Some(How::Shut)) else {
        return;
    };
    let other_reason = line.frames.iter().any(|frame| {
        let asks =
            matches!(frame.command(), Some(CommandId::UNBIND | CommandId::UNBIND_RESP | CommandId::ENQUIRE_LINK));
        asks || frame.wrong.is_some_and(Wrong::breaks_framing)
    });
    if line.bound_at().is_some() && !other_reason && !plan.wire.is_cutting() {
        report.broken(hung, format!("line {}: hung up after {:02X?}", line.number, octets(wrong)));
    }
}

fn octets(frame: &Frame) -> &[u8] {
    &frame.octets[..frame.octets.len().min(16)]
}
