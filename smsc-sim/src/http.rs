//! HTTP beside SMPP. So far it says that the simulator is up; the control API is to come.

use std::io;
use std::net::SocketAddr;

use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// Listens on `address` (port 0 picks a free one) and serves until the runtime ends; gives where.
///
/// # Errors
/// When the address cannot be listened on.
pub(crate) async fn start(address: &str) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind(address).await?;
    let address = listener.local_addr()?;
    let router = Router::new().route("/health", get(health));
    // It ends with the runtime; a connection that fails is its client's affair.
    tokio::spawn(async { axum::serve(listener, router).await });
    Ok(address)
}

async fn health() -> Json<Value> {
    Json(json!({ "status": "ok" }))
}
