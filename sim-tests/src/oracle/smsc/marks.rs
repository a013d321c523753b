//! Situations of messages and deliveries that a sweep must have met.

use std::collections::{BTreeMap, BTreeSet};

use smpp_transport::pdu::{Body, CommandId, CommandStatus, MessageState};
use smsc_sim::{DeliveryState, Outcome};

use super::seen::{Offer, asked};
use super::{Answered, Seen};
use crate::history::{Kept, Way};

/// Those that there are.
pub(crate) const MARKS: [&str; 20] = [
    "intermediate notification",
    "receipt of failure only",
    "receipt two times",
    "receipt in data_sm",
    "receipt without text",
    "receipt on another session",
    "receipt held until a bind",
    "receipt before the response to its message",
    "delivery retried",
    "delivery retried on another session",
    "delivery refused for good",
    "delivery given up",
    "message from a handset",
    "message sent later",
    "message expired by its validity",
    "message cancelled",
    "message not cancelled in time",
    "state asked for",
    "queue full",
    "receipts unanswered at a kill",
];

pub(crate) fn marks(all: &[Seen]) -> BTreeSet<&'static str> {
    all.iter().flat_map(of_one).collect()
}

fn of_one(seen: &Seen) -> BTreeSet<&'static str> {
    let mut met = BTreeSet::new();
    for account in &seen.accounts {
        let open = |kept: &&Kept| kept.receipts.iter().any(|receipt| receipt.outcome == Outcome::Sent);
        let killed = account.killed && account.messages.values().any(open);
        met.extend(killed.then_some("receipts unanswered at a kill"));
        met.extend(account.messages.values().flat_map(|kept| of_message(seen, kept)));
        let given_up = account.deliveries.contains(&DeliveryState::GivenUp);
        met.extend(given_up.then_some("delivery given up"));
    }
    let mut before: BTreeMap<_, &Offer> = BTreeMap::new();
    for offer in &seen.offers {
        of_offer(seen, offer, &mut met);
        let Some(before) = before.insert((offer.message, offer.intermediate), offer) else { continue };
        if offer.message.is_some() && matches!(before.answered, Answered::At(_, CommandStatus::ESME_RX_T_APPN)) {
            met.insert("delivery retried");
            met.extend((before.session != offer.session).then_some("delivery retried on another session"));
        }
    }
    for session in &seen.lines {
        for (_, pdu) in asked(session, CommandId::QUERY_SM).chain(asked(session, CommandId::CANCEL_SM)) {
            let answer = session.line.answers_to(pdu).find(|it| it.way == Way::Written);
            let Some(answer) = answer.and_then(|answer| answer.pdu.as_ref()) else { continue };
            met.extend(match (&answer.body, answer.status) {
                (Body::QuerySmResp(Some(_)), _) => Some("state asked for"),
                (Body::CancelSmResp(_), CommandStatus::ESME_ROK) => Some("message cancelled"),
                (_, CommandStatus::ESME_RCANCELFAIL) => Some("message not cancelled in time"),
                _ => None,
            });
        }
        let full = session.line.frames.iter().filter(|frame| frame.way == Way::Written);
        let full = full.filter_map(|frame| frame.pdu.as_ref()).any(|pdu| pdu.status == CommandStatus::ESME_RMSGQFUL);
        met.extend(full.then_some("queue full"));
    }
    met
}

fn of_message<'a>(seen: &Seen, kept: &'a Kept) -> impl Iterator<Item = &'static str> + 'a {
    let was = |state: MessageState| kept.states.iter().any(|(it, _)| *it == state);
    // Not what the network says, which is drawn with the other ends.
    let message = crate::app::message_of(&kept.to);
    let valid = message.and_then(|(client, message)| seen.plan.clients.get(client)?.messages.get(message));
    let expired = kept.state == MessageState::EXPIRED && valid.is_some_and(|message| message.validity_s > 0);
    let told = |intermediate: bool| kept.receipts.iter().filter(move |it| it.intermediate == intermediate).count();
    [
        expired.then_some("message expired by its validity"),
        was(MessageState::SCHEDULED).then_some("message sent later"),
        (told(true) > 0).then_some("intermediate notification"),
        (told(false) > 1).then_some("receipt two times"),
        (told(false) > 0 && kept.registered_delivery & 3 == 2).then_some("receipt of failure only"),
        kept.receipts.iter().any(|it| it.outcome == Outcome::GivenUp).then_some("delivery given up"),
        kept.receipts.iter().any(|it| it.outcome == Outcome::Refused).then_some("delivery refused for good"),
    ]
    .into_iter()
    .flatten()
}

fn of_offer(seen: &Seen, offer: &Offer, met: &mut BTreeSet<&'static str>) {
    let session = &seen.lines[offer.session];
    let Some(message) = offer.message else {
        met.insert("message from a handset");
        return;
    };
    met.extend(offer.in_data_sm.then_some("receipt in data_sm"));
    met.extend((!offer.has_text).then_some("receipt without text"));
    if let Some((own, request)) = seen.submitted(message) {
        met.extend((own != offer.session).then_some("receipt on another session"));
        let line = seen.lines[own].line;
        let mut answers = request.pdu.iter().flat_map(|pdu| line.answers_to(pdu));
        let early = answers.find(|it| it.way == Way::Written).is_some_and(|answer| offer.order < answer.order);
        met.extend(early.then_some("receipt before the response to its message"));
    }
    let reached = seen.kept(message).and_then(|kept| kept.states.last()).map(|(_, at)| *at);
    let bound = session.bound.as_ref().map(|bound| bound.at);
    met.extend((reached < bound && reached.is_some()).then_some("receipt held until a bind"));
}
