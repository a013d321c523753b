//! Each thing that the simulator can be told to do wrong, one at a time and always; and that chance comes from the seed.

use smpp_transport::pdu::{Body, CommandId, CommandStatus, MessageId, Pdu};
use smpp_transport::session::BindKind;
use smsc_sim::{Behaviour, Delay};
use std::time::Duration;
use tokio::time::Instant;

use crate::world::{Esme, Smsc, id_of, submit};

async fn esme_of(behaviour: Behaviour) -> (Smsc, Esme) {
    let smsc = Smsc::start(|config| config.behaviour = behaviour);
    let esme = smsc.bound(BindKind::Transceiver).await;
    (smsc, esme)
}

fn calm() -> Behaviour {
    Behaviour::default()
}

#[tokio::test(start_paused = true)]
async fn told_nothing_it_answers_each_message_once_at_once_with_ids_that_differ() {
    let (_smsc, mut esme) = esme_of(calm()).await;
    let start = Instant::now();
    for wanted in 1..=20 {
        assert_eq!(esme.submit(crate::world::sm(0)).await, wanted.to_string());
    }
    assert_eq!(start.elapsed(), Duration::ZERO);
    assert!(esme.hears_nothing_for(Duration::from_secs(60)).await);
}

#[tokio::test(start_paused = true)]
async fn a_missing_response_never_comes_but_the_message_is_accepted() {
    let (_smsc, mut esme) = esme_of(Behaviour { response_missing: 1.0, ..calm() }).await;
    esme.send(submit(1)).await;
    assert_eq!(esme.receipt_id().await, "1");
    assert!(esme.hears_nothing_for(Duration::from_secs(60)).await);
    assert!(esme.is_served().await);
}

#[tokio::test(start_paused = true)]
async fn missing_responses_do_not_fill_the_inbound_window() {
    let smsc = Smsc::start(|config| {
        config.behaviour.response_missing = 1.0;
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
    let (_smsc, mut esme) = esme_of(Behaviour { response_doubled: 1.0, ..calm() }).await;
    let first = esme.ask(submit(0)).await;
    assert_eq!(esme.must_hear().await, first);
    assert!(esme.hears_nothing_for(Duration::from_secs(60)).await);
}

#[tokio::test(start_paused = true)]
async fn an_invented_response_comes_first_with_a_number_that_nobody_used() {
    let (_smsc, mut esme) = esme_of(Behaviour { response_invented: 1.0, ..calm() }).await;
    let number = esme.send(submit(0)).await;
    let invented = esme.must_hear().await;
    assert_eq!(invented.command_id(), CommandId::SUBMIT_SM_RESP);
    assert!(invented.sequence > 1_000, "{invented}");
    assert_eq!(esme.must_hear().await.sequence, number);
}

#[tokio::test(start_paused = true)]
async fn a_mistyped_response_comes_first_with_the_number_of_the_message() {
    let (_smsc, mut esme) = esme_of(Behaviour { response_mistyped: 1.0, ..calm() }).await;
    let number = esme.send(submit(0)).await;
    for command in [CommandId::ENQUIRE_LINK_RESP, CommandId::SUBMIT_SM_RESP] {
        let answer = esme.must_hear().await;
        assert_eq!((answer.command_id(), answer.sequence), (command, number));
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_message_has_the_status_that_was_asked_for_no_id_and_no_receipt() {
    for (wanted, status) in [
        (CommandStatus::ESME_ROK, CommandStatus::ESME_RSYSERR),
        (CommandStatus::ESME_RTHROTTLED, CommandStatus::ESME_RTHROTTLED),
        (CommandStatus(0x411), CommandStatus(0x411)),
    ] {
        let (_smsc, mut esme) = esme_of(Behaviour { refused: 1.0, refused_status: wanted, ..calm() }).await;
        let answer = esme.ask(submit(1)).await;
        assert_eq!(answer.status, status);
        assert!(!matches!(&answer.body, Body::SubmitSmResp(Some(MessageId { message_id })) if !message_id.is_empty()));
        assert!(esme.hears_nothing_for(Duration::from_secs(60)).await);
    }
}

#[tokio::test(start_paused = true)]
async fn a_nacked_message_is_answered_with_generic_nack_and_has_no_receipt() {
    let (_smsc, mut esme) = esme_of(Behaviour { nacked: 1.0, ..calm() }).await;
    let number = esme.send(submit(1)).await;
    let answer = esme.must_hear().await;
    assert_eq!((answer.command_id(), answer.sequence), (CommandId::GENERIC_NACK, number));
    assert_ne!(answer.status, CommandStatus::ESME_ROK);
    assert!(esme.hears_nothing_for(Duration::from_secs(60)).await);
    assert!(esme.is_served().await);
}

#[tokio::test(start_paused = true)]
async fn it_hangs_up_instead_of_answering() {
    let (_smsc, mut esme) = esme_of(Behaviour { hung_up: 1.0, ..calm() }).await;
    esme.send(submit(1)).await;
    assert!(esme.next().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn it_unbinds_after_answering_whatever_the_answer_is() {
    let accepting = Behaviour { unbound: 1.0, ..calm() };
    let refusing = Behaviour { refused: 1.0, ..accepting.clone() };
    let nacking = Behaviour { nacked: 1.0, ..accepting.clone() };
    for behaviour in [accepting, refusing, nacking] {
        let (_smsc, mut esme) = esme_of(behaviour).await;
        let number = esme.send(submit(0)).await;
        assert_eq!(esme.must_hear().await.sequence, number);
        assert_eq!(esme.must_hear().await.command_id(), CommandId::UNBIND);
    }
}

#[tokio::test(start_paused = true)]
async fn a_fixed_delay_is_how_long_each_response_takes() {
    let (_smsc, mut esme) = esme_of(Behaviour { response_delay: Delay::fixed(1_500), ..calm() }).await;
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
    let delay = Delay { min_ms: 100, max_ms: 2_000 };
    let (_smsc, mut esme) = esme_of(Behaviour { response_delay: delay, ..calm() }).await;
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
async fn the_receipt_comes_as_long_after_the_answer_as_it_is_told() {
    let behaviour = Behaviour { receipt_delay: Delay::fixed(4_000), response_delay: Delay::fixed(1_000), ..calm() };
    let (_smsc, mut esme) = esme_of(behaviour).await;
    let start = Instant::now();
    esme.submit(crate::world::sm(1)).await;
    assert_eq!(esme.receipt_id().await, "1");
    assert_eq!(start.elapsed().as_millis() / 10, 500);
}

/// What comes back for a number of messages, whatever it is.
async fn answers(seed: u64, behaviour: &Behaviour) -> Vec<Pdu> {
    let smsc = Smsc::start(|config| {
        config.behaviour = behaviour.clone();
        config.seed = seed;
    });
    let mut esme = smsc.bound(BindKind::Transmitter).await;
    for _ in 0..200 {
        esme.send(submit(0)).await;
    }
    let mut answers = Vec::new();
    while !esme.hears_nothing_for(Duration::from_secs(60)).await {
        answers.push(esme.must_hear().await);
    }
    answers
}

fn mixed() -> Behaviour {
    Behaviour {
        response_delay: Delay { min_ms: 0, max_ms: 500 },
        response_missing: 0.1,
        response_doubled: 0.1,
        response_invented: 0.1,
        response_mistyped: 0.1,
        refused: 0.1,
        nacked: 0.1,
        ..calm()
    }
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_makes_the_same_faults_and_another_makes_others() {
    let first = answers(7, &mixed()).await;
    assert_eq!(answers(7, &mixed()).await, first);
    assert_ne!(answers(8, &mixed()).await, first);
}

#[tokio::test(start_paused = true)]
async fn each_chance_is_about_as_frequent_as_it_says() {
    let answers = answers(7, &mixed()).await;
    let count = |is: &dyn Fn(&Pdu) -> bool| answers.iter().filter(|pdu| is(pdu)).count();
    let command = |id: CommandId| count(&|pdu| pdu.command_id() == id);
    let about_a_tenth = 8..=35;
    assert!(about_a_tenth.contains(&command(CommandId::GENERIC_NACK)), "{}", command(CommandId::GENERIC_NACK));
    assert!(about_a_tenth.contains(&command(CommandId::ENQUIRE_LINK_RESP)));
    let refused = count(&|pdu| pdu.command_id() == CommandId::SUBMIT_SM_RESP && pdu.status != CommandStatus::ESME_ROK);
    assert!(about_a_tenth.contains(&refused), "{refused}");
    assert!(about_a_tenth.contains(&count(&|pdu| pdu.sequence > 1_000)));
    let answered = |number: u32| answers.iter().filter(|pdu| pdu.sequence == number && !is_lie(pdu)).count();
    let times = |wanted: usize| (2..202).filter(|number| answered(*number) == wanted).count();
    assert!(about_a_tenth.contains(&times(0)), "{} missing", times(0));
    assert!(about_a_tenth.contains(&times(2)), "{} doubled", times(2));
    assert_eq!(times(0) + times(1) + times(2), 200);
}

fn is_lie(pdu: &Pdu) -> bool {
    pdu.command_id() == CommandId::ENQUIRE_LINK_RESP
}

#[tokio::test(start_paused = true)]
async fn turning_one_chance_on_moves_none_of_the_others() {
    let nacks =
        |answers: &[Pdu]| -> Vec<u32> { answers.iter().filter(|pdu| is_lie(pdu)).map(|pdu| pdu.sequence).collect() };
    let alone = Behaviour { response_mistyped: 0.1, ..calm() };
    let with_others = Behaviour { response_invented: 0.3, refused: 0.5, undelivered: 0.5, ..alone.clone() };
    assert_eq!(nacks(&answers(7, &alone).await), nacks(&answers(7, &with_others).await));
}
