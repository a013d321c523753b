//! How it binds: with what fits, as a pair where the SMSC knows no transceiver, and to an SMSC that dials.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::{Value, json};
use smsc_sim::{Dial, Mo, SmscSim};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::world::{PATIENCE, Transport, dialling, rule, smsc, to};

fn mo(text: &str) -> Mo {
    Mo { from: "2701".into(), to: "1001".into(), text: Some(text.into()), ..Mo::default() }
}

/// Has the SMSC send a message, and waits until it is on the bus.
async fn is_delivered(smsc: &SmscSim, transport: &Transport, text: &str) {
    let ids: Vec<u64> = smsc.deliver(&mo(text)).expect("it can be").iter().map(|delivery| delivery.id).collect();
    smsc.wait_for_deliveries(&ids, PATIENCE).await;
    let (status, page) = transport.http("GET", "/inbound?wait=30s", "").await;
    assert!(status == 200 && page.contains(text), "{page}: {}", transport.log());
}

/// How sessions are bound, in order.
fn binds(smsc: &SmscSim) -> Vec<String> {
    let mut binds: Vec<_> =
        smsc.sessions().iter().filter_map(|session| session.bind).map(|bind| format!("{bind:?}")).collect();
    binds.sort();
    binds
}

async fn health(transport: &Transport) -> (u16, Value) {
    let (status, body) = transport.http("GET", "/health", "").await;
    (status, serde_json::from_str(&body).expect("JSON"))
}

/// What each bind is called, and how it is.
fn states(health: &Value) -> Vec<(String, String)> {
    let binds = health["components"]["smpp"]["binds"].as_array().expect("a list").iter();
    let word = |bind: &Value, key: &str| bind[key].as_str().expect("a word").to_owned();
    binds.map(|bind| (word(bind, "name"), word(bind, "state"))).collect()
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(one, other)| ((*one).to_owned(), (*other).to_owned())).collect()
}

#[tokio::test]
async fn an_smsc_without_transceivers_is_bound_to_by_a_pair_if_that_is_wanted() {
    let smsc = smsc().await;
    let no_transceiver =
        json!({"when": {"operation": "bind", "bind": "transceiver"}, "then": {"status": "ESME_RINVCMDID"}});
    smsc.set_rules(rule(no_transceiver)).unwrap();
    let mut transport = Transport::start(&dialling(smsc.address(), &["--bind-fallback"])).await;
    assert_eq!(smsc.wait_for_sessions(None, 2, PATIENCE).await.len(), 2, "{}", transport.log());
    assert_eq!(binds(&smsc), ["Receiver", "Transmitter"]);
    transport.says("the SMSC knows no transceiver").await;
    transport.submit("2701", "out").await;
    assert!(smsc.wait_for_message(&to("2701"), PATIENCE).await.is_some());
    is_delivered(&smsc, &transport, "in").await;
    let (status, health) = health(&transport).await;
    assert_eq!((status, states(&health)), (200, pairs(&[("trx1", "bound"), ("rx1", "bound")])));
    assert!(transport.stop().await.success());

    let mut without = Transport::start(&dialling(smsc.address(), &[])).await;
    without.says("ESME_RINVCMDID").await;
    assert!(binds(&smsc).is_empty());
    assert!(without.stop().await.success());
}

#[tokio::test]
async fn an_smsc_with_transceivers_is_bound_to_by_one_and_that_is_healthy() {
    let smsc = smsc().await;
    let transport = Transport::bound_to(&smsc, &["--bind-fallback"]).await;
    transport.submit("2701", "out").await;
    assert!(smsc.wait_for_message(&to("2701"), PATIENCE).await.is_some());
    let (status, health) = health(&transport).await;
    assert_eq!((status, states(&health)), (200, pairs(&[("trx1", "bound"), ("rx1", "unused")])));
    assert_eq!(binds(&smsc), ["Transceiver"]);
    assert!(transport.stop().await.success());
}

#[tokio::test]
async fn credentials_that_are_too_long_are_cut_if_that_is_wanted_and_said() {
    let smsc = SmscSim::builder().account("fifteen_letters", "eight888").start().await.expect("a free port");
    let flags = ["--system-id", "fifteen_letters_and_more", "--password", "eight888s3cret", "--credentials-truncate"];
    let transport = Transport::bound_to(&smsc, &flags).await;
    let log = transport.log();
    for option in ["system_id is cut to 15 characters", "password is cut to 8 characters"] {
        assert!(log.contains(option), "{log}");
    }
    assert!(!log.contains("eight888"), "{log}");
    assert!(transport.stop().await.success());
}

/// Where a transport waits for the SMSC.
async fn waits(transport: &mut Transport) -> SocketAddr {
    let log = transport.says("the SMSC is waited for").await;
    let line = log.lines().find(|line| line.contains("the SMSC is waited for")).expect("it is there");
    line.rsplit_once("address=").expect("it names the place").1.parse().expect("an address")
}

#[tokio::test]
async fn an_smsc_that_dials_and_says_who_it_is_is_bound_to_as_a_receiver() {
    let smsc = smsc().await;
    let flags = ["--bind-type", "rx", "--outbind-listen", "127.0.0.1:0", "--outbind-password", "s3cret"];
    let mut transport = Transport::start(&dialling(smsc.address(), &flags)).await;
    let address = waits(&mut transport).await;
    // That nobody has dialled is no fault.
    let healthy = async {
        while health(&transport).await.0 != 200 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, healthy).await.expect("it is healthy in time");
    // One that connects and says nothing keeps nobody out.
    let _silent = TcpStream::connect(address).await.expect("it listens");

    let dial = |password: &str| Dial { address: address.to_string(), password: password.to_owned(), ..Dial::default() };
    smsc.outbind(&dial("wrong")).await.expect("it listens");
    let log = transport.says("its password is another").await;
    assert!(!log.contains("\"wrong\"") && !log.contains("s3cret"), "{log}");
    assert!(binds(&smsc).is_empty(), "whoever has not the password is not told ours");

    let number = smsc.outbind(&dial("s3cret")).await.expect("it listens");
    assert_eq!(smsc.wait_for_sessions(None, 1, PATIENCE).await.len(), 1, "{}", transport.log());
    assert_eq!(binds(&smsc), ["Receiver"]);
    assert!(smsc.session(number).is_some_and(|session| session.outbound && session.bound_at.is_some()));
    is_delivered(&smsc, &transport, "dialled").await;
    let (status, health) = health(&transport).await;
    assert_eq!((status, states(&health)), (200, pairs(&[("outbind1", "bound")])));

    // It may dial again when that has ended.
    smsc.act(number, serde_json::from_value(json!("unbind")).expect("a step")).unwrap();
    transport.says("session closed").await;
    smsc.outbind(&dial("s3cret")).await.expect("it listens");
    is_delivered(&smsc, &transport, "dialled again").await;
    assert!(transport.stop().await.success());
}

#[tokio::test]
async fn who_says_something_else_than_outbind_is_hung_up_on_and_a_transmitter_is_dialled_beside() {
    let smsc = smsc().await;
    let flags = ["--bind-type", "tx+rx", "--outbind-listen", "127.0.0.1:0", "--outbind-system-id", "them"];
    let mut transport = Transport::bound_to(&smsc, &flags).await;
    assert_eq!(binds(&smsc), ["Transmitter"]);
    let address = waits(&mut transport).await;
    for (said, why) in [
        (&b"\0\0\0\x10\0\0\0\x15\0\0\0\0\0\0\0\x01"[..], "its first PDU is enquire_link, not outbind"),
        (b"GET / HTTP/1.1\r\n\r\n", "its first PDU is no outbind: it claims"),
        (b"\0\0\0\x13\0\0\0\x0b\0\0\0\0\0\0\0\x01us\0", "outbind"),
        (b"\0\0\0\x14\0\0\0\x0b\0\0\0\0\0\0\0\x01us\0\0", "its system_id is \"us\""),
    ] {
        let mut stream = TcpStream::connect(address).await.expect("it listens");
        tokio::io::AsyncWriteExt::write_all(&mut stream, said).await.expect("it reads");
        let mut heard = Vec::new();
        let _ = stream.read_to_end(&mut heard).await;
        assert!(heard.is_empty(), "{heard:?}");
        transport.says(why).await;
    }
    transport.submit("2701", "out").await;
    assert!(smsc.wait_for_message(&to("2701"), PATIENCE).await.is_some());
    assert!(transport.stop().await.success());
}
