//! What is published, as it is published: server-sent events, to be gone on with where one left off.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::time::Duration;

use axum::response::sse::{Event, KeepAlive};
use axum::response::{IntoResponse, Response, Sse};
use futures_util::stream::unfold;

use super::listen::Stopping;
use super::pages::show;
use crate::bus::embedded::Stored;
use crate::bus::{Embedded, Route};

/// How often something is sent where nothing is published, so that nobody in between ends the connection.
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(15);
/// What is read at once.
const READ_MAX: usize = 100;
/// How long to wait for more before looking again.
const WAIT: Duration = Duration::from_secs(60);

/// Each message an event whose id is its offset; without end. Begins after this offset, or with what comes from now on.
pub(super) fn stream(bus: Embedded, route: Route, after: Option<u64>, stopping: Stopping) -> Response {
    let after = after.unwrap_or_else(|| *bus.follow(route).borrow());
    let follower = Follower { bus, route, after, read: VecDeque::new(), stopping };
    let events = unfold(follower, |mut follower| async { Some((follower.next().await?, follower)) });
    Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE_INTERVAL)).into_response()
}

struct Follower {
    bus: Embedded,
    route: Route,
    after: u64,
    read: VecDeque<Stored>,
    stopping: Stopping,
}

impl Follower {
    /// The next event; none once HTTP stops or nothing can be read: whoever follows comes again.
    async fn next(&mut self) -> Option<Result<Event, Infallible>> {
        while self.read.is_empty() {
            let page = tokio::select! {
                // First, so that a busy route does not keep it from ending.
                biased;
                () = self.stopping.stopped() => return None,
                page = self.bus.page(self.route, self.after, READ_MAX, WAIT) => page.ok()?,
            };
            self.after = page.next;
            self.read = page.stored.into();
        }
        let stored = self.read.pop_front()?;
        Some(Ok(Event::default().id(stored.offset.to_string()).data(show(self.route, &stored).to_string())))
    }
}
