//! Who may bind, as what, and with which version of the protocol.

use smpp_transport::pdu::{Bind, Body, COctets, CommandStatus, InterfaceVersion, TlvTag};
use smpp_transport::session::BindKind;
use smsc_sim::words::{AnyOf, Bind as Bound};
use smsc_sim::{Account, Strictness};

use crate::world::{Smsc, bind, bind_as, request, submit, wait};

const KINDS: [BindKind; 3] = [BindKind::Transmitter, BindKind::Receiver, BindKind::Transceiver];

#[tokio::test(start_paused = true)]
async fn each_kind_of_bind_is_answered_with_the_name_of_the_simulator() {
    let smsc = Smsc::start(|config| config.system_id = "north".parse().unwrap());
    for kind in KINDS {
        let answer = smsc.open().ask(request(kind, bind())).await;
        assert_eq!(answer.status, CommandStatus::ESME_ROK);
        let (Body::BindTransmitterResp(body) | Body::BindReceiverResp(body) | Body::BindTransceiverResp(body)) =
            answer.body
        else {
            panic!("{kind:?}: no bind response")
        };
        assert_eq!(body.unwrap().system_id.text(), "north");
    }
}

#[tokio::test(start_paused = true)]
async fn the_version_of_the_simulator_is_told_only_to_peers_that_know_optional_parameters() {
    let smsc = Smsc::start(|_| {});
    for (version, told) in [(0x33, None), (0x34, Some(0x34)), (0x50, Some(0x34)), (0x22, Some(0x34)), (0x00, None)] {
        for kind in KINDS {
            let bind = Bind { interface_version: InterfaceVersion(version), ..bind() };
            let answer = smsc.open().ask(request(kind, bind)).await;
            assert_eq!(answer.status, CommandStatus::ESME_ROK);
            assert_eq!(answer.tlvs.get_u8(TlvTag::SC_INTERFACE_VERSION), told, "version {version:#x} {kind:?}");
            assert_eq!(answer.tlvs.is_empty(), told.is_none(), "version {version:#x} {kind:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_bind_says_why_and_can_be_tried_again_on_the_same_connection() {
    let smsc = Smsc::start(|_| {});
    for kind in KINDS {
        let mut esme = smsc.open();
        let refused = esme.ask(request(kind, bind_as("nobody", "password"))).await;
        assert_eq!(refused.status, CommandStatus::ESME_RINVSYSID);
        let refused = esme.ask(request(kind, bind_as("smppclient1", "wrong"))).await;
        assert_eq!(refused.status, CommandStatus::ESME_RINVPASWD);
        let refused = esme.ask(request(kind, bind_as("smppclient1", ""))).await;
        assert_eq!(refused.status, CommandStatus::ESME_RINVPASWD);
        assert!(refused.tlvs.is_empty());
        assert_eq!(esme.ask(submit(0)).await.status, CommandStatus::ESME_RINVBNDSTS, "it is not bound yet");
        assert_eq!(esme.ask(request(kind, bind())).await.status, CommandStatus::ESME_ROK);
    }
}

#[tokio::test(start_paused = true)]
async fn a_second_bind_on_a_session_is_refused_and_the_first_stays() {
    let smsc = Smsc::start(|_| {});
    let mut esme = smsc.bound(BindKind::Transmitter).await;
    for kind in KINDS {
        assert_eq!(esme.ask(request(kind, bind())).await.status, CommandStatus::ESME_RALYBND);
    }
    assert_eq!(esme.submit(crate::world::sm(0)).await, "1");
}

#[tokio::test(start_paused = true)]
async fn binds_beyond_the_limit_of_their_account_are_refused_until_one_has_gone() {
    let smsc = Smsc::start(|config| {
        config.accounts = vec![
            Account { binds_max: 2, ..Account::new("two", "secret") },
            Account { binds_max: 0, ..Account::new("none", "secret") },
            Account::new("many", "secret"),
        ];
    });
    let mut first = smsc.bound_as(bind_as("two", "secret"), BindKind::Transmitter).await;
    let _second = smsc.bound_as(bind_as("two", "secret"), BindKind::Receiver).await;
    let mut third = smsc.open();
    let again = || request(BindKind::Transceiver, bind_as("two", "secret"));
    assert_eq!(third.ask(again()).await.status, CommandStatus::ESME_RBINDFAIL);
    let none = request(BindKind::Transceiver, bind_as("none", "secret"));
    assert_eq!(third.ask(none).await.status, CommandStatus::ESME_RBINDFAIL);
    let _other = smsc.bound_as(bind_as("many", "secret"), BindKind::Transceiver).await;
    first.ask(Body::Unbind(smpp_transport::pdu::Empty {})).await;
    assert!(first.next().await.is_none());
    drop(first);
    // The session goes when its task has: at the next turn of the runtime, which is before time moves.
    wait(std::time::Duration::from_millis(1)).await;
    assert_eq!(third.ask(again()).await.status, CommandStatus::ESME_ROK);
}

#[tokio::test(start_paused = true)]
async fn each_account_has_its_own_password() {
    let smsc = Smsc::start(|config| config.accounts = vec![Account::new("one", "1"), Account::new("two", "2")]);
    let mut esme = smsc.open();
    let mut ask = async |id, password| esme.ask(request(BindKind::Receiver, bind_as(id, password))).await.status;
    assert_eq!(ask("one", "2").await, CommandStatus::ESME_RINVPASWD);
    assert_eq!(ask("two", "1").await, CommandStatus::ESME_RINVPASWD);
    assert_eq!(ask("smppclient1", "password").await, CommandStatus::ESME_RINVSYSID);
    assert_eq!(ask("two", "2").await, CommandStatus::ESME_ROK);
}

#[test]
fn an_account_is_written_as_id_colon_password_with_lengths_that_a_bind_can_carry() {
    let read = |text: &str| text.parse::<Account>();
    assert_eq!(read("one:secret").unwrap(), Account::new("one", "secret"));
    assert_eq!(read("one:a:b").unwrap(), Account::new("one", "a:b"));
    assert_eq!(read("one:").unwrap(), Account::new("one", ""));
    assert_eq!(COctets::<16>::MAX, 15);
    for wrong in ["one", ":secret", "sixteen-letters-:x", "one:ninechars"] {
        assert!(read(wrong).is_err(), "{wrong}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_only_session_of_an_account_keeps_others_out_while_it_lingers() {
    let smsc = Smsc::start(|config| config.accounts = vec![Account { binds_max: 1, ..Account::new("one", "1") }]);
    let first = smsc.bound_as(bind_as("one", "1"), BindKind::Transceiver).await;
    let mut second = smsc.open();
    let again = || request(BindKind::Transceiver, bind_as("one", "1"));
    assert_eq!(second.ask(again()).await.status, CommandStatus::ESME_RALYBND);
    first.vanish().await;
    assert_eq!(second.ask(again()).await.status, CommandStatus::ESME_ROK);
}

#[tokio::test(start_paused = true)]
async fn an_account_binds_only_as_it_may() {
    let smsc = Smsc::start(|config| {
        config.accounts = vec![Account { binds: AnyOf(vec![Bound::Receiver]), ..Account::new("one", "1") }];
    });
    for (kind, status) in [
        (BindKind::Transmitter, CommandStatus::ESME_RBINDFAIL),
        (BindKind::Transceiver, CommandStatus::ESME_RBINDFAIL),
        (BindKind::Receiver, CommandStatus::ESME_ROK),
    ] {
        assert_eq!(smsc.open().ask(request(kind, bind_as("one", "1"))).await.status, status, "{kind:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_address_range_that_is_no_expression_is_refused_unless_the_simulator_is_lenient() {
    for (strictness, status) in
        [(Strictness::Strict, CommandStatus::ESME_RBINDFAIL), (Strictness::Lenient, CommandStatus::ESME_ROK)]
    {
        let smsc = Smsc::start(|config| config.strictness = strictness);
        // The last would take more memory than a peer may ask for.
        for range in ["^27(82", "[", "((((a{99}){99}){99}){99})"] {
            let bind = Bind { address_range: range.parse().unwrap(), ..bind() };
            assert_eq!(smsc.open().ask(request(BindKind::Receiver, bind)).await.status, status, "{range}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_bind_is_refused_by_a_rule_with_any_status_and_later() {
    let smsc = Smsc::with_rules(
        "[{ when: { operation: bind, account: smppclient1, bind: receiver, first: 2 }, then: { status: ESME_RSYSERR, delay: 2s } }]",
    );
    let mut esme = smsc.open();
    let start = tokio::time::Instant::now();
    for status in [CommandStatus::ESME_RSYSERR, CommandStatus::ESME_RSYSERR, CommandStatus::ESME_ROK] {
        assert_eq!(esme.ask(request(BindKind::Receiver, bind())).await.status, status);
    }
    assert_eq!(start.elapsed().as_secs(), 4);
}

/// Whoever has not heard that it is bound is not: it takes no place, and nothing is sent to it.
#[tokio::test(start_paused = true)]
async fn a_bind_whose_answer_was_lost_takes_no_place_and_another_connection_binds() {
    for answer in ["never", "nack", "wrong_type", "wrong_number"] {
        let yaml = format!("[{{ when: {{ operation: bind, first: 1 }}, then: {{ answer: {answer} }} }}]");
        let rules = smsc_sim::rules::parse(&yaml).unwrap();
        let smsc = Smsc::start(|config| {
            config.accounts[0].binds_max = 1;
            config.rules = rules;
        });
        let mut lost = smsc.open();
        lost.send(request(BindKind::Transceiver, bind())).await;
        wait(std::time::Duration::from_secs(1)).await;
        assert_eq!(smsc.control().stats().sessions, 0, "{answer}");
        let mut esme = smsc.bound(BindKind::Transceiver).await;
        assert_eq!(smsc.control().stats().sessions, 1, "{answer}");
        let id = esme.submit(crate::world::sm(1)).await;
        assert_eq!(esme.receipt_id().await, id, "{answer}");
        lost.vanish().await;
        assert_eq!(smsc.control().stats().sessions, 1, "{answer}");
        esme.leave().await;
        assert_eq!(smsc.control().stats().sessions, 0, "{answer}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_is_met_with_silence_a_delay_or_a_hangup_by_a_rule() {
    let smsc = Smsc::with_rules(
        "[{ when: { operation: connect, first: 1 }, then: { answer: never } },
          { when: { operation: connect, first: 1 }, then: { delay: 5s } },
          { when: { operation: connect, first: 1 }, then: { before: [disconnect: close] } }]",
    );
    let (mut silent, mut late, mut gone, mut served) = (smsc.open(), smsc.open(), smsc.open(), smsc.open());
    wait(std::time::Duration::from_millis(1)).await;
    assert!(served.is_served().await);
    assert!(gone.next().await.is_none());
    let start = tokio::time::Instant::now();
    assert!(late.is_served().await);
    assert_eq!(start.elapsed().as_millis() / 100, 49);
    silent.send(request(BindKind::Receiver, bind())).await;
    assert!(silent.hears_nothing_for(std::time::Duration::from_secs(600)).await);
}
