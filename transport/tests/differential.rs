//! Guards against an error that encoder and decoder share: another codec, `rusmpp`, judges both.
//!
//! Each PDU is made twice from the same values, once of each library's types. Then all four ways must agree: what one
//! encodes is octet for octet what the other encodes, and each decodes it to the values it was made of.
//!
//! `DIFFERENTIAL_CASES` sets how many PDUs of each command are tried.

use bytes::{Bytes, BytesMut};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use rusmpp::decode::DecodeWithLength as _;
use rusmpp::encode::{Encode as _, Length as _};
use rusmpp::tlvs::{Tlv, TlvTag as TheirTag, TlvValue};
use rusmpp::types::{AnyOctetString, COctetString, EmptyOrFullCOctetString, OctetString};
use rusmpp::values::{DestAddress, DistributionListName, NetworkErrorCode, ServiceType, SmeAddress, Subaddress};
use rusmpp::{Command, CommandStatus as TheirStatus, Pdu as Theirs, pdus};
use smpp_transport::pdu::arbitrary::{pdu_of, tlv_as_the_standard_has_it};
use smpp_transport::pdu::fixtures::with_its_length;
use smpp_transport::pdu::{
    Body, COctets, CommandId, Destination, Destinations, Leniency, MessageId, Pdu, Sm, TlvTag, Tlvs, UnsuccessSme,
    Unsuccessful,
};

const CASES: u32 = 10_000;

fn agree_on(id: CommandId) {
    let cases = std::env::var("DIFFERENTIAL_CASES").map_or(CASES, |cases| cases.parse().expect("a number"));
    let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    let pdus = (pdu_of(id), tlvs_both_know(id)).prop_map(|(pdu, tlvs)| {
        let tlvs = if has_body(&pdu.body) { tlvs } else { Tlvs::new() };
        narrowed(Pdu { tlvs, ..pdu })
    });
    runner.run(&pdus, |pdu| agree(&pdu)).unwrap_or_else(|failure| panic!("{}: {failure}", id.printed()));
}

fn agree(ours: &Pdu) -> Result<(), TestCaseError> {
    let octets = ours.to_octets();
    let mut input = BytesMut::from(&octets[4..]);
    let (decoded, read) = Command::decode(&mut input, octets.len() - 4).expect("they read what we write");
    prop_assert_eq!(read, octets.len() - 4);
    prop_assert_eq!(u32::from(decoded.id()), ours.command_id().0);
    prop_assert_eq!(u32::from(decoded.status), ours.status.0);
    prop_assert_eq!(decoded.sequence_number, ours.sequence);

    let mut written = vec![0; 4 + decoded.length()];
    decoded.encode(&mut written[4..]);
    prop_assert_eq!(&with_its_length(&written), &octets, "they write again what they read");

    // Their type of a command cannot be made without a body.
    let Some(body) = theirs(&ours.body) else {
        prop_assert_eq!(decoded.pdu(), None);
        return Ok(());
    };
    let tlvs: Vec<Tlv> = ours.tlvs.iter().map(|(tag, value)| Tlv::new(their_tlv(tag, &value))).collect();
    let (their_body, their_tlvs) = apart(decoded.pdu().expect("there are octets after the header").clone());
    prop_assert_eq!(&their_body, &body, "they read the values that we wrote");
    prop_assert_eq!(&their_tlvs, &tlvs, "they read the parameters that we wrote");

    let made = Command::new(TheirStatus::from(ours.status.0), ours.sequence, body);
    let mut written = vec![0; 4 + made.length()];
    made.encode(&mut written[4..]);
    for tlv in &tlvs {
        let start = written.len();
        written.resize(start + tlv.length(), 0);
        tlv.encode(&mut written[start..]);
    }
    let written = Bytes::from(with_its_length(&written));
    prop_assert_eq!(&written, &octets, "made of the same values, the octets are the same");
    prop_assert_eq!(&Pdu::decode(&written, Leniency::STRICT).expect("we read what they write"), ours);
    Ok(())
}

fn c<const N: usize>(ours: &COctets<N>) -> COctetString<1, N> {
    COctetString::from_vec([ours.as_bytes(), &[0]].concat()).expect("the strategy is narrowed to ASCII")
}

fn time(ours: &COctets<17>) -> EmptyOrFullCOctetString<17> {
    EmptyOrFullCOctetString::from_vec([ours.as_bytes(), &[0]].concat()).expect("the strategy is narrowed to 0 or 16")
}

fn o<const MIN: usize, const MAX: usize>(octets: &[u8]) -> OctetString<MIN, MAX> {
    OctetString::from_vec(octets.to_vec()).expect("the lengths are the standard's")
}

/// data_sm's addresses: the standard has 65 octets, they have 21.
fn c21(ours: &COctets<65>) -> COctetString<1, 21> {
    COctetString::from_vec([ours.as_bytes(), &[0]].concat()).expect("the strategy is narrowed to 20 characters")
}

/// The body in their types; none when it is left out.
fn theirs(body: &Body) -> Option<Theirs> {
    macro_rules! sm {
        ($theirs:ident, $sm:expr) => {{
            let sm: &Sm = $sm;
            pdus::$theirs::new(
                ServiceType::new(c(&sm.service_type)),
                sm.source_addr_ton.0.into(),
                sm.source_addr_npi.0.into(),
                c(&sm.source_addr),
                sm.dest_addr_ton.0.into(),
                sm.dest_addr_npi.0.into(),
                c(&sm.destination_addr),
                sm.esm_class.0.into(),
                sm.protocol_id,
                sm.priority_flag.into(),
                time(&sm.schedule_delivery_time),
                time(&sm.validity_period),
                sm.registered_delivery.0.into(),
                sm.replace_if_present_flag.into(),
                sm.data_coding.0.into(),
                sm.sm_default_msg_id,
                o(sm.short_message.as_bytes()),
                Vec::new(),
            )
            .into()
        }};
    }
    macro_rules! bind {
        ($theirs:ident, $bind:expr) => {
            pdus::$theirs::builder()
                .system_id(c(&$bind.system_id))
                .password(c(&$bind.password))
                .system_type(c(&$bind.system_type))
                .interface_version($bind.interface_version.0.into())
                .addr_ton($bind.addr_ton.0.into())
                .addr_npi($bind.addr_npi.0.into())
                .address_range(c(&$bind.address_range))
                .build()
                .into()
        };
    }
    macro_rules! id {
        ($theirs:ident, $resp:expr) => {
            pdus::$theirs::new(c(&$resp.as_ref()?.message_id), Vec::new()).into()
        };
    }
    Some(match body {
        Body::GenericNack(_) => Theirs::GenericNack,
        Body::Unbind(_) => Theirs::Unbind,
        Body::UnbindResp(_) => Theirs::UnbindResp,
        Body::EnquireLink(_) => Theirs::EnquireLink,
        Body::EnquireLinkResp(_) => Theirs::EnquireLinkResp,
        Body::CancelSmResp(_) => Theirs::CancelSmResp,
        Body::ReplaceSmResp(_) => Theirs::ReplaceSmResp,
        Body::BindReceiver(bind) => bind!(BindReceiver, bind),
        Body::BindTransmitter(bind) => bind!(BindTransmitter, bind),
        Body::BindTransceiver(bind) => bind!(BindTransceiver, bind),
        Body::BindReceiverResp(resp) => pdus::BindReceiverResp::new(c(&resp.as_ref()?.system_id), None).into(),
        Body::BindTransmitterResp(resp) => pdus::BindTransmitterResp::new(c(&resp.as_ref()?.system_id), None).into(),
        Body::BindTransceiverResp(resp) => pdus::BindTransceiverResp::new(c(&resp.as_ref()?.system_id), None).into(),
        Body::Outbind(outbind) => pdus::Outbind::new(c(&outbind.system_id), c(&outbind.password)).into(),
        Body::SubmitSm(sm) => sm!(SubmitSm, sm),
        Body::DeliverSm(sm) => sm!(DeliverSm, sm),
        Body::SubmitSmResp(resp) => id!(SubmitSmResp, resp),
        Body::DeliverSmResp(resp) => id!(DeliverSmResp, resp),
        Body::DataSmResp(resp) => id!(DataSmResp, resp),
        Body::SubmitMulti(sm) => pdus::SubmitMulti::new(
            ServiceType::new(c(&sm.service_type)),
            sm.source_addr_ton.0.into(),
            sm.source_addr_npi.0.into(),
            c(&sm.source_addr),
            sm.dest_address.iter().map(their_destination).collect(),
            sm.esm_class.0.into(),
            sm.protocol_id,
            sm.priority_flag.into(),
            time(&sm.schedule_delivery_time),
            time(&sm.validity_period),
            sm.registered_delivery.0.into(),
            sm.replace_if_present_flag.into(),
            sm.data_coding.0.into(),
            sm.sm_default_msg_id,
            o(sm.short_message.as_bytes()),
            Vec::new(),
        )
        .into(),
        Body::SubmitMultiResp(resp) => {
            let resp = resp.as_ref()?;
            let unsuccess_sme = resp.unsuccess_sme.iter().map(their_failure).collect();
            pdus::SubmitMultiResp::new(c(&resp.message_id), unsuccess_sme, Vec::new()).into()
        }
        Body::DataSm(sm) => pdus::DataSm::new(
            ServiceType::new(c(&sm.service_type)),
            sm.source_addr_ton.0.into(),
            sm.source_addr_npi.0.into(),
            c21(&sm.source_addr),
            sm.dest_addr_ton.0.into(),
            sm.dest_addr_npi.0.into(),
            c21(&sm.destination_addr),
            sm.esm_class.0.into(),
            sm.registered_delivery.0.into(),
            sm.data_coding.0.into(),
            Vec::new(),
        )
        .into(),
        Body::QuerySm(sm) => pdus::QuerySm::new(
            c(&sm.message_id),
            sm.source_addr_ton.0.into(),
            sm.source_addr_npi.0.into(),
            c(&sm.source_addr),
        )
        .into(),
        Body::QuerySmResp(resp) => {
            let resp = resp.as_ref()?;
            let state = resp.message_state.0.into();
            pdus::QuerySmResp::new(c(&resp.message_id), time(&resp.final_date), state, resp.error_code).into()
        }
        Body::CancelSm(sm) => pdus::CancelSm::new(
            ServiceType::new(c(&sm.service_type)),
            c(&sm.message_id),
            sm.source_addr_ton.0.into(),
            sm.source_addr_npi.0.into(),
            c(&sm.source_addr),
            sm.dest_addr_ton.0.into(),
            sm.dest_addr_npi.0.into(),
            c(&sm.destination_addr),
        )
        .into(),
        Body::ReplaceSm(sm) => pdus::ReplaceSm::new(
            c(&sm.message_id),
            sm.source_addr_ton.0.into(),
            sm.source_addr_npi.0.into(),
            c(&sm.source_addr),
            time(&sm.schedule_delivery_time),
            time(&sm.validity_period),
            sm.registered_delivery.0.into(),
            sm.sm_default_msg_id,
            o(sm.short_message.as_bytes()),
            None,
        )
        .into(),
        Body::AlertNotification(alert) => pdus::AlertNotification::new(
            alert.source_addr_ton.0.into(),
            alert.source_addr_npi.0.into(),
            c(&alert.source_addr),
            alert.esme_addr_ton.0.into(),
            alert.esme_addr_npi.0.into(),
            c(&alert.esme_addr),
            None,
        )
        .into(),
        Body::Unknown(..) => unreachable!("only named commands are compared"),
    })
}

fn their_destination(destination: &Destination) -> DestAddress {
    match destination {
        Destination::Address { ton, npi, address } => {
            DestAddress::SmeAddress(SmeAddress::new(ton.0.into(), npi.0.into(), c(address)))
        }
        Destination::List(name) => DestAddress::DistributionListName(DistributionListName::new(c(name))),
    }
}

fn their_failure(failure: &UnsuccessSme) -> rusmpp::values::UnsuccessSme {
    rusmpp::values::UnsuccessSme::new(
        failure.dest_addr_ton.0.into(),
        failure.dest_addr_npi.0.into(),
        c(&failure.destination_addr),
        failure.error_status_code.0.into(),
    )
}

fn their_tlv(tag: TlvTag, value: &[u8]) -> TlvValue {
    let [one, ..] = value else { unreachable!("the strategy is narrowed to values that are not empty") };
    let one = *one;
    let two = || u16::from_be_bytes(value.try_into().expect("two octets"));
    let string = || value.to_vec();
    match tag {
        TlvTag::DEST_ADDR_SUBUNIT => TlvValue::DestAddrSubunit(one.into()),
        TlvTag::DEST_NETWORK_TYPE => TlvValue::DestNetworkType(one.into()),
        TlvTag::DEST_BEARER_TYPE => TlvValue::DestBearerType(one.into()),
        TlvTag::DEST_TELEMATICS_ID => TlvValue::DestTelematicsId(two()),
        TlvTag::SOURCE_ADDR_SUBUNIT => TlvValue::SourceAddrSubunit(one.into()),
        TlvTag::SOURCE_NETWORK_TYPE => TlvValue::SourceNetworkType(one.into()),
        TlvTag::SOURCE_BEARER_TYPE => TlvValue::SourceBearerType(one.into()),
        TlvTag::QOS_TIME_TO_LIVE => TlvValue::QosTimeToLive(u32::from_be_bytes(value.try_into().expect("four octets"))),
        TlvTag::PAYLOAD_TYPE => TlvValue::PayloadType(one.into()),
        TlvTag::ADDITIONAL_STATUS_INFO_TEXT => {
            TlvValue::AdditionalStatusInfoText(COctetString::from_vec(string()).expect("narrowed"))
        }
        TlvTag::RECEIPTED_MESSAGE_ID => {
            TlvValue::ReceiptedMessageId(COctetString::from_vec(string()).expect("narrowed"))
        }
        TlvTag::MS_MSG_WAIT_FACILITIES => TlvValue::MsMsgWaitFacilities(one.into()),
        TlvTag::PRIVACY_INDICATOR => TlvValue::PrivacyIndicator(one.into()),
        TlvTag::SOURCE_SUBADDRESS => TlvValue::SourceSubaddress(Subaddress::new(one.into(), o(&value[1..]))),
        TlvTag::DEST_SUBADDRESS => TlvValue::DestSubaddress(Subaddress::new(one.into(), o(&value[1..]))),
        TlvTag::USER_MESSAGE_REFERENCE => TlvValue::UserMessageReference(two().into()),
        TlvTag::USER_RESPONSE_CODE => TlvValue::UserResponseCode(one),
        TlvTag::SOURCE_PORT => TlvValue::SourcePort(two()),
        TlvTag::DESTINATION_PORT => TlvValue::DestPort(two()),
        TlvTag::SAR_MSG_REF_NUM => TlvValue::SarMsgRefNum(two()),
        TlvTag::LANGUAGE_INDICATOR => TlvValue::LanguageIndicator(one.into()),
        TlvTag::SAR_TOTAL_SEGMENTS => TlvValue::SarTotalSegments(one),
        TlvTag::SAR_SEGMENT_SEQNUM => TlvValue::SarSegmentSeqnum(one),
        TlvTag::SC_INTERFACE_VERSION => TlvValue::ScInterfaceVersion(one.into()),
        TlvTag::CALLBACK_NUM_PRES_IND => TlvValue::CallbackNumPresInd(one.into()),
        TlvTag::CALLBACK_NUM_ATAG => TlvValue::CallbackNumAtag(o(value)),
        TlvTag::NUMBER_OF_MESSAGES => TlvValue::NumberOfMessages(one.into()),
        TlvTag::CALLBACK_NUM => TlvValue::CallbackNum(o(value)),
        TlvTag::DPF_RESULT => TlvValue::DpfResult(one.into()),
        TlvTag::SET_DPF => TlvValue::SetDpf(one.into()),
        TlvTag::MS_AVAILABILITY_STATUS => TlvValue::MsAvailabilityStatus(one.into()),
        TlvTag::NETWORK_ERROR_CODE => TlvValue::NetworkErrorCode(NetworkErrorCode::new(
            one.into(),
            u16::from_be_bytes(value[1..].try_into().expect("three octets")),
        )),
        TlvTag::MESSAGE_PAYLOAD => {
            TlvValue::MessagePayload(rusmpp::values::MessagePayload::new(AnyOctetString::from_slice(value)))
        }
        TlvTag::DELIVERY_FAILURE_REASON => TlvValue::DeliveryFailureReason(one.into()),
        TlvTag::MORE_MESSAGES_TO_SEND => TlvValue::MoreMessagesToSend(one.into()),
        TlvTag::MESSAGE_STATE => TlvValue::MessageState(one.into()),
        TlvTag::USSD_SERVICE_OP => TlvValue::UssdServiceOp(one.into()),
        TlvTag::DISPLAY_TIME => TlvValue::DisplayTime(one.into()),
        TlvTag::MS_VALIDITY => TlvValue::MsValidity(rusmpp::values::MsValidity::new(one.into(), None)),
        TlvTag::SMS_SIGNAL => TlvValue::SmsSignal(two()),
        TlvTag::ALERT_ON_MESSAGE_DELIVERY => TlvValue::AlertOnMessageDelivery(one.into()),
        TlvTag::ITS_REPLY_TYPE => TlvValue::ItsReplyType(one.into()),
        TlvTag::ITS_SESSION_INFO => TlvValue::ItsSessionInfo(rusmpp::values::ItsSessionInfo::new(one, value[1])),
        vendors => TlvValue::Other { tag: TheirTag::from(vendors.0), value: AnyOctetString::from_slice(value) },
    }
}

/// Their body without its optional parameters, and those.
fn apart(mut pdu: Theirs) -> (Theirs, Vec<Tlv>) {
    macro_rules! taken {
        ($($name:ident)*) => {
            match &mut pdu {
                $( Theirs::$name(body) => {
                    let tlvs = body.tlvs().to_vec();
                    body.set_tlvs(Vec::new());
                    tlvs
                } )*
                Theirs::BindReceiverResp(body) => {
                    let tlvs = body.sc_interface_version_tlv().cloned();
                    body.set_sc_interface_version(None);
                    tlvs.into_iter().collect()
                }
                Theirs::BindTransmitterResp(body) => {
                    let tlvs = body.sc_interface_version_tlv().cloned();
                    body.set_sc_interface_version(None);
                    tlvs.into_iter().collect()
                }
                Theirs::BindTransceiverResp(body) => {
                    let tlvs = body.sc_interface_version_tlv().cloned();
                    body.set_sc_interface_version(None);
                    tlvs.into_iter().collect()
                }
                Theirs::AlertNotification(body) => {
                    let tlvs = body.ms_availability_status_tlv().cloned();
                    body.set_ms_availability_status(None);
                    tlvs.into_iter().collect()
                }
                _ => Vec::new(),
            }
        };
    }
    let tlvs = taken!(SubmitSm SubmitMulti DeliverSm DataSm SubmitSmResp SubmitMultiResp DeliverSmResp DataSmResp);
    (pdu, tlvs)
}

fn has_body(body: &Body) -> bool {
    theirs(&narrowed_body(body.clone())).is_some()
}

/// Optional parameters that both libraries hold in a PDU of this command.
fn tlvs_both_know(id: CommandId) -> BoxedStrategy<Tlvs> {
    let one_tag_at_most = |tag| proptest::option::of(tlv(tag)).prop_map(|tlv| tlv.into_iter().collect()).boxed();
    match id {
        CommandId::SUBMIT_SM
        | CommandId::SUBMIT_MULTI
        | CommandId::DELIVER_SM
        | CommandId::DATA_SM
        | CommandId::SUBMIT_SM_RESP
        | CommandId::SUBMIT_MULTI_RESP
        | CommandId::DELIVER_SM_RESP
        | CommandId::DATA_SM_RESP => {
            let vendors = (0x1400..=0x3FFFu16).prop_map(TlvTag);
            let tags = prop_oneof![8 => prop::sample::select(TlvTag::NAMED), 1 => vendors];
            prop::collection::vec(tags.prop_flat_map(tlv), 0..6).prop_map(Tlvs::from_iter).boxed()
        }
        CommandId::BIND_RECEIVER_RESP | CommandId::BIND_TRANSMITTER_RESP | CommandId::BIND_TRANSCEIVER_RESP => {
            one_tag_at_most(TlvTag::SC_INTERFACE_VERSION)
        }
        CommandId::ALERT_NOTIFICATION => one_tag_at_most(TlvTag::MS_AVAILABILITY_STATUS),
        _ => Just(Tlvs::new()).boxed(),
    }
}

fn tlv(tag: TlvTag) -> BoxedStrategy<(TlvTag, Bytes)> {
    let tag = match tag {
        // They read two octets, as in SMPP 5.0; the standard has one.
        TlvTag::SOURCE_TELEMATICS_ID => TlvTag::DEST_TELEMATICS_ID,
        tag => tag,
    };
    tlv_as_the_standard_has_it(tag)
        .prop_map(|(tag, value)| {
            // Their value of a parameter without octets has no type that can be made.
            let mut value = if value.is_empty() { vec![1] } else { value.to_vec() };
            match tag {
                // They have strings here: ASCII with a NUL at the end. Peers leave the NUL out: ours are octets.
                TlvTag::ADDITIONAL_STATUS_INFO_TEXT | TlvTag::RECEIPTED_MESSAGE_ID => {
                    value.iter_mut().for_each(|octet| *octet = (*octet & 0x7F).max(1));
                    *value.last_mut().expect("it is not empty") = 0;
                }
                // They drop the bits that the standard reserves.
                TlvTag::CALLBACK_NUM_PRES_IND => value[0] &= 0x0F,
                TlvTag::MS_MSG_WAIT_FACILITIES => value[0] &= 0x83,
                _ => {}
            }
            (tag, Bytes::from(value))
        })
        .boxed()
}

fn narrowed(pdu: Pdu) -> Pdu {
    Pdu { body: narrowed_body(pdu.body), ..pdu }
}

/// They refuse strings that are not ASCII, and times of other than 0 or 16 characters; real peers send both.
fn narrowed_body(mut body: Body) -> Body {
    macro_rules! ascii {
        ($body:expr; $($field:ident)*) => {{ $( $body.$field = ascii(&$body.$field); )* }};
    }
    match &mut body {
        Body::BindReceiver(bind) | Body::BindTransmitter(bind) | Body::BindTransceiver(bind) => {
            ascii!(bind; system_id password system_type address_range);
        }
        Body::BindReceiverResp(Some(resp))
        | Body::BindTransmitterResp(Some(resp))
        | Body::BindTransceiverResp(Some(resp)) => ascii!(resp; system_id),
        Body::Outbind(outbind) => ascii!(outbind; system_id password),
        Body::SubmitSm(sm) | Body::DeliverSm(sm) => {
            ascii!(sm; service_type source_addr destination_addr);
            sm.schedule_delivery_time = empty_or_full(&sm.schedule_delivery_time);
            sm.validity_period = empty_or_full(&sm.validity_period);
        }
        Body::SubmitMulti(sm) => {
            ascii!(sm; service_type source_addr);
            sm.schedule_delivery_time = empty_or_full(&sm.schedule_delivery_time);
            sm.validity_period = empty_or_full(&sm.validity_period);
            let ascii_too = |destination: &Destination| match destination {
                Destination::Address { ton, npi, address } => {
                    Destination::Address { ton: *ton, npi: *npi, address: ascii(address) }
                }
                Destination::List(name) => Destination::List(ascii(name)),
            };
            sm.dest_address = Destinations::new(sm.dest_address.iter().map(ascii_too).collect()).expect("as many");
        }
        Body::SubmitSmResp(Some(MessageId { message_id }))
        | Body::DeliverSmResp(Some(MessageId { message_id }))
        | Body::DataSmResp(Some(MessageId { message_id })) => *message_id = ascii(message_id),
        Body::SubmitMultiResp(Some(resp)) => {
            ascii!(resp; message_id);
            let ascii_too = |failure: &UnsuccessSme| UnsuccessSme {
                destination_addr: ascii(&failure.destination_addr),
                ..failure.clone()
            };
            resp.unsuccess_sme =
                Unsuccessful::new(resp.unsuccess_sme.iter().map(ascii_too).collect()).expect("as many");
        }
        Body::DataSm(sm) => {
            ascii!(sm; service_type source_addr destination_addr);
            // The standard has 64 characters in data_sm, they have 20.
            sm.source_addr = first_20(&sm.source_addr);
            sm.destination_addr = first_20(&sm.destination_addr);
        }
        Body::QuerySm(sm) => ascii!(sm; message_id source_addr),
        Body::QuerySmResp(Some(resp)) => {
            ascii!(resp; message_id);
            resp.final_date = empty_or_full(&resp.final_date);
        }
        Body::CancelSm(sm) => ascii!(sm; service_type message_id source_addr destination_addr),
        Body::ReplaceSm(sm) => {
            ascii!(sm; message_id source_addr);
            sm.schedule_delivery_time = empty_or_full(&sm.schedule_delivery_time);
            sm.validity_period = empty_or_full(&sm.validity_period);
        }
        Body::AlertNotification(alert) => ascii!(alert; source_addr esme_addr),
        _ => {}
    }
    body
}

fn ascii<const N: usize>(string: &COctets<N>) -> COctets<N> {
    let octets: Vec<u8> = string.as_bytes().iter().map(|octet| (octet & 0x7F).max(1)).collect();
    COctets::new(octets).expect("as long as before, without a NUL")
}

fn first_20(string: &COctets<65>) -> COctets<65> {
    COctets::new(string.to_bytes().slice(..string.as_bytes().len().min(20))).expect("shorter than before")
}

fn empty_or_full(time: &COctets<17>) -> COctets<17> {
    if time.is_empty() {
        return COctets::default();
    }
    let padded = [ascii(time).as_bytes(), &[b'0'; 16]].concat();
    COctets::new(padded[..16].to_vec()).expect("16 characters")
}

macro_rules! they_agree_on {
    ($($test:ident $id:ident),* $(,)?) => {
        $( #[test] fn $test() { agree_on(CommandId::$id); } )*

        #[test]
        fn every_command_is_compared() {
            assert_eq!([$( CommandId::$id ),*].len(), CommandId::NAMED.len());
            assert!(CommandId::NAMED.iter().all(|id| [$( CommandId::$id ),*].contains(id)));
        }
    };
}

they_agree_on! {
    generic_nack GENERIC_NACK,
    bind_receiver BIND_RECEIVER,
    bind_receiver_resp BIND_RECEIVER_RESP,
    bind_transmitter BIND_TRANSMITTER,
    bind_transmitter_resp BIND_TRANSMITTER_RESP,
    query_sm QUERY_SM,
    query_sm_resp QUERY_SM_RESP,
    submit_sm SUBMIT_SM,
    submit_sm_resp SUBMIT_SM_RESP,
    deliver_sm DELIVER_SM,
    deliver_sm_resp DELIVER_SM_RESP,
    unbind UNBIND,
    unbind_resp UNBIND_RESP,
    replace_sm REPLACE_SM,
    replace_sm_resp REPLACE_SM_RESP,
    cancel_sm CANCEL_SM,
    cancel_sm_resp CANCEL_SM_RESP,
    bind_transceiver BIND_TRANSCEIVER,
    bind_transceiver_resp BIND_TRANSCEIVER_RESP,
    outbind OUTBIND,
    enquire_link ENQUIRE_LINK,
    enquire_link_resp ENQUIRE_LINK_RESP,
    submit_multi SUBMIT_MULTI,
    submit_multi_resp SUBMIT_MULTI_RESP,
    alert_notification ALERT_NOTIFICATION,
    data_sm DATA_SM,
    data_sm_resp DATA_SM_RESP,
}
