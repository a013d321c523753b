//! What ESMEs have submitted, and what becomes of it.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use smpp_transport::pdu::CommandId;
use utoipa::{IntoParams, ToSchema};

use super::error::{ApiError, BadBody, BadParameter, Conflict, Unknown};
use super::read::{Body, Id, Query, Wait, limit};
use crate::control::{Control, ControlError, ReceiptNow};
use crate::message::{Filter, Message, Term};
use crate::time::as_text;
use crate::words::State as MessageState;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    /// Destination address, exactly, or between slashes a regular expression: `/^2782/`.
    #[param(value_type = Option<String>)]
    to: Option<Term>,
    /// Source address, likewise.
    #[param(value_type = Option<String>)]
    from: Option<Term>,
    /// Only those of this account.
    system_id: Option<String>,
    /// Is found in the text, or in that of the whole of which it is a part; or between slashes a regular expression.
    #[param(value_type = Option<String>)]
    text: Option<Term>,
    /// What has become of it.
    #[param(inline)]
    state: Option<MessageState>,
    /// How it was submitted.
    #[param(inline)]
    operation: Option<Operation>,
    /// Only those with a higher `number`, lowest first. Default: the newest.
    after: Option<u64>,
    /// The newest first, also with `after`. Default: oldest first.
    #[serde(default)]
    #[param(default = false)]
    newest_first: bool,
    /// At most so many. Default 1000.
    #[param(minimum = 1, maximum = 100_000)]
    limit: Option<usize>,
    /// How many to wait for. Default 1.
    #[param(maximum = 100_000)]
    count: Option<usize>,
    /// How long to wait for them. Default: not at all.
    #[param(inline)]
    wait: Option<Wait>,
}

#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Operation {
    SubmitSm,
    SubmitMulti,
    DataSm,
}

const LIMIT: usize = 1_000;
const LIMIT_MAX: usize = 100_000;

as_text!(Term);

impl Which {
    /// Messages asked for, and how many are waited for.
    fn filter(self) -> Result<(Filter, usize), ApiError> {
        let count = self.count.unwrap_or(1).min(LIMIT_MAX);
        let limit = limit(self.limit, LIMIT, LIMIT_MAX)?.max(count);
        let operation = self.operation.map(|operation| match operation {
            Operation::SubmitSm => CommandId::SUBMIT_SM,
            Operation::SubmitMulti => CommandId::SUBMIT_MULTI,
            Operation::DataSm => CommandId::DATA_SM,
        });
        let filter = Filter {
            to: self.to,
            from: self.from,
            text: self.text,
            system_id: self.system_id,
            state: self.state,
            operation,
            after: self.after,
            limit: Some(limit),
            newest_first: self.newest_first || self.after.is_none(),
        };
        Ok((filter, count))
    }
}

/// Messages that meet all that is asked, as soon as there are `count`.
#[utoipa::path(get, path = "/messages", tag = "messages", params(Which),
    responses((status = 200, description = "They.", body = Vec<Message>), BadParameter))]
pub(super) async fn list(
    State(control): State<Control>,
    Query(which): Query<Which>,
) -> Result<Json<Vec<Message>>, ApiError> {
    let (wait, newest_first) = (which.wait.unwrap_or_default().0, which.newest_first);
    let (filter, count) = which.filter()?;
    let mut messages = control.wait_for_messages(&filter, count, wait).await;
    messages.sort_by_key(|message| message.number);
    if newest_first {
        messages.reverse();
    }
    Ok(Json(messages))
}

/// Forgets all messages, and what is to be delivered.
#[utoipa::path(delete, path = "/messages", tag = "messages", responses((status = 204, description = "They are gone.")))]
pub(super) async fn forget(State(control): State<Control>) -> StatusCode {
    control.forget_messages();
    StatusCode::NO_CONTENT
}

/// The message of this id; of submit_multi the one to the first destination.
#[utoipa::path(get, path = "/messages/{id}", tag = "messages",
    params(("id" = String, Path, description = "As the response gave it.")),
    responses((status = 200, description = "It.", body = Message), Unknown))]
pub(super) async fn one(State(control): State<Control>, Id(id): Id) -> Result<Json<Message>, ApiError> {
    control.message(&id).map(Json).ok_or_else(|| ControlError::unknown("message", id).into())
}

/// What is to have become of a message.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewState {
    /// Its state: ENROUTE of a scheduled one, or a final one.
    state: MessageState,
    /// The network's error. Default: 0 for DELIVERED and ACCEPTED, else 1.
    #[serde(default)]
    error: Option<u8>,
}

/// Sets what has become of a message, with the receipt that follows from it.
#[utoipa::path(post, path = "/messages/{id}/state", tag = "messages", request_body = NewState,
    params(("id" = String, Path, description = "As the response gave it.")),
    responses((status = 200, description = "It, as it is now.", body = Message), BadBody, Unknown, Conflict))]
pub(super) async fn set_state(
    State(control): State<Control>,
    Id(id): Id,
    Body(new): Body<NewState>,
) -> Result<Json<Message>, ApiError> {
    Ok(Json(control.set_state(&id, new.state, new.error)?))
}

/// Sends a receipt now, whatever the message asks for.
#[utoipa::path(post, path = "/messages/{id}/receipt", tag = "messages", request_body = ReceiptNow,
    params(("id" = String, Path, description = "As the response gave it.")),
    responses((status = 200, description = "The message, as it is now.", body = Message), BadBody, Unknown))]
pub(super) async fn send_receipt(
    State(control): State<Control>,
    Id(id): Id,
    Body(receipt): Body<ReceiptNow>,
) -> Result<Json<Message>, ApiError> {
    Ok(Json(control.send_receipt(&id, &receipt)?))
}
