//! What an error status says in words: what a nack gives as its reason. The words are those of the standard's table 5-2, as
//! vumi2 publishes them.

use crate::pdu::CommandStatus;

const WORDS: [(CommandStatus, &str); 64] = [
    (CommandStatus::ESME_ROK, "No error"),
    (CommandStatus::ESME_RINVMSGLEN, "Message Length is invalid"),
    (CommandStatus::ESME_RINVCMDLEN, "Command Length is invalid"),
    (CommandStatus::ESME_RINVCMDID, "Invalid Command ID"),
    (CommandStatus::ESME_RINVBNDSTS, "Invalid BIND Status for given command"),
    (CommandStatus::ESME_RALYBND, "ESME Already in Bound State"),
    (CommandStatus::ESME_RINVPRTFLG, "Invalid Priority Flag"),
    (CommandStatus::ESME_RINVREGDLVFLG, "Invalid Registered Delivery Flag"),
    (CommandStatus::ESME_RSYSERR, "System Error"),
    (CommandStatus::ESME_RINVSRCADR, "Invalid Source Address"),
    (CommandStatus::ESME_RINVDSTADR, "Invalid Dest Addr"),
    (CommandStatus::ESME_RINVMSGID, "Message ID is invalid"),
    (CommandStatus::ESME_RBINDFAIL, "Bind Failed"),
    (CommandStatus::ESME_RINVPASWD, "Invalid Password"),
    (CommandStatus::ESME_RINVSYSID, "Invalid System ID"),
    (CommandStatus::ESME_RCANCELFAIL, "Cancel SM Failed"),
    (CommandStatus::ESME_RREPLACEFAIL, "Replace SM Failed"),
    (CommandStatus::ESME_RMSGQFUL, "Message Queue Full"),
    (CommandStatus::ESME_RINVSERTYP, "Invalid Service Type"),
    (CommandStatus::ESME_RINVNUMDESTS, "Invalid number of destinations"),
    (CommandStatus::ESME_RINVDLNAME, "Invalid Distribution List Name"),
    (CommandStatus::ESME_RINVDESTFLAG, "Destination flag is invalid (submit_multi)"),
    (
        CommandStatus::ESME_RINVSUBREP,
        "Invalid submit with replace request (i.e.  submit_sm with replace_if_present_flag set)",
    ),
    (CommandStatus::ESME_RINVESMCLASS, "Invalid esm_class field data"),
    (CommandStatus::ESME_RCNTSUBDL, "Cannot Submit to Distribution List"),
    (CommandStatus::ESME_RSUBMITFAIL, "submit_sm or submit_multi failed"),
    (CommandStatus::ESME_RINVSRCTON, "Invalid Source address TON"),
    (CommandStatus::ESME_RINVSRCNPI, "Invalid Source address NPI"),
    (CommandStatus::ESME_RINVDSTTON, "Invalid Destination address TON"),
    (CommandStatus::ESME_RINVDSTNPI, "Invalid Destination address NPI"),
    (CommandStatus::ESME_RINVSYSTYP, "Invalid system_type field"),
    (CommandStatus::ESME_RINVREPFLAG, "Invalid replace_if_present flag"),
    (CommandStatus::ESME_RINVNUMMSGS, "Invalid number of messages"),
    // Without its last bracket, as vumi2 has it.
    (CommandStatus::ESME_RTHROTTLED, "Throttling error (ESME has exceeded allowed message limits"),
    (CommandStatus::ESME_RINVSCHED, "Invalid Scheduled Delivery Time"),
    (CommandStatus::ESME_RINVEXPIRY, "Invalid message validity period (Expiry time)"),
    (CommandStatus::ESME_RINVDFTMSGID, "Predefined Message Invalid or Not Found"),
    (CommandStatus::ESME_RX_T_APPN, "ESME Receiver Temporary App Error Code"),
    (CommandStatus::ESME_RX_P_APPN, "ESME Receiver Permanent App Error Code"),
    (CommandStatus::ESME_RX_R_APPN, "ESME Receiver Reject Message Error Code"),
    (CommandStatus::ESME_RQUERYFAIL, "query_sm request failed"),
    (CommandStatus::ESME_RINVOPTPARSTREAM, "Error in the optional part of the PDU Body"),
    (CommandStatus::ESME_ROPTPARNOTALLWD, "Optional Parameter not allowed"),
    (CommandStatus::ESME_RINVPARLEN, "Invalid Parameter Length"),
    (CommandStatus::ESME_RMISSINGOPTPARAM, "Expected Optional Parameter missing"),
    (CommandStatus::ESME_RINVOPTPARAMVAL, "Invalid Optional Parameter Value"),
    (CommandStatus::ESME_RDELIVERYFAILURE, "Delivery Failure (used for data_sm_resp)"),
    (CommandStatus::ESME_RUNKNOWNERR, "Unknown Error"),
    (CommandStatus::ESME_RSERTYPUNAUTH, "ESME Not authorised to use specified service_type"),
    (CommandStatus::ESME_RPROHIBITED, "ESME Prohibited from using specified operation"),
    (CommandStatus::ESME_RSERTYPUNAVAIL, "Specified service_type is unavailable"),
    (CommandStatus::ESME_RSERTYPDENIED, "Specified service_type is denied"),
    (CommandStatus::ESME_RINVDCS, "Invalid Data Coding Scheme"),
    (CommandStatus::ESME_RINVSRCADDRSUBUNIT, "Source Address Sub unit is Invalid"),
    (CommandStatus::ESME_RINVDSTADDRSUBUNIT, "Destination Address Sub unit is Invalid"),
    (CommandStatus::ESME_RINVBCASTFREQINT, "Broadcast Frequency Interval is invalid"),
    (CommandStatus::ESME_RINVBCASTALIAS_NAME, "Broadcast Alias Name is invalid"),
    (CommandStatus::ESME_RINVBCASTAREAFMT, "Broadcast Area Format is invalid"),
    (CommandStatus::ESME_RINVNUMBCAST_AREAS, "Number of Broadcast Areas is invalid"),
    (CommandStatus::ESME_RINVBCASTCNTTYPE, "Broadcast Content Type is invalid"),
    (CommandStatus::ESME_RINVBCASTMSGCLASS, "Broadcast Message Class is invalid"),
    (CommandStatus::ESME_RBCASTFAIL, "broadcast_sm operation failed"),
    (CommandStatus::ESME_RINVBCAST_REP, "Number of Repeated Broadcasts is invalid"),
    (CommandStatus::ESME_RINVBCASTSRVGRP, "Broadcast Service Group is invalid"),
];

/// The words; of a status that the standard does not know, its number.
#[must_use]
pub fn words(status: CommandStatus) -> String {
    let known = WORDS.iter().find(|(known, _)| *known == status);
    known.map_or_else(|| format!("SMSC error {:#010x}", status.0), |(_, words)| (*words).to_owned())
}
