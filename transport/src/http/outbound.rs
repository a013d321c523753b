//! Messages to be sent: `POST /outbound`.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use axum::body::to_bytes;
use axum::extract::Request;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use bytes::Bytes;
use serde_json::{Map, Value};

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
    let posted = match value {
        Value::Array(values) => several(&queue, &values)?,
        value => vec![message(&queue, &value, "")?],
    };
    let (bodies, claims) = match new_ones(&queue, &posted, is_list) {
        Ok(new) => new,
        Err(refusal) => return Ok(*refusal),
    };
    if !bodies.is_empty()
        && let Err(error) = queue.bus.put_all(&bodies).await
    {
        return Ok(away(&error));
    }
    claims.into_iter().for_each(Claimed::stored);
    let mut messages = posted.into_iter().map(|posted| posted.message);
    match is_list {
        true => Ok((StatusCode::ACCEPTED, Json(messages.collect::<Vec<_>>())).into_response()),
        false => Ok((StatusCode::ACCEPTED, Json(messages.next())).into_response()),
    }
}

/// A message of a request.
struct Posted {
    message: Message,
    /// Digest of what was posted, if that has an id of its own.
    digest: Option<u64>,
}

/// Digest of a message that has an id of its own: equal for equal fields in any order. The time does not count, as it may be that of the
/// request.
fn digest(fields: &Map<String, Value>) -> Option<u64> {
    fields.get("message_id").and_then(Value::as_str).filter(|id| !id.is_empty())?;
    let counted = fields.iter().filter(|(name, _)| *name != "timestamp");
    Some(counted.fold(0, |sum: u64, field| {
        let mut hasher = DefaultHasher::new();
        field.hash(&mut hasher);
        sum.wrapping_add(hasher.finish())
    }))
}

/// Returns the messages that are not stored yet, and the claims on their ids.
fn new_ones(queue: &Queue, posted: &[Posted], is_list: bool) -> Result<(Vec<Bytes>, Vec<Claimed>), Box<Response>> {
    let (mut bodies, mut claims) = (Vec::new(), Vec::<Claimed>::new());
    for (place, Posted { message, digest }) in posted.iter().enumerate() {
        if let Some(digest) = digest {
            let id = message.message_id.as_str();
            match queue.posted.claim(id, *digest) {
                Claim::New(claimed) => claims.push(claimed),
                Claim::Stored => continue,
                Claim::Pending if claims.iter().any(|claim| claim.is_of(id)) => continue,
                Claim::Pending => return Err(Box::new(pending())),
                Claim::Taken => return Err(Box::new(taken(message, is_list.then_some(place)))),
            }
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

fn several(queue: &Queue, values: &[Value]) -> Result<Vec<Posted>, HttpError> {
    let count = values.len();
    if !(1..=MESSAGES_MAX).contains(&count) {
        let words = format!("the list has {count} messages: 1 to {MESSAGES_MAX} are allowed");
        return Err(unfit(None, words));
    }
    (0..).zip(values).map(|(place, value)| message(queue, value, &format!("[{place}]."))).collect()
}

/// One message, complete. `place` is put before the names of its fields.
fn message(queue: &Queue, value: &Value, place: &str) -> Result<Posted, HttpError> {
    let of = |field: &str| format!("{place}{field}");
    let shown = |value: &Value| serde_json::to_string(value).unwrap_or_default();
    let Value::Object(fields) = value else {
        let words = format!("{}{}: an object with to_addr, from_addr and content is allowed", place, shown(value));
        return Err(unfit(None, words));
    };
    for name in ["to_addr", "from_addr", "content"] {
        match fields.get(name) {
            Some(Value::String(_)) => {}
            Some(other) => return Err(unfit(Some(of(name)), format!("is {}: a string is allowed", shown(other)))),
            None => return Err(unfit(Some(of(name)), "is missing: a string is needed".to_owned())),
        }
    }
    let read = Message::from_value(value, || queue.stamp());
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
    Ok(Posted { message, digest: digest(fields) })
}

fn unfit(field: Option<String>, words: String) -> HttpError {
    match field {
        Some(field) => HttpError::of(field.clone(), StatusCode::UNPROCESSABLE_ENTITY, format!("{field} {words}")),
        None => HttpError::new(StatusCode::UNPROCESSABLE_ENTITY, words),
    }
}

#[cfg(test)]
mod tests {
    //! Guards which messages are taken for the same.

    use serde_json::json;

    use super::*;

    fn of(value: Value) -> Option<u64> {
        let Value::Object(fields) = value else { panic!("{value}") };
        digest(&fields)
    }

    #[test]
    fn the_digest_counts_each_field_but_the_time_and_not_their_order() {
        let first = of(json!({"message_id": "m", "to_addr": "1", "from_addr": "2", "content": "x", "group": null}));
        assert!(first.is_some());
        let other_order = json!({"group": null, "content": "x", "from_addr": "2", "to_addr": "1", "message_id": "m"});
        assert_eq!(of(other_order), first);
        let with_time = json!({"message_id": "m", "to_addr": "1", "from_addr": "2", "content": "x", "group": null, "timestamp": "t"});
        assert_eq!(of(with_time.clone()), first);
        for field in ["to_addr", "from_addr", "content", "group"] {
            for other in [json!("other"), json!(1), json!({"smpp": {}})] {
                let mut changed = with_time.clone();
                changed[field] = other;
                assert_ne!(of(changed.clone()), first, "{changed}");
            }
            let mut without = with_time.clone();
            without.as_object_mut().unwrap().shift_remove(field);
            assert_ne!(of(without), first, "without {field}");
        }
        let swapped = json!({"message_id": "m", "to_addr": "2", "from_addr": "1", "content": "x", "group": null});
        assert_ne!(of(swapped), first);
        for unnamed in [json!({"content": "x"}), json!({"message_id": ""}), json!({"message_id": 1})] {
            assert_eq!(of(unnamed.clone()), None, "{unnamed}");
        }
    }
}
