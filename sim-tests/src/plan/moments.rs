//! Faults at moments that matter: around what an application or a handset does, while sessions begin and end, and when one
//! of the waits is over; a few anywhere. Drawn when all else is, from a stream of its own.

use rand::seq::IndexedRandom;
use rand::{Rng, RngExt};
use smpp_transport::env::Seed;

use super::{Fault, FaultKind, Keeps, Plan, Profile, Transport};

impl Plan {
    /// Those of the network and the SMSC, and those of transports, each family one after the other as those that are there.
    pub(super) fn add_faults_at_moments(&mut self, streams: Seed) {
        let mut rng = streams.stream("network moments", 0);
        for _ in 0..count(&mut rng, self.profile) {
            let kind = network(&mut rng, self.tick_ms);
            let fault = self.fault(&mut rng, kind);
            self.place(fault);
        }
        let mut rng = streams.stream("transport moments", 0);
        for _ in 0..if self.transports.is_empty() { 0 } else { count(&mut rng, self.profile) } {
            let kind = FaultKind::of_a_transport(&mut rng, &self.transports);
            let fault = self.fault(&mut rng, kind);
            self.place(fault);
        }
        let shared = self.transports.iter().enumerate().filter(|(_, transport)| transport.keeps == Keeps::Shared);
        let shared: Vec<usize> = shared.map(|(transport, _)| transport).collect();
        let mut rng = streams.stream("store moments", 0);
        for _ in 0..if shared.is_empty() { 0 } else { count(&mut rng, self.profile) } {
            let kind = store(&mut rng, &shared);
            let fault = self.fault(&mut rng, kind);
            self.place(fault);
        }
        let mut rng = streams.stream("clock moments", 0);
        for _ in 0..if self.transports.is_empty() { 0 } else { count(&mut rng, self.profile) / 2 } {
            let seconds = rng.random_range(30..3_000);
            let process = rng.random_range(0..self.processes().len());
            let kind = FaultKind::ClockStep(process, if rng.random_bool(0.5) { seconds } else { -seconds });
            let fault = self.fault(&mut rng, kind);
            self.place(fault);
        }
        let mut rng = streams.stream("smsc clock moments", 0);
        for _ in 0..count(&mut rng, self.profile) / 2 {
            let seconds = rng.random_range(3_600..10_000);
            let kind = FaultKind::SmscClockStep(if rng.random_bool(0.5) { seconds } else { -seconds });
            let fault = self.fault(&mut rng, kind);
            self.place(fault);
        }
    }

    fn fault(&self, rng: &mut impl Rng, kind: FaultKind) -> Fault {
        let waits = self.waits();
        let at_ms = if rng.random_bool(0.75) {
            let begins = *self.begins().choose(rng).expect("the start is one");
            let wait = *waits.choose(rng).expect("there are timers");
            begins + self.near(rng, wait)
        } else {
            rng.random_range(0..8_000)
        };
        let for_ms = if rng.random_bool(0.3) {
            let wait = *waits.choose(rng).expect("there are timers");
            self.near(rng, wait).min(4_000)
        } else {
            rng.random_range(20..1_500)
        };
        Fault { at_ms, for_ms: for_ms.max(20), kind, smsc: None }
    }

    /// Just before, at that time, or just after.
    fn near(&self, rng: &mut impl Rng, ms: u64) -> u64 {
        (ms + self.tick_ms * rng.random_range(0..3)).saturating_sub(self.tick_ms)
    }

    /// When something begins: the run, what applications and handsets do, what other faults have left.
    fn begins(&self) -> Vec<u64> {
        let messages = self.clients.iter().flat_map(|client| client.messages.iter().map(|message| message.at_ms));
        let faults = self.faults.iter().flat_map(|fault| [fault.at_ms, fault.at_ms + fault.for_ms]);
        let texts = self.transports.iter().flat_map(Transport::times);
        [0].into_iter().chain(messages).chain(texts).chain(faults).collect()
    }

    /// How long after it something is due: segments on their way, timers, what is held.
    fn waits(&self) -> Vec<u64> {
        let timers = self.timers;
        let segments = (0..5).map(|segments| segments * self.latency_ms.max(1));
        let sessions = [
            timers.response_timeout_ms,
            timers.enquire_link_interval_ms,
            timers.enquire_link_interval_ms + timers.response_timeout_ms,
            timers.session_init_timeout_ms,
        ];
        let of_transports = self.transports.iter().flat_map(|transport| {
            let options = &transport.options;
            let bus = transport.bus.delay_ms;
            [bus / 2, bus, options.early_hold_ms, options.join_expiry_ms, options.inbound_timeout_ms]
        });
        // What is in a segment's time matters as often as all else.
        segments.clone().chain(segments).chain(sessions).chain(of_transports).collect()
    }

    /// Puts it in, later if one of its family is there then.
    fn place(&mut self, mut fault: Fault) {
        let is_network = fault.kind.is_of_network();
        let end = |fault: &Fault| fault.at_ms + fault.for_ms;
        let of_family = || self.faults.iter().filter(|other| other.kind.is_of_network() == is_network);
        while let Some(other) = of_family().find(|other| other.at_ms < end(&fault) && fault.at_ms < end(other)) {
            fault.at_ms = end(other);
        }
        self.faults.push(fault);
        self.faults.sort_by_key(|fault| fault.at_ms);
    }
}

fn count(rng: &mut impl Rng, profile: Profile) -> u32 {
    match profile {
        Profile::Calm => 0,
        Profile::Swarm => rng.random_range(0..3),
        Profile::All => rng.random_range(1..4),
    }
}

fn store(rng: &mut impl Rng, shared: &[usize]) -> FaultKind {
    let transport = *shared.choose(rng).expect("there is one");
    let slow = FaultKind::StoreSlow(transport, rng.random_range(1..900));
    let kinds = [FaultKind::StoreRefuses(transport), FaultKind::StoreSilent(transport), slow];
    *kinds.choose(rng).expect("there are three")
}

fn network(rng: &mut impl Rng, tick_ms: u64) -> FaultKind {
    let slow = FaultKind::Slow(tick_ms * rng.random_range(1..=600 / tick_ms));
    let kinds = [
        FaultKind::Hold,
        FaultKind::Partition,
        FaultKind::Crash,
        FaultKind::PowerCut,
        FaultKind::LostToSmsc,
        FaultKind::LostFromSmsc,
        slow,
        FaultKind::ConnectRefused,
        FaultKind::ConnectHangs,
        FaultKind::SmscUnbinds,
        FaultKind::SmscResets,
    ];
    *kinds.choose(rng).expect("there are eleven")
}
