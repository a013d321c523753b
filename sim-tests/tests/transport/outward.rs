//! From the bus to the SMSC.

use serde_json::json;
use smpp_transport::bus::Route;
use smpp_transport::outbound::{Coding, KeepOrder, MultipartHandling, OnUnknown, Rate, TooManyParts};
use smpp_transport::pdu::DataCoding;
use smpp_transport::text::{DefaultAlphabet, Repertoire};
use tokio::time::Instant;

use crate::world::{World, seconds};

#[tokio::test(start_paused = true)]
async fn a_message_is_sent_and_its_sender_hears_so() {
    let world = World::new("[]").await;
    world.send("m", "hello");
    let ack = world.published(Route::Event).await;
    assert_eq!(
        (&ack["event_type"], &ack["user_message_id"], &ack["sent_message_id"]),
        (&json!("ack"), &json!("m"), &json!("m"))
    );
    let taken = world.taken();
    assert_eq!(
        (taken.len(), taken[0].text.as_deref(), taken[0].to.address.as_str()),
        (1, Some("hello"), "27821230001")
    );
    assert_eq!((taken[0].from.address.as_str(), taken[0].to.npi, taken[0].registered_delivery), ("1001", 1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_told_in_the_words_of_the_standard() {
    let world = World::new("[{ when: { operation: submit_sm }, then: { status: ESME_RINVDSTADR } }]").await;
    world.send("m", "hello");
    assert_eq!(world.event().await, "nack m: Invalid Dest Addr");
    world.rules("[{ when: { operation: submit_sm }, then: { answer: nack, status: ESME_RSYSERR } }]");
    world.send("n", "hello");
    assert_eq!(world.event().await, "nack n: System Error");
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_sent_is_refused_in_words_and_what_is_no_message_is_kept_apart() {
    let world = World::new("[]").await;
    for (id, fields, words) in [
        (
            "a",
            json!({"to_addr": "1".repeat(21)}),
            "to_addr: \"111111111111111111111\" has 21 characters, allowed are 20",
        ),
        ("b", json!({"content": "😀"}), "content: character '😀'"),
        ("c", json!({"content": "x".repeat(255)}), "content: 255 octets, allowed are 254"),
        ("d", json!({"content": 5}), "content: invalid type: integer `5`"),
        ("e", json!({"to_addr": null}), "to_addr: invalid type: null"),
        (
            "f",
            json!({"transport_metadata": {"smpp": {"priority_flag": 9}}}),
            "transport_metadata.smpp.priority_flag: 9: allowed are 0 to 3",
        ),
    ] {
        world.send_as(id, fields);
        let event = world.event().await;
        assert!(event.starts_with(&format!("nack {id}: {words}")), "{event}");
    }
    for body in ["", "{", "[]", "null", "\u{0}", r#"{"content": "no addresses"}"#] {
        world.bus.put(body);
        world.published(Route::Failed).await;
    }
    assert_eq!(world.metrics().dead_letters.get(), 6);
    world.send("g", "and on it goes");
    assert_eq!(world.event().await, "ack g");
    assert_eq!(world.taken().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn throttled_messages_are_sent_later_and_in_order() {
    let rules = "[{ when: { operation: submit_sm, first: 3 }, then: { status: ESME_RTHROTTLED } },
        { when: { operation: submit_sm, after: 4, first: 1 }, then: { status: ESME_RMSGQFUL } }]";
    let world = World::new(rules).await;
    for number in 0..20 {
        world.send_as(&format!("m{number}"), json!({"content": number.to_string(), "to_addr": "27821230001"}));
    }
    let mut acked = Vec::new();
    while acked.len() < 20 {
        acked.push(world.event().await);
    }
    assert!(acked.iter().all(|event| event.starts_with("ack")), "{acked:?}");
    assert_eq!(world.taken().len(), 20);
}

#[tokio::test(start_paused = true)]
async fn strict_order_is_kept_through_throttling() {
    let rules = "[{ when: { operation: submit_sm, every: 3 }, then: { status: ESME_RTHROTTLED } }]";
    let world = World::with(rules, |world| world.config.queue.keep_order = KeepOrder::Strict).await;
    (0..10).for_each(|number| world.send(&format!("m{number}"), &number.to_string()));
    for number in 0..10 {
        assert_eq!(world.event().await, format!("ack m{number}"));
    }
    let texts: Vec<_> = world.taken().into_iter().map(|message| message.text.unwrap()).collect();
    assert_eq!(texts, (0..10).map(|number| number.to_string()).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn a_rate_is_held_in_parts() {
    let world = World::with("[]", |world| {
        world.config.queue.rate = Some(Rate { per_second: 10.0, burst: 1.0 });
        world.config.submit.multipart = MultipartHandling::Udh8;
    })
    .await;
    let start = Instant::now();
    for number in 0..10 {
        world.send(&format!("m{number}"), &"x".repeat(400));
    }
    for _ in 0..10 {
        world.event().await;
    }
    let took = start.elapsed().as_millis();
    assert!((2_900..=3_100).contains(&took), "30 parts took {took} ms");
}

#[tokio::test(start_paused = true)]
async fn an_outcome_that_nobody_knows_is_tried_again_or_told() {
    let rules = "[{ when: { operation: submit_sm, first: 1 }, then: { answer: never } }]";
    let world = World::new(rules).await;
    world.send("m", "twice");
    assert_eq!(world.event().await, "ack m");
    assert_eq!(world.taken().len(), 2, "the SMSC had it the first time");
    let world = World::with(rules, |world| world.config.queue.on_unknown = OnUnknown::Nack).await;
    world.send("m", "once");
    assert_eq!(world.event().await, "nack m: outcome unknown: no response in time");
    assert_eq!(world.taken().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn lost_answers_do_not_stop_it() {
    let rules = "[{ when: { operation: submit_sm, chance: 0.2 }, then: { answer: never } }]";
    let world = World::new(rules).await;
    (0..100).for_each(|number| world.send(&format!("m{number}"), "hello"));
    for _ in 0..100 {
        assert!(world.event().await.starts_with("ack"));
    }
}

#[tokio::test(start_paused = true)]
async fn the_end_of_a_text_is_left_out_and_its_sender_hears_so() {
    let world = World::with("[]", |world| {
        world.config.submit.multipart = MultipartHandling::Udh8;
        world.config.submit.parts_max = 2;
        world.config.submit.too_many_parts = TooManyParts::Truncate;
    })
    .await;
    world.send("m", &"x".repeat(400));
    let event = world.published(Route::Event).await;
    let metadata = &event["transport_metadata"];
    assert_eq!((&event["event_type"], &metadata["smpp_characters_left_out"]), (&json!("ack"), &json!(94)));
    assert_eq!(metadata["smpp"]["message_ids"].as_array().map(Vec::len), Some(2));
    assert_eq!(world.taken().last().unwrap().whole_text.as_deref(), Some("x".repeat(306).as_str()));
    world.send("n", "short");
    let short = world.published(Route::Event).await;
    assert_eq!(short["transport_metadata"].get("smpp_characters_left_out"), None);
}

#[tokio::test(start_paused = true)]
async fn one_part_that_is_refused_refuses_the_message() {
    let rules = "[{ when: { operation: submit_sm, part: 2 }, then: { status: ESME_RINVMSGLEN } }]";
    let world = World::with(rules, |world| world.config.submit.multipart = MultipartHandling::Udh8).await;
    world.send("m", &"x".repeat(400));
    assert_eq!(world.event().await, "nack m: Message Length is invalid");
    world.send("n", "short");
    assert_eq!(world.event().await, "ack n");
}

/// A text of each script, with pairs that must not be cut.
const SCRIPTS: [(&str, &str); 9] = [
    ("GSM", "The {quick} [brown] fox €5 ~ \\ "),
    ("Turkish", "Işıklı ğüzel şöför İstanbul "),
    ("Hindi", "नमस्ते दुनिया, कैसे हैं आप? "),
    ("Cyrillic", "Съешь ещё этих мягких булок "),
    ("Hebrew", "שלום עולם מה שלומך "),
    ("Japanese", "こんにちは世界、お元気ですか "),
    ("Korean", "안녕하세요 세계 "),
    ("Emoji", "👩‍👩‍👧‍👦 family 🇿🇦 flag 😀 "),
    ("Latin", "Größe façade señor à bientôt "),
];

fn auto() -> Coding {
    let languages = vec![smpp_transport::text::Language::TURKISH, smpp_transport::text::Language::HINDI];
    Coding::Auto(Repertoire { default: DefaultAlphabet::Gsm7, languages, latin1: true })
}

#[tokio::test(start_paused = true)]
async fn long_texts_of_every_script_arrive_whole_however_they_are_sent() {
    for multipart in
        [MultipartHandling::Udh8, MultipartHandling::Udh16, MultipartHandling::Sar, MultipartHandling::Payload]
    {
        for coding in [Coding::Fixed(DataCoding::UCS2, DefaultAlphabet::Gsm7), auto()] {
            let world = World::with("[]", |world| {
                world.config.submit.multipart = multipart;
                world.config.submit.coding = coding.clone();
            })
            .await;
            for (script, sample) in SCRIPTS {
                for length in [1, 70, 160, 300, 600] {
                    let text: String = sample.chars().cycle().take(length).collect();
                    // National tables need a header, which the simulator's text does not lack.
                    world.smsc.forget_messages();
                    world.send("m", &text);
                    let event = world.event().await;
                    if event.starts_with("nack") {
                        assert!(
                            event.contains("national") && multipart != MultipartHandling::Udh8,
                            "{script} {multipart:?}: {event}"
                        );
                        continue;
                    }
                    let taken = world.taken();
                    let last = taken.last().unwrap();
                    let whole = last.whole_text.clone().or(last.text.clone());
                    assert_eq!(whole.as_deref(), Some(text.as_str()), "{script} {length} {multipart:?} {coding:?}");
                    while !world.hears_nothing_for(seconds(1)).await {}
                }
            }
        }
    }
}
