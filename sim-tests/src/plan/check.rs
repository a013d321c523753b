//! What a plan must be to be run at all, and what it must be so that a run that breaks a promise says something: plans are
//! drawn so, but may be written or cut down to be otherwise.

use std::collections::BTreeSet;

use smpp_transport::session::SEQUENCE_MAX;
use smsc_sim::policy::{IdForm, Policy};

use super::hosts::SMSCS_MAX;
use super::{Client, Fault, Ids, Keeps, Kind, Message, Plan, Transport};

/// The most clients and transports together: an address has two digits for its owner.
const OWNERS_MAX: usize = 100;

impl Plan {
    /// Whether it can be run.
    ///
    /// # Errors
    /// In words, with the place.
    pub fn check(&self) -> Result<(), String> {
        let (processes, transports) = (self.processes().len(), self.transports.len());
        let must = |is_so: bool, words: &str| if is_so { Ok(()) } else { Err(words.to_owned()) };
        must(self.tick_ms > 0, "tick_ms is 0")?;
        must((1..=SMSCS_MAX).contains(&self.smscs), "smscs is not 1 to 9")?;
        must(self.owners().len() <= OWNERS_MAX, "there are more than 100 clients and transports")?;
        for (number, client) in self.clients.iter().enumerate() {
            client.check().map_err(|words| format!("clients[{number}]: {words}"))?;
        }
        let mut accounts: BTreeSet<usize> = self.clients.iter().map(|client| client.account).collect();
        for (number, transport) in self.transports.iter().enumerate() {
            transport.check().map_err(|words| format!("transports[{number}]: {words}"))?;
            let known = transport.hosts.iter().all(|host| *host < self.smscs);
            must(known, &format!("transports[{number}]: there is no such SMSC"))?;
            must(accounts.insert(transport.account), &format!("transports[{number}]: its account is another's too"))?;
        }
        for (number, fault) in self.faults.iter().enumerate() {
            let known = fault.kind.of(|process| process < processes, |transport| transport < transports);
            must(known, &format!("faults[{number}]: there is no such process or transport"))?;
            let at = fault.smsc.is_none_or(|smsc| smsc < self.smscs && fault.kind.is_of_network());
            must(at, &format!("faults[{number}]: there is no such SMSC, or it is not of one"))?;
            let shares = |transport: usize| self.transports[transport].keeps == Keeps::Shared;
            must(fault.kind.store().is_none_or(shares), &format!("faults[{number}]: no server has this store"))?;
        }
        must(self.smsc.window != Some(0), "smsc.window is 0")?;
        let first = self.smsc.sequence_start.unwrap_or(1);
        must((1..=SEQUENCE_MAX).contains(&first), "smsc.sequence_start is no sequence number")?;
        for (number, rule) in self.smsc.rules.iter().enumerate() {
            rule.validate().map_err(|words| format!("smsc.rules[{number}]: {words}"))?;
        }
        Ok(())
    }

    /// What would break promises although nobody is to blame, in words, each once. No plan that is drawn has any of it.
    #[must_use]
    pub fn unfair(&self) -> BTreeSet<&'static str> {
        let mut found = BTreeSet::new();
        let mut note = |is_unfair: bool, words| {
            if is_unfair {
                found.insert(words);
            }
        };
        let takes_all = |account| self.clients.iter().any(|client| client.account == account && client.takes_all());
        let nowhere = self.clients.iter().any(|client| !takes_all(client.account))
            || self.transports.iter().any(|it| it.links.iter().all(|kind| *kind == Kind::Transmitter));
        note(nowhere, "what is delivered to an account has nowhere to go");
        let mute = |it: &Transport| !it.messages.is_empty() && it.links.iter().all(|kind| *kind == Kind::Receiver);
        note(self.transports.iter().any(mute), "a transport has messages and only receivers");
        let messages = || self.clients.iter().flat_map(|client| &client.messages);
        note(messages().any(Message::is_given_up_before_sent), "a message is given up before it is sent");
        let (timers, slack) = (&self.timers, 20 * self.latency_ms);
        let hasty = timers.enquire_link_interval_ms < 800 + slack
            || timers.response_timeout_ms < 400 + slack
            || timers.session_init_timeout_ms < 1_500 + slack
            || timers.backoff_max_ms < 200;
        note(hasty, "sessions wait less than the network takes");
        note(!self.latency_ms.is_multiple_of(self.tick_ms.max(1)), "a segment takes no whole number of ticks");
        let ids = Ids::of(&self.smsc.policy);
        let is_wrong = |it: &Transport| it.options.ids != ids && it.options.ids != Ids::Auto;
        note(self.transports.iter().any(is_wrong), "a transport is told of other ids than there are");
        note(self.transports.iter().any(Transport::is_hasty), "a transport waits for less than anything takes");
        note(
            self.smsc.retry.attempts_max < 2 || self.smsc.retry.delay.0.as_millis() < 100,
            "the SMSC gives up at once",
        );
        note(overlap(&self.faults), "faults overlap, or have no end");
        let (esme, smsc) = (self.wire.esme, self.wire.smsc);
        note([esme, smsc].iter().any(|chop| chop.stall > 0.0 && chop.stall_ms == 0), "stalls take no time");
        found
    }
}

/// Whether two faults of one family are there at once, or one is too short to be seen.
fn overlap(faults: &[Fault]) -> bool {
    let (network, transports): (Vec<&Fault>, Vec<&Fault>) = faults.iter().partition(|fault| fault.kind.is_of_network());
    let overlap = |faults: &[&Fault]| faults.windows(2).any(|two| two[0].at_ms + two[0].for_ms > two[1].at_ms);
    overlap(&network) || overlap(&transports) || faults.iter().any(|fault| fault.for_ms < 20)
}

impl Client {
    fn check(&self) -> Result<(), &'static str> {
        match self {
            Client { window: 0, .. } => Err("window is 0"),
            Client { sequence_start, .. } if !(1..=SEQUENCE_MAX).contains(sequence_start) => {
                Err("sequence_start is no sequence number")
            }
            Client { address_range, .. } if address_range.len() > 40 => Err("address_range has more than 40 octets"),
            _ => Ok(()),
        }
    }

    /// Whether it is delivered whatever comes for its account.
    fn takes_all(&self) -> bool {
        self.kind != Kind::Transmitter && ["", "^10"].contains(&self.address_range.as_str())
    }
}

impl Message {
    fn is_given_up_before_sent(&self) -> bool {
        self.validity_s > 0 && self.validity_s <= self.schedule_s
    }
}

impl Transport {
    fn check(&self) -> Result<(), &'static str> {
        match self {
            Transport { links, .. } if links.is_empty() => Err("it has no links"),
            Transport { window: 0, .. } => Err("window is 0"),
            Transport { messages_max: 0, .. } => Err("messages_max is 0"),
            Transport { processes: 0, .. } => Err("it has no processes"),
            Transport { processes: 2.., keeps: Keeps::Nothing | Keeps::File, .. } => {
                Err("processes do not share what it keeps")
            }
            Transport { sequence_start, .. } if !(1..=SEQUENCE_MAX).contains(sequence_start) => {
                Err("sequence_start is no sequence number")
            }
            Transport { options, .. } if options.rate == Some(0) => Err("options.rate is 0"),
            _ => Ok(()),
        }
    }

    /// Whether it is told to wait for less than the shortest that is ever drawn.
    fn is_hasty(&self) -> bool {
        let options = &self.options;
        options.shutdown_timeout_ms < 200
            || options.early_hold_ms < 2_000
            || options.join_expiry_ms < 3_000
            || options.inbound_timeout_ms < 500
            || options.retry_max_age_ms < 2_000
    }
}

impl Ids {
    /// What a transport must be told where the SMSC does this.
    pub(crate) fn of(policy: &Policy) -> Ids {
        let hexadecimal = |form: Option<&IdForm>| form.is_some_and(IdForm::is_hexadecimal);
        let given = policy.message_id.as_ref();
        let told = policy.receipt.message_id.as_ref().or(given);
        match (hexadecimal(given), hexadecimal(told)) {
            (true, false) => Ids::DecimalReceipts,
            (false, true) => Ids::HexReceipts,
            _ => Ids::AsIs,
        }
    }
}
