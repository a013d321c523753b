//! What of a request rules may ask about.

use smpp_transport::pdu::{Body, COctets, DataCoding, Destination, EsmClass, Npi, Pdu, TlvTag, Ton};
use smpp_transport::text::{Charset, Content, DefaultAlphabet};

use crate::mo::Address;
use crate::rules::Fields;

/// Addresses and fields of a request.
#[derive(Default)]
pub(super) struct Looked {
    pub(super) from: Address,
    pub(super) to: Vec<Address>,
    /// Without optional parameters.
    pub(super) fields: Fields<'static>,
}

impl Looked {
    pub(super) fn at(pdu: &Pdu) -> Looked {
        let (from, to) = match &pdu.body {
            Body::SubmitSm(sm) => (
                address(sm.source_addr_ton, sm.source_addr_npi, &sm.source_addr),
                vec![address(sm.dest_addr_ton, sm.dest_addr_npi, &sm.destination_addr)],
            ),
            Body::DataSm(sm) => (
                address(sm.source_addr_ton, sm.source_addr_npi, &sm.source_addr),
                vec![address(sm.dest_addr_ton, sm.dest_addr_npi, &sm.destination_addr)],
            ),
            Body::SubmitMulti(sm) => (
                address(sm.source_addr_ton, sm.source_addr_npi, &sm.source_addr),
                sm.dest_address.iter().map(destination).collect(),
            ),
            Body::CancelSm(sm) => (
                address(sm.source_addr_ton, sm.source_addr_npi, &sm.source_addr),
                vec![address(sm.dest_addr_ton, sm.dest_addr_npi, &sm.destination_addr)],
            ),
            Body::QuerySm(sm) => (address(sm.source_addr_ton, sm.source_addr_npi, &sm.source_addr), Vec::new()),
            Body::ReplaceSm(sm) => (address(sm.source_addr_ton, sm.source_addr_npi, &sm.source_addr), Vec::new()),
            _ => (Address::default(), Vec::new()),
        };
        Looked { from, to, fields: fields(pdu) }
    }
}

fn address<const N: usize>(ton: Ton, npi: Npi, address: &COctets<N>) -> Address {
    Address { address: address.text(), ton: ton.0, npi: npi.0 }
}

fn destination(destination: &Destination) -> Address {
    match destination {
        Destination::Address { ton, npi, address } => self::address(*ton, *npi, address),
        Destination::List(name) => Address { address: name.text(), ton: 0, npi: 0 },
    }
}

fn fields(pdu: &Pdu) -> Fields<'static> {
    let (esm_class, data_coding, registered_delivery, octets) = match &pdu.body {
        Body::SubmitSm(sm) => {
            (sm.esm_class.0, sm.data_coding.0, sm.registered_delivery.0, sm.short_message.as_bytes().len())
        }
        Body::SubmitMulti(sm) => {
            (sm.esm_class.0, sm.data_coding.0, sm.registered_delivery.0, sm.short_message.as_bytes().len())
        }
        Body::DataSm(sm) => (sm.esm_class.0, sm.data_coding.0, sm.registered_delivery.0, 0),
        Body::ReplaceSm(sm) => (0, 0, sm.registered_delivery.0, sm.short_message.as_bytes().len()),
        _ => return Fields::default(),
    };
    let length = match octets {
        0 => pdu.tlvs.get(TlvTag::MESSAGE_PAYLOAD).map_or(0, |payload| payload.len()),
        octets => octets,
    };
    Fields { esm_class, data_coding, registered_delivery, length, tlvs: None }
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
