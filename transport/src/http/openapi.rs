//! `GET /openapi.json`: the description of what this transport serves.

use axum::Json;
use axum::extract::State as Asked;
use serde_json::Value;

use super::State;

/// Description of everything that a transport with the embedded bus serves.
const DOCUMENT: &str = include_str!("openapi.json");

pub(super) async fn get(Asked(state): Asked<State>) -> Json<Value> {
    Json(document(state.has_queue()))
}

/// Returns the document, without the paths of the embedded bus if there is none.
fn document(has_queue: bool) -> Value {
    // The text is fixed, and a test reads it.
    let mut document: Value = serde_json::from_str(DOCUMENT).unwrap_or_default();
    document["info"]["version"] = env!("CARGO_PKG_VERSION").into();
    if !has_queue && let Some(paths) = document["paths"].as_object_mut() {
        paths.retain(|_, methods| methods.pointer("/get/tags/0").is_some_and(|tag| tag == "watch"));
    }
    document
}

#[cfg(test)]
mod tests {
    //! Guards that the document can be read, and that its parts fit.

    use std::collections::BTreeSet;

    use super::*;

    fn references(value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(fields) => fields.iter().for_each(|(key, value)| match value.as_str() {
                Some(reference) if key == "$ref" => _ = found.insert(reference.to_owned()),
                _ => references(value, found),
            }),
            Value::Array(items) => items.iter().for_each(|item| references(item, found)),
            _ => {}
        }
    }

    #[test]
    fn every_reference_leads_somewhere_and_every_operation_has_an_id_of_its_own() {
        let document = document(true);
        let mut found = BTreeSet::new();
        references(&document, &mut found);
        assert!(found.len() > 10);
        for reference in found {
            assert!(document.pointer(reference.trim_start_matches('#')).is_some(), "{reference}");
        }
        let paths = document["paths"].as_object().expect("paths");
        let operations = paths.values().flat_map(|methods| methods.as_object().expect("methods").values());
        let ids: Vec<&str> = operations.map(|operation| operation["operationId"].as_str().expect("an id")).collect();
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len());
        assert_eq!(document["openapi"], "3.1.0");
    }

    #[test]
    fn without_the_embedded_bus_its_paths_are_left_out() {
        let document = document(false);
        let paths: Vec<&str> = document["paths"].as_object().expect("paths").keys().map(String::as_str).collect();
        assert_eq!(paths, ["/health", "/ready", "/metrics", "/openapi.json"]);
    }
}
