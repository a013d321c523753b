//! How much an ESME may send: windows and rates of accounts, rules that throttle, queues that are full, answers out of order.

use smpp_transport::pdu::{Body, CommandStatus, Destination, Destinations, Npi, ShortMessage, SubmitMulti, Ton};
use smsc_sim::rules::parse;
use tokio::time::Instant;

use crate::world::{Esme, Smsc, policy, seconds, sm, submit, wait};

/// Of so many messages in a row, which were taken.
async fn taken(esme: &mut Esme, count: usize, refusal: CommandStatus) -> usize {
    let mut taken = 0;
    for _ in 0..count {
        match esme.ask(submit(0)).await.status {
            CommandStatus::ESME_ROK => taken += 1,
            status => assert_eq!(status, refusal),
        }
    }
    taken
}

#[tokio::test(start_paused = true)]
async fn a_rule_throttles_what_is_above_a_rate() {
    let smsc = Smsc::with_rules("[{ when: { above_rate: 10 }, then: { status: ESME_RTHROTTLED } }]");
    let mut esme = smsc.transceiver().await;
    let start = Instant::now();
    let mut total = 0;
    while start.elapsed() < seconds(10) {
        total += taken(&mut esme, 3, CommandStatus::ESME_RTHROTTLED).await;
        wait(seconds(1) / 20).await;
    }
    assert!((99..=102).contains(&total), "{total}");
}

#[tokio::test(start_paused = true)]
async fn a_rule_says_the_queue_is_full_above_so_many_pending() {
    let rules = parse("[{ when: { above_pending: 4 }, then: { status: ESME_RMSGQFUL } }]").unwrap();
    let smsc = Smsc::start(|config| {
        config.rules = rules;
        config.policy = policy("{ enroute: 10s }");
    });
    let mut esme = smsc.transceiver().await;
    assert_eq!(taken(&mut esme, 9, CommandStatus::ESME_RMSGQFUL).await, 5);
    wait(seconds(11)).await;
    assert_eq!(taken(&mut esme, 9, CommandStatus::ESME_RMSGQFUL).await, 5);
}

#[tokio::test(start_paused = true)]
async fn when_there_are_too_many_messages_those_that_ended_are_forgotten_and_then_none_are_taken() {
    let smsc = Smsc::start(|config| {
        config.limits.messages_max = 10;
        config.policy = policy("{ enroute: 10s }");
    });
    let mut esme = smsc.transceiver().await;
    assert_eq!(taken(&mut esme, 15, CommandStatus::ESME_RMSGQFUL).await, 10);
    wait(seconds(11)).await;
    assert_eq!(taken(&mut esme, 15, CommandStatus::ESME_RMSGQFUL).await, 10);
    assert_eq!(smsc.control().stats().messages, 10);
    assert!(smsc.control().message("1").is_none());
}

#[tokio::test(start_paused = true)]
async fn the_window_of_an_account_is_its_own_and_may_be_larger_than_that_of_all() {
    for window in [2, 20] {
        let rules = parse("[then: { delay: 1s }]").unwrap();
        let smsc = Smsc::start(|config| {
            config.rules = rules;
            config.session.inbound_window = 5;
            config.accounts[0].window = Some(window);
        });
        let mut esme = smsc.transceiver().await;
        for _ in 0..25 {
            esme.send(submit(0)).await;
        }
        let mut served = 0;
        for _ in 0..25 {
            served += usize::from(esme.must_hear().await.status == CommandStatus::ESME_ROK);
        }
        assert_eq!(served, window);
    }
}

#[tokio::test(start_paused = true)]
async fn the_rate_of_an_account_holds_for_all_its_sessions_together() {
    let smsc = Smsc::start(|config| config.accounts[0].rate = Some(5.0));
    let (mut one, mut other) = (smsc.transceiver().await, smsc.transceiver().await);
    let mut total = 0;
    for _ in 0..10 {
        total += taken(&mut one, 5, CommandStatus::ESME_RTHROTTLED).await;
        total += taken(&mut other, 5, CommandStatus::ESME_RTHROTTLED).await;
        wait(seconds(1)).await;
    }
    assert!((48..=52).contains(&total), "{total}");
}

#[tokio::test(start_paused = true)]
async fn a_rate_below_one_lets_the_first_message_through_and_then_one_in_its_time() {
    let smsc = Smsc::start(|config| config.accounts[0].rate = Some(0.1));
    let mut esme = smsc.transceiver().await;
    assert_eq!(taken(&mut esme, 3, CommandStatus::ESME_RTHROTTLED).await, 1);
    wait(seconds(9)).await;
    assert_eq!(taken(&mut esme, 1, CommandStatus::ESME_RTHROTTLED).await, 0);
    wait(seconds(2)).await;
    assert_eq!(taken(&mut esme, 2, CommandStatus::ESME_RTHROTTLED).await, 1);
}

#[tokio::test(start_paused = true)]
async fn a_message_to_more_than_the_rate_allows_at_once_is_taken_and_paid_for() {
    let smsc = Smsc::start(|config| config.accounts[0].rate = Some(2.0));
    let mut esme = smsc.transceiver().await;
    let to = |place| Destination::Address { ton: Ton(1), npi: Npi(1), address: format!("270{place}").parse().unwrap() };
    let multi = Body::SubmitMulti(SubmitMulti {
        source_addr: "1001".parse().unwrap(),
        dest_address: Destinations::new((0..10).map(to).collect::<Vec<_>>()).unwrap(),
        short_message: ShortMessage::new("Hello").unwrap(),
        ..SubmitMulti::default()
    });
    assert_eq!(esme.ask(multi.clone()).await.status, CommandStatus::ESME_ROK);
    assert_eq!(esme.ask(submit(0)).await.status, CommandStatus::ESME_RTHROTTLED);
    wait(seconds(3)).await;
    assert_eq!(esme.ask(submit(0)).await.status, CommandStatus::ESME_RTHROTTLED, "ten take five seconds");
    wait(seconds(2)).await;
    assert_eq!(esme.ask(submit(0)).await.status, CommandStatus::ESME_ROK);
}

#[tokio::test(start_paused = true)]
async fn an_answer_lets_later_ones_pass() {
    let smsc = Smsc::with_rules("[{ when: { first: 1 }, then: { behind: 3 } }]");
    let mut esme = smsc.transceiver().await;
    let late = esme.send(submit(0)).await;
    let start = Instant::now();
    for _ in 0..3 {
        wait(seconds(1) * 3 / 10).await;
        assert!(esme.is_served().await, "at {:?} it still waits", start.elapsed());
    }
    assert_eq!(esme.must_hear().await.sequence, late);
}

#[tokio::test(start_paused = true)]
async fn an_answer_lets_none_pass_for_longer_than_a_second() {
    let smsc = Smsc::with_rules("[then: { behind: 3 }]");
    let mut esme = smsc.transceiver().await;
    let late = esme.send(submit(0)).await;
    let start = Instant::now();
    assert_eq!(esme.must_hear().await.sequence, late);
    assert_eq!(start.elapsed().as_secs(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_share_of_messages_is_refused_by_chance() {
    let smsc = Smsc::with_rules("[{ when: { chance: 0.3 }, then: { status: ESME_RSYSERR } }]");
    let mut esme = smsc.transceiver().await;
    let taken = taken(&mut esme, 1_000, CommandStatus::ESME_RSYSERR).await;
    assert!((640..=760).contains(&taken), "{taken}");
}

#[tokio::test(start_paused = true)]
async fn rules_are_changed_while_it_runs_and_count_what_they_met() {
    let smsc = Smsc::start(|_| {});
    let mut esme = smsc.transceiver().await;
    assert_eq!(esme.submit(sm(0)).await, "1");
    smsc.control().set_rules(parse("[then: { status: RSYSERR }]").unwrap()).unwrap();
    assert_eq!(taken(&mut esme, 3, CommandStatus::ESME_RSYSERR).await, 0);
    assert_eq!(smsc.control().rules()[0].matched, 3);
    smsc.control().set_rules(Vec::new()).unwrap();
    assert_eq!(esme.submit(sm(0)).await, "2");
}

#[tokio::test(start_paused = true)]
async fn the_set_throttling_does_what_it_says() {
    let rules = smsc_sim::rules::RuleSet::named("throttling").unwrap().rules();
    let smsc = Smsc::start(|config| config.rules = rules);
    let mut esme = smsc.transceiver().await;
    assert!(taken(&mut esme, 10, CommandStatus::ESME_RTHROTTLED).await < 10);
}

#[tokio::test(start_paused = true)]
async fn the_set_dead_binds_and_answers_nothing_after() {
    let rules = smsc_sim::rules::RuleSet::named("dead").unwrap().rules();
    let smsc = Smsc::start(|config| config.rules = rules);
    let mut esme = smsc.transceiver().await;
    esme.send(submit(0)).await;
    esme.send(Body::EnquireLink(smpp_transport::pdu::Empty {})).await;
    assert!(esme.hears_nothing_for(seconds(600)).await);
}
