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
use smpp_transport::session::Role;
use smpp_transport::store::Answers;
use smsc_sim::rules::{Cut, Direction, Pace, Step};
use smsc_sim::time::Time;
use smsc_sim::{Account, Config, Control, Limits};
use tokio::sync::watch;
use tokio::time::sleep;

use crate::app::{PASSWORD, Waiting, driver_config, session_config, system_id};
use crate::history::{History, Recorder, What};
use crate::plan::{FaultKind, Plan, Smsc};
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

/// Ends what the SMSC does wrong once there is peace; never completes. Runs where the simulator does: elsewhere the clock is
/// another.
async fn keep_peace(plan: &Plan, recorder: &Recorder, number: usize, control: &Control) {
    if let Some(peace) = plan.peace() {
        sleep(peace.saturating_sub(recorder.now())).await;
        control.set_rules(Vec::new()).expect("no rules can always be followed");
        tell_all(control, &Step::Pace(Pace { octets: usize::MAX, pause: Time::ms(0), of: Direction::Both }));
        recorder.note(What::Peace { smsc: number });
    }
    std::future::pending().await
}

/// The SMSC that runs now, if one does, ends its sessions.
fn end_sessions(slot: &SmscSlot, how: FaultKind) {
    let step = if how == FaultKind::SmscUnbinds { Step::Unbind } else { Step::Disconnect(Cut::Reset) };
    if let Some(control) = running(slot) {
        tell_all(&control, &step);
    }
}

fn tell_all(control: &Control, step: &Step) {
    for session in control.sessions() {
        // One that has ended since hears nothing of it.
        let _ = control.act(session.id, step.clone());
    }
}

/// How far the numbers of one SMSC's messages are from those of the next: more than any run has.
const NUMBERS_APART: u64 = 1_000_000;

fn smsc_config(plan: &Plan, number: u64) -> Config {
    let session = smpp_transport::session::SessionConfig {
        window: plan.smsc.window(),
        sequence_start: plan.smsc.sequence_start.unwrap_or(1),
        answers_enquire_link: false,
        ..session_config(Role::Smsc, &plan.timers)
    };
    let Smsc { rules, policy, retry, .. } = plan.smsc.clone();
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
        | FaultKind::SmscUnbinds
        | FaultKind::SmscResets
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
        && grounds.iter().all(|ground| ground.restless().is_empty() && ground.holds().is_none())
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

/// What is left when the time is up, and what the simulators say then.
fn note_what_is_left(recorder: &Recorder, plan: &Plan, waiting: &Waiting, grounds: &[Ground], smscs: &[SmscSlot]) {
    let of_transports = grounds.iter().flat_map(|ground| ground.restless().into_iter().chain(ground.holds()));
    let words = waiting.words().into_iter().chain(of_transports);
    words.for_each(|what| recorder.note(What::Restless { what }));
    for (smsc, slot) in smscs.iter().enumerate() {
        if let Some(control) = running(slot) {
            account::note(recorder, plan, smsc, &control, false);
        }
    }
}
