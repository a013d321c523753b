//! Guards: the handle that tasks share: what is answered, what is unbound, and who hears of the end.

use super::*;
use crate::driver::{ClientError, RequestError};
use crate::pdu::{CommandId, DataSm};
use crate::session::{Refused, Why};

#[tokio::test(start_paused = true)]
async fn a_submit_gives_the_id_or_the_refusal() {
    let (client, _incoming, mut peer) = client(client_config()).await;
    let smsc = async {
        let request = peer.receive_some().await;
        peer.send(&[submit_resp(request.sequence)]).await;
        let request = peer.receive_some().await;
        let refusal = Body::refusal(CommandId::SUBMIT_SM).expect("submit_sm is answered");
        peer.send(&[Pdu::new(CommandStatus::ESME_RTHROTTLED, request.sequence, refusal)]).await;
        let request = peer.receive_some().await;
        peer.send(&[Pdu::new(OK, request.sequence, Body::GenericNack(Empty {}))]).await;
    };
    let esme = async {
        assert_eq!(client.submit(sm(20)).await.expect("accepted").message_id, "id2");
        let Err(RequestError::Refused(pdu)) = client.submit(sm(20)).await else { panic!("throttled") };
        assert_eq!(pdu.status, CommandStatus::ESME_RTHROTTLED);
        let nacked = client.submit(sm(20)).await;
        assert!(
            matches!(nacked, Err(RequestError::Refused(_))),
            "a nack is no success, whatever its status: {nacked:?}"
        );
    };
    tokio::join!(smsc, esme);
}

#[tokio::test(start_paused = true)]
async fn a_bind_that_is_refused_says_with_what() {
    for nacked in [false, true] {
        let (ours, theirs) = duplex(4096);
        let mut peer = Peer::new(theirs);
        let smsc = async {
            let request = peer.receive_some().await;
            let answer = match nacked {
                false => bind_resp(request.sequence, CommandStatus::ESME_RINVPASWD),
                true => Pdu::new(OK, request.sequence, Body::GenericNack(Empty {})),
            };
            peer.send(&[answer]).await;
            assert!(peer.receive().await.is_none(), "hung up");
        };
        let (client, ()) = tokio::join!(timeout(seconds(3), Client::over(ours, client_config())), smsc);
        assert!(matches!(client, Ok(Err(ClientError::Refused(_)))), "{client:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_delivery_that_is_dropped_is_refused_as_busy_and_a_refusal_carries_its_status() {
    let (_client, mut incoming, mut peer) = client(client_config()).await;
    peer.send(&[deliver(1), deliver(2), deliver(3)]).await;
    drop(incoming.next().await.expect("delivered"));
    incoming.next().await.expect("delivered").refuse(CommandStatus::ESME_RX_P_APPN);
    incoming.next().await.expect("delivered").accept();
    assert_eq!(peer.receive_some().await, deliver_resp(1, BUSY));
    assert_eq!(peer.receive_some().await, deliver_resp(2, CommandStatus::ESME_RX_P_APPN));
    assert_eq!(peer.receive_some().await, deliver_resp(3, OK));
}

#[tokio::test(start_paused = true)]
async fn a_success_has_its_body_and_an_error_of_data_sm_has_none() {
    let (_client, mut incoming, mut peer) = client(client_config()).await;
    let data = |sequence| Pdu::new(OK, sequence, Body::DataSm(DataSm::default()));
    peer.send(&[data(1), data(2)]).await;
    incoming.next().await.expect("delivered").accept();
    incoming.next().await.expect("delivered").refuse(BUSY);
    let accepted = Body::DataSmResp(Some(MessageId::default()));
    assert_eq!(peer.receive_some().await, Pdu::new(OK, 1, accepted));
    assert_eq!(peer.receive_some().await, Pdu::new(BUSY, 2, Body::DataSmResp(None)));
}

#[tokio::test(start_paused = true)]
async fn unbind_waits_for_what_is_outstanding_and_refuses_what_comes_after_it() {
    let (client, _incoming, mut peer) = client(client_config()).await;
    let outstanding = tokio::spawn({
        let client = client.clone();
        async move { client.submit(sm(20)).await }
    });
    let submitted = peer.receive_some().await;
    let unbinding = tokio::spawn({
        let client = client.clone();
        async move { client.unbind().await }
    });
    assert!(timeout(seconds(1), peer.receive_some()).await.is_err(), "no unbind yet");
    assert_eq!(client.submit(sm(20)).await, Err(RequestError::NotSent(Refused::Closed)), "refused at once");
    assert!(timeout(seconds(1), client.ended()).await.is_err(), "the session has not ended yet");
    peer.send(&[submit_resp(submitted.sequence)]).await;
    assert!(outstanding.await.expect("no panic").is_ok());
    let unbind = peer.receive_some().await;
    assert!(matches!(unbind.body, Body::Unbind(_)), "{unbind}");
    assert!(!unbinding.is_finished());
    peer.send(&[Pdu::new(OK, unbind.sequence, Body::UnbindResp(Empty {}))]).await;
    drop(peer);
    unbinding.await.expect("no panic");
    client.ended().await;
    assert_eq!(client.submit(sm(20)).await, Err(RequestError::NotSent(Refused::Closed)));
}

#[tokio::test(start_paused = true)]
async fn unbind_at_once_waits_for_no_answer_and_no_room() {
    let mut config = client_config();
    config.session.window = 1;
    let (client, _incoming, mut peer) = client(config).await;
    let submit = || {
        let client = client.clone();
        tokio::spawn(async move { client.submit(sm(20)).await })
    };
    let (outstanding, _submitted) = (submit(), peer.receive_some().await);
    let waiting = submit();
    tokio::task::yield_now().await;
    let unbinding = tokio::spawn({
        let client = client.clone();
        async move { client.unbind_at_once().await }
    });
    let unbind = peer.receive_some().await;
    assert!(matches!(unbind.body, Body::Unbind(_)), "{unbind}");
    assert_eq!(waiting.await.expect("no panic"), Err(RequestError::NotSent(Refused::Closed)));
    peer.send(&[submit_resp(2), Pdu::new(OK, unbind.sequence, Body::UnbindResp(Empty {}))]).await;
    assert!(outstanding.await.expect("no panic").is_ok(), "what is answered before the unbind is has its answer");
    drop(peer);
    unbinding.await.expect("no panic");
}

#[tokio::test(start_paused = true)]
async fn all_handles_dropped_is_an_unbind() {
    let (client, mut incoming, mut peer) = client(client_config()).await;
    let other = client.clone();
    drop(client);
    assert!(timeout(seconds(1), peer.receive_some()).await.is_err(), "one handle is left");
    drop(other);
    let unbind = peer.receive_some().await;
    assert!(matches!(unbind.body, Body::Unbind(_)), "{unbind}");
    peer.send(&[deliver(1), Pdu::new(OK, unbind.sequence, Body::UnbindResp(Empty {}))]).await;
    assert_eq!(peer.receive_some().await, deliver_resp(1, BUSY), "what comes while unbinding is put off");
    assert!(peer.receive().await.is_none());
    drop(peer);
    assert!(incoming.next().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_messages_holds_up_neither_submits_nor_answers() {
    let (client, mut incoming, peer) = client(client_config()).await;
    let Peer { stream, mut input } = peer;
    let (mut reader, mut writer) = tokio::io::split(stream);
    let flood = tokio::spawn(async move {
        let burst = octets(&(1..=100).map(deliver).collect::<Vec<_>>());
        while writer.write_all(&burst).await.is_ok() {}
    });
    let consumer =
        tokio::spawn(async move { while incoming.next().await.map(crate::driver::Delivery::accept).is_some() {} });
    let submitting = tokio::spawn(async move { client.submit(sm(20)).await });
    // Within what the driver answers to a few pipes full of messages the submit must be there.
    let mut answers = 0;
    loop {
        reader.read_buf(&mut input).await.expect("a pipe does not fail");
        while let Some(frame) = next_frame(&mut input, 70_000).expect("frames") {
            match Pdu::decode(&frame, Leniency::STRICT).expect("readable").command_id() {
                CommandId::SUBMIT_SM => {
                    assert!(answers < 20_000, "{answers} answers came first");
                    flood.abort();
                    consumer.abort();
                    submitting.abort();
                    return;
                }
                _ => answers += 1,
            }
            assert!(answers < 100_000, "the submit never comes");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_end_of_the_session_is_heard_by_all_who_wait() {
    let (client, mut incoming, mut peer) = client(client_config()).await;
    peer.send(&[Pdu::new(OK, 1, Body::Unbind(Empty {}))]).await;
    assert!(matches!(peer.receive_some().await.body, Body::UnbindResp(_)));
    drop(peer);
    client.ended().await;
    assert!(incoming.next().await.is_none());
    let after = client.request(submit(), Tlvs::new()).await;
    assert_eq!(after, Err(RequestError::NotSent(Refused::Closed)));
    let _ = Why::PeerUnbound;
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_comes_too_late_bears_the_tag_of_its_submit() {
    let mut config = client_config();
    config.session.response_timeout = seconds(5);
    let (client, mut incoming, mut peer) = client(config).await;
    let asked = async {
        assert_eq!(client.submit_tagged(sm(20), Tlvs::new(), Some(7)).await, Err(RequestError::Expired));
        assert_eq!(client.submit_with(sm(20), Tlvs::new()).await, Err(RequestError::Expired), "without a tag");
    };
    let (first, second) = (async { peer.receive_some().await.sequence }, asked);
    let (first, ()) = tokio::join!(first, second);
    let second = peer.receive_some().await.sequence;
    peer.send(&[submit_resp(second), submit_resp(first), submit_resp(first)]).await;
    let late = soon(incoming.next()).await.expect("it is handed on");
    assert_eq!((late.tag, late.pdu.sequence), (None, second));
    let late = soon(incoming.next()).await.expect("it is handed on");
    assert_eq!((late.tag, late.pdu.sequence), (Some(7), first));
}

#[tokio::test(start_paused = true)]
async fn submits_go_in_the_order_in_which_they_are_made_whichever_is_polled_first() {
    let (client, _incoming, mut peer) = client(client_config()).await;
    let [first, second] = [1, 2].map(|octets| client.submit_tagged(sm(octets), Tlvs::new(), None));
    let smsc = async {
        for octets in [1, 2] {
            let request = peer.receive_some().await;
            let Body::SubmitSm(sm) = request.body else { panic!("a submit") };
            assert_eq!(sm.short_message.as_bytes().len(), octets);
            peer.send(&[submit_resp(request.sequence)]).await;
        }
    };
    let (second, first, ()) = tokio::join!(second, first, smsc);
    assert!(first.is_ok() && second.is_ok(), "{first:?} {second:?}");
}
