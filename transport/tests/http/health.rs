//! Whether it is well, counts, and the first page.

use prometheus_client::metrics::counter::Counter;
use serde_json::json;

use super::*;

#[tokio::test]
async fn health_has_the_form_of_vumi2() {
    let server = Server::start().await;
    server.bus_health.send_replace(bus::Health { server_properties: json!({ "product": "P" }), ..up() });
    let well = server.get("/health").await;
    let bind = json!({
        "name": "smsc", "state": "bound", "bound": true, "since": 1.5, "outstanding": 3, "last_error": null,
        "last_reason": null, "peer": null, "ends": {},
    });
    let expected = json!({ "health": "ok", "components": {
        "embedded": { "health": "ok", "server_properties": { "product": "P" }, "state": "open" },
        "smpp": { "health": "ok", "state": "bound", "binds": [bind] },
        "redis": { "health": "ok", "state": "open" },
    } });
    assert_eq!((well.status, well.json()), (200, expected));
}

#[tokio::test]
async fn health_is_down_while_the_bus_is_or_any_bind_is_not_bound() {
    let server = Server::start().await;
    let reason = "it refuses".into();
    server.bus_health.send_replace(bus::Health { is_up: false, state: "connecting", reason, ..up() });
    let down = server.get("/health").await;
    assert_eq!((down.status, down.json()["health"].as_str()), (500, Some("down")));
    let bus = json!({ "health": "down", "server_properties": null, "state": "connecting", "reason": "it refuses" });
    assert_eq!(down.json()["components"]["embedded"], bus);
    assert_eq!(down.json()["components"]["smpp"]["health"], "ok");

    server.bus_health.send_replace(up());
    server.links.send_replace(vec![link("a", true), link("b", false)]);
    let down = server.get("/health").await.json();
    assert_eq!(down["health"], "down");
    let smpp = &down["components"]["smpp"];
    assert_eq!((&smpp["health"], &smpp["state"]), (&json!("down"), &json!("connecting")));
    assert_eq!(smpp["binds"][1]["last_error"], "connection refused");

    server.links.send_replace(Vec::new());
    let none = server.get("/health").await;
    assert_eq!((none.status, &none.json()["components"]["smpp"]["state"]), (500, &json!("closed")));
}

#[tokio::test]
async fn it_is_ready_while_the_bus_is_up_and_something_is_bound() {
    let server = Server::start().await;
    server.links.send_replace(vec![link("a", false), link("b", true)]);
    let ready = server.get("/ready").await;
    assert_eq!((ready.status, ready.json()), (200, json!({ "ready": true, "bus": true, "smpp": true, "store": true })));
    server.links.send_replace(vec![link("a", false)]);
    let unbound = server.get("/ready").await;
    assert_eq!(
        (unbound.status, unbound.json()),
        (503, json!({ "ready": false, "bus": true, "smpp": false, "store": true }))
    );
    server.links.send_replace(vec![link("a", true)]);
    server.bus_health.send_replace(bus::Health::default());
    assert_eq!(server.get("/ready").await.status, 503);
}

#[tokio::test]
async fn it_is_not_ready_while_the_store_is_away_and_health_says_why() {
    let server = Server::start().await;
    server.store.send_replace(StoreHealth { is_up: false, reason: "no answer within 2s".into() });
    let ready = server.get("/ready").await;
    assert_eq!(ready.status, 503);
    assert_eq!(ready.json(), json!({ "ready": false, "bus": true, "smpp": true, "store": false }));
    let health = server.get("/health").await;
    let expected = json!({ "health": "down", "state": "unavailable", "reason": "no answer within 2s" });
    assert_eq!((health.status, &health.json()["components"]["redis"]), (500, &expected));
    assert_eq!(health.json()["health"], "down");
    server.store.send_replace(StoreHealth::default());
    assert_eq!((server.get("/ready").await.status, server.get("/health").await.status), (200, 200));
}

#[tokio::test]
async fn counts_are_those_of_the_registry() {
    let counter = Counter::<u64>::default();
    counter.inc_by(3);
    let server = Server::with(Config::default(), |registry| registry.register("sent", "Sent", counter)).await;
    let metrics = server.get("/metrics").await;
    assert_eq!(metrics.status, 200);
    assert!(header(&metrics.head, "content-type").unwrap().starts_with("application/openmetrics-text"));
    assert_eq!(metrics.body, "# HELP sent Sent.\n# TYPE sent counter\nsent_total 3\n# EOF\n");
}

#[tokio::test]
async fn the_first_page_lists_what_there_is() {
    let server = Server::start().await;
    let index = server.get("/").await;
    assert_eq!(index.status, 200);
    for path in ["/health", "/ready", "/metrics", "/outbound", "/inbound", "/events", "/statuses", "/failed"] {
        assert!(index.body.contains(path), "{path}: {}", index.body);
    }
    assert!(index.body.ends_with("The bus is embedded: open.\n"), "{}", index.body);
}

#[tokio::test]
async fn without_the_embedded_bus_its_paths_are_not_there() {
    let listener = Listener::bind(&"127.0.0.1:0".parse().unwrap()).await.unwrap();
    let address = listener.tcp_address().unwrap();
    let (_bus, bus) = watch::channel(up());
    let (_links, links) = watch::channel(vec![]);
    let state = State { bus_name: "amqp", bus, links, stores: vec![], metrics: Arc::default(), queue: None };
    tokio::spawn(listener.serve(state, std::future::pending()));
    let get = async |path: &str| {
        let stream = TcpStream::connect(address).await.unwrap();
        ask(stream, &format!("GET {path} HTTP/1.1\r\nHost: {address}\r\n\r\n")).await
    };
    get("/inbound").await.assert_refused(404, None, "there is no \"/inbound\"");
    assert!(!get("/").await.body.contains("/inbound"));
    let components = &get("/health").await.json()["components"];
    assert!(components["amqp"].is_object() && components.get("redis").is_none());
    assert!(get("/ready").await.json().get("store").is_none());
}

#[tokio::test]
async fn the_openapi_document_describes_what_is_served() {
    let server = Server::start().await;
    let document = server.get("/openapi.json").await;
    assert_eq!(document.status, 200);
    let document = document.json();
    for (path, methods) in document["paths"].as_object().unwrap() {
        let wanted = if methods.get("get").is_some() { 200 } else { 405 };
        assert_eq!(server.get(path).await.status, wanted, "{path}");
    }
    let index = server.get("/").await;
    for line in index.body.lines().filter(|line| line.starts_with("GET ") || line.starts_with("POST ")) {
        let path = line.split_whitespace().nth(1).unwrap();
        assert!(document["paths"].get(path).is_some(), "{path}");
    }
}
