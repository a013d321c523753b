//! The transport as a process, and how to talk to it.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use smsc_sim::{Filter, Rule, SmscSim};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::sync::watch;
use tokio::time::timeout;

/// How long anything may take that must happen.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
/// How long to look for what must not happen.
pub(crate) const WATCH: Duration = Duration::from_millis(500);
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_smpp-transport");

/// A folder of its own, gone with this.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new() -> Folder {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let name = format!("smpp-program-{}-{}", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).expect("a folder for temporary files");
        Folder(folder)
    }

    pub(crate) fn file(&self, name: &str, text: &str) -> String {
        let path = self.0.join(name);
        std::fs::write(&path, text).expect("there is room");
        path.display().to_string()
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.0.join(name).display().to_string()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A simulator for the transport's default account.
pub(crate) async fn smsc() -> SmscSim {
    SmscSim::builder().start().await.expect("a free port")
}

pub(crate) fn rule(json: serde_json::Value) -> Vec<Rule> {
    vec![serde_json::from_value(json).expect("a rule")]
}

/// What has this destination.
pub(crate) fn to(address: &str) -> Filter {
    Filter { to: Some(address.parse().expect("an address")), ..Filter::default() }
}

/// A transport that runs.
pub(crate) struct Transport {
    child: Child,
    said: watch::Receiver<String>,
    http: SocketAddr,
    _folder: Folder,
}

impl Transport {
    /// Starts one with these flags, and with a bus of its own; waits until it serves HTTP.
    pub(crate) async fn start(flags: &[String]) -> Transport {
        Transport::start_with(flags, &[]).await
    }

    pub(crate) async fn start_with(flags: &[String], variables: &[(&str, String)]) -> Transport {
        let (child, mut said, folder) = spawn(flags, variables, "127.0.0.1:0");
        let served = until(&mut said, "HTTP is served").await;
        let line = served.lines().find(|line| line.contains("HTTP is served")).expect("it is there").to_owned();
        let address = line.rsplit_once("address=").expect("it names the place").1.trim_matches('"');
        Transport { child, said, http: address.parse().expect("an address"), _folder: folder }
    }

    /// One that is bound to this SMSC, and may not say at which port it serves HTTP.
    pub(crate) async fn bound_quietly_to(smsc: &SmscSim, flags: &[&str]) -> Transport {
        // Free until somebody else takes it, which is soon enough.
        let free = std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let http = free.expect("a free port");
        let (child, said, folder) = spawn(&dialling(smsc.address(), flags), &[], &http.to_string());
        let transport = Transport { child, said, http, _folder: folder };
        let sessions = smsc.wait_for_sessions(None, 1, PATIENCE).await;
        assert_eq!(sessions.len(), 1, "{}", transport.log());
        transport
    }

    /// One that is told to dial this SMSC, and is bound.
    pub(crate) async fn bound_to(smsc: &SmscSim, flags: &[&str]) -> Transport {
        let transport = Transport::start(&dialling(smsc.address(), flags)).await;
        let sessions = smsc.wait_for_sessions(None, 1, PATIENCE).await;
        assert_eq!(sessions.len(), 1, "{}", transport.log());
        transport
    }

    /// Waits until the log has this, and gives all of it.
    pub(crate) async fn says(&mut self, words: &str) -> String {
        until(&mut self.said, words).await
    }

    /// Waits until the log has this so many times.
    pub(crate) async fn says_times(&mut self, words: &str, times: usize) {
        let said = timeout(PATIENCE, self.said.wait_for(|said| said.matches(words).count() >= times)).await;
        assert!(matches!(said, Ok(Ok(_))), "{times} times {words:?}");
    }

    pub(crate) fn log(&self) -> String {
        self.said.borrow().clone()
    }

    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.id().expect("it runs").to_string();
        let sent = std::process::Command::new("kill").args(["-s", name, &id]).status();
        assert!(sent.is_ok_and(|status| status.success()), "kill -s {name} {id}");
    }

    /// Puts a message on its bus.
    pub(crate) async fn submit(&self, to: &str, text: &str) {
        let body = serde_json::json!({"to_addr": to, "from_addr": "1001", "content": text}).to_string();
        let (status, said) = self.http("POST", "/outbound", &body).await;
        assert_eq!(status, 202, "{said}");
    }

    /// Status and body.
    pub(crate) async fn http(&self, method: &str, path: &str, body: &str) -> (u16, String) {
        let asked = async {
            let mut stream = TcpStream::connect(self.http).await?;
            let head = format!(
                "{method} {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
                self.http,
                body.len()
            );
            stream.write_all(format!("{head}{body}").as_bytes()).await?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await?;
            Ok::<_, io::Error>(answer)
        };
        let answer = timeout(PATIENCE, asked).await.expect("it answers in time").expect("it answers");
        let (head, body) = answer.split_once("\r\n\r\n").expect("it speaks HTTP");
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        (status, body.to_owned())
    }

    /// Ends it in good order: its status, and all that it wrote.
    pub(crate) async fn end(self) -> (ExitStatus, String) {
        self.signal("TERM");
        self.wait().await
    }

    /// Waits until it ends by itself: its status, and all that it wrote.
    pub(crate) async fn wait(mut self) -> (ExitStatus, String) {
        let status = timeout(PATIENCE, self.child.wait()).await.expect("it ends in time").expect("it is our child");
        // Its last lines may still be in the pipe.
        let _ = timeout(PATIENCE, async { while self.said.changed().await.is_ok() {} }).await;
        (status, self.log())
    }

    /// Ends it in good order.
    pub(crate) async fn stop(mut self) -> ExitStatus {
        self.signal("TERM");
        timeout(PATIENCE, self.child.wait()).await.expect("it ends in time").expect("it is our child")
    }
}

/// Flags to dial this place, and others.
pub(crate) fn dialling(smsc: SocketAddr, flags: &[&str]) -> Vec<String> {
    let own = ["--host", &smsc.ip().to_string(), "--port", &smsc.port().to_string(), "--reconnect-initial", "50ms"];
    own.into_iter().chain(flags.iter().copied()).map(str::to_owned).collect()
}

/// Starts the program with a bus of its own; what it says from then on.
fn spawn(flags: &[String], variables: &[(&str, String)], http: &str) -> (Child, watch::Receiver<String>, Folder) {
    let folder = Folder::new();
    let mut command = Command::new(PROGRAM);
    command.env_clear().envs(variables.iter().map(|(name, value)| (*name, value.as_str())));
    command.args(["--http-bind", http, "--data-dir", &folder.path("data"), "--shutdown-timeout", "2s"]);
    command.args(flags).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().expect("the program can be started");
    let mut lines = BufReader::new(child.stderr.take().expect("it is piped")).lines();
    let (says, said) = watch::channel(String::new());
    tokio::spawn(async move {
        while let Ok(Some(line)) = lines.next_line().await {
            says.send_modify(|said| *said = format!("{said}{line}\n"));
        }
    });
    (child, said, folder)
}

async fn until(said: &mut watch::Receiver<String>, words: &str) -> String {
    let found = timeout(PATIENCE, said.wait_for(|said| said.contains(words))).await;
    let is_found = matches!(found, Ok(Ok(_)));
    drop(found);
    let said = said.borrow().clone();
    assert!(is_found, "{words:?} is not in:\n{said}");
    said
}
