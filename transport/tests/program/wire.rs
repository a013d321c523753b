//! Guards that options of the bind reach the wire, byte by byte, whatever the simulator would take.

use std::net::SocketAddr;

use bytes::BytesMut;
use smpp_transport::pdu::{Bind, Body, Leniency, Pdu, next_frame};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpListener;
use tokio::time::timeout;

use super::world::{PATIENCE, Transport, dialling};

/// Waits for a connection, and returns its bind and where it comes from.
async fn bind_on(listener: &TcpListener) -> (Bind, SocketAddr) {
    let come = async {
        let (mut stream, peer) = listener.accept().await.expect("it dials");
        let mut read = BytesMut::new();
        loop {
            if let Some(frame) = next_frame(&mut read, 70_000).expect("a frame") {
                let pdu = Pdu::decode(&frame, Leniency::TOLERANT).expect("a PDU");
                return match pdu.body {
                    Body::BindTransceiver(bind) | Body::BindTransmitter(bind) | Body::BindReceiver(bind) => {
                        (bind, peer)
                    }
                    other => panic!("{other:?}"),
                };
            }
            assert!(stream.read_buf(&mut read).await.expect("it writes") > 0, "it hung up");
        }
    };
    timeout(PATIENCE, come).await.expect("it binds in time")
}

async fn listener() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.expect("a free port")
}

#[tokio::test]
async fn a_long_password_numbering_and_the_local_address_are_those_of_the_options() {
    let smsc = listener().await;
    let flags = [
        "--password",
        "twelve-chars",
        "--password-max",
        "16",
        "--addr-ton",
        "1",
        "--addr-npi",
        "ISDN",
        "--address-range",
        "^27",
        "--source-address",
        "127.0.0.9",
    ];
    let transport = Transport::start(&dialling(smsc.local_addr().unwrap(), &flags)).await;
    let (bind, peer) = bind_on(&smsc).await;
    assert_eq!(bind.password.as_bytes(), b"twelve-chars");
    assert_eq!((bind.addr_ton.0, bind.addr_npi.0, bind.address_range.as_bytes()), (1, 1, &b"^27"[..]));
    assert_eq!(peer.ip().to_string(), "127.0.0.9");
    assert!(!transport.log().contains("twelve-chars"));
}

#[tokio::test]
async fn a_password_is_cut_at_password_max_if_that_is_wanted() {
    let smsc = listener().await;
    let flags = ["--password", "twelve-chars", "--password-max", "10", "--credentials-truncate"];
    let transport = Transport::start(&dialling(smsc.local_addr().unwrap(), &flags)).await;
    assert_eq!(bind_on(&smsc).await.0.password.as_bytes(), b"twelve-cha");
    assert!(transport.log().contains("password is cut to 10 characters"), "{}", transport.log());
}

#[tokio::test]
async fn the_receiver_binds_elsewhere_with_an_account_of_its_own() {
    let (transmitters, receivers) = (listener().await, listener().await);
    let port = receivers.local_addr().unwrap().port().to_string();
    let flags = [
        "--bind-type",
        "tx+rx",
        "--system-id",
        "tx",
        "--password",
        "txpw",
        "--receiver-host",
        "127.0.0.1",
        "--receiver-port",
        &port,
        "--receiver-system-id",
        "rx",
        "--receiver-password",
        "rxpw",
    ];
    let transport = Transport::start(&dialling(transmitters.local_addr().unwrap(), &flags)).await;
    let (transmitter, receiver) = tokio::join!(bind_on(&transmitters), bind_on(&receivers));
    assert_eq!((transmitter.0.system_id.as_bytes(), transmitter.0.password.as_bytes()), (&b"tx"[..], &b"txpw"[..]));
    assert_eq!((receiver.0.system_id.as_bytes(), receiver.0.password.as_bytes()), (&b"rx"[..], &b"rxpw"[..]));
    drop(transport);
}

#[tokio::test]
async fn a_password_in_a_file_is_the_one_that_is_sent() {
    let smsc = listener().await;
    let folder = super::world::Folder::new();
    let file = folder.file("password", "fromfile\n");
    let flags = dialling(smsc.local_addr().unwrap(), &[]);
    let _transport = Transport::start_with(&flags, &[("PASSWORD_FILE", file)]).await;
    assert_eq!(bind_on(&smsc).await.0.password.as_bytes(), b"fromfile");
}

#[tokio::test]
async fn a_message_that_is_posted_twice_waits_once() {
    let smsc = listener().await;
    let transport = Transport::start(&dialling(smsc.local_addr().unwrap(), &[])).await;
    let body = r#"{"to_addr": "2701", "from_addr": "1", "content": "hi", "message_id": "mine"}"#;
    let mut answers = Vec::new();
    for _ in 0..2 {
        answers.push(transport.http("POST", "/outbound", body).await.0);
    }
    let other = transport.http("POST", "/outbound", &body.replace("hi", "ho")).await.0;
    assert_eq!((answers, other), (vec![202, 202], 409));
}
