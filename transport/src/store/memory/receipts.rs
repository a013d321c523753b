//! Receipts and the messages that they are about: which message, what follows, and when the report of all parts is due.

use std::collections::BTreeSet;
use std::time::Duration;

use super::{Due, Id, Noted, Sent, Table};
use crate::bus::DeliveryStatus;
use crate::store::{Aggregate, Early, Known, Matched, Next, PartOf, Report, is_confirmed};

impl Table {
    /// See [`Store::receipt_again`](crate::store::Store::receipt_again).
    pub fn receipt_again(&mut self, now: Duration, early: &Early) -> Matched {
        self.forget_ids(now);
        match self.find(early) {
            Some(form) => {
                self.note_held_before(&form, early);
                self.note(now, &form, &early.report)
            }
            None => Matched::Unknown,
        }
    }

    /// Notes the final states of receipts that are held for this id and came before this one: the first final state counts, and
    /// what is held is not reported yet.
    fn note_held_before(&mut self, form: &str, receipt: &Early) {
        let Some(numbers) = self.early_by_form.get(form) else { return };
        let held = numbers.iter().filter_map(|number| self.early.get(number)).map(|(_, held)| held);
        let before = held.take_while(|held| !held.is_same_as(receipt)).filter(|held| held.report.is_final);
        let before = before.filter(|held| self.find(held).as_deref() == Some(form));
        let before: Vec<Report> = before.map(|held| held.report.clone()).collect();
        before.iter().for_each(|report| drop(self.note_report(form, report)));
    }

    /// See [`Store::held`](crate::store::Store::held).
    #[must_use]
    pub fn held(&self) -> Vec<Early> {
        self.early.values().map(|(_, early)| early.clone()).collect()
    }

    /// See [`Store::told_aggregate`](crate::store::Store::told_aggregate).
    pub fn told_aggregate(&mut self, message: &str, status: DeliveryStatus) {
        self.set_due(message, None);
        if let Some(sent) = self.messages.get_mut(message) {
            sent.told = Some(status);
        }
    }

    /// The form under which a receipt's message is known.
    pub(super) fn find(&self, early: &Early) -> Option<String> {
        let is_of_address = |form: &&String| {
            let id = self.ids.get(form.as_str());
            id.is_some_and(|id| is_confirmed(&id.part.to, &early.addresses) == Some(true))
        };
        let is_known = |form: &&String| self.ids.contains_key(form.as_str());
        early.all_forms().find(is_of_address).or_else(|| early.forms.iter().find(is_known)).cloned()
    }

    /// Other parts of the same message that have the id which a part is about to have.
    pub(super) fn others_of(&self, id: &str, part: &PartOf) -> BTreeSet<u8> {
        let known = self.ids.get(id).filter(|known| known.part.message == part.message);
        let mut others = known.map_or_else(BTreeSet::new, |known| {
            let mut others = known.others.clone();
            others.insert(known.part.number);
            others
        });
        others.remove(&part.number);
        others
    }

    /// What a receipt has said of an id counts for a part that is given the same id later.
    pub(super) fn note_said_of_others(&mut self, part: &PartOf, others: &BTreeSet<u8>) {
        let Some(sent) = self.messages.get_mut(&part.message) else { return };
        if let Some(said) = others.iter().find_map(|other| sent.report_of(*other)).cloned() {
            sent.note(part.number, &said);
        }
    }

    fn note(&mut self, now: Duration, form: &str, report: &Report) -> Matched {
        let Some(Id { until, .. }) = self.ids.get_mut(form) else { return Matched::Unknown };
        if report.is_final {
            let sooner = now.saturating_add(self.limits.final_id_ttl).min(*until);
            self.ids_by_end.remove(&(*until, form.into()));
            self.ids_by_end.insert((sooner, form.into()));
            *until = sooner;
        }
        self.note_change(|| Noted::Id(form.into()));
        let Some((part, before, reports)) = self.note_report(form, report) else { return Matched::Unknown };
        let is_repeated = before.as_ref().is_some_and(|before| before.says_the_same(report));
        let is_late = before.as_ref().is_some_and(|before| before.is_final && !is_repeated);
        let next = if part.total > 1 && self.limits.aggregate_timeout.is_some() {
            self.next_of_parts(now, &part.message, report, is_late)
        } else if is_late {
            Next::Late
        } else {
            Next::Report
        };
        Matched::Known(Known { part, reports, is_repeated, form: form.into(), next })
    }

    /// Notes a report for the parts that have an id. Returns the first of them, its report before, and the reports of all parts.
    fn note_report(&mut self, form: &str, report: &Report) -> Option<(PartOf, Option<Report>, Vec<Option<Report>>)> {
        let Id { part, others, .. } = self.ids.get(form)?;
        let sent = self.messages.get_mut(&part.message)?;
        let before = sent.report_of(part.number).cloned();
        for number in others.iter().chain([&part.number]) {
            sent.note(*number, report);
        }
        let (part, reports) = (part.clone(), sent.reports.clone());
        self.note_change(|| Noted::Message(part.message.clone()));
        Some((part, before, reports))
    }

    /// The step that follows a receipt of one of several parts.
    fn next_of_parts(&mut self, now: Duration, message: &str, report: &Report, is_late: bool) -> Next {
        let Some(sent) = self.messages.get(message) else { return Next::Nothing };
        if let Some(told) = sent.told {
            let agrees = report.status == told || told == DeliveryStatus::Failed && report.is_final;
            return if agrees { Next::Nothing } else { Next::Late };
        }
        if sent.has_failed() || sent.is_complete() {
            // The acceptance of its last part makes the report due: before that nobody can publish it.
            if !sent.is_accepted() {
                return Next::Nothing;
            }
            if sent.due.is_some_and(|due| due.is_given && due.at > now) {
                return Next::Nothing;
            }
            let aggregate = sent.aggregate(message);
            let at = now.saturating_add(self.limits.held_on());
            self.set_due(message, Some(Due { at, is_given: true }));
            return Next::Aggregate(aggregate);
        }
        if is_late {
            return Next::Late;
        }
        let has_final = sent.has_final();
        if report.is_final && sent.due.is_none() {
            let at = now.saturating_add(self.limits.aggregate_timeout.unwrap_or_default());
            self.set_due(message, Some(Due { at, is_given: false }));
        }
        if has_final { Next::Nothing } else { Next::Report }
    }

    /// Sets when the report of a message is due that has another part accepted: at once if this was the last acceptance that it
    /// waited for; or else, if its time was over before all parts were accepted, that time after this.
    pub(super) fn report_after_acceptance(&mut self, now: Duration, message: &str) {
        let Some(sent) = self.messages.get(message) else { return };
        let is_given = sent.due.is_some_and(|due| due.is_given);
        if is_given || sent.told.is_some() || !sent.has_final() {
            return;
        }
        if sent.is_complete() || sent.has_failed() && sent.is_accepted() {
            self.set_due(message, Some(Due { at: now, is_given: false }));
        } else if sent.due.is_none() && sent.may_be_reported() {
            let at = now.saturating_add(self.limits.aggregate_timeout.unwrap_or_default());
            self.set_due(message, Some(Due { at, is_given: false }));
        }
    }

    /// Gives the messages whose report is due, and again later if nobody has told of it by then.
    pub(super) fn expire_aggregates(&mut self, now: Duration, held_on: Duration) -> Vec<Aggregate> {
        // None is held for longer: the clock has gone back since.
        let latest = now.saturating_add(self.limits.aggregate_timeout.unwrap_or_default()).max(held_on);
        while let Some((_, message)) = self.aggregates_by_time.last().cloned().filter(|(at, _)| *at > latest) {
            let is_given = self.messages.get(&message).and_then(|sent| sent.due).is_some_and(|due| due.is_given);
            self.set_due(&message, Some(Due { at: latest, is_given }));
        }
        let due = self.aggregates_by_time.iter().take_while(|(at, _)| *at <= now);
        let due: Vec<Box<str>> = due.map(|(_, message)| message.clone()).collect();
        // A message that was not accepted as a whole has its nack, or goes on.
        let is_whole = |message: &str| self.messages.get(message).is_some_and(Sent::may_be_reported);
        let (due, rest): (Vec<_>, Vec<_>) = due.into_iter().partition(|message| is_whole(message));
        rest.iter().for_each(|message| self.set_due(message, None));
        due.iter().for_each(|message| self.set_due(message, Some(Due { at: held_on, is_given: true })));
        let sent = due.iter().filter_map(|message| Some((message, self.messages.get(message)?)));
        sent.map(|(message, sent)| sent.aggregate(message)).collect()
    }

    /// Sets when the report of a message is due.
    pub(super) fn set_due(&mut self, message: &str, due: Option<Due>) {
        let Some(sent) = self.messages.get_mut(message) else { return };
        if let Some(before) = std::mem::replace(&mut sent.due, due) {
            self.aggregates_by_time.remove(&(before.at, message.into()));
        }
        self.aggregates_by_time.extend(due.map(|due| (due.at, message.into())));
        if sent.ids == 0 && due.is_none() {
            self.messages.remove(message);
        }
        self.note_change(|| Noted::Message(message.into()));
    }
}

impl Sent {
    fn report_of(&self, number: u8) -> Option<&Report> {
        self.reports.get(usize::from(number.saturating_sub(1)))?.as_ref()
    }

    /// Notes the latest report of a part; a final one stays. Details are kept for the report of all parts only.
    fn note(&mut self, number: u8, report: &Report) {
        let is_of_several = self.reports.len() > 1;
        let Some(place) = self.reports.get_mut(usize::from(number.saturating_sub(1))) else { return };
        if place.as_ref().is_some_and(|known| known.is_final) {
            return;
        }
        let details = if is_of_several { report.details.clone() } else { serde_json::Map::new() };
        *place = Some(Report { details, ..report.clone() });
    }

    fn has_final(&self) -> bool {
        self.reports.iter().flatten().any(|report| report.is_final)
    }

    /// Whether there is something to report when time is up.
    fn may_be_reported(&self) -> bool {
        self.has_final() && self.is_accepted()
    }

    /// Whether all parts are accepted.
    fn is_accepted(&self) -> bool {
        self.accepted.len() >= self.reports.len()
    }

    fn has_failed(&self) -> bool {
        self.reports.iter().flatten().any(|report| report.is_final && report.status != DeliveryStatus::Delivered)
    }

    /// Whether all parts are accepted, and each of them has a final report or can have none.
    fn is_complete(&self) -> bool {
        let is_done = |(number, report): (u8, &Option<Report>)| {
            self.unreported.contains(&number) || report.as_ref().is_some_and(|report| report.is_final)
        };
        self.is_accepted() && (1..=u8::MAX).zip(&self.reports).all(is_done)
    }

    fn aggregate(&self, message: &str) -> Aggregate {
        Aggregate {
            message: message.into(),
            reports: self.reports.clone(),
            unreported: self.unreported.iter().copied().collect(),
            is_incomplete: !self.has_failed() && !self.is_complete(),
        }
    }
}
