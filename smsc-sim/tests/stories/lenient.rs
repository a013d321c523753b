//! Guards what a lenient simulator reads and a strict one refuses, how long passwords may be, and that what cannot be read is
//! said of a delivery.

use smpp_transport::pdu::{Body, COctets, CommandStatus, MessageId, Pdu, ShortMessage, Sm};
use smpp_transport::session::BindKind;
use smsc_sim::{Account, Config, Control, DeliveryState, Strictness};

use crate::world::{Smsc, bind, bind_as, config, request, seconds, sm, submit, wait};

/// The PDU with octets put in or changed; command_length is made right.
fn spoilt(body: Body, spoil: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut octets = Pdu::new(CommandStatus::ESME_ROK, 7, body).to_octets().to_vec();
    spoil(&mut octets);
    let length = u32::try_from(octets.len()).unwrap();
    octets[..4].copy_from_slice(&length.to_be_bytes());
    octets
}

fn lengthened(octets: &mut Vec<u8>, field: &[u8], more: &[u8]) {
    let at = octets.windows(field.len()).position(|window| window == field).expect("the field is there") + field.len();
    octets.splice(at..at, more.iter().copied());
}

/// Submits that are wrong in ways that real clients are, and the status that a strict simulator has for each.
fn wrong_submits() -> Vec<(&'static str, Vec<u8>, CommandStatus)> {
    let long = Sm { short_message: ShortMessage::new(vec![b'x'; 254]).unwrap(), ..sm(0) };
    let tail = |count: usize| spoilt(submit(0), |octets| octets.extend(vec![0; count]));
    let service = Sm { service_type: "CMT".parse().unwrap(), ..sm(0) };
    vec![
        ("a stray octet", tail(1), CommandStatus::ESME_RINVOPTPARSTREAM),
        ("two stray octets", tail(2), CommandStatus::ESME_RINVOPTPARSTREAM),
        ("three stray octets", tail(3), CommandStatus::ESME_RINVOPTPARSTREAM),
        (
            "sm_length 255",
            spoilt(Body::SubmitSm(long), |octets| {
                let at = octets.iter().rposition(|octet| *octet == 254).unwrap();
                octets[at] = 255;
                octets.push(b'x');
            }),
            CommandStatus::ESME_RINVMSGLEN,
        ),
        (
            "a source of 22 characters",
            spoilt(submit(0), |octets| lengthened(octets, b"1001", b"123456789012345678")),
            CommandStatus::ESME_RINVSRCADR,
        ),
        (
            "a destination of 22 characters",
            spoilt(submit(0), |octets| lengthened(octets, b"27820001001", b"12345678901")),
            CommandStatus::ESME_RINVDSTADR,
        ),
        (
            "a service_type of 8 characters",
            spoilt(Body::SubmitSm(service), |octets| lengthened(octets, b"CMT", b"12345")),
            CommandStatus::ESME_RINVSERTYP,
        ),
    ]
}

#[tokio::test(start_paused = true)]
async fn a_lenient_simulator_reads_what_a_strict_one_refuses() {
    for (what, octets, status) in wrong_submits() {
        let strict = Smsc::start(|_| {});
        let mut esme = strict.transceiver().await;
        esme.write(&octets).await;
        assert_eq!(esme.must_hear().await.status, status, "{what}");
        let lenient = Smsc::start(|config| config.strictness = Strictness::Lenient);
        let mut esme = lenient.transceiver().await;
        esme.write(&octets).await;
        assert_eq!(esme.must_hear().await.status, CommandStatus::ESME_ROK, "{what}");
        assert!(esme.is_served().await, "{what}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_bind_with_a_stray_octet_is_a_bind_for_a_lenient_simulator() {
    for kind in [BindKind::Transmitter, BindKind::Receiver, BindKind::Transceiver] {
        for (strictness, is_bound) in [(Strictness::Strict, false), (Strictness::Lenient, true)] {
            let smsc = Smsc::start(|config| config.strictness = strictness);
            let mut esme = smsc.open();
            esme.write(&spoilt(request(kind, bind()), |octets| octets.push(0))).await;
            assert_eq!(esme.must_hear().await.status == CommandStatus::ESME_ROK, is_bound, "{kind:?} {strictness:?}");
        }
    }
}

fn with_accounts(change: impl FnOnce(&mut Config)) -> Result<Control, String> {
    struct Never;
    impl smpp_transport::env::WallClock for Never {
        fn unix(&self) -> std::time::Duration {
            seconds(1)
        }
    }
    let mut config = config();
    change(&mut config);
    Control::new(config, std::sync::Arc::new(Never))
}

#[tokio::test(start_paused = true)]
async fn passwords_may_be_as_long_as_the_limit_says() {
    let account = || vec![Account::new("one", "passwordlong")];
    let refused = with_accounts(|config| config.accounts = account()).expect_err("12 characters");
    let words = "accounts[0]: password of \"one\": 12 characters: at most 8 are allowed (limits.password_max)";
    assert_eq!(refused, words);
    for (strictness, max) in [(Strictness::Strict, 12), (Strictness::Strict, 64), (Strictness::Lenient, 8)] {
        let smsc = Smsc::start(|config| {
            (config.accounts, config.strictness, config.limits.password_max) = (account(), strictness, max);
        });
        let with = |password: &[u8]| {
            let mut octets = spoilt(request(BindKind::Transceiver, bind_as("one", "password")), |octets| {
                lengthened(octets, b"password", &password[8..]);
            });
            octets[15] = 1;
            octets
        };
        for (password, status) in [
            (b"passwordlong".as_slice(), CommandStatus::ESME_ROK),
            (b"password", CommandStatus::ESME_RINVPASWD),
            (b"passwordlonger", CommandStatus::ESME_RINVPASWD),
        ] {
            let mut esme = smsc.open();
            esme.write(&with(password)).await;
            assert_eq!(esme.must_hear().await.status, status, "{strictness:?} {max}");
            if status == CommandStatus::ESME_ROK && strictness == Strictness::Strict {
                for (what, octets, status) in wrong_submits() {
                    esme.write(&octets).await;
                    assert_eq!(esme.must_hear().await.status, status, "other fields are as before: {what}");
                }
            }
        }
    }
    for max in [0, 65] {
        let error = with_accounts(|config| config.limits.password_max = max).expect_err("out of range");
        assert_eq!(error, format!("limits.password_max is {max}: 1 to 64 is allowed"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_delivery_says_that_its_response_cannot_be_read() {
    let smsc = Smsc::start(|config| config.retry.delay = "5s".parse().unwrap());
    let mut esme = smsc.transceiver().await;
    let number = smsc.deliver("{ from: 27820001, to: 1001, text: hi }")[0];
    let offered = esme.must_hear().await;
    let resp = Body::DeliverSmResp(Some(MessageId { message_id: COctets::default() }));
    let mut octets = spoilt(resp, |octets| octets.push(0));
    octets[12..16].copy_from_slice(&offered.sequence.to_be_bytes());
    esme.write(&octets).await;
    wait(seconds(1)).await;
    let told = smsc.control().delivery(number).expect("it is known");
    assert_eq!(told.state, DeliveryState::Accepted, "its status is read");
    assert!(told.error.is_some_and(|error| error.contains("deliver_sm_resp")));
}
