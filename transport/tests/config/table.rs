//! Guards the table itself: each option's ends, words, names and pages.

use std::collections::{BTreeMap, BTreeSet};

use smpp_transport::config::{Config, Table, help, reference};

use super::{companion_flags, flag_of, from_flags, from_text, from_text_and, root, variable_of, yaml_of};

#[test]
fn each_option_takes_what_is_at_the_ends_of_what_is_allowed() {
    for row in Table::new().options() {
        assert!(row.good.len() > 1, "{} has no examples", row.name);
        for value in &row.good {
            let loaded = from_text_and(&yaml_of(&row.name, value), companion_flags(&row.name, value));
            assert!(loaded.is_ok(), "{} {value}: {}", row.name, loaded.unwrap_err());
        }
    }
}

#[test]
fn each_option_refuses_what_is_beyond() {
    for row in Table::new().options() {
        assert!(row.bad.len() > 1, "{} has no examples", row.name);
        for value in &row.bad {
            let Err(error) = from_text_and(&yaml_of(&row.name, value), companion_flags(&row.name, value)) else {
                panic!("{} takes {value}", row.name)
            };
            let error = error.to_string();
            assert!(!error.contains('\n') && error.starts_with(&row.name), "{value}: {error}");
            assert!(error.contains(".yaml:"), "it has a place: {error}");
            let words = ["allowed", "expression", "given", "needs", "differ"];
            assert!(words.iter().any(|word| error.contains(word)), "it says what is allowed: {error}");
        }
    }
}

#[test]
fn each_default_is_allowed_and_the_same_when_it_is_written() {
    for row in Table::new().options() {
        let defaults = from_flags(&[]).unwrap().config;
        let written = from_text(&yaml_of(&row.name, &row.default)).unwrap_or_else(|error| panic!("{error}"));
        if row.name != "bus" && !row.name.starts_with("amqp") {
            assert_eq!(written.config, defaults, "{}", row.name);
        }
    }
    assert_eq!(from_flags(&[]).unwrap().config, Config::default());
}

#[test]
fn each_option_has_words() {
    for row in Table::new().options() {
        assert!(row.words.len() > 10 && row.words.ends_with('.'), "{}: {:?}", row.name, row.words);
        assert!(row.words.starts_with(|first: char| first.is_uppercase()), "{}: {:?}", row.name, row.words);
    }
}

/// Joined with `_`, two names could become one.
#[test]
fn no_two_options_have_the_same_variable_or_flag() {
    let mut seen: BTreeMap<String, String> = BTreeMap::new();
    for row in Table::new().options() {
        for name in row.aliases.iter().chain([&row.name]) {
            for spelled in [variable_of(name), flag_of(name)] {
                let other = seen.insert(spelled.clone(), row.name.clone());
                assert!(other.is_none_or(|other| other == row.name), "{spelled} is {} too", row.name);
            }
        }
    }
    assert!(!seen.contains_key("--config") && !seen.contains_key("--check") && !seen.contains_key("--help"));
}

#[test]
fn an_option_is_the_same_by_all_its_names() {
    for row in Table::new().options() {
        let value = row.good.last().unwrap();
        let by_name = |name: &str| {
            let loaded = from_text_and(&yaml_of(name, value), companion_flags(&row.name, value));
            loaded.unwrap_or_else(|error| panic!("{error}")).config
        };
        for alias in &row.aliases {
            assert_eq!(by_name(alias), by_name(&row.name), "{alias}");
        }
    }
}

#[test]
fn no_secret_is_ever_shown() {
    let mut secrets = BTreeSet::new();
    for row in Table::new().options().into_iter().filter(|row| row.is_secret) {
        let is_url = row.good[0].contains("://");
        let value = if is_url { row.good[0].clone() } else { "s3cret".to_owned() };
        let loaded = from_text(&yaml_of(&row.name, &value)).unwrap();
        assert!(!loaded.to_yaml().contains("s3cret"), "{}: {}", row.name, loaded.to_yaml());
        assert!(loaded.to_yaml().contains("***"), "{}", row.name);
        assert!(loaded.to_yaml_with_secrets().contains("s3cret"), "{}", row.name);
        assert!(!format!("{loaded:?} {:#?}", loaded.config).contains("s3cret"), "{}", row.name);
        for wrong in ["s3cret\u{e9} x".to_owned(), format!("s3cret {}", "x".repeat(300))] {
            let error = from_flags(&[&flag_of(&row.name), &wrong]).unwrap_err().to_string();
            assert!(!error.contains("s3cret"), "{error}");
            let error = from_text(&yaml_of(&row.name, &wrong)).unwrap_err().to_string();
            assert!(!error.contains("s3cret"), "{error}");
        }
        secrets.insert(row.name);
    }
    let expected =
        ["amqp.password", "amqp_url", "outbind.password", "password", "receiver.password", "redis_url", "sentry_dsn"];
    assert_eq!(secrets, expected.map(str::to_owned).into());
}

/// The options beyond vumi2's that other transports have, by the names that they are known by, and where each is here.
const BEYOND_VUMI2: [(&str, &[&str]); 63] = [
    ("bind type", &["bind_type"]),
    ("hosts", &["hosts"]),
    ("parallel sessions", &["sessions"]),
    (
        "back-off",
        &["reconnect.initial", "reconnect.max", "reconnect.factor", "reconnect.jitter", "reconnect.stable_after"],
    ),
    ("refused credentials", &["reconnect.on_auth_failure"]),
    ("already bound", &["reconnect.already_bound_delay"]),
    ("another bind type", &["bind_fallback"]),
    ("connect timeout", &["connect_timeout"]),
    ("TLS", &["tls.enabled", "tls.ca", "tls.cert", "tls.key", "tls.server_name", "tls.insecure"]),
    ("window", &["smpp_window"]),
    ("prefetch", &["amqp_prefetch"]),
    ("response timeout", &["smpp_response_timeout"]),
    ("unknown outcome", &["on_unknown_outcome"]),
    ("enquire_link", &["smpp_enquire_link_interval", "smpp_enquire_link_timeout"]),
    ("inactivity", &["inactivity_timeout"]),
    ("PDU length", &["max_pdu_length"]),
    ("leniency", &["tolerance"]),
    ("rate", &["rate_limit.per_second", "rate_limit.burst"]),
    ("throttling", &["throttle.statuses", "throttle.delay", "throttle.factor", "throttle.max", "throttle.adapt"]),
    ("unknown outcomes", &["resend.tries", "resend.delay", "resend.factor", "resend.max"]),
    ("full queues", &["queue_full", "queue_full_retry.statuses", "queue_full_retry.tries", "queue_full_retry.delay"]),
    ("old messages", &["message_max_age", "validity_from"]),
    ("retry", &["retry", "retry_max_age"]),
    ("order", &["keep_order"]),
    ("multipart", &["submit.multipart_handling"]),
    ("parts", &["submit.multipart_max_parts", "submit.multipart_too_many"]),
    ("coding", &["submit.data_coding"]),
    ("default alphabet, packed or not", &["default_alphabet"]),
    ("national tables", &["submit.national_tables"]),
    ("Latin-1", &["submit.latin1"]),
    ("unencodable", &["submit.unencodable"]),
    ("reassembly", &["inbound.reassembly_timeout", "inbound.max_sets", "inbound.max_octets", "inbound.partial"]),
    ("redelivered", &["inbound.dedupe_window"]),
    ("error status", &["inbound.error_status", "inbound.undecodable_status"]),
    ("overrides", &["inbound.data_coding_overrides"]),
    ("id format", &["receipts.id_format.response", "receipts.id_format.receipt"]),
    ("early receipts", &["receipts.early_hold", "receipts.early_max"]),
    ("life of ids", &["cache.timeout", "receipts.final_id_ttl"]),
    ("signs of receipts", &["receipts.detect"]),
    ("forms of receipts", &["receipts.regex", "receipts.status_mapping"]),
    ("receipts of parts", &["receipts.multipart", "receipts.aggregate_timeout"]),
    (
        "unmatched receipts",
        &["receipts.unmatched", "receipts.unmatched_refuse_tries", "receipts.unmatched_refuse_status"],
    ),
    ("shared by sessions and processes", &["cache.class", "redis_url", "redis_prefix"]),
    ("kept over restarts", &["cache.class", "sequencer.class", "data_dir"]),
    ("broker in time", &["inbound_timeout", "amqp_reject_to"]),
    ("events", &["disable_ack", "disable_delivery_report", "status_events"]),
    ("USSD", &["ussd.mode", "ussd.service_ops"]),
    ("optional parameters", &["tlv.default", "tlv.from_metadata"]),
    (
        "defaults of submits",
        &[
            "defaults.validity_period",
            "defaults.schedule",
            "defaults.priority",
            "defaults.protocol_id",
            "defaults.replace_if_present",
        ],
    ),
    (
        "addresses",
        &["submit.source_addr_ton", "submit.address_strip_plus", "submit.address_max", "credentials_truncate"],
    ),
    ("data_sm", &["inbound.data_sm"]),
    ("outbind", &["outbind.listen", "outbind.system_id", "outbind.password"]),
    ("end", &["shutdown_timeout", "unbind_timeout"]),
    ("HTTP", &["http_bind"]),
    ("long passwords", &["password_max"]),
    ("numbering of the bind", &["addr_ton", "addr_npi"]),
    ("local address", &["source_address"]),
    ("another receiver", &["receiver.host", "receiver.port", "receiver.system_id", "receiver.password"]),
    ("senders", &["submit.source_addr", "submit.source_addr_always", "submit.address_charset", "submit.esm_class"]),
    ("times and texts", &["defaults.validity_format", "defaults.sm_default_msg_id"]),
    ("queues of the operator", &["amqp.declare", "amqp.queue_type", "amqp.queue_arguments", "unbound_grace"]),
    ("busy and idle", &["enquire_link_when", "submit.registered_delivery.last_part_only"]),
    ("looking", &["pdu_log", "pdu_log_ring", "capture"]),
];

#[test]
fn what_other_transports_have_is_there() {
    let names: BTreeSet<String> = Table::new().options().into_iter().map(|row| row.name).collect();
    for (what, options) in BEYOND_VUMI2 {
        for option in options {
            assert!(names.contains(*option), "{what}: {option}");
        }
    }
    for (rule, option) in [("AUTO", "source_addr_ton"), ("AUTO", "dest_addr_npi"), ("auto", "data_coding")] {
        from_text(&format!("submit: {{{option}: {rule}}}")).unwrap();
    }
}

#[test]
fn the_reference_page_is_what_the_table_says() {
    let page = std::fs::read_to_string(root().join("transport/CONFIGURATION.md")).unwrap_or_default();
    let hint = "run: cargo run -p smpp-transport -- config --reference > transport/CONFIGURATION.md";
    assert!(page == reference(), "transport/CONFIGURATION.md is not what the table says; {hint}");
}

#[test]
fn help_and_reference_name_every_option() {
    let (help, page) = (help(), reference());
    for row in Table::new().options() {
        assert!(help.contains(&format!("  {} <VALUE>\n", flag_of(&row.name))), "{}", row.name);
        assert!(page.contains(&format!("**`{}`** – {}", row.name, row.words)), "{}", row.name);
        assert!(page.contains(&format!("- `{}`, `{}`\n", variable_of(&row.name), flag_of(&row.name))), "{}", row.name);
    }
}
