//! Guards that a full queue of one destination delays that destination, and only so often.

use super::*;

#[test]
fn a_full_destination_waits_longer_each_time_and_others_go_on() {
    for keep_order in [KeepOrder::None, KeepOrder::PerDestination] {
        for (tries, pauses) in [(1, vec![]), (3, vec![1, 2]), (8, vec![1, 2, 4, 8, 16, 30, 30])] {
            let mut queue = queue(|config| {
                config.keep_order = keep_order;
                config.queue_full = QueueFull { tries, max: 30 * SECOND, ..QueueFull::default() };
            });
            add(&mut queue, "full", "1", 1);
            for _ in 0..20 {
                add(&mut queue, "other", "2", 1);
            }
            let sent = run(&mut queue, 600 * SECOND, |name, _, _| if name == "full" { FULL } else { Answer::Accepted });
            let others = sent.iter().filter(|sent| sent.name == "other");
            assert!(others.clone().count() == 20 && others.map(|sent| sent.now).max() < Some(SECOND));
            let at: Vec<_> = sent.iter().filter(|sent| sent.name == "full").map(|sent| sent.now).collect();
            let waited: Vec<_> = at.windows(2).map(|two| (two[1] - two[0]).as_secs()).collect();
            assert_eq!(waited, pauses, "{keep_order:?}");
            assert_eq!(sent.last().unwrap().end.clone().map(|end| end != End::Accepted), Some(tries > 1));
        }
    }
}

#[test]
fn those_behind_a_message_that_was_given_up_have_one_try_until_one_is_accepted() {
    for keep_order in ORDERS {
        let mut queue = queue(|config| config.keep_order = keep_order);
        for name in ["a", "b", "c", "d", "e"] {
            add(&mut queue, name, "1", 1);
        }
        let mut count = 0;
        let sent = run(&mut queue, 600 * SECOND, |_, _, _| {
            count += 1;
            if count <= 7 { FULL } else { Answer::Accepted }
        });
        let tries = |name| sent.iter().filter(|sent| sent.name == name).count();
        let ended = |name| sent.iter().find(|sent| sent.name == name && sent.end.is_some()).unwrap().end.clone();
        if keep_order == KeepOrder::None {
            // Two had gone before the first answer on the other link.
            assert!(ended("e") == Some(End::Accepted), "{sent:?}");
            continue;
        }
        assert_eq!(["a", "b", "c", "d", "e"].map(tries), [5, 1, 1, 1, 1], "{keep_order:?}");
        let full = Some(End::Refused("Message Queue Full".to_owned()));
        assert_eq!(["a", "b", "c", "d", "e"].map(ended)[..3], [full.clone(), full.clone(), full]);
        assert_eq!([ended("d"), ended("e")], [Some(End::Accepted), Some(End::Accepted)]);
    }
}

#[test]
fn without_an_order_one_submit_at_a_time_asks_whether_a_destination_is_still_full() {
    let mut queue = queue(|config| config.keep_order = KeepOrder::None);
    for name in ["a", "b", "c"] {
        add(&mut queue, name, "1", 1);
    }
    assert_eq!(goes(&mut queue, MS).len(), 3);
    for (job, answer) in [(1, FULL), (2, Answer::NotSent), (3, Answer::NotSent)] {
        let _ = queue.answered(MS, job, 0, answer);
    }
    assert_eq!(goes(&mut queue, 900 * MS), []);
    assert_eq!(goes(&mut queue, 2 * SECOND), [("a", 0)]);
    let _ = queue.answered(2 * SECOND, 1, 0, Answer::Accepted);
    assert_eq!(goes(&mut queue, 2 * SECOND), [("b", 0), ("c", 0)]);
}

#[test]
fn a_full_queue_throttles_all_if_that_is_configured() {
    let mut queue = queue(|config| config.queue_full.scope = FullScope::Link);
    let a = add(&mut queue, "a", "1", 1);
    add(&mut queue, "b", "2", 1);
    assert!(queue.poll_submit(MS, 0).is_some());
    assert_eq!(pause(queue.answered(MS, a, 0, FULL)), 110 * MS);
    assert!(queue.is_paused(2 * MS));
    assert_eq!(goes(&mut queue, 100 * MS), []);
}

#[test]
fn other_statuses_may_say_that_a_queue_is_full() {
    let status = CommandStatus(0x400);
    let mut queue = queue(|config| config.queue_full.statuses = BTreeSet::from([status]));
    let a = add(&mut queue, "a", "1", 1);
    let b = add(&mut queue, "b", "2", 1);
    assert_eq!(goes(&mut queue, MS).len(), 2);
    assert_eq!(pause(queue.answered(MS, a, 0, Answer::Refused(status))), SECOND);
    assert!(end(queue.answered(MS, b, 0, FULL)).is_some(), "no longer one of them");
}
