//! Submits as the SMSC saw them: where it read each, and whether it refused it.

use std::time::Duration;

use smpp_transport::pdu::{CommandId, CommandStatus};

use super::super::Line;
use super::Seen;
use super::seen::Try;
use crate::history::Way;

/// A submit that reached the SMSC.
pub(super) struct Arrival {
    pub(super) at: Duration,
    /// Place among all facts.
    pub(super) order: usize,
    /// `true` unless the SMSC answered with an error. A message whose answer is lost or left out is accepted all the same.
    pub(super) is_accepted: bool,
}

/// Returns where the SMSC read this submit; `None` if it never did.
pub(super) fn arrival(seen: &Seen, it: &Try) -> Option<Arrival> {
    let line = seen.far_end(it.line)?;
    let (_, sequence) = it.frame.header()?;
    let mut read = line.numbered(sequence).filter(|frame| frame.is(Way::Read, CommandId::SUBMIT_SM));
    let frame = read.find(|frame| frame.order > it.frame.order)?;
    Some(Arrival { at: frame.at, order: frame.order, is_accepted: !is_refused(line, frame) })
}

fn is_refused(line: &Line, request: &super::super::Frame) -> bool {
    let Some((_, sequence)) = request.header() else { return true };
    let written = line.numbered(sequence).filter(|it| it.way == Way::Written && it.order > request.order);
    let mut answers = written.filter(|it| it.answers_frame(request));
    answers.any(|answer| {
        let is_nack = answer.header().is_some_and(|(command, _)| command == CommandId::GENERIC_NACK);
        is_nack || answer.status() != Some(CommandStatus::ESME_ROK)
    })
}
