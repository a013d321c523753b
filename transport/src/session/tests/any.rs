//! Guards everything at once: whatever is done to two sessions, in whatever order, each does what it must and comes to rest.

use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;

use crate::pdu::Leniency;
use crate::session::pair::{Injection, Number, Operation, Setup, play};
use crate::session::{Role, SEQUENCE_MAX, SessionConfig};

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_both_sides_do_what_they_must(setup in setup(), operations in vec(operation(), 1..60)) {
        play(setup, &operations);
    }

    #[test]
    fn whatever_happens_to_bound_sessions_they_do_what_they_must(
        setup in setup(),
        kind in any::<u8>(),
        operations in vec(operation(), 1..60),
    ) {
        play(setup, &[vec![Operation::Bind(kind)], operations].concat());
    }
}

fn setup() -> impl Strategy<Value = Setup> {
    let latency = || prop_oneof![Just(0), Just(1), Just(70), 0..3_000_u64].prop_map(Duration::from_millis);
    let leniency = prop_oneof![Just(Leniency::STRICT), Just(Leniency::TOLERANT)];
    (config(Role::Esme), config(Role::Smsc), latency(), latency(), leniency).prop_map(
        |(esme, smsc, latency_to_esme, latency_to_smsc, leniency)| Setup {
            esme,
            smsc,
            latency_to_esme,
            latency_to_smsc,
            leniency,
        },
    )
}

fn config(role: Role) -> impl Strategy<Value = SessionConfig> {
    let seconds = || (1..60_u64).prop_map(Duration::from_secs);
    let maybe = || proptest::option::of((5..60_u64).prop_map(Duration::from_secs));
    let start = prop_oneof![Just(1), Just(SEQUENCE_MAX), Just(SEQUENCE_MAX - 2), Just(0), any::<u32>()];
    let answers = prop_oneof![4 => Just(true), 1 => Just(false)];
    (seconds(), (maybe(), answers), seconds(), maybe(), seconds(), 0..5_usize, 0..5_usize, start).prop_map(
        move |(init, (enquire_link, answers), response, inactivity, unbind, window, inbound_window, sequence_start)| {
            SessionConfig {
                session_init_timeout: init,
                enquire_link_interval: enquire_link,
                answers_enquire_link: answers,
                enquire_link_timeout: enquire_link.map(|interval| interval / 2),
                response_timeout: response,
                inactivity_timeout: inactivity,
                unbind_timeout: unbind,
                window,
                inbound_window,
                sequence_range: sequence_start.saturating_sub(9)..=sequence_start,
                sequence_start,
                ..SessionConfig::new(role)
            }
        },
    )
}

fn operation() -> impl Strategy<Value = Operation> {
    let role = || prop_oneof![Just(Role::Esme), Just(Role::Smsc)];
    let n = any::<u8>;
    prop_oneof![
        4 => (role(), n()).prop_map(|(role, n)| Operation::Request(role, n)),
        6 => (role(), n()).prop_map(|(role, n)| Operation::Messages(role, n)),
        1 => (role(), n()).prop_map(|(role, n)| Operation::Notify(role, n)),
        2 => n().prop_map(Operation::Bind),
        2 => role().prop_map(Operation::EnquireLink),
        1 => role().prop_map(Operation::Unbind),
        8 => (role(), n(), n()).prop_map(|(role, n, status)| Operation::Answer(role, n, status)),
        1 => role().prop_map(Operation::Tick),
        1 => (role(), n()).prop_map(|(role, n)| Operation::HangUp(role, n)),
        8 => prop_oneof![0..100_u16, any::<u16>()].prop_map(Operation::Advance),
        2 => (role(), n()).prop_map(|(role, n)| Operation::Flow(role, n)),
        6 => (role(), injection()).prop_map(|(role, what)| Operation::Inject(role, what)),
    ]
}

fn injection() -> impl Strategy<Value = Injection> {
    let n = any::<u8>;
    prop_oneof![
        6 => (n(), n(), number()).prop_map(|(command, status, number)| Injection::Pdu(command, status, number)),
        1 => (n(), n(), number(), vec(n(), 0..12))
            .prop_map(|(command, status, number, tail)| Injection::Tailed(command, status, number, tail)),
        1 => (n(), n(), number(), n()).prop_map(|(command, status, number, by)| Injection::Cut(command, status, number, by)),
        1 => vec(n(), 0..40).prop_map(Injection::Octets),
    ]
}

fn number() -> impl Strategy<Value = Number> {
    prop_oneof![
        Just(Number::Zero),
        Just(Number::Above),
        Just(Number::Constant),
        any::<u16>().prop_map(Number::Own),
        any::<u8>().prop_map(Number::Sent),
    ]
}
