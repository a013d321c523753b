//! Guards what comes from vumi2: its options, their defaults and names, a file that has them all, and the page about them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use smpp_transport::bus::DeliveryStatus;
use smpp_transport::config::{
    Bus, BusReason, Coding, Config, DataCodingKey, Level, Listen, MiddlewareClass, MultipartHandling, NpiRule, Table,
    TonRule, load,
};
use smpp_transport::pdu::{DataCoding, InterfaceVersion, Npi, RegisteredDelivery, Ton};
use smpp_transport::text::Charset;

use super::{from_text, root};

/// What vumi2's classes of configuration have, and its defaults; nothing for None, and where it has a default of its own that
/// the page gives a reason for.
const VUMI2: [(&str, &str); 42] = [
    ("amqp.hostname", "127.0.0.1"),
    ("amqp.port", "5672"),
    ("amqp.username", "guest"),
    ("amqp.password", "guest"),
    ("amqp.vhost", "/"),
    ("amqp_url", "null"),
    ("worker_concurrency", "20"),
    ("sentry_dsn", "null"),
    ("http_bind", "null"),
    ("log_level", "INFO"),
    ("middlewares", "[]"),
    ("transport_name", "smpp"),
    ("host", "localhost"),
    ("port", "2775"),
    ("system_id", "smppclient1"),
    ("password", "password"),
    ("system_type", "null"),
    ("interface_version", "34"),
    ("address_range", "null"),
    ("smpp_enquire_link_interval", "55"),
    ("smpp_bind_timeout", "30"),
    ("sequencer_class", "vumi2.transports.smpp.sequencers.InMemorySequencer"),
    ("submit_sm_processor_class", "vumi2.transports.smpp.processors.SubmitShortMessageProcessor"),
    ("submit_sm_processor_config.data_coding", "SMSC_DEFAULT_ALPHABET"),
    ("submit_sm_processor_config.multipart_handling", "short_message"),
    ("submit_sm_processor_config.service_type", "null"),
    ("submit_sm_processor_config.source_addr_ton", "UNKNOWN"),
    ("submit_sm_processor_config.source_addr_npi", "UNKNOWN"),
    ("submit_sm_processor_config.dest_addr_ton", "UNKNOWN"),
    ("submit_sm_processor_config.dest_addr_npi", "ISDN"),
    ("submit_sm_processor_config.registered_delivery.delivery_receipt", "NO_SMSC_DELIVERY_RECEIPT_REQUESTED"),
    ("submit_sm_processor_config.registered_delivery.sme_originated_acks", "[]"),
    ("submit_sm_processor_config.registered_delivery.intermediate_notification", "false"),
    ("submit_sm_processor_config.multipart_sar_reference_rollover", "0x10000"),
    ("sm_processor_class", "vumi2.transports.smpp.processors.ShortMessageProcessor"),
    ("sm_processor_config.data_coding_overrides", "{}"),
    ("dr_processor_class", "vumi2.transports.smpp.processors.DeliveryReportProcesser"),
    ("dr_processor_config.regex", "id:(?P<id>[^ ]{,65})…"),
    ("dr_processor_config.status_mapping", "{ENROUTE: pending, …}"),
    ("smpp_cache_class", "vumi2.transports.smpp.smpp_cache.InMemorySmppCache"),
    ("smpp_cache_config.timeout", "86400"),
    ("sequencer_config", "{}"),
];

/// Options whose default here is another, which the page explains.
const OTHER_DEFAULT: [&str; 3] = ["http_bind", "dr_processor_config.regex", "dr_processor_config.status_mapping"];

#[test]
fn every_default_of_vumi2_is_the_default_here() {
    for (name, value) in VUMI2 {
        if OTHER_DEFAULT.contains(&name) || name == "amqp_url" {
            continue;
        }
        let parts: Vec<&str> = name.split('.').collect();
        let depth = parts.len() - 1;
        let mut yaml: String =
            parts.iter().enumerate().map(|(at, part)| format!("{}{part}:\n", "  ".repeat(at))).collect();
        yaml.truncate(yaml.len() - 1);
        let written =
            from_text(&format!("{yaml} {value}\nbus: embedded\n")).unwrap_or_else(|error| panic!("{depth} {error}"));
        let defaults = from_text("bus: embedded").unwrap();
        assert_eq!(written.config, defaults.config, "{name}");
    }
}

#[test]
fn a_file_of_vumi2_means_the_same() {
    let path = root().join("fixtures/config/good/vumi2.yaml");
    let loaded = load([], [("VUMI_CONFIG_FILE".to_owned(), path.display().to_string())]).unwrap();
    assert_eq!(loaded.warnings, Vec::<String>::new());
    let Config { worker, bus, smsc, bind, session, submit, inbound, receipts, stores, .. } = &loaded.config;
    assert_eq!((bus.bus, loaded.config.bus_reason()), (Bus::Amqp, &BusReason::AmqpOption("amqp.hostname".to_owned())));
    assert_eq!((bus.amqp.hostname.as_str(), bus.amqp.vhost.as_str()), ("rabbitmq.svc.cluster.local", "/prd"));
    assert_eq!((worker.worker_concurrency, worker.log_level), (10, Level::Warn));
    assert_eq!(worker.http_bind, Some(Listen::Tcp("0.0.0.0:8000".to_owned())));
    assert_eq!(
        worker.middlewares.iter().map(|one| one.class_path).collect::<Vec<_>>(),
        [MiddlewareClass::Logging, MiddlewareClass::Unidecoder]
    );
    assert_eq!((worker.middlewares[0].log_level, worker.middlewares[1].inbound_enabled), (Level::Debug, false));
    assert_eq!(
        (worker.transport_name.as_str(), loaded.config.smsc_addresses()),
        ("mno_smpp", vec!["smpp.mno.example:3700".to_owned()])
    );
    assert_eq!(smsc.port, 3_700);
    assert_eq!((bind.system_id.as_str(), bind.password.reveal()), ("account1", "s3cret12"));
    assert_eq!((bind.system_type.as_deref(), bind.address_range.as_deref()), (Some("VMA"), Some("^2782")));
    assert_eq!((bind.interface_version, bind.smpp_bind_timeout), (InterfaceVersion::V3_4, Duration::from_secs(60)));
    assert_eq!(session.smpp_enquire_link_interval, Some(Duration::from_secs(30)));
    assert_eq!(
        (submit.data_coding, submit.multipart_handling),
        (Coding::Fixed(DataCoding::UCS2), MultipartHandling::Udh8)
    );
    assert_eq!(
        (submit.source_addr_ton, submit.source_addr_npi),
        (TonRule::Fixed(Ton::NATIONAL), NpiRule::Fixed(Npi::ISDN))
    );
    assert_eq!(
        (submit.dest_addr_ton, submit.service_type.as_deref()),
        (TonRule::Fixed(Ton::INTERNATIONAL), Some("CMT"))
    );
    assert_eq!(submit.registered_delivery.octet(), RegisteredDelivery(0x1D));
    assert_eq!(submit.multipart_sar_reference_rollover, 256);
    let overrides = BTreeMap::from([(DataCodingKey(0), Charset::Latin1), (DataCodingKey(2), Charset::Ascii)]);
    assert_eq!(inbound.data_coding_overrides, overrides);
    assert!(receipts.regex.as_ref().unwrap().regex().is_match("id:1 stat:DELIVRD"));
    assert_eq!((receipts.status_mapping.len(), receipts.status_mapping["UNDELIV"]), (3, DeliveryStatus::Failed));
    assert_eq!(stores.cache.timeout, Duration::from_secs(172_800));
}

#[test]
fn all_that_people_write_for_a_version_means_that_version() {
    for (texts, version) in [
        (&["34", "'34'", "3.4", "'3.4'", "0x34", "52"] as &[&str], InterfaceVersion::V3_4),
        (&["33", "3.3", "0x33", "51"], InterfaceVersion::V3_3),
        (&["50", "5.0", "0x50", "80"], InterfaceVersion::V5_0),
    ] {
        for text in texts {
            assert_eq!(
                from_text(&format!("interface_version: {text}")).unwrap().config.bind.interface_version,
                version,
                "{text}"
            );
        }
    }
}

/// Rows of the page's tables: the option, vumi2's default, what is the same or not.
fn rows() -> Vec<(String, String, String)> {
    let page = std::fs::read_to_string(root().join("transport/FROM-VUMI2.md")).unwrap();
    let rows = page.lines().filter(|line| line.starts_with("| `")).map(|line| {
        let cells: Vec<_> = line.trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned()).collect();
        assert_eq!(cells.len(), 3, "{line}");
        (cells[0].trim_matches('`').to_owned(), cells[1].trim_matches('`').to_owned(), cells[2].clone())
    });
    rows.collect()
}

#[test]
fn the_page_has_every_option_of_vumi2_and_its_default_and_no_other() {
    let page: BTreeMap<String, String> = rows().into_iter().map(|(name, default, _)| (name, default)).collect();
    let vumi2: BTreeMap<String, String> =
        VUMI2.iter().map(|(name, default)| ((*name).to_owned(), (*default).to_owned())).collect();
    assert_eq!(page, vumi2);
}

#[test]
fn every_option_that_the_page_names_is_in_the_table() {
    let mut known = BTreeSet::new();
    for row in Table::new().options() {
        known.extend(row.aliases);
        known.insert(row.name);
    }
    for (name, _, _) in rows() {
        let is_there = known.contains(&name) || (name == "sequencer_config" && known.contains("sequencer_class"));
        assert!(is_there, "{name}");
    }
    // And what the table reads by a name of vumi2's is on the page.
    let page: BTreeSet<String> = rows().into_iter().map(|(name, _, _)| name).collect();
    for name in known.iter().filter(|name| name.contains("_class") && !name.contains('.')) {
        assert!(page.contains(name), "{name}");
    }
}

#[test]
fn a_default_that_is_another_is_explained() {
    for (name, _, same) in rows() {
        assert_eq!(same.starts_with("other default"), OTHER_DEFAULT.contains(&name.as_str()), "{name}: {same}");
        assert!(same.ends_with('.') || same == "same", "{name}: {same}");
    }
}
