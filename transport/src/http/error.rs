//! What is said of requests that cannot be done: always JSON, with the field where there is one.

use axum::Json;
use axum::http::{Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// A request that is refused.
#[derive(Clone, Debug)]
pub(super) struct HttpError {
    status: StatusCode,
    said: Said,
}

#[derive(Clone, Debug, Serialize)]
struct Said {
    /// In words that name the field, its value and what is allowed.
    error: String,
    /// The field, parameter or header that is wrong, as in `[2].to_addr`; null where it is none of them.
    field: Option<String>,
}

impl HttpError {
    pub(super) fn new(status: StatusCode, error: impl Into<String>) -> HttpError {
        HttpError { status, said: Said { error: error.into(), field: None } }
    }

    pub(super) fn of(field: impl Into<String>, status: StatusCode, error: impl Into<String>) -> HttpError {
        HttpError { status, said: Said { error: error.into(), field: Some(field.into()) } }
    }
}

impl IntoResponse for HttpError {
    fn into_response(self) -> Response {
        (self.status, Json(self.said)).into_response()
    }
}

pub(super) async fn no_such_path(uri: Uri) -> HttpError {
    let path = uri.path();
    HttpError::new(StatusCode::NOT_FOUND, format!("there is no {path:?}; GET / lists what there is"))
}

/// Which methods there are, says the Allow header, which the router adds.
pub(super) async fn no_such_method(method: Method, uri: Uri) -> HttpError {
    let path = uri.path();
    let words = format!("{method} cannot be done to {path:?}; the Allow header lists what can");
    HttpError::new(StatusCode::METHOD_NOT_ALLOWED, words)
}
