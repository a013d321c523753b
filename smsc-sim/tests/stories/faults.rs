//! Each thing that the simulator can be told to do wrong, one at a time and always.

use std::time::Duration;

use smpp_transport::pdu::{Body, CommandId, CommandStatus, MessageId};
use smpp_transport::session::BindKind;
use smsc_sim::Filter;
use smsc_sim::rules::parse;
use tokio::time::Instant;

use crate::world::{Esme, Smsc, id_of, seconds, submit, wait};

/// Somebody whose messages meet one rule, which does this.
async fn esme_of(then: &str) -> (Smsc, Esme) {
    let smsc = Smsc::with_rules(&format!("[{{ then: {then} }}]"));
    let esme = smsc.bound(BindKind::Transceiver).await;
    (smsc, esme)
}

#[tokio::test(start_paused = true)]
async fn told_nothing_it_answers_each_message_once_at_once_with_ids_that_differ() {
    let (_smsc, mut esme) = esme_of("{}").await;
    let start = Instant::now();
    for wanted in 1..=20 {
        assert_eq!(esme.submit(crate::world::sm(0)).await, wanted.to_string());
    }
    assert_eq!(start.elapsed(), Duration::ZERO);
    assert!(esme.hears_nothing_for(Duration::from_secs(60)).await);
}

#[tokio::test(start_paused = true)]
async fn a_missing_response_never_comes_but_the_message_is_accepted() {
    let (_smsc, mut esme) = esme_of("{ answer: never }").await;
    esme.send(submit(1)).await;
    assert_eq!(esme.receipt_id().await, "1");
    assert!(esme.hears_nothing_for(Duration::from_secs(60)).await);
    assert!(esme.is_served().await);
}

#[tokio::test(start_paused = true)]
async fn missing_responses_do_not_fill_the_inbound_window() {
    let smsc = Smsc::start(|config| {
        config.rules = parse("[then: { answer: never }]").unwrap();
        config.session.inbound_window = 2;
    });
    let mut esme = smsc.bound(BindKind::Transmitter).await;
    for _ in 0..5 {
        esme.send(submit(0)).await;
    }
    assert!(esme.hears_nothing_for(Duration::from_secs(5)).await);
}

#[tokio::test(start_paused = true)]
async fn a_doubled_response_comes_twice_the_same() {
    let (_smsc, mut esme) = esme_of("{ answer: twice }").await;
    let first = esme.ask(submit(0)).await;
    assert_eq!(esme.must_hear().await, first);
    assert!(esme.hears_nothing_for(Duration::from_secs(60)).await);
}

#[tokio::test(start_paused = true)]
async fn an_invented_response_has_a_number_that_nobody_used() {
    let (_smsc, mut esme) = esme_of("{ before: [unknown_response] }").await;
    let number = esme.send(submit(0)).await;
    let invented = esme.must_hear().await;
    assert_eq!(invented.command_id(), CommandId::SUBMIT_SM_RESP);
    assert!(invented.sequence > 1_000, "{invented}");
    assert_eq!(esme.must_hear().await.sequence, number);
}

#[tokio::test(start_paused = true)]
async fn a_mistyped_response_comes_first_with_the_number_of_the_message() {
    let (_smsc, mut esme) = esme_of("{ before: [wrong_response] }").await;
    let number = esme.send(submit(0)).await;
    for command in [CommandId::ENQUIRE_LINK_RESP, CommandId::SUBMIT_SM_RESP] {
        let answer = esme.must_hear().await;
        assert_eq!((answer.command_id(), answer.sequence), (command, number));
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_message_has_the_status_that_was_asked_for_no_id_and_no_receipt() {
    for (wanted, status) in [
        ("RSYSERR", CommandStatus::ESME_RSYSERR),
        ("ESME_RTHROTTLED", CommandStatus::ESME_RTHROTTLED),
        ("0x411", CommandStatus(0x411)),
    ] {
        let (_smsc, mut esme) = esme_of(&format!("{{ status: {wanted} }}")).await;
        let answer = esme.ask(submit(1)).await;
        assert_eq!(answer.status, status);
        assert!(!matches!(&answer.body, Body::SubmitSmResp(Some(MessageId { message_id })) if !message_id.is_empty()));
        assert!(esme.hears_nothing_for(Duration::from_secs(60)).await);
    }
}

#[tokio::test(start_paused = true)]
async fn a_nacked_message_is_answered_with_generic_nack_and_has_no_receipt() {
    let (_smsc, mut esme) = esme_of("{ answer: nack }").await;
    let number = esme.send(submit(1)).await;
    let answer = esme.must_hear().await;
    assert_eq!((answer.command_id(), answer.sequence), (CommandId::GENERIC_NACK, number));
    assert_ne!(answer.status, CommandStatus::ESME_ROK);
    assert!(esme.hears_nothing_for(Duration::from_secs(60)).await);
    assert!(esme.is_served().await);
}

#[tokio::test(start_paused = true)]
async fn it_hangs_up_instead_of_answering() {
    let (_smsc, mut esme) = esme_of("{ before: [disconnect: close] }").await;
    esme.send(submit(1)).await;
    assert!(esme.next().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn it_unbinds_after_answering_whatever_the_answer_is() {
    for answer in ["answer: once", "status: RSYSERR", "answer: nack"] {
        let (_smsc, mut esme) = esme_of(&format!("{{ {answer}, after: [unbind] }}")).await;
        let number = esme.send(submit(0)).await;
        assert_eq!(esme.must_hear().await.sequence, number);
        assert_eq!(esme.must_hear().await.command_id(), CommandId::UNBIND);
    }
}

#[tokio::test(start_paused = true)]
async fn a_fixed_delay_is_how_long_each_response_takes() {
    let (_smsc, mut esme) = esme_of("{ delay: 1500ms }").await;
    let start = Instant::now();
    for _ in 0..3 {
        esme.send(submit(0)).await;
    }
    for number in 2..5 {
        assert_eq!(esme.must_hear().await.sequence, number);
        assert_eq!(start.elapsed().as_millis() / 10, 150);
    }
}

#[tokio::test(start_paused = true)]
async fn delays_between_two_limits_make_responses_overtake_each_other() {
    let (_smsc, mut esme) = esme_of("{ delay: 100ms..2s }").await;
    let start = Instant::now();
    for _ in 0..20 {
        esme.send(submit(0)).await;
    }
    let mut numbers = Vec::new();
    for _ in 0..20 {
        let answer = esme.must_hear().await;
        assert_eq!(id_of(&answer), (answer.sequence - 1).to_string(), "ids follow the order of the messages");
        numbers.push(answer.sequence);
        assert!((100..=2_010).contains(&start.elapsed().as_millis()), "{:?}", start.elapsed());
    }
    assert!(!numbers.is_sorted(), "{numbers:?}");
    numbers.sort_unstable();
    assert_eq!(numbers, (2..22).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn the_receipt_comes_as_long_after_the_message_has_ended_as_it_is_told() {
    let (_smsc, mut esme) = esme_of("{ delay: 1s, policy: { enroute: 2s, receipt: { delay: 4s } } }").await;
    let start = Instant::now();
    esme.submit(crate::world::sm(1)).await;
    assert_eq!(esme.receipt_id().await, "1");
    assert_eq!(start.elapsed().as_millis() / 10, 600);
}

/// A client that has waited for too long does not know that its message is on its way.
#[tokio::test(start_paused = true)]
async fn a_message_whose_response_is_late_is_taken_at_once_and_lives_when_its_session_ends() {
    let (smsc, mut esme) = esme_of("{ delay: 10s }").await;
    esme.send(submit(1)).await;
    wait(seconds(1)).await;
    assert_eq!(smsc.control().messages(&Filter::default())[0].state.to_string(), "DELIVERED");
    esme.vanish().await;
    assert_eq!(smsc.transceiver().await.receipt_id().await, "1");
}

#[tokio::test(start_paused = true)]
async fn no_receipt_goes_before_the_response_to_its_message_unless_it_is_told_to() {
    for (then, first) in [
        ("{ delay: 3s, policy: { enroute: 1s } }", CommandId::SUBMIT_SM_RESP),
        ("{ delay: 3s }", CommandId::SUBMIT_SM_RESP),
        ("{ behind: 1, policy: { enroute: 100ms } }", CommandId::SUBMIT_SM_RESP),
        ("{ delay: 3s, policy: { enroute: 1s, receipt: { before_response: true } } }", CommandId::DELIVER_SM),
        ("{ delay: 3s, policy: { receipt: { before_response: true } } }", CommandId::DELIVER_SM),
        ("{ policy: { receipt: { before_response: true } } }", CommandId::DELIVER_SM),
    ] {
        let (_smsc, mut esme) = esme_of(then).await;
        esme.send(submit(1)).await;
        let heard = [esme.must_hear().await.command_id(), esme.must_hear().await.command_id()];
        assert_eq!(heard[0], first, "{then}");
        assert_ne!(heard[0], heard[1], "{then}");
        assert!(esme.hears_nothing_for(seconds(5)).await, "{then}");
    }
}
