//! Guards that the description of the API is true: it lists the routes that there are, and no others, and what it refers
//! to is in it.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::world::Api;

/// What the API is: whoever adds a route adds it here too.
const ROUTES: [&str; 26] = [
    "DELETE /api/v1/messages",
    "DELETE /api/v1/rules",
    "DELETE /api/v1/sessions/{id}",
    "GET /api/v1/accounts",
    "GET /api/v1/deliveries/{id}",
    "GET /api/v1/messages",
    "GET /api/v1/messages/{id}",
    "GET /api/v1/pdus",
    "GET /api/v1/pdus.pcap",
    "GET /api/v1/pdus/stream",
    "GET /api/v1/rule-sets",
    "GET /api/v1/rules",
    "GET /api/v1/sessions",
    "GET /api/v1/sessions/{id}",
    "GET /api/v1/stats",
    "GET /health",
    "GET /metrics",
    "POST /api/v1/alert",
    "POST /api/v1/deliver",
    "POST /api/v1/messages/{id}/receipt",
    "POST /api/v1/messages/{id}/state",
    "POST /api/v1/outbind",
    "POST /api/v1/reset",
    "POST /api/v1/rules",
    "POST /api/v1/sessions/{id}/steps",
    "PUT /api/v1/rules",
];

async fn document(api: &Api) -> Value {
    api.see("openapi.json").await
}

fn operations(document: &Value) -> Vec<(String, String, &Value)> {
    let paths = document["paths"].as_object().expect("paths").iter();
    let all = paths.flat_map(|(path, item)| {
        let methods = item.as_object().expect("methods").iter();
        methods.map(move |(method, operation)| (method.to_uppercase(), path.clone(), operation))
    });
    all.collect()
}

#[tokio::test]
async fn every_operation_is_known_and_every_known_one_is_described() {
    let api = Api::start().await;
    let document = document(&api).await;
    let described: BTreeSet<_> =
        operations(&document).into_iter().map(|(method, path, _)| format!("{method} {path}")).collect();
    let known: BTreeSet<_> = ROUTES.iter().map(|route| (*route).to_owned()).collect();
    assert_eq!(described, known);
}

/// The router itself says which methods a path has.
#[tokio::test]
async fn every_path_has_the_methods_that_are_described_and_no_others() {
    let api = Api::start().await;
    let document = document(&api).await;
    for (path, item) in document["paths"].as_object().expect("paths") {
        let answer = api.ask("PATCH", &path.replace("{id}", "1"), &[], "").await;
        let allow =
            answer.head.lines().find_map(|line| line.strip_prefix("allow: ")).unwrap_or_else(|| panic!("{path}"));
        let there: BTreeSet<_> = allow.split(',').filter(|method| *method != "head").collect();
        let described: BTreeSet<_> = item.as_object().expect("methods").keys().map(String::as_str).collect();
        assert_eq!(there, described, "{path}");
    }
}

#[tokio::test]
async fn every_operation_says_what_it_does_and_what_may_come() {
    let api = Api::start().await;
    let document = document(&api).await;
    for (method, path, operation) in operations(&document) {
        let place = format!("{method} {path}");
        assert!(operation["summary"].is_string(), "{place}: {operation}");
        let responses = operation["responses"].as_object().expect("responses");
        assert!(responses.contains_key("403"), "{place}");
        for (status, response) in responses.iter().filter(|(status, _)| status.starts_with('4')) {
            let schema = &response["content"]["application/json"]["schema"]["$ref"];
            assert_eq!(schema, "#/components/schemas/Error", "{place}: {status}");
        }
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        for parameter in parameters {
            assert!(parameter["description"].is_string(), "{place}: {parameter}");
        }
    }
}

/// Generators of clients make a function of each.
#[tokio::test]
async fn every_operation_has_a_name_of_its_own() {
    let api = Api::start().await;
    let document = document(&api).await;
    let all = operations(&document);
    let names: BTreeSet<_> =
        all.iter().map(|(.., operation)| operation["operationId"].as_str().expect("a name")).collect();
    assert_eq!(names.len(), all.len(), "{names:?}");
    assert!(names.contains("post_messages_id_state") && names.contains("get_rules"), "{names:?}");
    assert!(names.iter().all(|name| name.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'_')), "{names:?}");
}

#[tokio::test]
async fn what_is_referred_to_is_there() {
    let api = Api::start().await;
    let document = document(&api).await;
    let mut open = vec![&document];
    let mut references = 0;
    while let Some(value) = open.pop() {
        match value {
            Value::Object(object) => open.extend(object.values()),
            Value::Array(list) => open.extend(list),
            _ => {}
        }
        if let Some(reference) = value["$ref"].as_str() {
            let pointer = reference.strip_prefix('#').expect(reference);
            assert!(document.pointer(pointer).is_some(), "{reference}");
            references += 1;
        }
    }
    assert!(references > 100, "{references}");
    assert_eq!(document["openapi"], "3.1.0");
}
