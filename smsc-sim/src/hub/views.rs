//! What is told of sessions, deliveries and rules to those who watch.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};
use smpp_transport::pdu::{CommandStatus, InterfaceVersion};

use super::{Connection, Fate, Hub};
use crate::message::rfc3339;
use crate::policy::Policy;
use crate::rules::Rule;
use crate::words::{Bind, Status};

/// What a connection counts as it goes, for others to read.
#[derive(Debug, Default)]
pub(crate) struct Gauges {
    /// Requests of the ESME's.
    pub(crate) requests: AtomicU64,
    /// Messages accepted.
    pub(crate) accepted: AtomicU64,
    /// Deliveries that it has accepted.
    pub(crate) delivered: AtomicU64,
    /// Requests of ours that are outstanding.
    pub(crate) outstanding: AtomicU64,
    /// Requests of the ESME's that are not answered yet.
    pub(crate) unanswered: AtomicU64,
    /// Deliveries that wait until there is room.
    pub(crate) waiting: AtomicU64,
    /// Whether it is silent, or slow.
    pub(crate) faulty: AtomicU64,
}

impl Gauges {
    pub(crate) fn set(gauge: &AtomicU64, value: usize) {
        gauge.store(value as u64, Ordering::Relaxed);
    }

    pub(crate) fn count(gauge: &AtomicU64) {
        gauge.fetch_add(1, Ordering::Relaxed);
    }
}

/// A connection, bound or not.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct SessionInfo {
    /// Its number, from 1, in the order of connecting.
    pub id: u64,
    /// Address and port of the ESME.
    pub peer: String,
    /// Whether the simulator dialled.
    pub outbound: bool,
    /// When it was connected; RFC 3339, UTC.
    pub connected_at: String,
    /// When it was bound.
    pub bound_at: Option<String>,
    /// Its account.
    pub system_id: Option<String>,
    /// How it is bound.
    pub bind: Option<Bind>,
    /// interface_version, as a person reads it: `3.4`.
    pub interface_version: Option<String>,
    /// system_type, as it was given.
    pub system_type: Option<String>,
    /// The addresses that it serves, as an expression; empty is all.
    pub address_range: Option<String>,
    /// Requests of the ESME's, so far.
    pub requests: u64,
    /// Messages accepted, so far.
    pub accepted: u64,
    /// Receipts and mobile-originated messages that it has taken, so far.
    pub delivered: u64,
    /// Requests of the simulator's that are outstanding.
    pub outstanding: u64,
    /// Requests of the ESME's that are not answered yet.
    pub unanswered: u64,
    /// Deliveries that wait for room in the window.
    pub waiting: u64,
    /// Whether it has been told to be silent, or slow.
    pub faulty: bool,
}

/// Who may bind, without the password.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct AccountInfo {
    /// Its name.
    pub system_id: String,
    /// How it may bind; empty is any.
    pub binds: Vec<Bind>,
    /// Sessions at once.
    pub binds_max: usize,
    /// Requests of a session that may be unanswered.
    pub window: usize,
    /// Messages a second; null is any number.
    #[schema(required)]
    pub rate: Option<f64>,
    /// What becomes of its messages, before what is said for all.
    pub policy: Policy,
}

/// What became of one PDU that the simulator was to deliver.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct DeliveryInfo {
    /// Its number, from 1.
    pub id: u64,
    /// Its account.
    pub account: String,
    /// How far it has come.
    pub state: DeliveryState,
    /// The session that it was last sent on.
    pub session: Option<u64>,
    /// The ESME's answer.
    pub status: Option<String>,
    /// How often it was sent.
    pub attempts: u32,
    /// Reason why the last response could not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// How far a delivery has come.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// For a session, for room, or for its next try.
    Waiting,
    /// And not answered yet.
    Sent,
    /// By the ESME, with ESME_ROK.
    Accepted,
    /// By the ESME, for good.
    Refused,
    /// Offered too often.
    GivenUp,
}

/// A rule, and how often it was followed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RuleInfo {
    /// It.
    #[serde(flatten)]
    pub rule: Rule,
    /// How often, since it was set.
    pub matched: u64,
}

/// Counts since the start.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Stats {
    /// From which chance is drawn.
    pub seed: u64,
    /// Milliseconds since the start.
    pub uptime_ms: u64,
    /// Connections, bound or not.
    pub connections: u64,
    /// Bound sessions.
    pub sessions: u64,
    /// Connections ever.
    pub connections_total: u64,
    /// Bound sessions by account.
    pub sessions_by_account: BTreeMap<String, u64>,
    /// Messages that are kept.
    pub messages: u64,
    /// Messages that have not ended.
    pub pending: u64,
    /// Messages accepted ever.
    pub messages_total: u64,
    /// Kept messages by state.
    pub messages_by_state: BTreeMap<String, u64>,
    /// Deliveries that wait for a session or an answer.
    pub deliveries_waiting: u64,
    /// Deliveries dropped because too many waited.
    pub deliveries_dropped: u64,
    /// PDUs read, by command.
    pub pdus_from_esmes: BTreeMap<String, u64>,
    /// PDUs written, by command.
    pub pdus_to_esmes: BTreeMap<String, u64>,
    /// Octets read.
    pub octets_from_esmes: u64,
    /// Octets written.
    pub octets_to_esmes: u64,
}

impl Hub {
    pub(crate) fn sessions(&self) -> Vec<SessionInfo> {
        let inner = self.inner();
        inner.connections.iter().map(|(number, connection)| self.session_info(*number, connection)).collect()
    }

    pub(crate) fn session(&self, number: u64) -> Option<SessionInfo> {
        self.inner().connections.get(&number).map(|connection| self.session_info(number, connection))
    }

    fn session_info(&self, id: u64, connection: &Connection) -> SessionInfo {
        let bound = connection.bound.as_ref();
        let gauges = &connection.gauges;
        let read = |gauge: &AtomicU64| gauge.load(Ordering::Relaxed);
        SessionInfo {
            id,
            peer: connection.peer.clone(),
            outbound: connection.outbound,
            connected_at: rfc3339(connection.opened),
            bound_at: bound.map(|bound| rfc3339(bound.at)),
            system_id: bound.map(|bound| self.config.accounts[bound.account].system_id.clone()),
            bind: bound.map(|bound| bound.kind.into()),
            interface_version: bound.map(|bound| version(bound.version)),
            system_type: bound.map(|bound| bound.system_type.clone()),
            address_range: bound.map(|bound| bound.range_text.clone()),
            requests: read(&gauges.requests),
            accepted: read(&gauges.accepted),
            delivered: read(&gauges.delivered),
            outstanding: read(&gauges.outstanding),
            unanswered: read(&gauges.unanswered),
            waiting: read(&gauges.waiting),
            faulty: read(&gauges.faulty) > 0,
        }
    }

    pub(crate) fn delivery(&self, id: u64) -> Option<DeliveryInfo> {
        let inner = self.inner();
        let sent = inner.sent.get(&id)?;
        let (state, status) = match sent.fate {
            None if sent.session.is_none() => (DeliveryState::Waiting, None),
            None => (DeliveryState::Sent, None),
            Some(Fate::Again(status)) => (DeliveryState::Waiting, status),
            Some(Fate::GivenUp) => (DeliveryState::GivenUp, None),
            Some(Fate::Answered(CommandStatus::ESME_ROK)) => (DeliveryState::Accepted, Some(CommandStatus::ESME_ROK)),
            Some(Fate::Answered(status)) => (DeliveryState::Refused, Some(status)),
        };
        let account = self.config.accounts[sent.account].system_id.clone();
        let status = status.map(|status| Status(status).to_string());
        let (session, attempts, error) = (sent.session, sent.attempts, sent.error.clone());
        Some(DeliveryInfo { id, account, state, session, status, attempts, error })
    }

    pub(crate) fn accounts(&self) -> Vec<AccountInfo> {
        let accounts = self.config.accounts.iter().map(|account| AccountInfo {
            system_id: account.system_id.clone(),
            binds: account.binds.0.clone(),
            binds_max: account.binds_max,
            window: account.window.unwrap_or(self.config.session.inbound_window),
            rate: account.rate,
            policy: account.policy.clone(),
        });
        accounts.collect()
    }

    pub(crate) fn rules(&self) -> Vec<RuleInfo> {
        let inner = self.inner();
        let rules = inner.engine.rules().iter().zip(inner.engine.matched());
        rules.map(|(rule, matched)| RuleInfo { rule: rule.clone(), matched: *matched }).collect()
    }

    pub(crate) fn stats(&self) -> Stats {
        let now = self.now();
        let counts = self.traffic.counts();
        let inner = self.inner();
        let bound = inner.accounts.iter().zip(&self.config.accounts);
        let by_account: BTreeMap<_, _> =
            bound.map(|(state, account)| (account.system_id.clone(), state.bound as u64)).collect();
        let by_state = inner.mailbox.by_state();
        Stats {
            seed: inner.seed(),
            uptime_ms: u64::try_from(now.mono.as_millis()).unwrap_or(u64::MAX),
            connections: inner.connections.len() as u64,
            sessions: by_account.values().sum(),
            connections_total: inner.opened,
            sessions_by_account: by_account,
            messages: inner.mailbox.len() as u64,
            pending: self.names.iter().map(|name| inner.mailbox.pending(name) as u64).sum(),
            messages_total: inner.accepted,
            messages_by_state: by_state.into_iter().map(|(state, count)| (state.to_string(), count)).collect(),
            deliveries_waiting: inner.waiting() as u64,
            deliveries_dropped: inner.dropped,
            pdus_from_esmes: counts.from_esme.commands,
            pdus_to_esmes: counts.to_esme.commands,
            octets_from_esmes: counts.from_esme.octets,
            octets_to_esmes: counts.to_esme.octets,
        }
    }
}

fn version(version: InterfaceVersion) -> String {
    match version {
        InterfaceVersion::DECIMAL_34 => "34 in decimal, taken as 3.4".to_owned(),
        InterfaceVersion(octet) if octet < 0x34 => format!("3.3 or before ({octet:#04x})"),
        InterfaceVersion(octet) => format!("{}.{}", octet >> 4, octet & 0x0F),
    }
}
