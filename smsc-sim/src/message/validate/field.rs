//! The fields that several requests have, each against its section of the standard.

use std::time::Duration;

use bytes::Bytes;
use smpp_transport::pdu::time::SmppTime;
use smpp_transport::pdu::udh::Udh;
use smpp_transport::pdu::{COctets, CommandStatus, EsmClass, Npi, RegisteredDelivery, TlvTag, Tlvs, Ton};

use super::{Relative, Times};
use crate::config::Strictness;

pub(super) type Verdict = Result<(), CommandStatus>;

pub(super) fn require(is_right: bool, otherwise: CommandStatus) -> Verdict {
    if is_right { Ok(()) } else { Err(otherwise) }
}

pub(super) fn is_printable(octets: &[u8]) -> bool {
    octets.iter().all(|octet| (0x20..0x7F).contains(octet))
}

/// Whether a string has no more octets than its field, which long passwords let through, and these characters.
pub(super) fn is_string<const N: usize>(string: &COctets<N>, allowed: impl FnOnce(&[u8]) -> bool) -> bool {
    string.as_bytes().len() < N && allowed(string.as_bytes())
}

pub(super) fn service_type(service_type: &COctets<6>) -> Verdict {
    require(is_string(service_type, is_printable), CommandStatus::ESME_RINVSERTYP)
}

pub(super) fn message_id(id: &COctets<65>) -> Verdict {
    require(!id.is_empty() && is_string(id, is_printable), CommandStatus::ESME_RINVMSGID)
}

/// The statuses for type of number, numbering plan and address.
pub(super) type Statuses = [CommandStatus; 3];
const SOURCE: Statuses =
    [CommandStatus::ESME_RINVSRCTON, CommandStatus::ESME_RINVSRCNPI, CommandStatus::ESME_RINVSRCADR];
pub(super) const DESTINATION: Statuses =
    [CommandStatus::ESME_RINVDSTTON, CommandStatus::ESME_RINVDSTNPI, CommandStatus::ESME_RINVDSTADR];

pub(super) fn source<const N: usize>(ton: Ton, npi: Npi, address: &COctets<N>) -> Verdict {
    one_end(ton, npi, address, SOURCE)
}

pub(super) fn destination<const N: usize>(ton: Ton, npi: Npi, address: &COctets<N>) -> Verdict {
    one_end(ton, npi, address, DESTINATION)?;
    not_empty(address.as_bytes())
}

pub(super) fn not_empty(destination: &[u8]) -> Verdict {
    require(!destination.is_empty(), CommandStatus::ESME_RINVDSTADR)
}

pub(super) fn one_end<const N: usize>(
    ton: Ton,
    npi: Npi,
    address: &COctets<N>,
    [in_ton, in_npi, in_digits]: Statuses,
) -> Verdict {
    require(ton.name().is_some(), in_ton)?;
    require(npi.name().is_some(), in_npi)?;
    require(is_string(address, |octets| is_address(ton, npi, octets)), in_digits)
}

/// Characters that an alphanumeric address may have: as many as fit its ten octets in septets (23.040 §9.1.2.5).
const LETTERS_MAX: usize = 11;

fn is_address(ton: Ton, npi: Npi, octets: &[u8]) -> bool {
    match (ton, npi) {
        (Ton::ALPHANUMERIC, _) => octets.len() <= LETTERS_MAX && octets.iter().all(|octet| *octet >= 0x20),
        (_, Npi::INTERNET | Npi::WAP_CLIENT_ID) => is_printable(octets),
        _ => {
            let digits = octets.strip_prefix(b"+").unwrap_or(octets);
            digits.len() >= octets.len().min(1) && digits.iter().all(|octet| matches!(octet, b'0'..=b'9' | b'*' | b'#'))
        }
    }
}

pub(super) fn esm_class(esm_class: EsmClass, is_data_sm: bool) -> Verdict {
    let is_forward = esm_class.0 & 0x03 == 2;
    let is_type_of_esmes = matches!(esm_class.0 & 0x3C, 0x00 | 0x08 | 0x10);
    require(is_type_of_esmes && (is_data_sm || !is_forward), CommandStatus::ESME_RINVESMCLASS)
}

pub(super) fn priority_flag(flag: u8) -> Verdict {
    require(flag <= 3, CommandStatus::ESME_RINVPRTFLG)
}

pub(super) fn registered_delivery(asked: RegisteredDelivery) -> Verdict {
    require(asked.0 & 0xE0 == 0 && asked.0 & 0x03 != 3, CommandStatus::ESME_RINVREGDLVFLG)
}

pub(super) fn canned(id: u8) -> Verdict {
    require(id == 0, CommandStatus::ESME_RINVDFTMSGID)
}

pub(super) fn times(
    schedule: &COctets<17>,
    validity: &COctets<17>,
    now_unix: Duration,
    how: Strictness,
) -> Result<Times, CommandStatus> {
    if schedule.is_empty() && validity.is_empty() {
        return Ok(Times::default());
    }
    let (scheduled, expires) = (moment(schedule, now_unix), moment(validity, now_unix));
    let is_relative = |field: &COctets<17>| field.as_bytes().ends_with(b"R");
    let relative = Relative { scheduled: is_relative(schedule), expires: is_relative(validity) };
    if how == Strictness::Lenient {
        let (scheduled, expires) = (scheduled.unwrap_or_default(), expires.unwrap_or_default());
        return Ok(Times { scheduled, expires, relative });
    }
    let scheduled = scheduled.map_err(|()| CommandStatus::ESME_RINVSCHED)?;
    let expires = expires.map_err(|()| CommandStatus::ESME_RINVEXPIRY)?;
    // Times are written in tenths at best: the second that is running is not in the past.
    let is_past = |time: Option<Duration>| time.is_some_and(|time| time.as_secs() < now_unix.as_secs());
    require(!is_past(scheduled), CommandStatus::ESME_RINVSCHED)?;
    require(!is_past(expires) && expires.is_none_or(|end| Some(end) >= scheduled), CommandStatus::ESME_RINVEXPIRY)?;
    Ok(Times { scheduled, expires, relative })
}

/// The wall time that a field says, if it says any. What is relative counts from now, whatever the schedule says (§7.1.1.2).
fn moment(field: &COctets<17>, now_unix: Duration) -> Result<Option<Duration>, ()> {
    if field.is_empty() {
        return Ok(None);
    }
    let now = i64::try_from(now_unix.as_secs()).unwrap_or(i64::MAX);
    match SmppTime::parse(field.as_bytes()).map_err(|_| ())? {
        SmppTime::Local(_) => Err(()),
        SmppTime::Absolute(absolute) => {
            let seconds = SmppTime::Absolute(absolute).unix_seconds(now, absolute.offset);
            let tenths = Duration::from_millis(100 * u64::from(absolute.tenths));
            // What was before 1970 is as much in the past as 1970 is.
            Ok(Some(Duration::from_secs(u64::try_from(seconds).unwrap_or_default()) + tenths))
        }
        SmppTime::Relative(period) => {
            let from_now = u64::try_from(period.after(now).saturating_sub(now)).unwrap_or_default();
            Ok(Some(now_unix.saturating_add(Duration::from_secs(from_now))))
        }
    }
}

/// Numbers of one octet that have a range, and its end.
const RANGES: [(TlvTag, u8); 7] = [
    (TlvTag::PAYLOAD_TYPE, 1),
    (TlvTag::PRIVACY_INDICATOR, 3),
    (TlvTag::NUMBER_OF_MESSAGES, 99),
    (TlvTag::SET_DPF, 1),
    (TlvTag::MORE_MESSAGES_TO_SEND, 1),
    (TlvTag::DISPLAY_TIME, 2),
    (TlvTag::MS_VALIDITY, 3),
];
/// What a header says too.
const IN_HEADERS: [TlvTag; 5] = [
    TlvTag::SAR_MSG_REF_NUM,
    TlvTag::SAR_TOTAL_SEGMENTS,
    TlvTag::SAR_SEGMENT_SEQNUM,
    TlvTag::SOURCE_PORT,
    TlvTag::DESTINATION_PORT,
];

/// The message and the parameters.
pub(super) fn user_data(esm_class: EsmClass, short_message: &[u8], tlvs: &Tlvs) -> Verdict {
    if tlvs.is_empty() && !esm_class.has_udh() {
        return Ok(());
    }
    tlvs.check_lengths().map_err(|_| CommandStatus::ESME_RINVPARLEN)?;
    let payload = tlvs.get(TlvTag::MESSAGE_PAYLOAD);
    require(payload.is_none() || short_message.is_empty(), CommandStatus::ESME_ROPTPARNOTALLWD)?;
    if esm_class.has_udh() {
        let octets = payload.unwrap_or_else(|| Bytes::copy_from_slice(short_message));
        require(Udh::read(&octets).is_ok(), CommandStatus::ESME_RINVESMCLASS)?;
        require(IN_HEADERS.iter().all(|tag| tlvs.get(*tag).is_none()), CommandStatus::ESME_ROPTPARNOTALLWD)?;
    }
    require(sar_is_right(tlvs), CommandStatus::ESME_RINVOPTPARAMVAL)?;
    let in_range = |(tag, max): &(TlvTag, u8)| tlvs.get_u8(*tag).is_none_or(|value| value <= *max);
    require(RANGES.iter().all(in_range), CommandStatus::ESME_RINVOPTPARAMVAL)
}

fn sar_is_right(tlvs: &Tlvs) -> bool {
    let reference = tlvs.get_u16(TlvTag::SAR_MSG_REF_NUM);
    let (total, number) = (tlvs.get_u8(TlvTag::SAR_TOTAL_SEGMENTS), tlvs.get_u8(TlvTag::SAR_SEGMENT_SEQNUM));
    match (reference, total, number) {
        (Some(_), Some(total), Some(number)) => (1..=total).contains(&number),
        _ => true,
    }
}
