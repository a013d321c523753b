//! What has passed, as far as it is kept.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::IntoResponse;
use serde::Deserialize;
use serde_json::Value;
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, SchemaFormat, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{IntoParams, PartialSchema, ToSchema};

use super::error::{ApiError, BadParameter};
use super::read::{Query, Wait, limit};
use crate::control::{Control, PduFilter};
use crate::schema::Pdu;
use crate::traffic::json;
use crate::words::Command;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    /// Only those with a higher `number`, lowest first. Default: the newest.
    after: Option<u64>,
    /// Only those of this connection.
    session: Option<u64>,
    /// Only those of this command: `submit_sm`.
    #[param(value_type = Option<String>, example = "submit_sm")]
    command: Option<Command>,
    /// At most so many. Default 100.
    #[param(minimum = 1, maximum = 10_000)]
    limit: Option<usize>,
    /// How many to wait for. Default 1.
    #[param(maximum = 10_000)]
    count: Option<usize>,
    /// How long to wait for them. Default: not at all.
    #[param(inline)]
    wait: Option<Wait>,
}

const LIMIT: usize = 100;
const LIMIT_MAX: usize = 10_000;

/// PDUs that have passed, oldest first, as soon as there are `count`.
#[utoipa::path(get, path = "/pdus", tag = "pdus", params(Which),
    responses((status = 200, description = "They.", body = Vec<Pdu>), BadParameter))]
pub(super) async fn list(
    State(control): State<Control>,
    Query(which): Query<Which>,
) -> Result<Json<Vec<Value>>, ApiError> {
    let count = which.count.unwrap_or(1).min(LIMIT_MAX);
    let limit = limit(which.limit, LIMIT, LIMIT_MAX)?.max(count);
    let command = which.command.map(|Command(command)| command);
    let filter = PduFilter { after: which.after, session: which.session, command, limit };
    let records = control.wait_for_pdus(&filter, count, which.wait.unwrap_or_default().0).await;
    let leniency = control.hub.config.driver.leniency;
    Ok(Json(records.iter().map(|record| json(record, leniency)).collect()))
}

/// Octets of a capture file: for the description alone.
struct Capture;

impl PartialSchema for Capture {
    fn schema() -> RefOr<Schema> {
        let binary = SchemaFormat::KnownFormat(KnownFormat::Binary);
        ObjectBuilder::new().schema_type(Type::String).format(Some(binary)).into()
    }
}
impl ToSchema for Capture {}

/// What is kept, as a capture that Wireshark opens. Passwords are masked.
#[utoipa::path(get, path = "/pdus.pcap", tag = "pdus",
    responses((status = 200, description = "The capture.", body = inline(Capture), content_type = "application/vnd.tcpdump.pcap")))]
pub(super) async fn capture(State(control): State<Control>) -> Result<impl IntoResponse, ApiError> {
    let octets = Octets::default();
    let written = control.capture_to(Box::new(octets.clone()));
    written.map_err(|error| ApiError::new(StatusCode::CONFLICT, format!("no capture can be made: {error}")))?;
    let headers = [
        (CONTENT_TYPE, "application/vnd.tcpdump.pcap"),
        (CONTENT_DISPOSITION, "attachment; filename=\"smsc-sim.pcap\""),
    ];
    let octets = std::mem::take(&mut *octets.0.lock().unwrap_or_else(PoisonError::into_inner));
    Ok((headers, octets))
}

/// What is written, in memory, for whoever holds a clone.
#[derive(Clone, Default)]
struct Octets(Arc<Mutex<Vec<u8>>>);

impl Write for Octets {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(octets);
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
