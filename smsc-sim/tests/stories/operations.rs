//! Each operation that asks about messages that are there: query_sm, cancel_sm, replace_sm; and replace_if_present_flag.

use smpp_transport::pdu::{
    Body, CancelSm, CommandStatus, MessageState, Npi, RegisteredDelivery, ReplaceSm, ShortMessage, Sm, Ton,
};
use smsc_sim::Account;

use crate::world::{Smsc, bind_as, query, seconds, sm, sm_to, wait};

fn cancel(id: &str) -> CancelSm {
    let (message_id, source_addr) = (id.parse().unwrap(), "1001".parse().unwrap());
    CancelSm { message_id, source_addr, ..CancelSm::default() }
}

fn replace(id: &str, text: &'static str) -> ReplaceSm {
    ReplaceSm {
        message_id: id.parse().unwrap(),
        source_addr: "1001".parse().unwrap(),
        registered_delivery: RegisteredDelivery(1),
        short_message: ShortMessage::new(text).unwrap(),
        ..ReplaceSm::default()
    }
}

#[tokio::test(start_paused = true)]
async fn query_sm_tells_every_state_with_its_date_and_error() {
    for state in ["DELIVERED", "EXPIRED", "DELETED", "UNDELIVERABLE", "ACCEPTED", "UNKNOWN", "REJECTED"] {
        let smsc = Smsc::with_policy(&format!("{{ outcome: {state}, enroute: 90s, error: 7 }}"));
        let mut esme = smsc.transceiver().await;
        let id = esme.submit(sm(0)).await;
        let found = esme.query(&id).await;
        assert_eq!((found.message_id.text(), found.message_state), (id.clone(), MessageState::ENROUTE), "{state}");
        assert_eq!((found.final_date.text(), found.error_code), (String::new(), 0), "{state}");
        wait(seconds(91)).await;
        let found = esme.query(&id).await;
        assert_eq!((found.message_state.to_string(), found.error_code), (state.to_owned(), 7));
        assert_eq!(found.final_date.text(), "260101000130000+", "{state}");
    }
}

#[tokio::test(start_paused = true)]
async fn query_sm_finds_only_what_the_account_has_submitted_from_that_source() {
    let smsc = Smsc::start(|config| config.accounts = vec![Account::new("one", "1"), Account::new("two", "2")]);
    let transceiver = smpp_transport::session::BindKind::Transceiver;
    let mut esme = smsc.bound_as(bind_as("one", "1"), transceiver).await;
    let mut stranger = smsc.bound_as(bind_as("two", "2"), transceiver).await;
    let id = esme.submit(sm(0)).await;
    assert_eq!(stranger.ask(query(&id)).await.status, CommandStatus::ESME_RINVMSGID);
    assert_eq!(esme.ask(query("999")).await.status, CommandStatus::ESME_RINVMSGID);
    let Body::QuerySm(mut other) = query(&id) else { unreachable!() };
    other.source_addr = "1002".parse().unwrap();
    assert_eq!(esme.ask(Body::QuerySm(other)).await.status, CommandStatus::ESME_RINVMSGID);
    assert_eq!(esme.ask(query(&id)).await.status, CommandStatus::ESME_ROK);
}

#[tokio::test(start_paused = true)]
async fn cancel_sm_by_id_deletes_a_pending_message_and_its_receipt_says_so() {
    let smsc = Smsc::with_policy("{ enroute: 1h }");
    let mut esme = smsc.transceiver().await;
    let id = esme.submit(sm(1)).await;
    assert_eq!(esme.ask(Body::CancelSm(cancel(&id))).await.status, CommandStatus::ESME_ROK);
    let told = esme.told().await;
    assert!(told.starts_with(&format!("id:{id} ")) && told.contains("stat:DELETED"), "{told}");
    assert_eq!(esme.query(&id).await.message_state, MessageState::DELETED);
    assert!(esme.hears_nothing_for(seconds(7_200)).await, "it is not delivered any more");
}

#[tokio::test(start_paused = true)]
async fn cancel_sm_of_a_message_that_has_ended_or_never_was_is_refused() {
    let smsc = Smsc::start(|_| {});
    let mut esme = smsc.transceiver().await;
    let id = esme.submit(sm(0)).await;
    assert_eq!(esme.ask(Body::CancelSm(cancel(&id))).await.status, CommandStatus::ESME_RCANCELFAIL);
    assert_eq!(esme.ask(Body::CancelSm(cancel("77"))).await.status, CommandStatus::ESME_RINVMSGID);
    assert_eq!(esme.query(&id).await.message_state, MessageState::DELIVERED);
}

#[tokio::test(start_paused = true)]
async fn cancel_sm_without_an_id_deletes_what_is_pending_between_the_addresses() {
    let smsc = Smsc::with_policy("{ enroute: 1h }");
    let mut esme = smsc.transceiver().await;
    let mut ids = Vec::new();
    for (to, service) in [("2701", ""), ("2701", "CMT"), ("2702", ""), ("2701", "")] {
        ids.push(esme.submit(Sm { service_type: service.parse().unwrap(), ..sm_to(to, 0) }).await);
    }
    let between = |service: &str| CancelSm {
        service_type: service.parse().unwrap(),
        destination_addr: "2701".parse().unwrap(),
        ..cancel("")
    };
    let states = async |esme: &mut crate::world::Esme| {
        let mut states = Vec::new();
        for id in &ids {
            states.push(esme.query(id).await.message_state == MessageState::DELETED);
        }
        states
    };
    assert_eq!(esme.ask(Body::CancelSm(between("CMT"))).await.status, CommandStatus::ESME_ROK);
    assert_eq!(states(&mut esme).await, [false, true, false, false]);
    assert_eq!(esme.ask(Body::CancelSm(between(""))).await.status, CommandStatus::ESME_ROK);
    assert_eq!(states(&mut esme).await, [true, true, false, true]);
    assert_eq!(esme.ask(Body::CancelSm(between(""))).await.status, CommandStatus::ESME_RCANCELFAIL);
}

#[tokio::test(start_paused = true)]
async fn replace_sm_changes_text_and_receipt_of_a_pending_message() {
    let smsc = Smsc::with_policy("{ enroute: 1h }");
    let mut esme = smsc.transceiver().await;
    let id = esme.submit(sm(0)).await;
    assert_eq!(esme.ask(Body::ReplaceSm(replace(&id, "Goodbye"))).await.status, CommandStatus::ESME_ROK);
    let message = smsc.control().message(&id).unwrap();
    assert_eq!((message.text.as_deref(), message.registered_delivery), (Some("Goodbye"), 1));
    let told = esme.told().await;
    assert!(told.starts_with(&format!("id:{id} ")) && told.ends_with("text:Goodbye"), "{told}");
    assert_eq!(esme.ask(Body::ReplaceSm(replace(&id, "late"))).await.status, CommandStatus::ESME_RREPLACEFAIL);
    assert_eq!(esme.ask(Body::ReplaceSm(replace("77", "none"))).await.status, CommandStatus::ESME_RINVMSGID);
}

#[tokio::test(start_paused = true)]
async fn replace_sm_puts_a_scheduled_message_off() {
    let smsc = Smsc::start(|_| {});
    let mut esme = smsc.transceiver().await;
    let later = |time: &str| time.parse().unwrap();
    let id = esme.submit(Sm { schedule_delivery_time: later("000000001000000R"), ..sm(1) }).await;
    let put_off = ReplaceSm { schedule_delivery_time: later("000000003000000R"), ..replace(&id, "later") };
    assert_eq!(esme.ask(Body::ReplaceSm(put_off)).await.status, CommandStatus::ESME_ROK);
    assert!(esme.hears_nothing_for(seconds(1_795)).await);
    assert!(esme.told().await.ends_with("text:later"));
}

#[tokio::test(start_paused = true)]
async fn replace_if_present_flag_replaces_the_pending_message_and_makes_a_new_one_where_there_is_none() {
    let smsc = Smsc::with_policy("{ enroute: 1h }");
    let mut esme = smsc.transceiver().await;
    let again = |text: &'static str| Sm {
        replace_if_present_flag: 1,
        short_message: ShortMessage::new(text).unwrap(),
        dest_addr_ton: Ton(1),
        dest_addr_npi: Npi(1),
        ..sm(1)
    };
    let first = esme.submit(again("first")).await;
    assert_eq!(esme.submit(again("second")).await, first);
    let other = esme.submit(Sm { service_type: "CMT".parse().unwrap(), ..again("of another service") }).await;
    assert_ne!(other, first);
    assert_eq!(smsc.control().stats().pending, 2);
    let told = [esme.told().await, esme.told().await];
    assert!(told[0].ends_with("text:second") && told[1].ends_with("text:of another service"), "{told:?}");
    assert_ne!(esme.submit(again("third")).await, first, "that one has ended");
}
