//! Guards that a message at which sessions break holds up others only for as long as it is tried.

use super::*;

/// Messages to as many destinations, the first `sent` of which are outstanding on link 0 when that breaks.
fn broken(names: &[&'static str], sent: usize, change: impl FnOnce(&mut QueueConfig)) -> Names {
    let mut queue = queue(change);
    for name in names {
        add(&mut queue, name, name, 1);
    }
    let outstanding: Vec<Submit> = (0..sent).map(|_| queue.poll_submit(MS, 0).unwrap()).collect();
    queue.link_ended(0);
    for submit in outstanding {
        assert_eq!(pause(queue.answered(MS, submit.job, submit.part, BROKEN)), SECOND);
    }
    queue
}

#[test]
fn suspects_go_after_those_that_were_there_before_and_each_alone() {
    let mut queue = broken(&["1", "2", "3", "4", "5"], 3, |_| {});
    assert_eq!(goes(&mut queue, MS), [("4", 0), ("5", 0)], "others go first");
    let now = MS + SECOND;
    add(&mut queue, "6", "6", 1);
    assert_eq!(goes(&mut queue, now), [], "the link is reserved until the others are answered");
    for job in [4, 5] {
        let _ = queue.answered(now, job, 0, Answer::Accepted);
    }
    for (job, name) in [(1, "1"), (2, "2"), (3, "3")] {
        assert_eq!(goes(&mut queue, now), [(name, 0)], "alone");
        assert!(end(queue.answered(now, job, 0, Answer::Accepted)).is_some());
    }
    assert_eq!(goes(&mut queue, now), [("6", 0)]);
}

#[test]
fn one_session_at_a_time_has_a_suspect_and_the_others_go_on() {
    let mut queue = broken(&["1", "2", "3"], 2, |_| {});
    let now = MS + SECOND;
    assert_eq!(goes_on(&mut queue, now, 1), [("3", 0)], "the others go first");
    assert_eq!(goes_on(&mut queue, now, 0), [("1", 0)], "a link with nothing outstanding takes the suspect over");
    for (name, to) in [("4", "4"), ("5", "5")] {
        add(&mut queue, name, to, 1);
    }
    assert_eq!(goes_on(&mut queue, now, 0), []);
    assert_eq!(goes_on(&mut queue, now, 1), [("4", 0), ("5", 0)], "no suspect");
    let _ = queue.answered(now, 1, 0, Answer::Accepted);
    assert_eq!(goes_on(&mut queue, now, 0), [("2", 0)]);
}

#[test]
fn the_most_suspected_goes_last() {
    let mut queue = broken(&["1", "2", "3"], 3, |_| {});
    let now = MS + SECOND;
    assert_eq!(goes(&mut queue, now), [("1", 0)]);
    queue.link_ended(0);
    assert_eq!(pause(queue.answered(now, 1, 0, BROKEN)), 2 * SECOND);
    let now = now + 2 * SECOND;
    assert_eq!(goes(&mut queue, now), [("2", 0)]);
    let _ = queue.answered(now, 2, 0, Answer::Accepted);
    assert_eq!(goes(&mut queue, now), [("3", 0)]);
    let _ = queue.answered(now, 3, 0, Answer::Accepted);
    assert_eq!(goes(&mut queue, now), [], "what waits at the bus goes first");
    add(&mut queue, "4", "4", 1);
    assert_eq!(goes(&mut queue, now), [("4", 0)]);
    let _ = queue.answered(now, 4, 0, Answer::Accepted);
    assert_eq!(queue.poll_timeout(now), Some(now + SECOND));
    assert_eq!(goes(&mut queue, now + SECOND), [("1", 0)]);
}

#[test]
fn what_broke_several_sessions_is_tried_in_the_end_although_others_keep_coming() {
    let mut queue = broken(&["1"], 1, |_| {});
    let mut now = MS + SECOND;
    assert_eq!(goes(&mut queue, now), [("1", 0)]);
    queue.link_ended(0);
    assert_eq!(pause(queue.answered(now, 1, 0, BROKEN)), 2 * SECOND);
    let from = now;
    loop {
        now += 100 * MS;
        let job = queue.add(now, "other", parts("2", 1), Duration::ZERO);
        if goes(&mut queue, now)[0].0 == "1" {
            break;
        }
        let _ = queue.answered(now, job, 0, Answer::Accepted);
    }
    assert_eq!((now - from).as_secs(), 62);
}

#[test]
fn a_reserved_link_that_ends_is_not_waited_for() {
    let mut queue = broken(&["1", "2", "3"], 1, |_| {});
    assert_eq!(goes_on(&mut queue, MS, 0), [("2", 0), ("3", 0)]);
    let now = MS + SECOND;
    add(&mut queue, "4", "4", 1);
    assert_eq!(goes_on(&mut queue, now, 0), [], "reserved");
    queue.link_ended(0);
    assert_eq!(goes_on(&mut queue, now, 1), [("1", 0)]);
}

#[test]
fn a_session_that_ends_with_unbind_makes_nobody_a_suspect() {
    let mut queue = queue(|_| {});
    let jobs = ["1", "2", "3"].map(|name| add(&mut queue, name, name, 1));
    assert_eq!(goes(&mut queue, MS).len(), 3);
    queue.link_ended(0);
    for job in jobs {
        let _ = queue.answered(MS, job, 0, Answer::Unknown(Doubt::Unbound));
    }
    assert_eq!(goes(&mut queue, MS + SECOND).len(), 3, "together");
}

/// A message at which the SMSC hangs up, among many: the others go about once, it is given up after its tries.
#[test]
fn a_message_that_breaks_every_session_is_given_up_and_the_others_get_through() {
    const NAMES: [&str; 12] = ["1", "2", "3", "4", "5", "poison", "7", "8", "9", "10", "11", "12"];
    let mut tried = 0;
    for keep_order in ORDERS {
        for tries in [1, 2, 5] {
            for window in [1, 3, 12] {
                let mut queue = queue(|config| {
                    config.keep_order = keep_order;
                    config.resend.tries = tries;
                });
                for (to, name) in ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12"].into_iter().zip(NAMES)
                {
                    add(&mut queue, name, to, 1);
                }
                let (mut now, mut sent) = (Duration::ZERO, BTreeMap::<&str, u32>::new());
                let mut ends = BTreeMap::new();
                while !queue.is_empty() && now < 600 * SECOND {
                    let window: Vec<Submit> = std::iter::from_fn(|| queue.poll_submit(now, 0)).take(window).collect();
                    let mut is_broken = false;
                    for Submit { job, part, .. } in window {
                        let name = *queue.get(job).unwrap();
                        // What was sent after it never reaches the SMSC.
                        is_broken |= name == "poison";
                        if !is_broken || name == "poison" {
                            *sent.entry(name).or_default() += 1;
                        }
                        let answer = if is_broken { BROKEN } else { Answer::Accepted };
                        let verdict = queue.answered(now, job, part, answer);
                        ends.extend(end(verdict));
                    }
                    if is_broken {
                        queue.link_ended(0);
                    }
                    now += 100 * MS;
                }
                let who = format!("{keep_order:?} tries {tries} window {window}");
                assert_eq!(sent["poison"], tries, "{who}");
                let Some(End::Refused(reason)) = ends.get("poison") else { panic!("{who}: {ends:?}") };
                assert!(reason.contains("session") && reason.starts_with("outcome unknown"), "{reason}");
                for name in NAMES.iter().filter(|name| **name != "poison") {
                    // With one try nothing that was outstanding is sent again.
                    let is_lost = tries == 1 && window > 1;
                    assert!(sent.get(name) == Some(&1) || is_lost, "{who}: {name} {sent:?}");
                    assert!(ends.get(name) == Some(&End::Accepted) || is_lost, "{who}: {name} {ends:?}");
                }
                tried += 1;
            }
        }
    }
    assert_eq!(tried, 27);
}

#[test]
fn only_its_own_destination_waits_for_a_suspect() {
    for (keep_order, others) in [
        (KeepOrder::None, vec!["same", "other"]),
        (KeepOrder::PerDestination, vec!["other"]),
        (KeepOrder::Strict, vec![]),
    ] {
        let mut queue = queue(|config| config.keep_order = keep_order);
        let suspect = add(&mut queue, "suspect", "1", 1);
        assert_eq!(goes(&mut queue, MS), [("suspect", 0)]);
        queue.link_ended(0);
        let _ = queue.answered(MS, suspect, 0, BROKEN);
        add(&mut queue, "same", "1", 1);
        add(&mut queue, "other", "2", 1);
        let gone: Vec<_> = goes(&mut queue, MS).into_iter().map(|(name, _)| name).collect();
        assert_eq!(gone, others, "{keep_order:?}");
    }
}

/// The acceptance is noted late, as when the store takes its time.
#[test]
fn a_part_that_was_accepted_before_the_session_broke_clears_no_suspect() {
    let mut queue = queue(|config| config.keep_order = KeepOrder::None);
    let suspect = add(&mut queue, "suspect", "1", 2);
    assert_eq!(goes(&mut queue, MS).len(), 2);
    add(&mut queue, "other", "2", 1);
    queue.link_ended(0);
    assert_eq!(pause(queue.answered(MS, suspect, 1, BROKEN)), SECOND);
    let _ = queue.answered(MS, suspect, 0, Answer::Accepted);
    assert_eq!(goes(&mut queue, MS), [("other", 0)]);
    assert_eq!(goes(&mut queue, MS + SECOND), [], "it goes alone");
}
