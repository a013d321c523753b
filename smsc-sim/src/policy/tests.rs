//! Guards the layers, the draws of outcomes, and how both are read and written.

use smpp_transport::env::Seed;

use super::*;
use crate::time::Delay;

fn read(text: &str) -> Policy {
    serde_saphyr::from_str(text).expect(text)
}

#[test]
fn what_is_written_is_read_back() {
    for text in [
        "{}",
        "{ outcome: DELIVERED }",
        "{ outcome: { DELIVERED: 90, undeliv: 9.5, ENROUTE: 0.5 }, enroute: exponential 1s, error: 9 }",
        "{ message_id: uuid, receipt: { sent: always, delay: 1s..2s, times: 2, state: UNKNOWN, form: tlvs } }",
        "{ receipt: { message_id: hexadecimal_upper, dates: long_year, data_coding: 8, carrier: data_sm } }",
        "{ receipt: { session: other, before_response: true } }",
        "{ message_id: '0118Z-%05d', part_ids: shared, response: { shape: no_nul, tail: '00' } }",
        "{ response: { tlvs: [{ tag: 5121, hex: '0a' }, { copy: 5120 }, { tag: 30, id: '%x' }], tlv_fault: cut } }",
        "{ receipt: { text: 'id:{id} stat:{stat:lower}', stat: { UNDELIVERABLE: FAILED }, err: '0x21' } }",
        "{ receipt: { text: text_none, err: { DELIVERED: '000', EXPIRED: '010' }, dates: unix, encoding: ucs2_le } }",
        "{ receipt: { data_coding: message, esm_class: 36, tlv_id: '%08X', tlv_state: 100, without: [message_state] } }",
        "{ receipt: { tlv_state: DELIVERED, network_error_code: { network: 1, code: 999 }, tlv_fault: overrun } }",
        "{ receipt: { parts: one, split: { octets: 60, by: sar }, tlvs: [{ tag: 1, text: '{to}' }], tail: 'ff' } }",
        "{ receipt: { then: [DELIVERED, { state: ENROUTE, delay: 2s, intermediate: true, receipt: { form: text } }] } }",
    ] {
        let policy = read(text);
        let json = serde_json::to_string(&policy).expect("it can be written");
        assert_eq!(serde_json::from_str::<Policy>(&json).expect(&json), policy);
        let yaml = serde_saphyr::to_string(&policy).expect("it can be written");
        assert_eq!(read(&yaml), policy);
        assert_eq!(policy.is_default(), text == "{}");
    }
    assert_eq!(serde_json::to_string(&read("{ outcome: DELIVRD }")).expect("written"), r#"{"outcome":"DELIVERED"}"#);
}

#[test]
fn what_is_no_policy_is_refused_in_words() {
    for (text, words) in [
        ("{ outcome: SCHEDULED }", "SCHEDULED is no outcome: a final state is wanted"),
        ("{ outcome: { DELIVERED: -1 } }", "the weight of DELIVERED is -1: 0 or more is allowed"),
        ("{ outcome: { DELIVERED: 0 } }", "no state has a weight above 0"),
        ("{ outcome: {} }", "no state has a weight above 0"),
        ("{ outcome: [DELIVERED] }", "a state such as DELIVERED, or weights such as"),
        ("{ receipt: { form: binary } }", "binary"),
        ("{ enroute: soon }", "\"soon\" is no time"),
        ("{ outcomes: DELIVERED }", "outcomes"),
        ("{ message_id: hex }", "invalid value \"hex\" for a form of ids: expected one of decimal"),
        ("{ message_id: '%s' }", "% is followed by a width"),
        ("{ part_ids: some }", "some"),
        ("{ response: { shape: round } }", "round"),
        ("{ response: { status: 0 } }", "status"),
        ("{ response: { tlvs: [{ tag: 70000, hex: '' }] } }", "70000"),
        ("{ receipt: { text: '{ident}' } }", "unknown field \"ident\""),
        ("{ receipt: { err: [] } }", "a word such as"),
        ("{ receipt: { err: {} } }", "at least one state"),
        ("{ receipt: { stat: { LOST: a } } }", "LOST"),
        ("{ receipt: { dates: julian } }", "julian"),
        ("{ receipt: { encoding: ebcdic } }", "ebcdic"),
        ("{ receipt: { data_coding: 256 } }", "invalid data_coding 256: 0 to 255 is allowed"),
        ("{ receipt: { data_coding: -1 } }", "invalid data_coding -1: 0 to 255 is allowed"),
        ("{ receipt: { data_coding: copied } }", "invalid data_coding \"copied\": expected 0 to 255, or message"),
        ("{ receipt: { tlv_state: 256 } }", "invalid state 256: 0 to 255 is allowed"),
        ("{ receipt: { tlv_state: LOST } }", "LOST"),
        ("{ receipt: { without: [message_payload] } }", "message_payload"),
        ("{ receipt: { network_error_code: { code: 65536 } } }", "65536"),
        ("{ receipt: { tlv_fault: odd } }", "odd"),
        ("{ receipt: { tail: 'f' } }", ""),
        ("{ receipt: { split: { by: udh8 } } }", "octets"),
        ("{ receipt: { parts: none } }", "none"),
        ("{ receipt: { then: [{ delay: 1s }] } }", "state"),
        ("{ receipt: { then: [LOST] } }", "LOST"),
    ] {
        let error = serde_saphyr::from_str::<Policy>(text).expect_err(text).to_string();
        assert!(error.contains(words), "{error}");
    }
}

#[test]
fn what_the_layer_above_says_counts() {
    let above = read("{ outcome: EXPIRED, receipt: { times: 2 } }");
    let below = read("{ outcome: DELIVERED, enroute: 1s, receipt: { times: 3, form: text } }");
    let both = read("{ outcome: EXPIRED, enroute: 1s, receipt: { times: 2, form: text } }");
    assert_eq!(above.over(&below), both);
    assert_eq!(Policy::default().over(&below), below);
    assert_eq!(below.over(&Policy::default()), below);
}

/// A field that a layer forgets would be lost on the way.
#[test]
fn every_field_comes_through_both_layers() {
    let all = read(
        "{ outcome: EXPIRED, enroute: 1s, error: 9, message_id: uuid, part_ids: first,
           response: { shape: no_nul, tlvs: [], tlv_fault: cut, tail: '00' },
           receipt: { sent: always, delay: 1s, times: 2,
           state: UNKNOWN, message_id: uuid, form: text, dates: seconds, data_coding: 3, carrier: payload,
           session: any, before_response: true, parts: last, then: [EXPIRED], text: short, stat: a, err: b,
               encoding: utf8, esm_class: 8, registered_delivery: 4, tlv_id: '%x', tlv_state: 9, network_error_code: { code: 1 },
               without: [message_state], tlvs: [], tlv_fault: short, tail: '01', split: { octets: 9 } } }",
    );
    let json = serde_json::to_value(&all).expect("it can be written");
    let fields = |value: &serde_json::Value| value.as_object().map_or(0, serde_json::Map::len);
    let counts = (fields(&json), fields(&json["response"]), fields(&json["receipt"]));
    assert_eq!(counts, (7, 4, 27), "all fields are said");
    assert_eq!(all.over(&Policy::default()), all);
    assert_eq!(Policy::default().over(&all), all);
}

#[test]
fn outcomes_are_drawn_by_weight() {
    let mut rng = Seed(1).stream("outcomes", 0);
    let outcome = Outcome::weighted([
        (MessageState::DELIVERED, 90.0),
        (MessageState::UNDELIVERABLE, 10.0),
        (MessageState::REJECTED, 0.0),
    ])
    .expect("weights");
    let mut drawn = BTreeMap::new();
    (0..10_000).for_each(|_| *drawn.entry(outcome.draw(&mut rng)).or_insert(0) += 1);
    assert!((8_800..9_200).contains(&drawn[&MessageState::DELIVERED]), "{drawn:?}");
    assert!(!drawn.contains_key(&MessageState::REJECTED), "{drawn:?}");
    assert_eq!(Outcome::always(MessageState::EXPIRED).draw(&mut rng), MessageState::EXPIRED);
    assert_eq!(Delay::default(), Delay::NONE);
}

/// Values that the types let in and that make no sense.
#[test]
fn values_that_cannot_be_are_named_with_their_field() {
    for (text, words) in [
        ("{ response: { tlvs: [{ tag: 1 }] } }", "response.tlvs[0].hex, text, id and copy: exactly one of them"),
        ("{ receipt: { tlvs: [{ tag: 1, copy: 1, text: a }] } }", "receipt.tlvs[0].hex, text, id and copy"),
        ("{ response: { tlvs: [{ hex: '' }] } }", "response.tlvs[0].tag is missing"),
        (
            "{ receipt: { tlvs: [{ copy: 1 }, { tag: 1, hex: '', copy: 1 }] } }",
            "receipt.tlvs[1].hex, text, id and copy",
        ),
        ("{ receipt: { split: { octets: 0 } } }", "receipt.split.octets is 0: 1 to 247 is allowed"),
        ("{ receipt: { split: { octets: 248 } } }", "receipt.split.octets is 248"),
        ("{ receipt: { then: [{ state: EXPIRED, receipt: { then: [] } }] } }", "receipt.then[0].receipt.then: further"),
        (
            "{ receipt: { then: [{ state: EXPIRED, receipt: { split: { octets: 0 } } }] } }",
            "then[0].receipt.split.octets",
        ),
    ] {
        let error = read(text).validate().expect_err(text);
        assert!(error.contains(words), "{error}");
    }
    let value = format!("{{ receipt: {{ tlvs: [{{ tag: 1, hex: '{}' }}] }} }}", "00".repeat(20_001));
    let error = read(&value).validate().expect_err("too long");
    assert_eq!(error, "receipt.tlvs[0].hex has 20001 octets: at most 20000 are allowed");
    let long = |field: &str| read(&format!("{{ receipt: {{ {field}: '{}' }} }}", "a".repeat(65))).validate();
    assert!(long("err").is_err_and(|error| error.starts_with("receipt.err is")));
    assert!(long("stat").is_err_and(|error| error.starts_with("receipt.stat is")));
    let tail = format!("{{ response: {{ tail: '{}' }} }}", "00".repeat(1_001));
    assert!(
        read(&tail).validate().is_err_and(|error| error == "response.tail has 1001 octets: at most 1000 are allowed")
    );
    let many = format!("{{ receipt: {{ then: [{}] }} }}", "EXPIRED, ".repeat(21));
    assert!(read(&many).validate().is_err_and(|error| error == "receipt.then has 21 receipts: at most 20 are allowed"));
}

/// Examples of the documentation, as a configuration has them.
#[test]
fn every_example_of_the_documentation_is_a_policy() {
    #[derive(serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct File {
        policy: Policy,
    }
    let section = include_str!("../../RULES.md").split("\n## Policies and receipts").nth(1).expect("the section");
    let examples: Vec<_> = section.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert!(examples.len() >= 9, "{}", examples.len());
    let mut said = Policy::default();
    for example in examples {
        let file: File = serde_saphyr::from_str(example).unwrap_or_else(|error| panic!("{error}: {example}"));
        file.policy.validate().expect(example);
        said = said.over(&file.policy);
    }
    let json = serde_json::to_value(&said).expect("written");
    let fields = |value: &serde_json::Value| value.as_object().map_or(0, serde_json::Map::len);
    let counts = (fields(&json), fields(&json["response"]), fields(&json["receipt"]));
    assert_eq!(counts, (7, 4, 27), "each key has an example");
}
