//! The end of a session, for those who report it.

use std::fmt;
use std::io::ErrorKind;

use crate::pdu::DecodeError;
use crate::session::Why;

/// End of a session: its reason, its cause where one is known, and the requests that were lost with it.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct SessionEnd {
    /// Reason of the end.
    pub reason: Why,
    /// Error of the connection, if that was the reason.
    pub io: Option<ErrorKind>,
    /// Error of the PDU that could not be read, if that was the reason.
    pub malformed: Option<DecodeError>,
    /// Requests of ours that were outstanding: their outcomes are unknown.
    pub outstanding: usize,
}

impl SessionEnd {
    pub(super) fn new(reason: Why) -> SessionEnd {
        SessionEnd { reason, io: None, malformed: None, outstanding: 0 }
    }

    /// Name of the reason in logs and metrics: that of [`Why::name`], but `connection_reset` for a reset.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match (self.reason, self.io) {
            (Why::Broken, Some(ErrorKind::ConnectionReset)) => "connection_reset",
            (reason, _) => reason.name(),
        }
    }

    /// Returns `true` if the session ended in good order, by an unbind or because its owner gave it up.
    #[must_use]
    pub const fn is_orderly(&self) -> bool {
        matches!(self.reason, Why::Unbound | Why::PeerUnbound | Why::Dropped)
    }
}

impl fmt::Display for SessionEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.reason, self.io, &self.malformed) {
            (Why::Broken, Some(kind), _) => write!(f, "session ended: {kind}"),
            (Why::Malformed, _, Some(error)) => write!(f, "session ended: malformed PDU: {error}"),
            (reason, ..) => write!(f, "session ended: {reason}"),
        }
    }
}

#[cfg(test)]
mod tests {
    //! Guards that every end has a name and words of its own.

    use super::*;

    #[test]
    fn every_reason_has_a_name_and_words_of_its_own() {
        let mut ends: Vec<SessionEnd> = Why::ALL.map(SessionEnd::new).into();
        ends.push(SessionEnd { io: Some(ErrorKind::ConnectionReset), ..SessionEnd::new(Why::Broken) });
        let of = |say: fn(&SessionEnd) -> String| ends.iter().map(say).collect::<std::collections::BTreeSet<_>>().len();
        assert_eq!(of(|end| end.name().to_owned()), Why::ALL.len() + 1);
        assert_eq!(of(ToString::to_string), Why::ALL.len() + 1);
        assert!(ends.iter().all(|end| end.name().bytes().all(|octet| octet.is_ascii_lowercase() || octet == b'_')));
    }
}
