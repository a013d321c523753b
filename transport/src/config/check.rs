//! What options mean together.

use super::{Config, Middleware, StoreClass, TlvType, TlvValue};

/// Whether they fit: if not, which one does not, and why.
pub(crate) fn check(config: &Config) -> Result<(), (&'static str, String)> {
    credentials(config)?;
    let tls = &config.smsc.tls;
    match (&tls.cert, &tls.key) {
        (Some(_), None) => return Err(("tls.cert", "it needs tls.key".to_owned())),
        (None, Some(_)) => return Err(("tls.key", "it needs tls.cert".to_owned())),
        _ => {}
    }
    let (reconnect, throttle) = (&config.smsc.reconnect, &config.sending.throttle);
    if reconnect.max < reconnect.initial {
        return Err(("reconnect.max", "it is shorter than reconnect.initial".to_owned()));
    }
    if throttle.max < throttle.delay {
        return Err(("throttle.max", "it is shorter than throttle.delay".to_owned()));
    }
    if config.stores.redis_url.is_none() {
        for (name, class) in
            [("cache.class", config.stores.cache.class), ("sequencer.class", config.stores.sequencer.class)]
        {
            if class == StoreClass::Redis {
                return Err((name, "redis needs redis_url".to_owned()));
            }
        }
    }
    let outbound = format!("{}.outbound", config.worker.transport_name);
    if config.bus.amqp_reject_to.as_ref() == Some(&outbound) {
        return Err(("amqp_reject_to", format!("{outbound} is where messages come from; allowed is another queue")));
    }
    for (at, tlv) in config.tlv.default.iter().enumerate() {
        fits(tlv).map_err(|words| ("tlv.default", format!("[{at}].value is {:?}: {words}", tlv.value)))?;
    }
    Ok(())
}

/// SMPP 3.4 §5.2.1 and §5.2.2: 16 and 9 octets, the last of them a NUL.
fn credentials(config: &Config) -> Result<(), (&'static str, String)> {
    if config.bind.credentials_truncate {
        return Ok(());
    }
    let (name, password) = (config.bind.system_id.len(), config.bind.password.reveal().len());
    let words = |length: usize, max: usize| {
        Err(format!("it has {length} characters; allowed are {max}, or more with credentials_truncate, which cuts it"))
    };
    match (name > 15, password > 8) {
        (true, _) => words(name, 15).map_err(|words| ("system_id", words)),
        (_, true) => words(password, 8).map_err(|words| ("password", words)),
        _ => Ok(()),
    }
}

fn fits(tlv: &TlvValue) -> Result<(), String> {
    let number = |max: u64| match super::kind::whole(&tlv.value) {
        Some(number) if number <= max => Ok(()),
        _ => Err(format!("allowed is a whole number from 0 to {max}")),
    };
    match tlv.r#type {
        TlvType::U8 => number(0xFF),
        TlvType::U16 => number(0xFFFF),
        TlvType::U32 => number(0xFFFF_FFFF),
        TlvType::Text | TlvType::CString => Ok(()),
        TlvType::Hex => {
            let is_hex = tlv.value.len().is_multiple_of(2) && tlv.value.bytes().all(|octet| octet.is_ascii_hexdigit());
            if is_hex { Ok(()) } else { Err("allowed are pairs of hexadecimal digits".to_owned()) }
        }
    }
}

/// What is allowed, and probably not meant.
pub(crate) fn warnings(config: &Config) -> Vec<String> {
    let mut warnings = Vec::new();
    let mut warn = |is_strange: bool, words: &str| warnings.extend(is_strange.then(|| words.to_owned()));
    let tls = &config.smsc.tls;
    let has_tls = tls.ca.is_some() || tls.cert.is_some() || tls.server_name.is_some() || tls.insecure;
    warn(has_tls && !tls.enabled, "options of tls are given, and tls.enabled is false: they do nothing");
    warn(
        tls.enabled && tls.insecure,
        "tls.insecure takes any certificate: anybody on the way can read and change everything",
    );
    warn(config.worker.sentry_dsn.is_some(), "sentry_dsn is given: errors go to the log, not to Sentry");
    warn(
        config.receipts.detect.contains(&super::Sign::Body),
        "receipts.detect has body: a text from a handset can pass for a receipt",
    );
    warn(config.receipts.detect.is_empty(), "receipts.detect is empty: no receipt is known as one");
    for (at, Middleware { inbound_enabled, outbound_enabled, event_enabled, enable_for_connectors, .. }) in
        config.worker.middlewares.iter().enumerate()
    {
        if !(*inbound_enabled || *outbound_enabled || *event_enabled) {
            warnings.push(format!(
                "middlewares[{at}] does nothing: inbound_enabled, outbound_enabled and event_enabled are false"
            ));
        }
        let is_ours = |names: &Vec<String>| names.contains(&config.worker.transport_name);
        if enable_for_connectors.as_ref().is_some_and(|names| !is_ours(names)) {
            let name = &config.worker.transport_name;
            warnings.push(format!(
                "middlewares[{at}] does nothing: enable_for_connectors has no {name}, the transport_name"
            ));
        }
    }
    warnings
}
