//! Guards the pauses and the rate, those that are configured and those that the SMSC asks for.

use super::*;

mod adaptive;

#[test]
fn throttling_pauses_all_longer_each_time_and_one_message_asks_whether_it_is_over() {
    let mut queue = queue(|_| {});
    let [a, b, c] = ["a", "b", "c"].map(|name| add(&mut queue, name, name, 1));
    assert_eq!(goes(&mut queue, MS).len(), 3);
    for job in [b, a, c] {
        assert_eq!(pause(queue.answered(MS, job, 0, THROTTLED)), 110 * MS);
    }
    let one_pause = (vec![], Some(111 * MS));
    assert_eq!((goes(&mut queue, 110 * MS), queue.poll_timeout(110 * MS)), one_pause, "for all three");
    assert_eq!((goes(&mut queue, 111 * MS), queue.poll_timeout(111 * MS)), (vec![("a", 0)], None), "a probe");
    assert_eq!(pause(queue.answered(112 * MS, a, 0, THROTTLED)), 210 * MS);
    assert_eq!((goes(&mut queue, 311 * MS), queue.poll_timeout(311 * MS)), (vec![], Some(312 * MS)));
    assert_eq!(goes(&mut queue, 312 * MS), [("b", 0)], "another one");
    assert!(end(queue.answered(313 * MS, b, 0, Answer::Accepted)).is_some());
    assert_eq!(goes(&mut queue, 322 * MS), [("a", 0), ("c", 0)]);
    assert_eq!(pause(queue.answered(323 * MS, c, 0, THROTTLED)), 210 * MS, "its second");
    add(&mut queue, "d", "d", 1);
    assert_eq!(goes(&mut queue, 422 * MS), []);
    assert_eq!(goes(&mut queue, 423 * MS), [("d", 0)], "the pause of all is the first again");
}

#[test]
fn a_probe_that_is_not_answered_is_followed_by_another() {
    for answer in [Answer::NotSent, TIMEOUT, BROKEN, Answer::Unknown(Doubt::Unbound)] {
        let mut queue = queue(|_| {});
        let [a, b, c] = ["a", "b", "c"].map(|name| add(&mut queue, name, name, 1));
        assert_eq!(goes(&mut queue, MS).len(), 3);
        for job in [a, b, c] {
            let _ = queue.answered(MS, job, 0, THROTTLED);
        }
        assert_eq!(goes(&mut queue, 111 * MS), [("a", 0)]);
        let _ = queue.answered(112 * MS, a, 0, answer);
        assert_eq!(goes(&mut queue, 112 * MS), [("b", 0)], "{answer:?}");
        assert!(end(queue.answered(113 * MS, b, 0, REFUSED)).is_some());
        assert_eq!(goes(&mut queue, 113 * MS), [("c", 0)], "a refusal for another reason ends the throttling");
    }
}

#[test]
fn a_message_that_is_throttled_while_others_are_accepted_holds_them_up_less_and_less_often() {
    let mut queue = queue(|_| {});
    add(&mut queue, "throttled", "1", 1);
    for _ in 0..200 {
        add(&mut queue, "other", "2", 1);
    }
    let sent =
        run(&mut queue, 10 * SECOND, |name, _, _| if name == "throttled" { THROTTLED } else { Answer::Accepted });
    let others = sent.iter().filter(|sent| sent.name == "other");
    assert_eq!(others.clone().count(), 200);
    assert!(others.map(|sent| sent.now).max() < Some(2 * SECOND));
    assert!(sent.iter().filter(|sent| sent.name == "throttled").count() < 9);
}

#[test]
fn a_pause_has_a_longest_and_what_is_too_old_is_refused() {
    let mut queue = queue(|config| {
        config.throttle.max = SECOND;
        config.retry_max_age = Duration::from_secs(60);
    });
    let a = add(&mut queue, "a", "1", 1);
    let (mut now, mut pauses) = (Duration::ZERO, Vec::new());
    let reason = loop {
        assert_eq!(goes(&mut queue, now), [("a", 0)]);
        if let Verdict::Done(_, end) = queue.answered(now, a, 0, THROTTLED) {
            break end;
        }
        let next = queue.poll_timeout(now).unwrap();
        pauses.push((next - now).as_millis());
        now = next;
    };
    assert_eq!((&pauses[..5], pauses.iter().max()), ([110, 210, 410, 810, 1_010].as_slice(), Some(&1_010)));
    assert_eq!(now.as_secs(), 60);
    assert_eq!(reason, End::Refused("Throttling error (ESME has exceeded allowed message limits".to_owned()));
}

#[test]
fn a_pause_ends_at_its_time_whatever_else_happens() {
    let mut queue = queue(|config| config.throttle.delay = SECOND);
    let [a, b, c] = ["a", "b", "c"].map(|name| add(&mut queue, name, name, 1));
    assert_eq!(goes(&mut queue, MS).len(), 3);
    let _ = queue.answered(MS, a, 0, THROTTLED);
    assert!(end(queue.answered(2 * MS, b, 0, REFUSED)).is_some(), "another refusal does not end it");
    let _ = queue.answered(3 * MS, c, 0, Answer::NotSent);
    queue.link_ended(0);
    assert_eq!(goes(&mut queue, 1_000 * MS), [], "nor does another session");
    assert_eq!(goes(&mut queue, 1_001 * MS), [("c", 0)]);
}

#[test]
fn a_pause_that_is_over_hides_no_retry() {
    let retry = Retry { count: 1, delay: 300 * MS };
    let mut queue = queue(|config| {
        config.keep_order = KeepOrder::Strict;
        config.retry = BTreeMap::from([(CommandStatus::ESME_RSYSERR, retry)]);
    });
    let a = add(&mut queue, "a", "1", 1);
    add(&mut queue, "b", "2", 1);
    assert_eq!(goes(&mut queue, MS), [("a", 0)]);
    let _ = queue.answered(MS, a, 0, THROTTLED);
    assert_eq!((goes(&mut queue, 111 * MS), queue.poll_timeout(111 * MS)), (vec![("a", 0)], None));
    let _ = queue.answered(112 * MS, a, 0, SYSTEM_ERROR);
    assert_eq!((goes(&mut queue, 112 * MS), queue.poll_timeout(112 * MS)), (vec![], Some(412 * MS)));
    assert_eq!(goes(&mut queue, 412 * MS), [("a", 0)]);
}

#[test]
fn a_rate_counts_parts() {
    for (per_second, burst, at) in [(10.0, 1.0, [0, 100, 200, 300]), (0.2, 2.0, [0, 0, 5_000, 10_000])] {
        let mut queue = queue(|config| {
            config.rate = Some(Rate { per_second, burst });
            config.keep_order = KeepOrder::None;
        });
        add(&mut queue, "a", "1", 4);
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
fn a_rate_is_held_after_a_pause_too() {
    let mut queue = queue(|config| {
        config.rate = Some(Rate { per_second: 10.0, burst: 1.0 });
        config.throttle.delay = SECOND;
        config.keep_order = KeepOrder::None;
    });
    let a = add(&mut queue, "a", "1", 4);
    assert_eq!(goes(&mut queue, MS), [("a", 0)]);
    let _ = queue.answered(MS, a, 0, THROTTLED);
    let gone: Vec<usize> = (10..14)
        .map(|tenth| {
            let now = (1 + 100 * tenth) * MS;
            let gone = goes(&mut queue, now);
            gone.iter().for_each(|(_, part)| drop(queue.answered(now, a, *part, Answer::Accepted)));
            gone.len()
        })
        .collect();
    assert_eq!(gone, [1; 4]);
}
