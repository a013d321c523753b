//! Guards what the page is made from: which frames belong together, that no text gets out of its place, and when and where
//! things are said to be.

use bytes::Bytes;
use serde_json::Value;
use smpp_transport::pdu::{Body, CommandStatus, Empty, MessageId, Pdu, ShortMessage, Sm};

use super::frames::{Passage, passages};
use super::*;
use crate::history::{End, Fact, History, How, Way, What};
use crate::oracle::Violation;
use crate::plan::{Fault, FaultKind, Profile};
use crate::runner::judge;

const OK: CommandStatus = CommandStatus::ESME_ROK;

fn submit(sequence: u32, text: &str) -> Bytes {
    let short_message = ShortMessage::new(text.as_bytes().to_vec()).unwrap();
    let sm = Sm { destination_addr: "270000003".parse().unwrap(), short_message, ..Sm::default() };
    Pdu::new(OK, sequence, Body::SubmitSm(sm)).to_octets()
}

fn submit_resp(sequence: u32) -> Bytes {
    let message_id = "77".parse().unwrap();
    Pdu::new(OK, sequence, Body::SubmitSmResp(Some(MessageId { message_id }))).to_octets()
}

fn enquire_link(sequence: u32) -> Bytes {
    Pdu::new(OK, sequence, Body::EnquireLink(Empty {})).to_octets()
}

/// A frame that passes, so many milliseconds after the beginning.
fn passed(ms: u64, line: u32, end: End, way: Way, frame: &Bytes) -> Fact {
    Fact { at: Duration::from_millis(ms), what: What::Passed { line, end, way, frame: frame.clone() } }
}

fn history(facts: Vec<Fact>) -> History {
    History { facts }
}

fn ways(passages: &[Passage]) -> Vec<(u32, End, Option<usize>, Option<usize>)> {
    passages.iter().map(|it| (it.line, it.from, it.written, it.read)).collect()
}

fn verdict(history: &History, violations: Vec<Violation>) -> Verdict {
    let (facts, digest) = (history.facts.len(), history.digest());
    let (marks, excuses, simulated) = (Vec::new(), BTreeMap::new(), Duration::from_millis(2));
    Verdict { seed: u64::MAX, digest, facts, violations, marks, excuses, simulated }
}

/// What the page of a run knows.
fn data(plan: &Plan, history: &History, violations: Vec<Violation>) -> Value {
    let page = page(plan, history, &verdict(history, violations), Tier::Fast);
    let (_, rest) = page.split_once("id=\"data\">").unwrap();
    serde_json::from_str(rest.split_once("</script>").unwrap().0).unwrap()
}

fn calm() -> Plan {
    Plan::draw(1, Some(Profile::Calm))
}

/// A plan of one client, whose session is connection 0.
fn one_client() -> (Plan, Fact) {
    let mut plan = Plan::draw(9, Some(Profile::Calm));
    plan.transports.clear();
    plan.clients.truncate(1);
    let connected = What::Connected { line: 0, client: 0, process: None, smsc: 0 };
    (plan, Fact { at: Duration::from_millis(1), what: connected })
}

#[test]
fn a_frame_is_read_as_it_was_written_in_its_order_on_its_own_connection() {
    let (one, two) = (enquire_link(1), enquire_link(2));
    use {End::*, Way::*};
    let facts = vec![
        passed(1, 0, Esme, Written, &one),
        passed(1, 0, Esme, Written, &one),
        passed(1, 1, Esme, Written, &one),
        passed(2, 0, Smsc, Written, &one),
        passed(3, 1, Smsc, Read, &one),
        passed(3, 0, Smsc, Read, &one),
        passed(4, 0, Esme, Read, &one),
        passed(4, 0, Esme, Written, &two),
    ];
    let wanted = [
        (0, Esme, Some(0), Some(5)),
        (0, Esme, Some(1), None),
        (1, Esme, Some(2), Some(4)),
        (0, Smsc, Some(3), Some(6)),
        (0, Esme, Some(7), None),
    ];
    assert_eq!(ways(&passages(&history(facts))), wanted);
}

#[test]
fn what_is_read_otherwise_than_it_was_written_is_told_apart() {
    use {End::*, Way::*};
    let piece = Bytes::from_static(b"\0\0\0\x04no frame at all");
    let facts = vec![
        passed(1, 0, Esme, Written, &piece),
        passed(2, 0, Smsc, Read, &piece.slice(..7)),
        passed(3, 0, Esme, Written, &enquire_link(1)),
        passed(4, 0, Smsc, Read, &enquire_link(2)),
    ];
    let wanted = [(0, Esme, Some(0), Some(1)), (0, Esme, Some(2), None), (0, Esme, None, Some(3))];
    assert_eq!(ways(&passages(&history(facts))), wanted);
}

#[test]
fn no_text_gets_out_of_the_data() {
    let (plan, connected) = one_client();
    let hostile = "</script><script>alert(1)</script><!-- script --><!--";
    let facts = vec![connected, passed(2, 0, End::Esme, Way::Written, &submit(1, hostile))];
    let broken = Violation { oracle: "window", at: Duration::ZERO, words: hostile.to_owned() };
    let history = history(facts);
    let page = page(&plan, &history, &verdict(&history, vec![broken.clone()]), Tier::Fast);
    assert_eq!(page.matches("</script>").count(), 2, "the data and the program");
    assert_eq!(page.matches("<script").count(), 2);
    assert_eq!(page.matches("\"use strict\";").count(), 1, "what looks like a place of the template is not filled");
    let data = data(&plan, &history, vec![broken]);
    assert_eq!(data["violations"][0]["words"], hostile);
    assert_eq!(data["events"][1]["text"], hostile);
}

#[test]
fn the_page_asks_nobody_for_anything() {
    let (verdict, history) = judge(&calm(), Tier::Fast);
    let page = page(&calm(), &history, &verdict, Tier::Fast);
    let (before, rest) = page.split_once("id=\"data\">").unwrap();
    let (_, after) = rest.split_once("</script>").unwrap();
    for part in [before, after] {
        for word in ["http:", "https:", "src=", "@import", "url(", "fetch(", "XMLHttpRequest", "eval(", "innerHTML"] {
            assert!(!part.contains(word), "{word}");
        }
    }
    assert!(before.contains("default-src 'none'"));
}

#[test]
fn times_are_microseconds_and_large_numbers_are_texts() {
    let (plan, connected) = one_client();
    let late = Fact { at: Duration::from_nanos(2_000_001_999), ..connected.clone() };
    let data = data(&plan, &history(vec![connected, late]), Vec::new());
    assert_eq!(data["times"], serde_json::json!([1_000, 2_000_001]));
    assert_eq!(data["run"]["seed"], u64::MAX.to_string());
    assert_eq!(data["run"]["digest"].as_str().unwrap().len(), 16);
}

#[test]
fn the_page_says_of_which_program_and_plan_it_is() {
    let (plan, connected) = one_client();
    let run = &data(&plan, &history(vec![connected]), Vec::new())["run"];
    let Value::Object(origin) = serde_json::to_value(Origin::of(&plan, Tier::Fast)).unwrap() else { panic!() };
    assert!(origin.contains_key("commit") && origin.contains_key("plan"), "{origin:?}");
    origin.iter().for_each(|(key, value)| assert_eq!(run[key], *value, "{key}"));
}

#[test]
fn a_pdu_knows_its_message_its_request_and_its_fate() {
    let (plan, connected) = one_client();
    use {End::*, Way::*};
    let facts = vec![
        connected,
        passed(2, 0, Esme, Written, &submit(5, "hello")),
        passed(4, 0, Smsc, Read, &submit(5, "hello")),
        passed(5, 0, Smsc, Written, &submit_resp(5)),
        passed(9, 0, Esme, Read, &submit_resp(5)),
        passed(9, 0, Esme, Written, &enquire_link(6)),
        Fact { at: Duration::from_millis(10), what: What::Hung { line: 0, end: Esme, how: How::Failed } },
    ];
    let data = data(&plan, &history(facts), Vec::new());
    let [_, request, response, lost, hung] = data["events"].as_array().unwrap().as_slice() else { panic!("{data}") };
    assert_eq!((&request["name"], &request["message"]), (&"submit_sm".into(), &"0-3".into()));
    assert_eq!((&request["at"], &request["read"]), (&1.into(), &2.into()));
    assert_eq!((&response["answers"], &response["message"]), (&1.into(), &"0-3".into()));
    assert_eq!((&response["status"], &response["bad"]), (&"ESME_ROK".into(), &Value::Null));
    assert_eq!((&lost["written"], &lost["read"]), (&true.into(), &Value::Null));
    assert_eq!(hung["name"], "hung up: failed");
    assert_eq!(data["ids"]["0-3"], serde_json::json!(["77"]));
    let lanes = data["lanes"].as_array().unwrap();
    assert_eq!((&lanes[0]["kind"], &lanes[1]["kind"]), (&"esme".into(), &"smsc".into()));
    assert_eq!((&response["from"], &response["to"]), (&1.into(), &0.into()));
}

#[test]
fn a_violation_points_at_the_event_that_its_words_name() {
    let (plan, connected) = one_client();
    let at = Duration::from_millis(2);
    let facts = vec![
        connected,
        passed(2, 0, End::Esme, Way::Written, &enquire_link(4)),
        passed(2, 0, End::Esme, Way::Written, &enquire_link(44)),
        passed(2, 0, End::Esme, Way::Written, &submit(45, "")),
        Fact { at, what: What::Restless { what: "message 3 of 0".to_owned() } },
    ];
    let broken = |at, words: &str| Violation { oracle: "numbers", at, words: words.to_owned() };
    let violations = vec![
        broken(at, "line 0 Esme: number used again: seq=44 enquire_link"),
        broken(at, "client 0 message 3 was sent 2 times"),
        broken(at, "still waiting at the end: message 3 of 0"),
        broken(Duration::from_millis(3), "silent since 1ms"),
    ];
    let data = data(&plan, &history(facts), violations);
    let events: Vec<_> = data["violations"].as_array().unwrap().iter().map(|it| it["event"].clone()).collect();
    assert_eq!(events, [2.into(), 3.into(), 4.into(), Value::Null]);
    assert_eq!(data["violations"][1]["message"], "0-3");
    assert_eq!((&data["violations"][3]["at"], &data["violations"][3]["t"]), (&4.into(), &3_000.into()));
}

#[test]
fn faults_and_lives_last_from_fact_to_fact() {
    let (mut plan, connected) = one_client();
    plan.faults = vec![Fault { at_ms: 2, for_ms: 5, kind: FaultKind::Crash, smsc: None }];
    let turn = |ms, ends| Fact { at: Duration::from_millis(ms), what: What::Fault { fault: 0, ends } };
    let killed = What::Account { smsc: 0, killed: true, messages: Vec::new(), deliveries: Vec::new() };
    let facts = vec![connected, turn(2, false), Fact { at: Duration::from_millis(2), what: killed }, turn(7, true)];
    let data = data(&plan, &history(facts), Vec::new());
    let fault = &data["faults"][0];
    assert_eq!((&fault["from"], &fault["until"], &fault["name"]), (&1.into(), &3.into(), &"crash: SMSC".into()));
    let smsc: Vec<_> = data["lives"].as_array().unwrap().iter().filter(|it| it["lane"] == 1).collect();
    assert_eq!((&smsc[0]["from"], &smsc[0]["until"], &smsc[0]["end"]), (&Value::Null, &2.into(), &"killed".into()));
    assert_eq!((&smsc[1]["from"], &smsc[1]["until"]), (&3.into(), &Value::Null));
}

#[test]
fn every_fact_of_a_run_is_in_it_once() {
    for (seed, profile) in [(1, Profile::Calm), (5, Profile::All), (13, Profile::Swarm)] {
        let plan = Plan::draw(seed, Some(profile));
        let (_, history) = judge(&plan, Tier::Fast);
        let data = data(&plan, &history, Vec::new());
        let mut places: Vec<u64> = Vec::new();
        for event in data["events"].as_array().unwrap() {
            places.extend([&event["at"], &event["read"]].iter().filter_map(|it| it.as_u64()));
            // What is read without having been written begins when it is read.
            if event["kind"] == "pdu" && event["written"].is_null() {
                places.pop();
            }
        }
        places.sort_unstable();
        assert_eq!(places, (0..history.facts.len() as u64).collect::<Vec<_>>(), "seed {seed}");
    }
}
