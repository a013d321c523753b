//! What was published: pages, and server-sent events.

use serde_json::json;
use smpp_transport::bus::Route;

use super::*;

impl Server {
    async fn publish(&self, route: Route, body: &Value) {
        self.bus.publisher.publish(route, json_bytes(body)).await.unwrap();
    }
}

/// Server-sent events, as they come.
struct Follower {
    stream: TcpStream,
    octets: Vec<u8>,
}

impl Follower {
    async fn start(server: &Server, path: &str, headers: &str) -> Follower {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        let address = server.address;
        let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nAccept: text/event-stream\r\n{headers}\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut follower = Follower { stream, octets: Vec::new() };
        let head = follower.until("\r\n\r\n").await;
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
        assert_eq!(header(&head, "content-type"), Some("text/event-stream"));
        follower
    }

    async fn until(&mut self, end: &str) -> String {
        loop {
            let found = self.octets.windows(end.len()).position(|octets| octets == end.as_bytes());
            if let Some(at) = found {
                let text = self.octets.drain(..at + end.len()).collect();
                return String::from_utf8(text).unwrap();
            }
            let read = timeout(LONG, self.stream.read_buf(&mut self.octets)).await.expect("nothing comes").unwrap();
            assert!(read > 0, "cut off");
        }
    }

    /// The next event's id and what it holds.
    async fn event(&mut self) -> (u64, Value) {
        let text = self.until("\n\n").await;
        let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        (field("id: ").parse().unwrap(), serde_json::from_str(field("data: ")).unwrap())
    }
}

#[tokio::test]
async fn a_page_has_what_came_after_an_offset() {
    let server = Server::start().await;
    for number in 0..5 {
        server.publish(Route::Inbound, &json!({ "content": number })).await;
    }
    server.publish(Route::Event, &json!({ "event_type": "ack" })).await;
    let page = server.get("/inbound?after=2&limit=2").await;
    let messages = json!([{ "offset": 3, "content": 2 }, { "offset": 4, "content": 3 }]);
    assert_eq!((page.status, page.json()), (200, json!({ "messages": messages, "next": 4 })));
    assert_eq!(server.get("/inbound").await.json()["messages"].as_array().unwrap().len(), 5);
    assert_eq!(server.get("/inbound?after=5").await.json(), json!({ "messages": [], "next": 5 }));
    let events = server.get("/events").await.json();
    assert_eq!(events, json!({ "events": [{ "offset": 1, "event_type": "ack" }], "next": 1 }));
}

#[tokio::test]
async fn a_page_waits_for_something_and_no_longer_than_asked() {
    let server = Server::start().await;
    let (page, ()) = tokio::join!(server.get("/events?wait=30s"), async {
        // Only then can it be said to have waited.
        tokio::time::sleep(Duration::from_millis(50)).await;
        server.publish(Route::Event, &json!({ "n": 1 })).await;
    });
    assert_eq!(page.json()["next"], 1);
    assert_eq!(server.get("/events?after=1&wait=1ms").await.json(), json!({ "events": [], "next": 1 }));
}

#[tokio::test]
async fn what_is_wrong_with_a_parameter_is_said() {
    let server = Server::start().await;
    let cases = [
        ("after=-1", "after", "after is \"-1\": an offset"),
        ("limit=0", "limit", "limit is \"0\": 1 to 1000 is allowed"),
        ("limit=1001", "limit", "limit is \"1001\": 1 to 1000 is allowed"),
        ("wait=2h", "wait", "wait is \"2h\": a time up to 60s"),
        ("offset=1", "offset", "there is no parameter \"offset\": after, limit and wait are allowed"),
    ];
    for (query, field, words) in cases {
        server.get(&format!("/inbound?{query}")).await.assert_refused(400, Some(field), words);
    }
}

#[tokio::test]
async fn dead_letters_are_shown_with_their_reason_whatever_they_are() {
    let mut server = Server::start().await;
    for body in [&b"{\"to\": 1}"[..], b"\xFFno"] {
        server.queue.put(body).await.unwrap();
        let delivery = timeout(LONG, server.bus.outbound.next()).await.unwrap().unwrap();
        delivery.dead_letter("to_addr is missing");
    }
    let page = server.get("/failed?limit=1&wait=30s").await.json();
    let first = json!({
        "offset": 1, "timestamp": "2025-11-22 17:58:56.265016", "reason": "to_addr is missing", "body": { "to": 1 },
    });
    assert_eq!(page, json!({ "messages": [first], "next": 1 }));
    let page = server.get("/failed?after=1&wait=30s").await.json();
    assert_eq!(page["messages"][0]["body"], "\u{FFFD}no");
}

#[tokio::test]
async fn events_are_sent_as_they_come_and_gone_on_with_where_one_left_off() {
    let server = Server::start().await;
    for number in 1..=3 {
        server.publish(Route::Event, &json!({ "n": number })).await;
    }
    let mut follower = Follower::start(&server, "/events?after=1", "").await;
    assert_eq!(follower.event().await, (2, json!({ "offset": 2, "n": 2 })));
    assert_eq!(follower.event().await, (3, json!({ "offset": 3, "n": 3 })));
    server.publish(Route::Event, &json!({ "n": 4 })).await;
    assert_eq!(follower.event().await.0, 4);
    // The address says where one began, the header where one is.
    let mut again = Follower::start(&server, "/events?after=0", "Last-Event-ID: 3\r\n").await;
    assert_eq!(again.event().await.0, 4);
    let mut from_now_on = Follower::start(&server, "/events", "").await;
    server.publish(Route::Event, &json!({ "n": 5 })).await;
    assert_eq!(from_now_on.event().await.0, 5);
    assert_eq!(follower.event().await.0, 5);
}

#[tokio::test]
async fn a_wrong_event_id_is_refused() {
    let server = Server::start().await;
    let host = server.address;
    let request = format!("GET /events HTTP/1.1\r\nHost: {host}\r\nLast-Event-ID: last\r\n\r\n");
    server.ask(&request).await.assert_refused(400, Some("Last-Event-ID"), "Last-Event-ID is \"last\"");
}

#[tokio::test]
async fn those_that_wait_and_follow_end_when_it_stops() {
    let server = Server::start().await;
    let mut follower = Follower::start(&server, "/inbound", "").await;
    let mut waiting = TcpStream::connect(server.address).await.unwrap();
    let request = format!("GET /events?after=0&wait=60s HTTP/1.1\r\nHost: {}\r\n\r\n", server.address);
    waiting.write_all(request.as_bytes()).await.unwrap();
    // The one is known to be there; a request after the other on another connection says so of it, mostly.
    assert_eq!(server.get("/ready").await.status, 200);
    server.stop.send(()).unwrap();
    timeout(Duration::from_secs(10), server.served).await.expect("it ends").unwrap();
    let mut rest = Vec::new();
    timeout(LONG, follower.stream.read_to_end(&mut rest)).await.unwrap().unwrap();
    let mut answer = Vec::new();
    timeout(LONG, waiting.read_to_end(&mut answer)).await.unwrap().unwrap();
    assert!(String::from_utf8(answer).unwrap().ends_with(r#"{"events":[],"next":0}"#));
    assert!(TcpStream::connect(server.address).await.is_err(), "nobody listens");
}

#[tokio::test]
async fn statuses_are_pages_of_their_own() {
    let server = Server::start().await;
    server.publish(Route::Status, &json!({ "component": "trx1", "type": "bound" })).await;
    let page = server.get("/statuses?wait=30s").await.json();
    assert_eq!(page, json!({ "statuses": [{ "offset": 1, "component": "trx1", "type": "bound" }], "next": 1 }));
    let mut follower = Follower::start(&server, "/statuses?after=0", "").await;
    assert_eq!(follower.event().await.1["type"], "bound");
    assert_eq!(server.get("/events").await.json()["events"], json!([]), "statuses are not events");
}
