//! `capture`, `pdu_log` and `pdu_log_ring`: what is written down, and of whom.

use serde_json::json;

use super::world::{Folder, PATIENCE, Transport, rule, smsc, to};

fn holds(octets: &[u8], words: &str) -> bool {
    octets.windows(words.len()).any(|some| some == words.as_bytes())
}

#[tokio::test]
async fn a_capture_has_what_passed_and_nobody_else_may_read_it() {
    let (smsc, folder) = (smsc().await, Folder::new());
    let path = folder.path("it.pcap");
    let transport = Transport::bound_to(&smsc, &["--capture", &path]).await;
    transport.submit("2701", "Hello there").await;
    assert!(smsc.wait_for_message(&to("2701"), PATIENCE).await.is_some());
    assert!(transport.stop().await.success());
    let octets = std::fs::read(&path).expect("it is there");
    assert_eq!(octets.first_chunk(), Some(&0xA1B2_3C4D_u32.to_le_bytes()));
    for words in ["smppclient1", "smsc-sim", "Hello there"] {
        assert!(holds(&octets, words), "{words}: both ways");
    }
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&path).expect("it is there").permissions());
    assert_eq!(mode & 0o777, 0o600);
    let tshark = std::process::Command::new("tshark")
        .args(["-d", &format!("tcp.port=={},smpp", smsc.address().port()), "-r", &path])
        .output();
    // Where there is none, what it makes of the capture is not tested.
    let Ok(tshark) = tshark else { return };
    let said = String::from_utf8_lossy(&tshark.stdout);
    assert!(tshark.status.success() && said.contains("Bind_transceiver") && said.contains("Unbind"), "{said}");
    assert!(!said.contains("Malformed") && !said.contains("Retransmission"), "{said}");
}

#[tokio::test]
async fn a_capture_that_cannot_be_made_is_said_at_the_start() {
    let mut command = tokio::process::Command::new(super::world::PROGRAM);
    command.env_clear().args(["--capture", "/no/such/folder/it.pcap", "--http-bind", ""]);
    let output = command.output().await.expect("the program can be started");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("capture: /no/such/folder/it.pcap: "), "{said}");
}

/// The log after a message has gone and come, whose PDUs are logged so.
async fn log_of(flags: &[&str]) -> String {
    let smsc = smsc().await;
    let mut transport = Transport::bound_to(&smsc, flags).await;
    transport.submit("27820001001", "a private text").await;
    assert!(smsc.wait_for_message(&to("27820001001"), PATIENCE).await.is_some());
    if flags.contains(&"--pdu-log") {
        transport.says("submit_sm_resp").await;
    }
    let log = transport.log();
    assert!(transport.stop().await.success());
    log
}

#[tokio::test]
async fn pdus_are_logged_as_far_as_is_asked_for_and_never_with_the_password() {
    let headers = log_of(&["--pdu-log", "headers"]).await;
    for words in ["link{name=\"trx1\"}", "> seq=1 bind_transceiver", "> seq=2 submit_sm ", "< seq=2 submit_sm_resp"] {
        assert!(headers.contains(words), "{words} in {headers}");
    }
    let full = log_of(&["--pdu-log", "full"]).await;
    assert!(!headers.contains("a private text"), "{headers}");
    // The text is in hexadecimal.
    for private in ["27820001001", "6120707269766174652074657874"] {
        assert!(!headers.contains(private), "{private} in {headers}");
        assert!(full.contains(private), "{private} in {full}");
    }
    assert_eq!(full.matches("> seq=2 submit_sm ").count(), 1, "each once: {full}");
    for log in [&headers, &full, &log_of(&["--log-level", "TRACE"]).await] {
        assert!(!log.contains("\"password\"") && !log.contains("password=password"), "{log}");
    }
    let off = log_of(&["--log-level", "DEBUG"]).await;
    assert!(!off.contains("submit_sm") && !off.contains("a private text"), "{off}");
}

#[tokio::test]
async fn what_passed_last_is_logged_when_the_session_breaks_and_not_when_it_ends() {
    for (flags, is_private) in
        [(&["--pdu-log-ring", "3"][..], true), (&["--pdu-log-ring", "3", "--pdu-log", "full"], false)]
    {
        let smsc = smsc().await;
        let mut transport = Transport::bound_to(&smsc, flags).await;
        smsc.set_rules(rule(json!({"when": {"text": "cut"}, "then": {"before": [{"disconnect": "reset"}]}}))).unwrap();
        for number in 1..=3 {
            transport.submit("27820001001", &format!("text {number}")).await;
        }
        assert_eq!(smsc.wait_for_messages(&to("27820001001"), 3, PATIENCE).await.len(), 3);
        transport.submit("27820001001", "cut").await;
        let log = transport.says("s ago > seq=5 submit_sm").await;
        let ring: Vec<_> = log.lines().filter(|line| line.contains("s ago ")).collect();
        assert_eq!(ring.len(), 3, "{log}");
        assert_eq!(ring.iter().all(|line| !line.contains("27820001001")), is_private, "{ring:?}");
        smsc.set_rules(Vec::new()).unwrap();
        smsc.wait_for_sessions(None, 1, PATIENCE).await;
        assert!(transport.stop().await.success());
    }
    let smsc = smsc().await;
    let mut transport = Transport::bound_to(&smsc, &["--pdu-log-ring", "3"]).await;
    smsc.act(1, serde_json::from_value(json!("unbind")).expect("a step")).unwrap();
    let log = transport.says("session closed").await;
    assert!(!log.contains("s ago "), "{log}");
}
