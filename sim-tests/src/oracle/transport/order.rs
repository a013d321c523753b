//! In which order a transport submits: where it is told to keep all in order, one message after the other; where it is told
//! to keep the order of each destination, none goes before an earlier one to the same, nor while that is to go again.

use std::collections::BTreeMap;
use std::time::Duration;

use super::super::{Frame, Line, Report, slack};
use super::Seen;
use super::seen::{Try, is_submit};
use crate::history::What;
use crate::plan::{LINGER_MS, Order};

/// A process's life: what it submitted, in order.
type Life<'a> = Vec<(&'a Line, &'a Frame)>;

pub(super) fn order(seen: &Seen, report: &mut Report) {
    for life in lives(seen) {
        match seen.part.options.keep_order {
            Order::None => {}
            Order::PerDestination => none_overtakes(seen, &life, report),
            Order::Strict => {
                one_at_a_time(seen, &life, report);
                none_goes_back(seen, &life, report);
            }
        }
    }
}

/// What the processes submitted, each of their lives by itself.
pub(super) fn lives<'a>(seen: &Seen<'a>) -> Vec<Life<'a>> {
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
    let handed = handed_out(seen, life);
    let mut furthest = None;
    for (_, frame) in life {
        let place = |message: usize| handed.get(&message).copied();
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

/// When each message was handed out in this life, as places among all facts. One that was handed out two times has none.
fn handed_out(seen: &Seen, life: &[(&Line, &Frame)]) -> BTreeMap<usize, usize> {
    let Some((line, first)) = life.first() else { return BTreeMap::new() };
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
    handed.into_iter().filter(|(_, places)| places.len() == 1).map(|(message, places)| (message, places[0])).collect()
}

/// Of two messages to one destination the later one goes after all parts of the earlier one have gone, and not while one of
/// those is to go again.
fn none_overtakes(seen: &Seen, life: &[(&Line, &Frame)], report: &mut Report) {
    for (earlier, later) in pairs(seen, life) {
        let Some(begins) = later.tries.first() else { continue };
        let who = || format!("message {} of {}", later.message, seen.owner);
        for (place, it) in earlier.tries.iter().enumerate() {
            let is_first = !earlier.tries[..place].iter().any(|before| before.part == it.part);
            if is_first && it.frame.order > begins.frame.order {
                let words = format!("sent before part {} of message {}", it.part.number, earlier.message);
                report.broken(it.frame.at, format!("{}: {words}, which was handed out earlier", who()));
            }
        }
        for (failed, again) in retries(&earlier.tries) {
            let known = failed_by(seen, failed) + slack(seen.plan);
            let between = |it: &&&Try| it.frame.at > known && it.frame.order < again.frame.order;
            if let Some(it) = later.tries.iter().find(between) {
                let words = format!("sent while part {} of message {}", failed.part.number, earlier.message);
                report.broken(it.frame.at, format!("{}: {words} was to be sent again", who()));
            }
        }
    }
}

/// A message in one life.
struct Sent<'a, 'b> {
    message: usize,
    /// When it was handed out, as a place among all facts.
    handed: usize,
    tries: Vec<&'b Try<'a>>,
}

/// Messages of this life to one destination, each with each that was handed out later.
fn pairs<'a, 'b>(seen: &'b Seen<'a>, life: &[(&Line, &Frame)]) -> Vec<(Sent<'a, 'b>, Sent<'a, 'b>)> {
    let mut handed: Vec<_> = handed_out(seen, life).into_iter().map(|(message, place)| (place, message)).collect();
    handed.sort_unstable();
    let to = |message: usize| seen.part.messages.get(message).and_then(|text| text.to);
    let sent = |(handed, message): (usize, usize)| {
        let is_here = |it: &&Try| life.binary_search_by_key(&it.frame.order, |(_, frame)| frame.order).is_ok();
        Sent { message, handed, tries: seen.tries.get(&message).into_iter().flatten().filter(is_here).collect() }
    };
    let mut pairs = Vec::new();
    for (place, earlier) in handed.iter().enumerate().filter(|(_, (_, message))| to(*message).is_some()) {
        let later = handed[place + 1..].iter().filter(|(_, later)| to(*later) == to(earlier.1));
        pairs.extend(later.map(|later| (sent(*earlier), sent(*later))));
    }
    pairs
}

/// Each try after which the same part went again, with the next one of it.
fn retries<'a, 'b>(tries: &[&'b Try<'a>]) -> impl Iterator<Item = (&'b Try<'a>, &'b Try<'a>)> {
    tries.iter().enumerate().filter_map(|(place, it)| {
        let again = tries[place + 1..].iter().find(|again| again.part == it.part)?;
        Some((*it, *again))
    })
}

/// By when a process knows that a try has come to nothing: its answer says so, its time is over, or its session is gone.
fn failed_by(seen: &Seen, it: &Try) -> Duration {
    let answered = it.answer.filter(|_| it.is_heard(seen.plan)).map(|answer| answer.at);
    let lost = it.line.hung.map(|hung| hung + Duration::from_millis(LINGER_MS));
    let expired = it.frame.at + Duration::from_millis(seen.plan.timers.response_timeout_ms);
    answered.unwrap_or_else(|| lost.map_or(expired, |lost| lost.min(expired)))
}

/// Situations of messages to one destination.
pub(super) fn marks(seen: &Seen) -> Vec<&'static str> {
    let mut met = Vec::new();
    if seen.part.options.keep_order != Order::PerDestination {
        return met;
    }
    for life in lives(seen) {
        for (earlier, later) in pairs(seen, &life) {
            let (Some(_), Some(begins)) = (earlier.tries.first(), later.tries.first()) else { continue };
            met.push("two messages to one destination, in order");
            let waited = |(_, again): (&Try, &Try)| (later.handed..begins.frame.order).contains(&again.frame.order);
            met.extend(
                retries(&earlier.tries)
                    .any(waited)
                    .then_some("message waits for one to its destination that goes again"),
            );
        }
    }
    met
}
