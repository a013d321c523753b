//! What either side owes the other: answers, once each, and signs of life.

use std::time::Duration;

use smpp_transport::pdu::{CommandId, Pdu};

use super::{Frame, Line, Report, slack};
use crate::history::{End, History, Way};
use crate::plan::{LINGER_MS, Plan, UNBIND_MS};

/// Every request that is read is answered once, with its number and the right id, in time; and nothing is answered that
/// was not asked. A simulator that is told to lie may.
pub(super) fn answers(plan: &Plan, _: &History, lines: &[Line], report: &mut Report) {
    for line in lines.iter().filter(|line| line.end == End::Esme || plan.smsc_is_honest()) {
        let right = |frame: &&Frame| frame.way == Way::Read && frame.is_request() && frame.wrong.is_none();
        let requests = line.readable().iter().filter(right);
        for request in requests {
            owed(plan, line, request, lines, report);
        }
        before_unbind(line, report);
        let written = line.readable().iter().filter(|frame| frame.way == Way::Written && !frame.is_request());
        // What the SMSC writes that is wrong is so on purpose.
        for answer in written.filter(|frame| line.end == End::Esme || frame.wrong.is_none()) {
            let asked = |frame: &&Frame| frame.way == Way::Read && frame.at <= answer.at && answer.answers_frame(frame);
            let number = answer.header().map_or(0, |(_, number)| number);
            if !line.numbered(number).any(|frame| asked(&frame)) {
                let words = answer.pdu.as_ref().map(ToString::to_string).unwrap_or_default();
                report.broken(
                    answer.at,
                    format!("line {} {:?}: answers what nobody asked: {words}", line.number, line.end),
                );
            }
        }
    }
}

fn owed(plan: &Plan, line: &Line, request: &Frame, lines: &[Line], report: &mut Report) {
    let Some(pdu) = &request.pdu else { return };
    let due = request.at + time_to_answer(plan, line, pdu);
    let answers: Vec<_> =
        line.numbered(pdu.sequence).filter(|it| it.way == Way::Written && it.answers_frame(request)).collect();
    let first = answers.first().map(|answer| answer.at);
    let mut by = due + slack(plan);
    if first.is_none_or(|at| at > by) {
        // It waits behind what is written before it, while no more fits on the network.
        let order = answers.first().map_or(usize::MAX, |answer| answer.order);
        by = line.room_for(order, due, lines).map_or(Duration::MAX, |room| room + slack(plan));
    }
    // What cannot be read any more is answered by chance.
    let last = line.readable().last().map_or(0, |frame| frame.order);
    let count = answers.iter().filter(|answer| answer.order <= last).count();
    let who = || format!("line {} {:?}: {pdu}", line.number, line.end);
    if count > 1 {
        report.broken(request.at, format!("{}: answered {count} times", who()));
    }
    // Who unbinds or hangs up owes nothing any more.
    let excused = line.ending_at().is_some_and(|at| at <= by);
    match first {
        Some(at) if at > by => report.broken(at, format!("{}: answered after {:?}", who(), at - request.at)),
        None if !excused && still_running(line, by) => report.broken(by, format!("{}: never answered", who())),
        _ => {}
    }
}

/// What was read before an unbind is answered before the unbind is, which waits for it for half of the time that an unbind
/// may take. Where both sides unbind, either may have to hurry.
fn before_unbind(line: &Line, report: &mut Report) {
    let frames = &line.frames;
    let place = |way, command| frames.iter().position(|frame| frame.is(way, command));
    let Some(unbind) = place(Way::Read, CommandId::UNBIND) else { return };
    let Some(answer) = place(Way::Written, CommandId::UNBIND_RESP) else { return };
    let waited = frames[answer].at.saturating_sub(frames[unbind].at) >= Duration::from_millis(UNBIND_MS / 2);
    if waited || place(Way::Written, CommandId::UNBIND).is_some() {
        return;
    }
    for request in frames[..unbind].iter().filter(|frame| frame.way == Way::Read) {
        let Some(pdu) = &request.pdu else { continue };
        let before = |it: &Frame| it.way == Way::Written && it.order < frames[answer].order;
        let answered = line.numbered(pdu.sequence).any(|it| before(it) && it.answers_frame(request));
        if !answered && pdu.command_id().answer().is_some() {
            let who = format!("line {} {:?}: {pdu}", line.number, line.end);
            report.broken(frames[answer].at, format!("{who}: not answered before the unbind after it was"));
        }
    }
}

fn time_to_answer(plan: &Plan, line: &Line, request: &Pdu) -> Duration {
    let ms = match (line.end, request.command_id()) {
        (End::Esme, CommandId::DELIVER_SM | CommandId::DATA_SM) => {
            line.client.map_or(0, |owner| plan.answer_delay_ms(owner))
        }
        // First what was asked before it is answered, but for no longer than half of the time that an unbind may take.
        (_, CommandId::UNBIND) => UNBIND_MS / 2,
        (End::Smsc, CommandId::SUBMIT_SM | CommandId::DATA_SM) => plan.smsc.response_delay_max_ms(),
        _ => 0,
    };
    Duration::from_millis(ms)
}

/// Whether the run went on at this end until then.
fn still_running(line: &Line, until: Duration) -> bool {
    line.frames.last().is_some_and(|frame| frame.at > until) || line.hung.is_some_and(|at| at > until)
}

/// enquire_link is sent after `enquire_link_interval` of silence of the peer and not before; a silence that goes on after
/// it ends the connection within the response timeout.
pub(super) fn enquire_link(plan: &Plan, _: &History, lines: &[Line], report: &mut Report) {
    let interval = Duration::from_millis(plan.timers.enquire_link_interval_ms);
    let timeout = Duration::from_millis(plan.timers.response_timeout_ms);
    for line in lines.iter().filter(|line| line.end == End::Esme || plan.smsc.is_punctual()) {
        let Some((bound, _)) = line.bound_at() else { continue };
        let end = line.ending_at().or(line.frames.last().map(|frame| frame.at)).unwrap_or(bound);
        let (mut heard, mut asked) = (bound, None);
        let who = format!("line {} {:?}", line.number, line.end);
        for frame in line.frames.iter().filter(|frame| frame.at >= bound && frame.at <= end) {
            let silence = frame.at - heard;
            if silence > interval + slack(plan) && asked.is_none() && !frame.is(Way::Written, CommandId::ENQUIRE_LINK) {
                report.broken(frame.at, format!("{who}: silence of {silence:?} without enquire_link"));
            }
            if frame.is(Way::Written, CommandId::ENQUIRE_LINK) {
                if silence < interval || silence > interval + slack(plan) {
                    report.broken(frame.at, format!("{who}: enquire_link after a silence of {silence:?}"));
                }
                asked = Some(frame.at);
            }
            if frame.way == Way::Read {
                (heard, asked) = (frame.at, None);
            }
        }
        let dead_by = heard + interval + timeout + Duration::from_millis(LINGER_MS) + slack(plan);
        if line.hung.is_none_or(|at| at > dead_by) && line.ending_at().is_none_or(|at| at > dead_by) && end > dead_by {
            report.broken(dead_by, format!("{who}: silent since {heard:?}, and still up"));
        }
    }
}
