//! What an ESME could not take comes again after the retry delay, what it refused for good does not, and nothing is lost.

use std::collections::BTreeMap;
use std::time::Duration;

use smpp_transport::pdu::CommandStatus;
use smsc_sim::DeliveryState;

use super::super::{Report, slack};
use super::seen::{Binding, Offer, in_words};
use super::{Answered, Seen};
use crate::app::system_id;

pub(super) fn deliveries(seen: &Seen, report: &mut Report) {
    // Where each goes twice, it cannot be told which of them comes again.
    if seen.plan.smsc.policy.receipt.times.unwrap_or(1) == 1 {
        let mut before: BTreeMap<_, &Offer> = BTreeMap::new();
        for offer in seen.offers.iter().filter(|offer| offer.message.is_some()) {
            if let Some(before) = before.insert((offer.message, offer.intermediate), offer) {
                again(seen, before, offer, report);
            }
        }
    }
    if let Some(last) = seen.last() {
        let open = |state: &DeliveryState| matches!(state, DeliveryState::Waiting | DeliveryState::Sent);
        let lost = last.deliveries.iter().filter(|state| open(state)).count();
        if lost > 0 && !somebody_is_elsewhere(seen, last.at) {
            report.broken(last.at, format!("{lost} messages from handsets are still to be delivered, and none waits"));
        }
    }
}

/// Whether a transport that goes from one SMSC to another has nobody here who receives: what is for it waits.
fn somebody_is_elsewhere(seen: &Seen, at: Duration) -> bool {
    let receives = |account: usize| {
        let account = system_id(account);
        seen.lines.iter().any(|session| {
            let is_its = |bound: &&Binding| bound.receives && bound.system_id == account;
            session.bound.as_ref().is_some_and(|bound| is_its(&bound)) && session.stood(at, at)
        })
    };
    seen.plan.smscs > 1 && !seen.plan.transports.iter().all(|transport| receives(transport.account))
}

/// One was offered, and then again.
fn again(seen: &Seen, before: &Offer, offer: &Offer, report: &mut Report) {
    let retry = seen.plan.smsc.retry.delay.0;
    let timeout = Duration::from_millis(seen.plan.timers.response_timeout_ms);
    let message = offer.message.unwrap_or_default();
    let due = match before.answered {
        Answered::At(at, CommandStatus::ESME_RX_T_APPN) => at + retry,
        Answered::At(_, status) => {
            return report.broken(offer.at, format!("{}: offered again after {status}", in_words(message)));
        }
        Answered::Never => before.at + timeout + retry,
        Answered::Unclear => return,
    };
    if offer.at + slack(seen.plan) < due {
        let words = format!("{}: offered at {:?} and, {:?}, again", in_words(message), before.at, before.answered);
        report.broken(offer.at, format!("{words} before {due:?}"));
    }
}
