//! Guards beginning anew between tests.

use serde_json::json;
use smpp_transport::session::BindKind;
use tokio::time::timeout;

use crate::world::{Api, LONG, submit};

#[tokio::test]
async fn all_is_forgotten_but_the_sessions() {
    let api = Api::start().await;
    let esme = api.esme(BindKind::Transceiver).await;
    submit(&esme, "2701", "first").await;
    api.send("PUT", "rules", r#"[{"name": "one"}]"#).await;
    assert_eq!(api.ask("POST", "/api/v1/reset", &[], "").await.status, 204, "nothing need be said");
    for path in ["messages", "rules", "pdus"] {
        assert_eq!(api.see(path).await, json!([]), "{path}");
    }
    assert_eq!(api.see("sessions?system_id=smppclient1").await.as_array().map(Vec::len), Some(1));
    submit(&esme, "2701", "second").await;
    assert_eq!(api.see("messages").await.as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn sessions_are_closed_and_rules_kept_if_asked() {
    let api = Api::start().await;
    let esme = api.esme(BindKind::Transmitter).await;
    api.send("PUT", "rules", r#"[{"name": "one"}]"#).await;
    assert_eq!(api.send("POST", "reset", r#"{"sessions": true, "keep_rules": true, "seed": 5}"#).await.status, 204);
    timeout(LONG, esme.ended()).await.expect("it is closed");
    assert_eq!(api.see("rules").await[0]["name"], "one");
    api.send("POST", "reset", r#"{"session": true}"#).await.is_refused(400, Some("session"), "unknown field `session`");
}

#[tokio::test]
async fn the_same_seed_gives_the_same_chance_again() {
    let api = Api::start().await;
    let mut seen = Vec::new();
    for seed in [5, 5, 6] {
        api.send("POST", "reset", json!({ "sessions": true, "seed": seed })).await;
        api.send("PUT", "rules", r#"[{"when": {"chance": 0.5}, "then": {"status": "ESME_RSYSERR"}}]"#).await;
        let esme = api.esme(BindKind::Transmitter).await;
        let mut statuses = Vec::new();
        for _ in 0..32 {
            statuses.push(esme.submit(crate::world::sm("2701", "by chance")).await.is_ok());
        }
        seen.push(statuses);
    }
    assert_eq!(seen[0], seen[1]);
    assert_ne!(seen[0], seen[2]);
}

#[tokio::test]
async fn counts_and_accounts_are_shown() {
    let api = Api::start().await;
    let esme = api.esme(BindKind::Transmitter).await;
    submit(&esme, "2701", "first").await;
    let stats = api.see("stats").await;
    assert_eq!((&stats["messages_by_state"], &stats["messages_total"]), (&json!({ "DELIVERED": 1 }), &json!(1)));
    assert_eq!(stats["pdus_from_esmes"], json!({ "bind_transmitter": 1, "submit_sm": 1 }));
    let accounts = api.see("accounts").await;
    assert_eq!(accounts[0]["system_id"], "smppclient1");
    assert!(!accounts.to_string().contains("password"), "{accounts}");
}
