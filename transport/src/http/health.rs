//! Whether the transport is well. The form of `/health` is vumi2's.

use std::sync::Arc;

use axum::Json;
use axum::extract::State as Asked;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use serde_json::{Value, json};

use super::State;
use crate::bus;

pub use crate::service::{LinkHealth, StoreHealth};

/// 200 if the bus is up, each bind is bound that must be, and the store can be used, else 500.
pub(super) async fn health(Asked(state): Asked<State>) -> impl IntoResponse {
    let bus = state.bus.borrow().clone();
    let links = state.links.borrow().clone();
    let are_bound = !links.is_empty() && links.iter().all(|link| link.bound || link.is_optional);
    let store = store(&state);
    let is_well = bus.is_up && are_bound && store.as_ref().is_none_or(|(is_up, _)| *is_up);
    let mut components = serde_json::Map::new();
    components.insert(state.bus_name.to_owned(), of_bus(&bus));
    components.insert("smpp".to_owned(), of_links(&links, are_bound));
    components.extend(store.as_ref().map(|store| ("redis".to_owned(), of_store(store))));
    let status = if is_well { StatusCode::OK } else { StatusCode::INTERNAL_SERVER_ERROR };
    (status, Json(json!({ "health": word(is_well), "components": components })))
}

/// 200 if the bus is up, something is bound, and the store can be used: then work can be done. Else 503.
pub(super) async fn ready(Asked(state): Asked<State>) -> impl IntoResponse {
    let (bus, smpp) = (state.bus.borrow().is_up, state.links.borrow().iter().any(|link| link.bound));
    let store = store(&state).map(|(is_up, _)| is_up);
    let is_ready = bus && smpp && store.unwrap_or(true);
    let status = if is_ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let mut shown = json!({ "ready": is_ready, "bus": bus, "smpp": smpp });
    if let Some(store) = store {
        shown["store"] = store.into();
    }
    (status, Json(shown))
}

fn of_bus(bus: &bus::Health) -> Value {
    let bus::Health { is_up, state, reason, server_properties } = bus;
    let mut shown = json!({ "health": word(*is_up), "server_properties": server_properties, "state": state });
    if !reason.is_empty() {
        shown["reason"] = reason.as_ref().into();
    }
    shown
}

/// Returns whether all stores can be used, and why not; `None` if none can be out of reach.
fn store(state: &State) -> Option<(bool, Arc<str>)> {
    let stores: Vec<StoreHealth> = state.stores.iter().map(|store| store.borrow().clone()).collect();
    let down = stores.iter().find(|store| !store.is_up).or(stores.first())?;
    Some((down.is_up, Arc::clone(&down.reason)))
}

fn of_store((is_up, reason): &(bool, Arc<str>)) -> Value {
    let mut shown = json!({ "health": word(*is_up), "state": if *is_up { "open" } else { "unavailable" } });
    if !reason.is_empty() {
        shown["reason"] = reason.as_ref().into();
    }
    shown
}

fn of_links(links: &[LinkHealth], are_bound: bool) -> Value {
    let state = match links.iter().find(|link| !link.bound && !link.is_optional) {
        Some(link) => link.state,
        None if links.is_empty() => "closed",
        None => "bound",
    };
    json!({ "health": word(are_bound), "state": state, "binds": links })
}

fn word(is_well: bool) -> &'static str {
    if is_well { "ok" } else { "down" }
}
