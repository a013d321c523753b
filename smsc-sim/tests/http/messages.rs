//! Guards what is told of messages, and what is made of them.

use serde_json::{Value, json};
use smpp_transport::session::BindKind;

use crate::world::{Api, submit};

fn texts(messages: &Value) -> Vec<&str> {
    messages.as_array().expect("a list").iter().filter_map(|message| message["text"].as_str()).collect()
}

#[tokio::test]
async fn a_message_is_told_of_as_soon_as_it_has_come() {
    let api = Api::start().await;
    let esme = api.esme(BindKind::Transmitter).await;
    let (messages, id) =
        tokio::join!(api.see("messages?to=27820000001&wait=20s"), submit(&esme, "27820000001", "Hello"));
    assert_eq!((texts(&messages), &messages[0]["id"]), (vec!["Hello"], &json!(id)));
    assert_eq!(api.see(&format!("messages/{id}")).await["to"]["address"], "27820000001");
}

#[tokio::test]
async fn as_many_are_waited_for_as_are_asked_for() {
    let api = Api::start().await;
    let esme = api.esme(BindKind::Transmitter).await;
    submit(&esme, "2701", "first").await;
    let second = async {
        // It has been asked by now, or will see both: either way there must be two.
        submit(&esme, "2701", "second").await
    };
    let (messages, _) = tokio::join!(api.see("messages?count=2&wait=20s"), second);
    assert_eq!(texts(&messages), ["first", "second"]);
    assert_eq!(texts(&api.see("messages?count=3&wait=1ms").await).len(), 2, "when the time is up");
}

#[tokio::test]
async fn messages_are_found_by_each_parameter() {
    let api = Api::start().await;
    let esme = api.esme(BindKind::Transmitter).await;
    for (to, text) in [("2701", "first"), ("2702", "second"), ("3103", "third")] {
        submit(&esme, to, text).await;
    }
    for (query, found) in [
        ("to=2701", vec!["first"]),
        ("to=/%5E27/", vec!["first", "second"]),
        ("from=1001&text=ir", vec!["first", "third"]),
        ("text=/d$/", vec!["second", "third"]),
        ("from=1002", vec![]),
        ("system_id=smppclient1&state=DELIVERED&limit=2", vec!["second", "third"]),
        ("newest_first=true&limit=2", vec!["third", "second"]),
        ("after=0&limit=2", vec!["first", "second"]),
        ("after=1", vec!["second", "third"]),
        ("system_id=another", vec![]),
        ("state=REJECTED", vec![]),
        ("operation=submit_multi", vec![]),
        ("operation=submit_sm&to=3103", vec!["third"]),
    ] {
        assert_eq!(texts(&api.see(&format!("messages?{query}")).await), found, "{query}");
    }
}

#[tokio::test]
async fn a_state_is_set_once() {
    let api = Api::start().await;
    api.send("PUT", "rules", r#"[{"then": {"policy": {"outcome": "ENROUTE"}}}]"#).await;
    let esme = api.esme(BindKind::Transceiver).await;
    let id = submit(&esme, "2701", "lost").await;
    let state = format!("messages/{id}/state");
    let set = api.send("POST", &state, r#"{"state": "UNDELIVERABLE", "error": 9}"#).await;
    assert_eq!((&set.json()["state"], &set.json()["error"]), (&json!("UNDELIVERABLE"), &json!(9)));
    api.send("POST", &state, r#"{"state": "DELIVERED"}"#).await.is_refused(409, None, "it cannot become DELIVERED");
    let (wanted, mut receipt) = (json!("accepted"), Value::Null);
    for _ in 0..1000 {
        // The receipt is on its way; each look takes the time of a request.
        receipt = api.see(&format!("messages/{id}")).await["receipts"][0].take();
        if receipt["outcome"] == wanted {
            break;
        }
    }
    assert_eq!((&receipt["state"], &receipt["outcome"]), (&json!("UNDELIVERABLE"), &wanted));
}

#[tokio::test]
async fn a_state_that_cannot_be_is_refused() {
    let api = Api::start().await;
    let esme = api.esme(BindKind::Transmitter).await;
    let id = submit(&esme, "2701", "first").await;
    let state = format!("messages/{id}/state");
    api.send("POST", &state, r#"{"state": "LOST"}"#).await.is_refused(400, Some("state"), "\"LOST\" is no state");
    api.send("POST", &state, r#"{"state": "DELIVERED", "error": 256}"#).await.is_refused(
        400,
        Some("error"),
        "0 to 255",
    );
    api.send("POST", &state, "{}").await.is_refused(400, None, "state");
    let unknown = r#"{"state": "DELIVERED"}"#;
    api.send("POST", "messages/0/state", unknown).await.is_refused(404, None, "there is no message 0");
    api.get("messages/nobody%20has").await.is_refused(404, None, "there is no message nobody has");
}

#[tokio::test]
async fn a_receipt_is_sent_whatever_the_message_asks_for() {
    let api = Api::start().await;
    let esme = api.esme(BindKind::Transmitter).await;
    let id = submit(&esme, "2701", "first").await;
    let (_receiver, mut incoming) = api.esme_with(BindKind::Receiver).await;
    incoming.next().await.expect("the receipt that was asked for").accept();
    let receipt = format!("messages/{id}/receipt");
    let wanted = r#"{"state": "REJECTED", "error": 9, "receipt": {"form": "text"}}"#;
    assert_eq!(api.send("POST", &receipt, wanted).await.status, 200);
    let delivery = incoming.next().await.expect("one more");
    let text = format!("{:?}", delivery.pdu);
    delivery.accept();
    assert!(text.contains("stat:REJECTD err:009"), "{text}");
    let split = r#"{"receipt": {"split": {"octets": 0}}}"#;
    api.send("POST", &receipt, split).await.is_refused(400, Some("receipt.split.octets"), "is 0: 1 to 247");
    api.send("POST", "messages/0/receipt", "").await.is_refused(404, None, "there is no message 0");
}

#[tokio::test]
async fn messages_are_forgotten() {
    let api = Api::start().await;
    let esme = api.esme(BindKind::Transmitter).await;
    submit(&esme, "2701", "first").await;
    assert_eq!(api.delete("messages").await.status, 204);
    assert_eq!(api.see("messages").await, json!([]));
}
