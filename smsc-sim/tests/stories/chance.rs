//! That chance comes from the seed: the same seed makes the same faults.

use std::time::Duration;

use smpp_transport::pdu::{CommandId, CommandStatus, Pdu};
use smpp_transport::session::BindKind;
use smsc_sim::Reset;
use smsc_sim::rules::parse;

use crate::world::{Esme, Smsc, seconds, submit, wait};

/// What comes back for a number of messages, whatever it is.
async fn answers(seed: u64, rules: &str) -> Vec<Pdu> {
    let smsc = Smsc::start(|config| {
        config.rules = parse(rules).unwrap();
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

const MIXED: &str = "
- { when: { chance: 0.1 }, then: { answer: never } }
- { when: { chance: 0.11 }, then: { answer: twice } }
- { when: { chance: 0.12 }, then: { before: [unknown_response] } }
- { when: { chance: 0.14 }, then: { before: [wrong_response] } }
- { when: { chance: 0.17 }, then: { status: RSYSERR } }
- { when: { chance: 0.2 }, then: { answer: nack } }
- { then: { delay: 0..500ms } }";

#[tokio::test(start_paused = true)]
async fn the_same_seed_makes_the_same_faults_and_another_makes_others() {
    let first = answers(7, MIXED).await;
    assert_eq!(answers(7, MIXED).await, first);
    assert_ne!(answers(8, MIXED).await, first);
}

#[tokio::test(start_paused = true)]
async fn each_chance_is_about_as_frequent_as_it_says() {
    let answers = answers(7, MIXED).await;
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

/// A rule keeps its place in the list: what it draws is drawn by that.
#[tokio::test(start_paused = true)]
async fn turning_one_chance_on_moves_none_of_the_others() {
    let lies =
        |answers: &[Pdu]| -> Vec<u32> { answers.iter().filter(|pdu| is_lie(pdu)).map(|pdu| pdu.sequence).collect() };
    let alone = "
- { when: { chance: 0 }, then: { status: RSYSERR } }
- { when: { chance: 0.1 }, then: { before: [wrong_response] } }";
    let with_others = "
- { when: { text: no such text, chance: 0.5 }, then: { status: RSYSERR } }
- { when: { chance: 0.1 }, then: { before: [wrong_response], delay: 1s..2s, policy: { outcome: { DELIVERED: 1, UNDELIVERABLE: 1 } } } }";
    let (mut one, mut other) = (lies(&answers(7, alone).await), lies(&answers(7, with_others).await));
    one.sort_unstable();
    other.sort_unstable();
    assert!(!one.is_empty());
    assert_eq!(one, other);
}

/// After a reset it all begins anew, for those who stay too.
#[tokio::test(start_paused = true)]
async fn after_a_reset_the_same_faults_come_again_unless_another_seed_is_given() {
    let fresh = {
        let smsc = Smsc::start(|config| config.rules = parse(MIXED).unwrap());
        let (mut first, mut second) = (smsc.transceiver().await, smsc.transceiver().await);
        smsc.control().reset(Reset::default());
        wait(seconds(1)).await;
        [heard(&mut first).await, heard(&mut second).await]
    };
    let smsc = Smsc::start(|config| config.rules = parse(MIXED).unwrap());
    smsc.transceiver().await.leave().await;
    let (mut first, mut second) = (smsc.transceiver().await, smsc.transceiver().await);
    let mut runs = Vec::new();
    for seed in [None, None, Some(3), Some(3), None] {
        smsc.control().reset(Reset { seed, ..Reset::default() });
        wait(seconds(1)).await;
        runs.push([heard(&mut first).await, heard(&mut second).await]);
    }
    assert_eq!(runs[0], fresh, "sessions that were there before are not counted");
    assert_eq!(runs[0], runs[1]);
    assert_eq!(runs[2], runs[3]);
    assert_ne!(runs[0], runs[2]);
    assert_eq!(runs[0], runs[4], "without a seed it is that of the start");
    assert_ne!(runs[0][0], runs[0][1], "each session has its own");
}

/// Commands, statuses and which request, of what comes back for thirty messages.
async fn heard(esme: &mut Esme) -> Vec<(u32, u32, i64)> {
    let mut first = 0;
    for place in 0..30 {
        let number = esme.send(submit(0)).await;
        first = if place == 0 { number } else { first };
    }
    let mut heard = Vec::new();
    while !esme.hears_nothing_for(Duration::from_secs(60)).await {
        let pdu = esme.must_hear().await;
        heard.push((pdu.command_id().0, pdu.status.0, i64::from(pdu.sequence & 0xFFFF) - i64::from(first)));
    }
    heard
}
