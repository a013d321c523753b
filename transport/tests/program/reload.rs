//! SIGHUP: what counts at once, what is only named, and what is refused.

use super::world::{Folder, PATIENCE, Transport, WATCH, smsc, to};

/// A transport whose configuration is a file that can be written again.
async fn started(smsc: &smsc_sim::SmscSim, folder: &Folder, yaml: &str) -> Transport {
    let file = folder.file("config.yaml", yaml);
    Transport::bound_to(smsc, &["--config", &file]).await
}

#[tokio::test]
async fn rates_and_logs_change_without_a_session_being_dropped_and_the_rest_is_named() {
    let (smsc, folder) = (smsc().await, Folder::new());
    let mut transport = started(&smsc, &folder, "rate_limit: {per_second: 0.001}\nsmpp_window: 5\n").await;
    for to in ["2701", "2702"] {
        transport.submit(to, "Hello").await;
    }
    assert!(smsc.wait_for_message(&to("2701"), PATIENCE).await.is_some());
    assert!(smsc.wait_for_message(&to("2702"), WATCH).await.is_none(), "it goes in a quarter of an hour");
    assert!(!transport.log().contains("submit_sm"));

    folder.file("config.yaml", "rate_limit: {per_second: 1000}\nsmpp_window: 6\npdu_log: headers\nsystem_type: x\n");
    transport.signal("HUP");
    let said = transport.says("SIGHUP: the configuration has been read again").await;
    assert!(said.contains("taken from it: rate_limit.per_second, pdu_log"), "{said}");
    for option in ["smpp_window", "system_type"] {
        assert!(said.contains(&format!("SIGHUP: {option} (")), "{option}: {said}");
    }
    assert!(smsc.wait_for_message(&to("2702"), PATIENCE).await.is_some(), "it need not wait any more");
    transport.says("submit_sm").await;
    let sessions = smsc.sessions();
    assert_eq!(sessions.iter().map(|session| session.id).collect::<Vec<_>>(), [1], "it is the first one still");
    assert!(transport.stop().await.success());
}

#[tokio::test]
async fn a_configuration_that_is_wrong_changes_nothing() {
    let (smsc, folder) = (smsc().await, Folder::new());
    let mut transport = started(&smsc, &folder, "rate_limit: {per_second: 1000}\n").await;
    folder.file("config.yaml", "rate_limit: {per_second: 0.001}\nport: many\n");
    transport.signal("HUP");
    let said = transport.says("SIGHUP: the configuration is refused").await;
    let line = said.lines().last().expect("a line");
    assert!(line.contains("port is \"many\" (") && line.contains("config.yaml:2:7"), "{line}");
    for to in ["2701", "2702", "2703"] {
        transport.submit(to, "Hello").await;
    }
    assert!(smsc.wait_for_message(&to("2703"), PATIENCE).await.is_some(), "the old rate is in force");
    // What was refused once can be put right.
    folder.file("config.yaml", "rate_limit: {per_second: 1000}\nlog_level: DEBUG\n");
    transport.signal("HUP");
    transport.says("taken from it: log_level").await;
    assert!(transport.stop().await.success());
}
