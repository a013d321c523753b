//! Guards how rules are set and shown.

use serde_json::json;
use smpp_transport::pdu::CommandStatus;
use smpp_transport::session::BindKind;

use crate::world::{Api, sm};

const THROTTLES: &str = r#"[{"name": "all", "then": {"status": "ESME_RTHROTTLED"}}]"#;

#[tokio::test]
async fn rules_are_followed_and_counted() {
    let api = Api::start().await;
    let put = api.send("PUT", "rules", THROTTLES).await;
    assert_eq!((put.status, &put.json()[0]["matched"]), (200, &json!(0)));
    let esme = api.esme(BindKind::Transmitter).await;
    let refused = esme.submit(sm("2701", "no")).await.expect_err("it is throttled").to_string();
    assert!(refused.contains(&CommandStatus::ESME_RTHROTTLED.to_string()), "{refused}");
    let rule = &api.see("rules").await[0];
    assert_eq!((&rule["name"], &rule["matched"]), (&json!("all"), &json!(1)), "{rule}");
}

#[tokio::test]
async fn rules_are_given_as_a_list_a_map_yaml_and_by_name() {
    let api = Api::start().await;
    for body in [THROTTLES.to_owned(), format!("{{\"rules\":\n\t{THROTTLES}}}")] {
        assert_eq!(api.send("PUT", "rules", body).await.json()[0]["then"]["status"], "ESME_RTHROTTLED");
    }
    let yaml = "# slow\n- then: { delay: 1s..2s }\n";
    let put = api.ask("PUT", "/api/v1/rules", &["content-type: application/yaml; charset=utf-8"], yaml).await;
    assert_eq!(put.json()[0]["then"], json!({ "delay": "1s..2s" }));
    let flaky = api.send("PUT", "rules", r#"{"set": "flaky"}"#).await;
    assert!(flaky.json().as_array().is_some_and(|rules| rules.len() > 3), "{}", flaky.text());
}

#[tokio::test]
async fn what_is_shown_as_yaml_can_be_put() {
    let api = Api::start().await;
    let before = api.send("PUT", "rules", r#"{"set": "magic-numbers"}"#).await.json();
    let yaml = api.ask("GET", "/api/v1/rules", &["accept: application/yaml"], "").await;
    assert!(yaml.head.contains("content-type: application/yaml"), "{}", yaml.head);
    api.delete("rules").await;
    let after = api.ask("PUT", "/api/v1/rules", &["content-type: application/yaml"], &yaml.text()).await;
    assert_eq!((after.status, after.json()), (200, before));
}

#[tokio::test]
async fn rules_that_cannot_be_change_nothing_and_are_refused_with_their_place() {
    let api = Api::start().await;
    api.send("PUT", "rules", THROTTLES).await;
    let put = |body: &'static str| api.send("PUT", "rules", body);
    put(r#"[{}, {"when": {"chance": 2}}]"#).await.is_refused(400, Some("rules[1].when.chance"), "0 to 1 is allowed");
    put("[{\"then\":\n {\"status\": \"ESME_RFULL\"}}]").await.is_refused(400, None, "line 2 column 13: \"ESME_RFULL\"");
    put(r#"[{"than": {}}]"#).await.is_refused(400, None, "`than`");
    put(r#"{"set": "broken"}"#).await.is_refused(400, Some("set"), "\"broken\" is no set of rules; there are healthy");
    put("[{]").await.is_refused(400, None, "the body is no JSON");
    put("").await.is_refused(400, None, "the body is no JSON");
    put("- then: {}").await.is_refused(400, None, "the body is no JSON");
    assert_eq!(api.see("rules").await[0]["name"], "all", "as they were");
}

#[tokio::test]
async fn a_rule_is_put_before_the_others() {
    let api = Api::start().await;
    api.send("PUT", "rules", THROTTLES).await;
    let post = api.send("POST", "rules", r#"{"name": "first", "then": {"delay": "1ms"}}"#).await;
    let names: Vec<_> = post.json().as_array().expect("a list").iter().map(|rule| rule["name"].clone()).collect();
    assert_eq!((post.status, names), (201, vec![json!("first"), json!("all")]));
    let wrong = r#"{"when": {"part": 0}}"#;
    api.send("POST", "rules", wrong).await.is_refused(400, Some("when.part"), "is 0: 1 to 255 is allowed");
    assert_eq!(api.delete("rules").await.status, 204);
    assert_eq!(api.see("rules").await, json!([]));
}

#[tokio::test]
async fn the_sets_are_shown_as_they_are_written() {
    let api = Api::start().await;
    let sets = api.see("rule-sets").await;
    for set in sets.as_array().expect("a list") {
        let (yaml, name) = (set["yaml"].as_str().expect("text"), set["name"].as_str().expect("text"));
        let given = api.ask("PUT", "/api/v1/rules", &["content-type: application/yaml"], yaml).await.json();
        assert_eq!(given, api.send("PUT", "rules", json!({ "set": name })).await.json(), "{name}");
    }
    assert!(sets.as_array().is_some_and(|sets| sets.len() == smsc_sim::rules::SETS.len()), "{sets}");
}
