//! Binding, ending, and beginning anew.

use serde_json::json;
use smpp_transport::outbound::MultipartHandling;

use crate::world::{World, seconds};

#[tokio::test(start_paused = true)]
async fn it_binds_again_and_what_was_not_done_is_done() {
    let world = World::new("[{ when: { operation: submit_sm }, then: { delay: 1s } }]").await;
    for round in 0..5 {
        (0..10).for_each(|number| world.send(&format!("m{round}{number}"), "hello"));
        tokio::time::sleep(seconds(1) / 2).await;
        world.act(json!({"disconnect": "reset"}));
        for _ in 0..10 {
            assert!(world.event().await.starts_with("ack"));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_bind_is_tried_again() {
    for status in ["ESME_RALYBND", "ESME_RBINDFAIL", "ESME_RINVPASWD", "ESME_RSYSERR"] {
        let rules = format!("[{{ when: {{ operation: bind, first: 3 }}, then: {{ status: {status} }} }}]");
        let world = World::new(&rules).await;
        world.send("m", "hello");
        assert_eq!(world.event().await, "ack m");
    }
}

#[tokio::test(start_paused = true)]
async fn told_to_end_it_finishes_what_is_outstanding_and_gives_back_the_rest() {
    let mut world = World::new("[{ when: { operation: submit_sm }, then: { delay: 2s } }]").await;
    (0..30).for_each(|number| world.send(&format!("m{number}"), "hello"));
    tokio::time::sleep(seconds(1)).await;
    let took = world.stop().await;
    assert!((1..4).contains(&took.as_secs()), "{took:?}");
    let mut acked = Vec::new();
    for _ in 0..10 {
        acked.push(world.event().await);
    }
    assert_eq!((world.taken().len(), world.bus.waiting()), (10, 20));
    assert!(world.smsc.sessions().is_empty(), "it has unbound");
    world.start().await;
    for _ in 0..20 {
        acked.push(world.event().await);
    }
    acked.sort_unstable();
    acked.dedup();
    assert_eq!((acked.len(), world.taken().len()), (30, 30), "each once");
}

#[tokio::test(start_paused = true)]
async fn told_to_end_it_does_not_wait_for_ever() {
    let mut world = World::new("[{ when: { operation: submit_sm }, then: { answer: never } }]").await;
    world.send("m", "hello");
    tokio::time::sleep(seconds(1)).await;
    let took = world.stop().await;
    assert!(took <= seconds(30), "{took:?}");
    assert_eq!(world.bus.waiting(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_was_accepted_before_a_crash_is_not_sent_again() {
    let mut world = World::with("[]", |world| world.config.submit.multipart = MultipartHandling::Udh8).await;
    // The event cannot be stored: the bus has it only after the crash.
    world.send("m", &"x".repeat(400));
    let taken = |world: &World| world.taken().len();
    while taken(&world) < 3 {
        tokio::task::yield_now().await;
    }
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    let first = world.event().await;
    assert_eq!(first, "ack m");
    // As if the acknowledgement had been lost.
    world.kill().await;
    let body = json!({"to_addr": "27821230001", "from_addr": "1001", "message_id": "m", "content": "x".repeat(400)});
    world.bus.put_again(body.to_string());
    world.start().await;
    while world.event().await != "ack m" {}
    assert_eq!(taken(&world), 3);
}
