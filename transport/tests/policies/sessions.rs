//! A message at which the SMSC hangs up, among others: those get through, each about once, and the one is given up.

use std::collections::BTreeSet;
use std::time::Duration;

use smpp_transport::outbound::{KeepOrder, OnUnknown};

use crate::smsc::{Came, Reply, Setup, World};

const POISON: &str = "27829999999";

/// Twenty messages, the poisonous one, and twenty more.
fn world(change: impl FnOnce(&mut Setup)) -> World {
    let others: Vec<String> = (0..40).map(|number| format!("2782{number:07}")).collect();
    let mut to: Vec<&str> = others.iter().map(String::as_str).collect();
    to.insert(20, POISON);
    let script = |came: &Came| if came.to == POISON { Reply::HangUp } else { Reply::Accept };
    World::new(&to, change, script)
}

#[tokio::test(start_paused = true)]
async fn the_others_get_through_and_the_one_is_given_up() {
    let mut tried = 0;
    for keep_order in [KeepOrder::None, KeepOrder::PerDestination, KeepOrder::Strict] {
        for links in [1, 2, 4] {
            for window in [1, 10, 50] {
                let world = world(|setup| {
                    setup.config.queue.keep_order = keep_order;
                    setup.links = links;
                    setup.client.session.window = window;
                });
                world.pass(Duration::from_secs(120)).await;
                let who = format!("{keep_order:?}, {links} links, window {window}");
                assert_eq!(world.tries(POISON), 5, "{who}");
                let came = world.came();
                let others: BTreeSet<_> = came.iter().filter(|came| came.to != POISON).map(|came| &came.to).collect();
                let copies = came.len() - 5 - others.len();
                assert_eq!((others.len(), copies), (40, 0), "{who}");
                let outcomes = world.outcomes();
                let acked = outcomes.values().filter(|outcome| *outcome == "ack").count();
                assert_eq!(acked, 40, "{who}");
                let lost = "outcome unknown: the session was lost 5 times while this message was outstanding";
                assert_eq!(outcomes[POISON], lost, "{who}");
                assert!(world.sessions() <= links + 5, "{who}: {} sessions", world.sessions());
                tried += 1;
            }
        }
    }
    assert_eq!(tried, 27);
}

#[tokio::test(start_paused = true)]
async fn the_others_do_not_wait_for_it() {
    for links in [1, 4] {
        let world = world(|setup| setup.links = links);
        world.pass(Duration::from_secs(120)).await;
        let last = world.came().iter().filter(|came| came.to != POISON).map(|came| came.at).max();
        assert!(last < Some(Duration::from_secs(5)), "{links} links: {last:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn with_four_sessions_three_go_on() {
    let world = world(|setup| {
        setup.links = 4;
        setup.client.session.window = 1;
    });
    world.pass(Duration::from_secs(120)).await;
    let came = world.came();
    let tries: Vec<&Came> = came.iter().filter(|came| came.to == POISON).collect();
    let sessions: BTreeSet<_> = tries.iter().map(|came| came.session).collect();
    assert_eq!(sessions.len(), 5, "each try is on a session of its own");
    // At the first try the others are not held up at all.
    let meanwhile = came.iter().filter(|came| came.at < tries[1].at && came.to != POISON).count();
    assert_eq!(meanwhile, 40);
}

#[tokio::test(start_paused = true)]
async fn what_was_outstanding_is_told_at_once_if_that_is_configured() {
    let world = world(|setup| {
        setup.config.queue.on_unknown = OnUnknown::Nack;
        setup.client.session.window = 1;
    });
    world.pass(Duration::from_secs(60)).await;
    let outcomes = world.outcomes();
    assert_eq!(outcomes[POISON], "outcome unknown: the session ended before the response");
    assert_eq!(outcomes.values().filter(|outcome| *outcome == "ack").count(), 40);
    assert_eq!(world.came().len(), 41);
}

#[tokio::test(start_paused = true)]
async fn a_session_that_hangs_up_at_every_submit_is_no_storm() {
    for links in [1, 4] {
        let to: Vec<String> = (0..20).map(|number| format!("2782{number:07}")).collect();
        let to: Vec<&str> = to.iter().map(String::as_str).collect();
        let world = World::new(&to, |setup| setup.links = links, |_| Reply::HangUp);
        world.pass(Duration::from_secs(60)).await;
        for to in &to {
            assert!(world.tries(to) <= 5, "{to}: {}", world.tries(to));
        }
        assert!(world.came().len() <= 100 && world.sessions() <= 110, "{} {}", world.came().len(), world.sessions());
    }
}
