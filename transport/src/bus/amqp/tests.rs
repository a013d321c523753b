//! Guards addresses, and how acknowledgements are gathered.

use super::settling::{Acks, Settling};
use super::*;

#[test]
fn an_address_is_vumi2s_and_hides_its_password() {
    let address = AmqpAddress::from_url("amqp://me:secret@rabbit:5673/here").unwrap();
    assert_eq!(address, AmqpAddress::from_parts("rabbit", 5673, "me", "secret", "here"));
    assert_eq!(address.to_string(), "amqp://me@rabbit:5673/here");
    assert!(!format!("{address:?}").contains("secret"));
    for url in ["amqp://guest:guest@127.0.0.1:5672/%2F", "amqp://127.0.0.1", "amqp://127.0.0.1/"] {
        assert_eq!(AmqpAddress::from_url(url).unwrap(), AmqpAddress::default(), "{url}");
    }
    let error = AmqpAddress::from_url("redis://me:secret@rabbit").unwrap_err().to_string();
    assert!(error.starts_with("amqp_url: ") && !error.contains("secret"), "{error}");
}

fn handed_out(count: u64) -> (Settling, Vec<u64>) {
    let mut settling = Settling::default();
    let tags = (1..=count).map(|tag| settling.hand_out(tag, "body".into())).collect();
    (settling, tags)
}

fn done(settling: &mut Settling, tags: &[u64]) -> Acks {
    for &tag in tags {
        let broker_tag = settling.come_back(tag).unwrap();
        settling.done(broker_tag);
    }
    settling.acks()
}

#[test]
fn what_is_done_is_told_in_one_word_as_far_as_nothing_before_it_is_out() {
    let (mut settling, _) = handed_out(6);
    assert_eq!(done(&mut settling, &[1, 2, 3]), Acks { up_to: Some(3), single: vec![] });
    assert_eq!(done(&mut settling, &[6, 5]), Acks { up_to: None, single: vec![6, 5] });
    assert_eq!(done(&mut settling, &[4]), Acks { up_to: Some(4), single: vec![] }, "5 and 6 were told");
    assert_eq!((settling.acks(), settling.out()), (Acks::default(), 0));
}

#[test]
fn what_was_given_back_stands_in_nobodys_way() {
    let (mut settling, _) = handed_out(3);
    let back = settling.come_back(1).unwrap();
    settling.given_back(back);
    settling.skip(4);
    assert_eq!(settling.hand_out(5, "body".into()), 5);
    assert_eq!(done(&mut settling, &[2, 3, 5]), Acks { up_to: Some(5), single: vec![] });
}

#[test]
fn a_delivery_of_a_former_channel_is_stale_and_still_counts_as_out() {
    let (mut settling, old) = handed_out(2);
    settling.new_channel();
    let new = settling.hand_out(1, "again".into());
    assert_eq!((settling.out(), settling.come_back(old[1])), (3, None));
    assert_eq!(settling.come_back(new), Some(1));
    assert_eq!(settling.body(1).unwrap(), "again");
    settling.done(1);
    settling.done(1);
    assert_eq!((settling.acks(), settling.out()), (Acks { up_to: Some(1), single: vec![] }, 1));
}

#[test]
fn the_broker_is_known_by_its_introduction_and_by_nothing_else() {
    let mut octets = b"\x01\0\0\0\0\0\x41\0\x0A\0\x0A\0\x09".to_vec();
    octets.extend(b"\0\0\0\x2B\x07productS\0\0\0\x08RabbitMQ\x0Ccapabilities");
    octets.extend(b"F\0\0\0\x04\x01at\x01\0\0\0\x05PLAIN\0\0\0\x05en_US\xCE");
    let expected = serde_json::json!({"product": "RabbitMQ", "capabilities": {"a": true}});
    assert_eq!(overheard::introduction(&octets), Some(expected));
    assert!((0..13 + 4 + 43).all(|cut| overheard::introduction(&octets[..cut]).is_none()));
    octets[8] = 20;
    assert_eq!(overheard::introduction(&octets), None, "another method");
}
