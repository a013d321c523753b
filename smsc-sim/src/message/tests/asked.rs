//! query_sm, cancel_sm, replace_sm, and a submit_sm that replaces.

use smpp_transport::pdu::{CancelSm, QuerySm, QuerySmResp, ReplaceSm};

use super::*;

const DELIVERED: MessageState = MessageState::DELIVERED;
const DELETED: MessageState = MessageState::DELETED;

fn query(given: &Given, id: &str) -> Result<QuerySmResp, CommandStatus> {
    let sm = sm(0);
    let query = QuerySm {
        message_id: text(id),
        source_addr_ton: sm.source_addr_ton,
        source_addr_npi: sm.source_addr_npi,
        source_addr: sm.source_addr,
    };
    given.mailbox.query("esme", &query)
}

fn cancelling(id: &str) -> CancelSm {
    let sm = sm(0);
    CancelSm {
        service_type: text(""),
        message_id: text(id),
        source_addr_ton: sm.source_addr_ton,
        source_addr_npi: sm.source_addr_npi,
        source_addr: sm.source_addr,
        dest_addr_ton: sm.dest_addr_ton,
        dest_addr_npi: sm.dest_addr_npi,
        destination_addr: sm.destination_addr,
    }
}

fn replacing(id: &str) -> ReplaceSm {
    let sm = sm(0);
    ReplaceSm {
        message_id: text(id),
        source_addr_ton: sm.source_addr_ton,
        source_addr_npi: sm.source_addr_npi,
        source_addr: sm.source_addr,
        short_message: ShortMessage::new(&b"goodbye"[..]).expect("short"),
        ..ReplaceSm::default()
    }
}

fn replace(given: &mut Given, replace: &ReplaceSm) -> Result<(), CommandStatus> {
    let times = validate::check_replace_sm(replace, given.now.wall, Strictness::Strict)?;
    given.mailbox.replace(given.now, "esme", replace, times)
}

#[test]
fn a_query_tells_what_became_of_a_message() {
    let mut given = Given::new();
    given.submit(&sm(0), &Tlvs::new(), Life { error: 7, ..given.slow(5, MessageState::REJECTED) });
    let answer = query(&given, "1").expect("found");
    assert_eq!((answer.message_state, answer.final_date.text()), (MessageState::ENROUTE, String::new()));
    given.wait(SECOND * 5);
    let answer = query(&given, "1").expect("found");
    assert_eq!((answer.message_state, answer.error_code), (MessageState::REJECTED, 7));
    assert_eq!((answer.message_id.text(), answer.final_date.text()), ("1".into(), "260101000005000+".into()));
    assert_eq!(query(&given, "2"), Err(CommandStatus::ESME_RINVMSGID));
}

#[test]
fn a_scheduled_message_is_enroute_to_who_asks() {
    let mut given = Given::new();
    let scheduled = Sm { schedule_delivery_time: text("000001000000000R"), ..sm(0) };
    given.submit(&scheduled, &Tlvs::new(), given.life(DELIVERED));
    assert_eq!(query(&given, "1").map(|answer| answer.message_state), Ok(MessageState::ENROUTE));
}

#[test]
fn who_asks_must_know_the_source_and_be_the_account() {
    let mut given = Given::new();
    given.submit(&sm(0), &Tlvs::new(), given.slow(5, DELIVERED));
    let wrong = Err(CommandStatus::ESME_RINVMSGID);
    let asking = |change: fn(&mut CancelSm)| {
        let mut cancel = cancelling("1");
        change(&mut cancel);
        cancel
    };
    for (what, account, cancel) in [
        ("account", "other", asking(|_| {})),
        ("source", "esme", asking(|cancel| cancel.source_addr = text("27820000009"))),
        ("no source", "esme", asking(|cancel| cancel.source_addr = text(""))),
        ("ton", "esme", asking(|cancel| cancel.source_addr_ton = Ton::UNKNOWN)),
        ("npi", "esme", asking(|cancel| cancel.source_addr_npi = Npi::UNKNOWN)),
        ("destination", "esme", asking(|cancel| cancel.destination_addr = text("1"))),
    ] {
        assert_eq!(given.mailbox.cancel(given.now, account, &cancel), wrong.map(|()| 0), "{what}");
        let query = QuerySm {
            message_id: cancel.message_id,
            source_addr_ton: cancel.source_addr_ton,
            source_addr_npi: cancel.source_addr_npi,
            source_addr: cancel.source_addr,
        };
        let found = given.mailbox.query(account, &query).map(|_| ());
        assert_eq!(found.is_ok(), what == "destination", "{what}");
    }
    assert_eq!(given.state(1), MessageState::ENROUTE);
    let no_destination = asking(|cancel| {
        (cancel.dest_addr_ton, cancel.dest_addr_npi, cancel.destination_addr) = (Ton(0), Npi(0), text(""));
    });
    assert_eq!(given.mailbox.cancel(given.now, "esme", &no_destination), Ok(1), "the id says which");
}

#[test]
fn a_cancelled_message_is_deleted_and_stays_known() {
    let mut given = Given::new();
    for registered_delivery in [0, 1, 2] {
        given.submit(&sm(registered_delivery), &Tlvs::new(), given.slow(5, DELIVERED));
    }
    given.wait(SECOND);
    for id in ["1", "2", "3"] {
        assert_eq!(given.mailbox.cancel(given.now, "esme", &cancelling(id)), Ok(1));
    }
    assert_eq!(given.reported(), [DELETED, DELETED], "those who asked to be told of failure");
    let again = given.mailbox.cancel(given.now, "esme", &cancelling("1"));
    assert_eq!(again, Err(CommandStatus::ESME_RCANCELFAIL));
    assert_eq!(query(&given, "1").map(|answer| answer.message_state), Ok(DELETED));
    given.wait(SECOND * 60);
    assert_eq!((given.state(1), given.dues().len(), given.mailbox.pending("esme")), (DELETED, 0, 0));
}

#[test]
fn without_an_id_all_that_is_pending_between_two_is_cancelled() {
    let mut given = Given::new();
    let life = given.slow(5, DELIVERED);
    let service = |name| Sm { service_type: text(name), ..sm(0) };
    for message in [sm(0), service("CMT"), service("CMT"), Sm { destination_addr: text("1"), ..sm(0) }] {
        given.submit(&message, &Tlvs::new(), life.clone());
    }
    given.submit(&sm(0), &Tlvs::new(), given.life(DELIVERED));
    let of_service = CancelSm { service_type: text("CMT"), ..cancelling("") };
    assert_eq!(given.mailbox.cancel(given.now, "other", &of_service), Err(CommandStatus::ESME_RCANCELFAIL));
    assert_eq!(given.mailbox.cancel(given.now, "esme", &of_service), Ok(2));
    assert_eq!(given.mailbox.cancel(given.now, "esme", &cancelling("")), Ok(1));
    assert_eq!(given.mailbox.cancel(given.now, "esme", &cancelling("")), Err(CommandStatus::ESME_RCANCELFAIL));
    let states: Vec<_> = (1..=5).map(|number| given.state(number)).collect();
    assert_eq!(states, [DELETED, DELETED, DELETED, MessageState::ENROUTE, DELIVERED]);
}

#[test]
fn a_pending_message_is_replaced_and_an_ended_one_is_not() {
    let mut given = Given::new();
    given.submit(&sm(0), &Tlvs::new(), given.slow(5, DELIVERED));
    let changed = ReplaceSm { registered_delivery: RegisteredDelivery(1), ..replacing("1") };
    given.wait(SECOND);
    assert_eq!(replace(&mut given, &changed), Ok(()));
    assert_eq!(given.record(1).text().as_deref(), Some("goodbye"));
    let later = ReplaceSm { schedule_delivery_time: text("000000000010000R"), ..replacing("1") };
    assert_eq!(replace(&mut given, &later), Err(CommandStatus::ESME_RREPLACEFAIL), "it is on its way");
    given.wait(SECOND * 4);
    assert_eq!((given.state(1), given.reported()), (DELIVERED, vec![DELIVERED]), "its time is not changed by its text");
    assert_eq!(replace(&mut given, &changed), Err(CommandStatus::ESME_RREPLACEFAIL));
    assert_eq!(replace(&mut given, &replacing("2")), Err(CommandStatus::ESME_RINVMSGID));
}

#[test]
fn times_are_replaced_where_they_are_given() {
    let mut given = Given::new();
    let scheduled =
        Sm { schedule_delivery_time: text("000000000010000R"), validity_period: text("000000000020000R"), ..sm(0) };
    for _ in 0..3 {
        given.submit(&scheduled, &Tlvs::new(), given.slow(1, DELIVERED));
    }
    replace(&mut given, &replacing("1")).expect("pending");
    let earlier = ReplaceSm { schedule_delivery_time: text("000000000002000R"), ..replacing("2") };
    replace(&mut given, &earlier).expect("pending");
    let shorter = ReplaceSm { validity_period: text("000000000005000R"), ..replacing("3") };
    replace(&mut given, &shorter).expect("pending");
    given.wait(SECOND * 60);
    let done: Vec<_> = (1..=3).map(|number| given.record(number).done.map(|done| done - START)).collect();
    assert_eq!(done, [Some(SECOND * 11), Some(SECOND * 3), Some(SECOND * 5)]);
    assert_eq!(given.state(3), MessageState::EXPIRED);
}

#[test]
fn a_message_replaces_the_last_pending_one_like_it_and_takes_its_name() {
    let mut given = Given::new();
    let life = given.slow(5, DELIVERED);
    for _ in 0..2 {
        given.submit(&sm(1), &Tlvs::new(), life.clone());
    }
    given.wait(SECOND);
    let words = ShortMessage::new(&b"news"[..]).expect("short");
    let new = Sm { replace_if_present_flag: 1, short_message: words, ..sm(1) };
    let accepted = given.submit(&new, &Tlvs::new(), life.clone());
    assert_eq!((accepted.number, &*accepted.id, accepted.replaced), (2, "2", true));
    assert_eq!(given.record(2).text().as_deref(), Some("news"));
    for other in [
        Sm { service_type: text("CMT"), ..new.clone() },
        Sm { destination_addr: text("1"), ..new.clone() },
        Sm { source_addr: text("1"), ..new.clone() },
        Sm { dest_addr_ton: Ton::UNKNOWN, ..new.clone() },
    ] {
        assert!(!given.submit(&other, &Tlvs::new(), life.clone()).replaced, "a new one where nothing matches");
    }
    let later = Sm { schedule_delivery_time: text("000000000010000R"), ..new.clone() };
    let too_late = given.try_submit(&later, &Tlvs::new(), life.clone());
    assert_eq!(too_late, Err(CommandStatus::ESME_RINVSUBREP));
    given.wait(SECOND * 4);
    assert_eq!((given.state(1), given.state(2)), (DELIVERED, MessageState::ENROUTE), "its life began anew");
    given.wait(SECOND);
    assert_eq!((given.state(2), given.reported().len()), (DELIVERED, 6), "one receipt each");
    assert!(!given.submit(&new, &Tlvs::new(), life).replaced, "none is pending");
    given.account = Arc::from("other");
    assert!(!given.submit(&new, &Tlvs::new(), given.life(DELIVERED)).replaced, "nor has another account one");
}

#[test]
fn a_scheduled_message_that_is_replaced_goes_when_the_new_one_says() {
    let mut given = Given::new();
    let at = |schedule| Sm { schedule_delivery_time: text(schedule), replace_if_present_flag: 1, ..sm(0x11) };
    given.submit(&at("000000000010000R"), &Tlvs::new(), given.life(DELIVERED));
    given.submit(&at("000000000020000R"), &Tlvs::new(), given.life(DELIVERED));
    given.wait(SECOND * 10);
    assert_eq!((given.mailbox.len(), given.state(1)), (1, MessageState::SCHEDULED));
    given.submit(&at(""), &Tlvs::new(), given.life(DELIVERED));
    assert_eq!((given.mailbox.len(), given.state(1)), (1, DELIVERED));
    assert_eq!(given.reported(), [MessageState::ENROUTE, DELIVERED]);
    assert_eq!(given.mailbox.poll_timeout(), None);
}
