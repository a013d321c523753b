//! What may be said when: each command that is out of place is answered with its own response and the status for it.

use smpp_transport::pdu::json::from_hex;
use smpp_transport::pdu::{Body, CancelSm, CommandId, CommandStatus, DataSm, Empty, QuerySm, ReplaceSm, Sm};
use smpp_transport::session::BindKind;

use crate::world::{Smsc, sm, submit};

fn transmitters() -> Vec<Body> {
    vec![
        submit(0),
        Body::QuerySm(QuerySm::default()),
        Body::CancelSm(CancelSm::default()),
        Body::ReplaceSm(ReplaceSm::default()),
    ]
}

#[tokio::test(start_paused = true)]
async fn before_a_bind_nothing_is_served_but_enquire_link() {
    let smsc = Smsc::start(|_| {});
    let mut esme = smsc.open();
    assert!(esme.is_served().await);
    for body in transmitters().into_iter().chain([Body::DataSm(DataSm::default()), Body::Unbind(Empty {})]) {
        assert_eq!(esme.ask(body).await.status, CommandStatus::ESME_RINVBNDSTS);
    }
    assert!(esme.is_served().await);
}

#[tokio::test(start_paused = true)]
async fn a_receiver_may_not_transmit() {
    let smsc = Smsc::start(|_| {});
    let mut esme = smsc.bound(BindKind::Receiver).await;
    for body in transmitters() {
        assert_eq!(esme.ask(body).await.status, CommandStatus::ESME_RINVBNDSTS);
    }
    assert!(esme.is_served().await);
}

#[tokio::test(start_paused = true)]
async fn an_esme_may_not_say_what_an_smsc_says() {
    let smsc = Smsc::start(|_| {});
    for kind in [BindKind::Transmitter, BindKind::Receiver, BindKind::Transceiver] {
        let mut esme = smsc.bound(kind).await;
        assert_eq!(esme.ask(Body::DeliverSm(sm(0))).await.status, CommandStatus::ESME_RINVBNDSTS, "{kind:?}");
        // These have no answer, not even when they are out of place.
        esme.send(Body::Outbind(smpp_transport::pdu::Outbind::default())).await;
        esme.send(Body::AlertNotification(smpp_transport::pdu::AlertNotification::default())).await;
        assert!(esme.is_served().await, "{kind:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_without_a_destination_is_refused() {
    let smsc = Smsc::start(|_| {});
    let mut esme = smsc.bound(BindKind::Transceiver).await;
    let nowhere = Sm { destination_addr: "".parse().unwrap(), ..sm(1) };
    assert_eq!(esme.ask(Body::SubmitSm(nowhere)).await.status, CommandStatus::ESME_RINVDSTADR);
    assert_eq!(esme.submit(sm(0)).await, "1", "it has taken no id, and has no receipt");
}

#[tokio::test(start_paused = true)]
async fn an_unknown_command_is_answered_with_generic_nack_bound_or_not() {
    let smsc = Smsc::start(|_| {});
    for mut esme in [smsc.open(), smsc.bound(BindKind::Receiver).await] {
        for command in ["0000000a", "00000022", "00010000", "00000104"] {
            esme.write(&from_hex(&format!("00000014{command}000000000000004d01020304")).unwrap()).await;
            let answer = esme.must_hear().await;
            assert_eq!(answer.command_id(), CommandId::GENERIC_NACK);
            assert_eq!((answer.status, answer.sequence), (CommandStatus::ESME_RINVCMDID, 0x4D));
        }
        assert!(esme.is_served().await);
    }
}

#[tokio::test(start_paused = true)]
async fn responses_that_answer_nothing_are_left_alone() {
    let smsc = Smsc::start(|_| {});
    let mut esme = smsc.bound(BindKind::Transceiver).await;
    for command in ["80000000", "80000004", "80000005", "80000009", "80000015", "800000ff"] {
        esme.write(&from_hex(&format!("00000010{command}000000000000004d")).unwrap()).await;
    }
    assert!(esme.is_served().await);
}
