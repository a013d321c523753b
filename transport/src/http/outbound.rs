//! Messages to be sent: `POST /outbound`.

use std::collections::BTreeSet;

use axum::body::to_bytes;
use axum::extract::Request;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use bytes::Bytes;
use serde_json::Value;

use super::error::HttpError;
use super::queue::Queue;
use crate::bus::Message;
use crate::bus::embedded::{Claim, Claimed, PutError};

/// The most that a body may have: a thousand messages of a few kilooctets.
const BODY_OCTETS_MAX: usize = 4 << 20;
/// The most messages in one request.
const MESSAGES_MAX: usize = 1_000;
/// The longest number or name that a message may be from or to, in characters.
const ADDR_MAX: usize = 255;

/// 202 with the message, or the list of them, as it is on disk.
pub(super) async fn outbound(Extension(queue): Extension<Queue>, request: Request) -> Result<Response, HttpError> {
    let body = body(request).await?;
    let value: Value = serde_json::from_slice(&body)
        .map_err(|error| HttpError::new(StatusCode::BAD_REQUEST, format!("the body is no JSON: {error}")))?;
    let is_list = value.is_array();
    let named = named(&value);
    let messages = match value {
        Value::Array(values) => several(&queue, values)?,
        value => vec![message(&queue, value, "")?],
    };
    let (bodies, claims) = match new_ones(&queue, &messages, &named, is_list) {
        Ok(new) => new,
        Err(refusal) => return Ok(*refusal),
    };
    if !bodies.is_empty()
        && let Err(error) = queue.bus.put_all(&bodies).await
    {
        return Ok(away(&error));
    }
    claims.into_iter().for_each(Claimed::stored);
    match is_list {
        true => Ok((StatusCode::ACCEPTED, Json(messages)).into_response()),
        false => Ok((StatusCode::ACCEPTED, Json(messages.into_iter().next())).into_response()),
    }
}

/// Returns for each message whether it brings its own id.
fn named(value: &Value) -> Vec<bool> {
    let is_named = |value: &Value| value.get("message_id").and_then(Value::as_str).is_some_and(|id| !id.is_empty());
    match value {
        Value::Array(values) => values.iter().map(is_named).collect(),
        value => vec![is_named(value)],
    }
}

/// Returns the messages that are not stored yet, and the claims on their ids.
fn new_ones(
    queue: &Queue,
    messages: &[Message],
    named: &[bool],
    is_list: bool,
) -> Result<(Vec<Bytes>, Vec<Claimed>), Box<Response>> {
    let (mut bodies, mut claims) = (Vec::new(), Vec::new());
    let mut own = BTreeSet::new();
    for (place, (message, is_named)) in messages.iter().zip(named).enumerate() {
        if *is_named {
            // The time may be that of the request.
            let content = Message { timestamp: String::new(), ..message.clone() }.to_json();
            match queue.posted.claim(&message.message_id, &content) {
                Claim::New(claimed) => claims.push(claimed),
                Claim::Stored => continue,
                Claim::Pending if own.contains(&message.message_id) => continue,
                Claim::Pending => return Err(Box::new(pending())),
                Claim::Taken => return Err(Box::new(taken(message, is_list.then_some(place)))),
            }
            own.insert(&message.message_id);
        }
        bodies.push(message.to_json());
    }
    Ok((bodies, claims))
}

fn pending() -> Response {
    let words = "the same message is being stored by another request: ask again";
    ([(RETRY_AFTER, "1")], HttpError::new(StatusCode::SERVICE_UNAVAILABLE, words)).into_response()
}

fn taken(message: &Message, place: Option<usize>) -> Response {
    let field = place.map_or_else(String::new, |place| format!("[{place}].")) + "message_id";
    let words = format!("{field} is {:?}: another message with this id was posted lately", message.message_id);
    HttpError::of(field, StatusCode::CONFLICT, words).into_response()
}

/// Something that is over some time: the same may be asked again.
fn away(error: &PutError) -> Response {
    let status = match error {
        PutError::FullOctets { .. } => StatusCode::INSUFFICIENT_STORAGE,
        PutError::Full { .. } | PutError::Disk(_) => StatusCode::SERVICE_UNAVAILABLE,
    };
    let said = HttpError::new(status, format!("the message is not taken: {error}"));
    ([(RETRY_AFTER, "1")], said).into_response()
}

async fn body(request: Request) -> Result<Bytes, HttpError> {
    check(request.headers())?;
    to_bytes(request.into_body(), BODY_OCTETS_MAX).await.map_err(|_| too_large())
}

/// Forms of web pages are not JSON, which keeps those of others out.
fn check(headers: &HeaderMap) -> Result<(), HttpError> {
    let header = |name| Some(String::from_utf8_lossy(headers.get(name)?.as_bytes()).into_owned());
    if let Some(value) = header(CONTENT_TYPE)
        && !is_json(&value)
    {
        let words = format!("Content-Type is {value:?}: application/json is allowed");
        return Err(HttpError::of("Content-Type", StatusCode::UNSUPPORTED_MEDIA_TYPE, words));
    }
    let announced = header(CONTENT_LENGTH).and_then(|length| length.parse::<usize>().ok());
    if announced.is_some_and(|length| length > BODY_OCTETS_MAX) { Err(too_large()) } else { Ok(()) }
}

fn too_large() -> HttpError {
    let words = format!("the body is too large: at most {BODY_OCTETS_MAX} octets are allowed");
    HttpError::new(StatusCode::PAYLOAD_TOO_LARGE, words)
}

fn is_json(content_type: &str) -> bool {
    let kind = content_type.split(';').next().unwrap_or_default().trim();
    kind.eq_ignore_ascii_case("application/json")
}

fn several(queue: &Queue, values: Vec<Value>) -> Result<Vec<Message>, HttpError> {
    let count = values.len();
    if !(1..=MESSAGES_MAX).contains(&count) {
        let words = format!("the list has {count} messages: 1 to {MESSAGES_MAX} are allowed");
        return Err(unfit(None, words));
    }
    (0..).zip(values).map(|(place, value)| message(queue, value, &format!("[{place}]."))).collect()
}

/// One message, complete. `place` is put before the names of its fields.
fn message(queue: &Queue, value: Value, place: &str) -> Result<Message, HttpError> {
    let of = |field: &str| format!("{place}{field}");
    let shown = |value: &Value| serde_json::to_string(value).unwrap_or_default();
    let Value::Object(fields) = &value else {
        let words = format!("{}{}: an object with to_addr, from_addr and content is allowed", place, shown(&value));
        return Err(unfit(None, words));
    };
    for name in ["to_addr", "from_addr", "content"] {
        match fields.get(name) {
            Some(Value::String(_)) => {}
            Some(other) => return Err(unfit(Some(of(name)), format!("is {}: a string is allowed", shown(other)))),
            None => return Err(unfit(Some(of(name)), "is missing: a string is needed".to_owned())),
        }
    }
    let octets = serde_json::to_vec(&value).unwrap_or_default();
    let read = Message::read(&octets, || queue.stamp());
    let mut message = read.map_err(|error| {
        let (field, words) = error.words.split_once(": ").unwrap_or(("", &error.words));
        let value = fields.get(field).map(|value| format!("is {}: ", shown(value))).unwrap_or_default();
        unfit((!field.is_empty()).then(|| of(field)), format!("{value}{words}"))
    })?;
    // Who sends it may be the SMSC's to say; who gets it may not.
    for (name, addr, min) in [("to_addr", &message.to_addr, 1), ("from_addr", &message.from_addr, 0)] {
        if !(min..=ADDR_MAX).contains(&addr.chars().count()) {
            let words = format!("is {addr:?}: {min} to {ADDR_MAX} characters are allowed");
            return Err(unfit(Some(of(name)), words));
        }
    }
    if message.transport_name.is_empty() {
        message.transport_name = queue.transport_name.to_string();
    }
    if *message.transport_name != *queue.transport_name {
        let words = format!("is {:?}: {:?} is allowed", message.transport_name, queue.transport_name);
        return Err(unfit(Some(of("transport_name")), words));
    }
    Ok(message)
}

fn unfit(field: Option<String>, words: String) -> HttpError {
    match field {
        Some(field) => HttpError::of(field.clone(), StatusCode::UNPROCESSABLE_ENTITY, format!("{field} {words}")),
        None => HttpError::new(StatusCode::UNPROCESSABLE_ENTITY, words),
    }
}
