//! Guards the order of submits and the ends of messages, with the time as an argument.

use super::*;
use crate::pdu::CommandStatus;

mod full;
mod limits;
mod order;
mod resends;
mod suspects;
mod throttle;

const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);

const THROTTLED: Answer = Answer::Refused(CommandStatus::ESME_RTHROTTLED);
const FULL: Answer = Answer::Refused(CommandStatus::ESME_RMSGQFUL);
const REFUSED: Answer = Answer::Refused(CommandStatus::ESME_RINVDSTADR);
const SYSTEM_ERROR: Answer = Answer::Refused(CommandStatus::ESME_RSYSERR);
const TIMEOUT: Answer = Answer::Unknown(Doubt::Timeout);
const BROKEN: Answer = Answer::Unknown(Doubt::Broken);
const ORDERS: [KeepOrder; 3] = [KeepOrder::None, KeepOrder::PerDestination, KeepOrder::Strict];

type Names = Queue<&'static str>;

fn parts(to: &str, count: usize) -> Vec<(Sm, Tlvs)> {
    let sm = Sm { destination_addr: to.parse().unwrap(), ..Sm::default() };
    vec![(sm, Tlvs::new()); count]
}

fn queue(change: impl FnOnce(&mut QueueConfig)) -> Names {
    let mut config = QueueConfig::default();
    config.throttle.adapt = false;
    change(&mut config);
    Queue::new(config)
}

fn add(queue: &mut Names, name: &'static str, to: &str, count: usize) -> Job {
    queue.add(Duration::ZERO, name, parts(to, count), Duration::ZERO)
}

/// Parts that go now on link 0, as message and part.
fn goes(queue: &mut Names, now: Duration) -> Vec<(&'static str, u8)> {
    goes_on(queue, now, 0)
}

fn goes_on(queue: &mut Names, now: Duration, link: u64) -> Vec<(&'static str, u8)> {
    let mut gone = Vec::new();
    while let Some(submit) = queue.poll_submit(now, link) {
        gone.push((*queue.get(submit.job).unwrap(), submit.part));
    }
    gone
}

/// Outcome of a message that an answer makes done.
fn end(verdict: Verdict<&'static str>) -> Option<(&'static str, End)> {
    match verdict {
        Verdict::Done(name, end) => Some((name, end)),
        Verdict::Continues | Verdict::Again(_) => None,
    }
}

fn reason(verdict: Verdict<&'static str>) -> String {
    match verdict {
        Verdict::Done(_, End::Refused(reason)) => reason,
        other => panic!("{other:?}"),
    }
}

fn pause(verdict: Verdict<&'static str>) -> Duration {
    match verdict {
        Verdict::Again(again) => again.pause,
        other => panic!("{other:?}"),
    }
}

/// An SMSC for queues of which each answer is known at once.
fn run(queue: &mut Names, until: Duration, mut answer: impl FnMut(&'static str, u8, u64) -> Answer) -> Vec<Sent> {
    let (mut now, mut sent) = (Duration::ZERO, Vec::new());
    loop {
        while let Some((name, end)) = queue.poll_expired(now) {
            sent.push(Sent { now, name, part: u8::MAX, answer: Answer::NotSent, end: Some(end) });
        }
        for link in 0..2 {
            let Some(submit) = queue.poll_submit(now, link) else { continue };
            let name = *queue.get(submit.job).unwrap();
            let answer = answer(name, submit.part, link);
            if answer == BROKEN {
                queue.link_ended(link);
            }
            let end = end(queue.answered(now, submit.job, submit.part, answer)).map(|(_, end)| end);
            sent.push(Sent { now, name, part: submit.part, answer, end });
            now += MS;
        }
        let next = queue.poll_timeout(now).filter(|_| queue.poll_timeout(Duration::ZERO).is_some());
        let is_ready = !queue.ready.is_empty() && !queue.is_paused(now);
        now = match next {
            _ if queue.is_empty() || now > until => return sent,
            Some(next) if !is_ready => next,
            _ => now + MS,
        };
    }
}

#[derive(Clone, Debug, PartialEq)]
struct Sent {
    now: Duration,
    name: &'static str,
    part: u8,
    answer: Answer,
    end: Option<End>,
}

#[test]
fn parts_go_in_order_and_a_message_is_done_when_all_are_accepted() {
    for (keep_order, first) in [
        (KeepOrder::None, vec![("a", 0), ("a", 1), ("b", 0)]),
        (KeepOrder::PerDestination, vec![("a", 0), ("b", 0)]),
        (KeepOrder::Strict, vec![("a", 0)]),
    ] {
        let mut queue = queue(|config| config.keep_order = keep_order);
        let (a, b) = (add(&mut queue, "a", "1", 2), add(&mut queue, "b", "2", 1));
        assert_eq!(goes(&mut queue, MS), first, "{keep_order:?}");
        assert_eq!((queue.outstanding(), queue.poll_timeout(Duration::ZERO)), (first.len(), None));
        assert_eq!(queue.answered(MS, a, 0, Answer::Accepted), Verdict::Continues);
        goes(&mut queue, MS);
        assert_eq!(end(queue.answered(MS, a, 1, Answer::Accepted)), Some(("a", End::Accepted)));
        goes(&mut queue, MS);
        assert_eq!(end(queue.answered(MS, b, 0, Answer::Accepted)), Some(("b", End::Accepted)));
        assert!(queue.is_empty() && queue.outstanding() == 0 && queue.lanes.is_empty());
    }
}

#[test]
fn one_refused_part_refuses_the_message_once_nothing_of_it_is_outstanding() {
    let mut queue = queue(|config| config.keep_order = KeepOrder::None);
    let a = add(&mut queue, "a", "1", 3);
    let first = [queue.poll_submit(MS, 0), queue.poll_submit(MS, 0)];
    assert!(first.iter().all(Option::is_some));
    assert_eq!(queue.answered(MS, a, 0, REFUSED), Verdict::Continues, "part 1 is outstanding");
    assert_eq!(goes(&mut queue, MS), [], "the third does not go any more");
    let refused = End::Refused("Invalid Dest Addr".to_owned());
    assert_eq!(end(queue.answered(MS, a, 1, Answer::Accepted)), Some(("a", refused)));
    assert!(queue.is_empty() && queue.ready.is_empty());
}

#[test]
fn an_answer_that_nobody_waits_for_changes_nothing() {
    let mut queue = queue(|_| {});
    let a = add(&mut queue, "a", "1", 2);
    assert_eq!(queue.answered(MS, a, 0, Answer::Accepted), Verdict::Continues, "not sent");
    assert_eq!(goes(&mut queue, MS), [("a", 0)]);
    for (job, part) in [(a + 1, 0), (a, 1), (a, 9)] {
        assert_eq!(queue.answered(MS, job, part, Answer::Accepted), Verdict::Continues);
    }
    assert_eq!(queue.outstanding(), 1);
}

#[test]
fn what_has_not_begun_can_be_given_back() {
    let mut queue = queue(|config| config.keep_order = KeepOrder::None);
    for (name, to) in [("begun", "1"), ("accepted", "2"), ("untouched", "3")] {
        add(&mut queue, name, to, 2);
    }
    let begun = queue.poll_submit(MS, 0).unwrap();
    let rest = queue.poll_submit(MS, 0).unwrap();
    let accepted = queue.poll_submit(MS, 0).unwrap();
    assert_eq!((begun.part, rest.part, accepted.job), (0, 1, 2));
    assert_eq!(queue.answered(MS, accepted.job, 0, Answer::Accepted), Verdict::Continues);
    assert!(queue.give_back(|name| *name != "untouched").is_empty(), "only those that are asked for");
    assert_eq!(queue.give_back(|_| true), ["untouched"]);
    assert_eq!((queue.len(), goes(&mut queue, MS)), (2, vec![("accepted", 1)]));
}

#[test]
fn a_paused_message_can_be_given_back_and_the_next_to_its_destination_goes() {
    let mut queue = queue(|_| {});
    let a = add(&mut queue, "a", "1", 1);
    add(&mut queue, "b", "1", 1);
    assert_eq!(goes(&mut queue, MS), [("a", 0)]);
    assert_eq!(pause(queue.answered(MS, a, 0, TIMEOUT)), SECOND);
    assert_eq!(goes(&mut queue, MS), []);
    assert_eq!(queue.give_back(|name| *name == "a"), ["a"]);
    assert!(queue.paused.is_empty());
    assert_eq!(goes(&mut queue, MS), [("b", 0)]);
}

#[test]
fn another_order_counts_at_once() {
    let mut queue = queue(|config| config.keep_order = KeepOrder::Strict);
    for (name, to) in [("a", "1"), ("b", "1"), ("c", "2")] {
        add(&mut queue, name, to, 1);
    }
    assert_eq!(goes(&mut queue, MS), [("a", 0)]);
    let with = |keep_order| QueueConfig { keep_order, ..QueueConfig::default() };
    queue.follow(MS, with(KeepOrder::PerDestination));
    assert_eq!(goes(&mut queue, MS), [("c", 0)]);
    queue.follow(MS, with(KeepOrder::None));
    assert_eq!(goes(&mut queue, MS), [("b", 0)]);
}
