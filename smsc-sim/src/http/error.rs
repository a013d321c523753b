//! What is said of requests that cannot be done: always JSON, with the field where there is one.

use axum::Json;
use axum::http::{Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::{IntoResponses, ToSchema};

use crate::control::ControlError;

/// A request that is refused.
#[derive(Clone, Debug)]
pub(super) struct ApiError {
    status: StatusCode,
    error: Error,
}

/// Why a request is refused.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct Error {
    /// In words that name the field, its value and what is allowed.
    error: String,
    /// The field, parameter or header that is wrong, as in `tlvs[2].hex`; null where it is none of them.
    #[schema(required)]
    field: Option<String>,
}

impl ApiError {
    pub(super) fn new(status: StatusCode, error: impl Into<String>) -> ApiError {
        ApiError { status, error: Error { error: error.into(), field: None } }
    }

    pub(super) fn of(field: impl Into<String>, status: StatusCode, error: impl Into<String>) -> ApiError {
        ApiError { status, error: Error { error: error.into(), field: Some(field.into()) } }
    }

    /// Something in the request is not as it must be.
    pub(super) fn bad(field: impl Into<String>, error: impl Into<String>) -> ApiError {
        ApiError::of(field, StatusCode::BAD_REQUEST, error)
    }
}

impl From<ControlError> for ApiError {
    fn from(error: ControlError) -> ApiError {
        let words = error.to_string();
        match error {
            ControlError::Unknown { .. } => ApiError::new(StatusCode::NOT_FOUND, words),
            ControlError::Field(field) => ApiError::bad(field.field, words),
            ControlError::Refused(_) => ApiError::new(StatusCode::CONFLICT, words),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        (self.status, Json(self.error)).into_response()
    }
}

pub(super) async fn no_such_path(uri: Uri) -> ApiError {
    let path = uri.path();
    ApiError::new(StatusCode::NOT_FOUND, format!("there is no {path:?}; /api/v1/openapi.json lists what there is"))
}

/// Which methods there are, says the Allow header, which the router adds.
pub(super) async fn no_such_method(method: Method, uri: Uri) -> ApiError {
    let path = uri.path();
    let words = format!("{method} cannot be done to {path:?}; the Allow header lists what can");
    ApiError::new(StatusCode::METHOD_NOT_ALLOWED, words)
}

/// The ways in which requests are refused, for the description.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "for the description alone")]
pub(super) enum BadParameter {
    /// A parameter is unknown, or not as it must be.
    #[response(status = 400)]
    Bad(Error),
}

/// See [`BadParameter`].
#[derive(IntoResponses)]
#[expect(dead_code, reason = "for the description alone")]
pub(super) enum BadBody {
    /// The body, or a parameter, is not as it must be.
    #[response(status = 400)]
    Bad(Error),
    /// The body has more than a mebioctet.
    #[response(status = 413)]
    TooLarge(Error),
    /// The body is neither JSON nor YAML.
    #[response(status = 415)]
    Unsupported(Error),
}

/// See [`BadParameter`].
#[derive(IntoResponses)]
#[expect(dead_code, reason = "for the description alone")]
pub(super) enum Unknown {
    /// There is none of that number or id.
    #[response(status = 404)]
    Unknown(Error),
}

/// See [`BadParameter`].
#[derive(IntoResponses)]
#[expect(dead_code, reason = "for the description alone")]
pub(super) enum Conflict {
    /// It cannot be done now.
    #[response(status = 409)]
    Refused(Error),
}
