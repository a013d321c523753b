//! HTTP beside SMPP.

use std::sync::Arc;

use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::control::Control;

/// Serves until the simulator stops.
pub(crate) async fn serve(listener: TcpListener, control: Control) {
    let router = Router::new().route("/health", get(health));
    let hub = Arc::clone(&control.hub);
    let ended = async move { hub.until_ended().await };
    // It ends when told to; a connection that fails is its client's affair.
    let _ = axum::serve(listener, router).with_graceful_shutdown(ended).await;
}

async fn health() -> Json<Value> {
    Json(json!({ "status": "ok" }))
}
