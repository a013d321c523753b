//! Operations on two sessions, drawn from octets. The watches of `Pair` judge every step: numbers, windows, timers, what is
//! legal, and that everything ends exactly once.

#![no_main]

use std::time::Duration;

use arbitrary::{Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use smpp_transport::pdu::Leniency;
use smpp_transport::session::pair::{Injection, Number, Operation, Setup, play};
use smpp_transport::session::{Role, SEQUENCE_MAX, SessionConfig};

fuzz_target!(|octets: &[u8]| {
    let mut u = Unstructured::new(octets);
    let Ok(setup) = setup(&mut u) else { return };
    let mut operations = Vec::new();
    while let Ok(operation) = operation(&mut u)
        && operations.len() < 200
    {
        operations.push(operation);
    }
    play(setup, &operations);
});

fn setup(u: &mut Unstructured<'_>) -> Result<Setup> {
    Ok(Setup {
        esme: config(u, Role::Esme)?,
        smsc: config(u, Role::Smsc)?,
        latency_to_esme: latency(u)?,
        latency_to_smsc: latency(u)?,
        leniency: if u.ratio(1, 2)? { Leniency::STRICT } else { Leniency::TOLERANT },
    })
}

fn config(u: &mut Unstructured<'_>, role: Role) -> Result<SessionConfig> {
    Ok(SessionConfig {
        session_init_timeout: seconds(u)?,
        enquire_link_interval: maybe(u)?,
        response_timeout: seconds(u)?,
        inactivity_timeout: maybe(u)?,
        unbind_timeout: seconds(u)?,
        window: u.int_in_range(0..=4)?,
        inbound_window: u.int_in_range(0..=4)?,
        sequence_start: *u.choose(&[1, SEQUENCE_MAX, SEQUENCE_MAX - 2, 0, u32::MAX])?,
        ..SessionConfig::new(role)
    })
}

fn latency(u: &mut Unstructured<'_>) -> Result<Duration> {
    Ok(Duration::from_millis(u64::from(*u.choose(&[0_u16, 1, 70, 700, 3_000])?)))
}

fn seconds(u: &mut Unstructured<'_>) -> Result<Duration> {
    Ok(Duration::from_secs(u.int_in_range(1..=60)?))
}

/// Two sessions that ask each other without a pause would do nothing else.
fn maybe(u: &mut Unstructured<'_>) -> Result<Option<Duration>> {
    Ok(if u.ratio(1, 3)? { None } else { Some(Duration::from_secs(u.int_in_range(5..=60)?)) })
}

fn operation(u: &mut Unstructured<'_>) -> Result<Operation> {
    if u.is_empty() {
        return Err(arbitrary::Error::NotEnoughData);
    }
    Ok(match u.int_in_range(0..=11_u8)? {
        0 => Operation::Request(role(u)?, n(u)?),
        1 => Operation::Messages(role(u)?, n(u)?),
        2 => Operation::Notify(role(u)?, n(u)?),
        3 => Operation::Bind(n(u)?),
        4 => Operation::EnquireLink(role(u)?),
        5 => Operation::Unbind(role(u)?),
        6 => Operation::Answer(role(u)?, n(u)?, n(u)?),
        7 => Operation::Tick(role(u)?),
        8 => Operation::HangUp(role(u)?, n(u)?),
        9 => Operation::Advance(u.arbitrary()?),
        10 => Operation::Flow(role(u)?, n(u)?),
        _ => Operation::Inject(role(u)?, injection(u)?),
    })
}

fn injection(u: &mut Unstructured<'_>) -> Result<Injection> {
    Ok(match u.int_in_range(0..=3_u8)? {
        0 => Injection::Pdu(n(u)?, n(u)?, number(u)?),
        1 => Injection::Tailed(n(u)?, n(u)?, number(u)?, octets(u)?),
        2 => Injection::Cut(n(u)?, n(u)?, number(u)?, n(u)?),
        _ => Injection::Octets(octets(u)?),
    })
}

fn number(u: &mut Unstructured<'_>) -> Result<Number> {
    Ok(match u.int_in_range(0..=4_u8)? {
        0 => Number::Zero,
        1 => Number::Above,
        2 => Number::Constant,
        3 => Number::Own(u.arbitrary()?),
        _ => Number::Sent(n(u)?),
    })
}

fn octets(u: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    let length = u.int_in_range(0..=40)?;
    Ok(u.bytes(length)?.to_vec())
}

fn role(u: &mut Unstructured<'_>) -> Result<Role> {
    Ok(if u.arbitrary()? { Role::Esme } else { Role::Smsc })
}

fn n(u: &mut Unstructured<'_>) -> Result<u8> {
    u.arbitrary()
}
