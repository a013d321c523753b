//! What a plan has in it, to sweep only such plans. A seed means the same plan whether one asks for a feature or not.

use clap::ValueEnum;

use super::{FaultKind, Keeps, Plan};

/// Something that a plan may have in it.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum Feature {
    /// A transport.
    Transport,
    /// A transport of two processes that share bus and store.
    TwoProcesses,
    /// A transport whose bus and store are in a file on its own disk.
    File,
    /// Such a transport, whose machine loses power.
    FilePowerCut,
    /// Such a transport, whose disk is full for a while.
    FileDiskFull,
    /// A process of a transport that is killed.
    Killed,
    /// A transport whose broker is away for a while.
    BusAway,
    /// A transport whose store's server is away, silent or slow for a while.
    StoreAway,
    /// A process of a transport whose wall clock is wrong for a while.
    ClockStep,
    /// Several SMSCs.
    SeveralSmscs,
    /// An SMSC whose wall clock is wrong for a while.
    SmscClockStep,
    /// An SMSC that writes what is no PDU, or one that is wrong.
    Malformed,
}

impl Plan {
    /// Whether this is in it.
    #[must_use]
    pub fn has(&self, feature: Feature) -> bool {
        let processes = self.processes();
        let on_file = |transport: usize| self.transports[transport].keeps == Keeps::File;
        let some_fault = |is_it: &dyn Fn(FaultKind) -> bool| self.faults.iter().any(|fault| is_it(fault.kind));
        match feature {
            Feature::Transport => !self.transports.is_empty(),
            Feature::TwoProcesses => self.transports.iter().any(|transport| transport.processes > 1),
            Feature::File => (0..self.transports.len()).any(on_file),
            Feature::FilePowerCut => {
                some_fault(&|kind| matches!(kind, FaultKind::TransportPowerCut(process) if on_file(processes[process])))
            }
            Feature::FileDiskFull => some_fault(&|kind| matches!(kind, FaultKind::DiskFull(_))),
            Feature::Killed => some_fault(&|kind| matches!(kind, FaultKind::TransportKilled(_))),
            Feature::StoreAway => some_fault(&|kind| kind.store().is_some()),
            Feature::ClockStep => some_fault(&|kind| matches!(kind, FaultKind::ClockStep(..))),
            Feature::SeveralSmscs => self.smscs > 1,
            Feature::SmscClockStep => some_fault(&|kind| matches!(kind, FaultKind::SmscClockStep(_))),
            Feature::Malformed => self.smsc.is_malformed(),
            Feature::BusAway => some_fault(&|kind| matches!(kind, FaultKind::BusAway(_))),
        }
    }
}
