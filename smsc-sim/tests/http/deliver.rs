//! Guards what is sent to ESMEs.

use serde_json::json;
use smpp_transport::pdu::{Body, CommandStatus};
use smpp_transport::session::BindKind;

use crate::world::Api;

#[tokio::test]
async fn a_message_is_delivered_and_what_the_esme_answered_is_told() {
    let api = Api::start().await;
    let (_esme, mut incoming) = api.esme_with(BindKind::Receiver).await;
    let esme = async {
        let delivery = incoming.next().await.expect("it comes");
        let is_as_told = matches!(&delivery.pdu.body, Body::DeliverSm(sm)
            if sm.source_addr.text() == "27820000001" && sm.short_message.as_bytes() == b"Hi" && sm.destination_addr.text() == "27821");
        delivery.refuse(CommandStatus::ESME_RINVDSTADR);
        is_as_told
    };
    let mo = r#"{"from": "27820000001", "to": 27821, "text": "Hi"}"#;
    let (sent, is_as_told) = tokio::join!(api.send("POST", "deliver?wait=20s", mo), esme);
    assert!(is_as_told, "a number is an address too");
    let delivery = &sent.json()[0];
    assert_eq!(sent.status, 201);
    assert_eq!((&delivery["state"], &delivery["status"]), (&json!("refused"), &json!("ESME_RINVDSTADR")), "{delivery}");
    assert_eq!(&api.see(&format!("deliveries/{}", delivery["id"])).await, delivery);
}

#[tokio::test]
async fn without_a_wait_it_is_not_waited_for() {
    let api = Api::start().await;
    let sent = api.send("POST", "deliver", r#"{"from": "1", "to": "2", "text": "😀"}"#).await;
    assert_eq!((sent.status, &sent.json()[0]["state"]), (201, &json!("waiting")), "nobody is bound");
    let path = format!("deliveries/{}?wait=20s", sent.json()[0]["id"]);
    let (told, _esme) = tokio::join!(api.see(&path), api.esme(BindKind::Receiver));
    assert_eq!(told["state"], "accepted", "as soon as somebody has taken it");
}

#[tokio::test]
async fn a_long_message_is_told_of_by_parts() {
    let api = Api::start().await;
    let body = json!({ "from": "1", "to": "2", "text": "a".repeat(200), "parts": [2, 1] });
    assert_eq!(api.send("POST", "deliver", body).await.json().as_array().map(Vec::len), Some(2));
}

#[tokio::test]
async fn fields_that_cannot_be_are_refused_by_name() {
    let api = Api::start().await;
    for (body, field, words) in [
        (r#"{"from": "123456789012345678901"}"#, "from", "123456789012345678901"),
        (r#"{"text": "a", "hex": "00"}"#, "hex", "one of them is allowed"),
        (r#"{"session": 7}"#, "session", "none of that number is bound"),
        (r#"{"account": "nobody"}"#, "account", "there are smppclient1"),
        (r#"{"rate": 1e-300}"#, "rate", "0.001"),
        (r#"{"count": 1000000}"#, "count", "1 to 100000 is allowed"),
        (r#"{"ussd": {"service_op": 256}}"#, "ussd.service_op", "0 to 255 is allowed"),
        (r#"{"coding": "ebcdic"}"#, "coding", "unknown variant `ebcdic`"),
        (r#"{"txt": "a"}"#, "txt", "unknown field `txt`"),
    ] {
        api.send("POST", "deliver", body).await.is_refused(400, Some(field), words);
    }
    let long = json!({ "text": "a".repeat(300), "count": 50_001 });
    api.send("POST", "deliver", long).await.is_refused(400, Some("count"), "100000 parts in all are allowed");
    api.get("deliveries/1").await.is_refused(404, None, "there is no delivery 1");
}

#[tokio::test]
async fn an_alert_goes_to_who_receives() {
    let api = Api::start().await;
    let alert = r#"{"from": "27820000001", "status": 0}"#;
    api.send("POST", "alert", alert).await.is_refused(409, None, "no session that may have it");
    let _transmitter = api.esme(BindKind::Transmitter).await;
    api.send("POST", "alert", alert).await.is_refused(409, None, "no session that may have it");
    let _receiver = api.esme(BindKind::Receiver).await;
    assert_eq!(api.send("POST", "alert", alert).await.status, 204);
    let alerts = api.see("pdus?command=alert_notification&wait=20s").await;
    assert_eq!((&alerts[0]["session"], &alerts[0]["fields"]["source_addr"]), (&json!(2), &json!("27820000001")));
    let long = json!({ "from": "1".repeat(65) });
    api.send("POST", "alert", long).await.is_refused(400, Some("from"), "is no address");
}
