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

mod field;

use std::collections::BTreeMap;
use std::time::Duration;

use smpp_transport::pdu::{
    Bind, CancelSm, CommandStatus, DataSm, Destination, QuerySm, ReplaceSm, Sm, SubmitMulti, TlvTag, Tlvs, UnsuccessSme,
};

use field::{
    DESTINATION, Verdict, canned, destination, esm_class, is_printable, is_string, message_id, not_empty, one_end,
    priority_flag, registered_delivery, require, service_type, source, times, user_data,
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
    pub(crate) relative: Relative,
}

/// Which times were said as so much from now, and not as a time of day.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Relative {
    pub(crate) scheduled: bool,
    pub(crate) expires: bool,
}

/// What was found in a submit_multi.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Checked {
    pub(crate) times: Times,
    /// Those that get the message; at least one.
    pub(crate) destinations: Vec<Address>,
    /// Places of those in the request; of a distribution list each has the place of the list.
    pub(crate) origins: Vec<usize>,
    /// Those that do not, for the response.
    pub(crate) refused: Vec<UnsuccessSme>,
}

/// A submit_sm. `now_unix` is wall time. As for all here, the error is the status of the response.
pub(crate) fn check_sm(sm: &Sm, tlvs: &Tlvs, now_unix: Duration, how: Strictness) -> Result<Times, CommandStatus> {
    if how == Strictness::Strict {
        service_type(&sm.service_type)?;
        source(sm.source_addr_ton, sm.source_addr_npi, &sm.source_addr)?;
        destination(sm.dest_addr_ton, sm.dest_addr_npi, &sm.destination_addr)?;
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
        source(sm.source_addr_ton, sm.source_addr_npi, &sm.source_addr)?;
    }
    let ((origins, destinations), refused) = destinations(&sm.dest_address, how, lists)?;
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
    Ok(Checked { times, destinations, origins, refused })
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
        source(sm.source_addr_ton, sm.source_addr_npi, &sm.source_addr)?;
        destination(sm.dest_addr_ton, sm.dest_addr_npi, &sm.destination_addr)?;
        esm_class(sm.esm_class, true)?;
        registered_delivery(sm.registered_delivery)?;
        user_data(sm.esm_class, &[], tlvs)?;
    } else {
        not_empty(sm.destination_addr.as_bytes())?;
    }
    let seconds = tlvs.get_u32(TlvTag::QOS_TIME_TO_LIVE);
    let expires = seconds.map(|seconds| now_unix + Duration::from_secs(seconds.into()));
    Ok(Times { scheduled: None, expires, relative: Relative { scheduled: false, expires: expires.is_some() } })
}

/// A replace_sm.
pub(crate) fn check_replace_sm(sm: &ReplaceSm, now_unix: Duration, how: Strictness) -> Result<Times, CommandStatus> {
    if how == Strictness::Strict {
        message_id(&sm.message_id)?;
        source(sm.source_addr_ton, sm.source_addr_npi, &sm.source_addr)?;
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
    source(sm.source_addr_ton, sm.source_addr_npi, &sm.source_addr)
}

/// A cancel_sm: without an id it must have a destination (§4.9.1).
pub(crate) fn check_cancel_sm(sm: &CancelSm, how: Strictness) -> Result<(), CommandStatus> {
    if how == Strictness::Lenient {
        return Ok(());
    }
    service_type(&sm.service_type)?;
    source(sm.source_addr_ton, sm.source_addr_npi, &sm.source_addr)?;
    if sm.message_id.is_empty() {
        not_empty(sm.destination_addr.as_bytes())?;
    }
    one_end(sm.dest_addr_ton, sm.dest_addr_npi, &sm.destination_addr, DESTINATION)
}

/// A bind.
pub(crate) fn check_bind(bind: &Bind, how: Strictness) -> Result<(), CommandStatus> {
    if how == Strictness::Lenient {
        return Ok(());
    }
    let system_id = &bind.system_id;
    require(!system_id.is_empty() && is_string(system_id, is_printable), CommandStatus::ESME_RINVSYSID)?;
    // As long as an account's may be: the account has the last word.
    require(is_printable(bind.password.as_bytes()), CommandStatus::ESME_RINVPASWD)?;
    require(is_string(&bind.system_type, is_printable), CommandStatus::ESME_RINVSYSTYP)?;
    let known = bind.addr_ton.name().is_some() && bind.addr_npi.name().is_some();
    let range = &bind.address_range;
    let is_range = range.is_empty() || is_string(range, |_| range.text().parse::<Pattern>().is_ok());
    require(known && is_range, CommandStatus::ESME_RBINDFAIL)
}

/// Destinations that are right, and the place of each in the request.
type Right = (Vec<usize>, Vec<Address>);

/// Returns those that are right, each with its place in the request, and those that are not.
fn destinations(
    all: &[Destination],
    how: Strictness,
    lists: &Lists,
) -> Result<(Right, Vec<UnsuccessSme>), CommandStatus> {
    let (mut right, mut wrong) = (Vec::with_capacity(all.len()), Vec::new());
    let mut origins = Vec::with_capacity(all.len());
    for (place, one) in all.iter().enumerate() {
        if let Destination::List(name) = one
            && let Some(list) = lists.get(&name.text())
        {
            right.extend(list.iter().map(|digits| Address::international(digits)));
            origins.resize(right.len(), place);
            continue;
        }
        match (one, judged(one, how)) {
            (_, Ok(())) => {
                right.push(Address::from(one));
                origins.push(place);
            }
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
        _ => Ok(((origins, right), wrong)),
    }
}

fn judged(one: &Destination, how: Strictness) -> Verdict {
    match (one, how) {
        (Destination::List(_), Strictness::Strict) => Err(CommandStatus::ESME_RINVDLNAME),
        (Destination::List(name), Strictness::Lenient) => not_empty(name.as_bytes()),
        (Destination::Address { ton, npi, address }, Strictness::Strict) => destination(*ton, *npi, address),
        (Destination::Address { address, .. }, Strictness::Lenient) => not_empty(address.as_bytes()),
    }
}

#[cfg(test)]
mod tests;
