//! What the others begin with: a good run of one ESME, and how one of its facts is changed.

use bytes::Bytes;
use sim_tests::history::{End, Fact, History, Way, What};
use sim_tests::oracle::check;
use sim_tests::plan::{Client, Kind, Message, Plan, Profile};
use sim_tests::world::{Tier, run};
use smpp_transport::pdu::{CommandId, Leniency, Pdu};

/// One transceiver with a window of 2 that submits, falls silent, and submits again.
pub(crate) fn plan() -> Plan {
    let plan = Plan::draw(1, Some(Profile::Calm));
    let messages = [100, 100, 100, 200, 9_000].map(|at_ms| Message::plain(at_ms, 20, 1));
    let client = Client {
        kind: Kind::Transceiver,
        window: 2,
        sequence_start: 1,
        messages: messages.to_vec(),
        answer_delay_ms: 0,
        account: 0,
        address_range: String::new(),
        refuse_for_now: 0.0,
        refuse_for_good: 0.0,
    };
    Plan { clients: vec![client], tick_ms: 1, latency_ms: 5, ..plan }
}

pub(crate) fn good() -> (Plan, History) {
    let plan = plan();
    let history = run(&plan, Tier::Fast).unwrap();
    assert_eq!(check(&plan, &history), [], "nothing is wrong with it yet");
    (plan, history)
}

/// The oracles that see something wrong.
pub(crate) fn seen(plan: &Plan, history: &History) -> Vec<&'static str> {
    let mut names: Vec<_> = check(plan, history).iter().map(|violation| violation.oracle).collect();
    names.dedup();
    names
}

pub(crate) fn pdu(what: &What) -> Option<Pdu> {
    match what {
        What::Passed { frame, .. } => Pdu::decode(frame, Leniency::STRICT).ok(),
        _ => None,
    }
}

/// Where this command passed at this end in this direction.
pub(crate) fn places(history: &History, end: End, way: Way, command: CommandId) -> Vec<usize> {
    let is = |fact: &&Fact| {
        matches!(&fact.what, What::Passed { end: e, way: w, .. } if (*e, *w) == (end, way))
            && pdu(&fact.what).is_some_and(|pdu| pdu.command_id() == command)
    };
    (0..history.facts.len()).filter(|at| is(&&history.facts[*at])).collect()
}

/// Changes the PDU at a place.
pub(crate) fn rewrite(history: &mut History, at: usize, change: impl FnOnce(&mut Pdu)) {
    let mut changed = pdu(&history.facts[at].what).unwrap();
    change(&mut changed);
    if let What::Passed { frame, .. } = &mut history.facts[at].what {
        *frame = changed.to_octets();
    }
}

pub(crate) fn passed(end: End, way: Way, frame: Bytes) -> What {
    What::Passed { line: 0, end, way, frame }
}
