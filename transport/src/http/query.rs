//! Which page is asked for: the parameters after the question mark, and the header of those who follow.

use std::time::Duration;

use axum::extract::FromRequestParts;
use axum::http::header::ACCEPT;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};

use super::error::HttpError;
use crate::bus::embedded::PAGE_MAX;

/// Messages of a page, if nobody says how many.
const LIMIT: usize = 100;
/// The longest that a request may wait.
const WAIT_MAX: Duration = Duration::from_secs(60);

/// What is asked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Query {
    pub(super) after: Option<u64>,
    pub(super) limit: usize,
    pub(super) wait: Duration,
    /// Whether server-sent events are wanted.
    pub(super) is_stream: bool,
}

impl<S: Send + Sync> FromRequestParts<S> for Query {
    type Rejection = HttpError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Query, HttpError> {
        read(parts.uri.query().unwrap_or_default(), &parts.headers)
    }
}

fn read(query: &str, headers: &HeaderMap) -> Result<Query, HttpError> {
    let accept = headers.get(ACCEPT).map(|accept| String::from_utf8_lossy(accept.as_bytes()));
    let is_stream = accept.is_some_and(|accept| accept.contains("text/event-stream"));
    let mut asked = Query { after: None, limit: LIMIT, wait: Duration::ZERO, is_stream };
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        match &*name {
            "after" => asked.after = Some(offset("after", &value)?),
            "limit" => asked.limit = limit(&value)?,
            "wait" => asked.wait = wait(&value)?,
            name => {
                let words = format!("there is no parameter {name:?}: after, limit and wait are allowed");
                return Err(HttpError::of(name, StatusCode::BAD_REQUEST, words));
            }
        }
    }
    // Whoever comes again says what he has had, in an address that he was given before.
    if let Some(id) = headers.get("last-event-id") {
        asked.after = Some(offset("Last-Event-ID", &String::from_utf8_lossy(id.as_bytes()))?);
    }
    Ok(asked)
}

fn wrong(name: &str, value: &str, allowed: &str) -> HttpError {
    HttpError::of(name, StatusCode::BAD_REQUEST, format!("{name} is {value:?}: {allowed} is allowed"))
}

fn offset(name: &str, value: &str) -> Result<u64, HttpError> {
    value.trim().parse().map_err(|_| wrong(name, value, "an offset, a whole number, 0 or above,"))
}

fn limit(value: &str) -> Result<usize, HttpError> {
    let limit = value.parse().ok().filter(|limit| (1..=PAGE_MAX).contains(limit));
    limit.ok_or_else(|| wrong("limit", value, &format!("1 to {PAGE_MAX}")))
}

/// `30s`, `500ms`, `1m`, `0`, or seconds without a unit.
fn wait(value: &str) -> Result<Duration, HttpError> {
    let digits = value.trim_end_matches(|character: char| character.is_ascii_alphabetic());
    let unit = match &value[digits.len()..] {
        "ms" => Some(1),
        "" | "s" => Some(1_000),
        "m" => Some(60_000),
        _ => None,
    };
    let millis = unit.and_then(|unit| digits.parse::<u32>().ok()?.checked_mul(unit));
    let wait = millis.map(|millis| Duration::from_millis(millis.into())).filter(|wait| *wait <= WAIT_MAX);
    wait.ok_or_else(|| wrong("wait", value, "a time up to 60s, as in 30s or 500ms,"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_units_and_an_end() {
        for (text, millis) in [("0", 0), ("30s", 30_000), ("500ms", 500), ("1m", 60_000), ("5", 5_000)] {
            assert_eq!(wait(text).unwrap(), Duration::from_millis(millis), "{text}");
        }
        for text in ["61s", "2m", "s", "-1s", "1.5s", "1h", "", "99999999999ms", "4294967295m"] {
            assert!(wait(text).is_err(), "{text}");
        }
    }
}
