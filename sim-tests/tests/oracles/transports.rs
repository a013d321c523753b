//! What the tests of transports begin with: a good run of one transport, and how what was told and what passed is changed.

use bytes::Bytes;
use serde_json::Value;
use sim_tests::history::{End, Fact, History, Way, What};
use sim_tests::oracle::check;
use sim_tests::plan::{BusFaults, Handset, Keeps, Kind, Options, Plan, Profile, Script, Sequence, Text, Transport};
use sim_tests::world::{Tier, run};
use smpp_transport::bus::Route;
use smpp_transport::pdu::{Body, CommandId, Pdu};
use smsc_sim::mo::Multipart;

use crate::runs::{pdu, places, rewrite};

/// Of these messages the second has two parts; of what the handsets send too.
const CHARACTERS: [usize; 3] = [40, 200, 20];

/// One transport with a transceiver, its bus and store on its own disk, that asks for receipts.
pub(crate) fn plan() -> Plan {
    let text = |(at_ms, characters)| Text { at_ms, script: Script::Plain, characters, to: None, wrong: None };
    let handset = |text| Handset {
        text,
        multipart: Multipart::Udh8,
        sequence: Sequence::Forward,
        reference: None,
        data_sm: false,
    };
    let part = Transport {
        account: 0,
        processes: 1,
        hosts: vec![],
        links: vec![Kind::Transceiver],
        window: 10,
        sequence_start: 1,
        messages_max: 20,
        keeps: Keeps::File,
        sync_ms: 0,
        options: Options { receipts: true, ..Options::default() },
        bus: BusFaults::default(),
        messages: [500, 700, 900].into_iter().zip(CHARACTERS).map(text).collect(),
        handsets: [600, 800].into_iter().zip(CHARACTERS).map(text).map(handset).collect(),
    };
    Plan { clients: vec![], transports: vec![part], tick_ms: 1, latency_ms: 5, ..Plan::draw(1, Some(Profile::Calm)) }
}

/// The run of a plan in which nothing is wrong.
pub(crate) fn good_of(plan: Plan) -> (Plan, History) {
    let history = run(&plan, Tier::Fast).unwrap();
    assert_eq!(check(&plan, &history), [], "nothing is wrong with it yet");
    (plan, history)
}

pub(crate) fn good() -> (Plan, History) {
    good_of(plan())
}

/// Asserts that this oracle, and no other, sees something wrong, and that it says so in these words.
#[track_caller]
pub(crate) fn only(oracle: &str, words: &str, plan: &Plan, history: &History) {
    let found = check(plan, history);
    assert!(!found.is_empty(), "nothing was seen");
    assert!(found.iter().all(|it| it.oracle == oracle), "{found:?}");
    assert!(found.iter().any(|it| it.words.contains(words)), "{found:?}");
}

/// Where the first fact is that is so.
pub(crate) fn place(history: &History, is_it: impl Fn(&What) -> bool) -> usize {
    history.facts.iter().position(|fact| is_it(&fact.what)).expect("there is one")
}

/// What was published, as JSON.
pub(crate) fn told(what: &What) -> Option<(Route, Value)> {
    match what {
        What::Published { route, body, .. } => Some((*route, serde_json::from_slice(body).unwrap())),
        _ => None,
    }
}

/// Where this event about this message was stored.
pub(crate) fn event(history: &History, kind: &str, message: usize) -> usize {
    let name = format!("0-{message}");
    place(history, |what| {
        told(what).is_some_and(|(_, event)| event["event_type"] == kind && event["user_message_id"] == name.as_str())
    })
}

/// Where what this handset sent was stored.
pub(crate) fn inbound(history: &History, handset: usize) -> usize {
    let from = sim_tests::transport::handset(0, handset);
    place(history, |what| {
        told(what).is_some_and(|(route, it)| route == Route::Inbound && it["from_addr"] == from.as_str())
    })
}

/// Changes what was published, where it was stored and as it is found in the end.
pub(crate) fn retell(history: &mut History, at: usize, change: impl FnOnce(&mut Value)) {
    let (_, mut value) = told(&history.facts[at].what).unwrap();
    change(&mut value);
    let changed = Bytes::from(value.to_string());
    let What::Published { body, .. } = &mut history.facts[at].what else { unreachable!("it is told") };
    let before = std::mem::replace(body, changed.clone());
    for found in on_bus(history).iter_mut().filter(|(_, found)| *found == before) {
        found.1 = changed.clone();
    }
}

/// Tells something once more right after it, changed.
pub(crate) fn tell_again(history: &mut History, at: usize, change: impl FnOnce(&mut Value)) {
    let Fact { at: time, what: What::Published { process, route, .. } } = history.facts[at] else {
        panic!("nothing is told there")
    };
    let (_, mut value) = told(&history.facts[at].what).unwrap();
    change(&mut value);
    let body = Bytes::from(value.to_string());
    on_bus(history).push((route, body.clone()));
    history.facts.insert(at + 1, Fact { at: time, what: What::Published { process, route, body } });
}

/// What is found on the bus in the end.
pub(crate) fn on_bus(history: &mut History) -> &mut Vec<(Route, Bytes)> {
    let found = history.facts.iter_mut().find_map(|fact| match &mut fact.what {
        What::OnBus { published, .. } => Some(published),
        _ => None,
    });
    found.unwrap()
}

/// Moves a fact to before, or after, another; it is said to be at the time of that one.
pub(crate) fn move_to(history: &mut History, from: usize, to: usize) {
    let fact = Fact { at: history.facts[to].at, ..history.facts[from].clone() };
    history.facts.remove(from);
    history.facts.insert(to, fact);
}

/// The four facts of a request and its answer, as the one who asks is either end.
pub(crate) fn exchange(history: &History, asks: End, request: CommandId, number: usize) -> [usize; 4] {
    let answers = if asks == End::Esme { End::Smsc } else { End::Esme };
    let response = request.answer().unwrap();
    let nth = |end, way, command| places(history, end, way, command)[number];
    [
        nth(asks, Way::Written, request),
        nth(answers, Way::Read, request),
        nth(answers, Way::Written, response),
        nth(asks, Way::Read, response),
    ]
}

/// Changes an answer, as it was written and as it was read.
pub(crate) fn answered(history: &mut History, exchange: [usize; 4], change: impl Fn(&mut Pdu)) {
    exchange[2..].iter().for_each(|at| rewrite(history, *at, &change));
}

/// Sends what was submitted once more, before all is unbound; the answer has another id.
pub(crate) fn submit_again(history: &mut History, number: usize) {
    let exchange = exchange(history, End::Esme, CommandId::SUBMIT_SM, number);
    let at = places(history, End::Esme, Way::Written, CommandId::UNBIND)[0];
    let time = history.facts[at].at;
    let again = exchange.map(|place| {
        let fact = &history.facts[place];
        let What::Passed { line, end, way, .. } = fact.what else { unreachable!("it is a PDU") };
        let mut pdu = pdu(&fact.what).unwrap();
        pdu.sequence = 0x7777;
        if let Body::SubmitSmResp(Some(body)) = &mut pdu.body {
            body.message_id = "4711".parse().unwrap();
        }
        Fact { at: time, what: What::Passed { line, end, way, frame: pdu.to_octets() } }
    });
    history.facts.splice(at..at, again);
}
