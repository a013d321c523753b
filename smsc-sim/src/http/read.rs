//! Reading requests: bodies, parameters, and how long to wait. Everything that is wrong is said in words.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use axum::body::to_bytes;
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_path_to_error::Track;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::error::ApiError;
use crate::control::ControlError;
use crate::rules::in_one_line;
use crate::time::{Time, as_text};

/// The most that a body may have: rules of thousands of lines are less.
const BODY_OCTETS_MAX: usize = 1024 * 1024;
/// The longest that a request may wait.
const WAIT_MAX: Duration = Duration::from_secs(60);

/// A body: JSON, or YAML if its type says so. An empty one is an empty object.
pub(super) struct Body<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Body<T>, ApiError> {
        let form = Form::of(request.headers())?;
        let text = text(request).await?;
        read(if text.trim().is_empty() { "{}" } else { &text }, form).map(Body)
    }
}

/// How a body is written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Form {
    Json,
    Yaml,
}

impl Form {
    /// What the headers say. Forms of web pages are none of the two, which keeps those of others out.
    pub(super) fn of(headers: &HeaderMap) -> Result<Form, ApiError> {
        let Some(value) = headers.get(CONTENT_TYPE) else { return Ok(Form::Json) };
        let value = value.to_str().unwrap_or_default();
        match value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase().as_str() {
            "application/json" => Ok(Form::Json),
            "application/yaml" | "application/x-yaml" | "text/yaml" => Ok(Form::Yaml),
            _ => {
                let words = format!("Content-Type is {value:?}: application/json or application/yaml is allowed");
                Err(ApiError::of("Content-Type", StatusCode::UNSUPPORTED_MEDIA_TYPE, words))
            }
        }
    }
}

/// The body as it is.
pub(super) async fn text(request: Request) -> Result<String, ApiError> {
    let too_large = || {
        let words = format!("the body is too large: at most {BODY_OCTETS_MAX} octets are allowed");
        ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, words)
    };
    let announced =
        request.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > BODY_OCTETS_MAX) {
        return Err(too_large());
    }
    let octets = to_bytes(request.into_body(), BODY_OCTETS_MAX).await.map_err(|_| too_large())?;
    let wrong = |_| ApiError::new(StatusCode::BAD_REQUEST, "the body is no text: UTF-8 is allowed");
    String::from_utf8(octets.into()).map_err(wrong)
}

/// YAML has all that JSON has, takes numbers where strings are wanted, and says where something is wrong. So JSON is read
/// as YAML too, once it is sure to be JSON.
pub(super) fn read<T: DeserializeOwned>(text: &str, form: Form) -> Result<T, ApiError> {
    if form == Form::Json {
        let no_json = |error| ApiError::new(StatusCode::BAD_REQUEST, format!("the body is no JSON: {error}"));
        serde_json::from_str::<IgnoredAny>(text).map_err(no_json)?;
    }
    let mut track = Track::new();
    let read = serde_saphyr::with_deserializer_from_str(text, |from| {
        T::deserialize(serde_path_to_error::Deserializer::new(from, &mut track))
    });
    read.map_err(|error| {
        let words = in_one_line(text, &error);
        match track.path().to_string() {
            path if path == "." => ApiError::new(StatusCode::BAD_REQUEST, words),
            path => ApiError::bad(path.clone(), format!("{path}: {words}")),
        }
    })
}

/// Parameters after the question mark.
pub(super) struct Query<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Query<T>, ApiError> {
        let query = parts.uri.query().unwrap_or_default().as_bytes();
        let from = serde_urlencoded::Deserializer::new(form_urlencoded::parse(query));
        serde_path_to_error::deserialize(from).map(Query).map_err(|error| {
            let (path, words) = (error.path().to_string(), error.inner().to_string());
            // One that is unknown, or there twice, is named in the words alone.
            if let Some((_, named)) = words.split_once(" field `") {
                let words = words.replace(" field `", " parameter `");
                return ApiError::bad(named.split('`').next().unwrap_or_default(), words);
            }
            let value = form_urlencoded::parse(query).find(|(name, _)| *name == path);
            let words = value.map_or(words.clone(), |(_, value)| said_of(&value, &words));
            ApiError::bad(path.clone(), format!("{path}: {words}"))
        })
    }
}

/// The value, and what is allowed.
fn said_of(value: &str, words: &str) -> String {
    let allowed = match words {
        _ if words.starts_with(&format!("{value:?}")) => return words.to_owned(),
        "invalid digit found in string"
        | "cannot parse integer from empty string"
        | "number too large to fit in target type"
        | "number too small to fit in target type" => "a whole number, 0 or above, is allowed",
        words => words,
    };
    format!("{value:?}: {allowed}")
}

/// Which one is asked for. What is no number is as unknown as a number that nobody has.
pub(super) struct Id(pub(super) String);

impl Id {
    /// The number, of a session or a delivery.
    pub(super) fn number(&self, what: &'static str) -> Result<u64, ApiError> {
        self.0.parse().map_err(|_| ControlError::unknown(what, &self.0).into())
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Id, ApiError> {
        let id = Path::<String>::from_request_parts(parts, state).await;
        id.map(|Path(id)| Id(id)).map_err(|error| ApiError::new(StatusCode::NOT_FOUND, error.body_text()))
    }
}

/// How long to wait: a time of at most a minute.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Wait(pub(super) Duration);

impl FromStr for Wait {
    type Err = String;

    fn from_str(text: &str) -> Result<Wait, String> {
        let Time(wait) = text.parse()?;
        if wait > WAIT_MAX { Err(format!("{text:?} is too long: at most 60s is allowed")) } else { Ok(Wait(wait)) }
    }
}

impl fmt::Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Time(self.0).fmt(f)
    }
}

as_text!(Wait);

impl PartialSchema for Wait {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some("A time of at most 60s: a number and ms, s or m, or 0."))
            .pattern(Some(r"^(0|[0-9]{1,4}ms|[0-9](\.[0-9]{1,3})?s|[1-5][0-9]s|60s|1m)$"))
            .examples([serde_json::json!("5s"), serde_json::json!("200ms")])
            .into()
    }
}
impl ToSchema for Wait {}

/// At most so many are given.
pub(super) fn limit(asked: Option<usize>, usual: usize, max: usize) -> Result<usize, ApiError> {
    match asked {
        Some(asked) if asked == 0 || asked > max => {
            Err(ApiError::bad("limit", format!("limit: {asked}: 1 to {max} is allowed")))
        }
        asked => Ok(asked.unwrap_or(usual)),
    }
}
