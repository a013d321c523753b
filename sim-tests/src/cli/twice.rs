//! `twice`: each seed in two processes, of this program or of this one and another build of it. Both go on at once, and what
//! they print is compared as it comes.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, TryRecvError};
use std::thread::JoinHandle;
use std::time::Duration;

use clap::Args;
use sim_tests::origin::Origin;
use sim_tests::runner::{Summary, Sweep};
use sim_tests::world::Tier;

use super::progress::Progress;
use super::{End, cores, interrupt, say, seeds};

/// Which seeds to run in two processes.
#[derive(Args)]
pub(crate) struct Twice {
    /// Seeds, from the first up to but without the second
    #[arg(long, value_name = "A..B", value_parser = seeds)]
    seeds: (u64, u64),
    /// On which network [default: both]
    #[arg(long, value_enum)]
    tier: Option<Tier>,
    /// Another build of this program for the other process, such as target/debug/sim-tests
    #[arg(long, value_name = "PROGRAM")]
    with: Option<PathBuf>,
    /// Threads of each process [default: together one for each core]
    #[arg(long, value_name = "N")]
    jobs: Option<usize>,
    /// Only print the digests, a line for each seed and tier: what the other process does
    #[arg(long, hide = true)]
    digests: bool,
}

/// How often the other process is waited for, before it is seen whether Ctrl-C has come.
const LOOK_EVERY: Duration = Duration::from_millis(100);

impl Twice {
    pub(crate) fn run(self) -> End {
        say(self.origin());
        interrupt::watch();
        if self.digests {
            let all = self.each_digest(|line| {
                say(line);
                true
            });
            return all.map_or_else(|end| end, |()| End::Fine);
        }
        let bar = Progress::new(Some(self.runs()), None);
        let compared = self.compare(&bar);
        bar.end();
        compared.map_or_else(|end| end, |pairs| pairs.conclude())
    }

    fn origin(&self) -> Origin {
        Origin::of_all(self.tier)
    }

    /// Runs of each process.
    fn runs(&self) -> u64 {
        self.seeds.1.saturating_mul(self.tiers().len() as u64)
    }

    fn tiers(&self) -> Vec<Tier> {
        self.tier.map_or_else(|| vec![Tier::Turmoil, Tier::Fast], |tier| vec![tier])
    }

    fn jobs(&self) -> usize {
        self.jobs.unwrap_or_else(|| cores().div_ceil(2))
    }

    /// Runs the seeds in this process. `each` hears of every run in a line, as it comes; false ends it early.
    fn each_digest(&self, mut each: impl FnMut(String) -> bool) -> Result<(), End> {
        let mut goes_on = true;
        for tier in self.tiers() {
            let summary = self.sweep(tier).run(|verdict, _| {
                let line = || format!("seed={} tier={tier} digest={:016x}", verdict.seed, verdict.digest);
                // What was under way when it was to end is not heard of any more.
                goes_on = goes_on && !verdict.is_endless() && each(line()) && !interrupt::has_come();
                goes_on
            });
            check(tier, &summary)?;
            if !goes_on {
                break;
            }
        }
        Ok(())
    }

    fn sweep(&self, tier: Tier) -> Sweep {
        let ((from, count), jobs) = (self.seeds, self.jobs());
        Sweep { from, count: Some(count), limit: None, tier, jobs, profile: None, only: None }
    }

    /// Lets both processes run, and compares what they say.
    fn compare<'a>(&self, bar: &'a Progress) -> Result<Pairs<'a>, End> {
        let mut other = self.command().and_then(Other::start).map_err(End::Usage)?;
        let mut pairs = Pairs::new(bar, self.origin().to_string());
        self.each_digest(|line| {
            pairs.add(OURS, &line);
            // When the other has ended too soon nothing is left to compare with.
            pairs.hear(&other) || pairs.digests[THEIRS].len() as u64 == self.runs()
        })?;
        while !interrupt::has_come() {
            match other.lines.recv_timeout(LOOK_EVERY) {
                Ok(line) => pairs.add(THEIRS, &line),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    other.end(self.runs() - pairs.compared).map_err(End::Usage)?;
                    break;
                }
            }
        }
        Ok(pairs)
    }

    fn command(&self) -> Result<Command, String> {
        let own = || std::env::current_exe().map_err(|error| error.to_string());
        let (from, count) = self.seeds;
        let mut command = Command::new(self.with.clone().map_or_else(own, Ok)?);
        command.args(["twice", "--digests", "--seeds", &format!("{from}..{}", from + count)]);
        command.args(["--jobs", &self.jobs().to_string()]);
        if let Some(tier) = self.tier {
            command.args(["--tier", &tier.to_string()]);
        }
        Ok(command)
    }
}

/// What makes it useless to compare with another process.
fn check(tier: Tier, summary: &Summary) -> Result<(), End> {
    for seed in &summary.differed {
        say(format!("DIFFERED seed={seed} tier={tier}: two runs of it in one process were not the same"));
    }
    match summary.failed.iter().find(|verdict| verdict.is_endless()) {
        Some(endless) => Err(End::Usage(format!("seed {} never ends on {tier}: it cannot be compared", endless.seed))),
        None if summary.differed.is_empty() => Ok(()),
        None => Err(End::Differed),
    }
}

/// The other process. It ends when nobody has use for it any more.
struct Other {
    process: Child,
    name: String,
    /// What it prints, until its end.
    lines: Receiver<String>,
    /// What it prints to standard error.
    words: Option<JoinHandle<String>>,
}

impl Other {
    #[expect(clippy::disallowed_methods, reason = "threads that wait for another process: no run is on them")]
    fn start(mut command: Command) -> Result<Other, String> {
        let name = command.get_program().to_string_lossy().into_owned();
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = command.spawn().map_err(|error| format!("cannot start {name}: {error}"))?;
        let (sender, lines) = mpsc::channel();
        if let Some(output) = process.stdout.take() {
            std::thread::spawn(move || {
                let lines = BufReader::new(output).lines().map_while(Result::ok);
                lines.map(|line| sender.send(line)).all(|sent| sent.is_ok())
            });
        }
        let words = process.stderr.take().map(|mut output| {
            std::thread::spawn(move || {
                let mut words = Vec::new();
                // What was read before something went wrong is as good as the whole.
                let _ = output.read_to_end(&mut words);
                String::from_utf8_lossy(&words).into_owned()
            })
        });
        Ok(Other { process, name, lines, words })
    }

    /// It prints nothing more: it must have ended well, and have said all.
    fn end(&mut self, missing: u64) -> Result<(), String> {
        let status = self.process.wait().map_err(|error| error.to_string())?;
        let words = self.words.take().and_then(|thread| thread.join().ok()).unwrap_or_default();
        let last = words.lines().last().map_or(String::new(), |line| format!(": {line}"));
        match missing {
            _ if interrupt::has_come() => Ok(()),
            _ if !status.success() => Err(format!("{} ended with {status}{last}", self.name)),
            0 => Ok(()),
            _ => Err(format!("{} ended well, but {missing} runs are not to be compared{last}", self.name)),
        }
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Digests by run, of this process and of the other.
struct Pairs<'a> {
    bar: &'a Progress,
    /// The first line of this process.
    origin: String,
    digests: [BTreeMap<String, String>; 2],
    /// Runs of which both are known.
    compared: u64,
    differing: u64,
}

const OURS: usize = 0;
const THEIRS: usize = 1;

impl Pairs<'_> {
    fn new(bar: &Progress, origin: String) -> Pairs<'_> {
        Pairs { bar, origin, digests: Default::default(), compared: 0, differing: 0 }
    }

    /// What the other process has said by now; false when it will say no more.
    fn hear(&mut self, other: &Other) -> bool {
        loop {
            match other.lines.try_recv() {
                Ok(line) => self.add(THEIRS, &line),
                Err(end) => return end == TryRecvError::Empty,
            }
        }
    }

    /// A line of one of them. That of another program's commit, compiler or kind of build is to be seen.
    fn add(&mut self, whose: usize, line: &str) {
        match line.split_once(" digest=") {
            Some((run, digest)) => self.pair(whose, run, digest),
            None if line == self.origin => {}
            None => self.bar.aside(|| say(format!("the other process: {line}"))),
        }
    }

    fn pair(&mut self, whose: usize, run: &str, digest: &str) {
        self.digests[whose].insert(run.to_owned(), digest.to_owned());
        let [Some(ours), Some(theirs)] = self.digests.each_ref().map(|digests| digests.get(run)) else { return };
        self.compared += 1;
        if ours != theirs {
            self.differing += 1;
            self.bar.aside(|| say(format!("DIFFERED {run} digest={ours}, in the other process {theirs}")));
        }
        let words = if self.differing > 0 { format!("{} differed", self.differing) } else { String::new() };
        self.bar.at(self.compared, &words);
    }

    fn conclude(&self) -> End {
        if interrupt::has_come() {
            say("interrupted: these are the runs so far");
        }
        say(format!("{} runs in two processes, {} differed", self.compared, self.differing));
        if self.differing == 0 { End::Fine } else { End::Differed }
    }
}
