//! What a configuration means: the options of the parts of a transport.

use std::time::Duration;

use smpp_transport::config::{
    BindType, Coding as ConfigCoding, Config, EnquireLinkWhen as ConfigEnquireLink, IdForm, KeepOrder as ConfigOrder,
    MiddlewareClass, MultipartHandling as ConfigMultipart, NpiRule, OnAuthFailure as ConfigAuth, OnPartial,
    OnTooManyParts, OnUnencodable, OnUnknownOutcome, OnUnmatched, QueueFull as ConfigQueueFull, ReceiptsOfParts,
    Secret, Sending, SessionEvent, Sign, TimeFormat, TlvType, Tolerance, TonRule, UssdMode, ValidityFrom,
};
use smpp_transport::driver::{Backoff, ClientConfig, DriverConfig};
use smpp_transport::inbound::{Detect, IdForms, InboundOptions, Pattern, StatusMapping};
use smpp_transport::outbound::{
    Coding, FullScope, KeepOrder, MultipartHandling, Numbering, OnUnknown, QueueConfig, QueueFull, Rate, Resend, Retry,
    SubmitOptions, Throttle, TooManyParts, Unencodable, Validity,
};
use smpp_transport::pdu::json::from_hex;
use smpp_transport::pdu::time::{Period, SmppTime};
use smpp_transport::pdu::{COctets, CommandStatus, Leniency, Npi, Tlvs, Ton};
use smpp_transport::service::{Does, Link, Middleware, OnAuthFailure, Partial, ServiceConfig, Unmatched};
use smpp_transport::session::{BindKind, EnquireLinkWhen, Role, SessionConfig};
use smpp_transport::store::StoreLimits;
use smpp_transport::text::{JoinLimits, Repertoire};
use smpp_transport::ussd::{Dialect, SessionKey};

/// What the service does.
///
/// # Errors
/// In words, with the option's name.
pub(crate) fn service(config: &Config) -> Result<ServiceConfig, String> {
    let prefetch = config.bus.amqp_prefetch.unwrap_or(config.worker.worker_concurrency);
    Ok(ServiceConfig {
        transport_name: config.worker.transport_name.clone(),
        submit: submit(config)?,
        queue: queue(config),
        messages_max: usize::from(prefetch),
        unbound_grace: config.bus.unbound_grace,
        inbound: inbound(config)?,
        unmatched: match config.receipts.unmatched {
            OnUnmatched::Log => Unmatched::Log,
            OnUnmatched::Event => Unmatched::Event,
        },
        unmatched_refuse_tries: config.receipts.unmatched_refuse_tries,
        unmatched_refuse_status: config.receipts.unmatched_refuse_status,
        partial: match config.inbound.partial {
            OnPartial::DeliverParts => Partial::Parts,
            OnPartial::DeliverJoined => Partial::Gaps,
            OnPartial::Drop => Partial::Drop,
        },
        inbound_timeout: config.bus.inbound_timeout,
        busy_status: config.inbound.error_status,
        undecodable_status: config.inbound.undecodable_status,
        takes_data_sm: config.inbound.data_sm,
        dedupe_window: config.inbound.dedupe_window,
        acks: !config.worker.disable_ack,
        delivery_reports: !config.worker.disable_delivery_report,
        status_events: config.worker.status_events,
        middlewares: middlewares(config),
        shutdown_timeout: config.worker.shutdown_timeout,
    })
}

fn middlewares(config: &Config) -> Vec<Middleware> {
    let name = &config.worker.transport_name;
    let is_for_us = |names: &Option<Vec<String>>| names.as_ref().is_none_or(|names| names.contains(name));
    let ours = config.worker.middlewares.iter().filter(|each| is_for_us(&each.enable_for_connectors));
    let made = ours.map(|each| Middleware {
        does: match each.class_path {
            MiddlewareClass::Logging => Does::Log(level(each.log_level), each.logger_name.clone()),
            MiddlewareClass::Unidecoder => Does::Unidecode,
        },
        inbound: each.inbound_enabled,
        outbound: each.outbound_enabled,
        events: each.event_enabled,
    });
    made.collect()
}

fn level(level: smpp_transport::config::Level) -> tracing::Level {
    level.as_str().parse().unwrap_or(tracing::Level::INFO)
}

fn submit(config: &Config) -> Result<SubmitOptions, String> {
    let (submit, defaults) = (&config.submit, &config.defaults);
    let default = config.alphabet.default_alphabet;
    Ok(SubmitOptions {
        coding: match submit.data_coding {
            ConfigCoding::Fixed(coding) => Coding::Fixed(coding, default),
            ConfigCoding::Auto => {
                Coding::Auto(Repertoire { default, languages: submit.national_tables.clone(), latin1: submit.latin1 })
            }
        },
        multipart: match submit.multipart_handling {
            ConfigMultipart::ShortMessage => MultipartHandling::ShortMessage,
            ConfigMultipart::MessagePayload => MultipartHandling::Payload,
            ConfigMultipart::Sar => MultipartHandling::Sar,
            ConfigMultipart::Udh8 => MultipartHandling::Udh8,
            ConfigMultipart::Udh16 => MultipartHandling::Udh16,
        },
        parts_max: submit.multipart_max_parts,
        too_many_parts: match submit.multipart_too_many {
            OnTooManyParts::Nack => TooManyParts::Nack,
            OnTooManyParts::Truncate => TooManyParts::Truncate,
        },
        unencodable: match submit.unencodable {
            OnUnencodable::Nack => Unencodable::Nack,
            OnUnencodable::Replace => Unencodable::Replace,
            OnUnencodable::Transliterate => Unencodable::Transliterate,
        },
        service_type: octets("submit.service_type", submit.service_type.as_deref())?,
        source: numbering(submit.source_addr_ton, submit.source_addr_npi),
        destination: numbering(submit.dest_addr_ton, submit.dest_addr_npi),
        address_max: submit.address_max,
        address_charset: submit.address_charset,
        sender: submit.source_addr.clone(),
        replaces_sender: submit.source_addr_always,
        strip_plus: submit.address_strip_plus,
        registered_delivery: submit.registered_delivery.octet(),
        receipt_of_last_part_only: submit.registered_delivery.last_part_only,
        esm_class: submit.esm_class,
        sm_default_msg_id: defaults.sm_default_msg_id,
        sar_reference_rollover: submit.multipart_sar_reference_rollover,
        validity_period: period("defaults.validity_period", defaults.validity_period)?,
        schedule_delivery_time: period("defaults.schedule", defaults.schedule)?,
        absolute_times: defaults.validity_format == TimeFormat::Absolute,
        priority: defaults.priority,
        protocol_id: defaults.protocol_id,
        replace_if_present: defaults.replace_if_present,
        tlvs: tlvs(config)?,
        tlvs_allowed: config.tlv.from_metadata.clone(),
        data_coding_overrides: submit.data_coding_overrides.iter().map(|(key, charset)| (key.0, *charset)).collect(),
        ussd: ussd(config),
    })
}

fn numbering(ton: TonRule, npi: NpiRule) -> Numbering {
    let ton: Option<Ton> = match ton {
        TonRule::Auto => None,
        TonRule::Fixed(ton) => Some(ton),
    };
    let npi: Option<Npi> = match npi {
        NpiRule::Auto => None,
        NpiRule::Fixed(npi) => Some(npi),
    };
    Numbering { ton, npi }
}

fn octets<const N: usize>(option: &str, text: Option<&str>) -> Result<COctets<N>, String> {
    let text = text.unwrap_or_default();
    text.parse().map_err(|_| format!("{option}: {text:?} has {} characters, allowed are {}", text.len(), N - 1))
}

/// From now, as the standard writes it (§7.1.1).
fn period(option: &str, time: Option<Duration>) -> Result<COctets<17>, String> {
    let Some(time) = time else { return Ok(COctets::default()) };
    let period = Period::from_seconds(time.as_secs()).map_err(|error| format!("{option}: {error}"))?;
    SmppTime::Relative(period).to_string().parse().map_err(|_| format!("{option}: cannot be written"))
}

fn tlvs(config: &Config) -> Result<Tlvs, String> {
    let mut tlvs = Tlvs::new();
    for tlv in &config.tlv.default {
        let wrong = |words: String| format!("tlv.default: {:#06x}: {words}", tlv.tag.0);
        let number = || tlv.value.parse::<u32>().map_err(|error| wrong(error.to_string()));
        let value = match tlv.r#type {
            TlvType::Text => tlv.value.clone().into_bytes(),
            TlvType::CString => [tlv.value.as_bytes(), &[0]].concat(),
            TlvType::Hex => from_hex(&tlv.value).map_err(wrong)?,
            TlvType::U8 => u8::try_from(number()?).map_err(|error| wrong(error.to_string()))?.to_be_bytes().to_vec(),
            TlvType::U16 => u16::try_from(number()?).map_err(|error| wrong(error.to_string()))?.to_be_bytes().to_vec(),
            TlvType::U32 => number()?.to_be_bytes().to_vec(),
        };
        tlvs.try_push(tlv.tag, &value).map_err(|error| wrong(error.to_string()))?;
    }
    Ok(tlvs)
}

fn ussd(config: &Config) -> Dialect {
    let ussd = &config.ussd;
    let session = match ussd.mode {
        UssdMode::Off => SessionKey::Off,
        UssdMode::Generic => SessionKey::Addresses,
        UssdMode::ItsSessionInfo => SessionKey::ItsSessionInfo,
        UssdMode::UserMessageReference => SessionKey::UserMessageReference,
    };
    let mut dialect = Dialect { session, ..Dialect::default() };
    for (op, event) in &ussd.service_ops {
        match event {
            SessionEvent::New => dialect.ops_new.push(*op),
            SessionEvent::Resume => dialect.op_resume = *op,
            SessionEvent::Close => {
                dialect.ops_close.push(*op);
                dialect.op_close = *op;
            }
        }
    }
    dialect
}

/// How messages wait.
pub(crate) fn queue(config: &Config) -> QueueConfig {
    let sending = &config.sending;
    let (throttle, rate) = (&sending.throttle, &sending.rate_limit);
    let (resend, full) = (&sending.resend, &sending.queue_full_retry);
    // Entries that nobody has given do not count for a status that throttles or says that a queue is full.
    let is_default = sending.retry == Sending::default().retry;
    let has_other = |status| throttle.statuses.contains(status) || full.statuses.contains(status);
    let retry = sending.retry.iter().filter(|(status, retry)| match is_default {
        true => retry.count > 0 && !has_other(status),
        false => retry.count > 0 || has_other(status),
    });
    let mut queue = QueueConfig::default();
    queue.keep_order = match sending.keep_order {
        ConfigOrder::None => KeepOrder::None,
        ConfigOrder::PerDestination => KeepOrder::PerDestination,
        ConfigOrder::Strict => KeepOrder::Strict,
    };
    queue.on_unknown = match sending.on_unknown_outcome {
        OnUnknownOutcome::Resend => OnUnknown::Resend,
        OnUnknownOutcome::Nack => OnUnknown::Nack,
    };
    queue.resend = Resend { tries: resend.tries, delay: resend.delay, factor: resend.factor, max: resend.max };
    queue.throttle = Throttle {
        statuses: throttle.statuses.iter().copied().collect(),
        delay: throttle.delay,
        factor: throttle.factor,
        max: throttle.max,
        adapt: throttle.adapt,
    };
    queue.queue_full = QueueFull {
        scope: match sending.queue_full {
            ConfigQueueFull::Destination => FullScope::Destination,
            ConfigQueueFull::Link => FullScope::Link,
        },
        statuses: full.statuses.iter().copied().collect(),
        tries: full.tries,
        delay: full.delay,
        factor: full.factor,
        max: full.max,
    };
    queue.retry = retry
        .map(|(status, retry): (&CommandStatus, _)| (*status, Retry { count: retry.count, delay: retry.delay }))
        .collect();
    queue.retry_max_age = sending.retry_max_age;
    queue.rate = (rate.per_second > 0.0).then(|| Rate { per_second: rate.per_second, burst: f64::from(rate.burst) });
    queue.message_max_age = sending.message_max_age;
    queue.validity = match sending.validity_from {
        ValidityFrom::Sent => Validity::FromSubmit,
        ValidityFrom::Accepted => Validity::FromAcceptance,
    };
    queue
}

fn inbound(config: &Config) -> Result<InboundOptions, String> {
    let receipts = &config.receipts;
    let pattern = receipts.regex.as_ref().map(|pattern| Pattern::new(pattern.regex().clone()));
    let id_forms = match (receipts.id_format.response, receipts.id_format.receipt) {
        (_, IdForm::Auto) => IdForms::Auto,
        (IdForm::HexString, IdForm::AsIs) => IdForms::HexStringResponses,
        (_, IdForm::AsIs) | (IdForm::Hex, IdForm::Hex) | (IdForm::Dec, IdForm::Dec) => IdForms::AsIs,
        (IdForm::HexString, IdForm::HexString) => IdForms::AsIs,
        (_, IdForm::HexString) => IdForms::HexStringReceipts,
        (IdForm::HexString, _) => IdForms::HexStringResponses,
        (_, IdForm::Dec) => IdForms::DecimalReceipts,
        (_, IdForm::Hex) => IdForms::HexReceipts,
    };
    let overrides = config.inbound.data_coding_overrides.iter().map(|(key, charset)| (key.0, *charset));
    Ok(InboundOptions {
        default: config.alphabet.default_alphabet,
        data_coding_overrides: overrides.collect(),
        detect: Detect {
            tlv: receipts.detect.contains(&Sign::Tlv),
            esm_class: receipts.detect.contains(&Sign::EsmClass),
            body: receipts.detect.contains(&Sign::Body),
        },
        pattern: pattern.transpose().map_err(|words| format!("receipts.regex: {words}"))?,
        status_mapping: StatusMapping(receipts.status_mapping.clone()),
        id_forms,
        ussd: ussd(config),
        tlvs: config.inbound.tlvs.clone(),
        sme_acks: !config.submit.registered_delivery.sme_originated_acks.is_empty(),
        is_strict: config.session.tolerance == Tolerance::Strict,
    })
}

/// Bounds of what is to be known later.
pub(crate) fn limits(config: &Config) -> StoreLimits {
    let size = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    StoreLimits {
        id_ttl: config.stores.cache.timeout,
        final_id_ttl: config.receipts.final_id_ttl,
        ids_max: size(config.stores.cache.ids_max.into()),
        early_hold: config.receipts.early_hold,
        early_max: size(config.receipts.early_max.into()),
        aggregate_timeout: match config.receipts.multipart {
            ReceiptsOfParts::Aggregate => Some(config.receipts.aggregate_timeout),
            ReceiptsOfParts::PerPart => None,
        },
        join: JoinLimits {
            sets_max: size(config.inbound.max_sets.into()),
            octets_max: size(config.inbound.max_octets),
            expiry: config.inbound.reassembly_timeout,
        },
    }
}

/// The sessions to keep, each with whether the SMSC dials.
///
/// # Errors
/// In words, with the option's name.
pub(crate) fn links(config: &Config) -> Result<Vec<(Link, bool)>, String> {
    let is_dialled = config.smsc.outbind.listen.is_some();
    let kinds: &[BindKind] = match config.bind.bind_type {
        BindType::One(BindKind::Transceiver) => &[BindKind::Transceiver],
        BindType::One(BindKind::Receiver) if is_dialled => &[],
        BindType::TransmitterAndReceiver if is_dialled => &[BindKind::Transmitter],
        BindType::One(BindKind::Transmitter) => &[BindKind::Transmitter],
        BindType::One(BindKind::Receiver) => &[BindKind::Receiver],
        BindType::TransmitterAndReceiver => &[BindKind::Transmitter, BindKind::Receiver],
    };
    let mut links = Vec::new();
    for number in 1..=config.smsc.sessions {
        for kind in kinds {
            let name = match kind {
                BindKind::Transceiver => "trx",
                BindKind::Transmitter => "tx",
                BindKind::Receiver => "rx",
            };
            let link = link(config, *kind, format!("{name}{number}"))?;
            match config.bind.bind_fallback && *kind == BindKind::Transceiver {
                true => links.extend(link.with_fallback(format!("rx{number}")).map(|link| (link, false))),
                false => links.push((link, false)),
            }
        }
        if is_dialled {
            let mut link = link(config, BindKind::Receiver, format!("outbind{number}"))?;
            link.is_optional = true;
            link.client.connect_timeout = OUTBIND_TIMEOUT;
            // The SMSC has waited already.
            link.backoff.max = link.backoff.min;
            links.push((link, true));
        }
    }
    Ok(links)
}

/// How long the SMSC is waited for before the wait begins anew, with sequence numbers that are leased anew.
const OUTBIND_TIMEOUT: Duration = Duration::from_secs(3_600);

/// Returns system_id and password of a bind.
fn account(config: &Config, kind: BindKind) -> (&str, &Secret) {
    let (bind, receiver) = (&config.bind, &config.smsc.receiver);
    match kind {
        BindKind::Receiver => (
            receiver.system_id.as_deref().unwrap_or(&bind.system_id),
            receiver.password.as_ref().unwrap_or(&bind.password),
        ),
        _ => (&bind.system_id, &bind.password),
    }
}

fn link(config: &Config, kind: BindKind, name: String) -> Result<Link, String> {
    let (bind, timers, reconnect) = (&config.bind, &config.session, &config.smsc.reconnect);
    let (system_id, password) = account(config, kind);
    let password = COctets::with_max(bind.password_sent(password).as_bytes().to_vec(), usize::from(bind.password_max));
    // An error must not show the password.
    let password = password.map_err(|_| format!("password: it has more than {} characters", bind.password_max))?;
    let mut client = ClientConfig::new(kind, octets("system_id", Some(bind.system_id_sent(system_id)))?, password);
    client.bind.addr_ton = bind.addr_ton;
    client.bind.addr_npi = bind.addr_npi;
    client.bind.system_type = octets("system_type", bind.system_type.as_deref())?;
    client.bind.interface_version = bind.interface_version;
    client.bind.address_range = octets("address_range", bind.address_range.as_deref())?;
    client.session = SessionConfig {
        session_init_timeout: bind.smpp_bind_timeout,
        enquire_link_interval: timers.smpp_enquire_link_interval,
        enquire_link_when: match timers.enquire_link_when {
            ConfigEnquireLink::Idle => EnquireLinkWhen::Idle,
            ConfigEnquireLink::Always => EnquireLinkWhen::Always,
        },
        enquire_link_timeout: Some(timers.smpp_enquire_link_timeout),
        response_timeout: timers.smpp_response_timeout,
        inactivity_timeout: timers.inactivity_timeout,
        unbind_timeout: timers.unbind_timeout,
        window: usize::from(timers.smpp_window.unwrap_or(config.worker.worker_concurrency)),
        inbound_window: usize::from(timers.smpp_inbound_window),
        busy_status: config.inbound.error_status,
        ..SessionConfig::new(Role::Esme)
    };
    client.driver = DriverConfig {
        leniency: match timers.tolerance {
            Tolerance::Lenient => Leniency::TOLERANT,
            Tolerance::Strict => Leniency::STRICT,
        },
        frame_octets_max: usize::try_from(timers.max_pdu_length).unwrap_or(usize::MAX),
        pdus_remembered: usize::from(config.look.pdu_log_ring),
        ..DriverConfig::default()
    };
    client.connect_timeout = config.smsc.connect_timeout;
    client.incoming_max = usize::from(timers.smpp_inbound_window);
    Ok(Link {
        backoff: Backoff {
            min: reconnect.initial,
            max: reconnect.max,
            factor: reconnect.factor,
            jitter: reconnect.jitter,
            stable_after: reconnect.stable_after,
        },
        on_auth_failure: match reconnect.on_auth_failure {
            ConfigAuth::Slow => OnAuthFailure::Slow,
            ConfigAuth::Stop => OnAuthFailure::Stop,
            ConfigAuth::Same => OnAuthFailure::Same,
        },
        already_bound_delay: reconnect.already_bound_delay,
        ..Link::new(name, client)
    })
}

#[cfg(test)]
mod tests {
    //! Guards that what is told reaches the part that does it.

    use super::*;
    use smpp_transport::pdu::{DataCoding, TlvTag};
    use smpp_transport::text::Charset;

    #[test]
    fn what_is_told_of_messages_is_what_is_done() {
        let mut config = Config::default();
        let usual = service(&config).unwrap();
        assert_eq!((usual.takes_data_sm, usual.dedupe_window, usual.submit.tlvs_allowed), (true, None, None));
        assert_eq!(usual.undecodable_status, CommandStatus::ESME_RX_P_APPN);
        config.submit.multipart_too_many = OnTooManyParts::Truncate;
        config.submit.data_coding_overrides =
            [(smpp_transport::config::DataCodingKey(DataCoding::JIS.0), Charset::ShiftJis)].into();
        config.tlv.from_metadata = Some(vec![TlvTag(0x1402)]);
        config.inbound.data_sm = false;
        config.inbound.dedupe_window = Some(Duration::from_secs(60));
        config.inbound.undecodable_status = CommandStatus::ESME_ROK;
        let told = service(&config).unwrap();
        assert_eq!(told.submit.too_many_parts, TooManyParts::Truncate);
        assert_eq!(told.submit.data_coding_overrides, [(5, Charset::ShiftJis)].into());
        assert_eq!(told.submit.tlvs_allowed, Some(vec![TlvTag(0x1402)]));
        assert_eq!((told.takes_data_sm, told.dedupe_window), (false, Some(Duration::from_secs(60))));
        assert_eq!(told.undecodable_status, CommandStatus::ESME_ROK);
    }

    #[test]
    fn options_of_submits_and_sessions_reach_their_parts() {
        let mut config = Config::default();
        let usual = submit(&config).unwrap();
        assert_eq!((usual.address_charset, usual.sender, usual.esm_class), (Charset::Latin1, None, 0));
        assert!(!usual.absolute_times && !usual.receipt_of_last_part_only && !usual.replaces_sender);
        config.submit.source_addr = Some("MyShop".to_owned());
        config.submit.source_addr_always = true;
        config.submit.address_charset = Charset::GSM7;
        config.submit.address_max = 30;
        config.submit.esm_class = 3;
        config.submit.registered_delivery.last_part_only = true;
        config.submit.source_addr_ton = TonRule::Fixed(Ton(99));
        config.defaults.sm_default_msg_id = 4;
        config.defaults.validity_format = TimeFormat::Absolute;
        let told = submit(&config).unwrap();
        assert_eq!((told.sender.as_deref(), told.replaces_sender), (Some("MyShop"), true));
        assert_eq!((told.address_charset, told.address_max, told.esm_class), (Charset::GSM7, 30, 3));
        assert!(told.receipt_of_last_part_only && told.absolute_times);
        assert_eq!((told.sm_default_msg_id, told.source.ton), (4, Some(Ton(99))));
        config.session.enquire_link_when = ConfigEnquireLink::Always;
        let (link, _) = links(&config).unwrap().remove(0);
        assert_eq!(link.client.session.enquire_link_when, EnquireLinkWhen::Always);
        config.bus.unbound_grace = None;
        assert_eq!(service(&config).unwrap().unbound_grace, None);
    }

    #[test]
    fn the_window_is_what_the_broker_hands_out_at_once_unless_it_is_told() {
        let mut config = Config::default();
        for (concurrency, told, expected) in [(20, None, 20), (60, None, 60), (60, Some(5), 5), (1, Some(30), 30)] {
            config.worker.worker_concurrency = concurrency;
            config.session.smpp_window = told;
            let (link, _) = links(&config).unwrap().remove(0);
            assert_eq!(link.client.session.window, expected, "worker_concurrency {concurrency}, smpp_window {told:?}");
        }
    }

    #[test]
    fn a_rate_of_zero_is_no_limit() {
        let mut config = Config::default();
        config.sending.rate_limit.per_second = 0.0;
        assert_eq!(queue(&config).rate, None);
        config.sending.rate_limit.per_second = 0.5;
        assert_eq!(queue(&config).rate.map(|rate| rate.per_second), Some(0.5));
    }
}
