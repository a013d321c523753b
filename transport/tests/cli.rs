//! Guards what scripts rely on: the output, the errors and the exit statuses of `smpp-transport decode` and `encode`.

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};
use smpp_transport::pdu::fixtures::golden;
use smpp_transport::pdu::json::hex;

#[expect(clippy::disallowed_methods, reason = "a pipe is fed while the program writes; no simulation sees it")]
fn run(arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_smpp-transport"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_owned();
    let writer = std::thread::spawn(move || {
        // A tool that takes its input from arguments reads none.
        let _ = stdin.write_all(input.as_bytes());
    });
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    output
}

fn lines(output: &Output) -> Vec<String> {
    String::from_utf8(output.stdout.clone()).unwrap().lines().map(str::to_owned).collect()
}

fn objects(output: &Output) -> Vec<Value> {
    lines(output).iter().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn complaint(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

const ENQUIRE_LINK: &str = "00000010000000150000000000000001";

#[test]
fn decode_shows_the_golden_pdus_line_by_line() {
    let input: String = golden().iter().map(|golden| hex(&golden.octets) + "\n").collect();
    let output = run(&["decode"], &input);
    assert_eq!(output.status.code(), Some(0));
    let mut shown = objects(&output);
    for object in &mut shown {
        // Keys for people, beside those of the PDU.
        let object = object.as_object_mut().unwrap();
        object.retain(|key, _| !["text", "part", "receipt"].contains(&key.as_str()));
    }
    assert_eq!(shown, golden().into_iter().map(|golden| golden.json).collect::<Vec<_>>());
    let encoded = run(&["encode"], &lines(&output).join("\n"));
    assert_eq!(lines(&encoded), golden().iter().map(|golden| hex(&golden.octets)).collect::<Vec<_>>());
}

/// One PDU as in a public report.
const PASTED: &str = "00 00 00 21 - 80 00 00 04 - 00 00 00 0b -\n00 00 00 02 - 30 41 30 30 - 30 30 30 30 -\n\
                      41 33 44 33 - 32 33 41 31 - 00\n";

#[test]
fn decode_puts_lines_together_until_a_pdu_is_whole() {
    let output = run(&["decode"], PASTED);
    assert_eq!(output.status.code(), Some(0), "{:?}", lines(&output));
    let shown = objects(&output).remove(0);
    assert_eq!((&shown["command"], &shown["command_status"]), (&json!("submit_sm_resp"), &json!(11)));
    assert_eq!(shown["fields"]["message_id"], "0A000000A3D323A1");
    let words: Vec<&str> = PASTED.split_whitespace().collect();
    assert_eq!(objects(&run(&[&["decode"], &words[..]].concat(), ""))[0], shown, "as arguments");
    for (text, count) in [
        (format!("{ENQUIRE_LINK}\n{PASTED}{ENQUIRE_LINK}\n"), 3),
        (format!("{PASTED}\n{PASTED}\n{ENQUIRE_LINK}{ENQUIRE_LINK}\n"), 4),
        (format!("{ENQUIRE_LINK}\n0000002180000004\n{ENQUIRE_LINK}\n{ENQUIRE_LINK}\n"), 3),
    ] {
        let shown = objects(&run(&["decode"], &text));
        assert_eq!(shown.iter().filter(|object| object.get("command").is_some()).count(), count, "{text}");
    }
    let cut = objects(&run(&["decode"], &format!("0000002180000004\n{ENQUIRE_LINK}\n")));
    assert_eq!(
        cut[0]["error"], "command_length is 33, 8 octets are there",
        "what is whole belongs to nothing before it"
    );
    assert_eq!(cut[1]["command"], "enquire_link");
}

#[test]
fn decode_reads_dumps_of_several_pdus_with_rows_left_out() {
    let zeros = "00 ".repeat(15);
    let dump = format!(
        "00000000  00 00 00 10 00 00 00 15  00 00 00 00 00 00 00 01  |................|\n\
         00000010  00 00 00 60 00 00 0b ad  00 00 00 00 00 00 00 02  |...`............|\n\
         00000020  {zeros}00  |................|\n*\n\
         00000070  00 00 00 10 80 00 00 15  00 00 00 00 00 00 00 03  |................|\n00000080\n",
    );
    let shown = objects(&run(&["decode"], &(dump.clone() + &dump)));
    let sequences: Vec<_> = shown.iter().map(|object| object["sequence_number"].as_u64()).collect();
    assert_eq!(sequences, [1, 2, 3, 1, 2, 3].map(Some), "{shown:?}");
}

#[test]
fn decode_shows_texts_and_what_receipts_say() {
    let text = "id:4711 sub:001 dlvrd:001 submit date:2601010000 done date:2601010001 stat:DELIVRD err:000 text:Hi";
    let fields = json!({ "esm_class": 4, "source_addr": "1", "destination_addr": "2", "short_message_hex": hex(text.as_bytes()) });
    let tlvs = json!([{ "tag": 0x0427, "value_hex": "02" }, { "tag": 0x001E, "value_hex": "3132363700" }]);
    let receipt = json!({ "command": "deliver_sm", "sequence_number": 1, "fields": fields, "tlvs": tlvs });
    let ucs2 = json!({
        "command": "submit_sm", "sequence_number": 2,
        "fields": { "esm_class": 64, "data_coding": 8, "short_message_hex": "050003070201041f0440" },
    });
    let binary = json!({ "command": "submit_sm", "sequence_number": 3, "fields": { "data_coding": 4, "short_message_hex": "01" } });
    let encoded = run(&["encode"], &format!("{receipt}\n{ucs2}\n{binary}\n"));
    let shown = objects(&run(&["decode"], &lines(&encoded).join("\n")));
    assert_eq!(shown[0]["text"], text);
    let said = &shown[0]["receipt"];
    assert_eq!((&said["id"], &said["id_in_text"]), (&json!("1267"), &json!("4711")));
    assert_eq!((&said["state"], &said["stat"], &said["err"]), (&json!("DELIVERED"), &json!("DELIVRD"), &json!("000")));
    assert_eq!(
        (&shown[1]["text"], &shown[1]["part"]),
        (&json!("Пр"), &json!({ "reference": 7, "number": 1, "total": 2 }))
    );
    assert!(shown[2].get("text").is_none() && shown[2].get("receipt").is_none(), "octets have no text");
}

#[test]
fn decode_by_the_letter_misses_the_body_of_a_success() {
    for (id, command, field) in [
        ("80000001", "bind_receiver_resp", "system_id"),
        ("80000002", "bind_transmitter_resp", "system_id"),
        ("80000009", "bind_transceiver_resp", "system_id"),
        ("80000004", "submit_sm_resp", "message_id"),
        ("80000005", "deliver_sm_resp", "message_id"),
        ("80000021", "submit_multi_resp", "message_id"),
        ("80000103", "data_sm_resp", "message_id"),
        ("80000003", "query_sm_resp", "message_id"),
    ] {
        let pdu = format!("00000010{id}000000000a342ee1");
        let error = json!({ "error": format!("{command}: {field} at octet 16: field missing"), "offset": 16 });
        assert_eq!(objects(&run(&["decode", &pdu], "")), [error]);
        assert_eq!(run(&["decode", "--lenient", &pdu], "").status.code(), Some(0), "{command}");
        let refused = format!("00000010{id}000000080a342ee1");
        assert_eq!(run(&["decode", &refused], "").status.code(), Some(0), "an error has no body: {command}");
    }
    for id in ["80000006", "80000007", "80000008", "80000015", "80000000"] {
        assert_eq!(run(&["decode", &format!("00000010{id}000000000a342ee1")], "").status.code(), Some(0), "{id}");
    }
}

#[test]
fn encode_writes_what_decode_shows() {
    let input: String = golden().iter().map(|golden| golden.json.to_string() + "\n").collect();
    let output = run(&["encode"], &input);
    assert_eq!(output.status.code(), Some(0), "{}", complaint(&output));
    assert_eq!(lines(&output), golden().iter().map(|golden| hex(&golden.octets)).collect::<Vec<_>>());
}

#[test]
fn decode_takes_arguments_and_several_pdus_in_one() {
    let two = ENQUIRE_LINK.repeat(2);
    let output = run(&["decode", ENQUIRE_LINK, &two], "");
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(objects(&output).len(), 3);
    assert_eq!(objects(&output)[2]["command"], "enquire_link");
}

#[test]
fn decode_skips_white_space_and_blank_lines() {
    let output = run(&["decode"], "\n00000010 00000015\t00000000 0000 0001\r\n\n");
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(objects(&output).len(), 1);
}

#[test]
fn decode_goes_on_after_a_malformed_pdu_and_ends_with_1() {
    let malformed = format!("{ENQUIRE_LINK}0000001100000015000000000000000200{ENQUIRE_LINK}\n{ENQUIRE_LINK}\n");
    let output = run(&["decode"], &malformed);
    assert_eq!(output.status.code(), Some(1));
    let objects = objects(&output);
    assert_eq!(objects.len(), 4);
    assert_eq!(
        objects[1],
        json!({
            "error": "enquire_link: optional parameters at octet 16: 1 octets are left, an optional parameter has at least 4",
            "offset": 32,
        })
    );
    assert_eq!(objects[3]["sequence_number"], 1);
}

#[test]
fn decode_is_by_the_letter_unless_lenient() {
    let stray = "0000001100000015000000000000000200";
    assert_eq!(run(&["decode", stray], "").status.code(), Some(1));
    let output = run(&["decode", "--lenient", stray], "");
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(objects(&output)[0]["command"], "enquire_link");
}

#[test]
fn decode_says_what_is_wrong_with_what_is_no_frame() {
    for (hex, error, offset) in [
        ("00000010", "command_length is 16, 4 octets are there", 0),
        ("0000", "2 octets: not even a command_length, which has 4", 0),
        ("0000000000000015", "command_length is 0, allowed are 16 to 70000", 0),
        ("000", "3 hexadecimal digits: an octet has two", 0),
        ("00zz", "'z' at 2 is no hexadecimal digit", 0),
        (" ", "no octets", 0),
        ("0000001000000015000000000000000100000020", "command_length is 32, 4 octets are there", 16),
    ] {
        let output = run(&["decode", hex], "");
        assert_eq!(output.status.code(), Some(1), "{hex}");
        assert_eq!(objects(&output).last(), Some(&json!({ "error": error, "offset": offset })), "{hex}");
    }
}

#[test]
fn encode_names_the_field_the_value_and_what_is_allowed() {
    let submit = |fields: &str| format!(r#"{{"command": "submit_sm", "sequence_number": 1, "fields": {fields}}}"#);
    let long_id = "1".repeat(65);
    for (json, words) in [
        (submit(r#"{"source_addr": "123456789012345678901"}"#), vec!["source_addr", "21", "20"]),
        (submit(r#"{"esm_class": 256}"#), vec!["esm_class", "256", "u8"]),
        (submit(r#"{"esm_clas": 1}"#), vec!["esm_clas", "esm_class"]),
        (submit(r#"{"destination_addr": "привет"}"#), vec!["destination_addr", "привет", "Latin-1"]),
        (
            submit(&format!(r#"{{"short_message_hex": "{}"}}"#, "41".repeat(255))),
            vec!["short_message_hex", "255", "254"],
        ),
        (submit(r#"{"short_message_hex": "4x"}"#), vec!["short_message_hex", "'x'"]),
        (r#"{"command": "submit_sm"}"#.to_owned(), vec!["sequence_number"]),
        (r#"{"command": "submit", "sequence_number": 1}"#.to_owned(), vec!["command", "submit", "SMPP 3.4"]),
        (r#"{"command": "unbind", "command_id": 5, "sequence_number": 1}"#.to_owned(), vec!["unbind", "0x00000005"]),
        (r#"{"sequence_number": 1}"#.to_owned(), vec!["command"]),
        (r#"{"command": "unbind", "sequence_number": -1}"#.to_owned(), vec!["sequence_number", "-1", "u32"]),
        (
            format!(r#"{{"command": "query_sm", "sequence_number": 1, "fields": {{"message_id": "{long_id}"}}}}"#),
            vec!["query_sm", "message_id", "65", "64"],
        ),
        (
            r#"{"command": "unbind", "sequence_number": 1, "tlvs": [{"name": "no_such", "value_hex": "00"}]}"#
                .to_owned(),
            vec!["tlvs", "no_such"],
        ),
        (
            r#"{"command": "submit_multi", "sequence_number": 1, "fields": {"dest_address": []}}"#.to_owned(),
            vec!["dest_address", "0 entries", "1 to 254"],
        ),
        ("{".to_owned(), vec!["JSON"]),
    ] {
        let output = run(&["encode", &json], "");
        assert_eq!(output.status.code(), Some(1), "{json}");
        assert!(output.stdout.is_empty());
        let complaint = complaint(&output);
        assert!(words.iter().all(|word| complaint.contains(word)), "{json}: {complaint}");
        assert_eq!(complaint.lines().count(), 1, "{complaint}");
    }
}

#[test]
fn encode_goes_on_after_a_bad_line_and_ends_with_1() {
    let good = r#"{"command": "enquire_link", "sequence_number": 1}"#;
    let output = run(&["encode"], &format!("{good}\nnonsense\n\n{good}\n"));
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(lines(&output), [ENQUIRE_LINK, ENQUIRE_LINK]);
    assert!(complaint(&output).contains("PDU 2"), "{}", complaint(&output));
}

#[test]
fn a_wrong_command_line_is_one_clear_line_and_status_2() {
    for (arguments, word) in [
        (&["decode", "--lenien"][..], "--lenien"),
        (&["dekode"], "dekode"),
        (&["encode", "--lenient", "{}"], "--lenient"),
    ] {
        let output = run(arguments, "");
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(output.stdout.is_empty());
        assert_eq!(complaint(&output).lines().count(), 1, "{}", complaint(&output));
        assert!(complaint(&output).starts_with("smpp-transport: ") && complaint(&output).contains(word));
    }
}

#[test]
fn help_goes_to_standard_output() {
    let output = run(&["--help"], "");
    assert_eq!(output.status.code(), Some(0));
    assert!(lines(&output).iter().any(|line| line.contains("decode")));
}
