//! What a plan's transport is told, in its own options.

use std::time::Duration;

use smpp_transport::driver::{Backoff, ClientConfig};
use smpp_transport::inbound::{IdForms, InboundOptions};
use smpp_transport::outbound::{
    Coding, FullScope, KeepOrder, MultipartHandling, OnUnknown, QueueConfig, QueueFull, Rate, Resend, Retry,
    SubmitOptions, Throttle, Validity,
};
use smpp_transport::pdu::time::{Period, SmppTime};
use smpp_transport::pdu::{COctets, CommandStatus, RegisteredDelivery};
use smpp_transport::service::{Link, ServiceConfig};
use smpp_transport::session::{BindKind, Role, SessionConfig};
use smpp_transport::store::StoreLimits;
use smpp_transport::text::{JoinLimits, Repertoire};

use crate::app::{PASSWORD, backoff, driver_config, session_config, system_id};
use crate::plan::{
    self, CONNECT_TIMEOUT_MS, Ids, Kind, Options, Order, Parts, Plan, RETRY_DELAY_MS, THROTTLE_DELAY_MS,
    THROTTLE_MAX_MS, Transport,
};

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

pub(super) fn service(part: &Transport) -> ServiceConfig {
    let Options { receipts, .. } = part.options;
    ServiceConfig {
        submit: SubmitOptions {
            coding: Coding::Auto(Repertoire::default()),
            multipart: match part.options.parts {
                Parts::Udh8 => MultipartHandling::Udh8,
                Parts::Udh16 => MultipartHandling::Udh16,
                Parts::Sar => MultipartHandling::Sar,
                Parts::Payload => MultipartHandling::Payload,
            },
            registered_delivery: RegisteredDelivery(u8::from(receipts)),
            validity_period: part.options.validity_s.map(validity_period).unwrap_or_default(),
            ..SubmitOptions::default()
        },
        queue: queue(&part.options),
        messages_max: part.messages_max,
        inbound: InboundOptions {
            id_forms: match part.options.ids {
                Ids::Auto => IdForms::Auto,
                Ids::AsIs => IdForms::AsIs,
                Ids::DecimalReceipts => IdForms::DecimalReceipts,
                Ids::HexReceipts => IdForms::HexReceipts,
            },
            ..InboundOptions::default()
        },
        inbound_timeout: ms(part.options.inbound_timeout_ms),
        shutdown_timeout: ms(part.options.shutdown_timeout_ms),
        unbound_grace: part.options.unbound_grace_ms.map(ms),
        ..ServiceConfig::default()
    }
}

fn validity_period(seconds: u64) -> COctets<17> {
    let period = Period::from_seconds(seconds).expect("it is short");
    SmppTime::Relative(period).to_string().parse().expect("it fits")
}

fn queue(options: &Options) -> QueueConfig {
    let retry = Retry { count: options.retries, delay: ms(RETRY_DELAY_MS) };
    let statuses = [CommandStatus::ESME_RSYSERR, CommandStatus::ESME_RSUBMITFAIL];
    let mut queue = QueueConfig::default();
    queue.keep_order = match options.keep_order {
        Order::None => KeepOrder::None,
        Order::PerDestination => KeepOrder::PerDestination,
        Order::Strict => KeepOrder::Strict,
    };
    queue.on_unknown = if options.resend_unknown { OnUnknown::Resend } else { OnUnknown::Nack };
    queue.retry_max_age = ms(options.retry_max_age_ms);
    let plan::Resend { tries, delay_ms, factor, max_ms } = options.resend;
    queue.resend = Resend { tries, delay: ms(delay_ms), factor, max: ms(max_ms) };
    let plan::Resend { tries, delay_ms, factor, max_ms } = options.full;
    let scope = match options.queue_full {
        plan::QueueFull::Destination => FullScope::Destination,
        plan::QueueFull::Link => FullScope::Link,
    };
    queue.queue_full = QueueFull { scope, tries, delay: ms(delay_ms), factor, max: ms(max_ms), ..QueueFull::default() };
    queue.throttle = Throttle {
        delay: ms(THROTTLE_DELAY_MS),
        max: ms(THROTTLE_MAX_MS),
        adapt: options.adapt,
        ..Throttle::default()
    };
    queue.message_max_age = options.message_max_age_ms.map(ms);
    queue.validity = Validity::FromAcceptance;
    queue.retry = statuses.into_iter().filter(|_| retry.count > 0).map(|status| (status, retry)).collect();
    queue.rate = options.rate.map(|rate| Rate { per_second: f64::from(rate), burst: 1.0 });
    queue
}

pub(super) fn limits(part: &Transport) -> StoreLimits {
    let join = JoinLimits { expiry: ms(part.options.join_expiry_ms), ..StoreLimits::default().join };
    let defaults = StoreLimits::default();
    StoreLimits {
        early_hold: ms(part.options.early_hold_ms),
        aggregate_timeout: (!part.options.report_parts).then_some(ms(part.options.aggregate_timeout_ms)),
        early_max: part.options.early_max.unwrap_or(defaults.early_max),
        join,
        ..defaults
    }
}

pub(super) fn links(plan: &Plan, part: &Transport) -> Vec<Link> {
    part.links.iter().enumerate().map(|(number, kind)| link(plan, part, number, *kind)).collect()
}

fn link(plan: &Plan, part: &Transport, number: usize, kind: Kind) -> Link {
    let kind = match kind {
        Kind::Transmitter => BindKind::Transmitter,
        Kind::Receiver => BindKind::Receiver,
        Kind::Transceiver => BindKind::Transceiver,
    };
    let (id, password) = (system_id(part.account).parse(), PASSWORD.parse());
    let mut client = ClientConfig::new(kind, id.expect("it fits"), password.expect("it fits"));
    client.session = SessionConfig {
        window: part.window,
        sequence_start: part.sequence_start,
        ..session_config(Role::Esme, &plan.timers)
    };
    client.driver = driver_config();
    client.connect_timeout = ms(CONNECT_TIMEOUT_MS);
    let backoff: Backoff = backoff(&plan.timers);
    Link { already_bound_delay: backoff.max, backoff, ..Link::new(format!("link{number}"), client) }
}
