//! What has passed, and what passes.

use std::io::{self, Write};
use std::time::Duration;

use smpp_transport::capture::Capture;
use smpp_transport::pdu::CommandId;
use tokio::sync::broadcast;
use tokio::time::{Instant, sleep, timeout_at};

use super::{Control, LOOK_DELAY, WAIT_MAX};
use crate::traffic::PduRecord;

/// Which PDUs are asked for: those that meet all that is said.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct PduFilter {
    /// Only those with a higher number, lowest first. Default: the newest.
    pub after: Option<u64>,
    /// Only those of this connection.
    pub session: Option<u64>,
    /// Only those of this command.
    pub command: Option<CommandId>,
    /// At most so many.
    pub limit: usize,
}

impl Control {
    /// The PDUs that are kept, with numbers above `after`, oldest first; of one session, or all.
    #[must_use]
    pub fn pdus(&self, after: u64, session: Option<u64>, limit: usize) -> Vec<PduRecord> {
        self.hub.traffic.records(after, session, limit)
    }

    /// Follows the PDUs as they pass. Who is slow misses some.
    #[must_use]
    pub fn follow_pdus(&self) -> broadcast::Receiver<PduRecord> {
        self.hub.traffic.subscribe()
    }

    /// The number of the PDU that was recorded last; 0 before the first.
    #[must_use]
    pub fn pdus_recorded(&self) -> u64 {
        self.hub.traffic.recorded()
    }

    /// The PDUs that are kept and pass the filter, oldest first.
    #[must_use]
    pub fn select_pdus(&self, filter: &PduFilter) -> Vec<PduRecord> {
        let mut records = self.pdus(filter.after.unwrap_or(0), filter.session, usize::MAX);
        records.retain(|record| filter.command.is_none_or(|command| record.command() == Some(command)));
        if filter.after.is_none() {
            records.drain(..records.len().saturating_sub(filter.limit));
        }
        records.truncate(filter.limit);
        records
    }

    /// Waits until so many PDUs pass the filter; gives those that do when the time is up.
    pub async fn wait_for_pdus(&self, filter: &PduFilter, count: usize, limit: Duration) -> Vec<PduRecord> {
        let by = Instant::now() + limit.min(WAIT_MAX);
        loop {
            // Made before looking, so that none falls in between.
            let mut live = self.follow_pdus();
            let seen = self.select_pdus(filter);
            if seen.len() >= count {
                return seen;
            }
            let passed = tokio::select! {
                biased;
                () = self.hub.until_ended() => return seen,
                passed = timeout_at(by, live.recv()) => passed,
            };
            if passed.is_err() {
                return seen;
            }
            sleep(LOOK_DELAY).await;
        }
    }

    /// Writes what is kept as a capture that Wireshark opens, with passwords masked. Addresses are those of connections
    /// that are still there, else made up.
    ///
    /// # Errors
    /// When the output fails.
    pub fn capture_to(&self, output: Box<dyn Write + Send>) -> io::Result<()> {
        let mut capture = Capture::new(output)?;
        for record in self.pdus(0, None, usize::MAX) {
            if !capture.is_open(record.session) {
                let peer = self.session(record.session).and_then(|session| session.peer.parse().ok());
                capture.open(record.session, peer, None, record.at);
            }
            capture.data(record.session, record.way, &record.octets_without_password(), record.at);
        }
        capture.flush();
        Ok(())
    }
}
