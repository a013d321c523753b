//! Counts, and beginning anew.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

use super::error::BadBody;
use super::read::Body;
use crate::control::{Control, Reset};
use crate::hub::Stats;

/// Counts since the start.
#[utoipa::path(get, path = "/stats", tag = "simulator",
    responses((status = 200, description = "They.", body = Stats)))]
pub(super) async fn stats(State(control): State<Control>) -> Json<Stats> {
    Json(control.stats())
}

/// Forgets messages, deliveries and PDUs, and begins anew with rules and chance: for between tests.
#[utoipa::path(post, path = "/reset", tag = "simulator", request_body = Reset,
    responses((status = 204, description = "It has begun anew."), BadBody))]
pub(super) async fn reset(State(control): State<Control>, Body(reset): Body<Reset>) -> StatusCode {
    control.reset(reset);
    StatusCode::NO_CONTENT
}
