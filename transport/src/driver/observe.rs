//! Observation of a session while it runs, for metrics.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::session::Counters;

/// Something worth counting that no event tells.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Observation {
    /// A PDU could not be read.
    Malformed,
    /// A request of the peer has a command that SMPP 3.4 does not define.
    UnknownCommand,
    /// A response answers nothing that is outstanding: late, doubled or invented.
    UnexpectedResponse,
    /// The peer answered an enquire_link after this time.
    EnquireLink(Duration),
}

/// Callback for observations. The default ignores them.
#[derive(Clone, Default)]
pub struct Observer(Option<Arc<dyn Fn(Observation) + Send + Sync>>);

impl Observer {
    /// An observer that calls this function, from the task of the session: it must not block.
    pub fn new(observe: impl Fn(Observation) + Send + Sync + 'static) -> Observer {
        Observer(Some(Arc::new(observe)))
    }

    /// Reports what has changed between these counters.
    #[inline]
    pub(super) fn compare(&self, seen: &mut Counters, now: Counters) {
        let Some(observe) = &self.0 else { return };
        let before = std::mem::replace(seen, now);
        if before == now {
            return;
        }
        let times = |count: u64, observation| (0..count).for_each(|_| observe(observation));
        times(now.malformed.saturating_sub(before.malformed), Observation::Malformed);
        times(now.unknown.saturating_sub(before.unknown), Observation::UnknownCommand);
        times(now.unexpected_responses.saturating_sub(before.unexpected_responses), Observation::UnexpectedResponse);
        if now.enquire_links > before.enquire_links {
            observe(Observation::EnquireLink(now.enquire_link_time));
        }
    }
}

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Observer(..)" } else { "Observer(none)" })
    }
}
