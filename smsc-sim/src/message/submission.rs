//! A message as it is handed in: taken from its PDU into memory of its own.

use std::sync::Arc;

use smpp_transport::pdu::{COctets, CommandId, DataSm, Destination, Npi, Sm, SubmitMulti, TlvTag, Tlvs, Ton};

use super::record::{Address, MessageBody};
use super::validate::{Checked, Times};

/// Who hands in a message.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Sender {
    /// system_id of the account.
    pub(crate) account: Arc<str>,
    /// The session's number.
    pub(crate) session: u64,
    /// Whether the ESME speaks a version before 3.4: its ids have at most 8 characters (§3.3).
    pub(crate) short_ids: bool,
}

/// A message that is handed in.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Submission {
    pub(crate) sender: Sender,
    pub(crate) body: MessageBody,
    /// Destinations of a submit_multi after the first.
    pub(crate) further: Vec<Address>,
    pub(crate) times: Times,
}

impl Submission {
    /// A submit_sm.
    pub(crate) fn submit_sm(sender: Sender, sm: &Sm, tlvs: &Tlvs, times: Times) -> Submission {
        let (octets, in_payload, tlvs) = user_data(sm.short_message.as_bytes(), tlvs);
        let body = MessageBody {
            operation: CommandId::SUBMIT_SM,
            source: address(sm.source_addr_ton, sm.source_addr_npi, &sm.source_addr),
            destination: address(sm.dest_addr_ton, sm.dest_addr_npi, &sm.destination_addr),
            service_type: sm.service_type.as_bytes().into(),
            esm_class: sm.esm_class,
            protocol_id: sm.protocol_id,
            priority: sm.priority_flag,
            registered_delivery: sm.registered_delivery,
            replace_if_present: sm.replace_if_present_flag,
            data_coding: sm.data_coding,
            sm_default_msg_id: sm.sm_default_msg_id,
            octets,
            in_payload,
            tlvs,
        };
        Submission { sender, body, further: Vec::new(), times }
    }

    /// A submit_multi, to those of its destinations that were found good. None if there are none.
    pub(crate) fn submit_multi(sender: Sender, sm: &SubmitMulti, tlvs: &Tlvs, checked: Checked) -> Option<Submission> {
        let mut destinations = checked.destinations.into_iter();
        let destination = destinations.next()?;
        let (octets, in_payload, tlvs) = user_data(sm.short_message.as_bytes(), tlvs);
        let body = MessageBody {
            operation: CommandId::SUBMIT_MULTI,
            source: address(sm.source_addr_ton, sm.source_addr_npi, &sm.source_addr),
            destination,
            service_type: sm.service_type.as_bytes().into(),
            esm_class: sm.esm_class,
            protocol_id: sm.protocol_id,
            priority: sm.priority_flag,
            registered_delivery: sm.registered_delivery,
            replace_if_present: sm.replace_if_present_flag,
            data_coding: sm.data_coding,
            sm_default_msg_id: sm.sm_default_msg_id,
            octets,
            in_payload,
            tlvs,
        };
        Some(Submission { sender, body, further: destinations.collect(), times: checked.times })
    }

    /// A data_sm.
    pub(crate) fn data_sm(sender: Sender, sm: &DataSm, tlvs: &Tlvs, times: Times) -> Submission {
        let (octets, in_payload, tlvs) = user_data(&[], tlvs);
        let body = MessageBody {
            operation: CommandId::DATA_SM,
            source: address(sm.source_addr_ton, sm.source_addr_npi, &sm.source_addr),
            destination: address(sm.dest_addr_ton, sm.dest_addr_npi, &sm.destination_addr),
            service_type: sm.service_type.as_bytes().into(),
            esm_class: sm.esm_class,
            protocol_id: 0,
            priority: 0,
            registered_delivery: sm.registered_delivery,
            replace_if_present: 0,
            data_coding: sm.data_coding,
            sm_default_msg_id: 0,
            octets,
            in_payload,
            tlvs,
        };
        Submission { sender, body, further: Vec::new(), times }
    }
}

/// The octets of the message, whether they are those of message_payload, and the other parameters. Of two texts that of
/// short_message counts (§5.3.2.32 forbids both).
fn user_data(short_message: &[u8], tlvs: &Tlvs) -> (Box<[u8]>, bool, Tlvs) {
    let payload = if tlvs.is_empty() { None } else { tlvs.get(TlvTag::MESSAGE_PAYLOAD) };
    match payload {
        Some(payload) if short_message.is_empty() => {
            let others = tlvs.iter().filter(|(tag, _)| *tag != TlvTag::MESSAGE_PAYLOAD).collect();
            (payload[..].into(), true, others)
        }
        _ => (short_message.into(), false, if tlvs.is_empty() { Tlvs::new() } else { tlvs.detached() }),
    }
}

pub(super) fn address<const N: usize>(ton: Ton, npi: Npi, digits: &COctets<N>) -> Address {
    Address { ton, npi, digits: digits.as_bytes().into() }
}

impl From<&Destination> for Address {
    /// A distribution list is one address, its name: nothing is known of who is on it.
    fn from(destination: &Destination) -> Address {
        match destination {
            Destination::Address { ton, npi, address: digits } => address(*ton, *npi, digits),
            Destination::List(name) => address(Ton::ALPHANUMERIC, Npi::UNKNOWN, name),
        }
    }
}
