//! Guards the JSON of messages and events against what vumi2 wrote.

use serde_json::json;

use super::*;

fn stamp() -> Stamp {
    Stamp { id: "0f".repeat(16), at: Duration::from_micros(1_795_370_336_265_016) }
}

/// The bodies that vumi2 wrote or took, by kind.
fn recorded(kind: &str) -> Vec<Value> {
    let lines = include_str!("../../../../fixtures/golden/vumi2-messages.jsonl").lines();
    let lines = lines.map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.filter(|line| line["kind"] == kind).map(|line| line["body"].clone()).collect()
}

fn shape(value: &Value) -> Vec<(String, String)> {
    let kind = |value: &Value| match value {
        Value::Null => "null",
        Value::String(_) => "string",
        Value::Object(_) => "object",
        _ => "other",
    };
    value.as_object().unwrap().iter().map(|(key, value)| (key.clone(), kind(value).to_owned())).collect()
}

#[test]
fn what_vumi2_took_is_taken_and_written_back_as_it_was() {
    let outbound = recorded("outbound");
    assert!(outbound.len() >= 2);
    for body in outbound {
        let message = Message::read(body.to_string().as_bytes(), stamp).unwrap();
        let written: Value = serde_json::from_slice(&message.to_json()).unwrap();
        for (key, value) in body.as_object().unwrap() {
            assert_eq!(&written[key], value, "{key}");
        }
    }
}

#[test]
fn what_we_write_has_the_keys_types_and_order_of_what_vumi2_wrote() {
    let of = |event: &Event| serde_json::from_slice::<Value>(&event.to_json()).unwrap();
    let ack = of(&Event::ack(stamp(), "m"));
    let nack = of(&Event::nack(stamp(), "m", "Throttled"));
    let report = of(&Event::delivery_report(stamp(), "m", DeliveryStatus::Failed, "UNDELIV"));
    let inbound = Message::inbound(stamp(), "smpp", "27831112222".into(), "1001".into(), "hello".into());
    let inbound: Value = serde_json::from_slice(&inbound.to_json()).unwrap();
    for (kind, ours) in [("ack", ack), ("nack", nack), ("delivery_report", report), ("inbound", inbound)] {
        let theirs = recorded(kind);
        assert!(!theirs.is_empty(), "{kind}");
        for theirs in theirs {
            assert_eq!(shape(&ours), shape(&theirs), "{kind}");
            assert_eq!(ours["timestamp"].as_str().unwrap().len(), theirs["timestamp"].as_str().unwrap().len());
            for same in ["message_version", "message_type", "event_type", "transport_type"] {
                assert_eq!(ours[same], theirs[same], "{same}");
            }
        }
    }
}

#[test]
fn times_are_written_in_utc_to_the_microsecond() {
    assert_eq!(timestamp(Duration::from_micros(1_795_370_336_265_016)), "2026-11-22 17:58:56.265016");
}

#[test]
fn the_least_message_has_two_addresses() {
    let message = Message::read(br#"{"to_addr": "1", "from_addr": "2"}"#, stamp).unwrap();
    assert_eq!((message.message_id, message.timestamp.as_str()), (stamp().id, "2026-11-22 17:58:56.265016"));
    assert_eq!((message.content, message.session_event), (None, None));
    let message =
        json!({"to_addr": "1", "from_addr": "2", "session_event": "resume", "helper_metadata": null, "new": 1});
    let message = Message::read(message.to_string().as_bytes(), stamp).unwrap();
    assert_eq!(message.session_event, Some(SessionEvent::Resume));
}

#[test]
fn what_is_no_message_is_refused_in_words_and_with_its_id_if_it_has_one() {
    let refused = |body: &str| Message::read(body.as_bytes(), stamp).unwrap_err();
    for (body, id, words) in [
        ("", None, "EOF while parsing a value at line 1 column 0"),
        ("[]", None, "invalid length 0"),
        ("{} {}", None, "missing field `to_addr`"),
        (
            r#"{"to_addr": 5, "from_addr": "1", "message_id": "m"}"#,
            Some("m"),
            "to_addr: invalid type: integer `5`, expected a string",
        ),
        (r#"{"from_addr": "1", "message_id": "m"}"#, Some("m"), "missing field `to_addr`"),
        (r#"{"to_addr": "2", "from_addr": "1", "message_id": 7}"#, None, "message_id: invalid type: integer `7`"),
        (
            r#"{"to_addr": "2", "from_addr": "1", "session_event": "old", "message_id": "m"}"#,
            Some("m"),
            "session_event: unknown variant `old`, expected one of `new`, `resume`, `close`",
        ),
        (r#"{"to_addr": "2", "from_addr": "1"} x"#, None, "trailing characters"),
    ] {
        let error = refused(body);
        assert_eq!(error.message_id.as_deref(), id, "{body}");
        assert!(error.words.contains(words), "{body}: {error}");
    }
    assert!(refused("\u{fffd}").words.contains("expected value"));
}

#[test]
fn ids_are_those_of_random_uuids_and_the_same_for_the_same_seed() {
    let draw = || Stamp::draw(&mut crate::env::Seed(7).stream("ids", 0), Duration::ZERO).id;
    assert_eq!(draw(), draw());
    assert_eq!((draw().len(), draw().as_bytes()[12]), (32, b'4'));
    assert!(b"89ab".contains(&draw().as_bytes()[16]));
}
