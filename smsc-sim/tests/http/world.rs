//! What the stories are told with: a simulator on free ports, a client that speaks HTTP by the letter, an ESME.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::Value;
use smpp_transport::driver::{Client, ClientConfig, Incoming};
use smpp_transport::pdu::{RegisteredDelivery, ShortMessage, Sm};
use smpp_transport::session::BindKind;
use smsc_sim::{Builder, SmscSim};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Longer than any story: what has not come by then does not come.
pub(crate) const LONG: Duration = Duration::from_secs(20);

/// A simulator with HTTP.
pub(crate) struct Api {
    pub(crate) smsc: SmscSim,
    pub(crate) address: SocketAddr,
}

/// One request, and its answer. Unless a header says another, Host is where it goes.
pub(crate) async fn ask(address: SocketAddr, method: &str, path: &str, headers: &[&str], body: &str) -> Answer {
    let mut stream = begin(address, method, path, headers, body).await;
    let mut octets = Vec::new();
    timeout(LONG, stream.read_to_end(&mut octets)).await.expect("an answer comes").expect("whole");
    Answer::of(&octets)
}

async fn begin(address: SocketAddr, method: &str, path: &str, headers: &[&str], body: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.expect("it listens");
    let mut head = format!("{method} {path} HTTP/1.1\r\nconnection: close\r\n");
    if !headers.iter().any(|header| header.starts_with("host:")) {
        head += &format!("host: {address}\r\n");
    }
    headers.iter().for_each(|header| head += &format!("{header}\r\n"));
    if !body.is_empty() && !headers.iter().any(|header| header.starts_with("content-length:")) {
        head += &format!("content-length: {}\r\n", body.len());
    }
    stream.write_all(format!("{head}\r\n{body}").as_bytes()).await.expect("it reads");
    stream
}

/// What was answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// The lines before the empty one, in small letters.
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Api {
    pub(crate) async fn start() -> Api {
        Api::start_with(|builder| builder).await
    }

    pub(crate) async fn start_with(change: impl FnOnce(Builder) -> Builder) -> Api {
        let builder = SmscSim::builder().http("127.0.0.1:0").seed(7);
        let smsc = change(builder).start().await.expect("there are free ports");
        let address = smsc.http_address().expect("it was asked for");
        Api { smsc, address }
    }

    /// Asks below `/api/v1/`.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.ask("GET", &format!("/api/v1/{path}"), &[], "").await
    }

    /// What a GET gives, which must be well.
    pub(crate) async fn see(&self, path: &str) -> Value {
        let answer = self.get(path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        answer.json()
    }

    /// Sends JSON below `/api/v1/`.
    pub(crate) async fn send(&self, method: &str, path: &str, body: impl ToString) -> Answer {
        self.ask(method, &format!("/api/v1/{path}"), &["content-type: application/json"], &body.to_string()).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.ask("DELETE", &format!("/api/v1/{path}"), &[], "").await
    }

    /// Any request.
    pub(crate) async fn ask(&self, method: &str, path: &str, headers: &[&str], body: &str) -> Answer {
        ask(self.address, method, path, headers, body).await
    }

    /// Follows server-sent events. Once this is there, the simulator has begun to answer.
    pub(crate) async fn follow(&self, path: &str, headers: &[&str]) -> Events {
        let stream = begin(self.address, "GET", &format!("/api/v1/{path}"), headers, "").await;
        let mut events = Events(BufReader::new(stream));
        let status = events.line().await.expect("an answer comes");
        assert!(status.contains(" 200 "), "{status}");
        while !events.line().await.expect("a head").is_empty() {}
        events
    }

    /// An ESME bound with the default account that takes all that it is delivered.
    pub(crate) async fn esme(&self, kind: BindKind) -> Client {
        let (client, mut incoming) = self.esme_with(kind).await;
        tokio::spawn(async move {
            while let Some(delivery) = incoming.next().await {
                delivery.accept();
            }
        });
        client
    }

    pub(crate) async fn esme_with(&self, kind: BindKind) -> (Client, Incoming) {
        let account = |text: &str| text.parse().expect("it fits");
        let config = ClientConfig::new(kind, account("smppclient1"), "password".parse().expect("it fits"));
        Client::connect(&self.smsc.address().to_string(), config).await.expect("it may bind")
    }
}

impl Answer {
    fn of(octets: &[u8]) -> Answer {
        let end = octets.windows(4).position(|four| four == b"\r\n\r\n").expect("a head");
        let head = String::from_utf8_lossy(&octets[..end]).to_lowercase();
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        assert!(!head.contains("transfer-encoding"), "only streams come in pieces: {head}");
        Answer { status, head, body: octets[end + 4..].to_vec() }
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn json(&self) -> Value {
        assert!(self.head.contains("content-type: application/json"), "{}", self.head);
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// It must be refused so: with this status, field, and words in what is said.
    pub(crate) fn is_refused(&self, status: u16, field: Option<&str>, words: &str) {
        let json = self.json();
        assert_eq!((self.status, json["field"].as_str()), (status, field), "{json}");
        assert!(json["error"].as_str().is_some_and(|error| error.contains(words)), "{json}");
    }
}

/// Server-sent events.
pub(crate) struct Events(BufReader<TcpStream>);

impl Events {
    async fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        let read = timeout(LONG, self.0.read_line(&mut line)).await.expect("something comes").expect("text");
        (read > 0).then(|| line.trim_end().to_owned())
    }

    /// Name, id and data of the next event; none when the stream has ended.
    pub(crate) async fn next(&mut self) -> Option<(String, Option<u64>, Value)> {
        let (mut name, mut id) = ("message".to_owned(), None);
        loop {
            // The sizes of the pieces that they come in are lines too: none of them looks like these.
            let line = self.line().await?;
            if let Some(text) = line.strip_prefix("event: ") {
                text.clone_into(&mut name);
            } else if let Some(text) = line.strip_prefix("id: ") {
                id = text.parse().ok();
            } else if let Some(text) = line.strip_prefix("data: ") {
                return Some((name, id, serde_json::from_str(text).expect("JSON")));
            }
        }
    }

    /// Number and command of the next PDU.
    pub(crate) async fn pdu(&mut self) -> (u64, String) {
        let (name, id, pdu) = self.next().await.expect("it goes on");
        assert_eq!((name.as_str(), id), ("message", pdu["number"].as_u64()), "{pdu}");
        (id.expect("a number"), pdu["command"].as_str().unwrap_or_default().to_owned())
    }
}

/// A message to this address that asks for a receipt.
pub(crate) fn sm(to: &str, text: &str) -> Sm {
    Sm {
        source_addr: "1001".parse().expect("it fits"),
        destination_addr: to.parse().expect("it fits"),
        registered_delivery: RegisteredDelivery(1),
        short_message: ShortMessage::new(text.to_owned()).expect("it fits"),
        ..Sm::default()
    }
}

/// Submits, and gives the id.
pub(crate) async fn submit(esme: &Client, to: &str, text: &str) -> String {
    esme.submit(sm(to, text)).await.expect("it is accepted").message_id.text()
}
