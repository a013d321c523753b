//! What is delivered goes to a session that may have it, and to the one that the policy wants if it can.

use smsc_sim::policy::Which;

use super::super::Report;
use super::Seen;
use super::seen::{Message, Offer, in_words};
use crate::app::system_id;

pub(super) fn routing(seen: &Seen, report: &mut Report) {
    for offer in &seen.offers {
        let session = &seen.lines[offer.session];
        let account =
            offer.message.and_then(|(client, _)| seen.plan.clients.get(client)).map(|it| system_id(it.account));
        let bound = session.bound.as_ref();
        let account = account.or(bound.map(|bound| bound.system_id.clone())).unwrap_or_default();
        if !session.may_have(&account, &offer.to) || bound.is_none_or(|bound| bound.at > offer.at) {
            let what =
                offer.message.map_or("a message".to_owned(), |message| format!("receipt of {}", in_words(message)));
            let (line, to) = (session.line.number, &offer.to);
            let words =
                format!("line {line} Smsc: deliver_sm, {what} to {to} of {account}, which this session may not have");
            report.broken(offer.at, words);
        }
        let is_unknown = |message: &Message| seen.submitted(*message).is_none();
        if let Some(message) = offer.message.filter(is_unknown) {
            let line = session.line.number;
            let words = format!("line {line}: {}: told of by an SMSC that was never given it", in_words(message));
            report.broken(offer.at, words);
        }
        which(seen, offer, &account, report);
    }
}

/// By the session that submitted, as long as that stands, and by others that stood all the time since.
fn which(seen: &Seen, offer: &Offer, account: &str, report: &mut Report) {
    let Some(message) = offer.message else { return };
    let Some((own, request)) = seen.submitted(message) else { return };
    let stood =
        |place: usize| seen.lines[place].may_have(account, &offer.to) && seen.lines[place].stood(request.at, offer.at);
    match seen.plan.smsc.policy.receipt.session.unwrap_or_default() {
        Which::Same if offer.session != own && stood(own) => {
            let (other, own) = (seen.lines[offer.session].line.number, seen.lines[own].line.number);
            let words = format!("{}: receipt on line {other}, submitted on line {own}", in_words(message));
            report.broken(offer.at, words);
        }
        Which::Other if offer.session == own => {
            let other = (0..seen.lines.len()).find(|place| *place != own && stood(*place));
            if let Some(other) = other {
                let other = seen.lines[other].line.number;
                let words = format!("{}: receipt where it was submitted, not on line {other}", in_words(message));
                report.broken(offer.at, words);
            }
        }
        _ => {}
    }
}
