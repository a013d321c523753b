//! One SMSC or several: nodes of one operator, with the same accounts, rules and policy, each with a memory of its own and
//! ids that no other gives. Transports go from one to the next; a client is at one. Drawn when all else is, from a stream of
//! its own.

use rand::RngExt;
use rand::seq::{IndexedRandom, SliceRandom};
use smpp_transport::env::Seed;

use super::{Fault, Plan, Profile};

/// The most that there are.
pub(super) const SMSCS_MAX: usize = 9;

impl Plan {
    /// Most plans have one. Where there are several most faults of the network are of one of them, and one of those may last
    /// so long that whoever cannot do without that SMSC is seen to wait.
    pub(super) fn draw_smscs(&mut self, streams: Seed) {
        let mut rng = streams.stream("smscs", 0);
        if self.transports.is_empty() || !rng.random_bool(0.2) {
            return;
        }
        self.smscs = if rng.random_bool(0.7) { 2 } else { 3 };
        for transport in &mut self.transports {
            transport.hosts = (0..self.smscs).collect();
            transport.hosts.shuffle(&mut rng);
        }
        for fault in self.faults.iter_mut().filter(|fault| fault.kind.is_of_network()) {
            let one = rng.random_range(0..self.smscs);
            fault.smsc = rng.random_bool(0.8).then_some(one);
        }
        let of_one = |(_, fault): &(usize, &Fault)| fault.smsc.is_some();
        let places: Vec<usize> = self.faults.iter().enumerate().filter(of_one).map(|(place, _)| place).collect();
        let longer_ms = rng.random_range(4_000..16_000);
        let is_longer = self.profile != Profile::Calm && rng.random_bool(0.5);
        if let Some(place) = places.choose(&mut rng).filter(|_| is_longer) {
            self.prolong(*place, longer_ms);
        }
    }

    /// Lets a fault of the network last longer: those after it begin so much later.
    fn prolong(&mut self, place: usize, longer_ms: u64) {
        let at_ms = self.faults[place].at_ms;
        self.faults[place].for_ms += longer_ms;
        let later = self.faults.iter_mut().filter(|fault| fault.kind.is_of_network() && fault.at_ms > at_ms);
        later.for_each(|fault| fault.at_ms += longer_ms);
        self.faults.sort_by_key(|fault| fault.at_ms);
    }

    /// The plan without this one of several, and what happens to it.
    pub(crate) fn without_smsc(&self, smsc: usize) -> Option<Plan> {
        let mut plan = Plan { smscs: self.smscs.checked_sub(1).filter(|left| *left > 0)?, ..self.clone() };
        let moved = |it: usize| if it > smsc { it - 1 } else { it };
        plan.faults.retain(|fault| fault.smsc != Some(smsc));
        plan.faults.iter_mut().for_each(|fault| fault.smsc = fault.smsc.map(moved));
        for transport in &mut plan.transports {
            transport.hosts.retain(|host| *host != smsc);
            transport.hosts.iter_mut().for_each(|host| *host = moved(*host));
        }
        plan.forget_unknown_smscs();
        Some(plan)
    }

    /// Leaves out what is said of SMSCs that are not there, and what need not be said.
    pub(crate) fn forget_unknown_smscs(&mut self) {
        let smscs = self.smscs;
        self.faults.retain(|fault| fault.smsc.is_none_or(|smsc| smsc < smscs));
        for fault in self.faults.iter_mut().filter(|_| smscs == 1) {
            fault.smsc = None;
        }
        for transport in &mut self.transports {
            transport.hosts.retain(|host| *host < smscs);
            if transport.hosts.iter().copied().eq(0..smscs) {
                transport.hosts.clear();
            }
        }
    }

    /// The SMSC that a client is at: all clients of an account are at the same.
    #[must_use]
    pub fn smsc_of_client(&self, client: usize) -> usize {
        self.clients[client].account % self.smscs
    }

    /// The SMSCs of a process of a transport, in the order in which each of its links tries them: its transport's, the n-th
    /// process begins with the n-th.
    #[must_use]
    pub fn hosts(&self, process: usize) -> Vec<usize> {
        let processes = self.processes();
        let transport = processes[process];
        let instance = processes[..process].iter().filter(|it| **it == transport).count();
        let mut hosts = self.transports[transport].hosts.clone();
        if hosts.is_empty() {
            hosts.extend(0..self.smscs);
        }
        let first = instance % hosts.len();
        hosts.rotate_left(first);
        hosts
    }
}

impl Fault {
    /// Whether it is of this SMSC, if it is of the network or of SMSCs.
    #[must_use]
    pub fn is_at(&self, smsc: usize) -> bool {
        self.smsc.is_none_or(|it| it == smsc)
    }
}
