//! What a request says, held against the standard.

use std::time::Duration;

use smpp_transport::pdu::{
    Bind, CancelSm, CommandStatus, DataSm, QuerySm, ReplaceSm, Sm, SubmitMulti, Tlvs, UnsuccessSme,
};

use super::record::Address;

/// How requests are looked at.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum Strictness {
    /// By the letter.
    #[default]
    Strict,
    /// Whatever can be understood: only a message for nobody is refused.
    Lenient,
}

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

/// `now_unix` is wall time. As for all here, the error is the status of the response.
pub(crate) fn check_sm(sm: &Sm, tlvs: &Tlvs, now_unix: Duration, how: Strictness) -> Result<Times, CommandStatus> {
    unimplemented!()
}
pub(crate) fn check_submit_multi(
    sm: &SubmitMulti,
    tlvs: &Tlvs,
    now_unix: Duration,
    how: Strictness,
) -> Result<Checked, CommandStatus> {
    unimplemented!()
}
/// A data_sm has no field for times, but qos_time_to_live (§5.3.2.9).
pub(crate) fn check_data_sm(
    sm: &DataSm,
    tlvs: &Tlvs,
    now_unix: Duration,
    how: Strictness,
) -> Result<Times, CommandStatus> {
    unimplemented!()
}
pub(crate) fn check_replace_sm(sm: &ReplaceSm, now_unix: Duration, how: Strictness) -> Result<Times, CommandStatus> {
    unimplemented!()
}
pub(crate) fn check_query_sm(sm: &QuerySm, how: Strictness) -> Result<(), CommandStatus> {
    unimplemented!()
}
pub(crate) fn check_cancel_sm(sm: &CancelSm, how: Strictness) -> Result<(), CommandStatus> {
    unimplemented!()
}
pub(crate) fn check_bind(bind: &Bind, how: Strictness) -> Result<(), CommandStatus> {
    unimplemented!()
}
