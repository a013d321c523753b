//! Why sessions end and binds fail: in the log, in `/health` and in the metrics, with the peer.

use serde_json::{Value, json};
use smsc_sim::SmscSim;

use super::world::{PATIENCE, Transport, dialling, rule, smsc};

const FLAGS: [&str; 6] =
    ["--smpp-enquire-link-interval", "1s", "--smpp-enquire-link-timeout", "1s", "--unbind-timeout", "500ms"];

async fn first_bind(transport: &Transport) -> Value {
    let (_, body) = transport.http("GET", "/health", "").await;
    let health: Value = serde_json::from_str(&body).expect("JSON");
    health["components"]["smpp"]["binds"][0].clone()
}

/// The bind, once it has failed.
async fn failed_bind(transport: &Transport) -> Value {
    loop {
        let bind = first_bind(transport).await;
        if !bind["last_reason"].is_null() {
            return bind;
        }
    }
}

/// Asserts that the log, health and metrics give this reason.
async fn is_told(transport: &mut Transport, smsc: &SmscSim, level: &str, line: &str, reason: &str) {
    let log = transport.says(line).await;
    let said = log.lines().find(|said| said.contains(line)).expect("it is there");
    assert!(said.contains(level), "{level} in {said}");
    for field in ["link=\"trx1\"".to_owned(), format!("peer=\"{}\"", smsc.address())] {
        assert!(said.contains(&field), "{field} in {said}");
    }
    let bind = failed_bind(transport).await;
    assert_eq!(bind["last_reason"], reason, "{bind}");
    assert!(bind["ends"][reason].as_u64() >= Some(1) && bind["last_error"].is_string(), "{bind}");
    assert_eq!(bind["peer"], smsc.address().to_string());
    let (_, metrics) = transport.http("GET", "/metrics", "").await;
    let count = format!("smpp_session_ends_total{{link=\"trx1\",reason=\"{reason}\"}} ");
    assert!(metrics.contains(&count), "{count} in {metrics}");
}

#[tokio::test]
async fn every_end_of_a_session_says_why() {
    for (step, level, reason, detail) in [
        (json!({"disconnect": "close"}), "WARN", "connection_closed", "the peer closed the connection without unbind"),
        (json!({"disconnect": "reset"}), "WARN", "connection_reset", "connection reset"),
        (json!("unbind"), "INFO", "unbind_received", "the peer sent unbind"),
        (json!({"raw": "00000003"}), "WARN", "framing_error", "malformed PDU: command_length is 3"),
        (json!({"silence": "forever"}), "WARN", "enquire_link_timeout", "no answer to enquire_link"),
    ] {
        let smsc = smsc().await;
        let mut transport = Transport::bound_to(&smsc, &FLAGS).await;
        transport.says("session bound").await;
        smsc.act(1, serde_json::from_value(step).expect("a step")).unwrap();
        is_told(&mut transport, &smsc, level, "session closed", reason).await;
        let log = transport.log();
        let said = log.lines().find(|said| said.contains("session closed")).expect("it is there");
        assert!(said.contains(&format!("reason=\"{reason}\"")) && said.contains(detail), "{reason}, {detail}: {said}");
        assert!(said.contains("outstanding=0"), "{said}");
        let bound = log.lines().find(|said| said.contains("session bound")).expect("it is there");
        assert!(bound.contains(&format!("peer=\"{}\"", smsc.address())), "{bound}");
        assert!(transport.stop().await.success());
    }
}

#[tokio::test]
async fn an_end_of_our_own_says_so() {
    let smsc = smsc().await;
    let transport = Transport::bound_to(&smsc, &[]).await;
    let (status, log) = transport.end().await;
    assert!(status.success());
    let said = log.lines().find(|said| said.contains("session closed")).expect("it is there");
    assert!(said.contains("INFO") && said.contains("reason=\"unbind_sent\""), "{said}");
}

#[tokio::test]
async fn requests_that_are_lost_with_a_session_are_counted() {
    let smsc = smsc().await;
    let mut transport = Transport::bound_to(&smsc, &FLAGS).await;
    smsc.set_rules(rule(json!({"when": {"text": "cut"}, "then": {"before": [{"disconnect": "close"}]}}))).unwrap();
    transport.submit("27820001001", "cut").await;
    let log = transport.says("session closed").await;
    assert!(log.contains("outstanding=1"), "{log}");
    assert!(transport.stop().await.success());
}

#[tokio::test]
async fn a_refused_bind_says_why_at_a_level_that_somebody_sees() {
    for (status, level) in
        [("ESME_RINVPASWD", "ERROR"), ("ESME_RINVSYSID", "ERROR"), ("ESME_RALYBND", "WARN"), ("ESME_RSYSERR", "WARN")]
    {
        let smsc = smsc().await;
        smsc.set_rules(rule(json!({"when": {"operation": "bind"}, "then": {"status": status}}))).unwrap();
        let mut transport = Transport::start(&dialling(smsc.address(), &FLAGS)).await;
        is_told(&mut transport, &smsc, level, "not bound", "bind_refused").await;
        assert!(transport.log().contains(&format!("status={status}")), "{}", transport.log());
        let bind = first_bind(&transport).await;
        assert!(bind["last_error"].as_str().is_some_and(|error| error.contains(status)), "{bind}");
        assert!(transport.stop().await.success());
    }
}

#[tokio::test]
async fn a_connection_that_cannot_be_opened_says_where() {
    let gone =
        std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port");
    let mut transport = Transport::start(&dialling(gone, &[])).await;
    let log = transport.says("not bound").await;
    let said = log.lines().find(|said| said.contains("not bound")).expect("it is there");
    assert!(said.contains("WARN") && said.contains(&format!("peer=\"{gone}\"")), "{said}");
    assert_eq!(failed_bind(&transport).await["last_reason"], "connect_failed");
    assert!(transport.stop().await.success());
}

#[tokio::test]
async fn a_refused_account_ends_the_process_if_that_is_wanted() {
    let smsc = smsc().await;
    smsc.set_rules(rule(json!({"when": {"operation": "bind"}, "then": {"status": "ESME_RINVPASWD"}}))).unwrap();
    let flags = dialling(smsc.address(), &["--reconnect-on-auth-failure", "stop"]);
    let transport = Transport::start(&flags).await;
    let (status, log) = transport.wait().await;
    assert_eq!(status.code(), Some(3), "{log}");
    let last = log.lines().last().expect("it says something");
    assert!(last.contains("reconnect.on_auth_failure") && last.contains("ESME_RINVPASWD"), "{log}");
}

#[tokio::test]
async fn metrics_tell_of_what_no_event_tells() {
    let smsc = smsc().await;
    let transport = Transport::bound_to(&smsc, &FLAGS).await;
    for step in [json!({"raw": "000000107fffffff0000000000000001"}), json!("unknown_response")] {
        smsc.act(1, serde_json::from_value(step).expect("a step")).unwrap();
    }
    let wanted = [
        "smpp_unknown_pdus_total{link=\"trx1\"} 1",
        "smpp_unexpected_responses_total{link=\"trx1\"} 1",
        "smpp_enquire_link_seconds_count 1",
        "smpp_build_info{version=",
    ];
    let mut metrics = String::new();
    let told = async {
        while !wanted.iter().all(|wanted| metrics.contains(wanted)) {
            metrics = transport.http("GET", "/metrics", "").await.1;
        }
    };
    let is_told = tokio::time::timeout(PATIENCE, told).await.is_ok();
    assert!(is_told, "{metrics}");
    assert!(transport.stop().await.success());
}

/// Nothing listens where Redis should be.
#[tokio::test]
async fn a_metric_tells_that_the_store_is_away() {
    let smsc = smsc().await;
    let flags = ["--cache-class", "redis", "--redis-url", "redis://127.0.0.1:9"];
    let transport = Transport::bound_to(&smsc, &flags).await;
    let mut metrics = String::new();
    let told = async {
        while !metrics.contains("\nsmpp_store_up 0\n") {
            metrics = transport.http("GET", "/metrics", "").await.1;
        }
    };
    let is_told = tokio::time::timeout(PATIENCE, told).await.is_ok();
    assert!(is_told, "{metrics}");
}

#[tokio::test]
async fn states_of_the_links_can_be_read_where_there_is_no_broker() {
    let smsc = smsc().await;
    let transport = Transport::bound_to(&smsc, &["--status-events"]).await;
    let (status, page) = transport.http("GET", "/statuses?wait=30s", "").await;
    assert_eq!(status, 200, "{page}");
    let page: Value = serde_json::from_str(&page).expect("JSON");
    let first = &page["statuses"][0];
    assert_eq!(
        (&first["component"], &first["type"], &first["status"]),
        (&json!("trx1"), &json!("bound"), &json!("ok"))
    );
    assert!(transport.stop().await.success());
}
