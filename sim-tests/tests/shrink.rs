//! Guards that a failing plan comes down to what it fails by, that nothing else decides the result, and that what is tried on
//! the way can be run.

use std::sync::atomic::{AtomicU64, Ordering};

use sim_tests::app::source;
use sim_tests::plan::{
    Client, Fault, FaultKind, Handset, Keeps, Kind, Message, Plan, Profile, Script, Sequence, Text, Transport,
};
use sim_tests::shrink::{Budget, Shrunk, shrink};
use smsc_sim::mo::Multipart;

fn shrunk_within(runs: u64, jobs: usize, plan: &Plan, fails: &(dyn Fn(&Plan) -> bool + Sync)) -> Shrunk {
    assert!(fails(plan), "the plan is to fail");
    let budget = Budget { runs, jobs, is_over: &|| false };
    let shrunk = shrink(plan, &budget, fails, &mut |_, _| {});
    assert!(fails(&shrunk.plan), "{:#?}", shrunk.plan);
    shrunk
}

fn shrunk(plan: &Plan, fails: &(dyn Fn(&Plan) -> bool + Sync)) -> Plan {
    let shrunk = shrunk_within(20_000, 2, plan, fails);
    assert!(shrunk.is_smallest, "{} runs", shrunk.runs);
    shrunk.plan
}

/// The first plan of everything with this in it.
fn plan_with(wanted: impl Fn(&Plan) -> bool) -> Plan {
    (0..).map(|seed| Plan::draw(seed, Some(Profile::All))).find(|plan| wanted(plan)).unwrap()
}

fn text(plan: &Plan) -> String {
    serde_json::to_string_pretty(plan).unwrap()
}

#[test]
fn a_plan_comes_down_to_the_fault_and_the_message_by_which_it_fails() {
    let has_message = |plan: &Plan| plan.clients.iter().flat_map(|it| &it.messages).any(|it| it.octets > 254);
    let has_fault = |plan: &Plan| plan.faults.iter().any(|fault| fault.kind == FaultKind::Crash);
    let fails = |plan: &Plan| has_message(plan) && has_fault(plan);
    let plan = plan_with(|plan| fails(plan) && plan.steps() > 60 && plan.owners().len() > 2);
    let small = shrunk(&plan, &fails);
    let client = Client {
        kind: Kind::Transceiver,
        window: 1,
        sequence_start: 1,
        messages: vec![Message::plain(0, 255, 0)],
        answer_delay_ms: 0,
        account: 0,
        address_range: String::new(),
        refuse_for_now: 0.0,
        refuse_for_good: 0.0,
    };
    let plain: Plan = serde_json::from_str(r#"{"seed": 0, "profile": "all", "tick_ms": 1, "latency_ms": 0}"#).unwrap();
    let for_ms = small.faults[0].for_ms;
    let fault = Fault { at_ms: 0, for_ms, kind: FaultKind::Crash, smsc: None };
    assert_eq!(small, Plan { clients: vec![client], faults: vec![fault], ..plain });
    assert!((20..40).contains(&for_ms) && small.steps() == 2, "{}", text(&small));
}

#[test]
fn the_same_plan_gives_the_same_file_whatever_the_number_of_cores() {
    let fails = |plan: &Plan| {
        plan.smsc.rules.len() > 2
            && plan.transports.iter().any(|transport| transport.messages.iter().any(|text| text.characters > 30))
    };
    let plan = plan_with(fails);
    let one = shrunk_within(20_000, 1, &plan, &fails);
    for jobs in [1, 2, 3, 8] {
        assert_eq!(shrunk_within(20_000, jobs, &plan, &fails), one, "{jobs} at once");
    }
    for runs in [0, 1, 7, 50, 51] {
        let (alone, together) = (shrunk_within(runs, 1, &plan, &fails), shrunk_within(runs, 4, &plan, &fails));
        assert_eq!(alone, together, "{runs} runs");
        assert!(alone.runs == runs && !alone.is_smallest, "{runs} runs: {alone:?}");
    }
    assert_eq!(shrunk_within(one.runs + 1, 4, &plan, &fails), one);
}

#[test]
fn what_is_shrunk_already_stays_as_it_is() {
    let fails = |plan: &Plan| plan.faults.len() > 1 && plan.wire.smsc.cut > 0.0;
    let small = shrunk(&plan_with(fails), &fails);
    assert_eq!(text(&shrunk(&small, &fails)), text(&small));
}

#[test]
fn a_search_that_is_told_to_end_ends() {
    let fails = |plan: &Plan| plan.steps() > 3;
    let plan = plan_with(fails);
    let asked = AtomicU64::new(0);
    let budget = Budget { runs: u64::MAX, jobs: 2, is_over: &|| asked.fetch_add(1, Ordering::Relaxed) > 4 };
    let shrunk = shrink(&plan, &budget, &fails, &mut |_, _| {});
    assert!(!shrunk.is_smallest && shrunk.runs <= 10, "{shrunk:?}");
}

#[test]
fn every_smaller_plan_is_told_of() {
    let fails = |plan: &Plan| plan.clients.iter().map(|client| client.messages.len()).sum::<usize>() > 1;
    let plan = plan_with(fails);
    let mut told = vec![(plan.clone(), 0)];
    let budget = Budget { runs: 20_000, jobs: 2, is_over: &|| false };
    let shrunk = shrink(&plan, &budget, &fails, &mut |best, runs| told.push((best.clone(), runs)));
    assert!(told.windows(2).all(|two| two[0].1 < two[1].1 && two[0].0.steps() >= two[1].0.steps()));
    assert_eq!(told.last().unwrap().0, shrunk.plan);
}

/// Whatever is asked for, what is asked about is a plan like those that are drawn.
#[test]
fn no_plan_is_tried_that_cannot_be_run_or_is_unfair() {
    let tried = AtomicU64::new(0);
    for seed in 0..40 {
        let plan = Plan::draw(seed, Some(Profile::All));
        // Fails in a way that has no sense, so that many shapes are met.
        let fails = |plan: &Plan| {
            tried.fetch_add(1, Ordering::Relaxed);
            assert_eq!(plan.check(), Ok(()));
            assert_eq!(plan.unfair(), [].into(), "{}", text(plan));
            let again: Plan = serde_json::from_str(&text(plan)).unwrap();
            assert_eq!(again, *plan);
            plan.digest().is_multiple_of(5)
        };
        let small = shrunk_within(300, 1, &plan, &|it| *it == plan || fails(it));
        assert!(small.plan.steps() < plan.steps(), "seed {seed}");
    }
    assert!(tried.into_inner() > 2_000);
}

fn transport(account: usize, processes: usize) -> Transport {
    let text = Text { at_ms: 100, script: Script::Plain, characters: 20, to: None, wrong: None };
    let (multipart, sequence) = (Multipart::Udh8, Sequence::Forward);
    let handset = Handset { text, multipart, sequence, reference: None, data_sm: false };
    let keeps = if processes > 1 { Keeps::Shared } else { Keeps::File };
    let (messages, handsets) = (vec![text; account + 1], vec![handset]);
    let plain = r#"{"links": ["transceiver"], "window": 1, "messages_max": 1}"#;
    Transport { account, processes, keeps, messages, handsets, ..serde_json::from_str(plain).unwrap() }
}

fn fault(at_ms: u64, kind: FaultKind) -> Fault {
    Fault { at_ms, for_ms: 50, kind, smsc: None }
}

#[test]
fn what_names_a_process_goes_with_it_and_is_renumbered_with_it() {
    let faults = vec![
        fault(100, FaultKind::TransportKilled(0)),
        fault(200, FaultKind::TransportKilled(1)),
        fault(300, FaultKind::BusAway(0)),
        fault(400, FaultKind::TransportStopped(2)),
        fault(500, FaultKind::TransportPowerCut(3)),
        fault(600, FaultKind::BusAway(1)),
        fault(700, FaultKind::DiskFull(2)),
        fault(800, FaultKind::Hold),
    ];
    let transports = vec![transport(0, 2), transport(1, 2), transport(2, 1)];
    let plan = Plan { clients: Vec::new(), transports, faults, ..Plan::draw(1, Some(Profile::Calm)) };
    // The second and third must stay, whatever their numbers are then, each with a fault of its own; and three processes.
    let fails = |plan: &Plan| {
        let has = |texts: usize| plan.transports.iter().any(|it| it.messages.len() == texts);
        let kinds = || plan.faults.iter().map(|fault| fault.kind);
        let two = |is_so: fn(FaultKind, FaultKind) -> bool| kinds().any(|one| kinds().any(|other| is_so(one, other)));
        let ended = two(|one, other| match (one, other) {
            (FaultKind::TransportStopped(one), FaultKind::TransportPowerCut(other)) => one != other,
            _ => false,
        });
        let away = two(|one, other| match (one, other) {
            (FaultKind::BusAway(one), FaultKind::DiskFull(other)) => one != other,
            _ => false,
        });
        has(2) && has(3) && plan.processes().len() > 2 && ended && away
    };
    let small = shrunk(&plan, &fails);
    let kinds: Vec<_> = small.faults.iter().map(|fault| fault.kind).collect();
    let renumbered = [
        FaultKind::TransportStopped(0),
        FaultKind::TransportPowerCut(1),
        FaultKind::BusAway(0),
        FaultKind::DiskFull(1),
    ];
    assert_eq!(kinds, renumbered, "{}", text(&small));
}

#[test]
fn what_names_an_smsc_goes_with_it_and_is_renumbered_with_it() {
    let at = |smsc, fault| Fault { smsc, ..fault };
    let faults = vec![
        at(Some(0), fault(100, FaultKind::Hold)),
        at(Some(2), fault(200, FaultKind::Crash)),
        at(None, fault(300, FaultKind::Partition)),
    ];
    let transports = vec![Transport { hosts: vec![1, 0, 2], ..transport(0, 1) }];
    let plan = Plan { clients: Vec::new(), transports, faults, smscs: 3, ..Plan::draw(1, Some(Profile::Calm)) };
    // An SMSC that is killed, and one that is tried before it.
    let fails = |plan: &Plan| {
        let killed = plan.faults.iter().filter(|fault| fault.kind == FaultKind::Crash).filter_map(|fault| fault.smsc);
        let first = plan.transports.first().map(|_| plan.hosts(0)[0]);
        plan.smscs > 1 && killed.into_iter().any(|smsc| first.is_some_and(|first| first != smsc))
    };
    let small = shrunk(&plan, &fails);
    assert_eq!((small.smscs, small.faults.len()), (2, 1), "{}", text(&small));
    assert_eq!(small.faults[0].smsc.map(|smsc| (smsc, small.hosts(0)[0])), Some((1, 0)), "{}", text(&small));
}

#[test]
fn addresses_go_with_those_whose_they_are() {
    let plan = plan_with(|plan| {
        plan.clients
            .iter()
            .enumerate()
            .any(|(number, it)| number > 1 && it.address_range == format!("^{}", source(number)))
    });
    let fails = |plan: &Plan| plan.clients.iter().any(|client| client.address_range.len() > 3);
    let small = shrunk(&plan, &fails);
    let place = small.clients.iter().position(|client| client.address_range.len() > 3).unwrap();
    let own = &small.clients[place];
    let name = if own.kind == Kind::Receiver { place.saturating_sub(1) } else { place };
    assert_eq!(own.address_range, format!("^{}", source(name)), "{}", text(&small));
    assert!(small.clients.len() < plan.clients.len());
}

#[test]
fn a_step_is_what_can_be_left_out_by_itself() {
    let mut plan: Plan =
        serde_json::from_str(r#"{"seed": 1, "profile": "calm", "tick_ms": 1, "latency_ms": 30}"#).unwrap();
    assert_eq!(plan.steps(), 0);
    plan.transports = vec![transport(0, 1)];
    // A text, a handset, and where it keeps them.
    assert_eq!(plan.steps(), 3);
    plan.transports.push(transport(1, 2));
    // A second transport, its two texts, its handset, its second process, and where it keeps them.
    assert_eq!(plan.steps(), 9);
    plan.transports[0].links.push(Kind::Receiver);
    plan.transports[0].options.retries = 2;
    plan.transports[0].options.early_hold_ms = 1_234;
    plan.transports[0].bus.refuse = 0.5;
    plan.wire.esme.cut = 0.5;
    plan.wire.esme.cut_within = 100;
    plan.faults.push(fault(1, FaultKind::BusAway(1)));
    plan.timers.backoff_max_ms = 3_000;
    assert_eq!(plan.steps(), 14);
    let drawn = (0..200).map(|seed| Plan::draw(seed, None).steps());
    assert!(drawn.max().unwrap() > 60);
}
