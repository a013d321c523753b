//! The embedded bus for applications.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::routing::{get, post};

use super::{State, outbound, pages};
use crate::bus::embedded::Posted;
use crate::bus::message::Stamp;
use crate::bus::{Embedded, Route};
use crate::env::{Seed, WallClock};

/// What `GET /` says of it.
pub(super) const INDEX: &str = "\
POST /outbound  a message to be sent: {\"to_addr\": …, \"from_addr\": …, \"content\": …}, or a list of them
GET  /inbound   messages from phones
GET  /events    what became of messages
GET  /statuses  states of the links, with status_events
GET  /failed    what was no message, or could never be sent
                ?after=OFFSET&limit=N&wait=30s, or Accept: text/event-stream
";

/// The embedded bus, and what a message gets that comes without a name or a time.
#[derive(Clone, Debug)]
pub struct Queue {
    pub(super) bus: Embedded,
    pub(super) transport_name: Arc<str>,
    pub(super) posted: Posted,
    stamps: Stamps,
}

#[derive(Clone)]
struct Stamps {
    rng: Arc<Mutex<crate::env::ChaCha8Rng>>,
    clock: Arc<dyn WallClock>,
}

impl std::fmt::Debug for Stamps {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Stamps")
    }
}

impl Queue {
    /// Messages are given `transport_name` where they name no transport, and names drawn from the seed.
    #[must_use]
    pub fn new(bus: Embedded, transport_name: &str, seed: Seed, clock: Arc<dyn WallClock>) -> Queue {
        let rng = Arc::new(Mutex::new(seed.stream("http message ids", 0)));
        let posted = Posted::new(None);
        Queue { bus, transport_name: transport_name.into(), posted, stamps: Stamps { rng, clock } }
    }

    /// Takes a message that is posted again with its `message_id` within this time as the one that is stored already. `None`
    /// takes each as a message of its own.
    #[must_use]
    pub fn with_window(mut self, window: Option<Duration>) -> Queue {
        self.posted = Posted::new(window);
        self
    }

    pub(super) fn stamp(&self) -> Stamp {
        // No panic can happen while the lock is held, so a poisoned one is as good as any.
        let mut rng = self.stamps.rng.lock().unwrap_or_else(PoisonError::into_inner);
        Stamp::draw(&mut *rng, self.stamps.clock.unix())
    }
}

pub(super) fn router(queue: Queue) -> Router<State> {
    Router::new()
        .route("/outbound", post(outbound::outbound))
        .route("/inbound", get(|asked, queue, waiting| pages::get(Route::Inbound, asked, queue, waiting)))
        .route("/events", get(|asked, queue, waiting| pages::get(Route::Event, asked, queue, waiting)))
        .route("/statuses", get(|asked, queue, waiting| pages::get(Route::Status, asked, queue, waiting)))
        .route("/failed", get(|asked, queue, waiting| pages::get(Route::Failed, asked, queue, waiting)))
        .layer(axum::Extension(queue))
}
