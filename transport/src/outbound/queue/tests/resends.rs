//! Guards that every resend waits and is counted.

use super::*;

#[test]
fn a_part_of_unknown_outcome_is_sent_again_after_growing_pauses_and_then_given_up() {
    let doubts = [Doubt::Timeout, Doubt::Unbound, Doubt::Broken];
    let mut tried = 0;
    for doubt in doubts {
        for keep_order in ORDERS {
            for (tries, pauses) in [(1, vec![]), (2, vec![1]), (5, vec![1, 2, 4, 8]), (8, vec![1, 2, 4, 8, 10, 10, 10])]
            {
                let mut queue = queue(|config| {
                    config.keep_order = keep_order;
                    config.resend = Resend { tries, max: 10 * SECOND, ..Resend::default() };
                });
                add(&mut queue, "a", "1", 1);
                let sent = run(&mut queue, 600 * SECOND, |_, _, _| Answer::Unknown(doubt));
                let at: Vec<_> = sent.iter().map(|sent| sent.now).collect();
                let waited: Vec<_> = at.windows(2).map(|two| (two[1] - two[0]).as_secs()).collect();
                // After its second break it waits a second longer, for what waits at the bus.
                let is_last = doubt == Doubt::Broken && keep_order != KeepOrder::Strict;
                let quiet = |place: usize| u64::from(is_last && place > 0);
                let pauses: Vec<u64> = pauses.iter().enumerate().map(|(place, pause)| pause + quiet(place)).collect();
                assert_eq!(waited, pauses, "{doubt:?} {keep_order:?}");
                let Some(End::Refused(reason)) = &sent.last().unwrap().end else { panic!("{sent:?}") };
                assert!(reason.starts_with("outcome unknown"), "{reason}");
                tried += 1;
            }
        }
    }
    assert_eq!(tried, 36);
}

#[test]
fn the_reason_of_the_nack_says_what_happened() {
    let lost = "outcome unknown: the session was lost 3 times while this message was outstanding";
    for (answers, reason) in [
        ([TIMEOUT; 3], "outcome unknown after 3 tries: no response in time"),
        ([BROKEN; 3], lost),
        ([BROKEN, BROKEN, TIMEOUT], "outcome unknown after 3 tries: no response in time"),
        ([TIMEOUT, BROKEN, BROKEN], "outcome unknown after 3 tries: the session ended before the response"),
        ([Answer::Unknown(Doubt::Unbound); 3], "outcome unknown after 3 tries: the session ended before the response"),
    ] {
        let mut queue = queue(|config| config.resend.tries = 3);
        add(&mut queue, "a", "1", 1);
        let mut answers = answers.into_iter();
        let sent = run(&mut queue, 600 * SECOND, |_, _, _| answers.next().unwrap());
        assert_eq!(sent.last().unwrap().end, Some(End::Refused(reason.to_owned())));
    }
}

#[test]
fn an_unknown_outcome_is_a_nack_if_that_is_configured() {
    for (doubt, reason) in [
        (Doubt::Timeout, "outcome unknown: no response in time"),
        (Doubt::Broken, "outcome unknown: the session ended before the response"),
        (Doubt::Unbound, "outcome unknown: the session ended before the response"),
    ] {
        let mut queue = queue(|config| config.on_unknown = OnUnknown::Nack);
        let a = add(&mut queue, "a", "1", 1);
        assert_eq!(goes(&mut queue, MS), [("a", 0)]);
        assert_eq!(super::reason(queue.answered(MS, a, 0, Answer::Unknown(doubt))), reason);
    }
}

#[test]
fn nothing_is_sent_again_without_a_pause() {
    let retried = CommandStatus::ESME_RSYSERR;
    let answers = [THROTTLED, FULL, SYSTEM_ERROR, TIMEOUT, BROKEN, Answer::Unknown(Doubt::Unbound), Answer::NotSent];
    let mut tried = 0;
    for answer in answers {
        for keep_order in ORDERS {
            for links in 1..=3 {
                let mut queue = queue(|config| {
                    config.keep_order = keep_order;
                    config.retry.insert(retried, Retry { count: 1_000, delay: Duration::ZERO });
                    config.resend.tries = 1_000;
                    config.queue_full.tries = 1_000;
                });
                let a = add(&mut queue, "a", "1", 1);
                let (mut now, mut count) = (Duration::ZERO, 0);
                while now < SECOND {
                    for link in 0..links {
                        if queue.poll_submit(now, link).is_some() {
                            count += 1;
                            let _ = queue.answered(now, a, 0, answer);
                        }
                    }
                    now += MS;
                }
                assert!(count <= 101, "{answer:?} {keep_order:?} over {links} links: {count} in a second");
                tried += 1;
            }
        }
    }
    assert_eq!(tried, 63);
}

#[test]
fn refusals_of_the_table_are_tried_again_so_often() {
    let retry = Retry { count: 2, delay: Duration::from_secs(30) };
    let mut queue = queue(|config| config.retry = BTreeMap::from([(CommandStatus::ESME_RSYSERR, retry)]));
    let a = add(&mut queue, "a", "1", 1);
    for at in [0, 30] {
        let now = Duration::from_secs(at);
        assert_eq!(goes(&mut queue, now), [("a", 0)]);
        assert_eq!(pause(queue.answered(now, a, 0, SYSTEM_ERROR)), retry.delay);
        assert_eq!((goes(&mut queue, now), queue.poll_timeout(now)), (vec![], Some(now + retry.delay)));
    }
    let now = Duration::from_secs(60);
    assert_eq!(goes(&mut queue, now), [("a", 0)]);
    assert_eq!(reason(queue.answered(now, a, 0, SYSTEM_ERROR)), "System Error");
}

#[test]
fn a_retry_counts_for_a_status_that_throttles_or_says_that_a_queue_is_full() {
    let retry = Retry { count: 1, delay: SECOND };
    for (answer, is_paused) in [(THROTTLED, true), (FULL, false)] {
        for scope in [FullScope::Destination, FullScope::Link] {
            let Answer::Refused(status) = answer else { continue };
            let mut queue = queue(|config| {
                config.queue_full.scope = scope;
                config.retry = BTreeMap::from([(status, retry)]);
            });
            let a = add(&mut queue, "a", "1", 1);
            assert_eq!(goes(&mut queue, MS), [("a", 0)]);
            assert_eq!(pause(queue.answered(MS, a, 0, answer)), SECOND);
            assert_eq!(queue.is_paused(2 * MS), is_paused || scope == FullScope::Link);
            assert_eq!(goes(&mut queue, SECOND), []);
            assert_eq!(goes(&mut queue, SECOND + MS), [("a", 0)]);
            assert!(end(queue.answered(SECOND + MS, a, 0, answer)).is_some());
        }
    }
}

#[test]
fn what_was_never_sent_does_not_age_and_is_not_counted() {
    let mut queue = queue(|config| config.resend.tries = 1);
    let a = add(&mut queue, "a", "1", 1);
    for days in 0..30 {
        let now = Duration::from_secs(days * 86_400);
        assert_eq!(goes(&mut queue, now), [("a", 0)]);
        assert_eq!(pause(queue.answered(now, a, 0, Answer::NotSent)), 10 * MS);
        assert_eq!(goes(&mut queue, now), [], "not at once");
    }
}

#[test]
fn what_could_not_be_sent_now_and_then_ages_from_its_first_failure() {
    let mut queue = queue(|config| {
        config.retry_max_age = Duration::from_secs(10);
        config.resend = Resend { tries: 100, delay: SECOND, factor: 1.0, max: SECOND };
    });
    let job = add(&mut queue, "a", "1", 1);
    for second in [0, 4, 8] {
        let now = Duration::from_secs(second);
        assert_eq!(goes(&mut queue, now), [("a", 0)]);
        assert_eq!(pause(queue.answered(now, job, 0, TIMEOUT)), SECOND);
        assert_eq!(goes(&mut queue, now + SECOND), [("a", 0)]);
        assert_eq!(pause(queue.answered(now + SECOND, job, 0, Answer::NotSent)), 10 * MS);
    }
    let now = Duration::from_secs(12);
    assert_eq!(goes(&mut queue, now), [("a", 0)]);
    assert!(reason(queue.answered(now, job, 0, TIMEOUT)).starts_with("outcome unknown after 4 tries"));
}
