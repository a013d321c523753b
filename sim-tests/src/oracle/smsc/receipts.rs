//! Every accepted message gets the receipts that it asked for, and no others.

use std::time::Duration;

use smpp_transport::pdu::{CommandId, CommandStatus, MessageState, RegisteredDelivery};
use smsc_sim::Outcome;
use smsc_sim::policy::Sent;

use super::super::{Frame, Report};
use super::seen::{Message, Offer, id_given, in_words};
use super::{Answered, Seen};
use crate::history::{Kept, Way};
use crate::plan::Plan;

pub(super) fn receipts(seen: &Seen, report: &mut Report) {
    accepted_are_known(seen, report);
    nobody_gets_what_was_not_asked_for(seen, report);
    let Some(last) = seen.last() else { return };
    for (message, kept) in &last.messages {
        for intermediate in [false, true] {
            all_that_were_asked_for(seen, *message, kept, intermediate, report);
            in_time(seen, *message, kept, intermediate, report);
        }
    }
}

/// What the simulator has answered with an id, it knows by that id.
fn accepted_are_known(seen: &Seen, report: &mut Report) {
    for session in &seen.lines {
        let Some(account) = seen.account_of(session) else { continue };
        for frame in session.line.frames.iter().filter(|frame| frame.at < account.at) {
            let Some((sequence, id)) = id_given(frame) else { continue };
            let is_its = |it: &&Frame| {
                let answer = it.command().and_then(CommandId::answer);
                it.way == Way::Read && answer.is_some() && answer == frame.command()
            };
            let submit = session.line.numbered(sequence).find(is_its);
            let Some(message) = submit.and_then(Frame::submitted) else { continue };
            if message.0 >= seen.plan.clients.len() {
                continue;
            }
            if account.messages.get(&message).is_none_or(|kept| kept.id != id) {
                let message = in_words(message);
                report.broken(frame.at, format!("{message} was accepted as {id}, which the simulator does not know"));
            }
        }
    }
}

/// How many of these a message that ended so asked for; none when it depends on a state that is not known.
fn wanted(plan: &Plan, message: Message, intermediate: bool, state: Option<MessageState>) -> Option<usize> {
    let policy = &plan.smsc.policy.receipt;
    let asked = RegisteredDelivery(plan.clients.get(message.0)?.messages.get(message.1)?.registered_delivery);
    let times = usize::from(policy.times.unwrap_or(1));
    let well = || state.map(|state| matches!(state, MessageState::DELIVERED | MessageState::ACCEPTED));
    match (policy.sent.unwrap_or_default(), intermediate) {
        (Sent::Never, _) => Some(0),
        (_, true) => Some(usize::from(asked.0 & 0x10 != 0)),
        (Sent::Always, false) => Some(times),
        (Sent::Asked, false) => match asked.0 & 3 {
            1 => Some(times),
            2 => well().map(|well| if well { 0 } else { times }),
            _ => Some(0),
        },
    }
}

fn nobody_gets_what_was_not_asked_for(seen: &Seen, report: &mut Report) {
    let truth = seen.plan.smsc.policy.receipt.state.is_none();
    for offer in &seen.offers {
        let Some(message) = offer.message else { continue };
        if wanted(seen.plan, message, offer.intermediate, offer.state.filter(|_| truth)) == Some(0) {
            let what = if offer.intermediate { "intermediate notification" } else { "receipt" };
            let state = offer.state.map_or("no state".to_owned(), |state| state.to_string());
            let words = format!("{}: {what} of {state}, which nobody asked for", in_words(message));
            report.broken(offer.at, words);
        }
    }
}

fn all_that_were_asked_for(seen: &Seen, message: Message, kept: &Kept, intermediate: bool, report: &mut Report) {
    let reached = !intermediate || kept.states.iter().any(|(state, _)| *state == MessageState::ENROUTE);
    let Some(wanted) = wanted(seen.plan, message, intermediate, Some(kept.state)).filter(|_| reached) else { return };
    let at = seen.last().map(|last| last.at).unwrap_or_default();
    let what = if intermediate { "notifications" } else { "receipts" };
    let told = kept.receipts.iter().filter(|receipt| receipt.intermediate == intermediate);
    let (count, given_up) =
        told.fold((0, 0), |(count, up), it| (count + 1, up + usize::from(it.outcome == Outcome::GivenUp)));
    if count != wanted {
        report.broken(at, format!("{}: {count} {what}, {wanted} asked for", in_words(message)));
    }
    let of_it = seen.offers.iter().filter(|it| it.message == Some(message) && it.intermediate == intermediate);
    let (mut settled, mut unclear) = (0, 0);
    for offer in of_it.filter(|offer| offer.at <= at) {
        match offer.answered {
            Answered::At(_, status) if status != CommandStatus::ESME_RX_T_APPN => settled += 1,
            Answered::Unclear => unclear += 1,
            Answered::At(..) | Answered::Never => {}
        }
    }
    let message = || in_words(message);
    if settled > wanted {
        report.broken(at, format!("{}: {settled} {what} were taken, {wanted} asked for", message()));
    }
    if settled + unclear + given_up < wanted {
        let taken = format!("{}: {settled} {what} were taken, {given_up} given up", message());
        report.broken(at, format!("{taken}, {wanted} asked for"));
    }
}

/// The first one comes when it is due, if the session that submitted can have it all the time; it may have to wait for room.
fn in_time(seen: &Seen, message: Message, kept: &Kept, intermediate: bool, report: &mut Report) {
    let is_it = |offer: &&Offer| offer.message == Some(message) && offer.intermediate == intermediate;
    let Some(first) = seen.offers.iter().find(is_it) else { return };
    let is_told_of = |state: MessageState| if intermediate { state == MessageState::ENROUTE } else { state.is_final() };
    let Some((_, reached)) = kept.states.iter().find(|(state, _)| is_told_of(*state)) else { return };
    let wait = Duration::from_millis(seen.plan.deliveries_max_ms() + seen.plan.smsc.slowness_max_ms());
    let by = *reached + seen.plan.smsc.told_after_max() + wait;
    let own = seen.submitted(message).map(|(own, _)| &seen.lines[own]);
    let could = own.is_some_and(|own| own.may_have(&kept.account, &first.to) && own.stood(*reached, first.at));
    if could && first.at > by {
        let words = format!("{}: told at {:?} of what was so at {reached:?}", in_words(message), first.at);
        report.broken(first.at, words);
    }
}
