//! Binds that the SMSC refuses for a while, or does not answer. Drawn from a stream of its own.

use rand::{Rng, RngExt};
use smpp_transport::pdu::CommandStatus;
use smsc_sim::Rule;
use smsc_sim::rules::{Answer, Between, Operation, Then, When};
use smsc_sim::time::Time;
use smsc_sim::words::{AnyOf, Status};

use super::{Smsc, Switch};

/// How a bind is refused; none is not to answer it.
const REFUSALS: [Option<CommandStatus>; 6] = [
    Some(CommandStatus::ESME_RALYBND),
    Some(CommandStatus::ESME_RBINDFAIL),
    Some(CommandStatus::ESME_RSYSERR),
    Some(CommandStatus::ESME_RINVPASWD),
    Some(CommandStatus::ESME_RTHROTTLED),
    None,
];

/// At most two stretches of time, counted from when the SMSC starts: so after a crash again.
pub(super) fn rules<R: Rng>(switch: &mut Switch<R>) -> Vec<Rule> {
    let mut from = 0;
    let mut stretch = || {
        from += if switch.rng.random_bool(0.5) { 0 } else { switch.rng.random_range(1..4_000) };
        let to = from + switch.rng.random_range(50..2_500);
        let between = Between { from: Time::ms(from), to: Time::ms(to) };
        from = to;
        let operation = AnyOf(vec![Operation::Bind]);
        let when = When { operation, between: Some(between), ..When::default() };
        let then = switch.one_of(&REFUSALS).map(|refusal| match refusal {
            Some(status) => Then { status: Some(Status(status)), ..Then::default() },
            None => Then { answer: Answer::Never, ..Then::default() },
        });
        then.map(|then| Rule { when, then, ..Rule::default() })
    };
    [stretch(), stretch()].into_iter().flatten().collect()
}

impl Smsc {
    /// Until how long after its start it may refuse every bind.
    pub(super) fn refuses_binds_until_ms(&self) -> u64 {
        let is_of_binds = |rule: &&Rule| rule.when.operation.0.contains(&Operation::Bind);
        let until = self.rules.iter().filter(is_of_binds).filter_map(|rule| rule.when.between);
        until.map(|between| u64::try_from(between.to.0.as_millis()).unwrap_or(u64::MAX)).max().unwrap_or(0)
    }
}
