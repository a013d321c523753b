//! Guards what is said of requests that nothing can be done about.

use crate::world::Api;

#[tokio::test]
async fn a_path_that_is_not_there_is_not_found() {
    let api = Api::start().await;
    for path in ["/api/v1/nothing", "/api/v2/messages", "/nothing", "/api/v1/messages/1/2/3"] {
        api.ask("GET", path, &[], "").await.is_refused(404, None, path);
    }
}

#[tokio::test]
async fn a_method_that_is_not_there_is_refused_with_those_that_are() {
    let api = Api::start().await;
    for (path, allowed) in [("/api/v1/rules", "get,head,put,post,delete"), ("/api/v1/reset", "post"), ("/", "get,head")]
    {
        let answer = api.ask("PATCH", path, &[], "").await;
        answer.is_refused(405, None, "PATCH cannot be done");
        assert!(answer.head.lines().any(|line| line == format!("allow: {allowed}")), "{}", answer.head);
    }
}

#[tokio::test]
async fn parameters_that_cannot_be_are_refused_by_name() {
    let api = Api::start().await;
    for (path, field, words) in [
        ("messages?too=1", "too", "unknown parameter `too`, expected one of `to`"),
        ("messages?limit=many", "limit", "\"many\": a whole number"),
        ("messages?limit=0", "limit", "1 to 100000 is allowed"),
        ("messages?count=-1", "count", "\"-1\": a whole number"),
        ("messages?wait=5", "wait", "\"5\" is no time"),
        ("messages?wait=2m", "wait", "\"2m\" is too long: at most 60s is allowed"),
        ("messages?text=/(/", "text", "unclosed group"),
        ("messages?state=LOST", "state", "there are SCHEDULED"),
        ("messages?operation=query_sm", "operation", "unknown variant `query_sm`"),
        ("sessions?count=", "count", "\"\": a whole number"),
        ("pdus?command=submit", "command", "\"submit\" is no command"),
        ("pdus?limit=10001", "limit", "1 to 10000 is allowed"),
        ("pdus/stream?session=one", "session", "\"one\": a whole number"),
        ("deliveries/1?wait=soon", "wait", "\"soon\" is no time"),
    ] {
        api.get(path).await.is_refused(400, Some(field), words);
    }
    api.get("messages?to=1&to=2").await.is_refused(400, Some("to"), "duplicate parameter `to`");
}

#[tokio::test]
async fn a_body_that_cannot_be_read_is_refused() {
    let api = Api::start().await;
    let (json, yaml) = ("content-type: application/json", "content-type: application/yaml");
    for (kind, body, field, words) in [
        (json, r#"{"from": "1",}"#, None, "the body is no JSON: key must be a string at line 1 column 14"),
        (json, "from: 1", None, "the body is no JSON"),
        (json, r#"{"from": "1"} {}"#, None, "the body is no JSON: trailing characters"),
        (yaml, "from: [", Some("from"), "from: line 1 column 7"),
        (json, "[]", None, "line 1 column 1"),
    ] {
        api.ask("POST", "/api/v1/deliver", &[kind], body).await.is_refused(400, field, words);
    }
    let deep = "[".repeat(100_000) + &"]".repeat(100_000);
    for path in ["deliver", "sessions/1/steps", "rules"] {
        let answer = api.send("POST", path, &deep).await;
        assert_eq!(answer.status, 400, "{}", answer.text());
    }
    assert_eq!(api.send("PUT", "rules", &deep).await.status, 400);
}

#[tokio::test]
async fn a_body_of_another_type_is_refused() {
    let api = Api::start().await;
    for kind in ["content-type: text/plain", "content-type: application/x-www-form-urlencoded", "content-type: "] {
        let answer = api.ask("POST", "/api/v1/reset", &[kind], "{}").await;
        answer.is_refused(415, Some("Content-Type"), "application/json or application/yaml is allowed");
    }
    assert_eq!(api.ask("POST", "/api/v1/reset", &[], "{}").await.status, 204, "without one it is JSON");
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused() {
    let api = Api::start().await;
    let announced = ["content-type: application/json", "content-length: 1048577"];
    api.ask("POST", "/api/v1/deliver", &announced, "").await.is_refused(413, None, "at most 1048576 octets");
    let fits = format!("{{\"text\": \"{}\"}}", "a".repeat(1024 * 1024 - 12));
    api.send("POST", "deliver", &fits).await.is_refused(400, Some("text"), "is too long");
}
