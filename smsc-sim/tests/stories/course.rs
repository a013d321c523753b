//! The course of messages: schedule, validity, outcomes by weight and by magic, forced states, receipts by hand.

use std::collections::BTreeMap;

use smpp_transport::pdu::{CommandStatus, MessageState, Sm};
use smsc_sim::{Control, ControlError, Filter, ReceiptNow};
use tokio::time::Instant;

use crate::world::{Smsc, policy, seconds, sm, wait};

fn history(control: &Control, id: &str) -> Vec<String> {
    control.message(id).unwrap().history.iter().map(|stay| stay.state.to_string()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_scheduled_message_waits_is_on_its_way_and_is_delivered() {
    for schedule in ["000000010000000R", "260101010000000+", "260101020000004+"] {
        let smsc = Smsc::with_policy("{ enroute: 60s }");
        let mut esme = smsc.transceiver().await;
        let start = Instant::now();
        let id = esme.submit(Sm { schedule_delivery_time: schedule.parse().unwrap(), ..sm(1) }).await;
        assert_eq!(history(smsc.control(), &id), ["SCHEDULED"], "{schedule}");
        assert_eq!(esme.query(&id).await.message_state, MessageState::ENROUTE, "3.4 has no other word for it");
        wait(seconds(3_601)).await;
        assert_eq!(history(smsc.control(), &id), ["SCHEDULED", "ENROUTE"], "{schedule}");
        assert!(esme.told().await.contains("stat:DELIVRD"));
        assert_eq!(start.elapsed().as_secs(), 3_660, "{schedule}");
        assert_eq!(history(smsc.control(), &id), ["SCHEDULED", "ENROUTE", "DELIVERED"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_expires_when_its_validity_is_over_before_its_end() {
    for validity in ["000000000100000R", "260101000100000+"] {
        let smsc = Smsc::with_policy("{ enroute: 1h }");
        let mut esme = smsc.transceiver().await;
        let start = Instant::now();
        let id = esme.submit(Sm { validity_period: validity.parse().unwrap(), ..sm(1) }).await;
        let told = esme.told().await;
        assert!(told.contains("stat:EXPIRED err:001"), "{told}");
        assert_eq!(start.elapsed().as_secs(), 60);
        assert_eq!(esme.query(&id).await.message_state, MessageState::EXPIRED);
        assert!(esme.hears_nothing_for(seconds(7_200)).await);
    }
}

#[tokio::test(start_paused = true)]
async fn outcomes_are_about_as_frequent_as_their_weights() {
    let smsc = Smsc::with_policy("{ outcome: { DELIVERED: 70, UNDELIVERABLE: 20, EXPIRED: 10 } }");
    let mut esme = smsc.transceiver().await;
    for _ in 0..2_000 {
        esme.submit(sm(0)).await;
    }
    let counts: BTreeMap<_, _> = smsc.control().stats().messages_by_state;
    assert!((1_300..=1_500).contains(&counts["DELIVERED"]), "{counts:?}");
    assert!((330..=470).contains(&counts["UNDELIVERABLE"]), "{counts:?}");
    assert!((140..=260).contains(&counts["EXPIRED"]), "{counts:?}");
}

#[tokio::test(start_paused = true)]
async fn what_an_account_says_goes_before_the_simulator_and_a_rule_before_both() {
    let rules = smsc_sim::rules::parse("[{ when: { to: '1$' }, then: { policy: { outcome: REJECTED } } }]").unwrap();
    let smsc = Smsc::start(|config| {
        config.policy = policy("{ outcome: EXPIRED, error: 9 }");
        config.accounts[0].policy = policy("{ outcome: UNDELIVERABLE }");
        config.rules = rules;
    });
    let mut esme = smsc.transceiver().await;
    for (to, words) in [("2701", "stat:REJECTD err:009"), ("2702", "stat:UNDELIV err:009")] {
        esme.submit_to(to, 1).await;
        let told = esme.told().await;
        assert!(told.contains(words), "{told}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_state_that_is_set_by_hand_gives_the_receipt_that_follows_from_it() {
    let smsc = Smsc::with_policy("{ outcome: ENROUTE }");
    let mut esme = smsc.transceiver().await;
    let id = esme.submit(sm(1)).await;
    assert!(esme.hears_nothing_for(seconds(86_400)).await, "it has no end of its own");
    let message = smsc.control().set_state(&id, "REJECTED".parse().unwrap(), Some(42)).unwrap();
    assert_eq!((message.state.to_string().as_str(), message.error), ("REJECTED", 42));
    assert!(esme.told().await.contains("stat:REJECTD err:042"));
    let again = smsc.control().set_state(&id, "DELIVERED".parse().unwrap(), None);
    assert!(matches!(again, Err(ControlError::Refused(_))), "{again:?}");
    let unknown = smsc.control().set_state("77", "DELIVERED".parse().unwrap(), None);
    assert_eq!(unknown.unwrap_err().to_string(), "there is no message 77");
}

#[tokio::test(start_paused = true)]
async fn a_receipt_that_is_sent_by_hand_says_what_it_is_told_to_as_often_as_wanted() {
    let smsc = Smsc::with_policy("{ enroute: 1h }");
    let mut esme = smsc.transceiver().await;
    let id = esme.submit(sm(0)).await;
    let receipt: ReceiptNow =
        serde_saphyr::from_str("{ state: EXPIRED, error: 5, receipt: { times: 2, message_id: hexadecimal_upper } }")
            .unwrap();
    smsc.control().send_receipt(&id, &receipt).unwrap();
    for _ in 0..2 {
        let told = esme.told().await;
        assert!(told.starts_with("id:00000001 ") && told.contains("stat:EXPIRED err:005"), "{told}");
    }
    let notification = ReceiptNow { intermediate: true, ..ReceiptNow::default() };
    smsc.control().send_receipt(&id, &notification).unwrap();
    assert_eq!(esme.notification().await, format!("{id} ENROUTE"));
    assert_eq!(esme.query(&id).await.message_state, MessageState::ENROUTE, "its state is what it was");
    assert!(esme.hears_nothing_for(seconds(7_200)).await, "and it asked for none");
}

#[tokio::test(start_paused = true)]
async fn what_became_of_a_receipt_is_told_with_its_message() {
    let smsc = Smsc::start(|config| config.retry.attempts_max = 2);
    let mut esme = smsc.transceiver().await;
    let mut outcomes = Vec::new();
    for statuses in
        [&[CommandStatus::ESME_ROK][..], &[CommandStatus::ESME_RX_P_APPN], &[CommandStatus::ESME_RX_T_APPN; 2]]
    {
        let id = esme.submit(sm(1)).await;
        for status in statuses {
            let (pdu, _) = esme.receipt().await;
            esme.answer(&pdu, *status).await;
        }
        assert!(esme.hears_nothing_for(seconds(60)).await, "after two it is given up");
        let receipt = smsc.control().message(&id).unwrap().receipts.remove(0);
        outcomes.push((serde_json::to_value(receipt.outcome).unwrap(), receipt.attempts));
    }
    assert_eq!(outcomes, [("accepted".into(), 1), ("refused".into(), 1), ("given_up".into(), 2)]);
    assert_eq!(smsc.control().stats().deliveries_waiting, 0);
}

#[tokio::test(start_paused = true)]
async fn messages_are_found_by_what_they_are_and_awaited() {
    let smsc = Smsc::start(|_| {});
    let mut esme = smsc.transceiver().await;
    let control = smsc.control().clone();
    let filter = Filter { to: Some("/^2702/".parse().unwrap()), ..Filter::default() };
    let waiting = tokio::spawn(async move { control.wait_for_message(&filter, seconds(60)).await });
    esme.submit_to("2701", 0).await;
    esme.submit_to("27025", 0).await;
    assert_eq!(waiting.await.unwrap().unwrap().to.address, "27025");
    let none = Filter { text: Some("Goodbye".parse().unwrap()), ..Filter::default() };
    let start = Instant::now();
    assert_eq!(smsc.control().wait_for_message(&none, seconds(5)).await, None);
    assert_eq!(start.elapsed().as_secs(), 5);
}
