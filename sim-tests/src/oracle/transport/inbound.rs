//! Inbound, at least once: what is answered with status 0 is on the bus by then, or a part that is safe; what is not is kept by
//! the SMSC; and parts never mix.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use smpp_transport::bus::Route;
use smpp_transport::pdu::CommandStatus;
use smsc_sim::rules::Malformed;

use super::super::{Report, slack};
use super::seen::Delivered;
use super::{Seen, parts};
use crate::transport::{handset, handset_text};

pub(super) fn inbound(seen: &Seen, report: &mut Report) {
    whole_messages_are_published_first(seen, report);
    nothing_is_refused_for_good(seen, report);
    nothing_is_published_that_was_not_sent(seen, report);
    parts::parts(seen, report);
    for number in 0..seen.part.handsets.len() {
        parts_become_their_message(seen, number, report);
    }
}

fn whole_messages_are_published_first(seen: &Seen, report: &mut Report) {
    let mut delivered: Vec<&Delivered> =
        seen.delivered.iter().filter(|it| !it.is_receipt && it.part.total == 1).collect();
    delivered.retain(|it| it.accepted().is_some());
    delivered.sort_by_key(|it| it.accepted().map(|answer| answer.order));
    let mut accepted: BTreeMap<&str, usize> = BTreeMap::new();
    for it in &delivered {
        let Some(answer) = it.accepted() else { continue };
        let count = accepted.entry(&it.from).or_default();
        *count += 1;
        let is_it = |published: &&super::seen::Published| {
            published.route == Route::Inbound && published.said.from() == it.from && published.order < answer.order
        };
        let published = seen.published.iter().filter(is_it).count();
        if published < *count {
            let words = format!("message from {} of {}: answered before it was on the bus", it.from, seen.owner);
            report.broken(answer.at, words);
        }
    }
}

/// What cannot be taken now the SMSC is asked to offer again. Whatever else it is answered, it throws the message away.
fn nothing_is_refused_for_good(seen: &Seen, report: &mut Report) {
    for it in seen.delivered.iter().filter(|it| it.frame.wrong.is_none()) {
        let (Some(answer), Some(status)) = (it.answer, it.status()) else { continue };
        if !matches!(status, CommandStatus::ESME_ROK | CommandStatus::ESME_RX_T_APPN) {
            let what = if it.is_receipt { "receipt" } else { "message" };
            if seen.may_be_mixed(it) {
                report.excused("inbound: the SMSC used a reference again while parts with it were held");
                continue;
            }
            report.broken(
                answer.at,
                format!("{what} from {} of {}: refused for good, with {status}", it.from, seen.owner),
            );
        }
    }
}

fn nothing_is_published_that_was_not_sent(seen: &Seen, report: &mut Report) {
    for published in seen.published.iter().filter(|it| it.route == Route::Inbound) {
        let (from, content) = (published.said.from(), published.said.content());
        let number = from.get(4..).and_then(|digits| digits.parse::<usize>().ok());
        let number = number.filter(|number| from == handset(seen.owner, *number));
        let Some(text) = number.and_then(|number| handset_text(seen.plan, seen.owner, number)) else {
            // What is wrong may be understood all the same.
            if seen.plan.smsc.is_malformed() && from.starts_with(Malformed::FROM) {
                continue;
            }
            if content != "from a handset" {
                report.broken(published.at, format!("from {from}: {content:?}, which nobody sent"));
            }
            continue;
        };
        // A message that never became whole comes as what there is of it.
        if content.is_empty() || !text.contains(content) {
            report.broken(published.at, format!("from {from}: {content:?}; {text:?} was sent"));
        }
    }
}

fn parts_become_their_message(seen: &Seen, number: usize, report: &mut Report) {
    let from = handset(seen.owner, number);
    let mut parts: Vec<&Delivered> = seen.delivered.iter().filter(|it| it.from == from && it.part.total > 1).collect();
    parts.sort_by_key(|it| it.frame.order);
    // One that was put off, as its disk was full, may be held all the same, and the others wait with it.
    let Some(began) = parts.first().map(|it| it.frame.at) else { return };
    parts.retain(|it| it.accepted().is_some());
    let Some(total) = parts.first().map(|it| it.part.total) else { return };
    let numbers: BTreeSet<u8> = parts.iter().map(|it| it.part.number).collect();
    let (Some(first), Some(last)) = (parts.first(), parts.last()) else { return };
    let whole = numbers.len() == usize::from(total);
    let expiry = Duration::from_millis(seen.part.options.join_expiry_ms);
    let in_time = last.accepted().is_some_and(|answer| {
        let is_soon = answer.at + slack(seen.plan) < began + expiry;
        is_soon && !seen.clocks_differ(first.frame.at, answer.at)
    });
    let kept = last.accepted().is_some_and(|answer| !seen.forgets(first.frame.order, answer.order));
    if !(whole && in_time && kept && seen.at_rest) {
        return;
    }
    let text = handset_text(seen.plan, seen.owner, number).unwrap_or_default();
    let is_it =
        |it: &super::seen::Published| it.route == Route::Inbound && it.said.from() == from && it.said.content() == text;
    if !seen.published.iter().any(is_it) {
        report.broken(seen.end, format!("from {from}: all {total} parts were taken, and no message came of them"));
    }
}
