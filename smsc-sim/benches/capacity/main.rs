//! What the simulator takes: how soon it is ready, what idle sessions cost, how fast messages and their receipts pass. The
//! real program, as a process of its own, so that its memory is its own.
//!
//! `cargo bench -p smsc-sim --bench capacity`, and behind `--` the flags below. Figures of two runs on a machine that others
//! use too cannot be compared; those of two programs in one run can: `--against PATH`.

mod files;
mod idle;
mod load;
mod smsc;

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use load::Course;
use smsc::Smsc;

/// Measures the simulator.
#[derive(Parser)]
struct Flags {
    /// What to measure: start, idle, load; may be given several times [default: all]
    #[arg(long, value_name = "WHAT")]
    only: Vec<String>,
    /// Sessions that are bound and silent
    #[arg(long, default_value_t = 10_000, value_name = "N")]
    sessions: usize,
    /// Messages that are submitted in each round of each load
    #[arg(long, default_value_t = 300_000, value_name = "N")]
    messages: usize,
    /// Rounds of each load; the middle one counts
    #[arg(long, default_value_t = 3, value_name = "N")]
    rounds: usize,
    /// Another smsc-sim, that takes the loads in turn with this one
    #[arg(long, value_name = "PATH")]
    against: Option<PathBuf>,
    /// Cargo says so to every bench.
    #[arg(long, hide = true)]
    bench: bool,
}

/// What went wrong, in words.
type Failure = Box<dyn std::error::Error + Send + Sync>;

const SMSC: &str = env!("CARGO_BIN_EXE_smsc-sim");
/// How often the program is started to see how long that takes.
const STARTS: usize = 15;

fn main() -> ExitCode {
    match measure(&Flags::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let _ = writeln!(std::io::stderr(), "capacity: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn measure(flags: &Flags) -> Result<(), Failure> {
    let wanted = |what: &str| flags.only.is_empty() || flags.only.iter().any(|only| only == what);
    if wanted("start") {
        start()?;
    }
    if wanted("idle") {
        idle(flags.sessions)?;
    }
    if wanted("load") {
        loads(flags)?;
    }
    Ok(())
}

fn start() -> Result<(), Failure> {
    let times = (0..STARTS).map(|_| Ok(Smsc::start(SMSC, &[])?.started_in.as_secs_f64() * 1e3));
    let times = sorted(times.collect::<Result<_, Failure>>()?);
    let (first, middle, last) = (times[0], times[times.len() / 2], times[times.len() - 1]);
    say(&format!("from start to ready: {middle:.1} ms ({first:.1} to {last:.1}, {STARTS} starts)"))
}

fn idle(sessions: usize) -> Result<(), Failure> {
    files::raise(sessions)?;
    let smsc = Smsc::start(SMSC, &[])?;
    let before = smsc.memory()?;
    for round in ["first", "second"] {
        let seen = idle::measure(&smsc, sessions)?;
        let each = (seen.memory.saturating_sub(before)) as f64 / sessions as f64 / 1024.0;
        say(&format!(
            "{sessions} idle sessions, {round} time: bound in {:.2} s, {each:.1} KiB each, enquire_link answered on all in \
             {:.2} s, unbound in {:.2} s; resident {:.1} MiB before, {:.1} with them, {:.1} after",
            seen.bound_in.as_secs_f64(),
            seen.alive_in.as_secs_f64(),
            seen.unbound_in.as_secs_f64(),
            mebi(before),
            mebi(seen.memory),
            mebi(seen.memory_after),
        ))?;
    }
    Ok(())
}

fn loads(flags: &Flags) -> Result<(), Failure> {
    files::raise(1_000)?;
    let capture = std::env::temp_dir().join(format!("capacity-{}.pcap", std::process::id()));
    let capture_flags = ["--capture".into(), capture.clone().into_os_string()];
    let courses = [
        Course::new("1 session, no receipts", 1, 100, false),
        Course::new("1 session", 1, 100, true),
        Course::new("200 sessions", 200, 10, true),
        Course {
            flags: vec!["--rules".into(), "magic-numbers".into()],
            ..Course::new("1 session, rules", 1, 100, true)
        },
        Course { flags: capture_flags.into(), ..Course::new("1 session, capture", 1, 100, true) },
    ];
    say(
        "load | window | submits/s | p50 ms | p99 ms | receipts/s | behind | all after s | MiB | other: submits/s | share",
    )?;
    for course in courses {
        let line = compare(flags, &course);
        // Whatever came of it, it may be large.
        let _ = std::fs::remove_file(&capture);
        say(&line?)?;
    }
    Ok(())
}

/// The middle of several rounds, each in turn with the other program if there is one.
fn compare(flags: &Flags, course: &Course) -> Result<String, Failure> {
    let (mut rounds, mut others, mut shares) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..flags.rounds {
        let smsc = Smsc::start(SMSC, &course.flags)?;
        let round = load::measure(&smsc, course, flags.messages)?;
        if let Some(other) = flags.against.as_ref().filter(|_| course.flags.is_empty()) {
            let other = Smsc::start(other, &[])?;
            let other = load::measure(&other, course, flags.messages)?;
            shares.push(100.0 * round.rate / other.rate);
            others.push(other.rate);
        }
        rounds.push(round);
    }
    rounds.sort_by(|a, b| a.rate.total_cmp(&b.rate));
    let middle = rounds.swap_remove(rounds.len() / 2);
    let other = match (sorted(others), sorted(shares)) {
        (others, shares) if !others.is_empty() => {
            format!("{:.0} | {:.0} %", others[others.len() / 2], shares[shares.len() / 2])
        }
        _ => "- | -".to_owned(),
    };
    Ok(format!("{} | {} | {middle} | {other}", course.name, course.window))
}

fn sorted(mut values: Vec<f64>) -> Vec<f64> {
    values.sort_by(f64::total_cmp);
    values
}

fn mebi(octets: u64) -> f64 {
    octets as f64 / 1024.0 / 1024.0
}

fn say(line: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush()).map_err(Into::into)
}
