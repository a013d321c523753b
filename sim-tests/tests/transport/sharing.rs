//! Guards that a process which cannot send keeps no messages from those that can.

use std::time::Duration;

use serde_json::json;
use smpp_transport::bus::Bus;
use smpp_transport::outbound::{KeepOrder, MultipartHandling};
use tokio::time::{sleep, timeout};

use crate::world::{World, seconds};

/// Rules by which the SMSC takes binds and answers no submit.
const SILENT: &str = "[{ when: { operation: submit_sm }, then: { answer: never } }]";
/// Rules by which the SMSC refuses every bind.
const NO_BINDS: &str = "[{ when: { operation: bind }, then: { status: ESME_RSYSERR } }]";

/// Sends messages, and loses the session for good.
async fn unbound_with(count: usize, change: impl FnOnce(&mut World)) -> World {
    let world = World::with(SILENT, change).await;
    (0..count).for_each(|number| world.send(&format!("m{number}"), "hello"));
    sleep(seconds(1)).await;
    assert_eq!(world.bus.waiting(), 0, "the process has them all");
    world.rules(NO_BINDS);
    world.act(json!({"disconnect": "reset"}));
    world
}

/// Takes what another process on the same queue would get.
async fn taken_by_another(other: &mut Bus, count: usize) -> Vec<String> {
    let mut ids = Vec::new();
    for _ in 0..count {
        let delivery = timeout(seconds(1), other.outbound.next()).await.expect("there is one").expect("the bus runs");
        assert!(delivery.redelivered);
        let body: serde_json::Value = serde_json::from_slice(&delivery.body).unwrap();
        ids.push(body["message_id"].as_str().unwrap().to_owned());
        delivery.ack();
    }
    ids
}

#[tokio::test(start_paused = true)]
async fn messages_are_given_back_when_the_grace_is_over_and_come_to_another_process_in_their_order() {
    let world = unbound_with(20, |_| {}).await;
    sleep(Duration::from_millis(4_900)).await;
    assert_eq!(world.bus.waiting(), 0, "the grace has not passed");
    sleep(Duration::from_millis(200)).await;
    assert_eq!(world.bus.waiting(), 20);
    let mut other = world.bus.connect(100);
    let expected: Vec<String> = (0..20).map(|number| format!("m{number}")).collect();
    assert_eq!(taken_by_another(&mut other, 20).await, expected);
    assert!(world.hears_nothing_for(seconds(60)).await);
}

#[tokio::test(start_paused = true)]
async fn messages_that_come_while_unbound_are_left_and_sent_after_the_next_bind() {
    let world = unbound_with(3, |_| {}).await;
    sleep(seconds(6)).await;
    (3..6).for_each(|number| world.send(&format!("m{number}"), "hello"));
    sleep(seconds(1)).await;
    assert_eq!(world.bus.waiting(), 6);
    world.rules("[]");
    for number in 0..6 {
        assert_eq!(world.event().await, format!("ack m{number}"));
    }
    assert_eq!(world.bus.waiting(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_session_that_comes_back_within_the_grace_keeps_its_messages() {
    let world = unbound_with(3, |_| {}).await;
    sleep(seconds(3)).await;
    world.rules("[]");
    for number in 0..3 {
        assert_eq!(world.bus.waiting(), 0);
        assert_eq!(world.event().await, format!("ack m{number}"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_process_that_was_never_bound_takes_nothing() {
    let mut world = World::new(NO_BINDS.replace("bind }", "bind, first: 1 }").as_str()).await;
    world.stop().await;
    world.rules(NO_BINDS);
    world.send("m", "hello");
    let started = timeout(seconds(60), world.start()).await;
    assert!(started.is_err(), "it cannot bind");
    assert_eq!(world.bus.waiting(), 1);
}

#[tokio::test(start_paused = true)]
async fn without_a_grace_messages_stay() {
    let world = unbound_with(3, |world| world.config.unbound_grace = None).await;
    sleep(seconds(3_600)).await;
    assert_eq!(world.bus.waiting(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_grace_of_nothing_gives_back_at_once() {
    let world = unbound_with(3, |world| world.config.unbound_grace = Some(Duration::ZERO)).await;
    sleep(Duration::from_millis(100)).await;
    assert_eq!(world.bus.waiting(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_message_of_which_the_smsc_has_a_part_stays_with_the_process_that_sent_it() {
    let rules = "[{ when: { operation: submit_sm, after: 1 }, then: { answer: never } }]";
    let world = World::with(rules, |world| world.config.submit.multipart = MultipartHandling::Udh8).await;
    world.send("long", &"x".repeat(300));
    world.send("short", "hello");
    sleep(seconds(1)).await;
    world.rules(NO_BINDS);
    world.act(json!({"disconnect": "reset"}));
    sleep(seconds(6)).await;
    assert_eq!(world.bus.waiting(), 1, "the short one alone");
    world.rules("[]");
    let mut events = vec![world.event().await, world.event().await];
    events.sort_unstable();
    assert_eq!(events, ["ack long", "ack short"]);
}

#[tokio::test(start_paused = true)]
async fn a_message_that_was_submitted_is_left_to_others_once_and_then_kept() {
    let world = unbound_with(2, |world| world.config.queue.keep_order = KeepOrder::None).await;
    sleep(seconds(6)).await;
    assert_eq!(world.bus.waiting(), 2);
    // Nobody else takes them: they come back here, and are lost again.
    world.rules(SILENT);
    while world.bus.waiting() > 0 {
        sleep(Duration::from_millis(100)).await;
    }
    sleep(seconds(1)).await;
    world.rules(NO_BINDS);
    world.act(json!({"disconnect": "reset"}));
    world.send("new", "hello");
    sleep(seconds(60)).await;
    assert_eq!(world.bus.waiting(), 2, "the new one, and the one that waited until the other had been tried");
}
