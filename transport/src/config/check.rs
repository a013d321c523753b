//! What options mean together.

use super::{BindType, Binding, Config, Middleware, StoreClass, TlvType, TlvValue};
use crate::session::BindKind;

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
    let (resend, queue_full) = (&config.sending.resend, &config.sending.queue_full_retry);
    if resend.max < resend.delay {
        return Err(("resend.max", "shorter than resend.delay".to_owned()));
    }
    if queue_full.max < queue_full.delay {
        return Err(("queue_full_retry.max", "shorter than queue_full_retry.delay".to_owned()));
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

/// Most characters of a system_id (SMPP 3.4 §5.2.1): 16 octets, the last of them a NUL.
const SYSTEM_ID_MAX: usize = 15;

fn credentials(config: &Config) -> Result<(), (&'static str, String)> {
    let (bind, receiver, outbind) = (&config.bind, &config.smsc.receiver, &config.smsc.outbind);
    let password_max = usize::from(bind.password_max);
    let length = |secret: &Option<super::Secret>| secret.as_ref().map_or(0, |secret| secret.reveal().len());
    let names = [
        ("system_id", bind.system_id.len()),
        ("receiver.system_id", receiver.system_id.as_ref().map_or(0, String::len)),
    ];
    let passwords = [("password", bind.password.reveal().len()), ("receiver.password", length(&receiver.password))];
    if !bind.credentials_truncate {
        let words = "or more with credentials_truncate, which cuts it";
        if let Some((name, length)) = names.into_iter().find(|(_, length)| *length > SYSTEM_ID_MAX) {
            return Err((name, format!("it has {length} characters; allowed are {SYSTEM_ID_MAX}, {words}")));
        }
        if let Some((name, length)) = passwords.into_iter().find(|(_, length)| *length > password_max) {
            let words = format!("more with a larger password_max, {words}");
            return Err((name, format!("it has {length} characters; allowed are {password_max}, {words}")));
        }
    }
    match length(&outbind.password) {
        length if length > password_max => {
            let words = "more with a larger password_max";
            Err(("outbind.password", format!("it has {length} characters; allowed are {password_max}, {words}")))
        }
        _ => Ok(()),
    }
}

impl Binding {
    /// Returns the account, cut to what fits if that is wanted.
    #[must_use]
    pub fn system_id_sent<'a>(&self, system_id: &'a str) -> &'a str {
        self.cut(system_id, SYSTEM_ID_MAX)
    }

    /// Returns the password, cut to what fits if that is wanted.
    #[must_use]
    pub fn password_sent<'a>(&self, password: &'a super::Secret) -> &'a str {
        self.cut(password.reveal(), usize::from(self.password_max))
    }

    /// Cuts ASCII, in which each octet is a character.
    fn cut<'a>(&self, text: &'a str, max: usize) -> &'a str {
        if self.credentials_truncate { text.get(..max).unwrap_or(text) } else { text }
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
    let bind = &config.bind;
    warn(bind.system_id.len() > SYSTEM_ID_MAX, "credentials_truncate: system_id is cut to 15 characters");
    let is_cut = bind.password.reveal().len() > usize::from(bind.password_max);
    warn(is_cut, &format!("credentials_truncate: password is cut to {} characters", bind.password_max));
    warn(
        config.submit.source_addr_always && config.submit.source_addr.is_none(),
        "submit.source_addr_always does nothing: submit.source_addr is not given",
    );
    let amqp = &config.bus.amqp;
    warn(
        amqp.declare != super::Declare::Active && (amqp.queue_type.is_some() || !amqp.queue_arguments.is_empty()),
        "amqp.queue_type and amqp.queue_arguments do nothing: amqp.declare is not active",
    );
    let is_trx = bind.bind_type == BindType::One(BindKind::Transceiver);
    warn(bind.bind_fallback && !is_trx, "bind_fallback does nothing: it is for bind_type trx");
    let has_receiver = bind.bind_type == BindType::TransmitterAndReceiver && config.smsc.outbind.listen.is_none();
    warn(
        config.smsc.receiver != super::Receiver::default() && !has_receiver,
        "options of receiver are given without bind_type tx+rx: they do nothing",
    );
    let outbind = &config.smsc.outbind;
    let is_open = outbind.listen.is_some() && outbind.password.is_none();
    warn(is_open, "outbind.listen without outbind.password: whoever connects there is told our password");
    let is_idle = outbind.listen.is_none() && (outbind.system_id.is_some() || outbind.password.is_some());
    warn(is_idle, "options of outbind are given without outbind.listen: they do nothing");
    warn(tls.enabled && outbind.listen.is_some(), "outbind.listen has no TLS, whatever tls.enabled says");
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
