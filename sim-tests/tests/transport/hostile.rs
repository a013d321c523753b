//! An SMSC that does what it should not.

use serde_json::json;
use smsc_sim::rules::Malformed;

use crate::world::{World, seconds};

/// After what has happened the transport goes on: a message goes out, and one comes in.
async fn goes_on(world: &World) {
    world.rules("[]");
    let id = format!("m{}", world.taken().len());
    world.send(&id, "hello");
    loop {
        let event = world.event().await;
        if event == format!("ack {id}") {
            break;
        }
    }
    world.smsc.wait_for_sessions(None, 1, seconds(300)).await;
    // A session that has fallen silent for ever may still be there.
    let session = world.smsc.sessions().last().map(|session| session.id);
    world.deliver(json!({"text": "and back", "session": session}));
    while world.inbound().await["content"] != "and back" {}
}

#[tokio::test(start_paused = true)]
async fn answers_that_nobody_waits_for_are_passed_over() {
    for answer in ["twice", "wrong_type", "wrong_number", "bare"] {
        let world =
            World::new(&format!("[{{ when: {{ operation: submit_sm, first: 2 }}, then: {{ answer: {answer} }} }}]"))
                .await;
        for id in ["a", "b"] {
            world.send(id, "hello");
        }
        for _ in 0..2 {
            assert!(world.event().await.starts_with("ack"), "{answer}");
        }
        goes_on(&world).await;
    }
}

#[tokio::test(start_paused = true)]
async fn steps_that_no_smsc_should_take_do_not_end_it() {
    for step in [
        json!("unknown_response"),
        json!("wrong_response"),
        json!({"generic_nack": "ESME_RINVCMDID"}),
        json!("unbind"),
        json!({"disconnect": "close"}),
        json!({"disconnect": "reset"}),
        json!({"silence": "200s"}),
        json!({"pace": {"octets": 1, "pause": "1ms"}}),
        json!("enquire_link"),
        json!({"raw": "00000010 00010200 00000000 00000007"}),
        json!({"raw": "00000010 00000111 00000000 00000008"}),
        json!({"raw": "00000010 80000015 00000008 00000001"}),
        json!({"raw": "ffffffff"}),
    ] {
        let world = World::new("[]").await;
        world.act(step.clone());
        tokio::time::sleep(seconds(1)).await;
        goes_on(&world).await;
    }
}

#[tokio::test(start_paused = true)]
async fn every_malformed_pdu_is_survived() {
    for malformed in Malformed::ALL {
        let world = World::new("[]").await;
        world.act(json!({"malformed": malformed}));
        tokio::time::sleep(seconds(1)).await;
        goes_on(&world).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_success_without_a_body_is_an_outcome_that_nobody_knows_or_a_success() {
    let world = World::new("[{ when: { operation: submit_sm, first: 1 }, then: { answer: bare } }]").await;
    world.send("m", "hello");
    assert_eq!(world.event().await, "ack m");
    goes_on(&world).await;
}

#[tokio::test(start_paused = true)]
async fn odd_messages_from_phones_arrive_somehow() {
    let world = World::new("[]").await;
    for mo in [
        json!({"hex": "00ff80", "data_coding": 4}),
        json!({"hex": "00ff80", "data_coding": 2}),
        json!({"hex": "48656c6c6f", "data_coding": 0xF0}),
        json!({"hex": "48656c6c6f", "data_coding": 0xC8}),
        json!({"hex": "c3a9", "data_coding": 0}),
        json!({"hex": "411b", "data_coding": 0}),
        json!({"hex": "1b41", "data_coding": 0}),
        json!({"hex": "004800", "data_coding": 8}),
        json!({"hex": "d83d", "data_coding": 8}),
        json!({"hex": "", "data_coding": 0}),
        json!({"text": "x", "from_ton": 7, "from_npi": 19, "esm_class": 0x3C}),
        json!({"text": "x", "tlvs": [{"tag": 13, "hex": "01"}, {"tag": 0x1401, "hex": "00"}]}),
        json!({"text": "x", "ussd": {"service_op": 1}}),
        json!({"hex": "0004c0", "udh": "0500c3", "data_coding": 0}),
    ] {
        let ids = world.deliver(mo.clone());
        assert_eq!(world.answers(&ids).await, ["ESME_ROK"], "{mo}");
        assert!(world.inbound().await["content"].is_string(), "{mo}");
    }
    goes_on(&world).await;
}

#[tokio::test(start_paused = true)]
async fn a_message_with_fields_that_it_should_not_have_filled_in_arrives() {
    let world = World::new("[]").await;
    let sm = smpp_transport::pdu::Sm {
        source_addr: "27831112222".parse().unwrap(),
        destination_addr: "1001".parse().unwrap(),
        schedule_delivery_time: "261123100000000+".parse().unwrap(),
        validity_period: "000001000000000R".parse().unwrap(),
        priority_flag: 7,
        replace_if_present_flag: 1,
        sm_default_msg_id: 9,
        short_message: smpp_transport::pdu::ShortMessage::new("hi").unwrap(),
        ..Default::default()
    };
    let body = smpp_transport::pdu::Body::DeliverSm(sm);
    let pdu = smpp_transport::pdu::Pdu::new(smpp_transport::pdu::CommandStatus::ESME_ROK, 0x4000_0001, body);
    world.act(json!({"raw": smpp_transport::pdu::json::hex(&pdu.to_octets())}));
    assert_eq!(world.inbound().await["content"], "hi");
    goes_on(&world).await;
}

#[tokio::test(start_paused = true)]
async fn a_dead_line_is_found_and_messages_go_on() {
    let world = World::new("[]").await;
    world.act(json!({"silence": "forever"}));
    world.send("m", "into the void");
    tokio::time::sleep(seconds(130)).await;
    assert_eq!(world.event().await, "ack m");
    goes_on(&world).await;
}
