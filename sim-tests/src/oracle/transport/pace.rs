//! How fast and in which order a transport submits: not above its rate, and where it is told to keep all in order, one
//! message after the other.

use std::collections::BTreeMap;
use std::time::Duration;

use super::super::{Frame, Line, Report, slack};
use super::Seen;
use super::seen::is_submit;
use crate::history::What;
use crate::plan::Order;

/// What a process submitted in one of its lives, in order.
fn lives<'a>(seen: &Seen<'a>) -> Vec<Vec<(&'a Line, &'a Frame)>> {
    let mut lives: BTreeMap<(Option<usize>, usize), Vec<_>> = BTreeMap::new();
    for line in seen.lines.iter().copied() {
        let is_start = |what: &What| matches!(what, What::Started { process, .. } if Some(*process) == line.process);
        let began = line.frames.first().map_or(0, |first| first.order);
        let starts = seen.facts.iter().filter(|(order, fact)| *order < began && is_start(&fact.what));
        let submits = line.frames.iter().filter(|frame| is_submit(frame)).map(|frame| (line, frame));
        lives.entry((line.process, starts.count())).or_default().extend(submits);
    }
    let mut lives: Vec<_> = lives.into_values().collect();
    lives.iter_mut().for_each(|life| life.sort_by_key(|(_, frame)| frame.order));
    lives
}

/// In any stretch of time no more than what the rate gives for it, and one: what had been saved up.
pub(super) fn rate(seen: &Seen, report: &mut Report) {
    let Some(rate) = seen.part.options.rate.map(f64::from) else { return };
    for life in lives(seen) {
        for (place, (_, first)) in life.iter().enumerate() {
            for (count, (_, last)) in life[place..].iter().enumerate() {
                let time = last.at - first.at + slack(seen.plan);
                if count as f64 > time.as_secs_f64() * rate + 1.0 {
                    let words = format!("transport {}: {} submits in {:?}", seen.owner, count + 1, last.at - first.at);
                    return report.broken(last.at, format!("{words}, {rate} a second are allowed"));
                }
            }
        }
    }
}

pub(super) fn order(seen: &Seen, report: &mut Report) {
    if seen.part.options.keep_order != Order::Strict {
        return;
    }
    for life in lives(seen) {
        one_at_a_time(seen, &life, report);
        none_goes_back(seen, &life, report);
    }
}

/// A submit is written when the one before it has been answered, has expired, or has lost its session.
fn one_at_a_time(seen: &Seen, life: &[(&Line, &Frame)], report: &mut Report) {
    let timeout = Duration::from_millis(seen.plan.timers.response_timeout_ms);
    for two in life.windows(2) {
        let [(line, before), (_, next)] = two else { continue };
        let read = line.frames.iter().filter(|frame| frame.order > before.order && frame.order < next.order);
        let is_answered = before.pdu.as_ref().is_some_and(|pdu| read.into_iter().any(|frame| frame.answers(pdu)));
        let is_over = before.at + timeout <= next.at + slack(seen.plan);
        let is_lost = line.ending_at().is_some_and(|at| at <= next.at);
        if !(is_answered || is_over || is_lost) {
            let words = format!("transport {}: two submits at once, and it is told to keep order", seen.owner);
            report.broken(next.at, words);
        }
    }
}

/// Once a message has gone that was handed out later, none that was handed out before goes any more.
fn none_goes_back(seen: &Seen, life: &[(&Line, &Frame)], report: &mut Report) {
    let Some((line, first)) = life.first() else { return };
    let is_start = |what: &What| matches!(what, What::Started { process, .. } if Some(*process) == line.process);
    let began = seen.facts.iter().rev().find(|(order, fact)| *order < first.order && is_start(&fact.what));
    let began = began.map_or(0, |(order, _)| *order);
    let is_end = |what: &What| matches!(what, What::Died { process, .. } | What::Stopped { process, .. } if Some(*process) == line.process);
    let ended = seen.facts.iter().find(|(order, fact)| *order > first.order && is_end(&fact.what));
    let ended = ended.map_or(usize::MAX, |(order, _)| *order);
    let mut handed: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (order, fact) in seen.facts.iter().filter(|(order, _)| (began..ended).contains(order)) {
        if let What::Taken { process, message: Some((_, message)), .. } = fact.what
            && Some(process) == line.process
        {
            handed.entry(message).or_default().push(*order);
        }
    }
    // One that is handed out two times has two places.
    let place = |message: usize| handed.get(&message).filter(|places| places.len() == 1).map(|places| places[0]);
    let mut furthest = None;
    for (_, frame) in life {
        let Some((message, place)) = frame.submitted().and_then(|(_, it)| Some((it, place(it)?))) else { continue };
        match furthest {
            Some((later, at)) if place < at => {
                let who = format!("message {message} of {}", seen.owner);
                report.broken(frame.at, format!("{who}: sent after message {later}, which was handed out later"));
            }
            _ => furthest = Some((message, place)),
        }
    }
}
