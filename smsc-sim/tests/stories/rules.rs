//! Guards rules that see more than one request: sessions, destinations, the clock, and messages that repeat what was said.

use std::time::Duration;

use smpp_transport::pdu::{
    Body, CommandId, CommandStatus, Destination, Destinations, Empty, Npi, Sm, SubmitMulti, TlvTag, Ton,
};
use smpp_transport::session::BindKind;
use smsc_sim::rules::parse;
use smsc_sim::{Account, Filter};
use tokio::time::Instant;

use crate::world::{Esme, Smsc, bind, bind_as, request, seconds, sm, sm_to, submit, wait};

async fn status(esme: &mut Esme, sm: Sm) -> CommandStatus {
    esme.ask(Body::SubmitSm(sm)).await.status
}

#[tokio::test(start_paused = true)]
async fn it_hangs_up_at_every_submit_that_matches_on_any_session_and_at_no_other() {
    let smsc =
        Smsc::with_rules("[{ when: { to: ^2782000666 }, then: { status: RSYSERR, before: [disconnect: close] } }]");
    for kind in [BindKind::Transceiver, BindKind::Transmitter, BindKind::Transceiver] {
        let mut esme = smsc.bound(kind).await;
        assert_eq!(status(&mut esme, sm(0)).await, CommandStatus::ESME_ROK);
        esme.send(Body::SubmitSm(sm_to("27820006661", 0))).await;
        assert!(esme.next().await.is_none(), "no answer, and the end");
    }
    let kept = smsc.control().messages(&Filter::default());
    assert_eq!(kept.len(), 3, "the message at which it hangs up is not accepted: {kept:?}");
}

#[tokio::test(start_paused = true)]
async fn a_destination_is_full_until_its_messages_have_ended() {
    let smsc = Smsc::start(|config| {
        let rules = "[{ when: { per: destination, above_pending: 1 }, then: { status: RMSGQFUL } }]";
        config.rules = parse(rules).unwrap();
        config.policy = crate::world::policy("{ enroute: 10s }");
    });
    let mut esme = smsc.transceiver().await;
    let (full, other) = ("27820000001", "27820000002");
    for (to, wanted) in [
        (full, CommandStatus::ESME_ROK),
        (full, CommandStatus::ESME_ROK),
        (full, CommandStatus::ESME_RMSGQFUL),
        (other, CommandStatus::ESME_ROK),
        (full, CommandStatus::ESME_RMSGQFUL),
    ] {
        assert_eq!(status(&mut esme, sm_to(to, 0)).await, wanted, "{to}");
    }
    wait(seconds(11)).await;
    assert_eq!(status(&mut esme, sm_to(full, 0)).await, CommandStatus::ESME_ROK, "drained");
}

#[tokio::test(start_paused = true)]
async fn binds_above_a_rate_have_a_status_of_their_own() {
    let smsc = Smsc::with_rules("[{ when: { operation: bind, above_rate: 1 }, then: { status: 0x410 } }]");
    let mut statuses = Vec::new();
    for _ in 0..3 {
        statuses.push(smsc.open().ask(request(BindKind::Transceiver, bind())).await.status.0);
    }
    assert_eq!(statuses, [0, 0x410, 0x410]);
    wait(seconds(1)).await;
    smsc.transceiver().await;
}

#[tokio::test(start_paused = true)]
async fn so_many_sessions_of_an_account_and_of_all_are_allowed() {
    let smsc = Smsc::start(|config| {
        let rules = "[{ when: { operation: bind, account: one, sessions: 1.. }, then: { status: RALYBND } },
                      { when: { operation: bind, sessions_total: 2.. }, then: { status: RBINDFAIL } }]";
        config.rules = parse(rules).unwrap();
        config.accounts = vec![Account::new("one", "pass"), Account::new("two", "pass")];
    });
    let ask = async |account: &str| {
        let mut esme = smsc.open();
        let status = esme.ask(request(BindKind::Transceiver, bind_as(account, "pass"))).await.status;
        (esme, status)
    };
    let (first, status) = ask("one").await;
    assert_eq!(status, CommandStatus::ESME_ROK);
    assert_eq!(ask("one").await.1, CommandStatus::ESME_RALYBND);
    let (_second, status) = ask("two").await;
    assert_eq!(status, CommandStatus::ESME_ROK);
    assert_eq!(ask("two").await.1, CommandStatus::ESME_RBINDFAIL);
    first.leave().await;
    assert_eq!(ask("one").await.1, CommandStatus::ESME_ROK, "there is room again");
}

#[tokio::test(start_paused = true)]
async fn rules_see_parameters_codings_numbering_and_length() {
    let smsc = Smsc::with_rules(
        "[{ when: { tlv: { 0x1401: PL7 } }, then: { status: 0x401 } }, { when: { data_coding: 8 }, then: { status: 0x402 } },
          { when: { esm_class: 0x40/0x40 }, then: { status: 0x403 } }, { when: { to_ton: 5 }, then: { status: 0x404 } },
          { when: { from_npi: 8 }, then: { status: 0x405 } }, { when: { length: 100.. }, then: { status: 0x406 } },
          { when: { registered_delivery: 1/3 }, then: { status: 0x407 } }, { when: { session_age: 1h.. }, then: { status: 0x408 } }]",
    );
    let mut esme = smsc.transceiver().await;
    assert_eq!(status(&mut esme, sm(0)).await, CommandStatus::ESME_ROK);
    let text = |text: &str| smpp_transport::pdu::ShortMessage::new(text.as_bytes().to_vec()).unwrap();
    for (wanted, sm) in [
        (0x402, Sm { data_coding: smpp_transport::pdu::DataCoding(8), ..sm(0) }),
        (
            0x403,
            Sm {
                esm_class: smpp_transport::pdu::EsmClass(0x40),
                short_message: text("\u{5}\u{0}\u{3}\u{1}\u{2}\u{1}x"),
                ..sm(0)
            },
        ),
        (0x404, Sm { dest_addr_ton: Ton(5), ..sm(0) }),
        (0x405, Sm { source_addr_npi: Npi(8), ..sm(0) }),
        (0x406, Sm { short_message: text(&"x".repeat(100)), ..sm(0) }),
        (0x407, sm(1)),
    ] {
        assert_eq!(status(&mut esme, sm).await.0, wanted);
    }
    let mut pdu = smpp_transport::pdu::Pdu::new(CommandStatus::ESME_ROK, 99, submit(0));
    pdu.tlvs.push(TlvTag(0x1401), b"PL7\0");
    esme.write(&pdu.to_octets()).await;
    assert_eq!(esme.must_hear().await.status.0, 0x401);
    wait(seconds(3600)).await;
    assert_eq!(status(&mut esme, sm(0)).await.0, 0x408);
}

fn to(address: &str) -> Destination {
    Destination::Address { ton: Ton(1), npi: Npi(1), address: address.parse().unwrap() }
}

fn multi(to: Vec<Destination>) -> Body {
    Body::SubmitMulti(SubmitMulti {
        source_addr: "1001".parse().unwrap(),
        dest_address: Destinations::new(to).unwrap(),
        short_message: smpp_transport::pdu::ShortMessage::new("Hello all").unwrap(),
        ..SubmitMulti::default()
    })
}

/// Status of the answer, and the destinations that it lists with why.
async fn refused(esme: &mut Esme, to: Vec<Destination>) -> (CommandStatus, Vec<(String, CommandStatus)>) {
    let answer = esme.ask(multi(to)).await;
    let listed = match &answer.body {
        Body::SubmitMultiResp(Some(body)) => {
            body.unsuccess_sme.iter().map(|sme| (sme.destination_addr.text(), sme.error_status_code)).collect()
        }
        _ => Vec::new(),
    };
    (answer.status, listed)
}

#[tokio::test(start_paused = true)]
async fn a_rule_for_one_destination_of_a_submit_multi_refuses_that_one_alone() {
    let smsc = Smsc::with_rules(
        "[{ when: { to: 1$ }, then: { status: RMSGQFUL } }, { when: { to: 2$ }, then: { status: RINVDSTADR } },
          { when: { to: 3$ }, then: { policy: { outcome: UNDELIVERABLE } } }]",
    );
    let mut esme = smsc.transceiver().await;
    let (status, listed) = refused(&mut esme, vec![to("2701"), to("2702"), to("2703"), to("2704"), to("no")]).await;
    assert_eq!(status, CommandStatus::ESME_ROK);
    let wanted = [
        ("2701".to_owned(), CommandStatus::ESME_RMSGQFUL),
        ("2702".to_owned(), CommandStatus::ESME_RINVDSTADR),
        ("no".to_owned(), CommandStatus::ESME_RINVDSTADR),
    ];
    assert_eq!(listed, wanted);
    wait(seconds(1)).await;
    let kept = smsc.control().messages(&Filter::default());
    let states: Vec<_> = kept.iter().map(|it| (it.to.address.as_str(), it.state.to_string())).collect();
    assert_eq!(states, [("2703", "UNDELIVERABLE".to_owned()), ("2704", "DELIVERED".to_owned())]);
    let (status, _) = refused(&mut esme, vec![to("2701"), to("2702")]).await;
    assert_eq!(status, CommandStatus::ESME_RMSGQFUL, "with nobody to go to it is refused");
    let (status, _) = refused(&mut esme, vec![to("2711"), to("2721")]).await;
    assert_eq!(status, CommandStatus::ESME_RMSGQFUL, "one rule for all");
    let (status, _) = refused(&mut esme, vec![to("2704"), Destination::List("staff1".parse().unwrap())]).await;
    assert_eq!(status, CommandStatus::ESME_RMSGQFUL, "a list that is refused cannot be listed");
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_several_rules_have_a_say_in_takes_the_steps_of_each() {
    let smsc = Smsc::with_rules(
        "[{ when: { to: 1$ }, then: { status: RMSGQFUL, after: [generic_nack: 0x421] } },
          { when: { to: 2$ }, then: { delay: 5s, after: [generic_nack: 0x422] } }]",
    );
    let mut esme = smsc.transceiver().await;
    let start = Instant::now();
    let (_, listed) = refused(&mut esme, vec![to("2702"), to("2701"), to("2711")]).await;
    assert_eq!(start.elapsed(), seconds(5));
    assert_eq!(listed.len(), 2);
    for wanted in [0x421, 0x422] {
        assert_eq!(esme.must_hear().await.status.0, wanted);
    }
    assert!(esme.hears_nothing_for(seconds(10)).await);
}

#[tokio::test(start_paused = true)]
async fn a_message_may_repeat_what_the_request_said() {
    let smsc = Smsc::with_rules(
        "[{ when: { to: ^40 }, then: { after: [deliver: { from: '{to}', to: '{from}', text: 'Re: {text} ({message_id})' }] } }]",
    );
    let mut esme = smsc.transceiver().await;
    let sm = Sm { source_addr_ton: Ton(3), source_addr_npi: Npi(8), dest_addr_ton: Ton(6), ..sm_to("4001", 0) };
    let id = esme.submit(sm).await;
    let Body::DeliverSm(echo) = esme.take().await.body else { panic!("a message") };
    assert_eq!((echo.source_addr.text(), echo.destination_addr.text()), ("4001".to_owned(), "1001".to_owned()));
    assert_eq!((echo.source_addr_ton, echo.dest_addr_ton, echo.dest_addr_npi), (Ton(6), Ton(3), Npi(8)));
    assert_eq!(crate::world::words(&echo), format!("Re: Hello ({id})"));
    esme.submit(sm_to("4101", 0)).await;
    assert!(esme.hears_nothing_for(seconds(10)).await);
}

#[tokio::test(start_paused = true)]
async fn sessions_end_after_a_time_of_their_own() {
    let smsc = Smsc::with_rules(
        "[{ when: { clock: { at: 10s, since: bind }, bind: transceiver }, then: { after: [unbind] } }]",
    );
    let start = Instant::now();
    let mut early = smsc.transceiver().await;
    let mut other = smsc.bound(BindKind::Transmitter).await;
    wait(seconds(3)).await;
    let mut late = smsc.transceiver().await;
    for (esme, at) in [(&mut early, 10), (&mut late, 13)] {
        let pdu = esme.must_hear().await;
        assert_eq!(pdu.command_id(), CommandId::UNBIND);
        assert_eq!(start.elapsed(), seconds(at));
        esme.write(
            &smpp_transport::pdu::Pdu::new(CommandStatus::ESME_ROK, pdu.sequence, Body::UnbindResp(Empty {}))
                .to_octets(),
        )
        .await;
        assert!(esme.next().await.is_none());
    }
    assert!(other.hears_nothing_for(seconds(60)).await);
}

#[tokio::test(start_paused = true)]
async fn events_by_the_clock_come_to_every_session_at_once_and_again() {
    let smsc = Smsc::with_rules(
        "[{ when: { clock: { at: 5s, every: 30s }, first: 4 }, then: { before: [enquire_link], after: [deliver: { from: 27820001, to: 1, text: tick }] } }]",
    );
    let start = Instant::now();
    let mut one = smsc.transceiver().await;
    let mut two = smsc.transceiver().await;
    for at in [5, 35] {
        for esme in [&mut one, &mut two] {
            let asked = esme.must_hear().await;
            assert_eq!((asked.command_id(), start.elapsed()), (CommandId::ENQUIRE_LINK, seconds(at)));
            esme.write(
                &smpp_transport::pdu::Pdu::new(
                    CommandStatus::ESME_ROK,
                    asked.sequence,
                    Body::EnquireLinkResp(Empty {}),
                )
                .to_octets(),
            )
            .await;
            let Body::DeliverSm(sm) = esme.take().await.body else { panic!("a message") };
            assert_eq!((crate::world::words(&sm), start.elapsed()), ("tick".to_owned(), seconds(at)));
        }
    }
    assert!(one.hears_nothing_for(seconds(60)).await, "four events: two of two sessions");
    assert_eq!(smsc.control().rules()[0].matched, 4);
}

#[tokio::test(start_paused = true)]
async fn the_clock_begins_with_the_rules() {
    let smsc = Smsc::start(|_| {});
    let mut esme = smsc.transceiver().await;
    wait(seconds(100)).await;
    let rules = parse("[{ when: { clock: { at: 2s } }, then: { after: [disconnect: close] } }]").unwrap();
    smsc.control().set_rules(rules).unwrap();
    let start = Instant::now();
    assert!(esme.next().await.is_none());
    assert_eq!(start.elapsed(), seconds(2));
    let mut next = smsc.transceiver().await;
    assert!(next.hears_nothing_for(seconds(60)).await, "once");
    smsc.control().reset(smsc_sim::Reset { keep_rules: true, ..Default::default() });
    let start = Instant::now();
    assert!(next.next().await.is_none());
    assert_eq!(start.elapsed(), seconds(2), "a reset begins anew");
}

#[tokio::test(start_paused = true)]
async fn one_direction_stalls_and_the_session_goes_on() {
    let smsc = Smsc::with_rules("[{ when: { first: 1 }, then: { after: [stall: { writes: 20s }] } }]");
    let mut esme = smsc.transceiver().await;
    esme.submit(sm(0)).await;
    let start = Instant::now();
    esme.send(submit(0)).await;
    wait(Duration::from_millis(10)).await;
    assert_eq!(smsc.control().messages(&Filter::default()).len(), 2, "it is read");
    assert!(smsc.control().sessions()[0].faulty);
    assert_eq!(esme.must_hear().await.status, CommandStatus::ESME_ROK);
    assert!((20..21).contains(&start.elapsed().as_secs()), "the answer waits");
    smsc.act("{ stall: { reads: 20s } }");
    wait(Duration::from_millis(1)).await;
    let start = Instant::now();
    esme.send(submit(0)).await;
    wait(seconds(19)).await;
    assert_eq!(smsc.control().messages(&Filter::default()).len(), 2, "it is not read");
    assert_eq!(esme.must_hear().await.status, CommandStatus::ESME_ROK);
    assert!((19..21).contains(&start.elapsed().as_secs()));
}
