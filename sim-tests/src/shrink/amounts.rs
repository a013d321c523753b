//! What is smaller or rounder than an amount: candidates, the boldest first.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value;
use smpp_transport::session::SEQUENCE_MAX;
use smsc_sim::time::{Delay, Time};

use crate::plan::Plan;

/// Seeds that are as good as any other.
const SEEDS: [u64; 4] = [0, 1, 2, 3];

/// What may stand in the place of this value of this key.
pub(super) fn smaller(key: &str, value: &Value) -> Vec<Value> {
    match (key, value) {
        ("seed", Value::Number(number)) => {
            let below = |seed: &u64| number.as_u64().is_some_and(|number| *seed < number);
            SEEDS.into_iter().filter(below).map(Value::from).collect()
        }
        // The next number but one is the first again: as near to that as it can be.
        ("sequence_start", Value::Number(number)) if number.as_u64() != Some(SEQUENCE_MAX.into()) => {
            vec![SEQUENCE_MAX.into()]
        }
        ("sequence_start", _) => Vec::new(),
        // Where a size must be above some limit, that limit is worth knowing.
        ("octets" | "characters", Value::Number(number)) => halves(number.as_u64()).map(Value::from).collect(),
        (_, Value::Number(number)) => match number.as_u64() {
            Some(number) => rounder(number).into_iter().map(Value::from).collect(),
            None => number.as_f64().map(rounder_chances).unwrap_or_default().into_iter().map(Value::from).collect(),
        },
        ("kind" | "links", Value::String(_)) => vec!["transceiver".into()],
        (_, Value::String(text)) => text.parse().map(|delay| shorter(&delay)).unwrap_or_default(),
        _ => Vec::new(),
    }
}

/// Nothing, one, half, and what begins with the same one or two digits.
fn rounder(number: u64) -> Vec<u64> {
    let digits = number.checked_ilog10().unwrap_or(0);
    let rounded = |kept: u32| {
        let unit = 10_u64.pow((digits + 1).saturating_sub(kept));
        number / unit * unit
    };
    let mut all = vec![0, 1, number / 2, rounded(1), rounded(2)];
    all.retain(|smaller| *smaller < number);
    all
}

/// Nothing, half, three quarters and so on, down to one less.
fn halves(number: Option<u64>) -> impl Iterator<Item = u64> {
    let number = number.unwrap_or(0);
    let steps = std::iter::successors(Some(number), |step| Some(step / 2)).take_while(|step| *step > 0);
    steps.map(move |step| number - step)
}

/// Chances are never higher than drawn: what then comes to no rest need not be a bug.
fn rounder_chances(chance: f64) -> Vec<f64> {
    let rounded = [10.0, 100.0].map(|parts: f64| (chance * parts).floor() / parts);
    rounded.into_iter().filter(|smaller| *smaller > 0.0 && *smaller < chance).collect()
}

/// One length for one that is drawn, and shorter ones.
fn shorter(delay: &Delay) -> Vec<Value> {
    let longest = u64::try_from(delay.max().as_millis()).unwrap_or(u64::MAX);
    let fixed = |ms: u64| Delay::Fixed(Time(Duration::from_millis(ms)));
    let all = [vec![fixed(longest)], rounder(longest).into_iter().map(fixed).collect()].concat();
    all.into_iter().filter(|shorter| shorter != delay).map(|shorter| shorter.to_string().into()).collect()
}

/// The plan with all that happens at the same distances, but from the start on; with half of those distances; with the
/// lowest numbers for its accounts; and without one of its SMSCs.
pub(super) fn together(plan: &Plan) -> Vec<Option<Plan>> {
    let value = serde_json::to_value(plan).unwrap_or_default();
    let mut first = u64::MAX;
    times(&mut value.clone(), &mut |at| first = first.min(*at));
    let moved = |change: &dyn Fn(u64) -> u64| {
        let mut value = value.clone();
        times(&mut value, &mut |at| *at = change(*at));
        serde_json::from_value(value).ok()
    };
    let fewer = (0..plan.smscs).map(|smsc| plan.without_smsc(smsc));
    [moved(&|at| at - first), moved(&|at| at / 2), Some(with_low_accounts(plan))].into_iter().chain(fewer).collect()
}

fn with_low_accounts(plan: &Plan) -> Plan {
    let mut plan = plan.clone();
    let of_clients = plan.clients.iter_mut().map(|client| &mut client.account);
    let mut accounts: Vec<_> =
        of_clients.chain(plan.transports.iter_mut().map(|transport| &mut transport.account)).collect();
    let used: BTreeSet<usize> = accounts.iter().map(|account| **account).collect();
    accounts.iter_mut().for_each(|account| **account = used.range(..**account).count());
    plan
}

/// Does this with every time at which something happens.
fn times(value: &mut Value, with: &mut dyn FnMut(&mut u64)) {
    match value {
        Value::Object(fields) => {
            for (key, inner) in fields {
                match inner.as_u64().filter(|_| key == "at_ms") {
                    Some(mut at) => {
                        with(&mut at);
                        *inner = at.into();
                    }
                    None => times(inner, with),
                }
            }
        }
        Value::Array(elements) => elements.iter_mut().for_each(|element| times(element, with)),
        _ => {}
    }
}
