//! A plan becomes a run: hosts, network, faults at their times. Knows nothing of right and wrong.
//!
//! Two tiers run the same plan, the same applications, drivers and simulator. `turmoil` has hosts on turmoil's network
//! and is the reference; `fast` has one runtime and pipes in memory, skips idle time, and is for volume.

mod account;
mod door;
mod fast;
mod net;
mod turmoil_net;

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;

use rand::RngExt;
use serde::{Deserialize, Serialize};
use smpp_transport::env::{Seed, WallClock};
use smpp_transport::service::EXPIRY_INTERVAL;
use smpp_transport::session::Role;
use smpp_transport::store::Answers;
use smsc_sim::{Account, Config, Control, Limits};
use tokio::sync::watch;

use crate::app::{PASSWORD, Waiting, driver_config, session_config, system_id};
use crate::history::{History, Recorder, What};
use crate::plan::{FaultKind, Plan, SMSC_WINDOW, Smsc, Transport};
use crate::transport::{Ground, SmscSlot, receives, running};

/// Which network a plan runs on.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Tier {
    /// turmoil's simulated hosts and network.
    Turmoil,
    /// One runtime, pipes in memory.
    Fast,
}

impl fmt::Display for Tier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Tier::Turmoil => "turmoil",
            Tier::Fast => "fast",
        })
    }
}

/// Runs a plan. A panic anywhere in the run ends it, and comes back as its message.
///
/// # Errors
/// The message of a panic, or of a host that failed.
pub fn run(plan: &Plan, tier: Tier) -> Result<History, String> {
    let plan = Arc::new(plan.clone());
    let run = AssertUnwindSafe(|| match tier {
        Tier::Turmoil => turmoil_net::run(&plan),
        Tier::Fast => fast::run(&plan),
    });
    catch_unwind(run).unwrap_or_else(|panic| {
        let words = panic.downcast_ref::<String>().map(String::as_str);
        Err(words.or(panic.downcast_ref::<&str>().copied()).unwrap_or("a panic without words").to_owned())
    })
}

/// How long a segment takes while it takes so much longer.
fn latency(plan: &Plan, longer_ms: u64) -> Duration {
    Duration::from_millis(plan.latency_ms + longer_ms)
}

/// A step of the plan's faults: which one, and whether it ends.
#[derive(Clone, Copy, Debug)]
struct Turn {
    at: Duration,
    fault: usize,
    ends: bool,
}

/// The beginnings and ends of the plan's faults in order of time.
fn turns(plan: &Plan) -> Vec<Turn> {
    let both = plan.faults.iter().enumerate().flat_map(|(fault, it)| {
        let (at, end) = (Duration::from_millis(it.at_ms), Duration::from_millis(it.at_ms + it.for_ms));
        [Turn { at, fault, ends: false }, Turn { at: end, fault, ends: true }]
    });
    let mut turns: Vec<Turn> = both.collect();
    turns.sort_by_key(|turn| (turn.at, turn.fault, turn.ends));
    turns
}

/// A simulator as the plan has it.
fn smsc(plan: &Plan, number: usize, clock: &SimulatedClock) -> Control {
    let config = smsc_config(plan, number as u64);
    Control::new(config, Arc::new(clock.clone())).expect("plans have rules that can be followed")
}

/// How far the numbers of one SMSC's messages are from those of the next: more than any run has.
const NUMBERS_APART: u64 = 1_000_000;

fn smsc_config(plan: &Plan, number: u64) -> Config {
    let session = smpp_transport::session::SessionConfig {
        window: SMSC_WINDOW,
        answers_enquire_link: false,
        ..session_config(Role::Smsc, &plan.timers)
    };
    let Smsc { rules, policy, retry } = plan.smsc.clone();
    // Nobody looks at the PDUs that the simulator remembers: the history has them.
    let limits = Limits { pdus_max: 0, ..Limits::default() };
    let accounts = (0..plan.accounts()).map(|account| Account::new(&system_id(account), PASSWORD)).collect();
    let driver = driver_config();
    let seed = if number == 0 { plan.seed } else { Seed(plan.seed).stream("smsc of several", number).random() };
    let first_number = 1 + number * NUMBERS_APART;
    Config { accounts, rules, policy, retry, limits, seed, first_number, session, driver, ..Config::default() }
}

/// 2026-01-01 00:00 UTC.
pub const EPOCH: Duration = Duration::from_secs(1_767_225_600);

/// Wall time of a run: a fixed day, and simulated time; and what it is wrong by. Clones are the same.
#[derive(Clone)]
struct SimulatedClock {
    recorder: Recorder,
    ahead_s: Arc<AtomicI32>,
}

impl SimulatedClock {
    fn right(recorder: &Recorder) -> SimulatedClock {
        SimulatedClock { recorder: recorder.clone(), ahead_s: Arc::default() }
    }

    /// Is so much ahead from now on, or behind.
    fn step(&self, ahead_s: i32) {
        self.ahead_s.store(ahead_s, Ordering::Relaxed);
    }
}

impl WallClock for SimulatedClock {
    fn unix(&self) -> Duration {
        let (right, ahead_s) = (EPOCH + self.recorder.now(), self.ahead_s.load(Ordering::Relaxed));
        let by = Duration::from_secs(ahead_s.unsigned_abs().into());
        if ahead_s < 0 { right - by } else { right + by }
    }
}

/// Lets a fault begin or end of what is the same on every tier: buses, disks, stores and wall clocks.
fn turn_surroundings(kind: FaultKind, ends: bool, grounds: &[Ground], clocks: &[SimulatedClock]) {
    let answer = |transport: usize, answers| grounds[transport].answer(if ends { Answers::AtOnce } else { answers });
    match kind {
        FaultKind::BusAway(transport) => grounds[transport].set_away(!ends),
        FaultKind::DiskFull(transport) => grounds[transport].fill(!ends),
        FaultKind::StoreRefuses(transport) => answer(transport, Answers::Refuses),
        FaultKind::StoreSilent(transport) => answer(transport, Answers::Never),
        FaultKind::StoreSlow(transport, ms) => answer(transport, Answers::After(Duration::from_millis(ms))),
        FaultKind::ClockStep(process, seconds) => clocks[process].step(if ends { 0 } else { seconds }),
        // Network and processes are each tier's own.
        FaultKind::Hold
        | FaultKind::Partition
        | FaultKind::LostToSmsc
        | FaultKind::LostFromSmsc
        | FaultKind::Slow(_)
        | FaultKind::ConnectRefused
        | FaultKind::ConnectHangs
        | FaultKind::Crash
        | FaultKind::PowerCut
        | FaultKind::SmscClockStep(_)
        | FaultKind::TransportKilled(_)
        | FaultKind::TransportPowerCut(_)
        | FaultKind::TransportStopped(_) => {}
    }
}

/// Whether nothing is waited for, and all that is to be up is.
fn is_at_rest(plan: &Plan, waiting: &Waiting, grounds: &[Ground], smscs: &[SmscSlot]) -> bool {
    let is_done = |control: Control| {
        let elsewhere = elsewhere(plan, &control);
        control.is_idle_but_for(|account| elsewhere.iter().any(|it| it == account))
    };
    waiting.is_over()
        && smscs.iter().all(|slot| running(slot).is_some_and(is_done))
        && grounds.iter().all(|ground| ground.restless().is_empty())
}

/// The accounts of transports that are not bound here so that they receive, but may be to another of several SMSCs: what
/// waits for them here may wait for ever.
fn elsewhere(plan: &Plan, control: &Control) -> Vec<String> {
    let transports = plan.transports.iter().filter(|_| plan.smscs > 1);
    transports.map(|transport| system_id(transport.account)).filter(|account| !receives(control, account)).collect()
}

/// Tells each in its order.
fn tell<T: Copy>(all: &[watch::Sender<T>], what: T) {
    for one in all {
        one.send_replace(what);
    }
}

/// How long everything must be at rest: what transports hold back is given up in that time. Whose clock was wrong may look
/// for it only when it looks anyway.
fn rest(plan: &Plan) -> Duration {
    let held = plan.transports.iter().map(Transport::held_max).max().unwrap_or_default();
    let was_wrong = plan.faults.iter().any(|fault| matches!(fault.kind, FaultKind::ClockStep(..)));
    held + if was_wrong { EXPIRY_INTERVAL } else { Duration::ZERO }
}

/// What is left when the time is up, and what the simulators say then.
fn note_what_is_left(recorder: &Recorder, plan: &Plan, waiting: &Waiting, grounds: &[Ground], smscs: &[SmscSlot]) {
    let words = waiting.words().into_iter().chain(grounds.iter().flat_map(Ground::restless));
    words.for_each(|what| recorder.note(What::Restless { what }));
    for (smsc, slot) in smscs.iter().enumerate() {
        if let Some(control) = running(slot) {
            account::note(recorder, plan, smsc, &control, false);
        }
    }
}
