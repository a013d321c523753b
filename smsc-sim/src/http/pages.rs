//! What is the same for all: whether it is well, the console, the description of the API.

use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use axum::response::{Html, IntoResponse};
use axum::{Extension, Json};
use bytes::Bytes;
use serde::Serialize;
use utoipa::ToSchema;

use crate::control::Control;

/// The page may use nothing but itself and this API.
const POLICY: &str = "default-src 'self'; style-src 'self' 'unsafe-inline'; script-src 'self' 'unsafe-inline'; \
    img-src 'self' data:; frame-ancestors 'none'";

/// That it runs.
#[derive(Serialize, ToSchema)]
pub(super) struct Health {
    /// Always `ok`.
    status: &'static str,
    /// Bound sessions.
    sessions: u64,
    /// From which chance is drawn.
    seed: u64,
    /// Where SMPP is served.
    smpp: String,
}

/// Where SMPP is served.
#[derive(Clone)]
pub(super) struct Smpp(pub(super) String);

/// Whether it runs.
#[utoipa::path(get, path = "/health", responses((status = 200, description = "It does.", body = Health)))]
pub(super) async fn health(State(control): State<Control>, Extension(Smpp(smpp)): Extension<Smpp>) -> Json<Health> {
    let stats = control.stats();
    Json(Health { status: "ok", sessions: stats.sessions, seed: stats.seed, smpp })
}

pub(super) async fn console() -> impl IntoResponse {
    let headers = [(CONTENT_SECURITY_POLICY, POLICY), (X_CONTENT_TYPE_OPTIONS, "nosniff"), (CACHE_CONTROL, "no-store")];
    (headers, Html(include_str!("console.html")))
}

pub(super) async fn openapi(document: Bytes) -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], document)
}
