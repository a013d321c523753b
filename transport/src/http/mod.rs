//! HTTP beside the bus: whether the transport is well, its metrics, and the embedded bus for applications.
//!
//! | request | answer |
//! |---|---|
//! | `GET /health` | 200 if all is well, else 500; in vumi2's form |
//! | `GET /ready` | 200 if messages can be taken and sent, else 503 |
//! | `GET /metrics` | for Prometheus |
//! | `GET /openapi.json` | all of this, as an OpenAPI document |
//! | `POST /outbound` | 202 with the message, or the messages, once they are on disk |
//! | `GET /inbound`, `/events`, `/statuses`, `/failed` | a page of what was published, or server-sent events |
//!
//! It asks nobody who they are: the address it listens on decides who may talk to it. What it keeps out are web pages of
//! others in somebody's browser: see [`guard`](crate::guard).

use std::sync::Arc;

use axum::extract::{FromRef, Request, State as Asked};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router};
use prometheus_client::registry::Registry;
use tokio::sync::watch;

use crate::bus;
use crate::guard::{Foreign, Names};

mod error;
pub mod health;
mod listen;
mod openapi;
#[cfg(feature = "embedded")]
mod outbound;
#[cfg(feature = "embedded")]
mod pages;
#[cfg(feature = "embedded")]
mod query;
#[cfg(feature = "embedded")]
mod queue;
#[cfg(feature = "embedded")]
mod stream;

use error::HttpError;
pub use health::{LinkHealth, StoreHealth};
pub use listen::{Address, AddressError, Listener};
#[cfg(feature = "embedded")]
pub use queue::Queue;

/// The form that `prometheus-client` writes.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What is shown, and where it comes from.
#[derive(Clone, Debug)]
pub struct State {
    /// Which bus it is, as `/health` names it: `amqp` or `embedded`.
    pub bus_name: &'static str,
    /// How the bus is.
    pub bus: watch::Receiver<bus::Health>,
    /// How each bind is; empty before there is one.
    pub links: watch::Receiver<Vec<LinkHealth>>,
    /// Availability of each store that may be out of reach.
    pub stores: Vec<watch::Receiver<StoreHealth>>,
    /// What is counted.
    pub metrics: Arc<Registry>,
    /// The embedded bus, if that is the bus.
    #[cfg(feature = "embedded")]
    pub queue: Option<Queue>,
}

impl State {
    /// Returns `true` if the embedded bus is served.
    #[cfg(feature = "embedded")]
    fn has_queue(&self) -> bool {
        self.queue.is_some()
    }

    /// Returns `false`: this build has no embedded bus.
    #[cfg(not(feature = "embedded"))]
    fn has_queue(&self) -> bool {
        false
    }
}

impl FromRef<State> for Arc<Registry> {
    fn from_ref(state: &State) -> Arc<Registry> {
        Arc::clone(&state.metrics)
    }
}

/// All that is served. `name` is the host that it was told to listen on, by which browsers may know it.
fn router(state: State, name: &str, stopping: listen::Stopping) -> Router {
    let router = Router::new()
        .route("/", get(index))
        .route("/health", get(health::health))
        .route("/ready", get(health::ready))
        .route("/metrics", get(metrics))
        .route("/openapi.json", get(openapi::get));
    #[cfg(feature = "embedded")]
    let router = match state.queue.clone() {
        Some(queue) => router.merge(queue::router(queue)),
        None => router,
    };
    router
        .fallback(error::no_such_path)
        .method_not_allowed_fallback(error::no_such_method)
        .layer(from_fn_with_state(Names::of(name), guard))
        .layer(Extension(stopping))
        .with_state(state)
}

/// Keeps out web pages of others.
async fn guard(Asked(names): Asked<Names>, request: Request, next: Next) -> Result<Response, HttpError> {
    let checked = names.check(request.method(), request.headers());
    checked.map_err(|Foreign { header, words }| HttpError::of(header.as_str(), StatusCode::FORBIDDEN, words))?;
    Ok(next.run(request).await)
}

async fn index(Asked(state): Asked<State>) -> String {
    let mut text = concat!("smpp-transport ", env!("CARGO_PKG_VERSION"), "\n\n").to_owned();
    text.push_str("GET  /health    whether all is well, as JSON\n");
    text.push_str("GET  /ready     200 when messages can be taken and sent\n");
    text.push_str("GET  /metrics   counts, for Prometheus\n");
    text.push_str("GET  /openapi.json   this, for programs\n");
    #[cfg(feature = "embedded")]
    if state.queue.is_some() {
        text.push_str(queue::INDEX);
    }
    text.push_str(&format!("\nThe bus is {}: {}.\n", state.bus_name, state.bus.borrow().state));
    text
}

async fn metrics(Asked(registry): Asked<Arc<Registry>>) -> impl IntoResponse {
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = prometheus_client::encoding::text::encode(&mut text, &registry);
    ([(CONTENT_TYPE, OPEN_METRICS)], text)
}
