//! Guards the simulator as a program: the line that says it is ready, its flags, its exit statuses, its signals.

use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::process::{Child, ChildStderr, ChildStdout, Command, ExitStatus, Stdio};
use std::time::Duration;

use smpp_transport::driver::{Client, ClientConfig};
use smpp_transport::session::BindKind;
use tokio::time::timeout;

/// A simulator as a process; killed when the test that started it fails.
struct Program {
    child: Child,
    out: BufReader<ChildStdout>,
    err: ChildStderr,
}

impl Program {
    fn start(flags: &[&str]) -> Program {
        let mut command = Command::new(env!("CARGO_BIN_EXE_smsc-sim"));
        // Nobody else's port, unless the test is about it.
        let http: &[&str] = if flags.contains(&"--http") { &[] } else { &["--http", "off"] };
        let mut child = command.args(flags).args(http).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (out, err) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        Program { child, out: BufReader::new(out), err }
    }

    /// The line that says it is ready, without its end.
    fn ready(&mut self) -> String {
        let mut line = String::new();
        self.out.read_line(&mut line).unwrap();
        assert!(line.ends_with('\n'), "{line:?}");
        line.trim_end().to_owned()
    }

    fn signal(&self, name: &str) {
        let told = Command::new("kill").args([name, &self.child.id().to_string()]).status().unwrap();
        assert!(told.success());
    }

    /// What it has still to say on both streams, and its exit status.
    fn end(mut self) -> (ExitStatus, String, String) {
        let (mut out, mut err) = (String::new(), String::new());
        self.out.read_to_string(&mut out).unwrap();
        self.err.read_to_string(&mut err).unwrap();
        (self.child.wait().unwrap(), out, err)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Fails when it has ended, as it should have.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The address and the seed of a ready line, which must be exactly `ready smpp=127.0.0.1:PORT http=off seed=N`.
fn read(ready: &str) -> (String, String) {
    let rest = ready.strip_prefix("ready smpp=127.0.0.1:").unwrap_or_else(|| panic!("{ready:?}"));
    let (port, rest) = rest.split_once(' ').unwrap();
    let seed = rest.strip_prefix("http=off seed=").unwrap_or_else(|| panic!("{ready:?}"));
    for number in [port, seed] {
        assert!(!number.is_empty() && number.bytes().all(|digit| digit.is_ascii_digit()), "{ready:?}");
    }
    assert_ne!(port, "0");
    (format!("127.0.0.1:{port}"), seed.to_owned())
}

fn assert_refused(flags: &[&str], words: &[&str]) {
    let (status, out, err) = Program::start(flags).end();
    assert_eq!(status.code(), Some(2), "{flags:?}: {err}");
    assert_eq!(out, "", "{flags:?}");
    assert!(err.ends_with('\n') && err.trim_end().lines().count() == 1, "{flags:?}: not one line: {err}");
    assert!(err.starts_with("smsc-sim: "), "{err}");
    for word in words {
        assert!(err.contains(word), "{flags:?}: {word:?} is not in {err}");
    }
}

async fn bind(address: &str, system_id: &str, password: &str) -> Client {
    let config = ClientConfig::new(BindKind::Transceiver, system_id.parse().unwrap(), password.parse().unwrap());
    Client::connect(address, config).await.unwrap().0
}

#[tokio::test]
async fn it_says_once_that_it_is_ready_and_a_signal_unbinds_its_clients_and_ends_it() {
    for signal in ["-TERM", "-INT"] {
        let mut program = Program::start(&["--listen", "127.0.0.1:0", "--seed", "18446744073709551615"]);
        let (address, seed) = read(&program.ready());
        assert_eq!(seed, "18446744073709551615");
        let client = bind(&address, "smppclient1", "password").await;
        program.signal(signal);
        // Our side answers the unbind; a client whose line just broke would end too, so the log is asked below.
        timeout(Duration::from_secs(20), client.ended()).await.unwrap();
        let (status, out, err) = program.end();
        assert_eq!(status.code(), Some(0), "{err}");
        assert_eq!(out, "", "one line on standard output, no more");
        assert!(err.contains("Unbound"), "the session ended by our unbind: {err}");
    }
}

#[tokio::test]
async fn accounts_given_as_flags_replace_the_default_one() {
    let flags = ["--listen", "127.0.0.1:0", "--account", "one:secret", "--account", "two:"];
    let mut program = Program::start(&flags);
    let (address, _) = read(&program.ready());
    bind(&address, "one", "secret").await.unbind().await;
    bind(&address, "two", "").await.unbind().await;
    let config = ClientConfig::new(BindKind::Receiver, "smppclient1".parse().unwrap(), "password".parse().unwrap());
    assert!(Client::connect(&address, config).await.is_err());
    program.signal("-TERM");
    assert_eq!(program.end().0.code(), Some(0));
}

#[test]
fn without_a_seed_each_start_draws_another_and_prints_it() {
    let seed = || {
        let mut program = Program::start(&["--listen", "127.0.0.1:0"]);
        let (_, seed) = read(&program.ready());
        program.signal("-TERM");
        assert_eq!(program.end().0.code(), Some(0));
        seed
    };
    assert_ne!(seed(), seed());
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let mut program = Program::start(&["--listen", "127.0.0.1:0"]);
    let (address, _) = read(&program.ready());
    // Somebody who is bound and never answers unbind.
    let mut silent = std::net::TcpStream::connect(address).unwrap();
    let bind = "0000002a000000090000000000000001 736d7070636c69656e743100 70617373776f726400 00 34 00 00 00";
    let octets = smpp_transport::pdu::json::from_hex(bind).unwrap();
    std::io::Write::write_all(&mut silent, &octets).unwrap();
    let mut header = [0; 16];
    silent.read_exact(&mut header).unwrap();
    assert_eq!(header[4..12], [0x80, 0, 0, 9, 0, 0, 0, 0]);
    let mut rest = vec![0; usize::from(header[3]) - 16];
    silent.read_exact(&mut rest).unwrap();
    program.signal("-TERM");
    silent.read_exact(&mut header).unwrap();
    assert_eq!(header[4..8], [0, 0, 0, 6], "it unbinds");
    program.signal("-TERM");
    let (status, _, err) = program.end();
    assert_eq!(status.code(), Some(0), "{err}");
    silent.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    assert_eq!(silent.read(&mut header).unwrap_or(0), 0, "the line ends with it");
}

#[test]
fn wrong_flags_are_said_in_one_line_and_end_it_with_status_2() {
    assert_refused(&["--no-such-flag"], &["--no-such-flag"]);
    assert_refused(&["surplus"], &["surplus"]);
    assert_refused(&["--seed", "x"], &["--seed"]);
    assert_refused(&["--account", "nocolon"], &["--account", "colon"]);
    assert_refused(&["--account", ":secret"], &["system_id"]);
    assert_refused(&["--account", "a-name-of-16-let:secret"], &["system_id"]);
    assert_refused(&["--account", "one:ninechars"], &["password"]);
    assert_refused(&["--listen", "127.0.0.1:0", "--http", "nowhere"], &["nowhere"]);
    assert_refused(&["--listen", "nowhere"], &["nowhere"]);
    assert_refused(&["--enquire-link-interval", "-1"], &["-1"]);
    assert_refused(&["--tls-listen", "nowhere"], &["nowhere"]);
    assert_refused(&["--account", "one:1", "--account", "one:2"], &["accounts[1]", "\"one\"", "accounts[0]"]);
    assert_refused(&["--log-level", "loud"], &["\"loud\"", "error, warn, info, debug, trace"]);
    assert_refused(&["--log-level", "smpp=loud"], &["\"smpp=loud\"", "error, warn, info, debug, trace"]);
    assert_refused(&["--rules", "nosuch"], &["--rules", "\"nosuch\"", "healthy, magic-numbers", "no file"]);
    assert_refused(&["--config", "/no/such.yaml"], &["/no/such.yaml", "No such file"]);
    assert_refused(&["--capture", "/no/such/file.pcap"], &["/no/such/file.pcap", "No such file"]);
    assert_refused(&["--data-dir", "/dev/null/here"], &["/dev/null/here"]);
}

/// A file of this test, which goes with it.
struct Written(std::path::PathBuf);

impl Written {
    fn new(name: &str, text: &str) -> Written {
        let path = std::env::temp_dir().join(format!("smsc-sim-{}-{name}", std::process::id()));
        std::fs::write(&path, text).unwrap();
        Written(path)
    }

    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for Written {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

#[test]
fn mistakes_in_the_configuration_are_said_with_file_place_value_and_what_is_allowed() {
    for (text, words) in [
        ("accuonts: []", &["line 1 column 1", "accuonts", "accounts"][..]),
        ("limits: { messages_max: many }", &["line 1 column 25", "\"many\"", "a whole number"]),
        ("limits: { messages_max: 0 }", &["limits.messages_max is 0", "at least 1"]),
        ("session: { window: 0 }", &["session.window is 0", "at least 1"]),
        ("session: { response_timeout: soon }", &["line 1", "\"soon\" is no time", "200ms"]),
        ("rules: nosuch", &["\"nosuch\" is no set of rules", "healthy"]),
        ("rules: [{ when: { chance: 2 }, then: {} }]", &["rules[0].when.chance is 2", "0 to 1"]),
        ("rules: [{ then: { status: RFULL } }]", &["line 1", "\"RFULL\" is no status", "ESME_RTHROTTLED"]),
        ("policy: { outcome: LOST }", &["line 1", "\"LOST\" is no state", "DELIVERED"]),
        ("policy: { receipt: { data_coding: 300 } }", &["line 1", "300"]),
        ("accounts: [{ system_id: one }]", &["password"]),
        ("accounts: [{ system_id: one, password: secret12345 }]", &["accounts[0]", "password", "8"]),
        ("accounts: [{ system_id: one, password: a, window: 0 }]", &["accounts[0]", "window", "at least 1"]),
        ("accounts: [{ system_id: one, password: a, binds: both }]", &["line 1", "both", "transceiver"]),
        ("strictness: very", &["line 1", "very", "lenient"]),
        ("tls: { listen: ['127.0.0.1:0'], certificate: a.pem }", &["certificate", "key"]),
        ("log_level: loud", &["\"loud\"", "error, warn"]),
        ("seed: -1", &["line 1 column 7", "-1"]),
        ("system_id: sixteen-letters-x", &["system_id", "sixteen-letters-x"]),
        ("listen: [", &["line 1"]),
    ] {
        let file = Written::new("config.yaml", text);
        let flags = ["--listen", "127.0.0.1:0", "--config", file.path()];
        let (status, out, err) = Program::start(&flags).end();
        assert_eq!((status.code(), out.as_str()), (Some(2), ""), "{text}: {err}");
        assert_eq!(err.lines().count(), 1, "{text}: {err}");
        assert!(!err.contains("secret12345"), "{err}");
        for word in words {
            assert!(err.contains(word), "{text}: {word:?} is not in {err}");
        }
    }
}

#[test]
fn mistakes_in_rules_are_said_with_file_place_value_and_what_is_allowed() {
    let file = Written::new("rules.yaml", "rules:\n  - when: { operation: submit }\n    then: {}\n");
    assert_refused(&["--rules", file.path()], &[file.path(), "line 2 column", "submit", "submit_sm"]);
    let file = Written::new("rules2.yaml", "- when: { above_rate: 0 }\n");
    assert_refused(&["--rules", file.path()], &[file.path(), "rules[0].when.above_rate is 0", "above 0"]);
}

#[test]
fn help_lists_every_flag() {
    let (status, out, _) = Program::start(&["--help"]).end();
    assert_eq!(status.code(), Some(0));
    for flag in [
        "--listen",
        "--tls-listen",
        "--http",
        "--account",
        "--rules",
        "--lenient",
        "--seed",
        "--config",
        "--data-dir",
        "--capture",
        "--enquire-link-interval",
        "--log-level",
        "--help",
        "--version",
    ] {
        assert!(out.contains(&format!("{flag} ")) || out.contains(&format!("{flag}\n")), "{flag}: {out}");
    }
}

#[tokio::test]
async fn the_ready_line_names_every_listener_and_flags_go_before_the_file() {
    let text = "listen: ['127.0.0.1:0', '127.0.0.1:0']\nseed: 5\nhttp: '127.0.0.1:0'\naccounts: [{ system_id: one, password: a }]\n";
    let file = Written::new("ready.yaml", text);
    let flags = ["--config", file.path(), "--tls-listen", "127.0.0.1:0", "--seed", "7", "--account", "two:b"];
    let mut program = Program::start(&flags);
    let ready = program.ready();
    let words: Vec<_> = ready.split(' ').collect();
    assert_eq!((words.len(), words[0], words[2], words[3]), (5, "ready", "http=off", "seed=7"), "{ready}");
    let smpp: Vec<_> = words[1].strip_prefix("smpp=").unwrap().split(',').collect();
    assert_eq!(smpp.len(), 2, "{ready}");
    assert!(words[4].starts_with("tls=127.0.0.1:") && !words[4].ends_with(":0"), "{ready}");
    for address in smpp {
        bind(address, "two", "b").await.unbind().await;
        let config = ClientConfig::new(BindKind::Receiver, "one".parse().unwrap(), "a".parse().unwrap());
        assert!(Client::connect(address, config).await.is_err());
    }
    program.signal("-TERM");
    assert_eq!(program.end().0.code(), Some(0));
}

#[test]
fn a_port_that_is_taken_is_said_in_one_line_and_ends_it_with_status_2() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    assert_refused(&["--listen", &address], &["cannot listen on", &address]);
}

#[test]
fn passwords_are_in_none_of_its_lines() {
    for account in ["one:hunter2-is-too-long", ":hunter2", "a-name-of-16-let:hunter2"] {
        let (status, out, err) = Program::start(&["--account", account]).end();
        assert_eq!(status.code(), Some(2));
        assert!(!format!("{out}{err}").contains("hunter2"), "{err}");
    }
}

#[test]
fn its_health_is_told_over_http() {
    use std::io::{Read, Write};
    let mut program = Program::start(&["--listen", "127.0.0.1:0", "--http", "127.0.0.1:0"]);
    let ready = program.ready();
    let address = ready.split_once(" http=").and_then(|(_, rest)| rest.split_once(' ')).expect("it says where").0;
    let mut stream = std::net::TcpStream::connect(address).expect("it listens there");
    stream.write_all(b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains(r#"{"status":"ok""#), "{answer}");
}
