//! A plan becomes a run: hosts, network, faults at their times. Knows nothing of right and wrong.
//!
//! Two tiers run the same plan, the same applications, drivers and simulator. `turmoil` has hosts on turmoil's network
//! and is the reference; `fast` has one runtime and pipes in memory, skips idle time, and is for volume.

mod fast;
mod net;
mod turmoil_net;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use smpp_transport::env::WallClock;
use smpp_transport::session::Role;
use smsc_sim::{Config, Control, Limits};

use crate::app::{driver_config, session_config};
use crate::history::{History, Recorder, What};
use crate::plan::Plan;

/// Which network a plan runs on.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Tier {
    /// turmoil's simulated hosts and network.
    Turmoil,
    /// One runtime, pipes in memory.
    Fast,
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
fn smsc(plan: &Plan, recorder: &Recorder) -> Control {
    let clock = Arc::new(SimulatedClock(recorder.clone()));
    Control::new(smsc_config(plan), clock).expect("plans have rules that can be followed")
}

fn smsc_config(plan: &Plan) -> Config {
    let session = smpp_transport::session::SessionConfig {
        window: 20,
        answers_enquire_link: false,
        ..session_config(Role::Smsc, &plan.timers)
    };
    let (rules, policy) = (plan.smsc.rules.clone(), plan.smsc.policy.clone());
    // Nobody looks at the PDUs that the simulator remembers: the history has them.
    let limits = Limits { pdus_max: 0, ..Limits::default() };
    Config { rules, policy, limits, seed: plan.seed, session, driver: driver_config(), ..Config::default() }
}

/// Wall time of a run: a fixed day, and simulated time.
struct SimulatedClock(Recorder);

impl WallClock for SimulatedClock {
    fn unix(&self) -> Duration {
        Duration::from_secs(1_767_225_600) + self.0.now()
    }
}

/// What is left when the time is up.
fn note_what_is_left(recorder: &Recorder, left: Vec<String>) {
    left.into_iter().for_each(|what| recorder.note(What::Restless { what }));
}
