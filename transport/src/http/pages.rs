//! Pages of what was published: `GET /inbound`, `/events`, `/statuses`, `/failed`.

use axum::http::StatusCode;
use axum::http::header::CACHE_CONTROL;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde_json::{Map, Value, json};

use super::error::HttpError;
use super::listen::Stopping;
use super::query::Query;
use super::queue::Queue;
use super::stream;
use crate::bus::Route;
use crate::bus::embedded::{Page, Stored};
use crate::bus::message::timestamp;
use crate::disk::DiskError;

pub(super) async fn get(
    route: Route,
    asked: Query,
    Extension(queue): Extension<Queue>,
    Extension(stopping): Extension<Stopping>,
) -> Result<Response, HttpError> {
    if asked.is_stream {
        return Ok(stream::stream(queue.bus, route, asked.after, stopping));
    }
    let Page { stored, next } = page(queue, route, asked, stopping).await.map_err(|error| unreadable(&error))?;
    let list = match route {
        Route::Event => "events",
        Route::Status => "statuses",
        Route::Inbound | Route::Failed => "messages",
    };
    let shown: Vec<_> = stored.iter().map(|stored| show(route, stored)).collect();
    Ok(([(CACHE_CONTROL, "no-store")], Json(json!({ list: shown, "next": next }))).into_response())
}

async fn page(queue: Queue, route: Route, asked: Query, mut stopping: Stopping) -> Result<Page, DiskError> {
    let after = asked.after.unwrap_or_default();
    tokio::select! {
        // What there is, is given even in the end.
        biased;
        page = queue.bus.page(route, after, asked.limit, asked.wait) => page,
        () = stopping.stopped() => Ok(Page { stored: Vec::new(), next: after }),
    }
}

fn unreadable(error: &DiskError) -> HttpError {
    HttpError::new(StatusCode::SERVICE_UNAVAILABLE, format!("nothing can be read: {error}"))
}

/// The offset, and then what was published. A dead letter may be anything: it is in `body`, as JSON if it is that, with the
/// reason and the time.
pub(super) fn show(route: Route, stored: &Stored) -> Value {
    let mut shown = Map::from_iter([("offset".to_owned(), stored.offset.into())]);
    let body = serde_json::from_slice(&stored.body);
    match body {
        Ok(Value::Object(fields)) if route != Route::Failed => shown.extend(fields),
        body => {
            let text = || Value::String(String::from_utf8_lossy(&stored.body).into_owned());
            shown.insert("timestamp".to_owned(), timestamp(stored.at).into());
            shown.insert("reason".to_owned(), stored.reason.clone().into());
            shown.insert("body".to_owned(), body.unwrap_or_else(|_| text()));
        }
    }
    shown.into()
}
