//! Guards the order of messages and parts, across resends and links.

use super::*;

#[test]
fn later_messages_to_the_same_destination_wait_for_one_that_is_tried_again() {
    let answers = [THROTTLED, FULL, SYSTEM_ERROR, TIMEOUT, BROKEN, Answer::Unknown(Doubt::Unbound), Answer::NotSent];
    let mut tried = 0;
    for answer in answers {
        for (keep_order, overtaking) in [
            (KeepOrder::None, vec![("a2", 0), ("b", 0)]),
            (KeepOrder::PerDestination, vec![("b", 0)]),
            (KeepOrder::Strict, vec![]),
        ] {
            let mut queue = queue(|config| {
                config.keep_order = keep_order;
                config.throttle.delay = 2 * MS;
                config.retry.insert(CommandStatus::ESME_RSYSERR, Retry { count: 9, delay: SECOND });
            });
            let a = add(&mut queue, "a", "1", 1);
            assert_eq!(goes(&mut queue, MS), [("a", 0)]);
            let paused = pause(queue.answered(MS, a, 0, answer));
            add(&mut queue, "a2", "1", 1);
            add(&mut queue, "b", "2", 1);
            let now = if answer == THROTTLED { 3 * MS } else { MS };
            let gone = if answer == THROTTLED { vec![] } else { goes(&mut queue, now) };
            match answer {
                // A full queue delays its destination whatever the order.
                FULL if keep_order == KeepOrder::None => assert_eq!(gone, [("b", 0)]),
                THROTTLED => {}
                _ => assert_eq!(gone, overtaking, "{answer:?} {keep_order:?}"),
            }
            for (name, part) in gone {
                let job = if name == "b" { a + 2 } else { a + 1 };
                let _ = queue.answered(now, job, part, Answer::Accepted);
            }
            assert_eq!(goes(&mut queue, MS + paused).first(), Some(&("a", 0)), "{answer:?} {keep_order:?}");
            tried += 1;
        }
    }
    assert_eq!(tried, 21);
}

/// Everything that two links let through reaches the SMSC in order for each destination, whatever is answered.
#[test]
fn messages_to_one_destination_reach_the_smsc_in_order_whatever_is_answered() {
    const BAD: [Answer; 7] =
        [THROTTLED, FULL, SYSTEM_ERROR, TIMEOUT, BROKEN, Answer::Unknown(Doubt::Unbound), Answer::NotSent];
    let mut tried = 0;
    for keep_order in [KeepOrder::PerDestination, KeepOrder::Strict] {
        for bad in BAD {
            for place in 0..6 {
                let mut queue = queue(|config| {
                    config.keep_order = keep_order;
                    config.retry.insert(CommandStatus::ESME_RSYSERR, Retry { count: 9, delay: SECOND });
                });
                for (name, to, count) in [("a", "1", 3), ("x", "2", 1), ("b", "1", 2), ("c", "1", 1)] {
                    add(&mut queue, name, to, count);
                }
                let mut count = 0;
                let sent = run(&mut queue, 600 * SECOND, |_, _, _| {
                    count += 1;
                    if count == place + 1 { bad } else { Answer::Accepted }
                });
                let accepted: Vec<_> = sent
                    .iter()
                    .filter(|sent| sent.answer == Answer::Accepted && sent.name != "x")
                    .map(|sent| (sent.name, sent.part))
                    .collect();
                let order = [("a", 0), ("a", 1), ("a", 2), ("b", 0), ("b", 1), ("c", 0)];
                assert_eq!(accepted, order, "{keep_order:?} {bad:?} at {place}");
                assert!(queue.is_empty());
                // Between the first try of a part and its acceptance nothing else goes to its destination.
                let mut tries: Vec<_> =
                    sent.iter().filter(|sent| sent.name != "x").map(|sent| (sent.name, sent.part)).collect();
                tries.dedup();
                assert_eq!(tries, order, "{keep_order:?} {bad:?} at {place}");
                tried += 1;
            }
        }
    }
    assert_eq!(tried, 84);
}

#[test]
fn one_submit_is_outstanding_for_each_destination_whatever_the_links() {
    let mut queue = queue(|_| {});
    let (a, b) = (add(&mut queue, "a", "1", 2), add(&mut queue, "b", "1", 1));
    let c = add(&mut queue, "c", "2", 1);
    assert_eq!(goes_on(&mut queue, MS, 0), [("a", 0), ("c", 0)]);
    assert_eq!(goes_on(&mut queue, MS, 1), [], "neither the rest of it nor what comes after");
    let _ = queue.answered(MS, a, 0, Answer::Accepted);
    assert_eq!(goes_on(&mut queue, MS, 1), [], "the parts of a message stay on its link");
    assert_eq!(goes_on(&mut queue, MS, 0), [("a", 1)]);
    let _ = queue.answered(MS, a, 1, Answer::Accepted);
    assert_eq!(goes_on(&mut queue, MS, 1), [("b", 0)], "any link may take the next message");
    for job in [b, c] {
        assert!(end(queue.answered(MS, job, 0, Answer::Accepted)).is_some());
    }
    assert!(queue.lanes.is_empty());
}

#[test]
fn a_load_to_many_destinations_fills_any_window() {
    let mut queue = queue(|_| {});
    let names: Vec<String> = (0..1_000).map(|to| to.to_string()).collect();
    for to in &names {
        queue.add(Duration::ZERO, "m", parts(to, 1), Duration::ZERO);
    }
    assert_eq!(goes(&mut queue, MS).len(), 1_000);
}

#[test]
fn strict_order_has_one_outstanding() {
    let mut queue = queue(|config| config.keep_order = KeepOrder::Strict);
    let (a, b) = (add(&mut queue, "a", "1", 2), add(&mut queue, "b", "2", 1));
    for (job, part, gone) in [(a, 0, ("a", 0)), (a, 1, ("a", 1)), (b, 0, ("b", 0))] {
        assert_eq!(goes_on(&mut queue, MS, 0), [gone]);
        assert_eq!(goes_on(&mut queue, MS, 1), []);
        let _ = queue.answered(MS, job, part, Answer::Accepted);
    }
    assert!(queue.is_empty());
}

#[test]
fn parts_of_a_message_stay_on_its_link_while_that_is_there() {
    let mut queue = queue(|config| config.keep_order = KeepOrder::None);
    let a = add(&mut queue, "a", "1", 3);
    let b = add(&mut queue, "b", "2", 1);
    assert_eq!(queue.poll_submit(MS, 1).unwrap().job, a);
    assert_eq!(queue.poll_submit(MS, 2).unwrap().job, b);
    assert_eq!(queue.poll_submit(MS, 2), None);
    queue.link_ended(1);
    assert_eq!(queue.poll_submit(MS, 2).unwrap().part, 1);
    assert_eq!(queue.poll_submit(MS, 1), None);
}
