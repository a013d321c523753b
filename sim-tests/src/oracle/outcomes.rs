//! What a client is told of its messages is what the wire said: the right answer to the right message, once.

use std::collections::BTreeMap;
use std::time::Duration;

use smpp_transport::pdu::{Body, CommandStatus, MessageId, Pdu};

use super::{Frame, Line, Report, slack};
use crate::history::{End, History, Outcome, Way, What};
use crate::plan::Plan;

/// Every message that was handed over ends once, and as the octets that were read say.
pub(super) fn outcomes(plan: &Plan, history: &History, lines: &[Line], report: &mut Report) {
    let mut seen: BTreeMap<(usize, usize), u32> = BTreeMap::new();
    let submits = submits(lines);
    for fact in &history.facts {
        let What::Outcome { client, message, outcome } = &fact.what else { continue };
        let times = seen.entry((*client, *message)).or_default();
        *times += 1;
        if *times > 1 {
            report.broken(fact.at, format!("client {client} message {message} has ended {times} times"));
        }
        let sent = submits.get(&(*client, *message)).map_or(&[][..], Vec::as_slice);
        if sent.len() > 1 {
            report.broken(fact.at, format!("client {client} message {message} was sent {} times", sent.len()));
        }
        if let Some(words) = contradiction(plan, fact.at, outcome, sent.first().copied()) {
            report.broken(fact.at, format!("client {client} message {message}: {words}"));
        }
    }
    untold(plan, history, &seen, report);
}

/// A run that came to rest has told what became of every message. One that did not is the affair of `liveness`.
fn untold(plan: &Plan, history: &History, seen: &BTreeMap<(usize, usize), u32>, report: &mut Report) {
    let restless = history.facts.iter().any(|fact| matches!(fact.what, What::Restless { .. }));
    let Some(last) = history.facts.last().filter(|_| !restless) else { return };
    for (client, part) in plan.clients.iter().enumerate() {
        for message in (0..part.messages.len()).filter(|message| !seen.contains_key(&(client, *message))) {
            report.broken(last.at, format!("client {client} message {message}: nothing was told of it"));
        }
    }
}

/// How each message was sent.
fn submits(lines: &[Line]) -> BTreeMap<(usize, usize), Vec<(&Line, &Frame)>> {
    let mut submits: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for line in lines.iter().filter(|line| line.end == End::Esme) {
        for frame in line.frames.iter().filter(|frame| frame.way == Way::Written) {
            if let Some(message) = frame.submitted() {
                submits.entry(message).or_default().push((line, frame));
            }
        }
    }
    submits
}

/// Why the outcome is not what the wire said, if so.
fn contradiction(plan: &Plan, at: Duration, told: &Outcome, sent: Option<(&Line, &Frame)>) -> Option<String> {
    let Some((line, frame)) = sent else {
        let answered = matches!(told, Outcome::Accepted(_) | Outcome::Refused(_));
        return answered.then(|| format!("{told:?}, but it was never sent"));
    };
    let request = frame.pdu.as_ref()?;
    let answer = line.answers_to(request).find(|answer| answer.way == Way::Read && answer.at >= frame.at);
    let timeout = Duration::from_millis(plan.timers.response_timeout_ms);
    match (told, answer) {
        (Outcome::Accepted(_) | Outcome::Refused(_), None) => Some(format!("{told:?}, but no answer was read")),
        (Outcome::Accepted(_) | Outcome::Refused(_), Some(answer)) => {
            let said = answer.pdu.as_ref().map(outcome_of)?;
            (said != *told).then(|| format!("{told:?}, but the answer to its number said {said:?}"))
        }
        (Outcome::Expired, Some(answer)) if answer.at < at && answer.at < frame.at + timeout - slack(plan) => {
            Some(format!("expired, but its answer was read after {:?}", answer.at - frame.at))
        }
        (Outcome::Expired, _) if at > frame.at + timeout + slack(plan) => {
            Some(format!("expired {:?} after it was sent", at - frame.at))
        }
        (Outcome::Lost, Some(answer)) if answer.at < at && line.ending_at().is_none_or(|end| answer.at < end) => {
            Some("lost, but its answer was read before the session began to end".to_owned())
        }
        (Outcome::Lost, _) if line.ending_at().is_none() => Some("lost, but its session has not ended".to_owned()),
        _ => None,
    }
}

fn outcome_of(answer: &Pdu) -> Outcome {
    match &answer.body {
        Body::SubmitSmResp(body) | Body::DataSmResp(body) if answer.status == CommandStatus::ESME_ROK => {
            Outcome::Accepted(body.as_ref().map(|MessageId { message_id }| message_id.text()).unwrap_or_default())
        }
        _ => Outcome::Refused(answer.status.0),
    }
}
