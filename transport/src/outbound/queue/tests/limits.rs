//! Guards the age of messages and the validity that they are sent with.

use super::*;

fn valid(to: &str, seconds: u64) -> Vec<(Sm, Tlvs)> {
    let period = crate::pdu::time::Period::from_seconds(seconds).unwrap();
    let validity_period = crate::pdu::time::SmppTime::Relative(period).to_string().parse().unwrap();
    vec![(Sm { destination_addr: to.parse().unwrap(), validity_period, ..Sm::default() }, Tlvs::new())]
}

#[test]
fn a_message_that_is_too_old_is_refused_before_its_first_try() {
    for (max, age, waits, is_sent) in [
        (None, 1_000, 1_000, true),
        (Some(10), 9, 0, true),
        (Some(10), 10, 0, false),
        (Some(10), 0, 10, false),
        (Some(10), 5, 4, true),
    ] {
        for keep_order in ORDERS {
            let mut queue = queue(|config| {
                config.keep_order = keep_order;
                config.message_max_age = max.map(Duration::from_secs);
            });
            queue.add(Duration::ZERO, "a", parts("1", 2), Duration::from_secs(age));
            let now = Duration::from_secs(waits);
            let expired = queue.poll_expired(now);
            assert_eq!(expired.is_none(), is_sent, "{max:?} {age} {waits}");
            assert_eq!(goes(&mut queue, now).is_empty(), !is_sent);
            if let Some((_, end)) = expired {
                assert_eq!(end, End::Refused("expired before it was sent".to_owned()));
                assert!(queue.is_empty() && queue.lanes.is_empty() && queue.deadlines.is_empty());
            }
        }
    }
}

#[test]
fn the_age_does_not_count_after_the_first_try() {
    let mut queue = queue(|config| config.message_max_age = Some(2 * SECOND));
    let a = add(&mut queue, "a", "1", 1);
    assert_eq!(queue.poll_timeout(MS), Some(2 * SECOND));
    assert_eq!(goes(&mut queue, SECOND), [("a", 0)]);
    let _ = queue.answered(SECOND, a, 0, TIMEOUT);
    assert_eq!(queue.poll_expired(600 * SECOND), None);
    assert_eq!(goes(&mut queue, 600 * SECOND), [("a", 0)]);
}

#[test]
fn the_age_counts_on_while_no_submit_has_left() {
    for (answers, is_expired) in [
        (&[Answer::NotSent][..], true),
        (&[Answer::NotSent, Answer::NotSent], true),
        (&[TIMEOUT], false),
        (&[TIMEOUT, Answer::NotSent], false),
        (&[Answer::NotSent, TIMEOUT], false),
        (&[Answer::NotSent, TIMEOUT, Answer::NotSent], false),
    ] {
        for keep_order in ORDERS {
            let mut queue = queue(|config| {
                config.keep_order = keep_order;
                config.message_max_age = Some(60 * SECOND);
            });
            let a = add(&mut queue, "a", "1", 1);
            for (at, answer) in (1..).zip(answers) {
                let now = 10 * SECOND * at;
                assert_eq!(goes(&mut queue, now), [("a", 0)]);
                let _ = queue.answered(now, a, 0, *answer);
            }
            assert_eq!(queue.poll_expired(60 * SECOND - MS), None);
            assert_eq!(queue.poll_expired(600 * SECOND).is_some(), is_expired, "{answers:?}");
            assert_eq!((queue.is_empty(), queue.deadlines.is_empty()), (is_expired, true));
            assert_eq!(goes(&mut queue, 600 * SECOND).is_empty(), is_expired);
        }
    }
}

#[test]
fn the_next_to_a_destination_goes_when_the_first_has_expired() {
    let mut queue = queue(|config| config.message_max_age = Some(SECOND));
    queue.add(Duration::ZERO, "old", parts("1", 1), SECOND);
    add(&mut queue, "new", "1", 1);
    assert_eq!(goes(&mut queue, MS), [], "not before the first has its outcome");
    assert!(queue.poll_expired(MS).is_some());
    assert_eq!(goes(&mut queue, MS), [("new", 0)]);
}

#[test]
fn validity_counts_from_the_submit_or_from_acceptance() {
    for (validity, expected) in
        [(Validity::FromSubmit, "000000000100000R"), (Validity::FromAcceptance, "000000000030000R")]
    {
        let mut queue = queue(|config| config.validity = validity);
        queue.add(Duration::ZERO, "a", valid("1", 60), Duration::from_secs(20));
        let submit = queue.poll_submit(Duration::from_millis(10_001), 0).unwrap();
        assert_eq!(submit.sm.validity_period.text(), expected);
    }
}

#[test]
fn a_message_is_not_sent_after_its_validity() {
    let mut queue = queue(|config| config.validity = Validity::FromAcceptance);
    queue.add(Duration::ZERO, "over", valid("1", 60), 60 * SECOND);
    let a = queue.add(Duration::ZERO, "a", valid("2", 60), 55 * SECOND);
    assert_eq!(queue.poll_expired(MS).map(|(name, _)| name), Some("over"));
    assert_eq!(goes(&mut queue, MS), [("a", 0)]);
    assert_eq!(pause(queue.answered(SECOND, a, 0, TIMEOUT)), SECOND);
    assert_eq!(queue.poll_submit(2 * SECOND, 0).unwrap().sm.validity_period.text(), "000000000003000R");
    assert_eq!(reason(queue.answered(4 * SECOND, a, 0, TIMEOUT)), "validity period over before it was accepted");
}

#[test]
fn validity_that_is_a_time_of_day_is_left_alone() {
    for text in ["", "261231235959000+"] {
        let mut queue = queue(|config| config.validity = Validity::FromAcceptance);
        let sm = Sm { destination_addr: "1".parse().unwrap(), validity_period: text.parse().unwrap(), ..Sm::default() };
        queue.add(Duration::ZERO, "a", vec![(sm, Tlvs::new())], 600 * SECOND);
        assert_eq!(queue.poll_submit(MS, 0).unwrap().sm.validity_period.text(), text);
    }
}

#[test]
fn a_message_whose_submit_never_left_is_given_back_as_not_submitted() {
    for (answer, expected) in [(Answer::NotSent, false), (TIMEOUT, true)] {
        let mut queue = queue(|_| {});
        let job = add(&mut queue, "a", "1", 1);
        assert_eq!(goes(&mut queue, MS), [("a", 0)]);
        let _ = queue.answered(MS, job, 0, answer);
        let given: Vec<_> = queue.give_back_counted(|_, was_submitted| was_submitted == expected);
        assert_eq!(given.len(), 1, "{answer:?}");
        assert_eq!(given[0].1.was_submitted(), expected);
    }
}

/// A part waits for its turn after its first try: behind a pause of all, without a session, or behind another part.
#[test]
fn a_message_is_not_sent_again_after_its_validity() {
    const OVER: &str = "validity period over before it was accepted";
    for keep_order in ORDERS {
        for (answer, at) in [(TIMEOUT, 2), (TIMEOUT, 30), (Answer::NotSent, 2), (THROTTLED, 2)] {
            let mut queue = queue(|config| {
                config.keep_order = keep_order;
                config.validity = Validity::FromAcceptance;
            });
            let a = queue.add(Duration::ZERO, "a", valid("1", 60), Duration::ZERO);
            let b = add(&mut queue, "b", "2", 1);
            assert_eq!(goes(&mut queue, MS)[0], ("a", 0));
            let now = at * SECOND;
            let _ = queue.answered(now, b, 0, Answer::Accepted);
            assert!(!matches!(queue.answered(now, a, 0, answer), Verdict::Done(..)));
            // No session takes it until its time is over.
            assert_eq!(queue.poll_expired(60 * SECOND - MS), None, "{answer:?}");
            assert!(queue.poll_timeout(59 * SECOND).is_some_and(|wake| wake <= 60 * SECOND));
            assert!(queue.poll_submit(60 * SECOND, 0).is_none_or(|submit| submit.job != a));
            let reason = if answer == Answer::NotSent { EXPIRED } else { OVER };
            assert_eq!(queue.poll_expired(60 * SECOND), Some(("a", End::Refused(reason.to_owned()))));
            assert!(queue.deadlines.is_empty());
        }
    }
}

#[test]
fn parts_of_a_message_that_is_under_way_are_not_sent_after_its_validity() {
    for answer in [Answer::Accepted, TIMEOUT, Answer::NotSent] {
        for keep_order in ORDERS {
            let mut queue = queue(|config| {
                config.keep_order = keep_order;
                config.validity = Validity::FromAcceptance;
            });
            let both = [valid("1", 60), valid("1", 60)].concat();
            let a = queue.add(Duration::ZERO, "a", both, Duration::ZERO);
            assert!(queue.poll_submit(MS, 0).is_some());
            assert_eq!(goes(&mut queue, 60 * SECOND), []);
            let end = match queue.answered(61 * SECOND, a, 0, answer) {
                Verdict::Done(_, end) => Some(end),
                _ => queue.poll_expired(61 * SECOND).map(|(_, end)| end),
            };
            assert!(matches!(end, Some(End::Refused(_))), "{answer:?}, {keep_order:?}: {end:?}");
            assert!(queue.is_empty() && queue.lanes.is_empty() && queue.deadlines.is_empty());
        }
    }
}
