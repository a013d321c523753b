//! Guards plans as data: the same seed draws the same plan, and a plan written to a file comes back as it was, or not at all.

use sim_tests::history::What;
use sim_tests::plan::{Fault, FaultKind, Kind, Plan, Profile};
use sim_tests::runner::judge;
use sim_tests::world::Tier;
use smsc_sim::Policy;

#[test]
fn the_same_seed_draws_the_same_plan_and_another_draws_another() {
    for seed in 0..300 {
        assert_eq!(Plan::draw(seed, None), Plan::draw(seed, None));
        assert_ne!(Plan::draw(seed, None), Plan::draw(seed + 1, None));
    }
}

#[test]
fn a_plan_comes_back_from_json_as_it_was() {
    for seed in 0..300 {
        for profile in [None, Some(Profile::Calm), Some(Profile::All)] {
            let plan = Plan::draw(seed, profile);
            let text = serde_json::to_string_pretty(&plan).unwrap();
            assert_eq!(serde_json::from_str::<Plan>(&text).unwrap(), plan, "seed {seed}");
        }
    }
}

/// Every object in a plan, by the way to it.
const OBJECTS: [&str; 18] = [
    "",
    "/timers",
    "/clients/0",
    "/clients/0/messages/0",
    "/smsc",
    "/smsc/rules/0",
    "/smsc/rules/0/when",
    "/smsc/policy/receipt",
    "/smsc/retry",
    "/wire",
    "/wire/esme",
    "/faults/0",
    "/transports/0",
    "/transports/0/options",
    "/transports/0/bus",
    "/transports/0/messages/0",
    "/transports/0/handsets/0",
    "/transports/0/handsets/0/text",
];

#[test]
fn an_unknown_key_is_an_error_that_names_it_wherever_it_is() {
    let full = |seed: &u64| {
        let plan = Plan::draw(*seed, Some(Profile::All));
        let has =
            |transport: &sim_tests::plan::Transport| !transport.messages.is_empty() && !transport.handsets.is_empty();
        !plan.faults.is_empty()
            && plan.clients.first().is_some_and(|client| !client.messages.is_empty())
            && plan.transports.first().is_some_and(has)
    };
    let plan = serde_json::to_value(Plan::draw((0..).find(full).unwrap(), Some(Profile::All))).unwrap();
    for object in OBJECTS {
        let mut plan = plan.clone();
        plan.pointer_mut(object).unwrap()["surplus"] = 1.into();
        let error = serde_json::from_value::<Plan>(plan).unwrap_err().to_string();
        assert!(error.contains("unknown field `surplus`"), "{object:?}: {error}");
    }
}

#[test]
fn a_key_that_is_left_out_is_an_error_that_names_it() {
    let mut plan = serde_json::to_value(Plan::draw(1, None)).unwrap();
    plan.as_object_mut().unwrap().remove("tick_ms");
    let error = serde_json::from_value::<Plan>(plan).unwrap_err().to_string();
    assert!(error.contains("missing field `tick_ms`"), "{error}");
}

#[test]
fn in_a_calm_plan_nothing_goes_wrong_and_in_one_of_all_much_does() {
    for seed in 0..300 {
        let calm = Plan::draw(seed, Some(Profile::Calm));
        assert_eq!((&calm.smsc.rules, &calm.smsc.policy), (&vec![], &Policy::default()));
        assert!(calm.faults.is_empty() && !calm.wire.is_cutting() && calm.smsc_is_honest());
        let all = Plan::draw(seed, Some(Profile::All));
        assert!(!all.faults.is_empty() && all.wire.is_cutting() && !all.smsc_is_honest());
    }
}

#[test]
fn what_is_drawn_can_be_run_and_is_fair() {
    for seed in 0..1_000 {
        let plan = Plan::draw(seed, None);
        assert_eq!((plan.check(), plan.unfair()), (Ok(()), [].into()), "seed {seed}");
    }
}

#[test]
fn what_cannot_be_run_is_said_with_its_place() {
    let has_all = |plan: &Plan| !plan.clients.is_empty() && !plan.transports.is_empty();
    let drawn = || (0..).map(|seed| Plan::draw(seed, Some(Profile::All))).find(has_all).unwrap();
    let refused = |spoil: &dyn Fn(&mut Plan)| {
        let mut plan = drawn();
        spoil(&mut plan);
        plan.check().unwrap_err()
    };
    assert_eq!(refused(&|plan| plan.tick_ms = 0), "tick_ms is 0");
    assert_eq!(refused(&|plan| plan.clients[0].window = 0), "clients[0]: window is 0");
    assert_eq!(refused(&|plan| plan.clients[0].sequence_start = 0), "clients[0]: sequence_start is no sequence number");
    assert_eq!(refused(&|plan| plan.transports[0].links.clear()), "transports[0]: it has no links");
    assert_eq!(refused(&|plan| plan.transports[0].options.rate = Some(0)), "transports[0]: options.rate is 0");
    let account = "transports[0]: its account is another's too";
    assert_eq!(refused(&|plan| plan.transports[0].account = plan.clients[0].account), account);
    let nobody = Fault { at_ms: 1, for_ms: 20, kind: FaultKind::TransportKilled(9), smsc: None };
    assert_eq!(refused(&|plan| plan.faults.insert(0, nobody)), "faults[0]: there is no such process or transport");
    let nowhere = Fault { at_ms: 1, for_ms: 20, kind: FaultKind::Crash, smsc: Some(9) };
    let no_smsc = "faults[0]: there is no such SMSC, or it is not of one";
    assert_eq!(refused(&|plan| plan.faults.insert(0, nowhere)), no_smsc);
    assert_eq!(refused(&|plan| plan.transports[0].hosts = vec![9]), "transports[0]: there is no such SMSC");
    assert_eq!(refused(&|plan| plan.smscs = 0), "smscs is not 1 to 9");
    let wrong = "smsc.rules[0]: when.chance is 2: 0 to 1 is allowed";
    assert_eq!(refused(&|plan| plan.smsc.rules[0].when.chance = Some(2.0)), wrong);
}

#[test]
fn what_a_file_does_not_say_is_plain_and_what_is_plain_is_not_said() {
    let text = r#"{"seed":7,"profile":"calm","tick_ms":1,"latency_ms":0}"#;
    let plan: Plan = serde_json::from_str(text).unwrap();
    assert_eq!(serde_json::to_string(&plan).unwrap(), text);
    let mut plan = Plan { clients: Plan::draw(1, Some(Profile::Calm)).clients, ..plan };
    plan.timers.response_timeout_ms = 700;
    let value = serde_json::to_value(&plan).unwrap();
    assert_eq!(value["timers"], serde_json::json!({"response_timeout_ms": 700}));
    assert_eq!(serde_json::from_value::<Plan>(value).unwrap(), plan);
}

#[test]
fn most_plans_have_one_smsc_and_transports_try_all_that_there_are() {
    let several = (0..1_000).filter(|seed| Plan::draw(*seed, None).smscs > 1).count();
    assert!((100..200).contains(&several), "{several}");
    let calm = (0..).map(|seed| Plan::draw(seed, Some(Profile::Calm))).find(|plan| plan.smscs > 2).unwrap();
    let mut places = calm.hosts(0);
    places.sort_unstable();
    assert_eq!(places, [0, 1, 2]);
}

#[test]
fn faults_follow_each_other_and_receipts_have_somewhere_to_go() {
    for seed in 0..300 {
        let plan = Plan::draw(seed, None);
        let (transports, others): (Vec<&Fault>, Vec<&Fault>) =
            plan.faults.iter().partition(|fault| !fault.kind.is_of_network());
        for faults in [transports, others] {
            assert!(faults.windows(2).all(|two| two[0].at_ms + two[0].for_ms <= two[1].at_ms), "seed {seed}");
        }
        assert!(plan.faults.iter().all(|fault| fault.for_ms > 0 || fault.kind == FaultKind::Hold));
        let kinds = plan.clients.iter().map(|client| client.kind);
        let kinds = kinds.chain(plan.transports.iter().flat_map(|transport| transport.links.iter().copied()));
        assert!(kinds.into_iter().any(|kind| kind != Kind::Transmitter), "seed {seed}");
        assert!(plan.rest_by() > plan.last_event());
    }
}

#[test]
fn the_plan_that_the_readme_shows_runs_and_does_what_it_says() {
    let readme = include_str!("../../README.md");
    let (_, from) = readme.split_once("```json\n").unwrap();
    let (text, _) = from.split_once("```").unwrap();
    let plan: Plan = serde_json::from_str(text).unwrap();
    assert_eq!(plan.check(), Ok(()));
    for tier in [Tier::Fast, Tier::Turmoil] {
        let (verdict, history) = judge(&plan, tier);
        assert_eq!(verdict.violations, [], "{tier}");
        let told: Vec<String> = history.facts.iter().filter_map(|fact| told(&fact.what)).collect();
        assert_eq!(told, ["ack", "delivery_report"], "{tier}");
    }
}

/// Which kind of event was stored.
fn told(what: &What) -> Option<String> {
    let What::Published { body, .. } = what else { return None };
    let event: serde_json::Value = serde_json::from_slice(body).unwrap();
    event["event_type"].as_str().map(str::to_owned)
}
