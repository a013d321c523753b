//! Stories of two peers, by topic. Each is judged by the watch at either side too; what they add is that the thing in
//! their name really happened.

mod any;
mod bind;
mod enquire_link;
mod illegal;
mod malformed;
mod outbind;
mod responses;
mod timers;
mod unbind;
mod window;

pub(super) use crate::pdu::{CommandId, CommandStatus};
pub(super) use crate::session::pair::{Flow, Pair, Setup, Told, body};
pub(super) use crate::session::{BindKind, Outcome, Refused, Role, SessionConfig, State, Timer, Why};
pub(super) use std::time::Duration;

pub(super) const OK: CommandStatus = CommandStatus::ESME_ROK;

pub(super) const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// What ended, in order, and how.
pub(super) fn ended(told: Vec<Told>) -> Vec<(u32, Outcome)> {
    let how = |told| match told {
        Told::Ended { sequence, outcome, .. } => Some((sequence, outcome)),
        _ => None,
    };
    told.into_iter().filter_map(how).collect()
}

/// What has passed since this was last asked, as `command status sequence`.
pub(super) fn sent(pair: &mut Pair, role: Role) -> Vec<(CommandId, CommandStatus, u32)> {
    pair.sent(role).into_iter().map(|pdu| (pdu.command_id(), pdu.status, pdu.sequence)).collect()
}
