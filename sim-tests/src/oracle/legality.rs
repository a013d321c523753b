//! What either side writes: readable, legal where the session stands, with numbers of its own, within the window.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use smpp_transport::pdu::{CommandId, CommandStatus};
use smpp_transport::session::SEQUENCE_MAX;

use super::line::Wrong;
use super::{Line, Report};
use crate::history::{End, History, Outcome, Way, What};
use crate::plan::Plan;

/// Table 2-1 of the standard, for what our two sides send: who may send a request to whom, bound how.
fn is_legal(end: End, bound: Option<CommandId>, command: CommandId) -> bool {
    let transmits = matches!(bound, Some(CommandId::BIND_TRANSMITTER | CommandId::BIND_TRANSCEIVER));
    let receives = matches!(bound, Some(CommandId::BIND_RECEIVER | CommandId::BIND_TRANSCEIVER));
    match command {
        _ if command.is_bind() => end == End::Esme && bound.is_none(),
        CommandId::ENQUIRE_LINK => true,
        CommandId::UNBIND => bound.is_some(),
        CommandId::SUBMIT_SM | CommandId::QUERY_SM | CommandId::CANCEL_SM => end == End::Esme && transmits,
        CommandId::DATA_SM if end == End::Esme => transmits,
        CommandId::DATA_SM => receives,
        CommandId::DELIVER_SM => end == End::Smsc && receives,
        _ => false,
    }
}

/// Nothing is written that is illegal in the session's state, and no request after unbind.
pub(super) fn legal_in_state(plan: &Plan, _: &History, lines: &[Line], report: &mut Report) {
    for line in lines {
        // What is read is noted when its octets are, which may be before the frames in front of it are acted on.
        let (mut bound, mut unbound) = (None, None);
        // What one that is slow has written may leave later.
        let prompt = line.end == End::Esme || plan.smsc.is_punctual();
        for frame in &line.frames {
            let is_theirs = (line.end == End::Smsc) == (frame.way == Way::Written);
            match frame.wrong.filter(|_| is_theirs && plan.smsc.is_malformed()) {
                Some(wrong) if wrong.breaks_framing() => break,
                Some(_) => continue,
                None => {}
            }
            let Some(pdu) = &frame.pdu else {
                let who = format!("line {} {:?} {:?}", line.number, line.end, frame.way);
                report.broken(frame.at, format!("{who} what cannot be read"));
                break;
            };
            let command = pdu.command_id();
            let bind = CommandId(command.0 & 0x7FFF_FFFF);
            if frame.way == Way::Written && frame.is_request() {
                let after_unbind = unbound.is_some_and(|(at, way)| way == Way::Written || (prompt && frame.at > at));
                if after_unbind || !is_legal(line.end, bound, command) {
                    let who = format!("line {} {:?}, bound {bound:?}, unbound {unbound:?}", line.number, line.end);
                    report.broken(frame.at, format!("{who}: writes {pdu}"));
                }
            }
            match command {
                _ if command.is_response() && bind.is_bind() && pdu.status == CommandStatus::ESME_ROK => {
                    bound = Some(bind)
                }
                CommandId::UNBIND | CommandId::UNBIND_RESP => unbound = Some((frame.at, frame.way)),
                _ => {}
            }
        }
    }
}

/// Sequence numbers of requests are 1 to 0x7FFFFFFF and, in runs as short as these, never used twice on a connection.
pub(super) fn numbers(_: &Plan, _: &History, lines: &[Line], report: &mut Report) {
    for line in lines {
        let mut used = BTreeSet::new();
        let right = |frame: &&super::Frame| frame.way == Way::Written && frame.is_request() && frame.wrong.is_none();
        let requests = line.readable().iter().filter(right);
        for (frame, pdu) in requests.filter_map(|frame| Some((frame, frame.pdu.as_ref()?))) {
            if !(1..=SEQUENCE_MAX).contains(&pdu.sequence) {
                report.broken(frame.at, format!("line {} {:?}: number out of range: {pdu}", line.number, line.end));
            }
            if !used.insert(pdu.sequence) {
                report.broken(frame.at, format!("line {} {:?}: number used again: {pdu}", line.number, line.end));
            }
        }
    }
}

/// Nobody has more messages outstanding than its window allows; one that has ended, for a client, is outstanding no more.
pub(super) fn window(plan: &Plan, history: &History, lines: &[Line], report: &mut Report) {
    let mut ended: BTreeMap<(usize, usize), Duration> = BTreeMap::new();
    for fact in &history.facts {
        if let What::Outcome { client, message, outcome: Outcome::Expired } = fact.what {
            ended.insert((client, message), fact.at);
        }
    }
    let timeout = Duration::from_millis(plan.timers.response_timeout_ms);
    for line in lines {
        let (who, window, is_client) = match (line.end, line.client) {
            // What an SMSC writes that is wrong goes past its window.
            (End::Smsc, _) if plan.smsc.is_malformed() => continue,
            (End::Smsc, _) => (format!("the SMSC on line {}", line.number), plan.smsc.window(), false),
            (End::Esme, Some(client)) => {
                (format!("client {client}"), plan.window(client), plan.transport(client).is_none())
            }
            (End::Esme, None) => continue,
        };
        let is_message = |frame: &super::Frame| match line.end {
            End::Esme => frame.submitted().is_some(),
            End::Smsc => [CommandId::DELIVER_SM, CommandId::DATA_SM].iter().any(|it| frame.is(Way::Written, *it)),
        };
        let is_late = match line.end {
            End::Esme => plan.wire.esme.stall > 0.0,
            End::Smsc => plan.wire.smsc.stall > 0.0 || !plan.smsc.is_punctual(),
        };
        let first = line.frames.first().map_or(Duration::ZERO, |frame| frame.at);
        let mut outstanding: Vec<&super::Frame> = Vec::new();
        for frame in &line.frames {
            let over = |sent: &&super::Frame| {
                let expired = sent.submitted().and_then(|message| ended.get(&message));
                // What the sessions of all others have given up nobody says; they count from before it is written, and
                // what is written late may have waited since the line began.
                let since = if is_late { first } else { sent.at };
                let given_up = !is_client && since + timeout <= frame.at + super::slack(plan);
                let is_answered = frame.way == Way::Read && frame.answers_frame(sent);
                !given_up && !is_answered && expired.is_none_or(|at| *at > frame.at)
            };
            outstanding.retain(over);
            if frame.way == Way::Written && is_message(frame) {
                outstanding.push(frame);
            }
            if outstanding.len() > window {
                let words = format!("{who}: {} outstanding, window {window}", outstanding.len());
                report.broken(frame.at, words);
            }
        }
    }
}

/// What cannot be cut into frames is as much as had passed when that was seen.
fn is_same(written: &super::Frame, read: &super::Frame) -> bool {
    let octets =
        if read.wrong == Some(Wrong::Length) { read.octets.len().min(written.octets.len()) } else { usize::MAX };
    let upto = |frame: &super::Frame| frame.octets.slice(..octets.min(frame.octets.len()));
    upto(written) == upto(read)
}

/// What one end reads is the beginning of what the other has written.
pub(super) fn octets(_: &Plan, _: &History, lines: &[Line], report: &mut Report) {
    for line in lines {
        let Some(other) = line.other(lines) else {
            continue;
        };
        let read = line.frames.iter().filter(|frame| frame.way == Way::Read);
        let mut written = other.frames.iter().filter(|frame| frame.way == Way::Written);
        for frame in read {
            if written.next().is_none_or(|theirs| !is_same(theirs, frame)) {
                let words = format!("line {} {:?}: has read what was not written so", line.number, line.end);
                report.broken(frame.at, words);
                break;
            }
        }
    }
}
