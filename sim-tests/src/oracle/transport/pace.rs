//! How fast a transport submits: not above its rate, and one part at a time after the SMSC has throttled it.

use std::time::Duration;

use super::super::{Frame, Line, Report, slack};
use super::Seen;
use super::order::{Life, lives};
use crate::history::Way;
use crate::plan::THROTTLE_DELAY_MS;

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

/// After the SMSC has throttled, a process submits nothing for a pause, and then one part, whose answer it waits for.
pub(super) fn probe(seen: &Seen, report: &mut Report) {
    for life in lives(seen) {
        if !seen.is_prompt() && !life.is_empty() {
            report.excused("rate: octets wait on their way");
            continue;
        }
        for throttled in throttled(seen, &life) {
            let mut later = life.iter().filter(|(_, it)| it.at > throttled + slack(seen.plan));
            let (Some((line, probe)), Some((_, next))) = (later.next(), later.next()) else { continue };
            let who = format!("transport {}", seen.owner);
            let waited = probe.at.saturating_sub(throttled);
            if waited + slack(seen.plan) < Duration::from_millis(THROTTLE_DELAY_MS) {
                return report.broken(probe.at, format!("{who}: submitted {waited:?} after it was throttled"));
            }
            if next.at + slack(seen.plan) < over(seen, line, probe) {
                let words = "two submits after it was throttled, and the first was not answered yet";
                return report.broken(next.at, format!("{who}: {words}"));
            }
        }
    }
}

/// When the SMSC throttled a part that was submitted after it had throttled others: it means the pace of now.
fn throttled(seen: &Seen, life: &Life) -> Vec<Duration> {
    let mut all: Vec<(Duration, usize, Duration)> = Vec::new();
    for (line, submit) in life {
        let answer = answer(line, submit).filter(|it| it.status().is_some_and(|status| seen.pauses_link(status)));
        let is_waited_for = |it: &&Frame| it.at + slack(seen.plan) < expired(seen, submit) && is_there(line, it.at);
        all.extend(answer.filter(is_waited_for).map(|it| (submit.at, it.order, it.at)));
    }
    // What was decided upon in the moment of an earlier answer does not count.
    let is_between = |sent: Duration, read: usize, (_, order, at): &(Duration, usize, Duration)| {
        *order < read && *at + slack(seen.plan) >= sent
    };
    let is_of_now =
        |(sent, read, _): &&(Duration, usize, Duration)| !all.iter().any(|other| is_between(*sent, *read, other));
    all.iter().filter(is_of_now).map(|(_, _, at)| *at).collect()
}

/// When a process knows what became of a submit, or that it will not.
fn over(seen: &Seen, line: &Line, submit: &Frame) -> Duration {
    let ends = [answer(line, submit).map(|it| it.at), line.ending_at(), Some(expired(seen, submit))];
    ends.into_iter().flatten().min().unwrap_or_default()
}

fn expired(seen: &Seen, submit: &Frame) -> Duration {
    submit.at + Duration::from_millis(seen.plan.timers.response_timeout_ms)
}

fn is_there(line: &Line, at: Duration) -> bool {
    line.ending_at().is_none_or(|ending| at < ending)
}

fn answer<'a>(line: &'a Line, submit: &Frame) -> Option<&'a Frame> {
    let (_, sequence) = submit.header()?;
    let mut read = line.numbered(sequence).filter(|it| it.way == Way::Read && it.answers_frame(submit));
    read.find(|it| it.order > submit.order)
}
