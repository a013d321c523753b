//! What is sent to ESMEs: mobile-originated messages, and alerts.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use utoipa::IntoParams;

use super::error::{ApiError, BadBody, BadParameter, Conflict, Unknown};
use super::read::{Body, Id, Query, Wait};
use crate::control::{AlertNow, Control, ControlError};
use crate::hub::DeliveryInfo;
use crate::mo::Mo;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Until {
    /// How long to wait until the ESME has answered. Default: not at all.
    #[param(inline)]
    wait: Option<Wait>,
}

/// Sends a mobile-originated message; gives what is known of each of its parts.
#[utoipa::path(post, path = "/deliver", tag = "deliveries", params(Until), request_body = Mo,
    responses((status = 201, description = "They are on their way, or wait.", body = Vec<DeliveryInfo>), BadBody))]
pub(super) async fn deliver(
    State(control): State<Control>,
    Query(until): Query<Until>,
    Body(mo): Body<Mo>,
) -> Result<(StatusCode, Json<Vec<DeliveryInfo>>), ApiError> {
    let mut deliveries = control.deliver(&mo)?;
    if let Some(Wait(wait)) = until.wait {
        let ids: Vec<_> = deliveries.iter().map(|delivery| delivery.id).collect();
        deliveries = control.wait_for_deliveries(&ids, wait).await;
    }
    Ok((StatusCode::CREATED, Json(deliveries)))
}

/// What became of one part of a mobile-originated message.
#[utoipa::path(get, path = "/deliveries/{id}", tag = "deliveries",
    params(("id" = u64, Path, description = "Its number."), Until),
    responses((status = 200, description = "It.", body = DeliveryInfo), BadParameter, Unknown))]
pub(super) async fn one(
    State(control): State<Control>,
    id: Id,
    Query(until): Query<Until>,
) -> Result<Json<DeliveryInfo>, ApiError> {
    let number = id.number("delivery")?;
    let deliveries = control.wait_for_deliveries(&[number], until.wait.unwrap_or_default().0).await;
    deliveries.into_iter().next().map(Json).ok_or_else(|| ControlError::unknown("delivery", &id.0).into())
}

/// Sends alert_notification (§4.12).
#[utoipa::path(post, path = "/alert", tag = "deliveries", request_body = AlertNow,
    responses((status = 204, description = "The session has been told to."), BadBody, Conflict))]
pub(super) async fn alert(State(control): State<Control>, Body(alert): Body<AlertNow>) -> Result<StatusCode, ApiError> {
    control.alert(alert)?;
    Ok(StatusCode::NO_CONTENT)
}
