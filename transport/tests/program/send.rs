//! `send`: what it prints, what the SMSC has then, and with which status it ends.

use std::net::SocketAddr;
use std::process::{Output, Stdio};

use serde_json::json;
use smsc_sim::{DeliveryState, Filter, Mo, Policy, SmscSim};
use tokio::process::Command;

use super::world::{PATIENCE, PROGRAM, rule, smsc};

async fn send(smsc: SocketAddr, arguments: &[&str]) -> Output {
    let mut command = Command::new(PROGRAM);
    command.args(["send", "--port", &smsc.port().to_string(), "--from", "1001", "--to", "+27820001001"]);
    command.args(arguments).env_clear().stdin(Stdio::null());
    command.output().await.expect("the program can be started")
}

fn lines(octets: &[u8]) -> Vec<String> {
    String::from_utf8_lossy(octets).lines().map(str::to_owned).collect()
}

async fn smsc_with(policy: serde_json::Value) -> SmscSim {
    let policy: Policy = serde_json::from_value(policy).expect("a policy");
    SmscSim::builder().policy(policy).start().await.expect("a free port")
}

/// What went wrong, in one line on standard error, with status 1.
fn complaint(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let said = lines(&output.stderr);
    assert!(said.len() == 1 && said[0].starts_with("smpp-transport send: "), "{said:?}");
    said[0].clone()
}

#[tokio::test]
async fn a_message_is_taken_and_its_id_printed() {
    let smsc = smsc().await;
    let output = send(smsc.address(), &["Hello"]).await;
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    let message = smsc.wait_for_message(&Filter::default(), PATIENCE).await.expect("it came");
    assert_eq!(lines(&output.stdout), [message.id.as_str()]);
    assert_eq!((message.text.as_deref(), message.to.address.as_str()), (Some("Hello"), "+27820001001"));
    assert_eq!((message.to.ton, message.registered_delivery, message.data_coding), (1, 0, 0));
}

#[tokio::test]
async fn a_long_text_goes_in_parts_and_each_is_waited_for() {
    let smsc = smsc_with(json!({"enroute": "300ms"})).await;
    let text = "Grüße aus Łódź 🙂 ".repeat(12);
    for form in ["udh8", "udh16", "sar"] {
        smsc.forget_messages();
        let output = send(smsc.address(), &["--receipt", "--multipart", form, &text]).await;
        assert!(output.status.success(), "{form}: {output:?}");
        let messages = smsc.messages(&Filter::default());
        let ids: Vec<_> = messages.iter().map(|message| message.id.clone()).collect();
        assert!(ids.len() >= 3, "{form}: {ids:?}");
        let printed = lines(&output.stdout);
        assert_eq!(printed[..ids.len()], ids, "{form}");
        let mut receipts = printed[ids.len()..].to_vec();
        receipts.sort();
        let mut expected: Vec<_> = ids.iter().map(|id| format!("{id} DELIVERED")).collect();
        expected.sort();
        assert_eq!(receipts, expected, "{form}");
        assert_eq!(messages.last().and_then(|last| last.whole_text.clone()), Some(text.clone()), "{form}");
    }
}

#[tokio::test]
async fn what_fails_is_said_with_status_1() {
    let smsc = smsc_with(json!({"outcome": "UNDELIVERABLE"})).await;
    let output = send(smsc.address(), &["--receipt", "Hello"]).await;
    let id = smsc.messages(&Filter::default())[0].id.clone();
    assert_eq!(lines(&output.stdout), [id.clone(), format!("{id} UNDELIVERABLE")]);
    assert!(complaint(&output).ends_with(&format!("not delivered: {id}")));

    smsc.set_rules(rule(json!({"then": {"status": "ESME_RSUBMITFAIL"}, "when": {"operation": "submit_sm"}}))).unwrap();
    let refused = send(smsc.address(), &["--receipt", "Hello"]).await;
    assert!(complaint(&refused).contains("part 1 of 1: refused: ESME_RSUBMITFAIL") && refused.stdout.is_empty());

    let wrong = send(smsc.address(), &["--password", "wrong", "Hello"]).await;
    assert!(complaint(&wrong).contains("ESME_RINVPASWD"), "{wrong:?}");
    let unwritable = send(smsc.address(), &["--data-coding", "0", "Łódź"]).await;
    assert!(complaint(&unwritable).contains("content"), "{unwritable:?}");
    for usage in [&["--from"][..], &["--data-coding", "x", "Hello"], &["--multipart", "x", "Hello"], &[]] {
        assert_eq!(send(smsc.address(), usage).await.status.code(), Some(2), "{usage:?}");
    }
}

#[tokio::test]
async fn a_receipt_that_does_not_come_is_named_and_what_is_for_others_is_left_to_them() {
    let smsc = smsc_with(json!({"enroute": "1h"})).await;
    let other =
        smsc.deliver(&Mo { from: "27820001001".into(), to: "1001".into(), text: Some("Hi".into()), ..Mo::default() });
    let other = other.expect("it can be delivered")[0].id;
    let output = send(smsc.address(), &["--receipt", "--receipt-timeout", "1", "Hello"]).await;
    let id = smsc.messages(&Filter::default())[0].id.clone();
    assert!(complaint(&output).ends_with(&format!("no receipt of {id}")));
    let other = smsc.delivery(other).expect("it is kept");
    assert!(other.attempts > 0 && other.state != DeliveryState::Accepted, "{other:?}");
}
