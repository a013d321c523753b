//! Responses that cannot be read: the status counts, and nothing is sent again for their sake.

use std::time::Duration;

use smpp_transport::pdu::Leniency;

use crate::smsc::{Reply, World};

const OK: u32 = 0;
const SUBMIT_FAILED: u32 = 0x45;

/// Bodies of submit_sm_resp that one or the other way of reading refuses.
fn bodies() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("65 octets without NUL", vec![b'x'; 65]),
        ("66 octets without NUL", vec![b'x'; 66]),
        ("300 octets without NUL", vec![b'x'; 300]),
        ("65 octets and NUL", [&[b'x'; 65][..], b"\0"].concat()),
        ("64 octets without NUL", vec![b'x'; 64]),
        ("id without NUL", b"abc".to_vec()),
        ("one octet", b"a".to_vec()),
        ("id and a stray octet", b"abc\0\0".to_vec()),
        ("id and two stray octets", b"abc\0\0\0".to_vec()),
        ("id and three stray octets", b"abc\0\0\0\0".to_vec()),
        ("id and a TLV longer than the PDU", b"abc\0\x00\x1d\x00\xffxx".to_vec()),
        ("id and a TLV without a value", b"abc\0\x00\x1d\x00\x01".to_vec()),
        ("id, a good TLV and a cut one", b"abc\0\x00\x1d\x00\x01x\x00\x1d\x00\x09x".to_vec()),
        ("no body", Vec::new()),
        ("a lone NUL", b"\0".to_vec()),
    ]
}

#[tokio::test(start_paused = true)]
async fn a_response_with_status_0_is_an_acceptance_whatever_follows_the_header() {
    let mut tried = 0;
    for leniency in [Leniency::TOLERANT, Leniency::STRICT] {
        for (name, body) in bodies() {
            let world = World::new(
                &["1"],
                |setup| setup.client.driver.leniency = leniency,
                move |_| Reply::Raw(OK, body.clone()),
            );
            world.pass(Duration::from_secs(1_300)).await;
            assert_eq!(world.tries("1"), 1, "{name}, {leniency:?}");
            assert_eq!(world.outcomes().into_values().collect::<Vec<_>>(), ["ack"], "{name}, {leniency:?}");
            assert_eq!(world.sessions(), 1, "{name}, {leniency:?}");
            tried += 1;
        }
    }
    assert_eq!(tried, 30);
}

#[tokio::test(start_paused = true)]
async fn a_response_with_an_error_status_is_a_refusal_whatever_follows_the_header() {
    let mut tried = 0;
    for leniency in [Leniency::TOLERANT, Leniency::STRICT] {
        for (name, body) in bodies() {
            let world = World::new(
                &["1"],
                |setup| setup.client.driver.leniency = leniency,
                move |_| Reply::Raw(SUBMIT_FAILED, body.clone()),
            );
            world.pass(Duration::from_secs(1_300)).await;
            assert_eq!(world.tries("1"), 1, "{name}, {leniency:?}");
            let outcomes: Vec<_> = world.outcomes().into_values().collect();
            assert_eq!(outcomes, ["submit_sm or submit_multi failed"], "{name}, {leniency:?}");
            tried += 1;
        }
    }
    assert_eq!(tried, 30);
}

#[tokio::test(start_paused = true)]
async fn no_response_at_all_is_a_handful_of_tries_and_a_nack() {
    let world = World::new(&["1"], |_| {}, |_| Reply::Never);
    world.pass(Duration::from_secs(1_200)).await;
    assert_eq!(world.tries("1"), 5);
    assert_eq!(world.outcomes()["1"], "outcome unknown after 5 tries: no response in time");
    let at: Vec<_> = world.came().iter().map(|came| came.at.as_secs()).collect();
    assert_eq!(at, [0, 61, 123, 187, 255], "60 s for the response, and then 1, 2, 4 and 8 s");
}
