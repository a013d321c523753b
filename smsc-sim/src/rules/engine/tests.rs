//! Guards which rule a request meets: each condition alone, their order, what is counted, and that chance stays in its place.

use std::cell::Cell;

use proptest::prelude::*;

use super::*;
use crate::rules::parse;

fn engine(yaml: &str) -> Engine {
    Engine::new(parse(yaml).expect(yaml), Seed(1))
}

/// A submit_sm of "one"'s transceiver.
fn asked() -> Asked<'static> {
    Asked {
        account: "one",
        bind: Some(Bind::Transceiver),
        operation: Operation::SubmitSm,
        from: "8888",
        to: &["27820001"],
        text: &|| "hello".to_owned(),
        part: None,
        pending: 0,
        now: Duration::ZERO,
        session: 1,
        request: 1,
    }
}

/// Which of so many equal requests meet the only rule.
fn met(yaml: &str, requests: u64) -> Vec<u64> {
    let mut engine = engine(yaml);
    (1..=requests).filter(|request| engine.decide(&Asked { request: *request, ..asked() }).is_some()).collect()
}

fn is_met(when: &str, asked: &Asked<'_>) -> bool {
    engine(&format!("[{{ when: {when} }}]")).decide(asked).is_some()
}

#[test]
fn each_condition_is_asked() {
    for (when, other) in [
        ("{ account: one }", Asked { account: "two", ..asked() }),
        ("{ account: [zero, one] }", Asked { account: "two", ..asked() }),
        ("{ bind: transceiver }", Asked { bind: Some(Bind::Transmitter), ..asked() }),
        ("{ bind: [transceiver, receiver] }", Asked { bind: None, ..asked() }),
        ("{ operation: submit_sm }", Asked { operation: Operation::DataSm, ..asked() }),
        ("{ from: ^88 }", Asked { from: "188", ..asked() }),
        ("{ to: 01$ }", Asked { to: &["27820002"], ..asked() }),
        ("{ text: ell }", Asked { text: &|| "good-bye".to_owned(), ..asked() }),
        ("{ between: 0..10s }", Asked { now: Duration::from_secs(10), ..asked() }),
    ] {
        assert!(is_met(when, &asked()), "{when}");
        assert!(!is_met(when, &other), "{when}");
    }
    assert!(is_met("{ part: 2 }", &Asked { part: Some(2), ..asked() }));
    assert!(!is_met("{ part: 2 }", &asked()));
    assert!(is_met("{ above_pending: 5 }", &Asked { pending: 6, ..asked() }));
    assert!(!is_met("{ above_pending: 5 }", &Asked { pending: 5, ..asked() }));
    assert!(is_met("{ to: 3$ }", &Asked { to: &["1", "3"], operation: Operation::SubmitMulti, ..asked() }));
}

#[test]
fn a_rule_without_an_operation_is_for_messages() {
    for operation in [Operation::SubmitSm, Operation::SubmitMulti, Operation::DataSm] {
        assert!(is_met("{}", &Asked { operation, ..asked() }));
    }
    for operation in [Operation::Connect, Operation::Bind, Operation::QuerySm, Operation::EnquireLink, Operation::Other]
    {
        assert!(!is_met("{}", &Asked { operation, ..asked() }));
    }
}

#[test]
fn the_first_that_matches_is_followed_and_counted() {
    let mut engine = engine("[{ when: { to: 9$ } }, { then: { behind: 1 } }, { then: { behind: 2 } }]");
    let decision = engine.decide(&asked()).expect("the second");
    assert_eq!((decision.rule, decision.then.behind), (1, 1));
    engine.decide(&Asked { to: &["9"], ..asked() });
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
    assert!(engine.decide(&Asked { text: &text, ..asked() }).is_none());
    assert_eq!(reads.get(), 1);
    assert!(
        self::engine("[{ when: { from: nobody, text: x } }, {}]").decide(&Asked { text: &text, ..asked() }).is_some()
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
    let place = |engine: &mut Engine, to| engine.decide(&Asked { to: &[to], ..asked() }).is_some();
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
    let rules: Vec<_> = (0..5).map(|_| engine.decide(&asked()).map(|decision| decision.rule)).collect();
    assert_eq!(rules, [Some(0), None, Some(1), None, Some(1)]);
}

/// How many of the requests that come at an even pace for ten seconds are above ten a second.
fn above(requests_per_second: u32) -> usize {
    let mut engine = engine("[{ when: { above_rate: 10 } }]");
    let at = |nth| Duration::from_secs(1) * nth / requests_per_second;
    (0..requests_per_second * 10).filter(|nth| engine.decide(&Asked { now: at(*nth), ..asked() }).is_some()).count()
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
        let decisions: Vec<_> = (0..20).map(|_| engine.decide(&asked()).is_some()).collect();
        assert_eq!(decisions.iter().filter(|above| !**above).count(), burst, "{rate}");
        assert!(decisions[burst..].iter().all(|above| *above), "{rate}");
    }
}

#[test]
fn each_account_has_a_rate_of_its_own() {
    let mut engine = engine("[{ when: { above_rate: 1 } }]");
    let mut is_above =
        |account, seconds| engine.decide(&Asked { account, now: Duration::from_secs(seconds), ..asked() }).is_some();
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
        (0..64).map(|request| engine.decide(&Asked { session, request, ..asked() }).is_some()).collect()
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
        engine.decide(&asked).map(|decision| decision.rule)
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
