//! Numbers and texts of people in everything that the program writes: for each `pdu_log`, each `pdu_log_ring` and each level,
//! in plain, hexadecimal, decimal and base64, after messages of all outcomes and a session that breaks.

use futures_util::future::join_all;
use serde_json::json;

use super::world::{PATIENCE, Transport, rule, smsc, to};

const NUMBER: &str = "27820001001";
const SENDER: &str = "27831112222";
const TEXT: &str = "a private text";
/// What a text in another alphabet says.
const FOREIGN: &str = "приватно";

/// The forms in which somebody could find these octets again.
pub(super) fn forms(octets: &[u8]) -> Vec<String> {
    let hex: String = octets.iter().map(|octet| format!("{octet:02x}")).collect();
    let spaced: Vec<String> = octets.iter().map(|octet| format!("{octet:02x}")).collect();
    let decimal: Vec<String> = octets.iter().map(u8::to_string).collect();
    let mut forms = vec![hex.clone(), hex.to_uppercase(), spaced.join(" "), decimal.join(", "), decimal.join(",")];
    // Base64 of what the octets are a part of depends on how many come before; characters at the ends depend on others.
    for before in 0..3 {
        let encoded = base64(&[&vec![0; before][..], octets].concat());
        let sure = (before * 8).div_ceil(6)..(before + octets.len()) * 8 / 6;
        forms.push(encoded[sure].to_owned());
    }
    forms.extend(std::str::from_utf8(octets).ok().map(str::to_owned));
    forms
}

fn base64(octets: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in octets.chunks(3) {
        let bits = three.iter().enumerate().fold(0_u32, |bits, (at, octet)| bits | u32::from(*octet) << (16 - 8 * at));
        text.extend((0..=three.len()).map(|at| char::from(ALPHABET[(bits >> (18 - 6 * at) & 63) as usize])));
    }
    text
}

/// All that nobody may find.
fn private() -> Vec<String> {
    let utf16: Vec<u8> = FOREIGN.encode_utf16().flat_map(u16::to_be_bytes).collect();
    [NUMBER.as_bytes(), SENDER.as_bytes(), TEXT.as_bytes(), FOREIGN.as_bytes(), &utf16]
        .into_iter()
        .flat_map(forms)
        .collect()
}

/// All that the program wrote, after messages there and back, refusals of three kinds, and a reset at the last message.
async fn log_of(flags: &[String]) -> String {
    let smsc = smsc().await;
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let transport = Transport::bound_quietly_to(&smsc, &flags).await;
    smsc.set_rules(rule(json!({"when": {"text": "cut"}, "then": {"before": [{"disconnect": "reset"}]}}))).unwrap();
    transport.submit(NUMBER, TEXT).await;
    assert!(smsc.wait_for_message(&to(NUMBER), PATIENCE).await.is_some());
    let mo = json!({"from": SENDER, "to": "1001", "text": TEXT});
    smsc.deliver(&serde_json::from_value(mo).expect("a message")).expect("a session");
    let (_, inbound) = transport.http("GET", "/inbound?wait=30s", "").await;
    assert!(inbound.contains(TEXT), "{inbound}");
    transport.submit(NUMBER, FOREIGN).await;
    transport.submit(&NUMBER.repeat(3), TEXT).await;
    let wrong = json!({"to_addr": NUMBER, "from_addr": "1", "content": TEXT, "message_id": "wrong",
        "transport_metadata": {"smpp": {"service_type": NUMBER, "priority_flag": NUMBER}}});
    transport.http("POST", "/outbound", &wrong.to_string()).await;
    let (_, events) = transport.http("GET", "/events?after=3&wait=30s", "").await;
    assert!(events.contains("nack"), "{events}");
    transport.submit(NUMBER, "cut").await;
    // The first session breaks; so would each one after it.
    while transport.http("GET", "/health", "").await.1.contains("\"last_error\":null") {}
    smsc.set_rules(Vec::new()).unwrap();
    smsc.wait_for_sessions(None, 1, PATIENCE).await;
    let end = transport.end().await;
    assert!(end.0.success(), "{}", end.1);
    end.1
}

#[tokio::test]
async fn numbers_and_texts_are_written_if_pdu_log_is_full_and_only_then() {
    let private = private();
    for pdu_log in ["off", "headers", "full"] {
        for ring in ["0", "20"] {
            let runs = ["ERROR", "WARN", "INFO", "DEBUG", "TRACE"]
                .map(|level| ["--pdu-log", pdu_log, "--pdu-log-ring", ring, "--log-level", level].map(str::to_owned));
            let logs = join_all(runs.iter().map(|flags| log_of(flags))).await;
            for (flags, log) in runs.iter().zip(logs) {
                let found = private.iter().find(|form| log.contains(form.as_str()));
                assert_eq!(found.is_some(), pdu_log == "full", "{flags:?}: {found:?} in\n{log}");
                assert!(!log.contains("\"password\"") && !log.contains("password=password"), "{flags:?}: {log}");
            }
        }
    }
}
