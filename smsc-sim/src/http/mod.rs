//! HTTP beside SMPP: the API, thin over [`Control`]; metrics; the console. What can be asked is described by
//! `/api/v1/openapi.json`, made from the same attributes as the routes.
//!
//! It is meant for tests and people on the same machine or network, and asks nobody who they are. What it keeps out are
//! web pages of others in somebody's browser: see [`smpp_transport::guard`].

mod accounts;
mod deliver;
mod error;
mod messages;
mod metrics;
mod openapi;
mod pages;
mod pdus;
mod read;
mod rules;
mod sessions;
mod stats;
mod stream;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::routing::get;
use axum::{Extension, Router};
use smpp_transport::guard::{Foreign, Names};
use tokio::net::TcpListener;
use tokio::time::sleep;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::control::Control;
use error::ApiError;

/// How long requests may take to end after the simulator has: those that wait, and streams, end at once.
const GRACE: Duration = Duration::from_secs(1);

/// Where what is served.
pub(crate) struct Places {
    /// HTTP, as it was told to listen: a name in it is one of its own.
    pub(crate) http: String,
    /// SMPP, by its first address.
    pub(crate) smpp: String,
}

/// Serves until the simulator stops.
pub(crate) async fn serve(listener: TcpListener, control: Control, places: Places) {
    let hub = Arc::clone(&control.hub);
    let ended = async move { hub.until_ended().await };
    let hub = Arc::clone(&control.hub);
    let served = axum::serve(listener, router(control, places)).with_graceful_shutdown(ended);
    let too_long = async move {
        hub.until_ended().await;
        sleep(GRACE).await;
    };
    // It ends when told to; a connection that fails is its client's affair. One that never finishes its request is left.
    tokio::select! {
        biased;
        _ = served.into_future() => {}
        () = too_long => {}
    }
}

fn router(control: Control, places: Places) -> Router {
    let (router, openapi) = OpenApiRouter::with_openapi(openapi::head())
        .routes(routes!(pages::health))
        .routes(routes!(metrics::metrics))
        .nest("/api/v1", api())
        .split_for_parts();
    let document = openapi::document(openapi);
    router
        .route("/", get(pages::console))
        .route("/api/v1/openapi.json", get(move || pages::openapi(document)))
        .fallback(error::no_such_path)
        .method_not_allowed_fallback(error::no_such_method)
        .layer(from_fn_with_state(Names::of(&places.http), guard))
        .layer(Extension(pages::Smpp(places.smpp)))
        .with_state(control)
}

/// Keeps out web pages of others.
async fn guard(State(names): State<Names>, request: Request, next: Next) -> Result<Response, ApiError> {
    let checked = names.check(request.method(), request.headers());
    checked.map_err(|Foreign { header, words }| ApiError::of(header.as_str(), StatusCode::FORBIDDEN, words))?;
    Ok(next.run(request).await)
}

fn api() -> OpenApiRouter<Control> {
    OpenApiRouter::new()
        .routes(routes!(sessions::list))
        .routes(routes!(sessions::one, sessions::end))
        .routes(routes!(sessions::steps))
        .routes(routes!(sessions::outbind))
        .routes(routes!(messages::list, messages::forget))
        .routes(routes!(messages::one))
        .routes(routes!(messages::set_state))
        .routes(routes!(messages::send_receipt))
        .routes(routes!(deliver::deliver))
        .routes(routes!(deliver::one))
        .routes(routes!(deliver::alert))
        .routes(routes!(rules::list, rules::put, rules::post, rules::delete))
        .routes(routes!(rules::sets))
        .routes(routes!(accounts::list))
        .routes(routes!(stats::reset))
        .routes(routes!(stats::stats))
        .routes(routes!(pdus::list))
        .routes(routes!(pdus::capture))
        .routes(routes!(stream::stream))
}
