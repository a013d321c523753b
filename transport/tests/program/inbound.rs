//! Fields and optional parameters of inbound messages, from the SMSC to the application.

use serde_json::{Value, json};

use super::world::{PATIENCE, Transport, smsc};

/// The message that an application gets for a deliver_sm of these fields, which the default account's session receives.
async fn received(flags: &[&str], fields: Value) -> Value {
    let smsc = smsc().await;
    let transport = Transport::bound_to(&smsc, flags).await;
    let mut delivery = json!({"from": "27831112222", "to": "1001", "text": "hello"});
    delivery.as_object_mut().expect("a map").extend(fields.as_object().expect("a map").clone());
    let sent = smsc.deliver(&serde_json::from_value(delivery).expect("a message")).expect("a session");
    let ids: Vec<u64> = sent.iter().map(|sent| sent.id).collect();
    smsc.wait_for_deliveries(&ids, PATIENCE).await;
    let (status, page) = transport.http("GET", "/inbound?wait=30s", "").await;
    assert_eq!(status, 200, "{page}");
    assert!(transport.stop().await.success());
    let page: Value = serde_json::from_str(&page).expect("JSON");
    page["messages"][0].clone()
}

#[tokio::test]
async fn addressing_coding_and_selected_parameters_reach_the_application() {
    let fields = json!({
        "service_type": "WAP", "from_ton": 2, "from_npi": 8, "to_ton": 4, "to_npi": 9, "data_coding": 241, "esm_class": 8,
        "tlvs": [{"tag": 0x0204, "hex": "0007"}, {"tag": 0x1401, "hex": "ff00"}],
    });
    let reference = json!({"tag": "0x0204", "name": "user_message_reference", "value_hex": "0007"});
    let own = json!({"tag": "0x1401", "value_hex": "ff00"});
    for (flags, tlvs) in [
        (&[][..], Value::Null),
        (&["--inbound-tlvs", "all"], json!([reference, own])),
        (&["--inbound-tlvs", "[0x1401]"], json!([own])),
        (&["--inbound-tlvs", "[user_message_reference, 0x1402]"], json!([reference])),
    ] {
        let message = received(flags, fields.clone()).await;
        let mut expected = json!({
            "command": "deliver_sm", "service_type": "WAP", "esm_class": 8, "data_coding": 241,
            "source_addr_ton": 2, "source_addr_npi": 8, "dest_addr_ton": 4, "dest_addr_npi": 9,
        });
        if !tlvs.is_null() {
            expected["tlvs"] = tlvs;
        }
        assert_eq!(message["transport_metadata"]["smpp"], expected, "{flags:?}");
        assert_eq!(message["content"], "hello");
    }
}

#[tokio::test]
async fn octets_of_a_binary_message_reach_the_application() {
    let message = received(&[], json!({"text": null, "hex": "00ff80", "data_coding": 4})).await;
    let smpp = &message["transport_metadata"]["smpp"];
    assert_eq!((&smpp["content_hex"], &smpp["data_coding"]), (&json!("00ff80"), &json!(4)));
}
