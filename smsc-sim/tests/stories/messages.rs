//! Messages that come otherwise than by submit_sm: submit_multi, data_sm; and messages from the simulator: alert and outbind.

use smpp_transport::pdu::{
    Bind, Body, CommandStatus, DataSm, Destination, Destinations, Npi, Outbind, Pdu, RegisteredDelivery, ShortMessage,
    Sm, SubmitMulti, TlvTag, Tlvs, Ton,
};
use smpp_transport::session::BindKind;
use smsc_sim::Filter;
use tokio::io::duplex;

use crate::world::{Esme, Smsc, bind, parameter, request, seconds, sm, words};

fn multi(destinations: Vec<Destination>) -> SubmitMulti {
    SubmitMulti {
        source_addr: "1001".parse().unwrap(),
        dest_address: Destinations::new(destinations).unwrap(),
        registered_delivery: RegisteredDelivery(1),
        short_message: ShortMessage::new("Hello all").unwrap(),
        ..SubmitMulti::default()
    }
}

fn to(address: &str) -> Destination {
    Destination::Address { ton: Ton(1), npi: Npi(1), address: address.parse().unwrap() }
}

fn list(name: &str) -> Destination {
    Destination::List(name.parse().unwrap())
}

/// Id, and the destinations that were refused with why.
fn taken(answer: Pdu) -> (String, Vec<(String, CommandStatus)>) {
    assert_eq!(answer.status, CommandStatus::ESME_ROK, "{answer}");
    let Body::SubmitMultiResp(Some(body)) = answer.body else { panic!("it has a body") };
    let refused = body.unsuccess_sme.iter().map(|sme| (sme.destination_addr.text(), sme.error_status_code));
    (body.message_id.text(), refused.collect())
}

#[tokio::test(start_paused = true)]
async fn submit_multi_goes_to_each_destination_and_each_has_a_receipt_with_the_same_id() {
    let smsc = Smsc::start(|_| {});
    let mut esme = smsc.transceiver().await;
    let answer = esme.ask(Body::SubmitMulti(multi(vec![to("2701"), to("2702"), to("2703")]))).await;
    let (id, refused) = taken(answer);
    assert_eq!(refused, []);
    let mut from = Vec::new();
    for _ in 0..3 {
        let (pdu, receipt) = esme.receipt().await;
        assert!(words(&receipt).starts_with(&format!("id:{id} ")));
        from.push(receipt.source_addr.text());
        esme.answer(&pdu, CommandStatus::ESME_ROK).await;
    }
    assert_eq!(from, ["2701", "2702", "2703"]);
    assert!(esme.hears_nothing_for(seconds(60)).await);
    assert_eq!(smsc.control().stats().messages_total, 3);
}

#[tokio::test(start_paused = true)]
async fn submit_multi_lists_the_destinations_that_cannot_be_and_goes_to_the_others() {
    let smsc = Smsc::start(|_| {});
    let mut esme = smsc.transceiver().await;
    let some = vec![to("2701"), to("no number"), to(""), to("2702")];
    let multi = |destinations| SubmitMulti { registered_delivery: RegisteredDelivery(0), ..multi(destinations) };
    let (_, refused) = taken(esme.ask(Body::SubmitMulti(multi(some))).await);
    let wrong = CommandStatus::ESME_RINVDSTADR;
    assert_eq!(refused, [("no number".to_owned(), wrong), (String::new(), wrong)]);
    let reached: Vec<_> =
        smsc.control().messages(&Filter::default()).into_iter().map(|message| message.to.address).collect();
    assert_eq!(reached, ["2701", "2702"]);
    let none = esme.ask(Body::SubmitMulti(multi(vec![to("no number"), to("nor this")]))).await;
    assert_eq!(none.status, CommandStatus::ESME_RINVDSTADR, "with nobody to go to it is refused");
}

#[tokio::test(start_paused = true)]
async fn submit_multi_goes_to_all_on_a_distribution_list_and_with_an_unknown_one_to_nobody() {
    let smsc = Smsc::start(|config| {
        config.distribution_lists.insert("staff".to_owned(), vec!["2801".to_owned(), "2802".to_owned()]);
    });
    let mut esme = smsc.transceiver().await;
    let none = SubmitMulti { registered_delivery: RegisteredDelivery(0), ..multi(vec![list("staff"), to("2701")]) };
    let (_, refused) = taken(esme.ask(Body::SubmitMulti(none)).await);
    assert_eq!(refused, []);
    // An answer lists addresses and no lists: there would be no way to say which one it was.
    let unknown = esme.ask(Body::SubmitMulti(multi(vec![list("strangers"), to("2701")]))).await;
    assert_eq!(unknown.status, CommandStatus::ESME_RINVDLNAME);
    let reached: Vec<_> =
        smsc.control().messages(&Filter::default()).into_iter().map(|message| message.to.address).collect();
    assert_eq!(reached, ["2801", "2802", "2701"]);
}

#[tokio::test(start_paused = true)]
async fn data_sm_from_an_esme_is_a_message_with_a_receipt() {
    let smsc = Smsc::start(|_| {});
    let mut esme = smsc.transceiver().await;
    let mut tlvs = Tlvs::new();
    tlvs.push(TlvTag::MESSAGE_PAYLOAD, b"Hello there");
    let data = DataSm {
        source_addr: "1001".parse().unwrap(),
        destination_addr: "27820001001".parse().unwrap(),
        registered_delivery: RegisteredDelivery(1),
        ..DataSm::default()
    };
    let pdu = Pdu { status: CommandStatus::ESME_ROK, sequence: 77, body: Body::DataSm(data), tlvs };
    esme.write(&pdu.to_octets()).await;
    let answer = esme.must_hear().await;
    let Body::DataSmResp(Some(body)) = &answer.body else { panic!("{answer}") };
    assert_eq!((answer.status, answer.sequence), (CommandStatus::ESME_ROK, 77));
    let id = body.message_id.text();
    assert!(esme.told().await.ends_with("text:Hello there"));
    let message = smsc.control().message(&id).unwrap();
    assert_eq!((message.operation.as_str(), message.text.as_deref()), ("data_sm", Some("Hello there")));
}

#[tokio::test(start_paused = true)]
async fn data_sm_to_an_esme_brings_messages_and_receipts() {
    let smsc = Smsc::with_policy("{ receipt: { carrier: data_sm } }");
    let mut esme = smsc.transceiver().await;
    smsc.deliver("{ from: 2701, to: 1001, text: hello, data_sm: true }");
    let pdu = esme.take().await;
    assert!(matches!(&pdu.body, Body::DataSm(data) if data.source_addr.text() == "2701"), "{pdu}");
    assert_eq!(parameter(&pdu, TlvTag::MESSAGE_PAYLOAD).unwrap(), b"hello");
    esme.submit(sm(1)).await;
    let pdu = esme.take().await;
    assert!(matches!(&pdu.body, Body::DataSm(data) if data.esm_class.is_receipt()), "{pdu}");
    assert!(parameter(&pdu, TlvTag::MESSAGE_PAYLOAD).unwrap().starts_with(b"id:1 "));
    assert!(esme.hears_nothing_for(seconds(600)).await, "both were taken");
}

#[tokio::test(start_paused = true)]
async fn deliver_sm_brings_a_message_and_its_answer_is_known() {
    let smsc = Smsc::start(|_| {});
    let mut esme = smsc.transceiver().await;
    let ids = smsc.deliver("{ from: 27820001001, to: 1001, text: hello }");
    let pdu = esme.must_hear().await;
    let Body::DeliverSm(Sm { source_addr, destination_addr, short_message, .. }) = &pdu.body else { panic!("{pdu}") };
    assert_eq!((source_addr.text(), destination_addr.text()), ("27820001001".to_owned(), "1001".to_owned()));
    assert_eq!(short_message.as_bytes(), b"hello");
    let state = || serde_json::to_value(smsc.control().delivery(ids[0]).unwrap()).unwrap()["state"].clone();
    assert_eq!(state(), "sent");
    esme.answer(&pdu, CommandStatus::ESME_ROK).await;
    smsc.control().wait_for_deliveries(&ids, seconds(1)).await;
    assert_eq!(state(), "accepted");
}

#[tokio::test(start_paused = true)]
async fn alert_notification_is_sent_and_has_no_answer() {
    let smsc = Smsc::start(|_| {});
    for kind in [BindKind::Receiver, BindKind::Transceiver] {
        let mut esme = smsc.bound(kind).await;
        smsc.act("alert: { from: 27820001001, status: 0 }");
        let pdu = esme.must_hear().await;
        let Body::AlertNotification(alert) = &pdu.body else { panic!("{pdu}") };
        assert_eq!((alert.source_addr.text(), alert.esme_addr.text()), ("27820001001".into(), "smppclient1".into()));
        assert_eq!(pdu.tlvs.get_u8(TlvTag::MS_AVAILABILITY_STATUS), Some(0));
        assert!(esme.hears_nothing_for(seconds(600)).await);
    }
}

#[tokio::test(start_paused = true)]
async fn outbind_asks_an_esme_to_bind_and_serves_it_then() {
    let smsc = Smsc::start(|_| {});
    let (near, far) = duplex(65_536);
    let outbind = Outbind { system_id: "smsc".parse().unwrap(), password: "secret".parse().unwrap() };
    let number = smsc.control().outbind_over(far, "10.0.0.1:2775", outbind, |_| {}).unwrap();
    let mut esme = Esme::on(near);
    let pdu = esme.must_hear().await;
    let Body::Outbind(outbind) = &pdu.body else { panic!("{pdu}") };
    assert_eq!((outbind.system_id.text(), outbind.password.text()), ("smsc".to_owned(), "secret".to_owned()));
    // What is kept for whoever receives comes to those who were asked to as well.
    let mut transmitter = smsc.bound(BindKind::Transmitter).await;
    let id = transmitter.submit(sm(1)).await;
    let answer = esme.ask(request(BindKind::Receiver, Bind { ..bind() })).await;
    assert_eq!(answer.status, CommandStatus::ESME_ROK);
    assert_eq!(esme.receipt_id().await, id);
    let session = smsc.control().session(number).unwrap();
    assert!(session.outbound && session.bound_at.is_some());
    assert_eq!(session.peer, "10.0.0.1:2775");
}

#[tokio::test(start_paused = true)]
async fn an_esme_that_does_not_bind_after_outbind_is_hung_up_on() {
    let smsc = Smsc::start(|config| config.session.session_init_timeout = seconds(7));
    let (near, far) = duplex(65_536);
    smsc.control().outbind_over(far, "there", Outbind::default(), |_| {}).unwrap();
    let mut esme = Esme::on(near);
    assert!(matches!(esme.must_hear().await.body, Body::Outbind(_)));
    assert!(esme.next().await.is_none());
}
