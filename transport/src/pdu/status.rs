//! `command_status` by name (§5.1.3), and the one function that says what the peer is told of a PDU that cannot be read.

use super::{DecodeError, DecodeErrorKind, FaultKind};

names! {
    /// `command_status` (§5.1.3). The values from 0x100 are SMPP 5.0's; 0x400 to 0x4FF are the SMSC vendor's own.
    CommandStatus: u32 {
        ESME_ROK = 0x00, ESME_RINVMSGLEN = 0x01, ESME_RINVCMDLEN = 0x02, ESME_RINVCMDID = 0x03, ESME_RINVBNDSTS = 0x04,
        ESME_RALYBND = 0x05, ESME_RINVPRTFLG = 0x06, ESME_RINVREGDLVFLG = 0x07, ESME_RSYSERR = 0x08, ESME_RINVSRCADR = 0x0A,
        ESME_RINVDSTADR = 0x0B, ESME_RINVMSGID = 0x0C, ESME_RBINDFAIL = 0x0D, ESME_RINVPASWD = 0x0E, ESME_RINVSYSID = 0x0F,
        ESME_RCANCELFAIL = 0x11, ESME_RREPLACEFAIL = 0x13, ESME_RMSGQFUL = 0x14, ESME_RINVSERTYP = 0x15,
        ESME_RINVNUMDESTS = 0x33, ESME_RINVDLNAME = 0x34, ESME_RINVDESTFLAG = 0x40, ESME_RINVSUBREP = 0x42,
        ESME_RINVESMCLASS = 0x43, ESME_RCNTSUBDL = 0x44, ESME_RSUBMITFAIL = 0x45, ESME_RINVSRCTON = 0x48,
        ESME_RINVSRCNPI = 0x49, ESME_RINVDSTTON = 0x50, ESME_RINVDSTNPI = 0x51, ESME_RINVSYSTYP = 0x53,
        ESME_RINVREPFLAG = 0x54, ESME_RINVNUMMSGS = 0x55, ESME_RTHROTTLED = 0x58, ESME_RINVSCHED = 0x61,
        ESME_RINVEXPIRY = 0x62, ESME_RINVDFTMSGID = 0x63, ESME_RX_T_APPN = 0x64, ESME_RX_P_APPN = 0x65, ESME_RX_R_APPN = 0x66,
        ESME_RQUERYFAIL = 0x67, ESME_RINVOPTPARSTREAM = 0xC0, ESME_ROPTPARNOTALLWD = 0xC1, ESME_RINVPARLEN = 0xC2,
        ESME_RMISSINGOPTPARAM = 0xC3, ESME_RINVOPTPARAMVAL = 0xC4, ESME_RDELIVERYFAILURE = 0xFE, ESME_RUNKNOWNERR = 0xFF,
        ESME_RSERTYPUNAUTH = 0x100, ESME_RPROHIBITED = 0x101, ESME_RSERTYPUNAVAIL = 0x102, ESME_RSERTYPDENIED = 0x103,
        ESME_RINVDCS = 0x104, ESME_RINVSRCADDRSUBUNIT = 0x105, ESME_RINVDSTADDRSUBUNIT = 0x106,
        ESME_RINVBCASTFREQINT = 0x107, ESME_RINVBCASTALIAS_NAME = 0x108, ESME_RINVBCASTAREAFMT = 0x109,
        ESME_RINVNUMBCAST_AREAS = 0x10A, ESME_RINVBCASTCNTTYPE = 0x10B, ESME_RINVBCASTMSGCLASS = 0x10C,
        ESME_RBCASTFAIL = 0x10D, ESME_RBCASTQUERYFAIL = 0x10E, ESME_RBCASTCANCELFAIL = 0x10F, ESME_RINVBCAST_REP = 0x110,
        ESME_RINVBCASTSRVGRP = 0x111, ESME_RINVBCASTCHANIND = 0x112,
    }
}

/// What the peer is told of a PDU that cannot be read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Answer {
    /// generic_nack with this status, then close: the octets that follow cannot be trusted (§4.3).
    Close(CommandStatus),
    /// generic_nack with this status; the session goes on (§3.3).
    GenericNack(CommandStatus),
    /// The request's own response with this status; the session goes on.
    Respond(CommandStatus),
    /// Nothing: a response, or a request that has no answer, is never answered.
    Ignore,
}

impl DecodeError {
    /// What the peer is told.
    #[must_use]
    pub fn answer(&self) -> Answer {
        match self.kind {
            DecodeErrorKind::Length { .. } => Answer::Close(CommandStatus::ESME_RINVCMDLEN),
            DecodeErrorKind::Field { .. } if self.command_id.is_response() => Answer::Ignore,
            DecodeErrorKind::Field { .. } if self.command_id.answer().is_none() => Answer::Ignore,
            DecodeErrorKind::Field { .. } if self.command_id.has_no_body() => {
                Answer::Respond(CommandStatus::ESME_RINVCMDLEN)
            }
            DecodeErrorKind::Field { field, fault } => Answer::Respond(status_of(field, fault)),
        }
    }
}

/// A field that is there but wrong has a status of its own; one that is cut short is the length's fault.
fn status_of(field: &str, fault: FaultKind) -> CommandStatus {
    match (fault, field) {
        (FaultKind::Leftover { .. } | FaultKind::TlvOverrun { .. }, _) => CommandStatus::ESME_RINVOPTPARSTREAM,
        (FaultKind::CutShort, "short_message") | (FaultKind::OutOfRange { .. }, "sm_length") => {
            CommandStatus::ESME_RINVMSGLEN
        }
        (FaultKind::CutShort, _) => CommandStatus::ESME_RINVCMDLEN,
        (_, "system_id") => CommandStatus::ESME_RINVSYSID,
        (_, "password") => CommandStatus::ESME_RINVPASWD,
        (_, "system_type") => CommandStatus::ESME_RINVSYSTYP,
        (_, "service_type") => CommandStatus::ESME_RINVSERTYP,
        (_, "source_addr") => CommandStatus::ESME_RINVSRCADR,
        (_, "destination_addr") => CommandStatus::ESME_RINVDSTADR,
        (_, "schedule_delivery_time") => CommandStatus::ESME_RINVSCHED,
        (_, "validity_period") => CommandStatus::ESME_RINVEXPIRY,
        (_, "message_id") => CommandStatus::ESME_RINVMSGID,
        (_, "number_of_dests") => CommandStatus::ESME_RINVNUMDESTS,
        (_, "dest_flag") => CommandStatus::ESME_RINVDESTFLAG,
        (_, "dl_name") => CommandStatus::ESME_RINVDLNAME,
        (_, "address_range") => CommandStatus::ESME_RBINDFAIL,
        _ => CommandStatus::ESME_RINVCMDLEN,
    }
}
