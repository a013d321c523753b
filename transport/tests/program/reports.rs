//! `sentry_dsn`: what is reported, and what is not.

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::world::{Folder, PATIENCE, Transport, smsc, to};

/// Takes envelopes as Sentry does, and gives each with its head. Where it is, as a DSN.
async fn sentry() -> (String, mpsc::UnboundedReceiver<(String, String)>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let dsn = format!("http://k3yk3yk3y@{}/42", listener.local_addr().expect("it is bound"));
    let (took, taken) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let took = took.clone();
            tokio::spawn(async move {
                let mut stream = BufReader::new(stream);
                let mut head = String::new();
                while !head.ends_with("\r\n\r\n") && stream.read_line(&mut head).await.is_ok_and(|octets| octets > 0) {}
                let length =
                    head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
                let mut body = vec![0; length.unwrap_or(0)];
                let _ = stream.read_exact(&mut body).await;
                let _ = took.send((head, String::from_utf8_lossy(&body).into_owned()));
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}").await;
            });
        }
    });
    (dsn, taken)
}

#[tokio::test]
async fn lines_at_level_error_are_reported_without_secrets_and_people() {
    let (smsc, folder, (dsn, mut taken)) = (smsc().await, Folder::new(), sentry().await);
    let file = folder.file("config.yaml", "sessions: 1\n");
    let middleware = "[{class_path: logging, outbound_enabled: true, log_level: ERROR}]";
    let flags = ["--config", &file, "--sentry-dsn", &dsn, "--middlewares", middleware, "--transport-name", "here"];
    let mut transport = Transport::bound_to(&smsc, &flags).await;
    // A middleware that logs whole messages logs them here only.
    transport.submit("27820001001", "a private text").await;
    assert!(smsc.wait_for_message(&to("27820001001"), PATIENCE).await.is_some());
    transport.says("a private text").await;
    folder.file("config.yaml", "port: the password of 27820001001\n");
    transport.signal("HUP");
    transport.says("the configuration is refused").await;

    let (head, body) = timeout(PATIENCE, taken.recv()).await.expect("in time").expect("an envelope");
    assert!(head.starts_with("POST /api/42/envelope/ "), "{head}");
    let event = body.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let event = event.into_iter().find(|object| object.get("message").is_some());
    let event = event.unwrap_or_else(|| panic!("an event in {body}"));
    assert_eq!(event["level"], json!(null), "an error is what an event is unless it says otherwise");
    let message = event["message"].as_str().expect("words");
    assert!(message.contains("port is \"the *** of ***\""), "{message}");
    assert_eq!(event["tags"]["transport_name"], "here");
    for private in ["a private text", "27820001001", "password", "k3yk3yk3y"] {
        assert!(!body.contains(private), "{private}: {body}");
    }
    assert!(transport.stop().await.success());
    assert!(taken.try_recv().is_err(), "warnings, news and messages are not reported");
}

#[tokio::test]
async fn what_is_no_dsn_is_refused_in_words_without_its_key() {
    let mut command = tokio::process::Command::new(super::world::PROGRAM);
    command.env_clear().args(["--sentry-dsn", "https://s3cret@sentry.example/"]);
    let output = command.output().await.expect("the program can be started");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), said.lines().count()), (Some(2), 1), "{said}");
    assert!(said.contains("sentry_dsn is \"https://***@sentry.example/\"") && !said.contains("s3cret"), "{said}");
}
