//! What comes twice, too late, or with numbers that are another's.

use serde_json::{Value, json};
use smpp_transport::outbound::{MultipartHandling, OnUnknown};
use smpp_transport::pdu::CommandStatus;
use smpp_transport::store::Store;
use smpp_transport::ussd::{Dialect, SessionKey};

use crate::world::{World, seconds};

#[tokio::test(start_paused = true)]
async fn what_the_smsc_sends_again_within_the_window_is_published_once() {
    let world = World::with("[]", |world| world.config.dedupe_window = Some(seconds(60))).await;
    let texts = ["hello", "hello", "other", "hello"];
    for text in texts {
        let ids = world.deliver(json!({"text": text}));
        assert_eq!(world.answers(&ids).await, ["ESME_ROK"], "it is answered like the first");
    }
    world.deliver(json!({"text": "hello", "from": "27839999999"}));
    let heard = [world.inbound().await, world.inbound().await, world.inbound().await];
    let of = |message: &Value| (message["from_addr"].clone(), message["content"].clone());
    let [first, other] = [json!("27831112222"), json!("27839999999")];
    let expected = [(first.clone(), json!("hello")), (first, json!("other")), (other, json!("hello"))];
    assert_eq!(heard.each_ref().map(of), expected);
    assert!(world.hears_nothing_for(seconds(60)).await);
    assert_eq!(world.metrics().repeated.get(), 2);
    world.deliver(json!({"text": "hello"}));
    assert_eq!(world.inbound().await["content"], "hello", "the window is over");
}

#[tokio::test(start_paused = true)]
async fn without_a_window_what_comes_again_is_published_again() {
    let world = World::new("[]").await;
    for _ in 0..2 {
        world.deliver(json!({"text": "hello"}));
        assert_eq!(world.inbound().await["content"], "hello");
    }
}

#[tokio::test(start_paused = true)]
async fn what_could_not_be_stored_is_not_taken_for_known_when_it_comes_again() {
    let world = World::with("[]", |world| world.config.dedupe_window = Some(seconds(3_600))).await;
    world.bus.set_away(true);
    let twice = [world.deliver(json!({"text": "kept"})), world.deliver(json!({"text": "kept"}))].concat();
    tokio::time::sleep(seconds(60)).await;
    assert!(world.take_all().is_empty());
    world.bus.set_away(false);
    assert_eq!(world.inbound().await["content"], "kept");
    assert_eq!(world.answers(&twice).await, ["ESME_ROK", "ESME_ROK"]);
    assert!(world.hears_nothing_for(seconds(60)).await, "once");
}

#[tokio::test(start_paused = true)]
async fn the_same_answer_twice_in_a_dialogue_is_two_answers() {
    let world = World::with("[]", |world| {
        world.config.dedupe_window = Some(seconds(60));
        world.config.inbound.ussd = Dialect { session: SessionKey::Addresses, ..Dialect::default() };
    })
    .await;
    for _ in 0..2 {
        world.deliver(json!({"text": "1", "ussd": {"service_op": 18}}));
        assert_eq!(world.inbound().await["content"], "1");
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_comes_too_late_is_counted_and_its_id_remembered() {
    let rules = "[{ when: { operation: submit_sm, first: 1 }, then: { delay: 90s } }]";
    let world = World::with(rules, |world| {
        world.config.queue.on_unknown = OnUnknown::Nack;
        world.config.submit.registered_delivery.0 = 1;
    })
    .await;
    world.send("m", "late");
    assert_eq!(world.event().await, "nack m: outcome unknown: no response in time");
    assert_eq!(world.metrics().late.get(), 0);
    assert_eq!(world.event().await, "delivered m DELIVERED", "the receipt finds its message");
    assert_eq!(world.metrics().late.get(), 1);
    world.send("n", "in time");
    assert_eq!([world.event().await, world.event().await], ["ack n", "delivered n DELIVERED"]);
    assert_eq!(world.metrics().late.get(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_session_whose_numbers_are_anothers_ends_and_another_begins() {
    let world = World::new("[]").await;
    let session = |world: &World| world.smsc.sessions().last().map(|session| session.id);
    let before = session(&world);
    tokio::time::sleep(seconds(300)).await;
    assert_eq!(session(&world), before, "while its lease is renewed it goes on");
    let Store::Memory(store) = &world.store else { panic!("the stories have a store in memory") };
    store.lose_numbers();
    tokio::time::sleep(seconds(120)).await;
    let after = session(&world);
    assert!(after.is_some() && after != before, "{before:?} {after:?}");
    assert_eq!(world.smsc.sessions().len(), 1, "the first has unbound");
    world.send("m", "hello");
    assert_eq!(world.event().await, "ack m");
}

#[tokio::test(start_paused = true)]
async fn a_receipt_that_can_never_be_read_is_refused_as_it_is_told_to_be() {
    for (status, answer) in [(None, "ESME_RX_P_APPN"), (Some(CommandStatus::ESME_ROK), "ESME_ROK")] {
        let world = World::with("[]", |world| {
            world.config.undecodable_status = status.unwrap_or(world.config.undecodable_status);
        })
        .await;
        let ids = world.deliver(json!({"text": "no receipt at all", "esm_class": 4}));
        assert_eq!(world.answers(&ids).await, [answer]);
        assert!(world.hears_nothing_for(seconds(60)).await);
    }
}

#[tokio::test(start_paused = true)]
async fn data_sm_is_refused_if_it_is_not_wanted() {
    let world = World::with("[]", |world| world.config.takes_data_sm = false).await;
    let ids = world.deliver(json!({"text": "by data_sm", "data_sm": true}));
    assert_eq!(world.answers(&ids).await, ["ESME_RINVCMDID"]);
    world.deliver(json!({"text": "by deliver_sm"}));
    assert_eq!(world.inbound().await["content"], "by deliver_sm");
}

#[tokio::test(start_paused = true)]
async fn a_throttled_message_outlives_its_session() {
    let rules = "[{ when: { operation: submit_sm, first: 1 }, then: { status: ESME_RTHROTTLED } }]";
    let world = World::with(rules, |world| world.config.queue.throttle.delay = seconds(20)).await;
    world.send("m", "hello");
    tokio::time::sleep(seconds(5)).await;
    world.act(json!({"disconnect": "reset"}));
    world.smsc.wait_for_sessions(None, 1, seconds(60)).await;
    tokio::time::sleep(seconds(5)).await;
    assert!(world.take_all().is_empty(), "the pause lasts over the new session");
    assert_eq!(world.event().await, "ack m");
    assert_eq!(world.taken().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn parts_without_ids_are_accepted_each() {
    let world = World::with("[{ when: { operation: submit_sm }, then: { answer: bare } }]", |world| {
        world.config.submit.multipart = MultipartHandling::Udh8;
    })
    .await;
    world.send("m", &"x".repeat(400));
    assert_eq!(world.event().await, "ack m");
    assert!(world.hears_nothing_for(seconds(120)).await, "once");
    assert_eq!(world.taken().len(), 3);
}
