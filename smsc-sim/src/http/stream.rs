//! What passes, as it passes: server-sent events, to be gone on with where one left off.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Sse;
use axum::response::sse::{Event, KeepAlive};
use futures_util::stream::{Stream, unfold};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use utoipa::IntoParams;

use super::error::{ApiError, BadParameter};
use super::read::Query;
use crate::control::Control;
use crate::schema::Pdu;
use crate::traffic::{PduRecord, json as json_of};

/// How often something is sent where nothing passes, so that nobody in between ends the connection.
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(15);

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    /// Begin with what is kept with a higher `number`. The header Last-Event-ID goes before. Default: what passes from
    /// now on.
    after: Option<u64>,
    /// Only those of this connection.
    session: Option<u64>,
}

/// What passes, without end: each PDU an event whose id is its `number`, and `missed` with `{"missed": n}` where some were
/// forgotten before they could be sent.
#[utoipa::path(get, path = "/pdus/stream", tag = "pdus",
    params(Which, ("Last-Event-ID" = Option<u64>, Header, description = "The last number that was received.")),
    responses((status = 200, description = "Events.", body = inline(Pdu), content_type = "text/event-stream"), BadParameter))]
pub(super) async fn stream(
    State(control): State<Control>,
    Query(which): Query<Which>,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, ApiError> {
    let after = last_event_id(&headers)?.or(which.after);
    let follower = Follower::new(control, after, which.session);
    let events = unfold(follower, |mut follower| async { Some((Ok(follower.next().await?), follower)) });
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE_INTERVAL)))
}

fn last_event_id(headers: &HeaderMap) -> Result<Option<u64>, ApiError> {
    let Some(id) = headers.get("last-event-id") else { return Ok(None) };
    let number = id.to_str().ok().and_then(|id| id.trim().parse().ok());
    let wrong = || ApiError::bad("Last-Event-ID", format!("Last-Event-ID is {id:?}: the number of a PDU is allowed"));
    number.map(Some).ok_or_else(wrong)
}

struct Follower {
    control: Control,
    session: Option<u64>,
    live: Receiver<PduRecord>,
    /// What is to be sent before what passes now.
    backlog: VecDeque<PduRecord>,
    /// The number of the last one that was looked at, whichever session it was of.
    last: u64,
    missed: u64,
}

impl Follower {
    fn new(control: Control, after: Option<u64>, session: Option<u64>) -> Follower {
        let live = control.follow_pdus();
        let newest = control.pdus_recorded();
        // A number that has not been is one of another run.
        let last = after.map_or(newest, |after| if after > newest { 0 } else { after });
        let mut follower = Follower { control, session, live, backlog: VecDeque::new(), last, missed: 0 };
        follower.catch_up();
        follower
    }

    /// Takes up what is kept of what has passed since the last one.
    fn catch_up(&mut self) {
        self.backlog = self.control.pdus(self.last, None, usize::MAX).into();
        let recorded = self.control.pdus_recorded();
        let first = self.backlog.front().map_or(recorded + 1, |record| record.number);
        self.missed += first.saturating_sub(self.last + 1);
        self.last = self.last.max(first - 1);
    }

    /// The next event; none once the simulator has ended.
    async fn next(&mut self) -> Option<Event> {
        let hub = Arc::clone(&self.control.hub);
        loop {
            if self.missed > 0 {
                let missed = json!({ "missed": std::mem::take(&mut self.missed) });
                return Some(Event::default().event("missed").data(missed.to_string()));
            }
            let record = match self.backlog.pop_front() {
                Some(record) => record,
                None => tokio::select! {
                    // First, so that a busy line does not keep it from ending.
                    biased;
                    () = hub.until_ended() => return None,
                    received = self.live.recv() => match received {
                        Ok(record) => record,
                        Err(RecvError::Lagged(_)) => {
                            self.catch_up();
                            continue;
                        }
                        Err(RecvError::Closed) => return None,
                    },
                },
            };
            // What was taken up already may come again.
            if record.number <= self.last {
                continue;
            }
            self.last = record.number;
            if self.session.is_none_or(|session| record.session == session) {
                return Some(
                    Event::default()
                        .id(record.number.to_string())
                        .data(json_of(&record, hub.config.driver.leniency).to_string()),
                );
            }
        }
    }
}
