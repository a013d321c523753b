//! What an ESME is told of a message (§2.11, appendix B): made when it is due, from the message as it then is, and needing it
//! no more.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use smpp_transport::env::Seed;
use smpp_transport::pdu::time::Civil;
use smpp_transport::pdu::{Body, COctets, DataCoding, DataSm, EsmClass, MessageState, ShortMessage, Sm, TlvTag, Tlvs};
use smpp_transport::text::{self, DateForm, NetworkError};

use super::id;
use super::record::{Address, Record, json_text};
use crate::policy::{Carrier, Dates, ReceiptForm, ReceiptPolicy};

/// A receipt that is due, or an intermediate notification, with all that it says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Receipt {
    /// The number of its message.
    pub(crate) number: u64,
    /// Which receipt of its message it is, from 0.
    pub(crate) index: usize,
    /// The id as it is written here, which may be another than the response gave.
    pub(crate) message_id: Box<str>,
    /// Whether it is an intermediate notification.
    pub(crate) intermediate: bool,
    /// The state that it reports.
    pub(crate) state: MessageState,
    /// The network's error; 0 is none.
    pub(crate) error: u8,
    source: Address,
    destination: Address,
    submitted: Duration,
    done: Duration,
    text: Box<str>,
    user_message_reference: Option<u16>,
    #[serde(with = "json_text")]
    policy: Arc<ReceiptPolicy>,
}

/// network_error_code's octet for GSM (§5.3.2.31).
const NETWORK_GSM: u8 = 3;
/// Characters of the message that a receipt repeats (appendix B).
const TEXT_CHARACTERS_MAX: usize = 20;

impl Receipt {
    /// Whom it is for: the one that the message is from.
    pub(crate) fn destination(&self) -> String {
        self.source.text()
    }

    /// The receipt of a message with this index.
    pub(super) fn of(record: &Record, index: usize, seed: Seed) -> Receipt {
        let (fate, policy) = (&record.receipts[index], &record.life.receipt);
        let message_id = match policy.message_id {
            Some(form) => id::write(form, record.first, seed),
            None => record.id.clone(),
        };
        let lie = policy.state.filter(|_| !fate.intermediate);
        let body = &record.body;
        Receipt {
            number: record.number,
            index,
            message_id,
            intermediate: fate.intermediate,
            state: lie.map_or(fate.state, |state| state.0),
            error: if fate.intermediate { 0 } else { record.error },
            source: body.source.clone(),
            destination: body.destination.clone(),
            submitted: record.submitted,
            done: fate.reached,
            text: body.text().unwrap_or_default().chars().take(TEXT_CHARACTERS_MAX).collect(),
            user_message_reference: body.tlvs.get_u16(TlvTag::USER_MESSAGE_REFERENCE),
            policy: Arc::clone(policy),
        }
    }

    /// The deliver_sm or data_sm that carries it, from the message's destination to its source. A peer that does not know
    /// parameters (§3.4) gets a deliver_sm with text, as nothing else says anything to it.
    pub(crate) fn pdu(&self, knows_tlvs: bool) -> (Body, Tlvs) {
        let form = if knows_tlvs { self.policy.form.unwrap_or_default() } else { ReceiptForm::Text };
        let words = self.words();
        let mut tlvs = if form == ReceiptForm::Text { Tlvs::new() } else { words.to_tlvs() };
        let (data_coding, octets) = match form {
            ReceiptForm::Tlvs => (DataCoding::DEFAULT, Vec::new()),
            ReceiptForm::Both | ReceiptForm::Text => self.text_of(&words, knows_tlvs),
        };
        let mut carrier = if knows_tlvs { self.policy.carrier.unwrap_or_default() } else { Carrier::DeliverSm };
        if knows_tlvs && self.addresses_max() > COctets::<21>::MAX {
            carrier = Carrier::DataSm;
        }
        let in_payload = carrier != Carrier::DeliverSm || octets.len() > ShortMessage::MAX;
        if in_payload && form != ReceiptForm::Tlvs {
            tlvs.push(TlvTag::MESSAGE_PAYLOAD, &octets);
        }
        let body = match carrier {
            Carrier::DataSm => Body::DataSm(self.data_sm(data_coding)),
            Carrier::DeliverSm | Carrier::Payload => {
                let short_message = if in_payload { Vec::new() } else { octets };
                Body::DeliverSm(self.deliver_sm(data_coding, short_message))
            }
        };
        (body, tlvs)
    }

    fn deliver_sm(&self, data_coding: DataCoding, short_message: Vec<u8>) -> Sm {
        Sm {
            source_addr_ton: self.destination.ton,
            source_addr_npi: self.destination.npi,
            source_addr: digits(&self.destination),
            dest_addr_ton: self.source.ton,
            dest_addr_npi: self.source.npi,
            destination_addr: digits(&self.source),
            esm_class: self.esm_class(),
            data_coding,
            short_message: ShortMessage::new(short_message).expect("longer ones are in message_payload"),
            ..Sm::default()
        }
    }

    fn data_sm(&self, data_coding: DataCoding) -> DataSm {
        DataSm {
            source_addr_ton: self.destination.ton,
            source_addr_npi: self.destination.npi,
            source_addr: digits(&self.destination),
            dest_addr_ton: self.source.ton,
            dest_addr_npi: self.source.npi,
            destination_addr: digits(&self.source),
            esm_class: self.esm_class(),
            data_coding,
            ..DataSm::default()
        }
    }

    const fn esm_class(&self) -> EsmClass {
        if self.intermediate { EsmClass::INTERMEDIATE } else { EsmClass::RECEIPT }
    }

    fn addresses_max(&self) -> usize {
        self.source.digits.len().max(self.destination.digits.len())
    }

    fn words(&self) -> text::Receipt {
        let network_error = NetworkError { network: NETWORK_GSM, code: self.error.into() };
        text::Receipt {
            id: Some(self.message_id.to_string()),
            submitted: Some(1),
            delivered: Some(u32::from(self.state == MessageState::DELIVERED)),
            submit_date: Some(date(self.submitted)),
            done_date: Some(date(self.done)),
            state: Some(self.state),
            error: Some(format!("{:03}", self.error)),
            text: Some(self.text.to_string()),
            network_error: (self.error != 0).then_some(network_error),
            user_message_reference: self.user_message_reference,
            ..text::Receipt::default()
        }
    }

    /// The text, and how it is written. What is too long for short_message (UCS2 has two octets a character) goes into
    /// message_payload; for a peer that does not know that, it is written in one octet a character.
    fn text_of(&self, words: &text::Receipt, knows_tlvs: bool) -> (DataCoding, Vec<u8>) {
        let dates = match self.policy.dates.unwrap_or_default() {
            Dates::Minutes => DateForm::Minutes,
            Dates::Seconds => DateForm::Seconds,
            Dates::LongYear => DateForm::LongYear,
        };
        let text = words.to_text(dates);
        let coding = DataCoding(self.policy.data_coding.unwrap_or_default());
        let octets = written(&text, coding);
        if !knows_tlvs && octets.len() > ShortMessage::MAX {
            return (DataCoding::DEFAULT, written(&text, DataCoding::DEFAULT));
        }
        (coding, octets)
    }
}

/// In Latin-1 and UCS2 as such. All else is ASCII: that is how receipts are read, whatever the default alphabet is.
fn written(text: &str, coding: DataCoding) -> Vec<u8> {
    let one = |character: char, max: u8| u8::try_from(character).ok().filter(|&octet| octet <= max).unwrap_or(b'?');
    match coding {
        DataCoding::UCS2 => text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        _ if text.is_ascii() => text.as_bytes().to_vec(),
        DataCoding::LATIN1 => text.chars().map(|character| one(character, 0xFF)).collect(),
        _ => text.chars().map(|character| one(character, 0x7F)).collect(),
    }
}

/// As much of an address as the field takes: one that came in data_sm may be longer than a deliver_sm can say.
fn digits<const N: usize>(address: &Address) -> COctets<N> {
    let length = address.digits.len().min(COctets::<N>::MAX);
    COctets::new(Bytes::copy_from_slice(&address.digits[..length])).expect("no field that was read has a NUL")
}

fn date(unix: Duration) -> Civil {
    Civil::from_unix(i64::try_from(unix.as_secs()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests;
