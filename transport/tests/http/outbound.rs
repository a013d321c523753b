//! Messages to be sent.

use serde_json::json;

use super::*;

#[tokio::test]
async fn a_message_is_completed_and_accepted_once_it_is_on_disk() {
    let mut server = Server::start().await;
    let syncs = server.disk.syncs();
    let accepted = server.post("/outbound", &message("héllo")).await;
    assert_eq!(accepted.status, 202);
    assert!(server.disk.syncs() > syncs);
    let sent = accepted.json();
    let id = sent["message_id"].as_str().unwrap();
    assert!(id.len() == 32 && id.bytes().all(|octet| octet.is_ascii_hexdigit()), "{id}");
    assert_eq!(sent["transport_name"], "smpp_transport");
    assert_eq!(sent["timestamp"], "2025-11-22 17:58:56.265016");
    assert_eq!(sent["content"], "héllo");
    let delivery = timeout(LONG, server.bus.outbound.next()).await.unwrap().unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&delivery.body).unwrap(), sent);
    delivery.ack();
    let other = server.post("/outbound", &message("again")).await.json();
    assert_ne!(other["message_id"], sent["message_id"]);
}

#[tokio::test]
async fn what_a_message_brings_along_is_kept() {
    let server = Server::start().await;
    let asked = json!({
        "to_addr": "2", "from_addr": "", "content": "", "message_id": "mine", "transport_name": "smpp_transport",
        "session_event": "resume", "transport_metadata": { "a": [1] }, "provider": "P", "unknown": 1,
    });
    let sent = server.post("/outbound", &asked.to_string()).await.json();
    for key in ["to_addr", "from_addr", "content", "message_id", "session_event", "transport_metadata", "provider"] {
        assert_eq!(sent[key], asked[key], "{key}");
    }
    assert!(sent.get("unknown").is_none());
}

#[tokio::test]
async fn a_list_is_accepted_whole_and_in_order() {
    let mut server = Server::start().await;
    let list = format!("[{}]", (0..1_000).map(|n| message(&n.to_string())).collect::<Vec<_>>().join(","));
    let accepted = server.post("/outbound", &list).await;
    assert_eq!(accepted.status, 202);
    let sent = accepted.json();
    assert_eq!((sent.as_array().unwrap().len(), server.queue.waiting()), (1_000, 1_000));
    for number in 0..10 {
        let delivery = timeout(LONG, server.bus.outbound.next()).await.unwrap().unwrap();
        let body: Value = serde_json::from_slice(&delivery.body).unwrap();
        assert_eq!((&body["content"], &body), (&json!(number.to_string()), &sent[number]));
    }
}

#[tokio::test]
async fn what_is_wrong_is_named_with_its_value_and_what_is_allowed() {
    let server = Server::start().await;
    let cases = [
        (r#"{"from_addr": "1", "content": ""}"#, "to_addr", "to_addr is missing: a string is needed"),
        (r#"{"to_addr": "1", "content": ""}"#, "from_addr", "from_addr is missing"),
        (r#"{"to_addr": "1", "from_addr": "2"}"#, "content", "content is missing"),
        (r#"{"to_addr": 27, "from_addr": "2", "content": ""}"#, "to_addr", "to_addr is 27: a string is allowed"),
        (r#"{"to_addr": "1", "from_addr": "2", "content": null}"#, "content", "content is null: a string"),
        (r#"{"to_addr": "", "from_addr": "2", "content": ""}"#, "to_addr", "to_addr is \"\": 1 to 255 characters"),
        (
            r#"{"to_addr": "1", "from_addr": "2", "content": "", "session_event": "maybe"}"#,
            "session_event",
            "session_event is \"maybe\": unknown variant `maybe`, expected one of `new`, `resume`, `close`",
        ),
        (
            r#"{"to_addr": "1", "from_addr": "2", "content": "", "transport_name": "other"}"#,
            "transport_name",
            "transport_name is \"other\": \"smpp_transport\" is allowed",
        ),
    ];
    for (body, field, words) in cases {
        server.post("/outbound", body).await.assert_refused(422, Some(field), words);
        let list = format!("[{}, {body}]", message("fine"));
        let field = format!("[1].{field}");
        server.post("/outbound", &list).await.assert_refused(422, Some(&field), &field);
    }
    server.post("/outbound", "\"text\"").await.assert_refused(422, None, "an object with to_addr, from_addr");
    server.post("/outbound", "[]").await.assert_refused(422, None, "the list has 0 messages: 1 to 1000 are allowed");
    let too_many = format!("[{}1]", "1,".repeat(1_000));
    server.post("/outbound", &too_many).await.assert_refused(422, None, "the list has 1001 messages");
    server.post("/outbound", "{\"to_addr\":").await.assert_refused(400, None, "the body is no JSON: EOF");
    server.post("/outbound", "").await.assert_refused(400, None, "the body is no JSON: EOF");
    assert_eq!(server.queue.waiting(), 0, "nothing of it was taken");
}

#[tokio::test]
async fn a_body_has_a_type_and_a_limit() {
    let server = Server::start().await;
    let form = server.post_with("/outbound", "Content-Type: text/plain\r\n", &message("")).await;
    form.assert_refused(415, Some("Content-Type"), "Content-Type is \"text/plain\": application/json is allowed");
    let typed = server.post_with("/outbound", "Content-Type: Application/JSON; charset=utf-8\r\n", &message("")).await;
    assert_eq!(typed.status, 202);
    assert_eq!(server.post_with("/outbound", "", &message("")).await.status, 202);
    let host = server.address;
    let announced = format!("POST /outbound HTTP/1.1\r\nHost: {host}\r\nContent-Length: 4194305\r\n\r\n");
    server.ask(&announced).await.assert_refused(413, None, "at most 4194304 octets are allowed");
    let chunk = format!("{:x}\r\n{}\r\n", 1 << 20, "x".repeat(1 << 20));
    let head = format!("POST /outbound HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding: chunked\r\n\r\n");
    let chunked = head + &chunk.repeat(4) + "1\r\nx\r\n";
    server.ask(&chunked).await.assert_refused(413, None, "at most 4194304 octets are allowed");
}

#[tokio::test]
async fn a_full_queue_and_a_full_disk_are_over_some_time() {
    let server = Server::with(Config { outbound_max: 2, ..Config::default() }, |_| {}).await;
    let three = format!("[{0},{0},{0}]", message(""));
    let full = server.post("/outbound", &three).await;
    full.assert_refused(503, None, "the message is not taken: 0 messages wait to be sent, and at most 2 may");
    assert_eq!(header(&full.head, "retry-after"), Some("1"));
    let small = Server::with(Config { outbound_octets_max: 10, ..Config::default() }, |_| {}).await;
    let full = small.post("/outbound", &message("")).await;
    full.assert_refused(507, None, "the message is not taken: 0 octets wait to be sent, and data_octets_max allows 10");
    assert_eq!(header(&full.head, "retry-after"), Some("1"));
    server.disk.fill(true);
    let full = server.post("/outbound", &message("")).await;
    full.assert_refused(503, None, "transport.redb cannot be used: no space left on device");
    server.get("/inbound").await.assert_refused(503, None, "nothing can be read: transport.redb");
    server.disk.fill(false);
    let taken = async {
        while server.post("/outbound", &message("")).await.status != 202 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(LONG, taken).await.expect("there is room again");
}

fn with_id(id: &str, content: &str) -> String {
    json!({"to_addr": "2", "from_addr": "1", "content": content, "message_id": id}).to_string()
}

#[tokio::test]
async fn a_message_that_is_posted_again_is_stored_once_and_answered_alike() {
    let server = Server::start().await;
    for round in 0..3 {
        let accepted = server.post("/outbound", &with_id("mine", "hi")).await;
        assert_eq!((accepted.status, &accepted.json()["message_id"]), (202, &json!("mine")), "{round}");
    }
    assert_eq!(server.queue.waiting(), 1);
    for other in [with_id("mine", "other"), with_id("mine", "hi").replace("\"2\"", "\"3\"")] {
        server.post("/outbound", &other).await.assert_refused(409, Some("message_id"), "another message with this id");
    }
    // A list has some that are new.
    let list = format!("[{},{},{},{}]", with_id("mine", "hi"), with_id("b", "1"), with_id("b", "1"), with_id("c", "2"));
    let accepted = server.post("/outbound", &list).await;
    assert_eq!((accepted.status, accepted.json().as_array().unwrap().len()), (202, 4));
    assert_eq!(server.queue.waiting(), 3);
    let list = format!("[{},{}]", with_id("d", "1"), with_id("b", "other"));
    server.post("/outbound", &list).await.assert_refused(409, Some("[1].message_id"), "another message with this id");
    assert_eq!(server.post("/outbound", &with_id("d", "2")).await.status, 202, "nothing of the list was taken");
    // Messages without an id of their own are messages of their own.
    for _ in 0..2 {
        assert_eq!(server.post("/outbound", &message("same")).await.status, 202);
    }
    assert_eq!(server.queue.waiting(), 6);
}

#[tokio::test]
async fn a_message_that_could_not_be_stored_may_be_posted_again() {
    let server = Server::start().await;
    server.disk.fill(true);
    assert_eq!(server.post("/outbound", &with_id("mine", "hi")).await.status, 503);
    server.disk.fill(false);
    let taken = async {
        while server.post("/outbound", &with_id("mine", "hi")).await.status != 202 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(LONG, taken).await.expect("there is room again");
    assert_eq!(server.queue.waiting(), 1);
}
