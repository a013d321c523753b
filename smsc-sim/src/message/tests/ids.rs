//! Ids: of one message, of several, in every form, and never of another.

use smpp_transport::pdu::{CommandId, Destination, Destinations, SubmitMulti};

use super::*;
use crate::policy::IdForm;

fn formed(given: &Given, id_form: IdForm) -> Life {
    Life { id_form, ..given.life(MessageState::DELIVERED) }
}

fn found(given: &Given, id: &str) -> Vec<u64> {
    given.mailbox.find(id).collect()
}

fn multi(count: usize) -> SubmitMulti {
    let one = |n: usize| Destination::Address { ton: Ton(1), npi: Npi(1), address: text(&n.to_string()) };
    SubmitMulti {
        dest_address: Destinations::new((1..=count).map(one).collect()).expect("few"),
        registered_delivery: RegisteredDelivery(1),
        ..SubmitMulti::default()
    }
}

fn submit_multi(given: &mut Given, count: usize) -> Result<Accepted, CommandStatus> {
    let life = given.life(MessageState::DELIVERED);
    let sm = multi(count);
    let checked =
        validate::check_submit_multi(&sm, &Tlvs::new(), given.now.wall, Strictness::Strict, &validate::Lists::new())?;
    let submission = Submission::submit_multi(given.sender(), &sm, &Tlvs::new(), checked).expect("some are right");
    given.mailbox.accept(given.now, submission, life)
}

#[test]
fn a_message_is_found_by_its_id_in_every_form() {
    for form in [
        IdForm::Decimal,
        IdForm::DecimalPadded,
        IdForm::Hexadecimal,
        IdForm::HexadecimalPadded,
        IdForm::HexadecimalUpper,
        IdForm::Uuid,
    ] {
        let mut given = Given::new();
        for _ in 1..300 {
            let accepted = given.submit(&sm(0), &Tlvs::new(), formed(&given, form.clone()));
            assert_eq!(found(&given, &accepted.id), [accepted.number], "{form:?}");
            assert_eq!(found(&given, &accepted.id.to_ascii_uppercase()), [accepted.number], "{form:?}");
        }
        for id in ["", "0", "300", "xyz", "+1", "-1", "99999999999999999999999", "é23456789012345678901234567890123456"]
        {
            assert_eq!(found(&given, id), Vec::<u64>::new(), "{form:?} {id}");
        }
    }
}

#[test]
fn an_id_is_not_read_as_that_of_another() {
    let mut given = Given::new();
    let decimal = given.submit(&sm(0), &Tlvs::new(), formed(&given, IdForm::Decimal));
    for _ in 0..40 {
        given.submit(&sm(0), &Tlvs::new(), formed(&given, IdForm::Hexadecimal));
    }
    assert_eq!(found(&given, &decimal.id), [decimal.number]);
    assert_eq!(found(&given, "a"), [10]);
    assert_eq!(found(&given, "10"), Vec::<u64>::new(), "10 is called a, and no other was given this name");
}

#[test]
fn a_client_of_before_3_4_gets_short_ids() {
    let mut given = Given::new();
    for form in [IdForm::DecimalPadded, IdForm::Uuid] {
        let sender = Sender { short_ids: true, ..given.sender() };
        let submission = Submission::submit_sm(sender, &sm(0), &Tlvs::new(), super::super::Times::default());
        let accepted = given.mailbox.accept(given.now, submission, formed(&given, form.clone())).expect("accepted");
        assert!(accepted.id.len() <= 8);
        assert_eq!(found(&given, &accepted.id), [accepted.number]);
    }
}

#[test]
fn those_of_a_submit_multi_share_an_id_and_have_receipts_of_their_own() {
    let mut given = Given::new();
    given.submit(&sm(0), &Tlvs::new(), given.life(MessageState::DELIVERED));
    let accepted = submit_multi(&mut given, 3).expect("accepted");
    given.submit(&sm(0), &Tlvs::new(), given.life(MessageState::DELIVERED));
    assert_eq!((accepted.number, &*accepted.id), (2, "2"));
    assert_eq!(found(&given, "2"), [2, 3, 4]);
    let dues = given.dues();
    let receipts: Vec<_> = dues.iter().map(|due| (due.receipt.number, &*due.receipt.message_id)).collect();
    assert_eq!(receipts, [(2, "2"), (3, "2"), (4, "2")]);
    assert_eq!(given.record(4).body.destination.text(), "3");
    assert_eq!(given.record(4).body.operation, CommandId::SUBMIT_MULTI);
    assert_eq!((found(&given, "3"), found(&given, "5")), (vec![], vec![5]));
}

#[test]
fn those_that_are_left_of_a_submit_multi_are_found() {
    let mut given = Given::with(Limits { messages_max: 3, ..Limits::default() });
    submit_multi(&mut given, 3).expect("accepted");
    given.submit(&sm(0), &Tlvs::new(), given.life(MessageState::DELIVERED));
    assert_eq!(found(&given, "1"), [2, 3]);
    let too_many = submit_multi(&mut given, 4);
    assert_eq!(too_many, Err(CommandStatus::ESME_RMSGQFUL));
}
