//! Binding, ending, and beginning anew.

use serde_json::json;
use smpp_transport::disk::{Disk, Forgetful};
use smpp_transport::outbound::{KeepOrder, MultipartHandling};
use smpp_transport::store::{Embedded, Memory, Store, StoreLimits};
use tokio::task::JoinHandle;

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
    let rules = "[{ when: { operation: submit_sm }, then: { delay: 2s } }]";
    let mut world = World::with(rules, |world| world.config.queue.keep_order = KeepOrder::None).await;
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

#[tokio::test(start_paused = true)]
async fn what_is_handed_out_again_while_it_is_under_way_is_sent_once() {
    let mut world = World::new("[{ when: { operation: submit_sm }, then: { delay: 2s } }]").await;
    let body =
        json!({"to_addr": "27821230001", "from_addr": "1001", "message_id": "m", "content": "hello"}).to_string();
    world.bus.put(body.clone());
    tokio::time::sleep(seconds(1)).await;
    world.bus.put_again(body);
    assert_eq!(world.event().await, "ack m");
    assert!(world.hears_nothing_for(seconds(60)).await, "one ack");
    assert_eq!(world.taken().len(), 1, "sent once");
    world.stop().await;
    assert_eq!(world.bus.waiting(), 0, "both are acknowledged to the bus");
}

#[tokio::test(start_paused = true)]
async fn what_expires_while_the_bus_is_away_does_not_keep_the_transport_busy() {
    let world = World::new("[]").await;
    let ids = world.deliver(json!({"text": "0123456789".repeat(60), "parts": [2]}));
    assert_eq!(world.answers(&ids).await, ["ESME_ROK"]);
    world.bus.set_away(true);
    tokio::time::sleep(seconds(3_600 + 200)).await;
    assert!(world.take_all().is_empty());
    world.bus.set_away(false);
    let message = world.inbound().await;
    assert_eq!(message["transport_metadata"], json!({"smpp": {"missing_parts": [1, 3, 4], "total_parts": 4}}));
    assert!(world.hears_nothing_for(seconds(200)).await, "once");
}

#[tokio::test(start_paused = true)]
async fn parts_that_are_given_up_while_the_bus_is_away_are_told_of_once_it_is_back() {
    let world = World::new("[]").await;
    let first = world.deliver(json!({"text": "a".repeat(200), "reference": 5, "parts": [1]}));
    assert_eq!(world.answers(&first).await, ["ESME_ROK"]);
    world.bus.set_away(true);
    // The same reference for another text: the first will not be whole any more.
    let second = world.deliver(json!({"text": "b".repeat(200), "reference": 5, "parts": [1]}));
    tokio::time::sleep(seconds(100)).await;
    assert!(world.take_all().is_empty());
    world.bus.set_away(false);
    assert_eq!(world.inbound().await["content"], "a".repeat(153));
    assert_eq!(world.answers(&second).await, ["ESME_ROK"]);
    world.deliver(json!({"text": "b".repeat(200), "reference": 5, "parts": [2]}));
    assert_eq!(world.inbound().await["content"], "b".repeat(200));
    assert!(world.hears_nothing_for(seconds(200)).await, "each once");
}

/// A store in a file, and what writes it.
fn in_a_file(disk: &Forgetful) -> (Store, JoinHandle<()>) {
    let (journal, writer) = Disk::forgetful(disk).open().expect("nobody else has it");
    let store = Embedded::open(journal, StoreLimits::default()).expect("it is whole");
    (Store::Embedded(store), tokio::spawn(writer.run()))
}

#[tokio::test(start_paused = true)]
async fn a_receipt_whose_id_has_come_is_told_by_who_comes_after_a_crash() {
    for is_file in [false, true] {
        let rules = "[{ then: { delay: 2s, policy: { receipt: { before_response: true } } } }]";
        let disk = Forgetful::new();
        let file = is_file.then(|| in_a_file(&disk));
        let mut writer = None;
        let mut world = World::with(rules, |world| {
            world.config.submit.registered_delivery.0 = 1;
            if let Some((store, task)) = file {
                world.store = store;
                writer = Some(task);
            }
        })
        .await;
        world.send("m", "hello");
        tokio::time::sleep(seconds(1)).await;
        world.bus.set_away(true);
        tokio::time::sleep(seconds(4)).await;
        assert_eq!(world.taken().len(), 1);
        assert!(world.take_all().is_empty(), "neither ack nor report");
        if let Some(writer) = writer {
            disk.crash();
            writer.abort();
        }
        world.kill().await;
        if is_file {
            // Whoever has it open must be gone.
            world.store = Store::Memory(Memory::new(StoreLimits::default()));
            world.store = in_a_file(&disk).0;
        }
        world.bus.set_away(false);
        world.start().await;
        assert_eq!(
            [world.event().await, world.event().await],
            ["ack m", "delivered m DELIVERED"],
            "in a file: {is_file}"
        );
        assert!(world.hears_nothing_for(seconds(60)).await, "once");
        assert_eq!(world.taken().len(), 1);
    }
}
