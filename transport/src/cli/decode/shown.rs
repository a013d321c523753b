//! A PDU as JSON, with what its octets say to people: the text of a message, and what a receipt reports.

use bytes::Bytes;
use serde_json::{Map, Value, json};
use smpp_transport::pdu::{Body, DataCoding, EsmClass, Pdu, TlvTag};
use smpp_transport::text::{Charset, Content, DefaultAlphabet, Receipt, receipt_text};

/// The keys of [`Pdu::to_json`], and for a message `text`, `part` and `receipt`, where it has them.
pub(super) fn json(pdu: &Pdu) -> Value {
    let mut shown = pdu.to_json();
    if let (Value::Object(shown), Some(message)) = (&mut shown, Message::of(pdu)) {
        message.show(pdu, shown);
    }
    shown
}

/// A message within a PDU.
struct Message {
    esm_class: EsmClass,
    content: Content,
}

impl Message {
    fn of(pdu: &Pdu) -> Option<Message> {
        let (esm_class, data_coding, short_message) = match &pdu.body {
            Body::SubmitSm(sm) | Body::DeliverSm(sm) => (sm.esm_class, sm.data_coding, sm.short_message.to_bytes()),
            Body::SubmitMulti(sm) => (sm.esm_class, sm.data_coding, sm.short_message.to_bytes()),
            Body::DataSm(sm) => (sm.esm_class, sm.data_coding, Bytes::new()),
            Body::ReplaceSm(sm) => (EsmClass::DEFAULT, DataCoding::DEFAULT, sm.short_message.to_bytes()),
            _ => return None,
        };
        let payload = pdu.tlvs.get(TlvTag::MESSAGE_PAYLOAD).filter(|_| short_message.is_empty());
        let octets = payload.unwrap_or(short_message);
        let charset = Charset::of(data_coding, DefaultAlphabet::Gsm7);
        Some(Message { esm_class, content: Content::read(esm_class, &pdu.tlvs, charset, &octets) })
    }

    fn show(&self, pdu: &Pdu, shown: &mut Map<String, Value>) {
        let content = &self.content;
        let receipt = self.receipt(pdu);
        if let Some(part) = &content.part {
            let part = json!({ "reference": part.reference, "number": part.number, "total": part.total });
            shown.insert("part".to_owned(), part);
        }
        if !content.octets.is_empty() && !content.charset.is_binary() {
            let text = match &receipt {
                Some(_) => receipt_text(content.charset, &content.octets),
                None => content.decode().text,
            };
            shown.insert("text".to_owned(), json!(text));
        }
        if let Some(receipt) = receipt {
            shown.insert("receipt".to_owned(), of_receipt(&receipt));
        }
    }

    /// What the message reports, if it is marked as a receipt or a notification, or has the parameters of one.
    fn receipt(&self, pdu: &Pdu) -> Option<Receipt> {
        let is_delivery = matches!(pdu.body, Body::DeliverSm(_) | Body::DataSm(_));
        // Bits 5 to 2 are the type: 1 is a receipt, 8 an intermediate notification (§5.2.12).
        let is_marked = matches!(self.esm_class.0 & 0x3C, 0x04 | 0x20);
        match (is_delivery, is_marked) {
            (false, _) => None,
            (true, true) => {
                let text = receipt_text(self.content.charset, &self.content.octets);
                Receipt::read(Some(&text), &pdu.tlvs)
            }
            (true, false) => Receipt::from_tlvs(&pdu.tlvs),
        }
    }
}

fn of_receipt(receipt: &Receipt) -> Value {
    let network = receipt.network_error.map(|error| json!({ "network": error.network, "code": error.code }));
    let state = receipt.state.map(|state| json!(state.name().map_or_else(|| state.0.to_string(), str::to_owned)));
    let fields = [
        ("id", receipt.id.as_ref().map(|id| json!(id))),
        ("id_in_text", receipt.id_in_text.as_ref().map(|id| json!(id))),
        ("sub", receipt.submitted.map(|count| json!(count))),
        ("dlvrd", receipt.delivered.map(|count| json!(count))),
        ("submit_date", receipt.submit_date.map(|date| json!(date.to_string()))),
        ("done_date", receipt.done_date.map(|date| json!(date.to_string()))),
        ("state", state),
        ("stat", receipt.stat.as_ref().map(|stat| json!(stat))),
        ("err", receipt.error.as_ref().map(|error| json!(error))),
        ("text", receipt.text.as_ref().map(|text| json!(text))),
        ("network_error_code", network),
        ("user_message_reference", receipt.user_message_reference.map(|reference| json!(reference))),
    ];
    fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect::<Map<_, _>>().into()
}
