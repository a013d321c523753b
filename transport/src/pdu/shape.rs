//! The body shapes of SMPP 3.4: chapter 4 of the standard, as it would fit on a page. Only the list lives here.

use super::list::{Destinations, Unsuccessful};
use super::string::{COctets, ShortMessage};
use super::value::{DataCoding, EsmClass, InterfaceVersion, MessageState, Npi, RegisteredDelivery, Ton};
use super::wire::{Printer, Reader, Wire, Writer};

shapes! {
    /// A command without a body: unbind §4.2, enquire_link §4.11, generic_nack §4.3 and the responses of cancel_sm
    /// and replace_sm.
    Empty {}

    /// bind_transmitter §4.1.1, bind_receiver §4.1.3, bind_transceiver §4.1.5.
    Bind {
        /// Who binds.
        system_id: COctets<16>,
        /// At most 8 characters.
        password: COctets<9>,
        /// The kind of ESME, as agreed with the SMSC.
        system_type: COctets<13>,
        /// The version of SMPP that the ESME speaks.
        interface_version: InterfaceVersion,
        /// Type of number of the addresses that the ESME serves.
        addr_ton: Ton,
        /// Numbering plan of the addresses that the ESME serves.
        addr_npi: Npi,
        /// The addresses that the ESME serves: a UNIX regular expression.
        address_range: COctets<41>,
    }

    /// The three bind responses §4.1.2, §4.1.4, §4.1.6.
    BindResp {
        /// Who answers.
        system_id: COctets<16>,
    }

    /// outbind §4.1.7.1.
    Outbind {
        /// Who calls.
        system_id: COctets<16>,
        /// At most 8 characters.
        password: COctets<9>,
    }

    /// submit_sm §4.4.1, deliver_sm §4.6.1.
    Sm {
        /// The application service; empty is the SMSC's default.
        service_type: COctets<6>,
        /// Type of number of the source.
        source_addr_ton: Ton,
        /// Numbering plan of the source.
        source_addr_npi: Npi,
        /// The source; empty lets the SMSC choose.
        source_addr: COctets<21>,
        /// Type of number of the destination.
        dest_addr_ton: Ton,
        /// Numbering plan of the destination.
        dest_addr_npi: Npi,
        /// The destination.
        destination_addr: COctets<21>,
        /// Mode, type and GSM features of the message.
        esm_class: EsmClass,
        /// TP-PID in GSM.
        protocol_id: u8,
        /// 0 (lowest) to 3.
        priority_flag: u8,
        /// When to send; empty is at once (§7.1.1).
        schedule_delivery_time: COctets<17>,
        /// When to give up; empty is the SMSC's default (§7.1.1).
        validity_period: COctets<17>,
        /// Which receipts and acknowledgements are wanted.
        registered_delivery: RegisteredDelivery,
        /// 1 replaces a pending message with the same addresses and service type.
        replace_if_present_flag: u8,
        /// How the octets of the message are to be read.
        data_coding: DataCoding,
        /// A canned message of the SMSC, 1 to 254; 0 is none.
        sm_default_msg_id: u8,
        /// The message, at most 254 octets; its length goes before it as sm_length.
        #[serde(rename = "short_message_hex")]
        short_message: ShortMessage,
    }

    /// submit_sm_resp §4.4.2, deliver_sm_resp §4.6.2, data_sm_resp §4.7.2.
    MessageId {
        /// The SMSC's name for the message, at most 64 characters; unused and empty in deliver_sm_resp.
        message_id: COctets<65>,
    }

    /// submit_multi §4.5.1.
    SubmitMulti {
        /// The application service; empty is the SMSC's default.
        service_type: COctets<6>,
        /// Type of number of the source.
        source_addr_ton: Ton,
        /// Numbering plan of the source.
        source_addr_npi: Npi,
        /// The source; empty lets the SMSC choose.
        source_addr: COctets<21>,
        /// 1 to 254 addresses or distribution lists; their count goes before them as number_of_dests.
        dest_address: Destinations,
        /// Mode, type and GSM features of the message.
        esm_class: EsmClass,
        /// TP-PID in GSM.
        protocol_id: u8,
        /// 0 (lowest) to 3.
        priority_flag: u8,
        /// When to send; empty is at once (§7.1.1).
        schedule_delivery_time: COctets<17>,
        /// When to give up; empty is the SMSC's default (§7.1.1).
        validity_period: COctets<17>,
        /// Which receipts and acknowledgements are wanted.
        registered_delivery: RegisteredDelivery,
        /// Reserved: must be 0.
        replace_if_present_flag: u8,
        /// How the octets of the message are to be read.
        data_coding: DataCoding,
        /// A canned message of the SMSC, 1 to 254; 0 is none.
        sm_default_msg_id: u8,
        /// The message, at most 254 octets; its length goes before it as sm_length.
        #[serde(rename = "short_message_hex")]
        short_message: ShortMessage,
    }

    /// submit_multi_resp §4.5.2.
    SubmitMultiResp {
        /// The SMSC's name for the message, at most 64 characters.
        message_id: COctets<65>,
        /// The destinations that were refused; their count goes before them as no_unsuccess.
        unsuccess_sme: Unsuccessful,
    }

    /// data_sm §4.7.1. The message itself is in the parameter message_payload.
    DataSm {
        /// The application service; empty is the SMSC's default.
        service_type: COctets<6>,
        /// Type of number of the source.
        source_addr_ton: Ton,
        /// Numbering plan of the source.
        source_addr_npi: Npi,
        /// The source, at most 64 characters here.
        source_addr: COctets<65>,
        /// Type of number of the destination.
        dest_addr_ton: Ton,
        /// Numbering plan of the destination.
        dest_addr_npi: Npi,
        /// The destination, at most 64 characters here.
        destination_addr: COctets<65>,
        /// Mode, type and GSM features of the message.
        esm_class: EsmClass,
        /// Which receipts and acknowledgements are wanted.
        registered_delivery: RegisteredDelivery,
        /// How the octets of the message are to be read.
        data_coding: DataCoding,
    }

    /// query_sm §4.8.1.
    QuerySm {
        /// The message asked about.
        message_id: COctets<65>,
        /// Type of number of the source, as submitted.
        source_addr_ton: Ton,
        /// Numbering plan of the source, as submitted.
        source_addr_npi: Npi,
        /// The source, as submitted.
        source_addr: COctets<21>,
    }

    /// query_sm_resp §4.8.2.
    QuerySmResp {
        /// The message asked about.
        message_id: COctets<65>,
        /// When it reached its final state; empty before (§7.1.1).
        final_date: COctets<17>,
        /// What became of it.
        message_state: MessageState,
        /// Why, in the network's own numbers; 0 is none.
        error_code: u8,
    }

    /// cancel_sm §4.9.1.
    CancelSm {
        /// As submitted.
        service_type: COctets<6>,
        /// The message to cancel; empty cancels every pending one with these addresses.
        message_id: COctets<65>,
        /// Type of number of the source, as submitted.
        source_addr_ton: Ton,
        /// Numbering plan of the source, as submitted.
        source_addr_npi: Npi,
        /// The source, as submitted.
        source_addr: COctets<21>,
        /// Type of number of the destination.
        dest_addr_ton: Ton,
        /// Numbering plan of the destination.
        dest_addr_npi: Npi,
        /// The destination.
        destination_addr: COctets<21>,
    }

    /// replace_sm §4.10.1.
    ReplaceSm {
        /// The message to replace.
        message_id: COctets<65>,
        /// Type of number of the source, as submitted.
        source_addr_ton: Ton,
        /// Numbering plan of the source, as submitted.
        source_addr_npi: Npi,
        /// The source, as submitted.
        source_addr: COctets<21>,
        /// When to send instead; empty keeps what was (§7.1.1).
        schedule_delivery_time: COctets<17>,
        /// When to give up instead; empty keeps what was (§7.1.1).
        validity_period: COctets<17>,
        /// Which receipts and acknowledgements are wanted.
        registered_delivery: RegisteredDelivery,
        /// A canned message of the SMSC, 1 to 254; 0 is none.
        sm_default_msg_id: u8,
        /// The message, at most 254 octets; its length goes before it as sm_length.
        #[serde(rename = "short_message_hex")]
        short_message: ShortMessage,
    }

    /// alert_notification §4.12.1.
    AlertNotification {
        /// Type of number of the mobile that became available.
        source_addr_ton: Ton,
        /// Numbering plan of the mobile that became available.
        source_addr_npi: Npi,
        /// The mobile that became available, at most 64 characters.
        source_addr: COctets<65>,
        /// Type of number of the ESME that asked to be told.
        esme_addr_ton: Ton,
        /// Numbering plan of the ESME that asked to be told.
        esme_addr_npi: Npi,
        /// The ESME that asked to be told, at most 64 characters.
        esme_addr: COctets<65>,
    }
}

/// A response's body: none when the PDU ends after its header, as error responses may (§4.4.2 and its like).
pub type Reply<T> = Option<T>;

impl<T: Wire + Default> Wire for Reply<T> {
    #[inline(always)]
    fn read(r: &mut Reader<'_>, name: &'static str) -> Self {
        if r.is_empty() { None } else { Some(T::read(r, name)) }
    }
    #[inline(always)]
    fn octets(&self) -> usize {
        self.as_ref().map_or(0, Wire::octets)
    }
    #[inline(always)]
    fn write(&self, w: &mut Writer<'_>) {
        if let Some(body) = self {
            body.write(w);
        }
    }
    fn show(&self, p: &mut Printer<'_, '_>) -> std::fmt::Result {
        self.as_ref().map_or(Ok(()), |body| body.show(p))
    }
    fn stand_in_octets(&self) -> usize {
        if self.is_none() { T::default().octets() } else { 0 }
    }
}
