//! Events by the clock, limits of sessions and binds, and stalls of one direction. Each is drawn from a stream of its own.

use rand::{Rng, RngExt};
use smpp_transport::env::Seed;
use smpp_transport::pdu::CommandStatus;
use smsc_sim::Rule;
use smsc_sim::rules::{Amount, Clock, Cut, Operation, Per, Silence, Since, Stall, Step, Then, When};
use smsc_sim::time::Time;
use smsc_sim::words::{AnyOf, Status};

use super::{Profile, Switch};

/// Name of the rule that limits binds.
pub const BIND_RATE: &str = "binds are limited";

/// Rules that need no request, or count sessions, binds and destinations.
pub(super) fn rules(streams: Seed, profile: Profile) -> Vec<Rule> {
    let mut switch = Switch::new(streams, "smsc clock", profile);
    let mut rules = by_the_clock(&mut switch);
    rules.extend(limits(&mut Switch::new(streams, "smsc limits", profile)));
    rules.extend(stalls(&mut Switch::new(streams, "smsc stalls", profile)));
    rules
}

/// Sessions that the SMSC ends at an age, or all at a time.
fn by_the_clock<R: Rng>(switch: &mut Switch<R>) -> Vec<Rule> {
    let at = Time::ms(switch.rng.random_range(500..6_000));
    let since = if switch.rng.random_bool(0.5) { Since::Start } else { Since::Bind };
    let every = switch.rng.random_bool(0.3).then_some(Time::ms(switch.rng.random_range(1_500..4_000)));
    let clock = Clock { at: Some(at), every, since };
    let steps = [Step::Unbind, Step::Disconnect(Cut::Close), Step::Disconnect(Cut::Reset)];
    let drawn = switch.one_of(&steps);
    let rule = |step: Step| Rule {
        name: "by the clock".to_owned(),
        when: When { clock: Some(clock), ..When::default() },
        then: Then { before: vec![step], ..Then::default() },
    };
    drawn.map(rule).into_iter().collect()
}

/// Too many binds a second, too many messages to one destination.
fn limits<R: Rng>(switch: &mut Switch<R>) -> Vec<Rule> {
    let binds = When {
        operation: AnyOf(vec![Operation::Bind]),
        above_rate: Some(switch.rng.random_range(1.0_f64..4.0).round()),
        ..When::default()
    };
    let sessions = When {
        operation: AnyOf(vec![Operation::Bind]),
        sessions: Some(Amount::at_least(switch.rng.random_range(2..4))),
        between: Some("0s..8s".parse().expect("it is a stretch of time")),
        ..When::default()
    };
    let full =
        When { above_pending: Some(switch.rng.random_range(1..4)), per: Some(Per::Destination), ..When::default() };
    let refused = |status| Then { status: Some(Status(status)), ..Then::default() };
    [
        (BIND_RATE, binds, CommandStatus::ESME_RBINDFAIL),
        ("sessions are limited", sessions, CommandStatus::ESME_RALYBND),
        ("messages to a destination are limited", full, CommandStatus::ESME_RMSGQFUL),
    ]
    .into_iter()
    .filter_map(|rule| switch.one_of(&[rule]))
    .map(|(name, when, status)| Rule { name: name.to_owned(), when, then: refused(status) })
    .collect()
}

/// Nothing passes one way for a while.
fn stalls<R: Rng>(switch: &mut Switch<R>) -> Vec<Rule> {
    let time = Silence::For(Time::ms(switch.rng.random_range(50..2_500)));
    let stalls = [Stall { reads: Some(time), ..Stall::default() }, Stall { writes: Some(time), ..Stall::default() }];
    let chance = switch.chance(0.02);
    let when = When { chance: Some(chance), ..When::default() };
    let drawn = switch.one_of(&stalls).filter(|_| chance > 0.0);
    let then = drawn.map(|stall| Then { after: vec![Step::Stall(stall)], ..Then::default() });
    then.map(|then| Rule { when, then, ..Rule::default() }).into_iter().collect()
}
