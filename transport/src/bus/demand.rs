//! Demand for deliveries, shared by the two ends of a bus.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Notify;

/// Demand for deliveries: paused or not. Clones share the state.
#[derive(Clone, Debug, Default)]
pub struct Demand(Arc<State>);

#[derive(Debug, Default)]
struct State {
    is_paused: AtomicBool,
    changed: Notify,
}

impl Demand {
    /// Returns `true` while no deliveries are wanted.
    #[must_use]
    pub fn is_paused(&self) -> bool {
        self.0.is_paused.load(Ordering::Acquire)
    }

    /// Completes after the demand has changed. One task waits for it: that of the bus.
    pub async fn changed(&self) {
        self.0.changed.notified().await;
    }

    /// Pauses or resumes, and wakes the bus.
    pub(super) fn set_paused(&self, is_paused: bool) {
        if self.0.is_paused.swap(is_paused, Ordering::AcqRel) != is_paused {
            self.0.changed.notify_one();
        }
    }
}
