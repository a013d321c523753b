//! Receipts (§2.11, appendix B): made when they are due, from the message as it then is, and independent of it from then on.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use smpp_transport::env::Seed;
use smpp_transport::pdu::udh::{Concatenation, Element, Udh, Width};
use smpp_transport::pdu::{
    Body, COctets, DataCoding, DataSm, EsmClass, MessageState, RegisteredDelivery, ShortMessage, Sm, TlvTag, Tlvs,
};

use super::defect::Defect;
use super::id;
use super::record::{Address, Record, json_text};
use crate::policy::{
    Carrier, Encoding, IdForm, NetworkErrorCode, ReceiptCoding, ReceiptForm, ReceiptPolicy, ReceiptTlv, SplitBy,
    Template, Values,
};
use crate::words::State;

/// A receipt that is due, or an intermediate notification, with everything that it says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Receipt {
    /// Number of the message.
    pub(crate) number: u64,
    /// Index among the receipts of the message, from 0.
    pub(crate) index: usize,
    /// Id in the text, which may differ from that of the response.
    pub(crate) message_id: Box<str>,
    /// Number that ids are made from, and the seed of those that look random.
    id_number: u64,
    seed: u64,
    /// `true` for an intermediate notification.
    pub(crate) intermediate: bool,
    /// State that is reported.
    pub(crate) state: MessageState,
    /// Error of the network; 0 is none.
    pub(crate) error: u8,
    source: Address,
    destination: Address,
    submitted: Duration,
    done: Duration,
    text: Box<str>,
    /// data_coding of the message.
    coding: u8,
    user_message_reference: Option<u16>,
    /// Parameters of the message that the policy copies.
    copied: Vec<(u16, Vec<u8>)>,
    /// Part of the receipt, and how many there are.
    part: Option<(u8, u8)>,
    /// Index of the first part of the same receipt.
    #[serde(default)]
    first_part: usize,
    #[serde(with = "json_text")]
    policy: Arc<ReceiptPolicy>,
}

/// network_error_code's octet for GSM (§5.3.2.31).
const NETWORK_GSM: u8 = 3;
/// Characters of the message that a receipt repeats (appendix B).
const TEXT_CHARACTERS_MAX: usize = 20;
/// Characters of an id that receipted_message_id holds (§5.3.2.12), unless a policy wants more.
const ID_CHARACTERS_MAX: usize = 64;

impl Receipt {
    /// Returns the address that the receipt is for: the message's source.
    pub(crate) fn destination(&self) -> String {
        self.source.text()
    }

    pub(crate) fn policy(&self) -> &ReceiptPolicy {
        &self.policy
    }

    /// Returns the receipt of a message with this index.
    pub(super) fn of(record: &Record, index: usize, seed: Seed) -> Receipt {
        let fate = &record.receipts[index];
        let policy = fate.policy.as_ref().unwrap_or(&record.life.receipt);
        let form = policy.message_id.as_ref().or_else(|| record.has_empty_id().then_some(&record.life.id_form));
        let lie = policy.state.filter(|_| !fate.intermediate);
        let body = &record.body;
        let wanted = policy.tlvs.iter().flatten().filter_map(|tlv| tlv.copy);
        let copied = wanted.filter_map(|tag| Some((tag, body.tlvs.get(TlvTag(tag))?.to_vec())));
        Receipt {
            number: record.number,
            index,
            message_id: form.map_or_else(|| record.id.clone(), |form| id::write(form, record.first, seed)),
            id_number: record.first,
            seed: seed.0,
            intermediate: fate.intermediate,
            state: lie.map_or(fate.state, |state| state.0),
            error: if fate.intermediate { 0 } else { fate.error.unwrap_or(record.error) },
            source: body.source.clone(),
            destination: body.destination.clone(),
            submitted: record.submitted,
            done: fate.reached,
            text: body.text().unwrap_or_default().chars().take(TEXT_CHARACTERS_MAX).collect(),
            coding: body.data_coding.0,
            user_message_reference: body.tlvs.get_u16(TlvTag::USER_MESSAGE_REFERENCE),
            copied: copied.collect(),
            part: fate.part,
            first_part: fate.first_part,
            policy: Arc::clone(policy),
        }
    }

    /// Returns `true` if this is a part of a receipt, whatever the others are.
    pub(super) const fn is_part(&self) -> bool {
        self.part.is_some()
    }

    /// Returns the number of parts that the receipt is sent in.
    pub(super) fn parts(&self) -> u8 {
        let split = self.policy.split.filter(|_| self.policy.form != Some(ReceiptForm::Tlvs));
        let parts = split.map(|split| self.text_octets(true).1.chunks(usize::from(split.octets).max(1)).len());
        parts.and_then(|parts| u8::try_from(parts).ok()).unwrap_or(1).max(1)
    }

    /// Returns the deliver_sm or data_sm that carries the receipt, from the message's destination to its source. A peer
    /// that does not know parameters (§3.4) gets a deliver_sm with text, as nothing else means anything to it.
    pub(crate) fn pdu(&self, knows_tlvs: bool) -> (Body, Tlvs) {
        let form = self.form(knows_tlvs);
        let mut tlvs = if form == ReceiptForm::Text { Tlvs::new() } else { self.usual_tlvs() };
        let (data_coding, octets) = match form {
            ReceiptForm::Tlvs => (self.data_coding(DataCoding::DEFAULT), Vec::new()),
            ReceiptForm::Both | ReceiptForm::Text => self.text_octets(knows_tlvs),
        };
        let mut carrier = if knows_tlvs { self.policy.carrier.unwrap_or_default() } else { Carrier::DeliverSm };
        if knows_tlvs && self.addresses_max() > COctets::<21>::MAX {
            carrier = Carrier::DataSm;
        }
        let (udh, octets) = self.part_of(octets, knows_tlvs, &mut tlvs);
        let esm_class = self.esm_class(!udh.is_empty());
        let octets = [udh, octets].concat();
        let in_payload = carrier != Carrier::DeliverSm || octets.len() > ShortMessage::MAX;
        if in_payload && form != ReceiptForm::Tlvs {
            tlvs.push(TlvTag::MESSAGE_PAYLOAD, &octets);
        }
        if knows_tlvs {
            self.push_further(&mut tlvs);
        }
        let body = match carrier {
            Carrier::DataSm => Body::DataSm(self.data_sm(esm_class, data_coding)),
            Carrier::DeliverSm | Carrier::Payload => {
                let short_message = if in_payload { Vec::new() } else { octets };
                Body::DeliverSm(self.deliver_sm(esm_class, data_coding, short_message))
            }
        };
        (body, tlvs)
    }

    /// Returns the defect of the PDU, if the policy wants one. A peer that does not know parameters sees none.
    pub(crate) fn defect(&self, knows_tlvs: bool) -> Option<Defect> {
        if knows_tlvs { Defect::of(self.policy.tlv_fault, self.policy.tail.as_ref()) } else { None }
    }

    /// Returns the text for people; empty for a receipt of parameters alone.
    pub(super) fn shown_text(&self) -> String {
        match self.form(true) {
            ReceiptForm::Tlvs => String::new(),
            ReceiptForm::Both | ReceiptForm::Text => self.with_values(|values| self.template().show(values)),
        }
    }

    fn form(&self, knows_tlvs: bool) -> ReceiptForm {
        if knows_tlvs { self.policy.form.unwrap_or_default() } else { ReceiptForm::Text }
    }

    fn deliver_sm(&self, esm_class: EsmClass, data_coding: DataCoding, short_message: Vec<u8>) -> Sm {
        Sm {
            source_addr_ton: self.destination.ton,
            source_addr_npi: self.destination.npi,
            source_addr: digits(&self.destination),
            dest_addr_ton: self.source.ton,
            dest_addr_npi: self.source.npi,
            destination_addr: digits(&self.source),
            esm_class,
            registered_delivery: self.registered_delivery(),
            data_coding,
            short_message: ShortMessage::new(short_message).expect("longer ones are in message_payload"),
            ..Sm::default()
        }
    }

    fn data_sm(&self, esm_class: EsmClass, data_coding: DataCoding) -> DataSm {
        DataSm {
            source_addr_ton: self.destination.ton,
            source_addr_npi: self.destination.npi,
            source_addr: digits(&self.destination),
            dest_addr_ton: self.source.ton,
            dest_addr_npi: self.source.npi,
            destination_addr: digits(&self.source),
            esm_class,
            registered_delivery: self.registered_delivery(),
            data_coding,
            ..DataSm::default()
        }
    }

    fn registered_delivery(&self) -> RegisteredDelivery {
        RegisteredDelivery(self.policy.registered_delivery.unwrap_or_default())
    }

    fn esm_class(&self, has_header: bool) -> EsmClass {
        let usual = if self.intermediate { EsmClass::INTERMEDIATE } else { EsmClass::RECEIPT };
        let said = self.policy.esm_class.unwrap_or(usual.0);
        EsmClass(if has_header { said | EsmClass::UDHI.0 } else { said })
    }

    fn addresses_max(&self) -> usize {
        self.source.digits.len().max(self.destination.digits.len())
    }

    fn data_coding(&self, default: DataCoding) -> DataCoding {
        match self.policy.data_coding {
            Some(ReceiptCoding::Number(number)) => DataCoding(number),
            Some(ReceiptCoding::Message) => DataCoding(self.coding),
            None => default,
        }
    }

    fn template(&self) -> &Template {
        self.policy.text.as_ref().unwrap_or_else(|| Template::appendix_b())
    }

    fn with_values<T>(&self, act: impl FnOnce(&Values<'_>) -> T) -> T {
        let policy = &self.policy;
        let stat = policy.stat.as_ref().and_then(|stat| stat.of(self.state));
        let usual_err = format!("{:03}", self.error);
        let err = policy.err.as_ref().and_then(|err| err.of(self.state));
        act(&Values {
            id: &self.message_id,
            id_as: &|form| self.id_as(form).into(),
            dlvrd: self.state == MessageState::DELIVERED,
            submitted: self.submitted,
            done: self.done,
            dates: policy.dates.unwrap_or_default(),
            stat: stat.unwrap_or_else(|| State(self.state).stat()),
            err: err.unwrap_or(&usual_err),
            text: &self.text,
            to: &self.destination.text(),
            from: &self.source.text(),
            state: self.state.0,
            number: self.number,
            reference: self.user_message_reference,
        })
    }

    fn id_as(&self, form: &IdForm) -> Box<str> {
        id::write(form, self.id_number, Seed(self.seed))
    }

    /// Parameters that receipts have of themselves, but for those that the policy leaves out.
    fn usual_tlvs(&self) -> Tlvs {
        let policy = &self.policy;
        let has = |tlv| !policy.without.iter().flatten().any(|without| *without == tlv);
        let id = match &policy.tlv_id {
            Some(form) => Some(self.id_as(form)),
            None => Some(self.message_id.clone()).filter(|id| id.chars().count() <= ID_CHARACTERS_MAX),
        };
        let gsm = (self.error != 0).then_some(NetworkErrorCode { network: NETWORK_GSM, code: self.error.into() });
        let error = policy.network_error_code.or(gsm);
        let mut tlvs = Tlvs::new();
        if let Some(id) = id.filter(|_| has(ReceiptTlv::ReceiptedMessageId)) {
            tlvs.push(TlvTag::RECEIPTED_MESSAGE_ID, &id_octets(&id));
        }
        if has(ReceiptTlv::MessageState) {
            tlvs.push(TlvTag::MESSAGE_STATE, &[policy.tlv_state.map_or(self.state.0, |state| state.0)]);
        }
        if let Some(error) = error.filter(|_| has(ReceiptTlv::NetworkErrorCode)) {
            let [high, low] = error.code.to_be_bytes();
            tlvs.push(TlvTag::NETWORK_ERROR_CODE, &[error.network, high, low]);
        }
        if let Some(reference) = self.user_message_reference.filter(|_| has(ReceiptTlv::UserMessageReference)) {
            tlvs.push(TlvTag::USER_MESSAGE_REFERENCE, &reference.to_be_bytes());
        }
        tlvs
    }

    /// Adds the parameters that the policy adds.
    fn push_further(&self, tlvs: &mut Tlvs) {
        for tlv in self.policy.tlvs.iter().flatten() {
            let copied = tlv.copy.and_then(|tag| self.copied.iter().find(|(copied, _)| *copied == tag));
            let value = match (&tlv.hex, &tlv.text, &tlv.id) {
                (Some(hex), _, _) => Some(hex.0.clone()),
                (_, Some(text), _) => Some(self.with_values(|values| text.write(values, Encoding::Latin1))),
                (_, _, Some(form)) => Some(id_octets(&self.id_as(form))),
                _ => copied.map(|(_, value)| value.clone()),
            };
            // Longer ones than a parameter holds are refused with the policy.
            if let Some(value) = value {
                let _ = tlvs.try_push(tlv.tag(), &value);
            }
        }
    }

    /// Header and octets of this part; of a receipt that is whole, all octets.
    fn part_of(&self, octets: Vec<u8>, knows_tlvs: bool, tlvs: &mut Tlvs) -> (Vec<u8>, Vec<u8>) {
        let (Some((number, total)), Some(split)) = (self.part, self.policy.split) else { return (Vec::new(), octets) };
        let place = usize::from(number.saturating_sub(1));
        let piece = octets.chunks(usize::from(split.octets).max(1)).nth(place).unwrap_or_default().to_vec();
        // The parts of one receipt have the same reference, those of the next another.
        let fresh = (self.number as u16).wrapping_mul(31).wrapping_add(self.first_part as u16);
        let reference = split.reference.unwrap_or(fresh);
        let width = match split.by {
            SplitBy::Sar if knows_tlvs => {
                tlvs.push(TlvTag::SAR_MSG_REF_NUM, &reference.to_be_bytes());
                tlvs.push(TlvTag::SAR_TOTAL_SEGMENTS, &[total]);
                tlvs.push(TlvTag::SAR_SEGMENT_SEQNUM, &[number]);
                return (Vec::new(), piece);
            }
            SplitBy::Udh8 | SplitBy::Sar => Width::Bits8,
            SplitBy::Udh16 => Width::Bits16,
        };
        let reference = if width == Width::Bits8 { reference & 0xFF } else { reference };
        let udh: Udh = [Element::from(Concatenation { width, reference, total, number })].into_iter().collect();
        (udh.write().expect("one element of four octets at most"), piece)
    }

    /// data_coding and octets of the text. A text that is too long for short_message (UCS-2 has two octets a character)
    /// goes into message_payload; for a peer that does not know that, it is written in one octet a character.
    fn text_octets(&self, knows_tlvs: bool) -> (DataCoding, Vec<u8>) {
        let by_number = match self.policy.data_coding {
            Some(ReceiptCoding::Number(number)) => Encoding::of(DataCoding(number)),
            Some(ReceiptCoding::Message) | None => Encoding::Ascii,
        };
        let encoding = self.policy.encoding.unwrap_or(by_number);
        let octets = self.with_values(|values| self.template().write(values, encoding));
        if !knows_tlvs && self.part.is_none() && octets.len() > ShortMessage::MAX {
            let mut octets = self.with_values(|values| self.template().write(values, Encoding::Ascii));
            octets.truncate(ShortMessage::MAX);
            return (DataCoding::DEFAULT, octets);
        }
        (self.data_coding(DataCoding::DEFAULT), octets)
    }
}

/// Octets of an id with its NUL. Characters that are not in Latin-1 become question marks.
fn id_octets(id: &str) -> Vec<u8> {
    id.chars().map(|character| u8::try_from(character).unwrap_or(b'?')).chain([0]).collect()
}

/// As much of an address as the field takes: one that came in data_sm may be longer than a deliver_sm can say.
fn digits<const N: usize>(address: &Address) -> COctets<N> {
    let length = address.digits.len().min(COctets::<N>::MAX);
    COctets::new(Bytes::copy_from_slice(&address.digits[..length])).expect("no field that was read has a NUL")
}

#[cfg(test)]
mod tests;
