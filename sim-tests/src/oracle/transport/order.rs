//! In which order a transport submits: where it is told to keep all in order, one message after the other; where it is told
//! to keep the order of each destination, none goes before an earlier one to the same, nor while that is to go again.

use std::collections::BTreeMap;
use std::time::Duration;

use super::super::{Frame, Line, Report, slack};
use super::seen::{Try, is_submit};
use super::{Seen, accepted};
use crate::history::What;
use crate::plan::{LINGER_MS, Order};

/// A process's life: what it submitted, in order.
pub(super) type Life<'a> = Vec<(&'a Line, &'a Frame)>;

pub(super) fn order(seen: &Seen, report: &mut Report) {
    for life in lives(seen) {
        match seen.part.options.keep_order {
            Order::None => {}
            Order::PerDestination => {
                none_overtakes(seen, &life, report);
                accepted::in_order(seen, &life, report);
            }
            Order::Strict => {
                accepted::in_order(seen, &life, report);
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
        let submits = line.frames.iter().filter(|frame| is_submit(frame)).map(|frame| (line, frame));
        lives.entry((line.process, seen.starts_before(line))).or_default().extend(submits);
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
        let is_answered = read.into_iter().any(|frame| frame.answers_frame(before));
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

/// From which fact of a process's life, and before which, it lived.
pub(super) fn bounds(seen: &Seen, life: &[(&Line, &Frame)]) -> (usize, usize) {
    let Some((line, first)) = life.first() else { return (0, 0) };
    let is_start = |what: &What| matches!(what, What::Started { process, .. } if Some(*process) == line.process);
    let began = seen.facts.iter().rev().find(|(order, fact)| *order < first.order && is_start(&fact.what));
    let is_end = |what: &What| matches!(what, What::Died { process, .. } | What::Stopped { process, .. } if Some(*process) == line.process);
    let ended = seen.facts.iter().find(|(order, fact)| *order > first.order && is_end(&fact.what));
    (began.map_or(0, |(order, _)| *order), ended.map_or(usize::MAX, |(order, _)| *order))
}

/// Returns `true` for a submit of this life.
pub(super) fn is_of(life: &[(&Line, &Frame)], it: &Try) -> bool {
    life.binary_search_by_key(&it.frame.order, |(_, frame)| frame.order).is_ok()
}

/// Times that the bus handed a message to a process in one life.
#[derive(Default)]
pub(super) struct Takes {
    pub(super) count: usize,
    /// Places among all facts of those that were not given back.
    pub(super) open: Vec<usize>,
}

/// Messages that the bus handed to the process in this life.
pub(super) fn takes(seen: &Seen, life: &[(&Line, &Frame)]) -> BTreeMap<usize, Takes> {
    let Some((line, _)) = life.first() else { return BTreeMap::new() };
    let (began, ended) = bounds(seen, life);
    let mut takes: BTreeMap<usize, Takes> = BTreeMap::new();
    for (order, fact) in seen.facts.iter().filter(|(order, _)| (began..ended).contains(order)) {
        match fact.what {
            What::Taken { process, message: Some((_, message)), redelivered } if Some(process) == line.process => {
                let of = takes.entry(message).or_default();
                of.count += 1;
                // A broker that was away has taken back what it had handed out.
                if redelivered && !of.open.is_empty() {
                    of.open.remove(0);
                }
                of.open.push(*order);
            }
            What::Settled { process, message: Some((_, message)), acked: false, .. }
                if Some(process) == line.process =>
            {
                takes.entry(message).and_modify(|of| _ = of.open.pop());
            }
            _ => {}
        }
    }
    takes
}

/// Where each message was handed to the process in this life, as places among all facts: once, or once more after all that was
/// handed out before was given back. A message that was submitted before, or is there twice, has none.
pub(super) fn handed_out(seen: &Seen, life: &[(&Line, &Frame)]) -> BTreeMap<usize, usize> {
    let is_new = |message: usize, place: usize| {
        let mut tries = seen.tries.get(&message).into_iter().flatten();
        !tries.any(|it| is_of(life, it) && it.frame.order < place)
    };
    let is_once = |(message, of): &(usize, Takes)| match of.open[..] {
        [place] => of.count == 1 || is_new(*message, place),
        _ => false,
    };
    takes(seen, life).into_iter().filter(is_once).map(|(message, of)| (message, of.open[0])).collect()
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
        let is_here = |it: &&Try| is_of(life, it);
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
pub(super) fn failed_by(seen: &Seen, it: &Try) -> Duration {
    failed(seen, it, Duration::from_millis(LINGER_MS))
}

/// From when on a process may know it.
pub(super) fn failed_from(seen: &Seen, it: &Try) -> Duration {
    failed(seen, it, Duration::ZERO)
}

fn failed(seen: &Seen, it: &Try, linger: Duration) -> Duration {
    let answered = it.answer.filter(|_| it.is_heard(seen.plan)).map(|answer| answer.at);
    let lost = it.line.hung.map(|hung| hung + linger);
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
