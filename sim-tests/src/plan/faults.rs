//! What happens to network and processes: which, when, for how long.

use rand::seq::IndexedRandom;
use rand::{Rng, RngExt};
use serde::{Deserialize, Serialize};

use super::brief::is_plain;
use super::{Keeps, Profile, Transport};

/// Something that happens to network or processes, and for how long.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// When it starts.
    pub at_ms: u64,
    /// How long it lasts.
    pub for_ms: u64,
    /// What.
    pub kind: FaultKind,
    /// At which SMSC, from 0, or on the way to it; none is all. Only of the network and SMSCs.
    #[serde(default, skip_serializing_if = "is_plain")]
    pub smsc: Option<usize>,
}

/// What can happen to network and processes.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// Nothing arrives, and nothing is lost: everything comes at the end.
    Hold,
    /// What is sent is lost, and so is every connection of that time.
    Partition,
    /// What is sent to the SMSC is lost, and so is that way of every connection of that time. What it sends arrives.
    LostToSmsc,
    /// The other way round.
    LostFromSmsc,
    /// A segment takes so many more milliseconds.
    Slow(u64),
    /// Nobody can connect, and hears so at once. Connections stay as they are.
    ConnectRefused,
    /// The same, and nobody hears anything.
    ConnectHangs,
    /// The SMSC is killed, and starts anew at the end.
    Crash,
    /// The SMSC loses power: its connections end without a word. It starts anew at the end.
    PowerCut,
    /// The SMSC unbinds all its sessions, and goes on.
    SmscUnbinds,
    /// The SMSC resets all its connections, and goes on.
    SmscResets,
    /// This process of a transport is killed, and starts anew at the end.
    TransportKilled(usize),
    /// Its machine loses power: what its disk has not synced is lost, or is there in part.
    TransportPowerCut(usize),
    /// It is told to stop, and starts anew at the end.
    TransportStopped(usize),
    /// This transport's broker is away. What it had handed out it hands out again.
    BusAway(usize),
    /// There is no room on this transport's disk.
    DiskFull(usize),
    /// The server of this transport's store says that it is away.
    StoreRefuses(usize),
    /// The same, and it does not answer: what it is asked it may have done.
    StoreSilent(usize),
    /// It takes so many milliseconds for an answer.
    StoreSlow(usize, u64),
    /// The wall clock of this process of a transport is so many seconds ahead, or behind.
    ClockStep(usize, i32),
    /// The SMSC's wall clock is so many seconds ahead, or behind: more than any run takes.
    SmscClockStep(i32),
}

impl FaultKind {
    /// Whether it is the SMSC's process that ends.
    #[must_use]
    pub fn ends_smsc(self) -> bool {
        matches!(self, FaultKind::Crash | FaultKind::PowerCut)
    }

    /// The transport whose store's server it is of, if it is.
    #[must_use]
    pub fn store(self) -> Option<usize> {
        match self {
            FaultKind::StoreRefuses(it) | FaultKind::StoreSilent(it) | FaultKind::StoreSlow(it, _) => Some(it),
            _ => None,
        }
    }

    /// Whether it is of the network or the SMSC.
    #[must_use]
    pub fn is_of_network(self) -> bool {
        self.of(|_| false, |_| false)
    }

    /// Whether what it says of its process, or of its transport, is so; of the network and the SMSC everything is.
    #[must_use]
    pub fn of(self, process: impl Fn(usize) -> bool, transport: impl Fn(usize) -> bool) -> bool {
        self.renumbered(|it| process(it).then_some(it), |it| transport(it).then_some(it)).is_some()
    }

    /// Something that happens to one of these transports.
    pub(super) fn of_a_transport(rng: &mut impl Rng, transports: &[Transport]) -> FaultKind {
        let transport = rng.random_range(0..transports.len());
        let before: usize = transports[..transport].iter().map(|transport| transport.processes).sum();
        let process = before + rng.random_range(0..transports[transport].processes);
        let has_disk = transports[transport].keeps == Keeps::File;
        match rng.random_range(0..6) {
            0 | 1 => FaultKind::TransportKilled(process),
            2 => FaultKind::TransportPowerCut(process),
            3 => FaultKind::TransportStopped(process),
            _ if has_disk => FaultKind::DiskFull(transport),
            _ => FaultKind::BusAway(transport),
        }
    }

    /// The same thing where processes and transports have other numbers; none where its own is gone.
    pub(crate) fn renumbered(
        self,
        process: impl Fn(usize) -> Option<usize>,
        transport: impl Fn(usize) -> Option<usize>,
    ) -> Option<FaultKind> {
        Some(match self {
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
            | FaultKind::SmscClockStep(_) => self,
            FaultKind::TransportKilled(it) => FaultKind::TransportKilled(process(it)?),
            FaultKind::TransportPowerCut(it) => FaultKind::TransportPowerCut(process(it)?),
            FaultKind::TransportStopped(it) => FaultKind::TransportStopped(process(it)?),
            FaultKind::BusAway(it) => FaultKind::BusAway(transport(it)?),
            FaultKind::DiskFull(it) => FaultKind::DiskFull(transport(it)?),
            FaultKind::StoreRefuses(it) => FaultKind::StoreRefuses(transport(it)?),
            FaultKind::StoreSilent(it) => FaultKind::StoreSilent(transport(it)?),
            FaultKind::StoreSlow(it, ms) => FaultKind::StoreSlow(transport(it)?, ms),
            FaultKind::ClockStep(it, seconds) => FaultKind::ClockStep(process(it)?, seconds),
        })
    }
}

impl Fault {
    /// At most three, and never two at once: what overlaps hides what each does.
    pub(super) fn draw_all(rng: &mut impl Rng, profile: Profile) -> Vec<Fault> {
        let count = match profile {
            Profile::Calm => 0,
            Profile::Swarm => rng.random_range(0..3),
            Profile::All => rng.random_range(1..4),
        };
        let mut at_ms = 0;
        (0..count)
            .map(|_| {
                at_ms += rng.random_range(50..2_500);
                let for_ms = rng.random_range(20..2_000);
                let kinds =
                    [FaultKind::Hold, FaultKind::Hold, FaultKind::Partition, FaultKind::Crash, FaultKind::PowerCut];
                let fault = Fault { at_ms, for_ms, kind: *kinds.choose(rng).expect("there are five"), smsc: None };
                at_ms += for_ms;
                fault
            })
            .collect()
    }

    /// What happens to transports: at most four, one after the other, whatever the network does meanwhile.
    pub(super) fn draw_of_transports(rng: &mut impl Rng, profile: Profile, transports: &[Transport]) -> Vec<Fault> {
        let count = match profile {
            _ if transports.is_empty() => 0,
            Profile::Calm => 0,
            Profile::Swarm => rng.random_range(0..4),
            Profile::All => rng.random_range(2..5),
        };
        let mut at_ms = 0;
        (0..count)
            .map(|_| {
                at_ms += rng.random_range(50..2_500);
                let for_ms = rng.random_range(20..1_500);
                let kind = FaultKind::of_a_transport(rng, transports);
                let fault = Fault { at_ms, for_ms, kind, smsc: None };
                at_ms += for_ms;
                fault
            })
            .collect()
    }
}
