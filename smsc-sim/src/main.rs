//! The simulator as a program: flags, the line that says it is ready, signals.

mod http;

use std::io::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use smsc_sim::{Account, Config, SmscSim};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// An SMSC simulator: serves SMPP 3.4 to clients under test.
#[derive(Parser)]
#[command(version)]
struct Flags {
    /// Where to serve SMPP; port 0 picks a free one
    #[arg(long, default_value = "127.0.0.1:2775", value_name = "ADDR")]
    listen: String,
    /// Where to serve HTTP (/health); port 0 picks a free one
    #[arg(long, default_value = "127.0.0.1:2776", value_name = "ADDR|off")]
    http: String,
    /// Who may bind; may be given several times [default: smppclient1:password]
    #[arg(long = "account", value_name = "SYSTEM_ID:PASSWORD")]
    accounts: Vec<String>,
    /// From which all chance is drawn [default: from the operating system]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// After how much silence of a client to send enquire_link; 0 never does
    #[arg(long, default_value_t = 55, value_name = "SECONDS")]
    enquire_link_interval: u64,
    /// What to log to standard error: error, warn, info, debug, trace, or a filter such as `smpp::pdu=trace`
    #[arg(long, default_value = "info", value_name = "LEVEL")]
    log_level: tracing_subscriber::EnvFilter,
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
    tracing_subscriber::fmt().with_env_filter(flags.log_level).with_writer(std::io::stderr).init();
    let runtime = tokio::runtime::Runtime::new().map_err(|error| format!("cannot start: {error}"))?;
    runtime.block_on(async {
        let seed = flags.seed.unwrap_or_else(seed_from_the_system);
        let mut config = Config { seed, ..Config::default() };
        config.session.enquire_link_interval =
            (flags.enquire_link_interval > 0).then(|| Duration::from_secs(flags.enquire_link_interval));
        if !flags.accounts.is_empty() {
            config.accounts = accounts(&flags.accounts)?;
        }
        let sim = SmscSim::start(&flags.listen, config).await.map_err(|error| cannot_listen(&flags.listen, &error))?;
        let http = match flags.http.as_str() {
            "off" => "off".to_owned(),
            address => http::start(address).await.map_err(|error| cannot_listen(address, &error))?.to_string(),
        };
        // Before anyone is told that it is ready, and may end it.
        let mut signals = Signals::catch()?;
        ready(&format!("ready smpp={} http={http} seed={seed}", sim.address()));
        signals.next().await;
        tokio::select! {
            biased;
            () = sim.stop() => {}
            () = signals.next() => {}
        }
        Ok(())
    })
}

fn cannot_listen(address: &str, error: &std::io::Error) -> String {
    format!("cannot listen on {address}: {error}")
}

/// Read here and not with the other flags: those are repeated in what is said of them, and these hold passwords.
fn accounts(texts: &[String]) -> Result<Vec<Account>, String> {
    texts.iter().map(|text| text.parse().map_err(|error| format!("--account: {error}"))).collect()
}

/// Whoever waits for the line may have gone; that is no reason to end.
fn ready(line: &str) {
    let mut out = std::io::stdout();
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
