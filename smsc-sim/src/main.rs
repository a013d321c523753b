//! The simulator as a program: flags, the line that says it is ready, signals.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use smsc_sim::file::{File, rules_of};
use smsc_sim::{Account, Builder, SmscSim, Strictness};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

/// An SMSC simulator: serves SMPP 3.4 to clients under test, and tells over HTTP what they did.
#[derive(Parser)]
#[command(version)]
struct Flags {
    /// Where to serve SMPP; port 0 picks a free one; may be given several times [default: 127.0.0.1:2775]
    #[arg(long, value_name = "ADDR")]
    listen: Vec<String>,
    /// Where to serve SMPP over TLS too; with the certificate of the configuration file, or one made for localhost
    #[arg(long, value_name = "ADDR")]
    tls_listen: Vec<String>,
    /// Where to serve the HTTP API and the console; port 0 picks a free one [default: 127.0.0.1:2776]
    #[arg(long, value_name = "ADDR|off")]
    http: Option<String>,
    /// Who may bind; may be given several times [default: smppclient1:password]
    #[arg(long = "account", value_name = "SYSTEM_ID:PASSWORD")]
    accounts: Vec<String>,
    /// What goes wrong: a set of rules by name (healthy, magic-numbers, flaky, throttling, slow, dead), or a YAML file
    #[arg(long, value_name = "NAME|FILE")]
    rules: Option<String>,
    /// Read what can be understood, and refuse only what cannot be, instead of every field that the standard does not allow;
    /// passwords may have 64 characters
    #[arg(long)]
    lenient: bool,
    /// From which all chance is drawn [default: from the operating system]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// A YAML file with accounts, rules, limits, TLS and all else; flags go before it
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Keep messages and receipts due in this directory over restarts [default: in memory only]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Write all that passes to a capture file that Wireshark opens
    #[arg(long, value_name = "FILE.pcap")]
    capture: Option<PathBuf>,
    /// After how much silence of a client to send enquire_link; 0 never does [default: 55]
    #[arg(long, value_name = "SECONDS")]
    enquire_link_interval: Option<u64>,
    /// What to log to standard error: error, warn, info, debug, trace, or a filter such as `smpp::pdu=trace` [default: info]
    #[arg(long, value_name = "LEVEL")]
    log_level: Option<String>,
}

fn main() -> ExitCode {
    let flags = match Flags::try_parse() {
        Ok(flags) => flags,
        Err(error) => return usage(&error),
    };
    match run(flags) {
        Ok(()) => ExitCode::SUCCESS,
        Err(line) => {
            let _ = writeln!(std::io::stderr(), "smsc-sim: {line}");
            ExitCode::from(2)
        }
    }
}

/// Help and version go out as they are; an error is one line: what clap says up to its first empty one.
fn usage(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    let text = error.to_string();
    let lines: Vec<_> = text.lines().map(str::trim).take_while(|line| !line.is_empty()).collect();
    let line = lines.join(" ");
    let line = line.trim_start_matches("error: ");
    let _ = writeln!(std::io::stderr(), "smsc-sim: {line} (--help lists what there is)");
    ExitCode::from(2)
}

fn run(flags: Flags) -> Result<(), String> {
    let file = flags.config.as_deref().map(File::read).transpose()?.unwrap_or_default();
    log(flags.log_level.as_deref().or(file.log_level.as_deref()))?;
    let seed = flags.seed.or(file.seed).unwrap_or_else(seed_from_the_system);
    let builder = builder(flags, file)?.seed(seed);
    let runtime = tokio::runtime::Runtime::new().map_err(|error| format!("cannot start: {error}"))?;
    runtime.block_on(async {
        let sim = builder.start().await.map_err(|error| error.to_string())?;
        // Before anyone is told that it is ready, and may end it.
        let mut signals = Signals::catch()?;
        ready(&sim, seed);
        signals.next().await;
        tokio::select! {
            biased;
            () = sim.stop() => {}
            () = signals.next() => {}
        }
        Ok(())
    })
}

/// State changes, and PDUs that cannot be read, with the reason.
const LOG_LEVEL: &str = "info,smpp::pdu=debug";

fn log(level: Option<&str>) -> Result<(), String> {
    let level = level.unwrap_or(LOG_LEVEL);
    let wrong = |why: String| {
        format!(
            "log level {level:?}: {why}; error, warn, info, debug, trace, off or a filter such as smpp::pdu=trace is allowed"
        )
    };
    // A filter takes any word for the name of a part of the program.
    if level.chars().all(char::is_alphanumeric) && level.parse::<LevelFilter>().is_err() {
        return Err(wrong("no such level".to_owned()));
    }
    let filter = EnvFilter::try_new(level).map_err(|error| wrong(error.to_string()))?;
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    Ok(())
}

/// What is to run: what the flags say, then what the file says, then what is usual.
fn builder(flags: Flags, file: File) -> Result<Builder, String> {
    let path = flags.config.map(|path| format!("{}: ", path.display())).unwrap_or_default();
    let mut builder = SmscSim::builder();
    let mut listen = if flags.listen.is_empty() { file.listen.0.clone() } else { flags.listen };
    if listen.is_empty() {
        listen.push("127.0.0.1:2775".to_owned());
    }
    for address in listen {
        builder = builder.listen(&address);
    }
    let mut tls = file.tls.clone().unwrap_or_default();
    if !flags.tls_listen.is_empty() {
        tls.listen = flags.tls_listen;
    }
    if !tls.listen.is_empty() {
        builder = builder.tls(tls);
    }
    match flags.http.as_deref().or(file.http.as_deref()).unwrap_or("127.0.0.1:2776") {
        "off" => {}
        address => builder = builder.http(address),
    }
    if let Some(directory) = flags.data_dir.as_ref().or(file.data_dir.as_ref()) {
        builder = builder.data_dir(directory);
    }
    if let Some(capture) = flags.capture.as_ref().or(file.capture.as_ref()) {
        builder = builder.capture(capture);
    }
    let (mut applied, mut password_max) = (Ok(()), 0);
    builder = builder.configure(|config| {
        applied = file.apply(config).map_err(|words| format!("{path}{words}"));
        if let Some(seconds) = flags.enquire_link_interval {
            config.session.enquire_link_interval = (seconds > 0).then(|| Duration::from_secs(seconds));
        }
        if flags.lenient {
            config.strictness = Strictness::Lenient;
        }
        password_max = config.password_max();
    });
    applied?;
    if let Some(name_or_path) = flags.rules {
        let rules = rules_of(&name_or_path).map_err(|words| format!("--rules: {words}"))?;
        builder = builder.configure(|config| config.rules = rules);
    }
    for account in accounts(&flags.accounts, password_max)? {
        builder = builder.account_with(account);
    }
    Ok(builder)
}

/// Read here and not with the other flags: those are repeated in what is said of them, and these hold passwords.
fn accounts(texts: &[String], password_max: usize) -> Result<Vec<Account>, String> {
    let read = |text: &String| Account::parse(text, password_max).map_err(|error| format!("--account: {error}"));
    texts.iter().map(read).collect()
}

/// Says where it can be reached. Whoever waits for the line may have gone; that is no reason to end.
fn ready(sim: &SmscSim, seed: u64) {
    let list =
        |addresses: &[std::net::SocketAddr]| addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
    let tls = match sim.tls_addresses() {
        [] => String::new(),
        addresses => format!(" tls={}", list(addresses)),
    };
    let http = sim.http_address().map_or("off".to_owned(), |address| address.to_string());
    let mut out = std::io::stdout();
    let line = format!("ready smpp={} http={http} seed={seed}{tls}", list(sim.addresses()));
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

/// SIGINT and SIGTERM, caught from when this is made.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn catch() -> Result<Signals, String> {
        let catch = |kind| signal(kind).map_err(|error| format!("cannot catch signals: {error}"));
        Ok(Signals { terminate: catch(SignalKind::terminate())?, interrupt: catch(SignalKind::interrupt())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            biased;
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// The one place where chance comes in that no seed can repeat: it is printed, so that it can be given next time.
fn seed_from_the_system() -> u64 {
    use std::hash::{BuildHasher, Hasher};
    std::collections::hash_map::RandomState::new().build_hasher().finish()
}
