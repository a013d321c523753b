//! Guards what is said over HTTP: each path over real sockets, what is refused and why, and that it ends when told to.
#![cfg(all(feature = "http", feature = "embedded"))]

mod guarding;
mod health;
mod outbound;
mod pages;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use prometheus_client::registry::Registry;
use serde_json::Value;
use smpp_transport::bus::embedded::Config;
use smpp_transport::bus::{self, Bus, Embedded};
use smpp_transport::disk::{Disk, Forgetful};
use smpp_transport::env::{Seed, WallClock};
use smpp_transport::http::{Address, LinkHealth, Listener, Queue, State, StoreHealth};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// Longer than anything here may take.
const LONG: Duration = Duration::from_secs(20);

/// It is always the same time.
struct Still;

impl WallClock for Still {
    fn unix(&self) -> Duration {
        Duration::new(1_763_834_336, 265_016_000)
    }
}

/// A transport's HTTP, with the embedded bus behind it.
struct Server {
    address: SocketAddr,
    disk: Forgetful,
    queue: Embedded,
    bus: Bus,
    bus_health: watch::Sender<bus::Health>,
    links: watch::Sender<Vec<LinkHealth>>,
    store: watch::Sender<StoreHealth>,
    stop: oneshot::Sender<()>,
    served: JoinHandle<()>,
}

impl Server {
    async fn start() -> Server {
        Server::with(Config::default(), |_| {}).await
    }

    async fn with(config: Config, metrics: impl FnOnce(&mut Registry)) -> Server {
        let listener = Listener::bind(&"127.0.0.1:0".parse().unwrap()).await.unwrap();
        let address = listener.tcp_address().unwrap();
        let disk = Forgetful::new();
        let (journal, writer) = Disk::forgetful(&disk).open().unwrap();
        tokio::spawn(writer.run());
        let queue = Embedded::open(journal, config, Arc::new(Still)).unwrap();
        let mut registry = Registry::default();
        metrics(&mut registry);
        let (bus_health, bus_seen) = watch::channel(up());
        let (links, links_seen) = watch::channel(vec![link("smsc", true)]);
        let (store, store_seen) = watch::channel(StoreHealth::default());
        let state = State {
            bus_name: "embedded",
            bus: bus_seen,
            links: links_seen,
            stores: vec![store_seen],
            metrics: Arc::new(registry),
            queue: Some(Queue::new(queue.clone(), "smpp_transport", Seed(7), Arc::new(Still)).with_window(Some(LONG))),
        };
        let (stop, stopped) = oneshot::channel();
        let served = tokio::spawn(listener.serve(state, async { drop(stopped.await) }));
        let bus = queue.connect(10);
        Server { address, disk, queue, bus, bus_health, links, store, stop, served }
    }

    async fn get(&self, path: &str) -> Answer {
        self.ask(&format!("GET {path} HTTP/1.1\r\nHost: {}\r\n\r\n", self.address)).await
    }

    async fn post(&self, path: &str, body: &str) -> Answer {
        self.post_with(path, "Content-Type: application/json\r\n", body).await
    }

    async fn post_with(&self, path: &str, headers: &str, body: &str) -> Answer {
        let (address, length) = (self.address, body.len());
        let head = format!("POST {path} HTTP/1.1\r\nHost: {address}\r\n{headers}Content-Length: {length}\r\n\r\n");
        self.ask(&(head + body)).await
    }

    async fn ask(&self, request: &str) -> Answer {
        let stream = TcpStream::connect(self.address).await.unwrap();
        timeout(LONG, ask(stream, request)).await.expect("no answer")
    }
}

fn up() -> bus::Health {
    bus::Health { is_up: true, state: "open", ..bus::Health::default() }
}

fn link(name: &str, bound: bool) -> LinkHealth {
    let state = if bound { "bound" } else { "connecting" };
    let last_error = (!bound).then(|| "connection refused".to_owned());
    LinkHealth {
        name: name.to_owned(),
        state,
        bound,
        since: Duration::from_millis(1_500),
        outstanding: 3,
        last_error,
        ..LinkHealth::default()
    }
}

/// What was answered.
#[derive(Debug)]
struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    #[track_caller]
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Whether it is a refusal, of this field and with these words.
    #[track_caller]
    fn assert_refused(&self, status: u16, field: Option<&str>, words: &str) {
        let said = self.json();
        assert_eq!(self.status, status, "{said}");
        assert_eq!(said["field"].as_str(), field, "{said}");
        assert!(said["error"].as_str().unwrap().contains(words), "{said}");
    }
}

async fn ask(mut stream: impl AsyncRead + AsyncWrite + Unpin, request: &str) -> Answer {
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut octets = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&octets).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n")
            && let Some(length) = header(head, "content-length")
            && body.len() >= length.parse::<usize>().unwrap()
        {
            let status = head.split(' ').nth(1).unwrap().parse().unwrap();
            return Answer { status, head: head.to_owned(), body: body.to_owned() };
        }
        let read = stream.read_buf(&mut octets).await.unwrap();
        assert!(read > 0, "cut off: {text}");
    }
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let headers = head.lines().filter_map(|line| line.split_once(": "));
    headers.into_iter().find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

fn message(text: &str) -> String {
    format!(r#"{{"to_addr": "27820001001", "from_addr": "1001", "content": "{text}"}}"#)
}

fn socket_path(name: &str) -> std::path::PathBuf {
    std::env::temp_dir().join(format!("smpp-{name}-{}.sock", std::process::id()))
}

fn unix(path: &std::path::Path) -> Address {
    format!("unix:{}", path.display()).parse().unwrap()
}

fn json_bytes(value: &Value) -> Bytes {
    value.to_string().into()
}
