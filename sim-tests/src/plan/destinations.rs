//! Destinations towards which the SMSC misbehaves every time, while it serves all others. Drawn once the transports are
//! known, from a stream of its own.

use rand::seq::IndexedRandom;
use rand::{Rng, RngExt};
use smpp_transport::env::Seed;
use smpp_transport::pdu::CommandStatus;
use smsc_sim::Rule;
use smsc_sim::rules::{Answer, Cut, Step, Then, When};
use smsc_sim::words::Status;

use super::{Plan, Switch, Transport};
use crate::app::{destination, shared_destination};

/// Misbehaviour towards one destination.
#[derive(Clone, Copy, Debug)]
enum Misbehaviour {
    /// The connection ends at each submit.
    HangsUp(Cut),
    /// No submit is answered.
    Silent,
    /// Submits are refused with this status; only the first few, if there is a number.
    Refuses(CommandStatus, Option<u64>),
}

impl Misbehaviour {
    const fn words(self) -> &'static str {
        match self {
            Misbehaviour::HangsUp(_) => "hangs up at each submit to",
            Misbehaviour::Silent => "never answers submits to",
            Misbehaviour::Refuses(CommandStatus::ESME_RMSGQFUL, _) => "says that the queue is full of",
            Misbehaviour::Refuses(..) => "says that it is busy at submits to",
        }
    }

    fn then(self) -> Then {
        match self {
            Misbehaviour::HangsUp(cut) => Then { before: vec![Step::Disconnect(cut)], ..Then::default() },
            Misbehaviour::Silent => Then { answer: Answer::Never, ..Then::default() },
            Misbehaviour::Refuses(status, _) => Then { status: Some(Status(status)), ..Then::default() },
        }
    }
}

impl Plan {
    /// At most two rules for each transport. They stand before all others, so that chance cannot hide them.
    pub(super) fn draw_destinations(&mut self, streams: Seed) {
        let mut rules = Vec::new();
        for (number, transport) in self.transports.iter().enumerate() {
            let mut switch = Switch::numbered(streams, "destinations", number, self.profile);
            let owner = self.owner(number);
            for _ in 0..2 {
                let kind = drawn(&mut switch.rng);
                let to = address(&mut switch.rng, owner, transport);
                let is_drawn = switch.rng.random_bool(switch.chance * 0.6);
                rules.extend(to.filter(|_| is_drawn).map(|to| rule(kind, &to)));
            }
        }
        rules.append(&mut self.smsc.rules);
        self.smsc.rules = rules;
    }
}

fn drawn(rng: &mut impl Rng) -> Misbehaviour {
    let few = rng.random_range(1..9);
    let count = rng.random_bool(0.7).then_some(few);
    let kinds = [
        Misbehaviour::HangsUp(Cut::Close),
        Misbehaviour::HangsUp(Cut::Reset),
        Misbehaviour::Silent,
        Misbehaviour::Refuses(CommandStatus::ESME_RMSGQFUL, count),
        Misbehaviour::Refuses(CommandStatus::ESME_RMSGQFUL, count),
        Misbehaviour::Refuses(CommandStatus::ESME_RSYSERR, Some(few)),
    ];
    *kinds.choose(rng).expect("there are six")
}

/// The destination of one of its messages.
fn address(rng: &mut impl Rng, owner: usize, transport: &Transport) -> Option<String> {
    let messages: Vec<_> = transport.messages.iter().enumerate().filter(|(_, text)| text.wrong.is_none()).collect();
    let (number, text) = messages.choose(rng)?;
    Some(text.to.map_or_else(|| destination(owner, *number), |shared| shared_destination(owner, shared)))
}

fn rule(kind: Misbehaviour, to: &str) -> Rule {
    let first = if let Misbehaviour::Refuses(_, count) = kind { count } else { None };
    let to_it = format!("{to}$").parse().expect("digits and an end are a pattern");
    let when = When { to: Some(to_it), first, ..When::default() };
    Rule { name: format!("{} {to}", kind.words()), when, then: kind.then() }
}
