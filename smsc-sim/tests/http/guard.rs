//! Guards against web pages of others in somebody's browser.

use crate::world::Api;

#[tokio::test]
async fn a_foreign_name_is_refused() {
    let api = Api::start().await;
    for path in ["/", "/health", "/api/v1/messages"] {
        let answer = api.ask("GET", path, &["host: rebound.example:2776"], "").await;
        answer.is_refused(403, Some("host"), "\"rebound.example:2776\"");
        for host in ["host: localhost:2776", "host: 127.0.0.1", "host: smsc-sim:2776"] {
            assert_eq!(api.ask("GET", path, &[host], "").await.status, 200, "{host}");
        }
    }
}

#[tokio::test]
async fn pages_of_others_change_nothing() {
    let api = Api::start().await;
    api.send("PUT", "rules", r#"[{"name": "stays"}]"#).await;
    for origin in ["origin: http://page.example", "origin: null", "origin: http://127.0.0.1:1"] {
        for (method, path) in [("DELETE", "/api/v1/rules"), ("PUT", "/api/v1/rules"), ("POST", "/api/v1/reset")] {
            api.ask(method, path, &[origin], "[]").await.is_refused(403, Some("origin"), "pages of others");
        }
        let seen = api.ask("GET", "/api/v1/rules", &[origin], "").await;
        assert_eq!(seen.json()[0]["name"], "stays");
        assert!(!seen.head.contains("access-control"), "which pages of others cannot read: {}", seen.head);
    }
    let own = format!("origin: http://{}", api.address);
    assert_eq!(api.ask("DELETE", "/api/v1/rules", &[&own], "").await.status, 204, "the console may");
}

#[tokio::test]
async fn the_console_is_shown_and_may_use_nothing_of_others() {
    let api = Api::start().await;
    let page = api.ask("GET", "/", &[], "").await;
    assert!(page.text().to_lowercase().contains("<!doctype html>"));
    for header in
        ["content-security-policy: default-src 'self'", "x-content-type-options: nosniff", "cache-control: no-store"]
    {
        assert!(page.head.contains(header), "{}", page.head);
    }
}

#[tokio::test]
async fn health_says_where_smpp_is_served() {
    let api = Api::start().await;
    let health = api.ask("GET", "/health", &[], "").await.json();
    let address = api.smsc.address().to_string();
    assert_eq!(health, serde_json::json!({ "status": "ok", "sessions": 0, "seed": 7, "smpp": address }));
}
