//! Guards: `smpp-transport load` against an SMSC made of a driver: what it prints, and with which status it ends.

use std::net::SocketAddr;
use std::process::{Output, Stdio};

use smpp_transport::driver::{Accept, Driver, DriverConfig};
use smpp_transport::pdu::{Body, CommandStatus, EsmClass, MessageId, Sm, Tlvs};
use smpp_transport::session::{Event, Role, SessionConfig};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::Command;

/// Answers binds with `bind`, messages with an id, but for every tenth of those to [`SILENT`], and, when it is asked for one, sends
/// a receipt.
async fn serve(stream: TcpStream, bind: CommandStatus) {
    let mut session = SessionConfig::new(Role::Smsc);
    session.window = 1_000;
    let mut driver: Driver<TcpStream> = Driver::new(stream, Role::Smsc, session, DriverConfig::default());
    let mut messages = 0;
    while let Some(event) = driver.next().await {
        let Event::Request(ticket, pdu) = event else { continue };
        let Body::SubmitSm(sm) = pdu.body else {
            driver.refuse(ticket, bind);
            continue;
        };
        messages += 1;
        if messages % 10 == 0 && sm.destination_addr.as_bytes() == SILENT.as_bytes() {
            drop(ticket);
            continue;
        }
        let message_id = "id".parse().expect("short");
        let response = Body::SubmitSmResp(Some(MessageId { message_id }));
        driver.respond(ticket, CommandStatus::ESME_ROK, response, Tlvs::new());
        if sm.registered_delivery.wants_success() {
            let receipt = Body::DeliverSm(Sm { esm_class: EsmClass::RECEIPT, ..Sm::default() });
            driver.request(receipt, Tlvs::new(), ()).expect("the window is large");
        }
    }
}

const SILENT: &str = "2600";

async fn smsc(bind: CommandStatus) -> SocketAddr {
    let mut listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("bound");
    tokio::spawn(async move {
        while let Ok((stream, _)) = Accept::accept(&mut listener).await {
            tokio::spawn(serve(stream, bind));
        }
    });
    address
}

async fn load(address: SocketAddr, arguments: &[&str]) -> Output {
    let port = address.port().to_string();
    let mut command = Command::new(env!("CARGO_BIN_EXE_smpp-transport"));
    command.args(["load", "--port", &port]).args(arguments).stdin(Stdio::null());
    command.output().await.expect("the program can be started")
}

fn lines(octets: &[u8]) -> Vec<String> {
    String::from_utf8_lossy(octets).lines().map(str::to_owned).collect()
}

fn rate(lines: &[String]) -> Option<f64> {
    lines.last()?.strip_prefix("RATE ")?.parse().ok()
}

#[tokio::test]
async fn the_last_line_is_the_rate_and_every_message_and_receipt_is_counted() {
    let arguments = ["--count", "1003", "--binds", "3", "--window", "20", "--receipts"];
    let output = load(smsc(CommandStatus::ESME_ROK).await, &arguments).await;
    let out = lines(&output.stdout);
    assert!(output.status.success(), "{output:?}");
    assert!(out[0].starts_with("1003 responses in "), "{out:?}");
    assert!(out[1].starts_with("latency in ms: p50 "), "{out:?}");
    assert!(out.contains(&"ESME_ROK 1003".to_owned()), "{out:?}");
    assert!(out.contains(&"receipts 1003 of 1003".to_owned()), "{out:?}");
    assert!(rate(&out).is_some_and(|rate| rate > 0.0), "{out:?}");
    assert!(output.stderr.is_empty(), "no bar where there is no terminal: {output:?}");
}

#[tokio::test]
async fn messages_without_a_response_are_counted_and_are_a_failure() {
    let arguments = ["--count", "100", "--to", SILENT, "--response-timeout", "1"];
    let output = load(smsc(CommandStatus::ESME_ROK).await, &arguments).await;
    let out = lines(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(out[0].starts_with("90 responses in ") && out.contains(&"ESME_ROK 90".to_owned()), "{out:?}");
    assert!(out.contains(&"unanswered 10".to_owned()), "{out:?}");
}

#[tokio::test]
async fn the_rate_is_kept() {
    let output = load(smsc(CommandStatus::ESME_ROK).await, &["--count", "100", "--rate", "200"]).await;
    let out = lines(&output.stdout);
    assert!(rate(&out).is_some_and(|rate| rate < 240.0), "{out:?}");
}

#[tokio::test]
async fn what_goes_wrong_is_one_line_and_a_status() {
    let refused = load(smsc(CommandStatus::ESME_RINVPASWD).await, &[]).await;
    assert_eq!(refused.status.code(), Some(1));
    let said = lines(&refused.stderr);
    assert!(said.len() == 1 && said[0].contains("ESME_RINVPASWD"), "{said:?}");

    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let nobody = listener.local_addr().expect("bound");
    drop(listener);
    let unreachable = load(nobody, &[]).await;
    assert_eq!(unreachable.status.code(), Some(1));
    assert_eq!(lines(&unreachable.stderr).len(), 1, "{unreachable:?}");

    for wrong in [
        &["--window", "0"][..],
        &["--count", "x"],
        &["--rate=-1"],
        &["--rate", "1e-300"],
        &["--text", "€"],
        &["--nonsense"],
    ] {
        assert_eq!(load(nobody, wrong).await.status.code(), Some(2), "{wrong:?}");
    }
}

#[tokio::test]
async fn a_bind_of_another_kind_is_made_if_it_is_asked_for() {
    let address = smsc(CommandStatus::ESME_ROK).await;
    let output = load(address, &["--count", "3", "--bind", "transceiver"]).await;
    assert!(output.status.success(), "{output:?}");
    let output = load(address, &["--count", "3", "--bind", "transmitter", "--receipts"]).await;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        !output.status.success() && said.contains("--bind transmitter: receipts come to a transceiver only"),
        "{said}"
    );
    let output = load(address, &["--tls-ca", "ca.pem"]).await;
    assert_eq!(output.status.code(), Some(2), "TLS options need --tls: {output:?}");
}
