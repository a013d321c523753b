//! Receipts of real SMSCs: `fixtures/receipts/cases.jsonl`, a case each.

use std::time::Duration;

use serde_json::Value;
use smpp_transport::outbound::MultipartHandling;
use smpp_transport::pdu::fixtures::folder;
use smpp_transport::pdu::json::from_hex;
use smpp_transport::text::DefaultAlphabet;

use super::world::{Options, World};

fn octets(list: &Value) -> Vec<Vec<u8>> {
    list.as_array().unwrap().iter().map(|hex| from_hex(hex.as_str().unwrap()).unwrap()).collect()
}

fn words(list: &Value) -> Vec<&str> {
    list.as_array().into_iter().flatten().map(|word| word.as_str().unwrap()).collect()
}

fn options(case: &Value) -> Options {
    let mut options = Options::default();
    options.config.submit.multipart = MultipartHandling::Udh8;
    options.config.inbound.sme_acks = false;
    match case["default_alphabet"].as_str() {
        Some("gsm0338_packed") => options.config.inbound.default = DefaultAlphabet::Gsm7Packed,
        Some(other) => panic!("default_alphabet {other}"),
        None => {}
    }
    options
}

#[tokio::test(start_paused = true)]
async fn every_receipt_of_a_real_smsc_is_reported_as_its_case_says() {
    let text = std::fs::read_to_string(folder().join("receipts/cases.jsonl")).unwrap();
    let cases: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(cases.len() >= 33, "{} cases", cases.len());
    for case in cases {
        let mut world = World::start(options(&case));
        let ids = octets(&case["ids_hex"]);
        if !ids.is_empty() {
            let content = case["content"].as_str().unwrap_or("hi");
            world.submit("m", content, &ids.iter().map(Vec::as_slice).collect::<Vec<_>>()).await;
        }
        for body in octets(&case["deliver_sm_hex"]) {
            assert_eq!(world.deliver(body).await, 0, "{}", case["name"]);
        }
        world.pass(Duration::from_millis(2_200)).await;
        assert_eq!(world.got.reports("m"), words(&case["reports"]), "{}", case["name"]);
        assert_eq!(world.got.texts(), words(&case["inbound"]), "{}", case["name"]);
    }
}
