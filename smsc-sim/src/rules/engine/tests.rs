//! Guards which rule a request meets: each condition alone, their order, what is counted, and that chance stays in its place.

use std::cell::Cell;

use bytes::Bytes;
use proptest::prelude::*;
use smpp_transport::pdu::{TlvTag, Tlvs};

use std::time::Duration;

use super::*;
use crate::rules::{Fields, Operation, Party, When, parse};
use crate::words::Bind;

const TWO: [Party<'static>; 1] = [Party::of("27820002")];

fn engine(yaml: &str) -> Engine {
    Engine::new(parse(yaml).expect(yaml), Seed(1))
}

/// A submit_sm of the transceiver of "one".
fn asked() -> Asked<'static> {
    Asked::plain()
}

/// Which of so many equal requests meet the only rule.
fn met(yaml: &str, requests: u64) -> Vec<u64> {
    let mut engine = engine(yaml);
    (1..=requests).filter(|request| engine.first(&Asked { request: *request, ..asked() }).is_some()).collect()
}

fn is_met(when: &str, asked: &Asked<'_>) -> bool {
    engine(&format!("[{{ when: {when} }}]")).first(asked).is_some()
}

#[test]
fn each_condition_is_asked() {
    for (when, other) in [
        ("{ account: one }", Asked { account: "two", ..asked() }),
        ("{ account: [zero, one] }", Asked { account: "two", ..asked() }),
        ("{ bind: transceiver }", Asked { bind: Some(Bind::Transmitter), ..asked() }),
        ("{ bind: [transceiver, receiver] }", Asked { bind: None, ..asked() }),
        ("{ operation: submit_sm }", Asked { operation: Some(Operation::DataSm), ..asked() }),
        ("{ from: ^88 }", Asked { from: Party::of("188"), ..asked() }),
        ("{ to: 01$ }", Asked { to: &TWO, ..asked() }),
        ("{ text: ell }", Asked { text: &|| "good-bye".to_owned(), ..asked() }),
        ("{ between: 0..10s }", Asked { now: Duration::from_secs(10), ..asked() }),
    ] {
        assert!(is_met(when, &asked()), "{when}");
        assert!(!is_met(when, &other), "{when}");
    }
    assert!(is_met("{ part: 2 }", &Asked { part: Some((2, 3)), ..asked() }));
    assert!(!is_met("{ part: 2 }", &asked()));
    assert!(is_met("{ above_pending: 5 }", &Asked { pending: &|_| 6, ..asked() }));
    assert!(!is_met("{ above_pending: 5 }", &Asked { pending: &|_| 5, ..asked() }));
    assert!(is_met(
        "{ to: 3$ }",
        &Asked { to: &[Party::of("1"), Party::of("3")], operation: Some(Operation::SubmitMulti), ..asked() }
    ));
}

#[test]
fn each_condition_on_fields_sessions_and_times_is_asked() {
    let (tlvs, none) = ([(TlvTag(0x1401), Bytes::from_static(b"PL7"))].into_iter().collect::<Tlvs>(), Tlvs::new());
    let fields = |change: fn(&mut Fields<'_>)| {
        let mut fields = Fields::default();
        change(&mut fields);
        Asked { fields, ..asked() }
    };
    let with = |tlvs| Asked { fields: Fields { tlvs: Some(tlvs), ..Fields::default() }, ..asked() };
    let from = |ton, npi| Asked { from: Party { address: "8888", ton, npi }, ..asked() };
    let international = [Party { address: "27820001", ton: 1, npi: 1 }];
    let to = |to| Asked { to, ..asked() };
    let aged = |seconds| Asked { age: Duration::from_secs(seconds), ..asked() };
    for (when, met, other) in [
        ("{ tlv: { 0x1401: present } }", with(&tlvs), with(&none)),
        ("{ tlv: { 0x1401: present } }", with(&tlvs), asked()),
        ("{ tlv: { 0x1401: absent } }", with(&none), with(&tlvs)),
        ("{ tlv: { 0x1401: PL7, message_payload: absent } }", with(&tlvs), with(&none)),
        ("{ tlv: { 0x1401: '0x504C37' } }", with(&tlvs), with(&none)),
        ("{ esm_class: 0x40/0x40 }", fields(|it| it.esm_class = 0x43), fields(|it| it.esm_class = 0x03)),
        ("{ esm_class: [0, 64] }", fields(|it| it.esm_class = 64), fields(|it| it.esm_class = 65)),
        ("{ data_coding: 8 }", fields(|it| it.data_coding = 8), asked()),
        ("{ data_coding: [4, 0x08] }", fields(|it| it.data_coding = 8), asked()),
        ("{ registered_delivery: 1/3 }", fields(|it| it.registered_delivery = 0x11), asked()),
        ("{ length: 1..160 }", fields(|it| it.length = 160), fields(|it| it.length = 161)),
        ("{ length: 0 }", asked(), fields(|it| it.length = 1)),
        ("{ from_ton: 5, from_npi: 0 }", from(5, 0), from(5, 1)),
        ("{ from_npi: [1, 8] }", from(0, 8), from(0, 0)),
        ("{ to_ton: 1 }", to(&international), asked()),
        ("{ to_npi: 1 }", to(&international), asked()),
        ("{ parts: 2.. }", Asked { part: Some((1, 2)), ..asked() }, Asked { part: Some((1, 1)), ..asked() }),
        ("{ parts: 1.. }", Asked { part: Some((1, 1)), ..asked() }, asked()),
        ("{ parts: 0 }", asked(), Asked { part: Some((1, 3)), ..asked() }),
        ("{ session_age: 10m.. }", aged(600), aged(599)),
        ("{ session_age: ..10m }", aged(599), aged(600)),
        ("{ sessions: 2.. }", Asked { sessions: 2, ..asked() }, asked()),
        ("{ sessions_total: ..3 }", asked(), Asked { sessions_total: 4, ..asked() }),
        ("{ between: 10s.. }", Asked { now: Duration::from_secs(10), ..asked() }, asked()),
    ] {
        assert!(is_met(when, &met), "{when}");
        assert!(!is_met(when, &other), "{when}");
    }
}

/// Places of the destinations that each rule took of a submit_multi to these.
fn taken(engine: &mut Engine, to: &[&str]) -> Vec<(usize, Vec<usize>)> {
    let to: Vec<_> = to.iter().map(|to| Party::of(to)).collect();
    let asked = Asked { to: &to, operation: Some(Operation::SubmitMulti), ..asked() };
    engine.decide(&asked).into_iter().map(|decision| (decision.rule, decision.to)).collect()
}

#[test]
fn each_destination_of_a_submit_multi_goes_to_the_first_rule_that_it_meets() {
    let mut engine = engine("[{ when: { to: 1$ } }, { when: { to: '[12]$' } }, { when: { text: hello } }, {}]");
    assert_eq!(taken(&mut engine, &["91", "92", "93", "81"]), [(0, vec![0, 3]), (1, vec![1]), (2, vec![2])]);
    assert_eq!(taken(&mut engine, &["93", "83"]), [(2, vec![0, 1])], "a rule without a destination takes all");
    assert_eq!(engine.matched(), [1, 1, 2, 0], "a rule is followed once for each request");
    let mut some = self::engine("[{ when: { to: 1$ } }]");
    assert_eq!(taken(&mut some, &["92", "91"]), [(0, vec![1])], "the others go without a rule");
    assert!(taken(&mut some, &["92"]).is_empty());
}

#[test]
fn destinations_are_counted_and_drawn_for_one_by_one() {
    let mut engine = engine("[{ when: { to: ^9, every: 2 } }]");
    assert_eq!(taken(&mut engine, &["91", "92", "83", "94", "95"]), [(0, vec![1, 4])]);
    let mut engine = self::engine("[{ when: { to: ^9, chance: 0.5 } }]");
    let to: Vec<String> = (0..200).map(|number| format!("9{number}")).collect();
    let to: Vec<&str> = to.iter().map(String::as_str).collect();
    let all = taken(&mut engine, &to).remove(0).1;
    assert!((70..130).contains(&all.len()), "{all:?}");
    let alone = is_met("{ to: ^9, chance: 0.5 }", &Asked { to: &[Party::of("90")], ..asked() });
    assert_eq!(all.contains(&0), alone, "the first draws as a single one");
}

#[test]
fn counts_may_be_kept_for_each_account_session_and_destination() {
    let met = |per: &str, others: [Asked<'_>; 2]| {
        let mut engine = engine(&format!("[{{ when: {{ per: {per}, first: 1 }} }}]"));
        others.map(|other| [asked(), asked(), other].map(|asked| engine.first(&asked).is_some()))
    };
    let wanted = [[true, false, true], [false, false, true]];
    assert_eq!(met("account", [Asked { account: "two", ..asked() }, Asked { account: "six", ..asked() }]), wanted);
    assert_eq!(met("session", [Asked { session: 2, ..asked() }, Asked { session: 3, ..asked() }]), wanted);
    let to = [Party::of("27820003")];
    assert_eq!(met("destination", [Asked { to: &TWO, ..asked() }, Asked { to: &to, ..asked() }]), wanted);
    let mut engine = engine("[{ when: { per: destination, above_rate: 1 } }]");
    let rate = [asked(), asked(), Asked { to: &TWO, ..asked() }].map(|asked| engine.first(&asked).is_some());
    assert_eq!(rate, [false, true, false]);
    let full = |to: Option<&str>| if to == Some("27820001") { 6 } else { 0 };
    let full = |yaml| is_met(yaml, &Asked { pending: &full, ..asked() });
    assert!(full("{ per: destination, above_pending: 5 }"));
    assert!(!full("{ per: account, above_pending: 5 }") && !full("{ above_pending: 5 }"));
}

#[test]
fn the_clock_meets_its_own_rules_and_requests_the_others() {
    let mut engine = engine("[{ when: { clock: { at: 1s }, account: one, first: 1 }, then: { after: [unbind] } }, {}]");
    assert_eq!(engine.clocks().collect::<Vec<_>>(), [0]);
    assert_eq!(engine.first(&asked()).expect("the second").rule, 1);
    let struck = Asked { operation: None, to: &[], ..asked() };
    assert!(engine.strike(0, &Asked { account: "two", ..struck }).is_none());
    assert!(engine.strike(0, &struck).is_some());
    assert!(engine.strike(0, &struck).is_none(), "counted");
    assert_eq!(engine.matched(), [1, 1]);
}

#[test]
fn a_rule_without_an_operation_is_for_messages() {
    for operation in [Operation::SubmitSm, Operation::SubmitMulti, Operation::DataSm] {
        assert!(is_met("{}", &Asked { operation: Some(operation), ..asked() }));
    }
    for operation in [Operation::Connect, Operation::Bind, Operation::QuerySm, Operation::EnquireLink, Operation::Other]
    {
        assert!(!is_met("{}", &Asked { operation: Some(operation), ..asked() }));
    }
}

#[test]
fn the_first_that_matches_is_followed_and_counted() {
    let mut engine = engine("[{ when: { to: 9$ } }, { then: { behind: 1 } }, { then: { behind: 2 } }]");
    let decision = engine.first(&asked()).expect("the second");
    assert_eq!((decision.rule, decision.then.behind), (1, 1));
    engine.first(&Asked { to: &[Party::of("9")], ..asked() });
    assert_eq!(engine.matched(), [1, 1, 0]);
    assert_eq!(engine.rules().len(), 3);
    engine.reset(Seed(1));
    assert_eq!(engine.matched(), [0, 0, 0]);
}

#[test]
fn the_text_is_read_once_and_only_for_those_who_ask() {
    let reads = Cell::new(0);
    let text = || {
        reads.set(reads.get() + 1);
        "hello".to_owned()
    };
    let mut engine = engine("[{ when: { from: nobody, text: x } }, { when: { text: x } }, { when: { text: y } }]");
    assert!(engine.first(&Asked { text: &text, ..asked() }).is_none());
    assert_eq!(reads.get(), 1);
    assert!(
        self::engine("[{ when: { from: nobody, text: x } }, {}]").first(&Asked { text: &text, ..asked() }).is_some()
    );
    assert_eq!(reads.get(), 1);
}

#[test]
fn requests_are_counted() {
    assert_eq!(met("[{ when: { after: 3 } }]", 5), [4, 5]);
    assert_eq!(met("[{ when: { every: 3 } }]", 7), [3, 6]);
    assert_eq!(met("[{ when: { first: 2 } }]", 5), [1, 2]);
    assert_eq!(met("[{ when: { first: 0 } }]", 5), [0; 0]);
    assert_eq!(
        met("[{ when: { after: 1, every: 2, first: 2 } }]", 9),
        [3, 5],
        "each counts what is left by those before"
    );
}

#[test]
fn what_is_counted_met_all_that_stands_above() {
    let mut engine = engine("[{ when: { to: 01$, every: 2 } }]");
    let place = |engine: &mut Engine, to| engine.first(&Asked { to: &[Party::of(to)], ..asked() }).is_some();
    assert!(!place(&mut engine, "01"));
    assert!(!place(&mut engine, "02"), "it has another destination, and does not count");
    assert!(place(&mut engine, "01"));
    assert!(!place(&mut engine, "01"));
    engine.reset(Seed(1));
    assert!(!place(&mut engine, "01"), "the count starts anew");
}

#[test]
fn a_request_that_an_earlier_rule_takes_is_not_counted() {
    let mut engine = engine("[{ when: { first: 1 } }, { when: { every: 2 } }]");
    let rules: Vec<_> = (0..5).map(|_| engine.first(&asked()).map(|decision| decision.rule)).collect();
    assert_eq!(rules, [Some(0), None, Some(1), None, Some(1)]);
}

/// How many of the requests that come at an even pace for ten seconds are above ten a second.
fn above(requests_per_second: u32) -> usize {
    let mut engine = engine("[{ when: { above_rate: 10 } }]");
    let at = |nth| Duration::from_secs(1) * nth / requests_per_second;
    (0..requests_per_second * 10).filter(|nth| engine.first(&Asked { now: at(*nth), ..asked() }).is_some()).count()
}

#[test]
fn what_is_above_the_rate_is_met() {
    assert_eq!((above(5), above(10)), (0, 0));
    assert_eq!((above(20), above(100)), (100, 900), "a hundred in ten seconds are not above it");
}

#[test]
fn a_tenth_of_a_second_may_come_at_once() {
    for (rate, burst) in [("100", 10), ("20", 2), ("10", 1), ("0.5", 1)] {
        let mut engine = engine(&format!("[{{ when: {{ above_rate: {rate} }} }}]"));
        let decisions: Vec<_> = (0..20).map(|_| engine.first(&asked()).is_some()).collect();
        assert_eq!(decisions.iter().filter(|above| !**above).count(), burst, "{rate}");
        assert!(decisions[burst..].iter().all(|above| *above), "{rate}");
    }
}

#[test]
fn each_account_has_a_rate_of_its_own() {
    let mut engine = engine("[{ when: { above_rate: 1 } }]");
    let mut is_above =
        |account, seconds| engine.first(&Asked { account, now: Duration::from_secs(seconds), ..asked() }).is_some();
    assert_eq!((is_above("one", 0), is_above("one", 0), is_above("two", 0)), (false, true, false));
    assert!(!is_above("one", 1), "those that were above took nothing");
    assert!(is_above("one", 1));
}

#[test]
fn chance_is_met_as_often_as_said() {
    let share = met("[{ when: { chance: 0.3 } }]", 10_000).len();
    assert!((2_800..3_200).contains(&share), "{share}");
    assert_eq!(met("[{ when: { chance: 0 } }]", 1_000).len(), 0);
    assert_eq!(met("[{ when: { chance: 1 } }]", 1_000).len(), 1_000);
}

#[test]
fn chance_comes_from_seed_session_and_request() {
    let decisions = |seed, session| -> Vec<bool> {
        let mut engine = Engine::new(parse("[{ when: { chance: 0.5 } }]").expect("rules"), Seed(seed));
        (0..64).map(|request| engine.first(&Asked { session, request, ..asked() }).is_some()).collect()
    };
    assert_eq!(decisions(1, 1), decisions(1, 1));
    assert_ne!(decisions(1, 1), decisions(2, 1));
    assert_ne!(decisions(1, 1), decisions(1, 2));
    let engine = engine("[]");
    assert_eq!(engine.rng("life", 1, 2), engine.rng("life", 1, 2));
    assert!(
        engine.rng("life", 1, 2) != engine.rng("life", 2, 1) && engine.rng("life", 1, 2) != engine.rng("life", 1, 3)
    );
}

/// A list of rules with these chances, each told by its place.
fn by_chance(chances: &[f64]) -> Engine {
    let rule = |chance: &f64| Rule { when: When { chance: Some(*chance), ..When::default() }, ..Rule::default() };
    Engine::new(chances.iter().map(rule).collect(), Seed(7))
}

/// Requests of several sessions at several times.
fn traffic() -> impl Strategy<Value = Vec<(u64, u64, u64, bool)>> {
    proptest::collection::vec((0..4_u64, 0..50_u64, 0..5_000_u64, any::<bool>()), 1..60)
}

fn decisions(engine: &mut Engine, traffic: &[(u64, u64, u64, bool)]) -> Vec<Option<usize>> {
    let mut now = 0;
    let decide = |&(session, request, later, is_one): &(u64, u64, u64, bool)| {
        now += later;
        let account = if is_one { "one" } else { "two" };
        let asked = Asked { account, session, request, now: Duration::from_millis(now), ..asked() };
        engine.first(&asked).map(|decision| decision.rule)
    };
    traffic.iter().map(decide).collect()
}

proptest! {
    #[test]
    fn the_same_traffic_meets_the_same_rules(traffic in traffic()) {
        let rules = "[{ when: { account: one, above_rate: 2, chance: 0.5 } }, { when: { every: 3 } }, { when: { chance: 0.1 } },
                      { when: { between: 1s..100s, first: 5 } }]";
        let mut engine = engine(rules);
        let once = decisions(&mut engine, &traffic);
        engine.reset(Seed(1));
        prop_assert_eq!(&decisions(&mut engine, &traffic), &once);
        prop_assert_eq!(decisions(&mut self::engine(rules), &traffic), once);
    }

    /// A request moves to or from the rule that is changed, and to or from no other.
    #[test]
    fn to_change_one_chance_moves_no_other_draw(
        chances in proptest::collection::vec(0.0..1.0_f64, 1..8),
        changed in any::<proptest::sample::Index>(),
        chance in 0.0..1.0_f64,
        traffic in traffic(),
    ) {
        let changed = changed.index(chances.len());
        let before = decisions(&mut by_chance(&chances), &traffic);
        let mut others = chances.clone();
        others[changed] = chance;
        let after = decisions(&mut by_chance(&others), &traffic);
        for (before, after) in before.into_iter().zip(after) {
            prop_assert!(before == after || before == Some(changed) || after == Some(changed), "{before:?} {after:?}");
        }
        // Conditions that are not met draw as little from those after them.
        let mut engine = by_chance(&chances);
        let mut silent = chances.clone();
        silent[changed] = 0.0;
        let without = decisions(&mut by_chance(&silent), &traffic);
        engine.rules[changed].when.from = Some("nobody".parse().expect("a pattern"));
        prop_assert_eq!(decisions(&mut engine, &traffic), without);
    }
}
