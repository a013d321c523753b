//! Requests as rules see them, and which conditions depend on nothing else.

use std::time::Duration;

use smpp_transport::pdu::Tlvs;

use super::{Operation, Per, When};
use crate::words::Bind;

/// A request or an event by the clock: who asks what, and when.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'a> {
    /// system_id; empty for a connection.
    pub(crate) account: &'a str,
    /// Kind of bind that the session has, or asks for.
    pub(crate) bind: Option<Bind>,
    /// `None` for an event by the clock.
    pub(crate) operation: Option<Operation>,
    /// Source address; empty where there is none.
    pub(crate) from: Party<'a>,
    /// Destination addresses.
    pub(crate) to: &'a [Party<'a>],
    pub(crate) fields: Fields<'a>,
    /// The text. Called once at most, and only for a rule that asks for it.
    pub(crate) text: &'a dyn Fn() -> String,
    /// Number and total of a part of a long message.
    pub(crate) part: Option<(u8, u8)>,
    /// Messages of the account that have not ended: all of them, or those to a destination.
    pub(crate) pending: &'a dyn Fn(Option<&str>) -> usize,
    /// Bound sessions of the account.
    pub(crate) sessions: usize,
    /// Bound sessions of all accounts.
    pub(crate) sessions_total: usize,
    /// Time since the session was bound, or since it was connected.
    pub(crate) age: Duration,
    /// Time since the start, or the last reset.
    pub(crate) now: Duration,
    /// Number of the session.
    pub(crate) session: u64,
    /// Place of the request in its session.
    pub(crate) request: u64,
}

/// One end of a message.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Party<'a> {
    pub(crate) address: &'a str,
    pub(crate) ton: u8,
    pub(crate) npi: u8,
}

/// Fields that not every request has; those it lacks are 0.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Fields<'a> {
    pub(crate) esm_class: u8,
    pub(crate) data_coding: u8,
    pub(crate) registered_delivery: u8,
    /// Octets of short_message, or of message_payload.
    pub(crate) length: usize,
    /// `None` for none.
    pub(crate) tlvs: Option<&'a Tlvs>,
}

impl When {
    /// Returns `true` if the condition is for requests of this kind; `None` is an event by the clock.
    fn wants(&self, operation: Option<Operation>) -> bool {
        match operation {
            None => self.clock.is_some(),
            Some(_) if self.clock.is_some() => false,
            Some(operation) if self.operation.is_any() => operation.is_message(),
            Some(operation) => self.operation.admits(&operation),
        }
    }

    /// Returns `true` if all conditions are met that a look at the request and the time can tell, but for its text and its
    /// destinations.
    pub(super) fn is_met(&self, asked: &Asked<'_>) -> bool {
        let is_within = |range: Option<super::Amount>, number| range.is_none_or(|range| range.admits(number));
        self.wants(asked.operation)
            && self.account.admits(asked.account)
            && (self.bind.is_any() || asked.bind.is_some_and(|bind| self.bind.admits(&bind)))
            && self.part.is_none_or(|part| asked.part.is_some_and(|(number, _)| number == part))
            && is_within(self.parts, asked.part.map_or(0, |(_, total)| usize::from(total)))
            && is_within(self.length, asked.fields.length)
            && is_within(self.sessions, asked.sessions)
            && is_within(self.sessions_total, asked.sessions_total)
            && self.between.is_none_or(|between| between.admits(asked.now))
            && self.session_age.is_none_or(|ages| ages.admits(asked.age))
            && self.esm_class.admits(&asked.fields.esm_class)
            && self.data_coding.admits(&asked.fields.data_coding)
            && self.registered_delivery.admits(&asked.fields.registered_delivery)
            && self.has_parameters(asked.fields.tlvs)
            && self.from_ton.admits(&asked.from.ton)
            && self.from_npi.admits(&asked.from.npi)
            && self.from.as_ref().is_none_or(|pattern| pattern.matches(asked.from.address))
    }

    fn has_parameters(&self, tlvs: Option<&Tlvs>) -> bool {
        let none = Tlvs::new();
        let tlvs = tlvs.unwrap_or(&none);
        self.tlv.iter().all(|(tag, is)| is.is_met(tlvs, *tag))
    }

    /// Returns `true` if the destination meets what is said of it.
    pub(super) fn is_met_by(&self, to: Option<Party<'_>>) -> bool {
        let Some(to) = to else { return !self.names_destination() };
        self.to.as_ref().is_none_or(|pattern| pattern.matches(to.address))
            && self.to_ton.admits(&to.ton)
            && self.to_npi.admits(&to.npi)
    }

    /// Returns `true` if the rule is for some destinations of a request and not for others.
    pub(super) fn is_about_destinations(&self) -> bool {
        self.names_destination() || self.per == Some(Per::Destination)
    }

    fn names_destination(&self) -> bool {
        self.to.is_some() || !self.to_ton.is_any() || !self.to_npi.is_any()
    }
}

#[cfg(test)]
impl Asked<'static> {
    /// A submit_sm of the transceiver of the account "one", with little in it.
    pub(super) fn plain() -> Asked<'static> {
        Asked {
            account: "one",
            bind: Some(Bind::Transceiver),
            operation: Some(Operation::SubmitSm),
            from: Party::of("8888"),
            to: const { &[Party::of("27820001")] },
            fields: Fields::default(),
            text: &|| "hello".to_owned(),
            part: None,
            pending: &|_| 0,
            sessions: 1,
            sessions_total: 1,
            age: Duration::ZERO,
            now: Duration::ZERO,
            session: 1,
            request: 1,
        }
    }
}

#[cfg(test)]
impl<'a> Party<'a> {
    pub(super) const fn of(address: &'a str) -> Party<'a> {
        Party { address, ton: 0, npi: 0 }
    }
}
