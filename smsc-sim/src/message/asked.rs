//! What ESMEs ask of messages that were accepted: query_sm, cancel_sm, replace_sm.
//!
//! A message is found by its id and its source, type of number and numbering plan among it, as they were submitted
//! (§4.8, §4.9, §4.10), and only by the account that submitted it. One that is not found that way is not there:
//! ESME_RINVMSGID.

use std::time::Duration;

use smpp_transport::pdu::time::{Offset, SmppTime};
use smpp_transport::pdu::{COctets, CancelSm, CommandStatus, MessageState, Npi, QuerySm, QuerySmResp, ReplaceSm, Ton};

use super::life::error_of;
use super::mailbox::Mailbox;
use super::submission::address;
use super::{Now, Record, Times};

/// Id, type of number, numbering plan and source.
type Asked<'a> = (&'a COctets<65>, Ton, Npi, &'a COctets<21>);

impl Mailbox {
    /// What has become of a message of the account's (§4.8). Of several of one submit_multi it is one that has not ended, if
    /// there is any. One that is SCHEDULED is said to be ENROUTE: SMPP 3.4 has no other word for it (§5.2.28).
    ///
    /// # Errors
    /// ESME_RINVMSGID when there is none with this id and source.
    pub(crate) fn query(&self, account: &str, query: &QuerySm) -> Result<QuerySmResp, CommandStatus> {
        let asked = (&query.message_id, query.source_addr_ton, query.source_addr_npi, &query.source_addr);
        let found = || self.asked_for(account, asked);
        let record = found().find(|record| !record.state.is_final()).or_else(|| found().last());
        let record = record.ok_or(CommandStatus::ESME_RINVMSGID)?;
        let state = if record.state == MessageState::SCHEDULED { MessageState::ENROUTE } else { record.state };
        Ok(QuerySmResp {
            message_id: record.id.parse().unwrap_or_default(),
            final_date: record.done.map(smpp_time).unwrap_or_default(),
            message_state: state,
            error_code: record.error,
        })
    }

    /// Takes back what is pending (§4.9); returns how many messages. They become DELETED, and who asked for a receipt of
    /// failure gets one. Without an id it is all between the addresses, of the service type if one is given.
    ///
    /// # Errors
    /// ESME_RINVMSGID when there is none with this id, source and, if given, destination; ESME_RCANCELFAIL when those have
    /// ended, or none is pending between these addresses.
    pub(crate) fn cancel(&mut self, now: Now, account: &str, cancel: &CancelSm) -> Result<usize, CommandStatus> {
        self.look(now);
        let pending = if cancel.message_id.is_empty() {
            self.between(account, cancel)
        } else {
            self.named_pending(account, cancel)?
        };
        for &number in &pending {
            let error = error_of(MessageState::DELETED);
            self.change(number, |record, plans| record.finish(MessageState::DELETED, error, now, plans));
        }
        if pending.is_empty() { Err(CommandStatus::ESME_RCANCELFAIL) } else { Ok(pending.len()) }
    }

    fn between(&self, account: &str, cancel: &CancelSm) -> Vec<u64> {
        let source = address(cancel.source_addr_ton, cancel.source_addr_npi, &cancel.source_addr);
        let destination = address(cancel.dest_addr_ton, cancel.dest_addr_npi, &cancel.destination_addr);
        let service_type = cancel.service_type.as_bytes();
        let of_service =
            |number: &u64| service_type.is_empty() || *self.records[number].body.service_type == *service_type;
        self.pending.between(account, &source, &destination).filter(of_service).collect()
    }

    fn named_pending(&self, account: &str, cancel: &CancelSm) -> Result<Vec<u64>, CommandStatus> {
        let asked = (&cancel.message_id, cancel.source_addr_ton, cancel.source_addr_npi, &cancel.source_addr);
        let (ton, npi, digits) = (cancel.dest_addr_ton, cancel.dest_addr_npi, cancel.destination_addr.as_bytes());
        let is_for = |record: &&Record| digits.is_empty() || record.body.destination.is(ton, npi, digits);
        let mut found = self.asked_for(account, asked).filter(is_for).peekable();
        found.peek().ok_or(CommandStatus::ESME_RINVMSGID)?;
        Ok(found.filter(|record| !record.state.is_final()).map(|record| record.number).collect())
    }

    /// Changes a pending message (§4.10): text, registered_delivery and sm_default_msg_id always, times if they are given.
    /// `times` are what was found in it.
    ///
    /// # Errors
    /// ESME_RINVMSGID when there is none with this id and source; ESME_RREPLACEFAIL when it has ended, or when it is given
    /// a schedule and is ENROUTE already.
    pub(crate) fn replace(
        &mut self,
        now: Now,
        account: &str,
        replace: &ReplaceSm,
        times: Times,
    ) -> Result<(), CommandStatus> {
        self.look(now);
        let asked = (&replace.message_id, replace.source_addr_ton, replace.source_addr_npi, &replace.source_addr);
        let mut found = self.asked_for(account, asked).peekable();
        found.peek().ok_or(CommandStatus::ESME_RINVMSGID)?;
        let too_late = |record: &Record| {
            record.state.is_final() || (record.state == MessageState::ENROUTE && times.scheduled.is_some())
        };
        let numbers: Vec<_> = found.filter(|record| !too_late(record)).map(|record| record.number).collect();
        for &number in &numbers {
            self.change(number, |record, plans| {
                record.stop(plans);
                record.body.octets = replace.short_message.as_bytes().into();
                record.body.in_payload = false;
                record.body.registered_delivery = replace.registered_delivery;
                record.body.sm_default_msg_id = replace.sm_default_msg_id;
                record.whole_text = None;
                if times.scheduled.is_some() {
                    (record.scheduled, record.relative.scheduled) = (times.scheduled, times.relative.scheduled);
                }
                if times.expires.is_some() {
                    (record.expires, record.relative.expires) = (times.expires, times.relative.expires);
                }
                record.go_on(now, plans);
            });
        }
        if numbers.is_empty() { Err(CommandStatus::ESME_RREPLACEFAIL) } else { Ok(()) }
    }

    fn asked_for<'a>(&'a self, account: &'a str, asked: Asked<'a>) -> impl Iterator<Item = &'a Record> {
        let (id, ton, npi, source) = asked;
        let id = id.text();
        let found: Vec<_> = self.find(&id).collect();
        let records = found.into_iter().filter_map(|number| self.get(number));
        records.filter(move |record| *record.account == *account && record.body.source.is(ton, npi, source.as_bytes()))
    }
}

/// As responses write it, in UTC; empty beyond the years that SMPP can write.
fn smpp_time(unix: Duration) -> COctets<17> {
    let seconds = i64::try_from(unix.as_secs()).unwrap_or(i64::MAX);
    let time = SmppTime::from_unix(seconds, Offset::UTC).map(|time| time.to_string());
    time.unwrap_or_default().parse().unwrap_or_default()
}
