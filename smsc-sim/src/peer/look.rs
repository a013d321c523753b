//! What of a request rules may ask about.

use smpp_transport::pdu::{Body, DataCoding, Destination, EsmClass, Pdu, TlvTag};
use smpp_transport::text::{Charset, Content, DefaultAlphabet};

/// The addresses of a request.
#[derive(Default)]
pub(super) struct Addresses {
    pub(super) from: String,
    pub(super) to: Vec<String>,
}

impl Addresses {
    pub(super) fn of(pdu: &Pdu) -> Addresses {
        let (from, to) = match &pdu.body {
            Body::SubmitSm(sm) => (sm.source_addr.text(), vec![sm.destination_addr.text()]),
            Body::DataSm(data) => (data.source_addr.text(), vec![data.destination_addr.text()]),
            Body::SubmitMulti(multi) => {
                let to = multi.dest_address.iter().map(|destination| match destination {
                    Destination::Address { address, .. } => address.text(),
                    Destination::List(name) => name.text(),
                });
                (multi.source_addr.text(), to.collect())
            }
            Body::QuerySm(query) => (query.source_addr.text(), Vec::new()),
            Body::CancelSm(cancel) => (cancel.source_addr.text(), vec![cancel.destination_addr.text()]),
            Body::ReplaceSm(replace) => (replace.source_addr.text(), Vec::new()),
            _ => (String::new(), Vec::new()),
        };
        Addresses { from, to }
    }
}

/// What a message says; nothing of other requests.
pub(super) fn content(pdu: &Pdu) -> Option<Content> {
    let (esm_class, data_coding, short_message) = match &pdu.body {
        Body::SubmitSm(sm) => (sm.esm_class, sm.data_coding, sm.short_message.to_bytes()),
        Body::SubmitMulti(multi) => (multi.esm_class, multi.data_coding, multi.short_message.to_bytes()),
        Body::ReplaceSm(replace) => (EsmClass::DEFAULT, DataCoding::DEFAULT, replace.short_message.to_bytes()),
        Body::DataSm(data) => (data.esm_class, data.data_coding, bytes::Bytes::new()),
        _ => return None,
    };
    let octets = match pdu.tlvs.get(TlvTag::MESSAGE_PAYLOAD) {
        Some(payload) if short_message.is_empty() => payload,
        _ => short_message,
    };
    Some(Content::read(esm_class, &pdu.tlvs, Charset::of(data_coding, DefaultAlphabet::Gsm7), &octets))
}
