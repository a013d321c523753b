//! How the simulator ends, and what it serves beside what a listener accepts.

use std::pin::Pin;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use super::{Hub, Order};

/// A connection that is served.
pub(crate) type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

impl Hub {
    /// A connection that the simulator has opened is served by whichever listener comes first.
    pub(crate) fn adopt(&self, task: Task) {
        self.adopted.lock().unwrap_or_else(PoisonError::into_inner).push_back(task);
        self.adoption.notify_one();
    }

    pub(crate) async fn adopted(&self) -> Task {
        loop {
            if let Some(task) = self.adopted.lock().unwrap_or_else(PoisonError::into_inner).pop_front() {
                return task;
            }
            self.adoption.notified().await;
        }
    }

    /// Tells every connection to unbind, and takes no new ones.
    pub(crate) fn stop(&self) {
        let mut inner = self.inner();
        self.stopping.store(true, Ordering::Relaxed);
        for connection in inner.connections.values_mut() {
            connection.tell(Order::Unbind);
        }
        self.stopped.notify_waiters();
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    /// Completes when it stops.
    pub(crate) async fn until_stopped(&self) {
        let stopped = self.stopped.notified();
        // A notification counts from when this is made, so that none falls in between.
        if !self.is_stopping() {
            stopped.await;
        }
    }

    /// All sessions have ended, and nothing more is to be done.
    pub(crate) fn end(&self) {
        self.over.store(true, Ordering::Relaxed);
        self.ended.notify_waiters();
        self.changed.notify_waiters();
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }

    /// Completes when that is so.
    pub(crate) async fn until_ended(&self) {
        let ended = self.ended.notified();
        if !self.has_ended() {
            ended.await;
        }
    }
}
