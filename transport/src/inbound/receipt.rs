//! Which PDUs are receipts, and what they say.

use std::collections::BTreeMap;

use regex::Regex;

use super::{InboundOptions, Read};
use crate::bus::DeliveryStatus;
use crate::pdu::{EsmClass, MessageState, TlvTag, Tlvs};
use crate::store::Report;
use crate::text::{Content, Receipt, receipt_text, state_of_stat};

/// What makes a PDU a receipt.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Detect {
    /// That it has both receipted_message_id and message_state, which no handset can send. Default true.
    pub tlv: bool,
    /// That its esm_class says so. Default true.
    pub esm_class: bool,
    /// That its text looks like one. Anybody can send such a text. Default false.
    pub body: bool,
}

impl Default for Detect {
    fn default() -> Detect {
        Detect { tlv: true, esm_class: true, body: false }
    }
}

/// How the text of a receipt is read: an expression with the groups `id` and `stat`, which must match at the beginning.
#[derive(Clone, Debug)]
pub struct Pattern(Regex);

impl Pattern {
    /// A pattern that must have both groups.
    ///
    /// # Errors
    /// In words, when a group is missing.
    pub fn new(regex: Regex) -> Result<Pattern, String> {
        for group in ["id", "stat"] {
            if !regex.capture_names().any(|name| name == Some(group)) {
                return Err(format!("has no group named {group}: (?P<{group}>…)"));
            }
        }
        Ok(Pattern(regex))
    }

    fn read(&self, text: &str) -> Option<Receipt> {
        let captures = self.0.captures(text).filter(|captures| captures.get(0).is_some_and(|all| all.start() == 0))?;
        let group = |name| captures.name(name).map(|group| group.as_str().to_owned());
        let stat = group("stat")?;
        let state = state_of_stat(&stat);
        Some(Receipt { id: group("id"), stat: Some(stat), state, error: group("err"), ..Receipt::default() })
    }
}

/// What the SMSC's words for states mean.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StatusMapping(pub BTreeMap<String, DeliveryStatus>);

impl Default for StatusMapping {
    /// vumi2's, with the forms of the standard's appendix B that it lacks, and the states of SMPP 5.0.
    fn default() -> StatusMapping {
        use DeliveryStatus::{Delivered, Failed, Pending};
        let mapping = [
            ("ENROUTE", Pending),
            ("DELIVERED", Delivered),
            ("EXPIRED", Failed),
            ("DELETED", Failed),
            ("UNDELIVERABLE", Failed),
            ("ACCEPTED", Delivered),
            ("UNKNOWN", Pending),
            ("REJECTED", Failed),
            ("DELIVRD", Delivered),
            ("REJECTD", Failed),
            ("FAILED", Failed),
            ("0", Delivered),
            ("UNDELIV", Failed),
            ("ACCEPTD", Pending),
            ("SCHEDULED", Pending),
            ("SCHEDLD", Pending),
            ("SKIPPED", Failed),
        ];
        StatusMapping(mapping.into_iter().map(|(name, status)| (name.to_owned(), status)).collect())
    }
}

impl StatusMapping {
    fn status(&self, word: &str, state: Option<MessageState>) -> DeliveryStatus {
        let by_word = self.0.get(word).or_else(|| self.0.get(&word.to_ascii_uppercase()));
        let by_state = || state.and_then(MessageState::name).and_then(|name| self.0.get(name));
        by_word.or_else(by_state).copied().unwrap_or(DeliveryStatus::Pending)
    }
}

/// What a receipt says.
#[derive(Clone, Debug, PartialEq)]
pub struct ReadReceipt {
    /// The id as the SMSC wrote it.
    pub id: String,
    /// What became of the message.
    pub report: Report,
}

pub(super) fn read(esm_class: EsmClass, tlvs: &Tlvs, content: &Content, options: &InboundOptions) -> Option<Read> {
    let detect = options.detect;
    let is_marked = detect.esm_class && (esm_class.is_receipt() || esm_class.is_intermediate());
    let by_tlvs = if detect.tlv || is_marked { Receipt::from_tlvs(tlvs) } else { None };
    if by_tlvs.is_none() && !is_marked && !detect.body {
        return None;
    }
    let text = receipt_text(content.charset, &content.octets);
    let in_text = match &options.pattern {
        Some(pattern) => pattern.read(&text),
        None => Receipt::from_text(&text),
    };
    let receipt = match by_tlvs {
        Some(receipt) => receipt,
        // Each may say what the other leaves out.
        None if is_marked => match (in_text, Receipt::read(None, tlvs)) {
            (Some(text), Some(tlvs)) => Receipt { id: tlvs.id.or(text.id), state: tlvs.state.or(text.state), ..text },
            (text, tlvs) => match text.or(tlvs) {
                Some(receipt) => receipt,
                None => return Some(Read::Unreadable("it tells neither id nor state")),
            },
        },
        None => in_text.filter(|receipt| receipt.id.is_some() && receipt.stat.is_some())?,
    };
    Some(said(receipt, tlvs, esm_class, options))
}

fn said(receipt: Receipt, tlvs: &Tlvs, esm_class: EsmClass, options: &InboundOptions) -> Read {
    let state = receipt.state;
    let name = state.map(|state| state.name().map_or_else(|| state.0.to_string(), str::to_owned));
    // Where the parameters tell, their name; else the SMSC's own word.
    let word = match (tlvs.get(TlvTag::MESSAGE_STATE), receipt.stat) {
        (None, Some(stat)) => Some(stat),
        (_, stat) => name.or(stat),
    };
    let Some(word) = word else { return Read::Unreadable("it tells no state") };
    let Some(id) = receipt.id.filter(|id| !id.is_empty()) else { return Read::Unreadable("it tells no id") };
    let status = options.status_mapping.status(&word, state);
    let is_final = status != DeliveryStatus::Pending && !esm_class.is_intermediate();
    let report = Report { status, smpp_status: word.into(), is_final };
    Read::Receipt(ReadReceipt { id, report })
}
