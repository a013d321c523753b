//! From the SMSC to the bus.

use serde_json::{Value, json};
use smpp_transport::service::Partial;

use crate::world::{World, seconds};

#[tokio::test(start_paused = true)]
async fn a_message_from_a_phone_is_published() {
    let world = World::new("[]").await;
    let ids = world.deliver(json!({"text": "hello vumi"}));
    let message = world.inbound().await;
    assert_eq!(
        (&message["content"], &message["from_addr"], &message["to_addr"]),
        (&json!("hello vumi"), &json!("27831112222"), &json!("1001"))
    );
    let expected = json!({"smpp": {
        "command": "deliver_sm", "esm_class": 0, "data_coding": 0,
        "source_addr_ton": 1, "source_addr_npi": 1, "dest_addr_ton": 1, "dest_addr_npi": 1,
    }});
    assert_eq!((&message["transport_name"], &message["transport_metadata"]), (&json!("smpp"), &expected));
    assert_eq!(world.answers(&ids).await, ["ESME_ROK"]);
    world.deliver(json!({"text": "by data_sm", "data_sm": true}));
    assert_eq!(world.inbound().await["content"], "by data_sm");
}

#[tokio::test(start_paused = true)]
async fn texts_of_every_coding_arrive() {
    let world = World::new("[]").await;
    for (coding, text) in [
        ("gsm7", "hello [1] €"),
        ("latin1", "Größe"),
        ("cyrillic", "Привет"),
        ("hebrew", "שלום"),
        ("jis", "こんにちは"),
        ("korean", "안녕"),
        ("ucs2", "Привет 😀"),
    ] {
        world.deliver(json!({"text": text, "coding": coding}));
        assert_eq!(world.inbound().await["content"], text, "{coding}");
    }
}

#[tokio::test(start_paused = true)]
async fn long_messages_are_joined_whatever_the_order_of_their_parts() {
    let world = World::new("[]").await;
    let text: String = "नमस्ते 😀 [€] ".chars().cycle().take(600).collect();
    for multipart in ["udh8", "udh16", "sar", "payload"] {
        let whole = json!({"text": text, "coding": "ucs2", "multipart": multipart});
        let count = world.deliver(whole.clone()).len();
        assert_eq!(world.inbound().await["content"], text, "{multipart}");
        if count > 1 {
            let mut parts: Vec<usize> = (1..=count).rev().collect();
            parts.insert(1, count);
            let mut shuffled = whole;
            shuffled["parts"] = json!(parts);
            shuffled["reference"] = json!(77);
            let ids = world.deliver(shuffled);
            assert_eq!(world.inbound().await["content"], text, "{multipart} {parts:?}");
            assert!(world.answers(&ids).await.iter().all(|status| status == "ESME_ROK"));
        }
    }
    assert!(world.hears_nothing_for(seconds(10)).await);
}

#[tokio::test(start_paused = true)]
async fn parts_of_two_senders_with_one_reference_do_not_mix() {
    let world = World::new("[]").await;
    let (a, b) = ("a".repeat(200), "b".repeat(200));
    for (from, text, part) in [("2701", &a, 1), ("2702", &b, 1), ("2702", &b, 2), ("2701", &a, 2)] {
        world.deliver(json!({"from": from, "text": text, "reference": 5, "parts": [part]}));
    }
    let heard = [world.inbound().await, world.inbound().await];
    let of = |message: &Value| (message["from_addr"].clone(), message["content"].clone());
    assert_eq!([of(&heard[0]), of(&heard[1])], [(json!("2702"), json!(b)), (json!("2701"), json!(a))]);
}

#[tokio::test(start_paused = true)]
async fn what_never_becomes_whole_is_published_in_parts_with_gaps_or_not_at_all() {
    let text: String = "0123456789".chars().cycle().take(600).collect();
    for (partial, expected) in [
        (Partial::Parts, vec![text[153..306].to_owned(), text[459..].to_owned()]),
        (Partial::Gaps, vec![format!("[…]{}[…]{}", &text[153..306], &text[459..])]),
        (Partial::Drop, vec![]),
    ] {
        let world = World::with("[]", |world| world.config.partial = partial).await;
        world.deliver(json!({"text": text, "parts": [2, 4]}));
        assert!(world.hears_nothing_for(seconds(60)).await);
        tokio::time::sleep(seconds(3_700)).await;
        for content in expected {
            let message = world.inbound().await;
            assert_eq!(message["content"], content);
            assert_eq!(message["transport_metadata"], json!({"smpp": {"missing_parts": [1, 3], "total_parts": 4}}));
        }
        assert!(world.hears_nothing_for(seconds(60)).await);
    }
}

#[tokio::test(start_paused = true)]
async fn a_text_that_begins_like_a_header_keeps_its_first_characters() {
    let world = World::new("[]").await;
    world.deliver(json!({"hex": "050003010201414243", "data_coding": 3}));
    assert_eq!(world.inbound().await["content"], "\u{5}\0\u{3}\u{1}\u{2}\u{1}ABC");
}

#[tokio::test(start_paused = true)]
async fn a_dialogue_goes_both_ways() {
    let world = World::with("[]", |world| {
        let dialect = smpp_transport::ussd::Dialect {
            session: smpp_transport::ussd::SessionKey::ItsSessionInfo,
            ..Default::default()
        };
        world.config.submit.ussd = dialect.clone();
        world.config.inbound.ussd = dialect;
    })
    .await;
    world.deliver(json!({"text": "*120*1#", "ussd": {"service_op": 1, "session": 9}}));
    let new = world.inbound().await;
    assert_eq!((&new["transport_type"], &new["session_event"]), (&json!("ussd"), &json!("new")));
    world.send_as("r", json!({"content": "1. Yes 2. No", "transport_type": "ussd", "session_event": "resume",
        "to_addr": new["from_addr"], "in_reply_to": new["message_id"], "transport_metadata": new["transport_metadata"]}));
    assert_eq!(world.event().await, "ack r");
    let sent = &world.taken()[0];
    let tlv = |tag: u16| sent.tlvs.iter().find(|tlv| tlv.tag == tag).map(|tlv| tlv.hex.clone());
    assert_eq!(
        (sent.service_type.as_str(), tlv(0x0501).as_deref(), tlv(0x1383).as_deref()),
        ("USSD", Some("02"), Some("0900"))
    );
    world.deliver(json!({"text": "bye", "ussd": {"service_op": 18, "session": 9, "sequence": 1, "ends": true}}));
    assert_eq!(world.inbound().await["session_event"], "close");
}

#[tokio::test(start_paused = true)]
async fn while_the_bus_is_away_the_line_lives_and_the_smsc_keeps_what_it_has() {
    let world = World::new("[]").await;
    world.bus.set_away(true);
    let ids = world.deliver(json!({"text": "kept"}));
    tokio::time::sleep(seconds(5)).await;
    world.act(json!("enquire_link"));
    tokio::time::sleep(seconds(1)).await;
    let alive = world.smsc.pdus(0, None, 1_000);
    let is_answer = |octets: &[u8]| octets.get(4..8) == Some(&[0x80, 0, 0, 0x15]);
    assert!(alive.iter().any(|record| is_answer(&record.octets)), "enquire_link is answered");
    tokio::time::sleep(seconds(60)).await;
    assert!(world.metrics().put_off.get() >= 1);
    assert!(world.take_all().is_empty());
    world.bus.set_away(false);
    assert_eq!(world.inbound().await["content"], "kept");
    assert_eq!(world.answers(&ids).await, ["ESME_ROK"]);
    assert!(world.hears_nothing_for(seconds(60)).await, "once");
}
