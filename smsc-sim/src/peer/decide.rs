//! Rules that a request meets, put together: one answer, and what becomes of each destination.

use std::sync::Arc;
use std::time::Duration;

use smpp_transport::pdu::{Body, CommandStatus, Pdu};
use smpp_transport::session::BindKind;
use tokio::io::{AsyncRead, AsyncWrite};

use super::Peer;
use super::look::{self, Looked};
use crate::mo::{Address, Echo};
use crate::policy::Policy;
use crate::rules::{Answer, Asked, Decision, Fields, Operation, Party, Step, Then};

/// What is done about a request.
#[derive(Clone)]
pub(super) struct Verdict {
    /// What is done about the whole of it.
    pub(super) then: Arc<Then>,
    /// Of a submit_multi whose destinations met different rules, the rule of each: `None` for none.
    pub(super) each: Vec<Option<Arc<Then>>>,
    /// Place of the destination that is repeated, where anything is.
    echoed: usize,
}

impl Verdict {
    /// Puts together the rules that a request with so many destinations has met.
    fn of(decisions: Vec<Decision>, destinations: usize) -> Option<Verdict> {
        let first = decisions.first()?;
        let echoed = first.to.first().copied().unwrap_or_default();
        if first.to.len() >= destinations {
            return Some(Verdict { then: Arc::clone(&first.then), each: Vec::new(), echoed });
        }
        let mut each = vec![None; destinations];
        for decision in &decisions {
            decision.to.iter().for_each(|place| each[*place] = Some(Arc::clone(&decision.then)));
        }
        let then = Arc::new(together(decisions.iter().map(|decision| &*decision.then)));
        Some(Verdict { then, each, echoed })
    }

    /// The status with which the rule of this destination refuses it.
    pub(super) fn refuses(&self, place: usize) -> Option<CommandStatus> {
        self.each.get(place)?.as_ref()?.status.map(|status| status.0)
    }

    /// The policy of this destination's rule; `None` if it met none.
    pub(super) fn policy(&self, place: usize) -> Option<&Policy> {
        match self.each.get(place) {
            Some(then) => then.as_ref().map(|then| &then.policy),
            None => Some(&self.then.policy),
        }
    }

    /// Returns `true` if a step repeats what the request says.
    fn has_echo(&self) -> bool {
        let is_echo = |step: &Step| matches!(step, Step::Deliver(mo) if mo.is_echo());
        self.then.before.iter().chain(&self.then.after).any(is_echo)
    }
}

/// Returns what is done about an answer that several rules have a say in: the first that says anything of a delay, of answers
/// to be let pass, or of another answer decides that; the steps of all are taken.
fn together<'a>(thens: impl Iterator<Item = &'a Then> + Clone) -> Then {
    let nack = thens.clone().find(|then| then.answer != Answer::Once);
    Then {
        status: nack.filter(|then| then.answer == Answer::Nack).and_then(|then| then.status),
        delay: thens.clone().map(|then| &then.delay).find(|delay| !delay.is_none()).cloned().unwrap_or_default(),
        behind: thens.clone().map(|then| then.behind).find(|behind| *behind > 0).unwrap_or_default(),
        answer: nack.map_or(Answer::Once, |then| then.answer),
        before: thens.clone().flat_map(|then| then.before.iter().cloned()).collect(),
        after: thens.flat_map(|then| then.after.iter().cloned()).collect(),
        policy: Policy::default(),
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Peer<S> {
    /// Returns what the rules have to say about a request, or, without one, about a new connection.
    pub(super) fn decide(&self, operation: Operation, pdu: Option<&Pdu>) -> Option<Verdict> {
        if !self.hub.has_rules() {
            return None;
        }
        let system_id;
        let account = match (pdu.map(|pdu| &pdu.body), self.bound) {
            (Some(Body::BindTransmitter(bind) | Body::BindReceiver(bind) | Body::BindTransceiver(bind)), _) => {
                system_id = bind.system_id.text();
                system_id.as_str()
            }
            (_, Some(bound)) => &self.hub.account(bound.account).system_id,
            (_, None) => "",
        };
        let kind = pdu.and_then(|pdu| BindKind::of(pdu.command_id())).or(self.bound.map(|bound| bound.kind));
        let looked = pdu.map(Looked::at).unwrap_or_default();
        let to: Vec<Party<'_>> = looked.to.iter().map(Address::party).collect();
        let content = pdu.filter(|_| operation.is_message()).and_then(look::content);
        let bound_at = self.bound.map_or(Duration::ZERO, |bound| bound.at);
        let asked = Asked {
            account,
            bind: kind.map(Into::into),
            operation: Some(operation),
            from: looked.from.party(),
            to: &to,
            fields: Fields { tlvs: pdu.map(|pdu| &pdu.tlvs), ..looked.fields },
            text: &|| content.as_ref().map(|content| content.decode().text).unwrap_or_default(),
            part: content.as_ref().and_then(|content| content.part).map(|part| (part.number, part.total)),
            session: self.number,
            request: self.requests,
            age: self.driver.now().saturating_sub(bound_at),
            // The hub knows these.
            pending: &|_| 0,
            sessions: 0,
            sessions_total: 0,
            now: Duration::ZERO,
        };
        let decisions = self.hub.decide(&asked);
        for decision in &decisions {
            tracing::debug!(session = self.number, rule = decision.rule, "rule followed");
        }
        Verdict::of(decisions, to.len().max(1))
    }

    /// Returns what steps of the verdict may repeat of a request; `None` if they repeat nothing.
    pub(super) fn echo(&self, verdict: &Verdict, pdu: &Pdu) -> Option<Echo> {
        if !verdict.has_echo() {
            return None;
        }
        let looked = Looked::at(pdu);
        let account = self.bound.map(|bound| self.hub.account(bound.account).system_id.clone()).unwrap_or_default();
        Some(Echo {
            account,
            from: looked.from,
            to: looked.to.into_iter().nth(verdict.echoed).unwrap_or_default(),
            text: look::content(pdu).map(|content| content.decode().text).unwrap_or_default(),
            message_id: String::new(),
        })
    }
}

impl Address {
    fn party(&self) -> Party<'_> {
        Party { address: &self.address, ton: self.ton, npi: self.npi }
    }
}
