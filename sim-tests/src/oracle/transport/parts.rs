//! What is taken of a long message is published in the end: with all the others, or, where some never come, as what there is.

use std::time::Duration;

use smpp_transport::bus::Route;
use smpp_transport::pdu::{Body, DataCoding, Pdu};

use super::super::line::user_data;
use super::super::{Frame, Report};
use super::Seen;
use super::seen::Delivered;
use crate::history::What;
use crate::plan::{BusFaults, FaultKind};
use crate::transport::handset;

/// How long it takes from their end until waiting parts are on the bus, which may have to be asked again.
const PATIENCE: Duration = Duration::from_secs(3);

pub(super) fn parts(seen: &Seen, report: &mut Report) {
    for number in 0..seen.part.handsets.len() {
        let from = handset(seen.owner, number);
        let is_part = |it: &&Delivered| it.from == from && it.part.total > 1 && it.accepted().is_some();
        let taken: Vec<_> = seen.delivered.iter().filter(is_part).collect();
        if seen.at_rest && are_due(seen, &taken) {
            taken.iter().for_each(|part| is_published(seen, part, report));
        }
    }
}

fn is_published(seen: &Seen, part: &Delivered, report: &mut Report) {
    let Some(text) = part.frame.pdu.as_ref().and_then(text) else { return };
    let from_it = seen.published.iter().filter(|it| it.route == Route::Inbound && it.said.from() == part.from);
    if !from_it.into_iter().any(|it| it.said.content().contains(&text)) {
        let (from, part) = (&part.from, part.part);
        let words = format!("from {from}: part {} of {} was taken, and is in no message", part.number, part.total);
        report.broken(seen.end, words);
    }
}

/// Whether parts that are still alone must have been given up before the end of the run, by somebody who knew of them.
fn are_due(seen: &Seen, taken: &[&Delivered]) -> bool {
    let answers = || taken.iter().filter_map(|part| part.accepted());
    let (Some(first), Some(last)) = (answers().min_by_key(order), answers().max_by_key(order)) else { return false };
    let expiry = Duration::from_millis(seen.part.options.join_expiry_ms);
    let well = seen.plan.peace().unwrap_or(seen.plan.last_event());
    // Each may be published by itself, one after the other.
    let slowness = Duration::from_millis(taken.len() as u64 * (seen.part.bus.delay_ms + seen.part.sync_ms));
    // What a process was to tell that has ended is given to the next one so much later.
    let held_on = Duration::from_millis(seen.part.options.early_hold_ms);
    let by = (last.at + expiry).max(well) + held_on + PATIENCE + slowness;
    by < told_to_stop(seen)
        && !seen.forgets(first.order, place(seen, by))
        && !seen.clocks_differ(first.at, by)
        && !may_be_kept_by_bus_or_store(seen)
}

fn order(frame: &&Frame) -> usize {
    frame.order
}

/// A bus that refuses by chance to the end may do so any number of times; what a silent store was asked for, nobody has heard.
fn may_be_kept_by_bus_or_store(seen: &Seen) -> bool {
    let BusFaults { refuse, unconfirmed, .. } = seen.part.bus;
    let is_silent = |kind| matches!(kind, FaultKind::StoreSilent(it) if seen.plan.owner(it) == seen.owner);
    let refuses = refuse + unconfirmed > 0.0 && seen.plan.peace().is_none();
    refuses || seen.plan.faults.iter().any(|fault| is_silent(fault.kind))
}

/// The place of the first fact that is not before this.
fn place(seen: &Seen, at: Duration) -> usize {
    let first = seen.facts.iter().find(|(_, fact)| fact.at >= at);
    first.map_or(seen.last_place(), |(order, _)| *order)
}

/// When the processes were told to stop for the last time.
fn told_to_stop(seen: &Seen) -> Duration {
    let stops = seen.facts.iter().filter_map(|(_, fact)| match fact.what {
        What::Stopped { took, .. } => Some(fact.at.saturating_sub(took)),
        _ => None,
    });
    stops.max().unwrap_or(seen.end)
}

/// The part's own text; none of one that has to be joined with another before it can be read, or has escapes.
fn text(pdu: &Pdu) -> Option<String> {
    let (class, coding) = match &pdu.body {
        Body::DeliverSm(sm) => (sm.esm_class, sm.data_coding),
        Body::DataSm(sm) => (sm.esm_class, sm.data_coding),
        _ => return None,
    };
    let octets = user_data(pdu);
    let header = if class.0 & 0x40 == 0 { 0 } else { 1 + usize::from(*octets.first()?) };
    let own = octets.get(header..)?;
    if coding == DataCoding::UCS2 {
        let units = own.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
        return String::from_utf16(&units.collect::<Vec<_>>()).ok();
    }
    // Of the default alphabet what plans write without escapes is as in ASCII.
    own.iter()
        .all(|octet| octet.is_ascii_graphic() || *octet == b' ')
        .then(|| own.iter().copied().map(char::from).collect())
}
