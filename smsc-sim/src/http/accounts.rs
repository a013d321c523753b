//! Who may bind, without passwords.

use axum::Json;
use axum::extract::State;

use crate::control::Control;
use crate::hub::AccountInfo;

/// Who may bind.
#[utoipa::path(get, path = "/accounts", tag = "simulator",
    responses((status = 200, description = "All accounts.", body = Vec<AccountInfo>)))]
pub(super) async fn list(State(control): State<Control>) -> Json<Vec<AccountInfo>> {
    Json(control.accounts())
}
