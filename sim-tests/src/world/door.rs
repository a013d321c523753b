//! Whether connections to an SMSC come about: the same on both tiers.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::sleep;

use crate::plan::FaultKind;

/// What happens to whoever wants to connect. Clones are the same.
#[derive(Clone, Default)]
pub(super) struct Door {
    state: Arc<Mutex<State>>,
    /// Told when it turns; in the order they wait.
    turned: Arc<Notify>,
}

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum State {
    /// It gets as far as the network lets it.
    #[default]
    Open,
    /// It is told that nobody is there.
    Refuses,
    /// It hears nothing until this is over.
    Hangs,
}

impl Door {
    /// Lets a fault begin or end, if it is one of this.
    pub(super) fn turn(&self, kind: FaultKind, ends: bool) {
        let state = match kind {
            FaultKind::ConnectRefused | FaultKind::ConnectHangs if ends => State::Open,
            FaultKind::ConnectRefused => State::Refuses,
            FaultKind::ConnectHangs => State::Hangs,
            _ => return,
        };
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = state;
        self.turned.notify_waiters();
    }

    /// Completes when the connection may be made. To be refused takes as long as a segment does.
    pub(super) async fn pass(&self, latency: Duration) -> io::Result<()> {
        loop {
            let turned = self.turned.notified();
            let state = *self.state.lock().unwrap_or_else(PoisonError::into_inner);
            match state {
                State::Open => return Ok(()),
                State::Refuses => {
                    sleep(latency).await;
                    return Err(io::ErrorKind::ConnectionRefused.into());
                }
                State::Hangs => turned.await,
            }
        }
    }
}
