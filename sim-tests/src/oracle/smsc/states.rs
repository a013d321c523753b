//! A message's states only move forward, and whoever is told of one is told the truth.

use std::time::Duration;

use smpp_transport::pdu::{Body, CommandId, CommandStatus, MessageState};

use super::super::{Report, slack};
use super::Seen;
use super::seen::{Account, Session, asked, in_words};
use crate::history::{Kept, Way};

pub(super) fn states(seen: &Seen, report: &mut Report) {
    for account in &seen.accounts {
        for kept in account.messages.values() {
            forward(account, kept, report);
        }
    }
    receipts_are_true(seen, report);
    for session in &seen.lines {
        let Some(account) = seen.account_of(session) else { continue };
        answers_to_query_are_true(seen, session, account, report);
        cancelled_is_deleted(session, account, report);
    }
}

const fn rank(state: MessageState) -> u8 {
    match state {
        MessageState::SCHEDULED => 0,
        MessageState::ENROUTE => 1,
        _ => 2,
    }
}

fn forward(account: &Account, kept: &Kept, report: &mut Report) {
    let moves = |two: &[(MessageState, Duration)]| rank(two[0].0) < rank(two[1].0) && two[0].1 <= two[1].1;
    let begins = kept.states.first().is_some_and(|(state, _)| rank(*state) < 2);
    let ends = kept.states.last().is_some_and(|(state, _)| *state == kept.state);
    if !(begins && ends && kept.states.windows(2).all(moves)) {
        report.broken(account.at, format!("message {} is {}, and went {:?}", kept.id, kept.state, kept.states));
    }
}

fn receipts_are_true(seen: &Seen, report: &mut Report) {
    let lies = seen.plan.smsc.policy.receipt.state.is_some();
    for offer in seen.offers.iter().filter(|offer| offer.intermediate || !lies) {
        let (Some(message), Some(told)) = (offer.message, offer.state) else { continue };
        let of = |account: &&Account| account.messages.contains_key(&message);
        let Some(account) = seen.accounts.iter().find(of) else { continue };
        let kept = account.messages[&message];
        // In the moment of its death, after its last account, it may say more than that has.
        if account.killed && offer.order > account.order {
            continue;
        }
        let known = |(state, at): &(MessageState, Duration)| *state == told && *at <= offer.at + slack(seen.plan);
        if offer.intermediate == told.is_final() || !kept.states.iter().any(known) {
            let words = format!("{}: told that it is {told}, and it went {:?}", in_words(message), kept.states);
            report.broken(offer.at, words);
        }
    }
}

fn find<'a>(account: &Account<'a>, id: &str) -> Option<&'a Kept> {
    account.messages.values().find(|kept| kept.id == id).copied()
}

/// The state is one that the message had between question and answer. SCHEDULED is said to be ENROUTE.
fn answers_to_query_are_true(seen: &Seen, session: &Session, account: &Account, report: &mut Report) {
    for (question, pdu) in asked(session, CommandId::QUERY_SM) {
        let Body::QuerySm(query) = &pdu.body else { continue };
        let frames = session.line.answers_to(pdu).filter(|it| it.way == Way::Written);
        for answer in frames.filter(|answer| answer.at < account.at) {
            let Some(Body::QuerySmResp(Some(told))) = answer.pdu.as_ref().map(|pdu| &pdu.body) else { continue };
            let Some(kept) = find(account, &query.message_id.text()) else { continue };
            let had = kept.states.iter().enumerate().any(|(place, (state, from))| {
                let said = if *state == MessageState::SCHEDULED { MessageState::ENROUTE } else { *state };
                let until = kept.states.get(place + 1).map_or(Duration::MAX, |(_, at)| *at);
                said == told.message_state
                    && *from <= answer.at
                    && until.saturating_add(slack(seen.plan)) >= question.at
            });
            if !had {
                let words = format!("message {} went {:?}; query_sm: {}", kept.id, kept.states, told.message_state);
                report.broken(answer.at, words);
            }
        }
    }
}

fn cancelled_is_deleted(session: &Session, account: &Account, report: &mut Report) {
    for (_, pdu) in asked(session, CommandId::CANCEL_SM) {
        let Body::CancelSm(cancel) = &pdu.body else { continue };
        let done = session.line.frames.iter().find(|it| {
            let well = it.pdu.as_ref().is_some_and(|pdu| pdu.status == CommandStatus::ESME_ROK);
            it.way == Way::Written && it.answers(pdu) && well && it.at < account.at
        });
        let (Some(done), Some(kept)) = (done, find(account, &cancel.message_id.text())) else { continue };
        if kept.state != MessageState::DELETED {
            report.broken(done.at, format!("message {} was cancelled, and is {}", kept.id, kept.state));
        }
    }
}
