//! Who may bind, as what, and with which version of the protocol.

use smpp_transport::pdu::{Bind, Body, COctets, CommandStatus, InterfaceVersion, TlvTag};
use smpp_transport::session::BindKind;
use smsc_sim::Account;

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
