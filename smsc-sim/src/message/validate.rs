//! What a request says, held against the standard: each field has a status of its own. Fields are looked at in their order
//! in the PDU, then the optional parameters; the first that is wrong decides.
//!
//! | field | wrong when | status |
//! |---|---|---|
//! | service_type | it has characters that cannot be printed; other services than those of §5.2.11 are by agreement | ESME_RINVSERTYP |
//! | source_addr_ton, dest_addr_ton | reserved (§5.2.5) | ESME_RINVSRCTON, ESME_RINVDSTTON |
//! | source_addr_npi, dest_addr_npi | reserved (§5.2.6) | ESME_RINVSRCNPI, ESME_RINVDSTNPI |
//! | source_addr, destination_addr | other characters than its type of number has, or more than 11 letters; an empty destination, while an empty source is the SMSC's to fill in (§4.4.1) | ESME_RINVSRCADR, ESME_RINVDSTADR |
//! | number_of_dests, dest_flag | never here: a list that has been read has 1 to 254 of two kinds; reading answers ESME_RINVNUMDESTS, ESME_RINVDESTFLAG | |
//! | dl_name | no distribution list has it | ESME_RINVDLNAME |
//! | esm_class | a type that only SMSCs send, or a reserved one; forward mode in anything but data_sm (§5.2.12); UDHI without a header that fits the message | ESME_RINVESMCLASS |
//! | priority_flag | above 3 | ESME_RINVPRTFLG |
//! | schedule_delivery_time | not of 16 characters as §7.1.1 writes times (12 are for responses), or in the past | ESME_RINVSCHED |
//! | validity_period | the same, or before the schedule | ESME_RINVEXPIRY |
//! | registered_delivery | reserved bits, or 3 in the receipt's (§5.2.17) | ESME_RINVREGDLVFLG |
//! | replace_if_present_flag | above 1; in submit_multi, above 0 (§4.5.1) | ESME_RINVREPFLAG |
//! | sm_default_msg_id | not 0: there are no canned messages | ESME_RINVDFTMSGID |
//! | message_payload | a short_message is there too (§5.3.2.32) | ESME_ROPTPARNOTALLWD |
//! | sar_*, source_port, destination_port | UDHI is set: the header says these things (§5.3.2.20 and on) | ESME_ROPTPARNOTALLWD |
//! | sar_* | all three are there, and the number is not one of the total; one that is alone is ignored (§5.3.2.22) | ESME_RINVOPTPARAMVAL |
//! | other parameters | not of their length; a number out of its range; unknown and misplaced ones are ignored (§3.3) | ESME_RINVPARLEN, ESME_RINVOPTPARAMVAL |
//! | message_id | empty, but in cancel_sm | ESME_RINVMSGID |
//! | system_id, password, system_type | characters that cannot be printed; an empty system_id | ESME_RINVSYSID, ESME_RINVPASWD, ESME_RINVSYSTYP |
//! | addr_ton, addr_npi, address_range | reserved; no regular expression: there is no other status for it | ESME_RBINDFAIL |
//!
//! protocol_id and data_coding are not looked at: every value is the network's, and SMPP 3.4 has no status for them.

use std::collections::BTreeMap;
use std::time::Duration;

use smpp_transport::pdu::time::SmppTime;
use smpp_transport::pdu::udh::Udh;
use smpp_transport::pdu::{
    Bind, COctets, CancelSm, CommandStatus, DataSm, Destination, EsmClass, Npi, QuerySm, RegisteredDelivery, ReplaceSm,
    Sm, SubmitMulti, TlvTag, Tlvs, Ton, UnsuccessSme,
};

use super::record::Address;
use crate::config::Strictness;
use crate::words::Pattern;

/// Addresses on distribution lists, by their names.
pub(crate) type Lists = BTreeMap<String, Vec<String>>;

/// When a message is to be sent, and given up. Wall time since 1970.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Times {
    pub(crate) scheduled: Option<Duration>,
    pub(crate) expires: Option<Duration>,
}

/// What was found in a submit_multi.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Checked {
    pub(crate) times: Times,
    /// Those that get the message; at least one.
    pub(crate) destinations: Vec<Address>,
    /// Those that do not, for the response.
    pub(crate) refused: Vec<UnsuccessSme>,
}

type Verdict = Result<(), CommandStatus>;

/// A submit_sm. `now_unix` is wall time. As for all here, the error is the status of the response.
pub(crate) fn check_sm(sm: &Sm, tlvs: &Tlvs, now_unix: Duration, how: Strictness) -> Result<Times, CommandStatus> {
    if how == Strictness::Strict {
        service_type(&sm.service_type)?;
        source(sm.source_addr_ton, sm.source_addr_npi, sm.source_addr.as_bytes())?;
        destination(sm.dest_addr_ton, sm.dest_addr_npi, sm.destination_addr.as_bytes())?;
        esm_class(sm.esm_class, false)?;
        priority_flag(sm.priority_flag)?;
    } else {
        not_empty(sm.destination_addr.as_bytes())?;
    }
    let times = times(&sm.schedule_delivery_time, &sm.validity_period, now_unix, how)?;
    if how == Strictness::Strict {
        registered_delivery(sm.registered_delivery)?;
        require(sm.replace_if_present_flag <= 1, CommandStatus::ESME_RINVREPFLAG)?;
        canned(sm.sm_default_msg_id)?;
        user_data(sm.esm_class, sm.short_message.as_bytes(), tlvs)?;
    }
    Ok(times)
}

/// A submit_multi. What is wrong with one destination is said of it alone, as long as another is right.
pub(crate) fn check_submit_multi(
    sm: &SubmitMulti,
    tlvs: &Tlvs,
    now_unix: Duration,
    how: Strictness,
    lists: &Lists,
) -> Result<Checked, CommandStatus> {
    if how == Strictness::Strict {
        service_type(&sm.service_type)?;
        source(sm.source_addr_ton, sm.source_addr_npi, sm.source_addr.as_bytes())?;
    }
    let (destinations, refused) = destinations(&sm.dest_address, how, lists)?;
    if how == Strictness::Strict {
        esm_class(sm.esm_class, false)?;
        priority_flag(sm.priority_flag)?;
    }
    let times = times(&sm.schedule_delivery_time, &sm.validity_period, now_unix, how)?;
    if how == Strictness::Strict {
        registered_delivery(sm.registered_delivery)?;
        require(sm.replace_if_present_flag == 0, CommandStatus::ESME_RINVREPFLAG)?;
        canned(sm.sm_default_msg_id)?;
        user_data(sm.esm_class, sm.short_message.as_bytes(), tlvs)?;
    }
    Ok(Checked { times, destinations, refused })
}

/// A data_sm. Its validity is qos_time_to_live, in seconds (§5.3.2.9).
pub(crate) fn check_data_sm(
    sm: &DataSm,
    tlvs: &Tlvs,
    now_unix: Duration,
    how: Strictness,
) -> Result<Times, CommandStatus> {
    if how == Strictness::Strict {
        service_type(&sm.service_type)?;
        source(sm.source_addr_ton, sm.source_addr_npi, sm.source_addr.as_bytes())?;
        destination(sm.dest_addr_ton, sm.dest_addr_npi, sm.destination_addr.as_bytes())?;
        esm_class(sm.esm_class, true)?;
        registered_delivery(sm.registered_delivery)?;
        user_data(sm.esm_class, &[], tlvs)?;
    } else {
        not_empty(sm.destination_addr.as_bytes())?;
    }
    let seconds = tlvs.get_u32(TlvTag::QOS_TIME_TO_LIVE);
    let expires = seconds.map(|seconds| now_unix + Duration::from_secs(seconds.into()));
    Ok(Times { scheduled: None, expires })
}

/// A replace_sm.
pub(crate) fn check_replace_sm(sm: &ReplaceSm, now_unix: Duration, how: Strictness) -> Result<Times, CommandStatus> {
    if how == Strictness::Strict {
        message_id(&sm.message_id)?;
        source(sm.source_addr_ton, sm.source_addr_npi, sm.source_addr.as_bytes())?;
    }
    let times = times(&sm.schedule_delivery_time, &sm.validity_period, now_unix, how)?;
    if how == Strictness::Strict {
        registered_delivery(sm.registered_delivery)?;
        canned(sm.sm_default_msg_id)?;
    }
    Ok(times)
}

/// A query_sm.
pub(crate) fn check_query_sm(sm: &QuerySm, how: Strictness) -> Result<(), CommandStatus> {
    if how == Strictness::Lenient {
        return Ok(());
    }
    message_id(&sm.message_id)?;
    source(sm.source_addr_ton, sm.source_addr_npi, sm.source_addr.as_bytes())
}

/// A cancel_sm: without an id it must have a destination (§4.9.1).
pub(crate) fn check_cancel_sm(sm: &CancelSm, how: Strictness) -> Result<(), CommandStatus> {
    if how == Strictness::Lenient {
        return Ok(());
    }
    service_type(&sm.service_type)?;
    source(sm.source_addr_ton, sm.source_addr_npi, sm.source_addr.as_bytes())?;
    if sm.message_id.is_empty() {
        not_empty(sm.destination_addr.as_bytes())?;
    }
    one_end(sm.dest_addr_ton, sm.dest_addr_npi, sm.destination_addr.as_bytes(), DESTINATION)
}

/// A bind.
pub(crate) fn check_bind(bind: &Bind, how: Strictness) -> Result<(), CommandStatus> {
    if how == Strictness::Lenient {
        return Ok(());
    }
    let system_id = bind.system_id.as_bytes();
    require(!system_id.is_empty() && is_printable(system_id), CommandStatus::ESME_RINVSYSID)?;
    require(is_printable(bind.password.as_bytes()), CommandStatus::ESME_RINVPASWD)?;
    require(is_printable(bind.system_type.as_bytes()), CommandStatus::ESME_RINVSYSTYP)?;
    let known = bind.addr_ton.name().is_some() && bind.addr_npi.name().is_some();
    let range = bind.address_range.text().parse::<Pattern>();
    require(known && range.is_ok(), CommandStatus::ESME_RBINDFAIL)
}

fn require(is_right: bool, otherwise: CommandStatus) -> Verdict {
    if is_right { Ok(()) } else { Err(otherwise) }
}

fn is_printable(octets: &[u8]) -> bool {
    octets.iter().all(|octet| (0x20..0x7F).contains(octet))
}

fn service_type(service_type: &COctets<6>) -> Verdict {
    require(is_printable(service_type.as_bytes()), CommandStatus::ESME_RINVSERTYP)
}

fn message_id(id: &COctets<65>) -> Verdict {
    require(!id.is_empty() && is_printable(id.as_bytes()), CommandStatus::ESME_RINVMSGID)
}

/// The statuses for type of number, numbering plan and address.
type Statuses = [CommandStatus; 3];
const SOURCE: Statuses =
    [CommandStatus::ESME_RINVSRCTON, CommandStatus::ESME_RINVSRCNPI, CommandStatus::ESME_RINVSRCADR];
const DESTINATION: Statuses =
    [CommandStatus::ESME_RINVDSTTON, CommandStatus::ESME_RINVDSTNPI, CommandStatus::ESME_RINVDSTADR];

fn source(ton: Ton, npi: Npi, digits: &[u8]) -> Verdict {
    one_end(ton, npi, digits, SOURCE)
}

fn destination(ton: Ton, npi: Npi, digits: &[u8]) -> Verdict {
    one_end(ton, npi, digits, DESTINATION)?;
    not_empty(digits)
}

fn not_empty(destination: &[u8]) -> Verdict {
    require(!destination.is_empty(), CommandStatus::ESME_RINVDSTADR)
}

fn one_end(ton: Ton, npi: Npi, digits: &[u8], [in_ton, in_npi, in_digits]: Statuses) -> Verdict {
    require(ton.name().is_some(), in_ton)?;
    require(npi.name().is_some(), in_npi)?;
    require(is_address(ton, npi, digits), in_digits)
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

/// Those that are right, with who is on distribution lists, and those that are not.
fn destinations(
    all: &[Destination],
    how: Strictness,
    lists: &Lists,
) -> Result<(Vec<Address>, Vec<UnsuccessSme>), CommandStatus> {
    let (mut right, mut wrong) = (Vec::with_capacity(all.len()), Vec::new());
    for one in all {
        if let Destination::List(name) = one
            && let Some(list) = lists.get(&name.text())
        {
            right.extend(list.iter().map(|digits| Address::international(digits)));
            continue;
        }
        match (one, judged(one, how)) {
            (_, Ok(())) => right.push(Address::from(one)),
            (Destination::List(_), Err(status)) => return Err(status),
            (Destination::Address { ton, npi, address }, Err(error_status_code)) => wrong.push(UnsuccessSme {
                dest_addr_ton: *ton,
                dest_addr_npi: *npi,
                destination_addr: address.detached(),
                error_status_code,
            }),
        }
    }
    match wrong.first() {
        Some(first) if right.is_empty() => Err(first.error_status_code),
        _ => Ok((right, wrong)),
    }
}

fn judged(one: &Destination, how: Strictness) -> Verdict {
    match (one, how) {
        (Destination::List(_), Strictness::Strict) => Err(CommandStatus::ESME_RINVDLNAME),
        (Destination::List(name), Strictness::Lenient) => not_empty(name.as_bytes()),
        (Destination::Address { ton, npi, address }, Strictness::Strict) => destination(*ton, *npi, address.as_bytes()),
        (Destination::Address { address, .. }, Strictness::Lenient) => not_empty(address.as_bytes()),
    }
}

fn esm_class(esm_class: EsmClass, is_data_sm: bool) -> Verdict {
    let is_forward = esm_class.0 & 0x03 == 2;
    let is_type_of_esmes = matches!(esm_class.0 & 0x3C, 0x00 | 0x08 | 0x10);
    require(is_type_of_esmes && (is_data_sm || !is_forward), CommandStatus::ESME_RINVESMCLASS)
}

fn priority_flag(flag: u8) -> Verdict {
    require(flag <= 3, CommandStatus::ESME_RINVPRTFLG)
}

fn registered_delivery(asked: RegisteredDelivery) -> Verdict {
    require(asked.0 & 0xE0 == 0 && asked.0 & 0x03 != 3, CommandStatus::ESME_RINVREGDLVFLG)
}

fn canned(id: u8) -> Verdict {
    require(id == 0, CommandStatus::ESME_RINVDFTMSGID)
}

fn times(
    schedule: &COctets<17>,
    validity: &COctets<17>,
    now_unix: Duration,
    how: Strictness,
) -> Result<Times, CommandStatus> {
    if schedule.is_empty() && validity.is_empty() {
        return Ok(Times::default());
    }
    let (scheduled, expires) = (moment(schedule, now_unix), moment(validity, now_unix));
    if how == Strictness::Lenient {
        return Ok(Times { scheduled: scheduled.unwrap_or_default(), expires: expires.unwrap_or_default() });
    }
    let scheduled = scheduled.map_err(|()| CommandStatus::ESME_RINVSCHED)?;
    let expires = expires.map_err(|()| CommandStatus::ESME_RINVEXPIRY)?;
    // Times are written in tenths at best: the second that is running is not in the past.
    let is_past = |time: Option<Duration>| time.is_some_and(|time| time.as_secs() < now_unix.as_secs());
    require(!is_past(scheduled), CommandStatus::ESME_RINVSCHED)?;
    require(!is_past(expires) && expires.is_none_or(|end| Some(end) >= scheduled), CommandStatus::ESME_RINVEXPIRY)?;
    Ok(Times { scheduled, expires })
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
fn user_data(esm_class: EsmClass, short_message: &[u8], tlvs: &Tlvs) -> Verdict {
    if tlvs.is_empty() && !esm_class.has_udh() {
        return Ok(());
    }
    tlvs.check_lengths().map_err(|_| CommandStatus::ESME_RINVPARLEN)?;
    let payload = tlvs.get(TlvTag::MESSAGE_PAYLOAD);
    require(payload.is_none() || short_message.is_empty(), CommandStatus::ESME_ROPTPARNOTALLWD)?;
    if esm_class.has_udh() {
        let octets = payload.unwrap_or_else(|| bytes::Bytes::copy_from_slice(short_message));
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

#[cfg(test)]
mod tests;
