//! The description of the API: what the attributes of the routes do not say.

use bytes::Bytes;
use serde_json::{Value, json};
use utoipa::OpenApi;
use utoipa::openapi::{self, Content, Ref, RefOr, Response};

use super::error::Error;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "smsc-sim",
        description = "What can be done to an SMSC simulator while it runs, and what can be seen of it. Errors are \
            4xx with `{error, field}`; unknown parameters and fields are errors. Times are RFC 3339, UTC, to the \
            millisecond. `wait` is text such as `5s`, at most 60s: the answer comes as soon as there is what is waited \
            for, and with what there is when the time is up.",
        license(name = "MIT", identifier = "MIT")
    ),
    tags(
        (name = "sessions", description = "Connections of ESMEs, bound or not."),
        (name = "messages", description = "What ESMEs have submitted, and what becomes of it."),
        (name = "deliveries", description = "Mobile-originated messages and alerts, sent to ESMEs."),
        (name = "rules", description = "What goes wrong, and when."),
        (name = "pdus", description = "What passes."),
        (name = "simulator", description = "The simulator itself."),
    ),
    components(schemas(Error))
)]
struct Head;

pub(super) fn head() -> openapi::OpenApi {
    Head::openapi()
}

/// The document, with what holds for all operations.
pub(super) fn document(mut openapi: openapi::OpenApi) -> Bytes {
    for (path, item) in &mut openapi.paths.paths {
        let methods =
            [("get", &mut item.get), ("put", &mut item.put), ("post", &mut item.post), ("delete", &mut item.delete)];
        for (method, operation) in methods {
            let Some(operation) = operation else { continue };
            operation.operation_id = Some(operation_id(method, path));
            operation.responses.responses.insert("403".to_owned(), foreign());
        }
    }
    let mut document = serde_json::to_value(&openapi).unwrap_or_default();
    bound_integers(&mut document);
    Bytes::from(document.to_string())
}

/// Name of an operation, from its method and its path, so that no two are the same: `get_messages_id_state`.
fn operation_id(method: &str, path: &str) -> String {
    let path = path.strip_prefix("/api/v1").unwrap_or(path);
    let words = path.split(|character: char| !character.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    std::iter::once(method).chain(words).collect::<Vec<_>>().join("_")
}

/// Host or Origin is that of somebody else.
fn foreign() -> RefOr<Response> {
    let mut response = Response::new("The request comes from a web page of somebody else, or by a foreign name.");
    let content = Content::new(Some(Ref::from_schema_name("Error")));
    response.content.insert("application/json".to_owned(), content.into());
    response.into()
}

/// Says the largest number, wherever there is a narrow type.
fn bound_integers(value: &mut Value) {
    let max = match value.get("format").and_then(Value::as_str) {
        Some("uint8") => Some(u64::from(u8::MAX)),
        Some("uint16") => Some(u64::from(u16::MAX)),
        Some("uint32") => Some(u64::from(u32::MAX)),
        _ => None,
    };
    match value {
        Value::Object(object) => {
            if let Some(max) = max {
                object.entry("maximum").or_insert(json!(max));
            }
            object.values_mut().for_each(bound_integers);
        }
        Value::Array(list) => list.iter_mut().for_each(bound_integers),
        _ => {}
    }
}
