//! What goes wrong, and when.

use axum::Json;
use axum::extract::{Request, State};
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use utoipa::openapi::schema::{AdditionalProperties, ArrayBuilder, ObjectBuilder, OneOfBuilder, Type};
use utoipa::openapi::{Ref, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::error::{ApiError, BadBody};
use super::read::{Body, Form, read, text};
use crate::control::Control;
use crate::hub::RuleInfo;
use crate::rules::{Rule, RuleSet, SETS, parse};

/// The rules in their order, and how often each was followed; as YAML, without that, if Accept says so.
#[utoipa::path(get, path = "/rules", tag = "rules",
    responses((status = 200, description = "They.", content(
        (Vec<RuleInfo> = "application/json"), (String = "application/yaml")))))]
pub(super) async fn list(State(control): State<Control>, headers: HeaderMap) -> Result<Response, ApiError> {
    let rules = control.rules();
    let accept = headers.get(ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    if !accept.contains("yaml") {
        return Ok(Json(rules).into_response());
    }
    let rules: Vec<_> = rules.into_iter().map(|info| info.rule).collect();
    let unwritten = |error| ApiError::new(StatusCode::NOT_ACCEPTABLE, format!("the rules are no YAML: {error}"));
    let yaml = serde_saphyr::to_string(&Rules { rules }).map_err(unwritten)?;
    Ok(([(CONTENT_TYPE, "application/yaml")], yaml).into_response())
}

/// Rules as a file has them.
#[derive(Serialize)]
struct Rules {
    rules: Vec<Rule>,
}

/// A set of rules by its name.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    set: String,
}

/// What rules may be given as: for the description alone, as what is read depends on how the body begins.
struct NewRules;

impl PartialSchema for NewRules {
    fn schema() -> RefOr<Schema> {
        let list = || ArrayBuilder::new().items(Ref::from_schema_name(Rule::name()));
        let names = SETS.iter().map(|set| set.name);
        let set = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(names));
        let object = || ObjectBuilder::new().additional_properties(Some(AdditionalProperties::FreeForm(false)));
        OneOfBuilder::new()
            .item(list().description(Some("The rules.")))
            .item(object().property("rules", list()).required("rules").description(Some("The rules, as in a file.")))
            .item(object().property("set", set).required("set").description(Some("A set that is there, by name.")))
            .into()
    }
}
impl ToSchema for NewRules {}

/// Puts these in the place of all rules. What was counted is forgotten.
#[utoipa::path(put, path = "/rules", tag = "rules", request_body(content(
        (inline(NewRules) = "application/json"), (String = "application/yaml")), description = "A list, or the name of a set."),
    responses((status = 200, description = "All rules.", body = Vec<RuleInfo>), BadBody))]
pub(super) async fn put(State(control): State<Control>, request: Request) -> Result<Json<Vec<RuleInfo>>, ApiError> {
    let form = Form::of(request.headers())?;
    let text = text(request).await?;
    control.set_rules(rules_of(&text, form)?)?;
    Ok(Json(control.rules()))
}

/// The rules that a body holds or names.
fn rules_of(text: &str, form: Form) -> Result<Vec<Rule>, ApiError> {
    if let Ok(Named { set }) = read::<Named>(text, form) {
        let set = RuleSet::named(&set).map_err(|words| ApiError::bad("set", format!("set: {words}")))?;
        return Ok(set.rules());
    }
    if form == Form::Json {
        // Only to see that it is JSON at all: what is wrong with the rules is said better below.
        read::<IgnoredAny>(text, form)?;
    }
    let rules = parse(text).map_err(|words| match words.split_once(' ') {
        Some((field, _)) if field.starts_with("rules[") => ApiError::bad(field, words.clone()),
        _ => ApiError::new(StatusCode::BAD_REQUEST, words),
    })?;
    Ok(rules)
}

/// Puts a rule before the others. What was counted is forgotten.
#[utoipa::path(post, path = "/rules", tag = "rules", request_body = Rule,
    responses((status = 201, description = "All rules.", body = Vec<RuleInfo>), BadBody))]
pub(super) async fn post(
    State(control): State<Control>,
    Body(rule): Body<Rule>,
) -> Result<(StatusCode, Json<Vec<RuleInfo>>), ApiError> {
    control.add_rule(rule)?;
    Ok((StatusCode::CREATED, Json(control.rules())))
}

/// Forgets all rules: then nothing goes wrong.
#[utoipa::path(delete, path = "/rules", tag = "rules", responses((status = 204, description = "They are gone.")))]
pub(super) async fn delete(State(control): State<Control>) -> Result<StatusCode, ApiError> {
    control.set_rules(Vec::new())?;
    Ok(StatusCode::NO_CONTENT)
}

/// A list of rules that comes with the simulator.
#[derive(Serialize, ToSchema)]
pub(super) struct Set {
    /// What it is asked for by.
    name: &'static str,
    /// What it does, in a line.
    summary: &'static str,
    /// Its rules, with comments.
    yaml: &'static str,
}

/// The sets of rules that there are.
#[utoipa::path(get, path = "/rule-sets", tag = "rules",
    responses((status = 200, description = "They.", body = Vec<Set>)))]
pub(super) async fn sets() -> Json<Vec<Set>> {
    Json(SETS.iter().map(|set| Set { name: set.name, summary: set.summary, yaml: set.yaml }).collect())
}
