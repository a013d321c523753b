//! Guards rules as text: what is written is read back, and what cannot be followed is refused in one line that says where
//! and why.

use smpp_transport::pdu::CommandStatus;

use super::*;

/// Everything that can be said, somewhere.
const EVERYTHING: &str = r#"
rules:
  - name: all conditions
    when:
      account: [one, 2]
      bind: transceiver
      operation: [submit_sm, submit_multi, data_sm]
      from: ^88
      to: "00[1-3]$"
      text: (?i)hello
      from_ton: 5
      from_npi: [0, 0x01]
      to_ton: 0x01/0x07
      to_npi: 1
      length: 1..160
      esm_class: [0x40/0x40, 3]
      data_coding: 8
      registered_delivery: 1
      tlv: { 0x1401: present, message_payload: absent, 0x1402: 0x0A0B, 0x1403: a text }
      part: 2
      parts: 2..
      between: 10s..1m
      session_age: 10s..
      sessions: ..3
      sessions_total: 4
      per: destination
      above_rate: 10.5
      above_pending: 100
      after: 3
      every: 2
      first: 7
      chance: 0.25
  - when: { operation: enquire_link }
    then: { status: 0x400, delay: "80% 10ms, 20% 1s..2s", behind: 3, answer: with_body }
  - then:
      answer: wrong_number
      policy: { outcome: { DELIVERED: 1, ENROUTE: 2 }, receipt: { times: 2 } }
  - when: { operation: [connect, bind, other] }
    then:
      answer: never
      before:
        - unbind
        - disconnect: close
        - disconnect: reset
        - silence: forever
        - silence: 10s
        - pace: { octets: 3, pause: 10ms }
        - pace: { octets: 1 }
        - pace: { octets: 1, of: writes }
        - stall: { reads: 10s, writes: forever }
        - enquire_link
        - raw: 00 00 00 10 80 00 00 15 00 00 00 00 00 00 00 63
        - malformed: udh_overrun
        - unknown_response
        - wrong_response
        - generic_nack: RSYSERR
        - alert: { from: 27820000001, status: 1 }
        - deliver:
            account: one
            session: 3
            from: 27820000001
            to: 8888
            text: hello
            coding: ucs2_little_endian
            multipart: sar
            parts: [1, 1]
            ussd: { service_op: 18, session: 1, sequence: 2, ends: true, user_message_reference: 7 }
            tlvs: [{ tag: 0x1400, hex: 0102 }]
            count: 3
            rate: 0.5
  - when: { clock: { at: 10s, every: 1m, since: bind }, account: one, bind: receiver, between: ..1h, chance: 0.5 }
    then: { after: [enquire_link] }
  - then:
      after: [deliver: { from: "{to}", to: "{from}", text: "re: {text} {message_id} {account}" }]
"#;

#[test]
fn what_is_written_is_read_back() {
    let rules = parse(EVERYTHING).expect("it can be read");
    let yaml = serde_saphyr::to_string(&rules).expect("it can be written");
    assert_eq!(parse(&yaml).expect(&yaml), rules);
    let json = serde_json::to_string_pretty(&rules).expect("it can be written");
    assert_eq!(parse(&json).expect("JSON is YAML"), rules);
    assert_eq!(parse(&json.replace("  ", "\t")).expect("with tabs, too"), rules);
    assert_eq!(serde_json::from_str::<Vec<Rule>>(&json).expect(&json), rules);
    assert_eq!(rules[1].then.status, Some(Status(CommandStatus(0x400))));
    assert_eq!(rules[0].when.account.0, ["one", "2"]);
    let Some(Step::Deliver(mo)) = rules[3].then.before.last() else { panic!("the last step delivers") };
    assert_eq!(
        (mo.from.as_str(), mo.tlvs[0].tag, mo.tlvs[0].hex.0.as_slice()),
        ("27820000001", 0x1400, [1, 2].as_slice())
    );
}

#[test]
fn the_example_of_the_front_page_can_be_read() {
    let page = include_str!("mod.rs").lines().skip_while(|line| *line != "//! ```yaml").skip(1);
    let lines = page.take_while(|line| *line != "//! ```").map(|line| line.trim_start_matches("//! "));
    assert_eq!(parse(&lines.collect::<Vec<_>>().join("\n")).expect("it is an example").len(), 2);
}

#[test]
fn every_malformed_pdu_can_be_asked_for() {
    for malformed in Malformed::ALL {
        let rule =
            Rule { then: Then { after: vec![Step::Malformed(malformed)], ..Then::default() }, ..Rule::default() };
        let json = serde_json::to_string(&[&rule]).expect("it can be written");
        assert_eq!(parse(&json).expect(&json), [rule]);
    }
}

#[test]
fn a_list_a_map_and_nothing_are_lists() {
    let rules = parse("- then: { behind: 1 }").expect("a list");
    assert_eq!(parse("rules:\n  - then: { behind: 1 }").expect("a map"), rules);
    assert_eq!(parse(r#"{"rules": [{"then": {"behind": 1}}]}"#).expect("JSON"), rules);
    for nothing in ["", "# a comment", "rules:", "rules: []", "[]", "{\"rules\": null}"] {
        assert_eq!(parse(nothing), Ok(Vec::new()), "{nothing:?}");
    }
}

#[test]
fn what_cannot_be_read_is_refused_with_its_place() {
    for (text, words) in [
        ("rules:\n  - when: { chance: often }", "line 2 column 21: \"often\": a number is allowed"),
        ("- when: { part: 300 }", "line 1 column 17: \"300\": 0 to 255 is allowed"),
        ("- when: { after: -1 }", "line 1 column 18: \"-1\": a whole number, 0 or above, is allowed"),
        (
            "- then:\n    delay: soon",
            "line 2 column 12: \"soon\" is no time: a number and ms, s, m, h or d, such as 200ms",
        ),
        (
            "- then:\n    status: ESME_RFULL",
            "line 2 column 13: \"ESME_RFULL\" is no status: a name such as ESME_RTHROTTLED or a number such as 0x58 is wanted",
        ),
        (
            "- when:\n    chanse: 1",
            "line 2 column 5: unknown field `chanse`, expected one of account, bind, operation, from, from_ton, from_npi, to, \
             to_ton, to_npi, text, length, esm_class, data_coding, registered_delivery, tlv, part, parts, between, \
             session_age, sessions, sessions_total, clock, per, above_rate, above_pending, after, every, first, chance",
        ),
        (
            "- when: { operation: submit }",
            "line 1 column 11: \"operation\": unknown variant `submit`, expected one of connect, bind, submit_sm, \
             submit_multi, data_sm, query_sm, cancel_sm, replace_sm, enquire_link, other",
        ),
        ("- when: [", "line 1 column 9: expected mapping start"),
        ("- name: one\n  name: two", "line 2 column 3: duplicate mapping key `name` is not allowed here"),
        ("- then: { after: [{raw: 0g}] }", "line 1 column 25: \"0g\": 'g' at 1 is no hexadecimal digit"),
        ("- when: { between: 2s..1s }", "line 1 column 20: \"2s..1s\" is empty: the earlier time comes first"),
        ("- when: { to: '(' }", "line 1 column 15: \"(\" is no regular expression: unclosed group"),
        ("rule: []", "\"rule\" is not known here: `rules` is"),
        ("{}", "`rules` is missing"),
        (
            "nothing",
            "invalid type: string \"nothing\", expected a list of rules, or a map with such a list under `rules`",
        ),
    ] {
        assert_eq!(parse(text).expect_err(text), words, "{text}");
    }
}

/// Without a place in the text: each is a place in the list.
#[test]
fn what_cannot_be_followed_is_refused_with_its_place() {
    for (rule, words) in [
        ("when: { chance: 1.5 }", "when.chance is 1.5: 0 to 1 is allowed"),
        ("when: { chance: .nan }", "when.chance is NaN: 0 to 1 is allowed"),
        ("when: { above_rate: 0 }", "when.above_rate is 0: a number above 0 is allowed"),
        ("when: { above_rate: .inf }", "when.above_rate is inf: a number above 0 is allowed"),
        ("when: { part: 0 }", "when.part is 0: 1 to 255 is allowed"),
        (
            "when: { operation: bind, text: x }",
            "when.text is never met: of when.operation only submit_sm, submit_multi, data_sm, replace_sm have one",
        ),
        (
            "when: { operation: [enquire_link, query_sm], to: x }",
            "when.to is never met: of when.operation only submit_sm, submit_multi, data_sm, cancel_sm have one",
        ),
        ("when: { operation: other, from: x }", "when.from is never met"),
        ("when: { operation: connect, account: x }", "when.account is never met"),
        ("when: { operation: connect, bind: receiver }", "when.bind is never met"),
        ("when: { operation: connect, above_pending: 1 }", "when.above_pending is never met"),
        ("when: { operation: query_sm, part: 1 }", "when.part is never met"),
        ("when: { operation: bind, length: 1 }", "when.length is never met"),
        ("when: { operation: query_sm, esm_class: 1 }", "when.esm_class is never met"),
        ("when: { operation: replace_sm, data_coding: 1 }", "when.data_coding is never met"),
        ("when: { operation: bind, registered_delivery: 1 }", "when.registered_delivery is never met"),
        ("when: { operation: bind, from_ton: 1 }", "when.from_ton is never met"),
        ("when: { operation: bind, from_npi: 1 }", "when.from_npi is never met"),
        ("when: { operation: query_sm, to_ton: 1 }", "when.to_ton is never met"),
        ("when: { operation: replace_sm, to_npi: 1 }", "when.to_npi is never met"),
        ("when: { operation: cancel_sm, parts: 1 }", "when.parts is never met"),
        ("when: { operation: connect, tlv: { 0x1401: absent } }", "when.tlv is never met"),
        ("when: { operation: connect, session_age: 1s.. }", "when.session_age is never met"),
        ("when: { operation: connect, sessions: 1 }", "when.sessions is never met"),
        ("when: { operation: query_sm, per: destination, first: 1 }", "when.per: destination is never met"),
        ("when: { operation: connect, per: session, first: 1 }", "when.per is never met"),
        ("when: { parts: 256.. }", "when.parts is never met: a message has 255 parts at most"),
        ("when: { per: destination }", "when.per counts nothing: above_rate, above_pending, after, every or first"),
        ("when: { per: session, above_pending: 1 }", "when.per is session: above_pending counts per account or"),
        ("{ when: { clock: {} }, then: { after: [unbind] } }", "when.clock is empty: at, every, or both are expected"),
        ("{ when: { clock: { at: 0 } }, then: { after: [unbind] } }", "when.clock.at is 0: a time above 0 is allowed"),
        ("{ when: { clock: { every: 9ms } }, then: { after: [unbind] } }", "when.clock.every is 9ms: 10ms or more"),
        ("when: { clock: { at: 1s } }", "then has no steps: with when.clock, before or after is expected"),
        ("{ when: { clock: { at: 1s }, to: x }, then: { after: [unbind] } }", "when.to is of no use to when.clock"),
        ("{ when: { clock: { at: 1s }, tlv: { 1: absent } }, then: { after: [unbind] } }", "when.tlv is of no use to"),
        (
            "{ when: { clock: { at: 1s }, operation: bind }, then: { after: [unbind] } }",
            "when.operation is of no use to",
        ),
        (
            "{ when: { clock: { at: 1s }, above_rate: 1 }, then: { after: [unbind] } }",
            "when.above_rate is of no use to",
        ),
        ("{ when: { clock: { at: 1s } }, then: { status: 8 } }", "then.status is of no use to when.clock: before and"),
        ("{ when: { clock: { at: 1s } }, then: { delay: 1s } }", "then.delay is of no use to when.clock"),
        ("{ when: { clock: { at: 1s } }, then: { answer: never } }", "then.answer is of no use to when.clock"),
        (
            "{ when: { clock: { at: 1s } }, then: { after: [deliver: { from: '{to}' }] } }",
            "then.after[0].deliver repeats a request, and with when.clock there is none",
        ),
        (
            "then: { after: [deliver: { text: '{body}' }] }",
            "then.after[0].deliver.text has {body}: expected one of {acc",
        ),
        (
            "then: { before: [deliver: { text: '{message_id}' }] }",
            "then.before[0].deliver.text has {message_id}, which is there only in after",
        ),
        ("then: { after: [stall: {}] }", "then.after[0].stall is empty: reads, writes, or both are expected"),
        ("then: { after: [pace: { octets: 0, of: reads }] }", "then.after[0].pace.octets is 0"),
        ("then: { status: ESME_ROK }", "then.status is ESME_ROK: an error is allowed"),
        ("then: { behind: 1, answer: never }", "then.behind is 1: with answer: never there is no response"),
        (
            "then: { policy: { receipt: { split: { octets: 0 } } } }",
            "then.policy.receipt.split.octets is 0: 1 to 247 is allowed",
        ),
        ("then: { after: [unbind, pace: { octets: 0 }] }", "then.after[1].pace.octets is 0: 1 or more is allowed"),
        ("then: { before: [raw: ''] }", "then.before[0].raw is empty: octets are wanted"),
        (
            "then: { before: [alert: { from: 'ж' }] }",
            "then.before[0].alert.from is no address: the character 'ж' at 0 is not in Latin-1",
        ),
        (
            "then: { after: [deliver: { from: 123456789012345678901 }] }",
            "then.after[0].deliver.from is \"123456789012345678901\" (21 characters): at most 20 are allowed",
        ),
        (
            "{ when: { operation: connect }, then: { status: 8 } }",
            "then.status is of no use to connect: before, delay and",
        ),
        ("{ when: { operation: connect }, then: { answer: twice } }", "then.answer is of no use to connect"),
        ("{ when: { operation: connect }, then: { after: [unbind] } }", "then.after is of no use to connect"),
        ("{ when: { operation: connect }, then: { behind: 1 } }", "then.behind is of no use to connect"),
        (
            "{ when: { operation: bind }, then: { policy: { error: 1 } } }",
            "then.policy is for messages: when.operation has none",
        ),
        ("then: { status: 8, policy: { error: 1 } }", "then.policy is for accepted messages: this rule refuses them"),
        ("then: { answer: nack, policy: { error: 1 } }", "then.policy is for accepted messages"),
    ] {
        let error = parse(&format!("- {{}}\n- {rule}")).expect_err(rule);
        assert!(error.starts_with(&format!("rules[1].{words}")), "{rule}: {error}");
    }
}

#[test]
fn operations_are_named_as_they_are_written() {
    for operation in Operation::ALL {
        assert_eq!(serde_json::to_value(operation).expect("a name"), operation.word());
    }
    for command in CommandId::NAMED.iter().copied().filter(|id| Operation::of(*id) != Operation::Other && !id.is_bind())
    {
        assert_eq!(command.printed(), Operation::of(command).word());
    }
}
