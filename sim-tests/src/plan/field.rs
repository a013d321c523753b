//! Receipts, ids and responses as SMSCs of the field write them. Each family is drawn from a stream of its own, once it is
//! known that all of the SMSC's messages are transports': simple clients promise nothing about forms like these.
//!
//! All of it can be read by a tolerant reader, but for ids that are cut off: what a reader must make of it says [`reading`].
//!
//! [`reading`]: super::reading::reading

use rand::{Rng, RngExt};
use smpp_transport::env::Seed;
use smpp_transport::pdu::{CommandStatus, TlvTag};
use smsc_sim::Rule;
use smsc_sim::policy::{Encoding, IdForm, Policy, ReceiptForm};
use smsc_sim::rules::{Operation, Then, TlvIs, TlvName, When};
use smsc_sim::words::{AnyOf, Status};

use super::{Ids, Plan, Switch};

/// Fragments of policies, as JSON, by family.
const TEXTS: [&str; 12] = [
    r#"{"receipt":{"text":"capital_text"}}"#,
    r#"{"receipt":{"text":"text_none"}}"#,
    r#"{"receipt":{"text":"short"}}"#,
    r#"{"receipt":{"text":"one_word_labels"}}"#,
    r#"{"receipt":{"text":"lower_case"}}"#,
    r#"{"receipt":{"text":"blanks"}}"#,
    r#"{"receipt":{"text":"tabs"}}"#,
    r#"{"receipt":{"text":"commas"}}"#,
    r#"{"receipt":{"text":"quoted"}}"#,
    r#"{"receipt":{"text":"\\xEF\\xBB\\xBFid:{id} stat:{stat} err:{err}"}}"#,
    r#"{"receipt":{"text":"id:{id} sub:{sub} dlvrd:{dlvrd} stat:{stat} done date:{done_date} err:{err} text:{text}\\0"}}"#,
    r#"{"receipt":{"text":"stat:{stat} err:{err} id:{id} text:{text}"}}"#,
];

const DATES: [&str; 11] = [
    r#"{"receipt":{"dates":"seconds"}}"#,
    r#"{"receipt":{"dates":"long_year"}}"#,
    r#"{"receipt":{"dates":"long_year_minutes"}}"#,
    r#"{"receipt":{"dates":"absolute"}}"#,
    r#"{"receipt":{"dates":"blank"}}"#,
    r#"{"receipt":{"dates":"iso"}}"#,
    r#"{"receipt":{"dates":"unix"}}"#,
    r#"{"receipt":{"dates":"unix_millis"}}"#,
    r#"{"receipt":{"dates":"zeros"}}"#,
    r#"{"receipt":{"dates":"long_zeros"}}"#,
    r#"{"receipt":{"dates":"empty"}}"#,
];

const ERRORS: [&str; 5] = [
    r#"{"receipt":{"err":"0x21"}}"#,
    r#"{"receipt":{"err":"-1"}}"#,
    r#"{"receipt":{"err":""}}"#,
    r#"{"receipt":{"err":{"DELIVERED":"0","UNDELIVERABLE":"Absent subscriber"}}}"#,
    r#"{"receipt":{"network_error_code":{"network":3,"code":17}}}"#,
];

const CODINGS: [&str; 8] = [
    r#"{"receipt":{"data_coding":8,"encoding":"ascii"}}"#,
    r#"{"receipt":{"data_coding":"message","encoding":"ascii"}}"#,
    r#"{"receipt":{"data_coding":0,"encoding":"ucs2"}}"#,
    r#"{"receipt":{"data_coding":0,"encoding":"gsm7_packed"}}"#,
    r#"{"receipt":{"data_coding":8,"encoding":"ucs2_le"}}"#,
    r#"{"receipt":{"data_coding":3,"encoding":"ascii"}}"#,
    r#"{"receipt":{"data_coding":8}}"#,
    r#"{"receipt":{"data_coding":240,"encoding":"ascii"}}"#,
];

/// For receipts that have both text and parameters.
const PARAMETERS: [&str; 10] = [
    r#"{"receipt":{"tlv_state":200}}"#,
    r#"{"receipt":{"tlv_state":11}}"#,
    r#"{"receipt":{"tlv_state":"ACCEPTED"}}"#,
    r#"{"receipt":{"tlv_state":"UNKNOWN"}}"#,
    r#"{"receipt":{"tlv_state":"ENROUTE"}}"#,
    r#"{"receipt":{"tlv_id":"OTHER-%d"}}"#,
    r#"{"receipt":{"tlv_id":"TLV-%06d"}}"#,
    r#"{"receipt":{"without":["message_state"]}}"#,
    r#"{"receipt":{"without":["receipted_message_id"]}}"#,
    r#"{"receipt":{"esm_class":36,"tlvs":[{"tag":5121,"text":"{to}"}]}}"#,
];

const IDS: [&str; 8] = [
    r#"{"message_id":"%016d","receipt":{"message_id":"%016d"}}"#,
    r#"{"message_id":"0118Z-%05d","receipt":{"message_id":"0118Z-%05d"}}"#,
    r#"{"message_id":"{uuid_upper}","receipt":{"message_id":"{uuid}"}}"#,
    r#"{"message_id":"%-12d","receipt":{"message_id":"%d"}}"#,
    r#"{"message_id":"SM%032x","receipt":{"message_id":"SM%032x"}}"#,
    r#"{"message_id":"%d","receipt":{"message_id":"%016d"}}"#,
    r#"{"message_id":"%X","receipt":{"message_id":"%08x"}}"#,
    r#"{"message_id":"{uuid}","receipt":{"message_id":"{uuid_hex}"}}"#,
];

const PARTS: [&str; 8] = [
    r#"{"part_ids":"shared"}"#,
    r#"{"part_ids":"shared","receipt":{"parts":"one"}}"#,
    r#"{"part_ids":"first"}"#,
    r#"{"part_ids":"first","receipt":{"parts":"first"}}"#,
    r#"{"part_ids":"last","receipt":{"parts":"last"}}"#,
    r#"{"receipt":{"parts":"first"}}"#,
    r#"{"receipt":{"parts":"last"}}"#,
    r#"{"receipt":{"parts":"one"}}"#,
];

const FURTHER: [&str; 4] = [
    r#"{"receipt":{"then":["ENROUTE"]}}"#,
    r#"{"receipt":{"then":[{"state":"ACCEPTED","delay":"700ms"}]}}"#,
    r#"{"receipt":{"then":[{"state":"ENROUTE","delay":"1500ms","intermediate":true}]}}"#,
    r#"{"receipt":{"then":[{"state":"UNKNOWN","delay":"300ms"}]}}"#,
];

/// A second final receipt that contradicts the first.
const CONTRADICTIONS: [&str; 3] = [
    r#"{"receipt":{"before_response":true,"then":["UNDELIVERABLE"]}}"#,
    r#"{"receipt":{"before_response":true,"then":[{"state":"REJECTED","delay":"20ms"}]}}"#,
    r#"{"receipt":{"then":[{"state":"DELIVERED","delay":"300ms"}]}}"#,
];

const SPLITS: [&str; 4] = [
    r#"{"receipt":{"split":{"octets":60}}}"#,
    r#"{"receipt":{"split":{"octets":40,"by":"udh16"}}}"#,
    r#"{"receipt":{"split":{"octets":70,"by":"sar"}}}"#,
    r#"{"receipt":{"split":{"octets":25}}}"#,
];

const FAULTS: [&str; 5] = [
    r#"{"receipt":{"tlv_fault":"overrun"}}"#,
    r#"{"receipt":{"tlv_fault":"cut"}}"#,
    r#"{"receipt":{"tlv_fault":"duplicate"}}"#,
    r#"{"receipt":{"tlv_fault":"duplicate_all"}}"#,
    r#"{"receipt":{"tail":"00"}}"#,
];

const RESPONSES: [&str; 11] = [
    r#"{"response":{"shape":"no_nul"}}"#,
    r#"{"response":{"shape":"long_id"}}"#,
    r#"{"response":{"shape":"long_id_no_nul"}}"#,
    r#"{"response":{"shape":"stray_octet"}}"#,
    r#"{"response":{"shape":"stray_text"}}"#,
    r#"{"response":{"shape":"cut_tlv"}}"#,
    r#"{"response":{"shape":"tlv_overrun"}}"#,
    r#"{"response":{"shape":"empty"}}"#,
    r#"{"response":{"tlvs":[{"tag":5122,"text":"{to}"}]}}"#,
    r#"{"response":{"tlvs":[{"tag":1061,"hex":"00"}],"tlv_fault":"overrun"}}"#,
    r#"{"message_id":"","receipt":{"message_id":"%d"}}"#,
];

impl Plan {
    /// Draws the field's forms for an SMSC that serves transports alone.
    pub(super) fn draw_field(&mut self, streams: Seed) {
        if !self.clients.is_empty() || self.transports.is_empty() {
            return;
        }
        let drawn = |family: &str, fragments: &[&str]| -> Option<Policy> {
            let mut switch = Switch::new(streams, &format!("field {family}"), self.profile);
            // Half as often as other families: all of them at once hide each other. Few receipts have parameters and text.
            switch.chance /= if family == "parameters" { 1.0 } else { 2.0 };
            switch.one_of(fragments).map(|json| serde_json::from_str(json).expect("fragments are tested"))
        };
        let has_text = self.smsc.policy.receipt.form != Some(ReceiptForm::Tlvs);
        let has_both = has_text && self.smsc.policy.receipt.form != Some(ReceiptForm::Text);
        let mut families = vec![
            drawn("ids", &IDS),
            drawn("parts", &PARTS),
            drawn("further", &FURTHER),
            drawn("contradictions", &CONTRADICTIONS),
            drawn("responses", &RESPONSES),
        ];
        if has_text {
            let texts = [drawn("texts", &TEXTS), drawn("dates", &DATES), drawn("errors", &ERRORS)];
            families.extend(texts);
            families.push(drawn("codings", &CODINGS));
            families.push(drawn("splits", &SPLITS));
        }
        if has_both {
            families.extend([drawn("parameters", &PARAMETERS), drawn("faults", &FAULTS)]);
        }
        for fragment in families.into_iter().flatten() {
            self.smsc.policy = fragment.over(&self.smsc.policy);
        }
        let receipt = &mut self.smsc.policy.receipt;
        let is_packed = receipt.encoding == Some(Encoding::Gsm7Packed);
        if is_packed && receipt.text.as_ref().is_some_and(|text| has_byte_order_mark(&text.to_string())) {
            receipt.encoding = None;
        }
        let ids = Ids::of(&self.smsc.policy);
        for (number, transport) in self.transports.iter_mut().enumerate() {
            // What is compared without being told how is of interest where it is not as it stands.
            let chance = if ids == Ids::AsIs { 0.3 } else { 0.6 };
            let is_auto = streams.stream("field auto ids", number as u64).random_bool(chance);
            // With letters on both sides a form can be learned from a receipt whose message was forgotten: what is right then nobody
            // can say.
            let has_letters = self.smsc.policy.message_id.as_ref().is_some_and(IdForm::is_hexadecimal);
            let is_plain = ids != Ids::AsIs || !has_letters;
            transport.options.ids = if is_auto && is_plain { Ids::Auto } else { ids };
            // Where no receipt comes for some parts, the time for them is over before all parts are accepted in some.
            if self.smsc.policy.receipt.parts.is_some() {
                let mut rng = streams.stream("field short aggregates", number as u64);
                let aggregate_timeout_ms = rng.random_range(50..1_000);
                if rng.random_bool(0.5) {
                    transport.options.aggregate_timeout_ms = aggregate_timeout_ms;
                }
            }
            // Parts that never become whole wait for room among the receipts that are held, and those for them.
            if self.smsc.policy.receipt.split.is_some() {
                transport.options.early_max = None;
            }
        }
        if has_text {
            let mut families = [&TEXTS[..], &DATES, &ERRORS].concat();
            families.retain(|json| !(json.contains("capital_text") || (is_packed && has_byte_order_mark(json))));
            let policy = drawn("by rule", &families);
            self.smsc.rules.splice(0..0, policy.map(by_rule));
        }
        let parameters = about_parameters(&mut Switch::new(streams, "field tlv rules", self.profile));
        self.smsc.rules.splice(0..0, parameters);
    }
}

/// Returns `true` if a text begins with a byte order mark, which is written as it stands. Packed septets after a byte order mark
/// cannot be read.
fn has_byte_order_mark(text: &str) -> bool {
    text.contains("xEF")
}

/// Every third message has receipts in another form.
fn by_rule(policy: Policy) -> Rule {
    let when = When { operation: AnyOf(vec![Operation::SubmitSm]), every: 3, ..When::default() };
    Rule { name: "receipts in another form".to_owned(), when, then: Then { policy, ..Then::default() } }
}

/// Some of the messages that have a parameter, or have it not, are refused.
fn about_parameters<R: Rng>(switch: &mut Switch<R>) -> Option<Rule> {
    let about = [
        (TlvTag::SAR_TOTAL_SEGMENTS, TlvIs::Present),
        (TlvTag::SAR_SEGMENT_SEQNUM, TlvIs::Octets(vec![2])),
        (TlvTag::MESSAGE_PAYLOAD, TlvIs::Present),
        (TlvTag::MESSAGE_PAYLOAD, TlvIs::Absent),
    ];
    let first = Some(switch.rng.random_range(1..4));
    let (tag, is) = switch.one_of(&about)?;
    let tlv = [(TlvName(tag.0), is)].into_iter().collect();
    let when = When { operation: AnyOf(vec![Operation::SubmitSm]), tlv, first, ..When::default() };
    let then = Then { status: Some(Status(CommandStatus::ESME_RSYSERR)), ..Then::default() };
    Some(Rule { name: "some parameters are refused".to_owned(), when, then })
}

#[cfg(test)]
mod tests {
    //! Guards that every fragment is a policy.

    use super::*;

    #[test]
    fn every_fragment_is_a_policy_that_says_something() {
        let families: [&[&str]; 12] = [
            &TEXTS,
            &DATES,
            &ERRORS,
            &CODINGS,
            &PARAMETERS,
            &IDS,
            &PARTS,
            &FURTHER,
            &CONTRADICTIONS,
            &SPLITS,
            &FAULTS,
            &RESPONSES,
        ];
        for json in families.into_iter().flatten() {
            let policy: Policy = serde_json::from_str(json).unwrap_or_else(|error| panic!("{json}: {error}"));
            assert!(!policy.is_default(), "{json}");
        }
    }
}
