//! Fairness: a message that breaks sessions, a full destination or a refusal delays others only as the policy says. A suspect,
//! that is a message that was outstanding when its session broke, goes behind all others and alone; and whoever may go goes
//! as soon as a session has room.
//!
//! Not judged, and counted: whatever a rate, an estimated rate or a full destination holds back; runs in which octets wait at their
//! writer, so that nothing says when a part was submitted; a message that may have been submitted to an SMSC that was killed.

use std::time::Duration;

use smpp_transport::pdu::CommandStatus;

use super::super::{Frame, Line, Report, slack};
use super::Seen;
use super::order::{Life, Takes, bounds, failed_by, is_of, lives, takes};
use super::seen::Try;
use crate::history::{How, Way};
use crate::plan::{Order, THROTTLE_MAX_MS};

/// From when until when.
type Stretch = (Duration, Duration);

/// Time for which a session may have room for a message that may go, all stretches of one session together.
const PATIENCE: Duration = Duration::from_millis(300);
/// Time after which a process has noticed that its connection is gone.
const NOTICED: Duration = Duration::from_millis(300);
/// Time that it takes a process to look at a message that it was handed, beside its disk.
const TAKING_IN: Duration = Duration::from_millis(5);

pub(super) fn fairness(seen: &Seen, report: &mut Report) {
    // In strict order all wait for the first.
    if seen.part.options.keep_order == Order::Strict {
        return;
    }
    for life in lives(seen) {
        let fresh = fresh(seen, &life);
        let suspects = suspects(seen, &life);
        suspects_go_last(seen, &life, &suspects, &fresh, report);
        if !seen.is_prompt() {
            report.excused("fairness: octets wait on their way");
            continue;
        }
        suspects_go_alone(seen, &suspects, report);
        // While there are suspects, sessions are kept free for them.
        if has_given_back(seen, &life) {
            report.excused("fairness: a message that broke a session was given back to the bus");
        } else if has_ended_at_timeout(seen, &life) {
            report.excused("fairness: a session ended as the time of a submit was over");
        } else if suspects.is_empty() {
            none_waits_beside_room(seen, &life, &suspects, &fresh, report);
        }
    }
}

/// A message that was handed to the process once, with its first submit.
struct Fresh<'a, 'b> {
    message: usize,
    /// When it was handed to the process, or the last message before it to its destination was settled.
    since: Duration,
    first: Option<&'b Try<'a>>,
    /// When its outcome was known, if it is.
    over: Duration,
}

/// Messages of this life with the time from which nothing but a session is in their way. Those that wait for an earlier
/// message to their destination are left out until that one is over.
fn fresh<'a, 'b>(seen: &'b Seen<'a>, life: &Life) -> Vec<Fresh<'a, 'b>> {
    let takes = takes(seen, life);
    let once = takes.iter().filter(|(_, of)| of.count == 1 && of.open.len() == 1);
    let mut handed: Vec<_> = once.map(|(message, of)| (of.open[0], *message)).collect();
    handed.sort_unstable();
    let text = |message: usize| seen.part.messages.get(message);
    let over = |message: usize| {
        let told = seen.events(message).find(|event| event.event() != "delivery_report");
        told.map_or(seen.end, |event| event.at)
    };
    let of = |(place, message): &(usize, usize)| {
        let own = text(*message).filter(|text| text.wrong.is_none())?;
        let taken = seen.at(*place)?;
        let is_to_same = |other: usize| own.to.is_some() && text(other).is_some_and(|it| it.to == own.to);
        // One that was handed out several times may be before this one or not.
        let is_before = |(other, of): &(&usize, &Takes)| {
            *other != message && is_to_same(**other) && (of.count != 1 || of.open.iter().any(|at| at < place))
        };
        // One whose outcome was published and that was handed out again is not over.
        let over_again = |(other, of): (&usize, &Takes)| {
            let taken = of.open.iter().filter(|at| *at < place).max().copied().unwrap_or_default();
            let mut events = seen.events(*other).filter(|event| event.event() != "delivery_report");
            events.find(|event| event.order > taken).map_or(seen.end, |event| event.at)
        };
        let before = takes.iter().filter(is_before).map(over_again).max();
        let waits = seen.part.options.keep_order == Order::PerDestination;
        let since = before.filter(|_| waits).map_or(taken, |before| before.max(taken));
        let first = seen.tries.get(message).into_iter().flatten().find(|it| is_of(life, it));
        let over = over(*message);
        let over = if first.is_none() { too_old_at(seen, *message).map_or(over, |at| at.min(over)) } else { over };
        Some(Fresh { message: *message, since, first, over })
    };
    handed.iter().filter_map(of).collect()
}

/// Returns the time at which a message that was never submitted became too old; `None` if there is no limit. From then on the
/// message waits for nothing but the publication of its outcome. With a wrong clock that time may be any.
fn too_old_at(seen: &Seen, message: usize) -> Option<Duration> {
    let limit = seen.part.options.age_max_ms().map(Duration::from_millis)?;
    let put = seen.put(message)?;
    Some(if seen.is_clock_wrong(put, put + limit) { put } else { put + limit })
}

/// A try of a message after one that was outstanding when its session broke, in the order of writing.
struct Suspect<'a, 'b> {
    message: usize,
    again: &'b Try<'a>,
    /// When its session broke last.
    broken: Duration,
}

fn suspects<'a, 'b>(seen: &'b Seen<'a>, life: &Life) -> Vec<Suspect<'a, 'b>> {
    let mut suspects = Vec::new();
    for (message, tries) in &seen.tries {
        let mut own = tries.iter().filter(|it| is_of(life, it)).peekable();
        let mut broken = None;
        while let Some(it) = own.next() {
            suspects.extend(broken.map(|broken| Suspect { message: *message, again: it, broken }));
            // Parts that were outstanding together broke together.
            let is_last = own.peek().is_none_or(|next| next.line.number != it.line.number);
            let next = own.peek().map_or(seen.end, |next| next.frame.at);
            // Whatever the SMSC accepts before the session ends is above suspicion.
            let is_cleared = it.accepted().is_some();
            // Nothing is known of a message any more once it has been given back to the bus.
            let next_order = own.peek().map_or(it.frame.order, |next| next.frame.order);
            let is_given_back = seen.is_taken_between(*message, it.frame.order, next_order);
            let before = broken.filter(|_| !is_cleared);
            broken = broke(seen, it, next).filter(|_| is_last).or(before).filter(|_| !is_given_back);
        }
    }
    suspects.sort_by_key(|it| it.again.frame.order);
    suspects
}

/// Returns `true` if a message that was outstanding when its session broke was given back to the bus and redelivered in the
/// same life. The process may suspect such a message or not.
fn has_given_back(seen: &Seen, life: &Life) -> bool {
    let (_, ended) = bounds(seen, life);
    let is_given_back = |(message, tries): (&usize, &Vec<Try>)| {
        let mut broken = tries.iter().filter(|it| is_of(life, it) && broke(seen, it, seen.end).is_some());
        broken.any(|it| seen.is_taken_between(*message, it.frame.order, ended))
    };
    seen.tries.iter().any(is_given_back)
}

/// Returns `true` if a session ended just as the time of one of its submits was over: its message is a suspect or not.
fn has_ended_at_timeout(seen: &Seen, life: &Life) -> bool {
    let timeout = Duration::from_millis(seen.plan.timers.response_timeout_ms);
    let is_both = |it: &&Try| {
        let expired = it.frame.at + timeout;
        let is_close = |hung: Duration| hung <= expired + slack(seen.plan) && expired <= hung + slack(seen.plan);
        it.answer.is_none() && it.line.hung.is_some_and(is_close)
    };
    seen.tries.values().flatten().filter(|it| is_of(life, it)).any(|it| is_both(&it))
}

/// When its session broke while it was outstanding, before this time and without an unbind. A submit whose time is over by
/// then is not outstanding any more.
fn broke(seen: &Seen, it: &Try, before: Duration) -> Option<Duration> {
    let expired = it.frame.at + Duration::from_millis(seen.plan.timers.response_timeout_ms);
    let hung = it.line.hung.filter(|hung| *hung <= before && it.answer.is_none())?;
    (hung + slack(seen.plan) < expired && !it.line.is_unbound()).then_some(hung)
}

/// Time for which a process must have been bound with a message in hand before the message counts as known to it. Messages are
/// looked at one after the other, and a store on a disk is asked about each.
fn taking_in(seen: &Seen) -> Duration {
    let messages = u64::try_from(seen.part.messages.len()).unwrap_or(u64::MAX);
    TAKING_IN + Duration::from_millis(seen.part.sync_ms.saturating_mul(messages))
}

/// While a message may go that was there when the session broke, and has not been tried, no suspect goes.
fn suspects_go_last(seen: &Seen, life: &Life, suspects: &[Suspect], fresh: &[Fresh], report: &mut Report) {
    for Suspect { message, again, broken } in suspects {
        let process = again.line.process;
        let at = again.frame.at;
        let is_waiting = |it: &&Fresh| {
            it.message != *message
                && it.since + slack(seen.plan) < *broken
                && it.first.is_none_or(|first| first.frame.order > again.frame.order)
                && it.over > at
        };
        for waiting in fresh.iter().filter(is_waiting) {
            if seen.copies_held(*message, again.frame.order) > 1 {
                report.excused("fairness: a process had two copies of a suspect, which was put on the bus twice");
                continue;
            }
            if waiting.first.is_none() && seen.is_bus_faulty() {
                report.excused("fairness: the outcome of a message that was never sent was being published");
                continue;
            }
            if is_to_full(seen, waiting, at) {
                report.excused("fairness: the queue of its destination was full when a suspect went");
                continue;
            }
            let known = bound_for(seen, life, (waiting.since, *broken)) >= taking_in(seen);
            if !known || seen.is_store_troubled(waiting.since, at) {
                report.excused("fairness: a message had only just arrived when a suspect went");
                continue;
            }
            if process.is_some_and(|process| may_be_unwritten(seen, process, waiting.since, at)) {
                report.excused("fairness: a session broke that may have had the message before it was written");
                continue;
            }
            if waiting.first.is_some_and(|first| first.frame.at == at && first.line.number != again.line.number) {
                report.excused("fairness: another session took the message at the same time");
                continue;
            }
            let who = format!("message {message} of {}", seen.owner);
            let words =
                format!("sent again after its session broke, and message {} had not been tried", waiting.message);
            return report.broken(at, format!("{who}: {words}"));
        }
    }
}

/// While a suspect is outstanding, nothing else is outstanding on its session.
fn suspects_go_alone(seen: &Seen, suspects: &[Suspect], report: &mut Report) {
    for Suspect { message, again, .. } in suspects {
        let until = failed_by(seen, again).min(again.answer.map_or(seen.end, |answer| answer.at));
        let line = again.line;
        let others = submits(line).filter(|frame| frame.order != again.frame.order);
        let is_beside = |frame: &&Frame| {
            let (from, to) = outstanding(seen, line, frame);
            from < until && again.frame.at + slack(seen.plan) < to
        };
        if let Some(other) = others.into_iter().find(is_beside) {
            let who = format!("message {message} of {}", seen.owner);
            let beside = other.submitted().map_or(0, |(_, other)| other);
            let words = format!("tried again after its session broke, with message {beside} outstanding beside it");
            return report.broken(again.frame.at, format!("{who}: {words}"));
        }
    }
}

/// A session with room takes what may go.
fn none_waits_beside_room(seen: &Seen, life: &Life, suspects: &[Suspect], fresh: &[Fresh], report: &mut Report) {
    if seen.part.options.rate.is_some() {
        return report.excused("fairness: a rate is kept");
    }
    let pauses = pauses(seen, life);
    if seen.part.options.adapt && !pauses.is_empty() {
        return report.excused("fairness: an estimated rate is kept");
    }
    for line in lines(seen, life) {
        let room = without(&room(seen, line, suspects), &pauses);
        for it in fresh {
            let until = it.first.map_or(it.over, |first| first.frame.at).min(seen.rest_at());
            if it.since >= until {
                continue;
            }
            if seen.is_store_troubled(it.since, until) || is_to_full(seen, it, until) {
                report.excused("fairness: the store was away, or the destination's queue full");
                continue;
            }
            let waited = overlap(&room, (it.since, until), slack(seen.plan));
            if waited > PATIENCE + 4 * slack(seen.plan) {
                if it.first.is_none() && seen.is_bus_faulty() {
                    report.excused("fairness: the outcome of a message that was never sent was being published");
                    continue;
                }
                let since = unbound_since(seen, life, it.since).min(first_taken(seen, life, it.since));
                if line.process.is_some_and(|process| may_be_unwritten(seen, process, since, until)) {
                    report.excused("fairness: a session broke that may have had the message before it was written");
                    continue;
                }
                let who = format!("message {} of {}", it.message, seen.owner);
                let words = format!("waited for {waited:?} while the session on line {} had room", line.number);
                return report.broken(until, format!("{who}: {words}"));
            }
        }
    }
}

/// Whether another message has found the queue of its destination full by this time.
fn is_to_full(seen: &Seen, it: &Fresh, by: Duration) -> bool {
    let to = |message: usize| seen.part.messages.get(message).and_then(|text| text.to);
    let mut others =
        seen.tries.iter().filter(|(message, _)| to(**message).is_some() && to(**message) == to(it.message));
    let is_full =
        |it: &Try| it.status() == Some(CommandStatus::ESME_RMSGQFUL) && it.answer.is_some_and(|answer| answer.at <= by);
    others.any(|(_, tries)| tries.iter().any(is_full))
}

/// The sessions of this life that submit.
fn lines<'a>(seen: &Seen<'a>, life: &Life) -> Vec<&'a Line> {
    let Some((first, _)) = life.first() else { return Vec::new() };
    let (from, to) = bounds(seen, life);
    let is_own = |line: &&&Line| {
        let began = line.frames.first().map_or(0, |frame| frame.order);
        line.process == first.process && (from..to).contains(&began) && line.submits()
    };
    seen.lines.iter().filter(is_own).copied().collect()
}

/// Time within a stretch for which a session stood.
fn bound_for(seen: &Seen, life: &Life, stretch: Stretch) -> Duration {
    let stood = lines(seen, life).into_iter().filter_map(|line| stood(seen, line));
    overlap(&stood.collect::<Vec<_>>(), stretch, Duration::ZERO)
}

/// This time; or, if no session stands then, the end of the last one before: what it had and nobody has seen goes before what has
/// come since.
fn unbound_since(seen: &Seen, life: &Life, at: Duration) -> Duration {
    let stood: Vec<Stretch> = lines(seen, life).into_iter().filter_map(|line| stood(seen, line)).collect();
    if stood.iter().any(|(began, ended)| *began <= at && at < *ended) {
        return at;
    }
    stood.into_iter().map(|(_, ended)| ended).filter(|ended| *ended <= at).max().unwrap_or(at)
}

/// When the first message was handed to the process of those that were not over by this time: one of them may be a suspect.
fn first_taken(seen: &Seen, life: &Life, by: Duration) -> Duration {
    let (began, ended) = bounds(seen, life);
    let is_open = |message: usize| {
        let told = seen.events(message).filter(|event| (began..ended).contains(&event.order));
        told.filter(|event| event.event() != "delivery_report").all(|event| event.at >= by)
    };
    let taken = |message: usize| seen.first_taken(message, began..ended).filter(|taken| *taken <= by);
    (0..seen.part.messages.len()).filter(|message| is_open(*message)).filter_map(taken).min().unwrap_or(by)
}

/// Whether a session of the process broke between these times that had room when it did: it may have taken a message of which nothing was
/// written any more, so that the message waits as a suspect although no submit is seen.
pub(super) fn may_be_unwritten(seen: &Seen, process: usize, from: Duration, to: Duration) -> bool {
    let had_room = |line: &Line, at: Duration| {
        let is_outstanding = |frame: &&Frame| {
            let (began, ended) = outstanding(seen, line, frame);
            began <= at && at < ended
        };
        submits(line).filter(is_outstanding).count() < seen.part.window
    };
    let own = seen.lines.iter().filter(|line| line.process == Some(process));
    // Nothing is written to an SMSC that was killed or has hung up, nor on a connection that is cut.
    let is_gone = |line: &Line| {
        let has_hung_up = |far: &Line| line.how != Some(How::Eof) && far.hung.is_some_and(|at| Some(at) < line.hung);
        seen.far_end(line).is_some_and(|far| far.how == Some(How::Dropped) || has_hung_up(far))
    };
    let may_be_silent = seen.may_hold_octets() || seen.plan.wire.is_cutting();
    let is_silent = |line: &&&Line| may_be_silent || is_gone(line);
    let broken = own.filter(is_silent).filter(|line| line.submits() && !line.is_unbound());
    let is_within = |at: Duration| from <= at + NOTICED && at <= to;
    broken.into_iter().any(|line| line.hung.is_some_and(|at| is_within(at) && had_room(line, at)))
}

/// From when until when it was bound.
fn stood(seen: &Seen, line: &Line) -> Option<Stretch> {
    Some((line.bound_at()?.0, line.ending_at().unwrap_or(seen.end)))
}

fn submits(line: &Line) -> impl Iterator<Item = &Frame> {
    line.frames.iter().filter(|frame| super::seen::is_submit(frame))
}

/// When a submit was answered.
fn answered(line: &Line, submit: &Frame) -> Option<Duration> {
    let sequence = submit.pdu.as_ref()?.sequence;
    let mut read = line.numbered(sequence).filter(|it| it.way == Way::Read && it.answers_frame(submit));
    read.find(|it| it.order > submit.order).map(|answer| answer.at)
}

/// From when until when a submit is outstanding.
fn outstanding(seen: &Seen, line: &Line, submit: &Frame) -> Stretch {
    let answered = answered(line, submit);
    let expired = submit.at + Duration::from_millis(seen.plan.timers.response_timeout_ms);
    (submit.at, answered.map_or(expired, |at| at.min(expired)))
}

/// When the session had room for a submit and tried no suspect.
fn room(seen: &Seen, line: &Line, suspects: &[Suspect]) -> Vec<Stretch> {
    let Some((from, to)) = stood(seen, line) else { return Vec::new() };
    let all: Vec<_> = submits(line).map(|frame| (frame.order, outstanding(seen, line, frame))).collect();
    let mut moments: Vec<Duration> = all.iter().flat_map(|(_, (from, to))| [*from, *to]).chain([from, to]).collect();
    moments.retain(|at| (from..=to).contains(at));
    moments.sort_unstable();
    moments.dedup();
    let is_suspect = |order: usize| suspects.iter().any(|it| it.again.frame.order == order);
    // A suspect that is next waits until nothing is outstanding any more, and so does all that came later.
    let timeout = Duration::from_millis(seen.plan.timers.response_timeout_ms);
    let own = suspects.iter().filter(|it| it.again.line.number == line.number).map(|it| it.again.frame.at);
    let tries: Vec<Duration> = own.collect();
    let is_reserved = |from: Duration| tries.iter().any(|at| from < *at && *at <= from + timeout);
    let has_room = |(from, _): &Stretch| {
        let there = all.iter().filter(|(_, (began, ended))| began <= from && from < ended);
        let mut count = 0;
        for (order, _) in there {
            if is_suspect(*order) {
                return false;
            }
            count += 1;
        }
        count < seen.part.window && (count == 0 || !is_reserved(*from))
    };
    moments.windows(2).map(|two| (two[0], two[1])).filter(has_room).collect()
}

/// When the process may send nothing, as the SMSC has said that it is too fast: for a pause, and until one submit after it
/// has been answered. One that nobody answers tells nothing, and the next one is waited for in its place.
fn pauses(seen: &Seen, life: &Life) -> Vec<Stretch> {
    let lines = lines(seen, life);
    let read = || lines.iter().flat_map(|line| &line.frames).filter(|frame| frame.way == Way::Read);
    let status = |frame: &Frame| frame.status().filter(|_| !frame.is_request());
    let says_slower = |frame: &&Frame| status(frame).is_some_and(|status| seen.pauses_link(status));
    let over = |from: Duration| {
        let pause = Duration::from_millis(THROTTLE_MAX_MS) + slack(seen.plan);
        let of_line = |line: &'_ &Line| {
            let later = submits(line).filter(|it| it.at > from);
            // An answer that comes when its time is over is none.
            let tried = later.map(|it| {
                let (began, ended) = outstanding(seen, line, it);
                ((began, ended), answered(line, it).is_some_and(|at| at <= ended))
            });
            tried.collect::<Vec<_>>()
        };
        let mut probes: Vec<(Stretch, bool)> = lines.iter().flat_map(of_line).collect();
        probes.sort_unstable();
        let mut over = None;
        for ((began, ended), is_answered) in probes {
            if over.is_some_and(|over| began > over + pause) {
                break;
            }
            over = Some(ended);
            if is_answered {
                break;
            }
        }
        (from + pause).max(over.unwrap_or(seen.end))
    };
    read().filter(says_slower).map(|frame| (frame.at, over(frame.at))).collect()
}

/// These stretches without those, of which none is empty.
fn without(stretches: &[Stretch], holes: &[Stretch]) -> Vec<Stretch> {
    let mut left = stretches.to_vec();
    for (from, to) in holes {
        left = left
            .into_iter()
            .flat_map(|(began, ended)| [(began, ended.min(*from)), (began.max(*to), ended)])
            .filter(|(began, ended)| began < ended)
            .collect();
    }
    left
}

/// Time of a stretch that these cover, not counting pieces that are no longer than `least`.
fn overlap(stretches: &[Stretch], (from, to): Stretch, least: Duration) -> Duration {
    let pieces = stretches.iter().map(|(began, ended)| (*ended).min(to).saturating_sub((*began).max(from)));
    pieces.filter(|piece| *piece > least).sum()
}

/// Situations of misbehaving destinations.
pub(super) fn marks(seen: &Seen) -> Vec<&'static str> {
    let mut met = Vec::new();
    for life in lives(seen) {
        let suspects = suspects(seen, &life);
        let is_other = |it: &Fresh| {
            let first = it.first.map(|first| first.frame.order);
            first.is_some_and(|first| suspects.iter().any(|suspect| suspect.again.frame.order > first))
        };
        met.extend((!suspects.is_empty()).then_some("message tried again after its session broke"));
        met.extend(fresh(seen, &life).iter().any(is_other).then_some("message goes before one that broke a session"));
    }
    let of_queue = |it: &Try| it.status() == Some(CommandStatus::ESME_RMSGQFUL);
    met.extend(seen.tries.values().flatten().any(of_queue).then_some("full queue of a destination"));
    met
}
