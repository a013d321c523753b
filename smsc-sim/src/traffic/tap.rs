//! What one connection tells of its octets.

use std::net::SocketAddr;
use std::sync::Arc;

use smpp_transport::capture::{Close, Way};

use super::{Ends, Frames, Traffic};

/// Tells [`Traffic`] what passes on one connection, from its making, when the connection opens, to its drop, when it ends.
pub(crate) struct Tap {
    traffic: Arc<Traffic>,
    ends: Ends,
    from_esme: Frames,
    to_esme: Frames,
    /// How the connection ends: the first that was said.
    how: Option<Close>,
}

impl Tap {
    /// A tap of the connection with this ordinal. Addresses that are not IP's are none.
    pub(crate) fn new(traffic: Arc<Traffic>, session: u64, smsc: Option<SocketAddr>, esme: Option<SocketAddr>) -> Tap {
        let ends = Ends { session, esme, smsc };
        traffic.opened(ends);
        Tap { traffic, ends, from_esme: Frames::default(), to_esme: Frames::default(), how: None }
    }

    /// Octets have passed.
    pub(crate) fn passed(&mut self, way: Way, octets: &[u8]) {
        let frames = match way {
            Way::FromEsme => &mut self.from_esme,
            Way::ToEsme => &mut self.to_esme,
        };
        self.traffic.passed(self.ends, way, frames, octets);
    }

    /// The connection is about to end so. What is said first holds, but for a reset, which ends whatever was closed before.
    pub(crate) fn ended(&mut self, how: Close) {
        if self.how.is_none() || matches!(how, Close::Reset(_)) {
            self.how = Some(how);
        }
    }
}

impl Drop for Tap {
    fn drop(&mut self) {
        self.traffic.closed(self.ends, self.how.unwrap_or(Close::Ended(Way::ToEsme)));
    }
}
