//! Connections: who is there, what is done to them, and whom the simulator dials.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::openapi::{Ref, RefOr, Schema};
use utoipa::{IntoParams, PartialSchema, ToSchema};

use super::error::{ApiError, BadBody, BadParameter, Conflict, Unknown};
use super::read::{Body, Id, Query, Wait};
use crate::control::{Control, ControlError, Dial};
use crate::hub::SessionInfo;
use crate::rules::{Cut, Step};
use crate::schema::one_or_more;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    /// Only those of this account.
    system_id: Option<String>,
    /// How many bound sessions to wait for. Default: 1 with `wait`, else 0.
    #[param(maximum = 100_000)]
    count: Option<usize>,
    /// How long to wait for them. Default: not at all.
    #[param(inline)]
    wait: Option<Wait>,
}

/// All connections, oldest first. With `system_id`, `count` or `wait` only bound sessions, as soon as there are `count`.
#[utoipa::path(get, path = "/sessions", tag = "sessions", params(Which),
    responses((status = 200, description = "They.", body = Vec<SessionInfo>), BadParameter))]
pub(super) async fn list(State(control): State<Control>, Query(which): Query<Which>) -> Json<Vec<SessionInfo>> {
    if which.system_id.is_none() && which.count.is_none() && which.wait.is_none() {
        return Json(control.sessions());
    }
    let count = which.count.unwrap_or(which.wait.is_some().into());
    let wait = which.wait.unwrap_or_default().0;
    Json(control.wait_for_sessions(which.system_id.as_deref(), count, wait).await)
}

/// One connection.
#[utoipa::path(get, path = "/sessions/{id}", tag = "sessions", params(("id" = u64, Path, description = "Its number.")),
    responses((status = 200, description = "It.", body = SessionInfo), Unknown))]
pub(super) async fn one(State(control): State<Control>, id: Id) -> Result<Json<SessionInfo>, ApiError> {
    let session = control.session(id.number("session")?);
    session.map(Json).ok_or_else(|| ControlError::unknown("session", &id.0).into())
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct How {
    /// How it ends.
    #[serde(default)]
    #[param(inline)]
    how: End,
}

/// How a session is ended.
#[derive(Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum End {
    /// unbind is sent.
    #[default]
    Unbind,
    /// The connection is closed without a word.
    Close,
    /// With RST: what is on its way is lost.
    Reset,
}

/// Ends a connection.
#[utoipa::path(delete, path = "/sessions/{id}", tag = "sessions",
    params(("id" = u64, Path, description = "Its number."), How),
    responses((status = 204, description = "It has been told to."), BadParameter, Unknown))]
pub(super) async fn end(
    State(control): State<Control>,
    id: Id,
    Query(How { how }): Query<How>,
) -> Result<StatusCode, ApiError> {
    let step = match how {
        End::Unbind => Step::Unbind,
        End::Close => Step::Disconnect(Cut::Close),
        End::Reset => Step::Disconnect(Cut::Reset),
    };
    control.act(id.number("session")?, step)?;
    Ok(StatusCode::NO_CONTENT)
}

/// A step, or several in their order.
pub(super) struct Steps(Vec<Step>);

impl<'de> Deserialize<'de> for Steps {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Steps, D::Error> {
        struct OneOrMore;
        impl<'de> serde::de::Visitor<'de> for OneOrMore {
            type Value = Steps;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a step such as \"unbind\" or {\"silence\": \"10s\"}, or a list of steps")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Steps, E> {
                Step::deserialize(serde::de::value::StrDeserializer::new(text)).map(|step| Steps(vec![step]))
            }
            fn visit_seq<A: serde::de::SeqAccess<'de>>(self, list: A) -> Result<Steps, A::Error> {
                Vec::deserialize(serde::de::value::SeqAccessDeserializer::new(list)).map(Steps)
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(self, map: A) -> Result<Steps, A::Error> {
                let step = Step::deserialize(serde::de::value::MapAccessDeserializer::new(map))?;
                Ok(Steps(vec![step]))
            }
        }
        from.deserialize_any(OneOrMore)
    }
}

impl PartialSchema for Steps {
    fn schema() -> RefOr<Schema> {
        let step = || Ref::from_schema_name(Step::name()).into();
        one_or_more(step(), step())
    }
}
impl ToSchema for Steps {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((Step::name().into_owned(), Step::schema()));
        Step::schemas(schemas);
    }
}

/// Does something to a connection: what rules do, at once.
#[utoipa::path(post, path = "/sessions/{id}/steps", tag = "sessions", request_body = inline(Steps),
    params(("id" = u64, Path, description = "Its number.")),
    responses((status = 204, description = "It has been told to."), BadBody, Unknown))]
pub(super) async fn steps(
    State(control): State<Control>,
    id: Id,
    Body(Steps(steps)): Body<Steps>,
) -> Result<StatusCode, ApiError> {
    control.act_all(id.number("session")?, steps)?;
    Ok(StatusCode::NO_CONTENT)
}

/// The connection that was made.
#[derive(Serialize, ToSchema)]
pub(super) struct Dialled {
    /// Its number.
    session: u64,
}

/// Dials an ESME and sends it outbind (§2.2.1).
#[utoipa::path(post, path = "/outbind", tag = "sessions", request_body = Dial,
    responses((status = 201, description = "It is connected.", body = Dialled), BadBody, Conflict))]
pub(super) async fn outbind(
    State(control): State<Control>,
    Body(dial): Body<Dial>,
) -> Result<(StatusCode, Json<Dialled>), ApiError> {
    let session = control.outbind(&dial).await?;
    Ok((StatusCode::CREATED, Json(Dialled { session })))
}
