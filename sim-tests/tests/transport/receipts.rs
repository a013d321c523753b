//! Receipts find their messages.

use serde_json::json;
use smpp_transport::inbound::IdForms;
use smpp_transport::outbound::MultipartHandling;
use smpp_transport::service::Unmatched;
use smpp_transport::session::BindKind;
use smpp_transport::store::{Memory, Store, StoreLimits};

use crate::world::{World, link, seconds};

#[tokio::test(start_paused = true)]
async fn a_receipt_is_told_as_a_report() {
    for (outcome, form, told) in [
        ("DELIVERED", "both", "delivered m DELIVERED"),
        ("DELIVERED", "text", "delivered m DELIVRD"),
        ("UNDELIVERABLE", "tlvs", "failed m UNDELIVERABLE"),
        ("UNDELIVERABLE", "text", "failed m UNDELIV"),
        ("EXPIRED", "both", "failed m EXPIRED"),
        ("REJECTED", "text", "failed m REJECTD"),
        ("DELETED", "text", "failed m DELETED"),
        ("UNKNOWN", "text", "pending m UNKNOWN"),
        ("ACCEPTED", "text", "pending m ACCEPTD"),
    ] {
        let rules = format!("[{{ then: {{ policy: {{ outcome: {outcome}, receipt: {{ form: {form} }} }} }} }}]");
        let world = World::with(&rules, |world| world.config.submit.registered_delivery.0 = 1).await;
        world.send("m", "hello");
        assert_eq!([world.event().await, world.event().await], ["ack m", told], "{outcome} {form}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_intermediate_receipt_leaves_the_final_one_its_message() {
    let world = World::with("[{ then: { policy: { enroute: 5s } } }]", |world| {
        world.config.submit.registered_delivery.0 = 0x11
    })
    .await;
    world.send("m", "hello");
    let told = [world.event().await, world.event().await, world.event().await];
    assert_eq!(told, ["ack m", "pending m ENROUTE", "delivered m DELIVERED"]);
}

#[tokio::test(start_paused = true)]
async fn a_receipt_before_its_response_waits_for_it() {
    let rules = "[{ then: { delay: 2s, policy: { receipt: { before_response: true } } } }]";
    let world = World::with(rules, |world| world.config.submit.registered_delivery.0 = 1).await;
    world.send("m", "hello");
    assert_eq!([world.event().await, world.event().await], ["ack m", "delivered m DELIVERED"]);
}

#[tokio::test(start_paused = true)]
async fn ids_in_other_forms_are_the_same() {
    for (response, receipt, forms) in [
        ("hexadecimal", "decimal", IdForms::Auto),
        ("hexadecimal", "decimal", IdForms::DecimalReceipts),
        ("decimal", "hexadecimal_padded", IdForms::Auto),
        ("decimal", "hexadecimal_padded", IdForms::HexReceipts),
        ("decimal_padded", "decimal", IdForms::Auto),
        ("hexadecimal", "hexadecimal_upper", IdForms::AsIs),
    ] {
        let rules =
            format!("[{{ then: {{ policy: {{ message_id: {response}, receipt: {{ message_id: {receipt} }} }} }} }}]");
        let world = World::with(&rules, |world| {
            world.config.submit.registered_delivery.0 = 1;
            world.config.inbound.id_forms = forms;
        })
        .await;
        // What is not told has to be learnt, and an SMSC that counts from 1 gives ids that mean something in both forms.
        if forms == IdForms::Auto {
            (0..100).for_each(|number| world.send(&format!("early {number}"), "hello"));
            world.passes_over(seconds(60)).await;
        }
        for number in 0..40 {
            let id = format!("m{number}");
            world.send(&id, "hello");
            assert_eq!(
                [world.event().await, world.event().await],
                [format!("ack {id}"), format!("delivered {id} DELIVERED")],
                "{response} {receipt}"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn receipts_come_on_the_other_half_of_a_pair() {
    let world = World::with("[]", |world| {
        world.links = vec![link(BindKind::Transmitter), link(BindKind::Receiver)];
        world.config.submit.registered_delivery.0 = 1;
    })
    .await;
    world.send("m", "hello");
    assert_eq!([world.event().await, world.event().await], ["ack m", "delivered m DELIVERED"]);
    world.deliver(json!({"text": "hi"}));
    assert_eq!(world.inbound().await["content"], "hi");
}

#[tokio::test(start_paused = true)]
async fn a_message_of_several_parts_has_one_report_or_one_for_each() {
    let timeout = StoreLimits::default().aggregate_timeout;
    for (aggregate_timeout, told) in [(timeout, 1), (None, 3)] {
        let world = World::with("[]", |world| {
            let limits = StoreLimits { aggregate_timeout, ..StoreLimits::default() };
            world.store = Store::Memory(Memory::new(limits));
            world.config.submit.multipart = MultipartHandling::Udh8;
            world.config.submit.registered_delivery.0 = 1;
        })
        .await;
        world.send("m", &"x".repeat(400));
        assert_eq!(world.event().await, "ack m");
        for _ in 0..told {
            assert_eq!(world.event().await, "delivered m DELIVERED");
        }
        assert!(world.hears_nothing_for(seconds(60)).await, "{aggregate_timeout:?}");
    }
    let rules = "[{ when: { part: 2 }, then: { policy: { outcome: UNDELIVERABLE } } }]";
    let world = World::with(rules, |world| {
        world.config.submit.multipart = MultipartHandling::Udh8;
        world.config.submit.registered_delivery.0 = 1;
    })
    .await;
    world.send("m", &"x".repeat(400));
    assert_eq!([world.event().await, world.event().await], ["ack m", "failed m UNDELIVERABLE"]);
    assert!(world.hears_nothing_for(seconds(60)).await);
}

#[tokio::test(start_paused = true)]
async fn receipts_for_nobody_are_counted_and_told_if_asked_for() {
    let receipt = json!({"esm_class": 4, "text": "id:4711 sub:001 dlvrd:001 submit date:2601010000 done date:2601010000 stat:DELIVRD err:000 text:"});
    for (unmatched, hears) in [(Unmatched::Log, false), (Unmatched::Event, true)] {
        let world = World::with("[]", |world| world.config.unmatched = unmatched).await;
        let ids = world.deliver(receipt.clone());
        assert_eq!(world.answers(&ids).await, ["ESME_ROK"]);
        if hears {
            assert_eq!(world.event().await, "delivered 4711 DELIVRD");
        }
        assert!(world.hears_nothing_for(seconds(120)).await);
    }
}

#[tokio::test(start_paused = true)]
async fn a_text_that_looks_like_a_receipt_is_a_message() {
    let world = World::new("[]").await;
    world.send("m", "hello");
    assert_eq!(world.event().await, "ack m");
    let id = world.taken()[0].id.clone();
    let text =
        format!("id:{id} sub:001 dlvrd:001 submit date:2601010000 done date:2601010000 stat:REJECTD err:000 text:lol");
    world.deliver(json!({"text": text}));
    assert_eq!(world.inbound().await["content"], text);
}

#[tokio::test(start_paused = true)]
async fn a_receipt_is_found_after_the_transport_has_begun_anew() {
    let mut world =
        World::with("[{ then: { policy: { enroute: 30s } } }]", |world| world.config.submit.registered_delivery.0 = 1)
            .await;
    world.send("m", "hello");
    assert_eq!(world.event().await, "ack m");
    world.kill().await;
    world.start().await;
    assert_eq!(world.event().await, "delivered m DELIVERED");
}

#[tokio::test(start_paused = true)]
async fn a_receipt_is_read_wherever_its_text_is() {
    for carrier in ["deliver_sm", "payload", "data_sm"] {
        let rules = format!("[{{ then: {{ policy: {{ receipt: {{ form: text, carrier: {carrier} }} }} }} }}]");
        let world = World::with(&rules, |world| world.config.submit.registered_delivery.0 = 1).await;
        world.send("m", "hello");
        assert_eq!([world.event().await, world.event().await], ["ack m", "delivered m DELIVRD"], "{carrier}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_that_was_refused_in_part_is_not_delivered_later() {
    let rules = "[{ when: { operation: submit_sm, part: 2 }, then: { status: ESME_RINVMSGLEN } }]";
    let world = World::with(rules, |world| {
        world.config.submit.multipart = MultipartHandling::Udh8;
        world.config.submit.registered_delivery.0 = 1;
    })
    .await;
    world.send("m", &"x".repeat(400));
    assert_eq!(world.event().await, "nack m: Message Length is invalid");
    assert!(world.hears_nothing_for(seconds(60)).await);
}

#[tokio::test(start_paused = true)]
async fn a_receipt_before_its_response_is_not_taken_for_that_of_another_with_the_same_digits() {
    let rules = "[{ when: { every: 2 }, then: { delay: 2s, policy: { receipt: { before_response: true } } } }]";
    let world = World::with(rules, |world| world.config.submit.registered_delivery.0 = 1).await;
    for number in 0..60 {
        world.send(&format!("m{number}"), "hello");
    }
    let mut told = Vec::new();
    while told.len() < 120 {
        told.push(world.event().await);
    }
    told.sort_unstable();
    told.dedup();
    assert_eq!(told.len(), 120, "each has its own ack and report");
}
