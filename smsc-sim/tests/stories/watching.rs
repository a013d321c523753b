//! What those who watch are told, and what reset does: sessions, PDUs as they pass, counts.

use std::time::Duration;

use smpp_transport::pdu::{Body, CommandId, CommandStatus, Leniency, Pdu};
use smpp_transport::session::BindKind;
use smsc_sim::rules::parse;
use smsc_sim::{Filter, Reset};

use crate::world::{NEW_YEAR, Smsc, bind, seconds, sm, wait};

#[tokio::test(start_paused = true)]
async fn the_pdus_of_each_session_are_remembered_with_their_times_and_told_as_they_pass() {
    let smsc = Smsc::start(|_| {});
    let mut live = smsc.control().follow_pdus();
    let mut one = smsc.transceiver().await;
    wait(seconds(5)).await;
    one.submit(sm(0)).await;
    let mut other = smsc.bound(BindKind::Receiver).await;
    assert!(other.is_served().await);
    let commands = |session| -> Vec<CommandId> {
        let records = smsc.control().pdus(0, session, 100);
        records.iter().map(|it| Pdu::decode(&it.octets, Leniency::STRICT).unwrap().command_id()).collect()
    };
    let submitted = [
        CommandId::BIND_TRANSCEIVER,
        CommandId::BIND_TRANSCEIVER_RESP,
        CommandId::SUBMIT_SM,
        CommandId::SUBMIT_SM_RESP,
    ];
    assert_eq!(commands(Some(1)), submitted);
    assert_eq!(commands(Some(2)).len(), 4);
    let all = smsc.control().pdus(0, None, 100);
    assert_eq!(all.len(), 8);
    assert_eq!(all[2].at - all[0].at, seconds(5));
    assert_eq!(all[0].at, NEW_YEAR);
    assert_eq!(smsc.control().pdus(all[5].number, None, 1), all[6..7]);
    for record in &all {
        assert_eq!(live.recv().await.unwrap(), *record);
    }
    let stats = smsc.control().stats();
    assert_eq!(stats.pdus_from_esmes["submit_sm"], 1, "{stats:?}");
    assert_eq!(stats.pdus_to_esmes["submit_sm_resp"], 1, "{stats:?}");
}

#[tokio::test(start_paused = true)]
async fn sessions_are_shown_as_they_are_bound_and_with_what_they_did() {
    let smsc = Smsc::start(|_| {});
    let bind = smpp_transport::pdu::Bind {
        system_type: "VMA".parse().unwrap(),
        address_range: "^10".parse().unwrap(),
        ..bind()
    };
    let mut esme = smsc.bound_as(bind, BindKind::Transceiver).await;
    esme.submit(sm(1)).await;
    let (receipt, _) = esme.receipt().await;
    wait(Duration::from_millis(1)).await;
    assert_eq!(smsc.control().sessions()[0].outstanding, 1);
    esme.answer(&receipt, CommandStatus::ESME_ROK).await;
    let _open = smsc.open();
    wait(Duration::from_millis(1)).await;
    let sessions = smsc.control().sessions();
    assert_eq!((sessions.len(), sessions[1].bound_at.is_none()), (2, true));
    let session = &sessions[0];
    assert_eq!((session.system_id.as_deref(), session.system_type.as_deref()), (Some("smppclient1"), Some("VMA")));
    assert_eq!((session.interface_version.as_deref(), session.address_range.as_deref()), (Some("3.4"), Some("^10")));
    assert_eq!((session.requests, session.accepted, session.delivered, session.outstanding), (2, 1, 1, 0));
    assert_eq!(smsc.control().wait_for_sessions(Some("smppclient1"), 1, seconds(1)).await.len(), 1);
    esme.leave().await;
    assert_eq!(smsc.control().sessions().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn reset_forgets_messages_deliveries_and_pdus_and_goes_back_to_the_rules_of_the_start() {
    let smsc = Smsc::start(|_| {});
    let mut esme = smsc.transceiver().await;
    smsc.control().set_rules(parse("[{ when: { to: '9$' }, then: { status: RSYSERR } }]").unwrap()).unwrap();
    esme.submit(sm(0)).await;
    smsc.control().reset(Reset::default());
    let stats = smsc.control().stats();
    assert_eq!((stats.messages, stats.deliveries_waiting, stats.sessions), (0, 0, 1));
    assert!(smsc.control().pdus(0, None, 100).is_empty() && smsc.control().rules().is_empty());
    assert!(smsc.control().message("1").is_none());
    assert!(esme.is_served().await, "sessions stay");
    smsc.control().reset(Reset { sessions: true, ..Reset::default() });
    assert!(esme.next().await.is_none(), "unless they are to go");
}

/// A receipt that was put off, or was lost on its way, before the reset has nothing to say after it.
#[tokio::test(start_paused = true)]
async fn what_was_to_be_delivered_before_a_reset_does_not_come_after_it() {
    let smsc = Smsc::start(|config| config.session.response_timeout = seconds(3));
    let mut esme = smsc.transceiver().await;
    let mut transmitter = smsc.bound(BindKind::Transmitter).await;
    esme.submit(sm(1)).await;
    let (put_off, _) = esme.receipt().await;
    esme.answer(&put_off, CommandStatus::ESME_RX_T_APPN).await;
    transmitter.submit(sm(1)).await;
    esme.receipt().await;
    wait(seconds(1)).await;
    smsc.control().reset(Reset::default());
    let id = transmitter.submit(sm(1)).await;
    assert_eq!(esme.receipt_id().await, id, "a new one does");
    assert!(esme.hears_nothing_for(seconds(600)).await);
    assert_eq!(smsc.control().stats().deliveries_waiting, 0);
}

#[tokio::test(start_paused = true)]
async fn reset_may_leave_the_rules_with_their_counts_as_they_are() {
    let rules = parse("[{ when: { every: 2 }, then: { status: RSYSERR } }]").unwrap();
    for seed in [None, Some(9)] {
        let smsc = Smsc::start(|_| {});
        smsc.control().set_rules(rules.clone()).unwrap();
        let mut esme = smsc.transceiver().await;
        esme.submit(sm(0)).await;
        smsc.control().reset(Reset { keep_rules: true, seed, ..Reset::default() });
        assert_eq!(esme.ask(Body::SubmitSm(sm(0))).await.status, CommandStatus::ESME_RSYSERR, "it is the second");
        assert_eq!(smsc.control().rules()[0].matched, 1);
        assert_eq!(smsc.control().stats().seed, seed.unwrap_or_default());
    }
}

#[tokio::test(start_paused = true)]
async fn forgetting_messages_leaves_all_else() {
    let smsc = Smsc::with_policy("{ enroute: 1h }");
    let mut esme = smsc.transceiver().await;
    esme.submit(sm(1)).await;
    smsc.control().forget_messages();
    assert!(smsc.control().messages(&Filter::default()).is_empty());
    assert!(esme.hears_nothing_for(seconds(7_200)).await);
    assert_eq!(esme.submit(sm(0)).await, "2", "numbers go on");
}
