//! Guards the order of submits and the ends of messages, with the time as an argument.

use super::*;

const MS: Duration = Duration::from_millis(1);

fn parts(to: &str, count: usize) -> Vec<(Sm, Tlvs)> {
    let sm = Sm { destination_addr: to.parse().unwrap(), ..Sm::default() };
    vec![(sm, Tlvs::new()); count]
}

fn queue(change: impl FnOnce(&mut QueueConfig)) -> Queue<&'static str> {
    let mut config = QueueConfig::default();
    change(&mut config);
    Queue::new(config)
}

/// What goes now, as message and part.
fn goes(queue: &mut Queue<&'static str>, now: Duration) -> Vec<(&'static str, u8)> {
    let mut gone = Vec::new();
    while let Some(submit) = queue.poll_submit(now, 0) {
        gone.push((*queue.get(submit.job).unwrap(), submit.part));
    }
    gone
}

const THROTTLED: Answer = Answer::Refused(CommandStatus::ESME_RTHROTTLED);
const REFUSED: Answer = Answer::Refused(CommandStatus::ESME_RINVDSTADR);

#[test]
fn parts_go_in_order_and_a_message_is_done_when_all_are_accepted() {
    let mut queue = queue(|_| {});
    let (a, b) = (queue.add("a", parts("1", 2)), queue.add("b", parts("2", 1)));
    assert_eq!(goes(&mut queue, MS), [("a", 0), ("a", 1), ("b", 0)]);
    assert_eq!((queue.outstanding(), queue.poll_timeout(Duration::ZERO)), (3, None));
    assert_eq!(queue.answered(MS, a, 1, Answer::Accepted), None);
    assert_eq!(queue.answered(MS, b, 0, Answer::Accepted), Some(("b", End::Accepted)));
    assert_eq!(queue.answered(MS, a, 0, Answer::Accepted), Some(("a", End::Accepted)));
    assert!(queue.is_empty() && queue.outstanding() == 0);
}

#[test]
fn one_refused_part_refuses_the_message_once_nothing_of_it_is_outstanding() {
    let mut queue = queue(|_| {});
    let a = queue.add("a", parts("1", 3));
    let first = [queue.poll_submit(MS, 0), queue.poll_submit(MS, 0)];
    assert!(first.iter().all(Option::is_some));
    assert_eq!(queue.answered(MS, a, 0, REFUSED), None, "part 1 is outstanding");
    assert_eq!(goes(&mut queue, MS), [], "the third does not go any more");
    let refused = End::Refused("Invalid Dest Addr".to_owned());
    assert_eq!(queue.answered(MS, a, 1, Answer::Accepted), Some(("a", refused)));
    assert!(queue.is_empty() && queue.ready.is_empty());
}

#[test]
fn throttling_pauses_all_longer_each_time_and_keeps_the_order() {
    let mut queue = queue(|_| {});
    let (a, b) = (queue.add("a", parts("1", 2)), queue.add("b", parts("2", 1)));
    assert_eq!(goes(&mut queue, MS).len(), 3);
    for (job, part) in [(b, 0), (a, 1), (a, 0)] {
        assert_eq!(queue.answered(MS, job, part, THROTTLED), None);
    }
    assert_eq!(
        (goes(&mut queue, 100 * MS), queue.poll_timeout(100 * MS)),
        (vec![], Some(101 * MS)),
        "one pause for all three"
    );
    assert_eq!(goes(&mut queue, 101 * MS), [("a", 0), ("a", 1), ("b", 0)]);
    assert_eq!(queue.answered(101 * MS, a, 0, THROTTLED), None);
    assert_eq!(queue.poll_timeout(101 * MS), Some(301 * MS), "twice as long");
    assert_eq!(queue.answered(150 * MS, a, 1, Answer::Accepted), None);
    assert_eq!(goes(&mut queue, 300 * MS), [], "and the pause goes on");
    assert_eq!(goes(&mut queue, 301 * MS), [("a", 0)]);
    assert_eq!(queue.answered(301 * MS, a, 0, THROTTLED), None);
    assert_eq!(queue.poll_timeout(301 * MS), Some(401 * MS), "something had been accepted");
}

#[test]
fn a_pause_has_a_longest_and_what_is_too_old_is_refused() {
    let mut queue = queue(|config| {
        config.throttle.max = Duration::from_secs(1);
        config.retry_max_age = Duration::from_secs(60);
    });
    let a = queue.add("a", parts("1", 1));
    let (mut now, mut pauses) = (Duration::ZERO, Vec::new());
    let end = loop {
        assert_eq!(goes(&mut queue, now), [("a", 0)]);
        if let Some((_, end)) = queue.answered(now, a, 0, THROTTLED) {
            break end;
        }
        let next = queue.poll_timeout(now).unwrap();
        pauses.push((next - now).as_millis());
        now = next;
    };
    assert_eq!((&pauses[..5], pauses.iter().max()), ([100, 200, 400, 800, 1_000].as_slice(), Some(&1_000)));
    assert_eq!(now.as_secs(), 60);
    assert_eq!(end, End::Refused("Throttling error (ESME has exceeded allowed message limits".to_owned()));
}

#[test]
fn refusals_of_the_table_are_tried_again_so_often() {
    let retry = Retry { count: 2, delay: Duration::from_secs(30) };
    let mut queue = queue(|config| config.retry = BTreeMap::from([(CommandStatus::ESME_RSYSERR, retry)]));
    let a = queue.add("a", parts("1", 1));
    let syserr = || Answer::Refused(CommandStatus::ESME_RSYSERR);
    for at in [0, 30] {
        let now = Duration::from_secs(at);
        assert_eq!(goes(&mut queue, now), [("a", 0)]);
        assert_eq!(queue.answered(now, a, 0, syserr()), None);
        assert_eq!((goes(&mut queue, now), queue.poll_timeout(now)), (vec![], Some(now + retry.delay)));
    }
    let now = Duration::from_secs(60);
    assert_eq!(goes(&mut queue, now), [("a", 0)]);
    assert_eq!(queue.answered(now, a, 0, syserr()), Some(("a", End::Refused("System Error".to_owned()))));
}

#[test]
fn later_messages_to_the_same_destination_wait_for_one_that_is_tried_again() {
    for (keep_order, overtaking) in [
        (KeepOrder::None, vec![("a2", 0), ("b", 0)]),
        (KeepOrder::PerDestination, vec![("b", 0)]),
        (KeepOrder::Strict, vec![]),
    ] {
        let retry = Retry { count: 9, delay: Duration::from_secs(1) };
        let mut queue = queue(|config| {
            config.keep_order = keep_order;
            config.retry.insert(CommandStatus::ESME_RSYSERR, retry);
        });
        let a = queue.add("a", parts("1", 1));
        assert_eq!(goes(&mut queue, MS), [("a", 0)]);
        assert_eq!(queue.answered(MS, a, 0, Answer::Refused(CommandStatus::ESME_RSYSERR)), None);
        queue.add("a2", parts("1", 1));
        queue.add("b", parts("2", 1));
        assert_eq!(goes(&mut queue, MS), overtaking, "{keep_order:?}");
        let again = goes(&mut queue, MS + retry.delay);
        assert_eq!(again.first(), Some(&("a", 0)));
        let _ = queue.answered(MS + retry.delay, a, 0, Answer::Accepted);
        assert!(queue.retried.is_empty());
    }
}

#[test]
fn messages_to_one_destination_go_on_one_link_while_one_is_under_way() {
    let mut queue = queue(|_| {});
    let (a, b) = (queue.add("a", parts("1", 2)), queue.add("b", parts("1", 1)));
    queue.add("c", parts("2", 1));
    let next = |queue: &mut Queue<&'static str>, link| queue.poll_submit(MS, link).map(|it| (it.job, it.part));
    assert_eq!(next(&mut queue, 0), Some((a, 0)));
    assert_eq!(next(&mut queue, 1).map(|(job, _)| job), Some(b + 1), "neither the rest of it nor what comes after");
    assert_eq!(next(&mut queue, 1), None);
    assert_eq!((next(&mut queue, 0), next(&mut queue, 0)), (Some((a, 1)), Some((b, 0))));
    queue.link_ended(0);
    let d = queue.add("d", parts("1", 1));
    assert_eq!(next(&mut queue, 1), None, "what was on the link that is gone may have to go again");
    for (job, part) in [(a, 0), (a, 1), (b, 0)] {
        assert_eq!(queue.answered(MS, job, part, Answer::NotSent), None);
    }
    let order = [Some((a, 0)), Some((a, 1)), Some((b, 0)), Some((d, 0)), None];
    assert_eq!([(); 5].map(|()| next(&mut queue, 1)), order);
    for (job, part) in [(a, 0), (a, 1), (b, 0), (d, 0)] {
        let _ = queue.answered(MS, job, part, Answer::Accepted);
    }
    let e = queue.add("e", parts("1", 1));
    assert_eq!(next(&mut queue, 0), Some((e, 0)), "none is under way");
    assert_eq!(queue.under_way.len(), 2, "e, and c");
}

#[test]
fn messages_that_were_under_way_together_go_on_one_link_again() {
    let mut queue = queue(|_| {});
    let [a, b, c] = ["a", "b", "c"].map(|name| queue.add(name, parts("1", 1)));
    let next = |queue: &mut Queue<&'static str>, link| queue.poll_submit(MS, link).map(|it| it.job);
    assert_eq!([(); 3].map(|()| next(&mut queue, 1)), [a, b, c].map(Some));
    queue.link_ended(1);
    for job in [a, b, c] {
        assert_eq!(queue.answered(MS, job, 0, Answer::NotSent), None);
    }
    assert_eq!(next(&mut queue, 0), Some(a));
    assert_eq!(next(&mut queue, 1), None, "the earlier one is on the other link, and none passes the one after it");
    let _ = queue.answered(MS, a, 0, Answer::Accepted);
    assert_eq!([(); 3].map(|()| next(&mut queue, 1)), [Some(b), Some(c), None]);
    for job in [b, c] {
        let _ = queue.answered(MS, job, 0, Answer::Accepted);
    }
    assert!(queue.under_way.is_empty());
}

#[test]
fn strict_order_has_one_outstanding() {
    let mut queue = queue(|config| config.keep_order = KeepOrder::Strict);
    let (a, b) = (queue.add("a", parts("1", 2)), queue.add("b", parts("2", 1)));
    assert_eq!(goes(&mut queue, MS), [("a", 0)]);
    assert_eq!(queue.answered(MS, a, 0, Answer::Accepted), None);
    assert_eq!(goes(&mut queue, MS), [("a", 1)]);
    assert!(queue.answered(MS, a, 1, Answer::Accepted).is_some());
    assert_eq!(goes(&mut queue, MS), [("b", 0)]);
    assert!(queue.answered(MS, b, 0, Answer::Accepted).is_some());
}

#[test]
fn an_unknown_outcome_is_sent_again_or_refused() {
    let unknown = || Answer::Unknown("no answer in time".to_owned());
    let mut resend = queue(|_| {});
    let a = resend.add("a", parts("1", 1));
    assert_eq!(goes(&mut resend, MS), [("a", 0)]);
    assert_eq!(resend.answered(MS, a, 0, unknown()), None);
    assert_eq!(goes(&mut resend, MS), [("a", 0)]);
    let old = MS + QueueConfig::default().retry_max_age;
    assert!(matches!(resend.answered(old, a, 0, unknown()), Some(("a", End::Refused(_)))));
    let mut nack = queue(|config| config.on_unknown = OnUnknown::Nack);
    let a = nack.add("a", parts("1", 1));
    assert_eq!(goes(&mut nack, MS), [("a", 0)]);
    let refused = End::Refused("outcome unknown: no answer in time".to_owned());
    assert_eq!(nack.answered(MS, a, 0, unknown()), Some(("a", refused)));
}

#[test]
fn what_was_never_sent_does_not_age() {
    let mut queue = queue(|_| {});
    let a = queue.add("a", parts("1", 1));
    for days in 0..3 {
        let now = Duration::from_secs(days * 86_400);
        assert_eq!(goes(&mut queue, now), [("a", 0)]);
        assert_eq!(queue.answered(now, a, 0, Answer::NotSent), None);
    }
}

#[test]
fn what_could_not_be_sent_now_and_then_ages_from_its_first_failure() {
    let mut queue = queue(|config| config.retry_max_age = Duration::from_secs(10));
    let job = queue.add("a", parts("1", 1));
    let unknown = || Answer::Unknown("no answer in time".to_owned());
    for second in [0, 4, 8] {
        let now = Duration::from_secs(second);
        assert_eq!(goes(&mut queue, now), [("a", 0)]);
        assert_eq!(queue.answered(now, job, 0, unknown()), None);
        assert_eq!(goes(&mut queue, now), [("a", 0)]);
        assert_eq!(queue.answered(now, job, 0, Answer::NotSent), None);
    }
    let now = Duration::from_secs(12);
    assert_eq!(goes(&mut queue, now), [("a", 0)]);
    assert!(matches!(queue.answered(now, job, 0, unknown()), Some(("a", End::Refused(_)))));
}

#[test]
fn a_pause_that_is_over_hides_no_retry() {
    let retry = Retry { count: 1, delay: 300 * MS };
    let mut queue = queue(|config| {
        config.keep_order = KeepOrder::Strict;
        config.retry = BTreeMap::from([(CommandStatus::ESME_RSYSERR, retry)]);
    });
    let a = queue.add("a", parts("1", 1));
    queue.add("b", parts("2", 1));
    assert_eq!(goes(&mut queue, MS), [("a", 0)]);
    assert_eq!(queue.answered(MS, a, 0, THROTTLED), None);
    assert_eq!((goes(&mut queue, 101 * MS), queue.poll_timeout(101 * MS)), (vec![("a", 0)], None));
    assert_eq!(queue.answered(102 * MS, a, 0, Answer::Refused(CommandStatus::ESME_RSYSERR)), None);
    assert_eq!((goes(&mut queue, 102 * MS), queue.poll_timeout(102 * MS)), (vec![], Some(402 * MS)));
    assert_eq!(goes(&mut queue, 402 * MS), [("a", 0)]);
}

#[test]
fn a_rate_counts_parts() {
    for (per_second, burst, at) in [(10.0, 1.0, [0, 100, 200, 300]), (0.2, 2.0, [0, 0, 5_000, 10_000])] {
        let mut queue = queue(|config| config.rate = Some(Rate { per_second, burst }));
        queue.add("a", parts("1", 4));
        let (mut now, mut gone) = (Duration::ZERO, Vec::new());
        while gone.len() < 4 {
            for _ in goes(&mut queue, now) {
                gone.push(now.as_millis());
            }
            now = queue.poll_timeout(now).unwrap_or(now);
        }
        assert_eq!(gone, at, "{per_second}");
    }
}

#[test]
fn parts_of_a_message_stay_on_its_link_while_that_is_there() {
    let mut queue = queue(|_| {});
    let a = queue.add("a", parts("1", 3));
    let b = queue.add("b", parts("2", 1));
    assert_eq!(queue.poll_submit(MS, 1).unwrap().job, a);
    assert_eq!(queue.poll_submit(MS, 2).unwrap().job, b);
    assert_eq!(queue.poll_submit(MS, 2), None);
    queue.link_ended(1);
    assert_eq!(queue.poll_submit(MS, 2).unwrap().part, 1);
    assert_eq!(queue.poll_submit(MS, 1), None);
}

#[test]
fn what_has_not_begun_can_be_given_back() {
    let mut queue = queue(|_| {});
    for (name, to) in [("begun", "1"), ("accepted", "2"), ("untouched", "3")] {
        queue.add(name, parts(to, 2));
    }
    let begun = queue.poll_submit(MS, 0).unwrap();
    let rest = queue.poll_submit(MS, 0).unwrap();
    let accepted = queue.poll_submit(MS, 0).unwrap();
    assert_eq!((begun.part, rest.part, accepted.job), (0, 1, 2));
    assert_eq!(queue.answered(MS, accepted.job, 0, Answer::Accepted), None);
    assert!(queue.give_back(|name| *name != "untouched").is_empty(), "only those that are asked for");
    assert_eq!(queue.give_back(|_| true), ["untouched"]);
    assert_eq!((queue.len(), goes(&mut queue, MS)), (2, vec![("accepted", 1)]));
}

#[test]
fn a_pause_ends_at_its_time_whatever_else_happens() {
    let mut queue = queue(|config| config.throttle.delay = Duration::from_secs(1));
    let [a, b, c] = ["a", "b", "c"].map(|name| queue.add(name, parts(name, 1)));
    assert_eq!(goes(&mut queue, MS).len(), 3);
    assert_eq!(queue.answered(MS, a, 0, THROTTLED), None);
    assert!(queue.answered(2 * MS, b, 0, REFUSED).is_some(), "another refusal does not end it");
    assert_eq!(queue.answered(3 * MS, c, 0, Answer::NotSent), None);
    queue.link_ended(0);
    assert_eq!(goes(&mut queue, 1_000 * MS), [], "nor does another session");
    assert_eq!(goes(&mut queue, 1_001 * MS), [("a", 0), ("c", 0)]);
}

#[test]
fn a_rate_is_held_after_a_pause_too() {
    let mut queue = queue(|config| {
        config.rate = Some(Rate { per_second: 10.0, burst: 1.0 });
        config.throttle.delay = Duration::from_secs(1);
    });
    let a = queue.add("a", parts("1", 4));
    assert_eq!(goes(&mut queue, MS), [("a", 0)]);
    assert_eq!(queue.answered(MS, a, 0, THROTTLED), None);
    let gone: Vec<usize> = (10..14).map(|tenth| goes(&mut queue, (1 + 100 * tenth) * MS).len()).collect();
    assert_eq!(gone, [1; 4]);
}
