//! Guards what is shown of PDUs.

use serde_json::{Value, json};
use smpp_transport::session::BindKind;

use crate::world::{Api, submit};

fn commands(pdus: &Value) -> Vec<&str> {
    pdus.as_array().expect("a list").iter().filter_map(|pdu| pdu["command"].as_str()).collect()
}

#[tokio::test]
async fn pdus_are_shown_by_the_names_of_the_standard_without_passwords() {
    let api = Api::start().await;
    let _esme = api.esme(BindKind::Transmitter).await;
    let pdus = api.see("pdus").await;
    assert_eq!(commands(&pdus), ["bind_transmitter", "bind_transmitter_resp"]);
    assert_eq!(pdus[0]["fields"]["system_id"], "smppclient1");
    let hex = pdus[0]["hex"].as_str().expect("octets");
    assert!(!pdus.to_string().contains("password\":\"password"), "{pdus}");
    assert!(!hex.contains("70617373776f7264"), "{hex}");
}

#[tokio::test]
async fn pdus_are_found_by_each_parameter() {
    let api = Api::start().await;
    let esme = api.esme(BindKind::Transmitter).await;
    let _another = api.esme(BindKind::Receiver).await;
    submit(&esme, "2701", "first").await;
    let submits = ["submit_sm", "submit_sm_resp"];
    assert_eq!(commands(&api.see("pdus?session=1&after=4&limit=2").await), submits);
    assert_eq!(commands(&api.see("pdus?command=submit_sm_resp").await), submits[1..]);
    assert_eq!(commands(&api.see("pdus?session=1&limit=1&command=submit_sm").await), submits[..1]);
    assert_eq!(commands(&api.see("pdus?after=0&limit=1").await), ["bind_transmitter"], "the oldest");
    assert_eq!(commands(&api.see("pdus?session=1&limit=1").await), submits[1..], "the newest");
    assert_eq!(commands(&api.see("pdus?session=3").await), [""; 0]);
}

#[tokio::test]
async fn a_pdu_is_shown_as_soon_as_it_has_passed() {
    let api = Api::start().await;
    let esme = api.esme(BindKind::Transmitter).await;
    let (pdus, _) = tokio::join!(api.see("pdus?command=submit_sm_resp&wait=20s"), submit(&esme, "2701", "first"));
    assert_eq!(commands(&pdus), ["submit_sm_resp"]);
    assert_eq!(api.see("pdus?command=unbind&wait=1ms").await, json!([]), "when the time is up");
}

#[tokio::test]
async fn what_does_not_decode_is_shown_with_what_its_header_says() {
    let api = Api::start().await;
    let _esme = api.esme(BindKind::Receiver).await;
    api.send("POST", "sessions/1/steps", r#"{"malformed": "cut_body"}"#).await;
    let pdus = api.see("pdus?command=deliver_sm&wait=20s").await;
    assert_eq!((&pdus[0]["command"], &pdus[0]["command_status"]), (&json!("deliver_sm"), &json!(0)), "{pdus}");
    assert!(pdus[0]["error"].is_string() && pdus[0]["fields"].is_null(), "{pdus}");
}

#[tokio::test]
async fn what_is_kept_is_a_capture_without_passwords() {
    let api = Api::start().await;
    let _esme = api.esme(BindKind::Transmitter).await;
    let capture = api.get("pdus.pcap").await;
    assert!(capture.head.contains("content-type: application/vnd.tcpdump.pcap"), "{}", capture.head);
    assert_eq!(capture.body[..4], 0xA1B2_3C4D_u32.to_le_bytes(), "the magic number");
    let has = |text: &[u8]| capture.body.windows(text.len()).any(|octets| octets == text);
    assert!(has(b"smppclient1\0********\0") && !has(b"password"));
}
