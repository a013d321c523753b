//! Guards RULES.md: every rule of every example can be read, and is followed by traffic that it is for.

use std::time::Duration;

use smpp_transport::pdu::{
    Body, CommandStatus, DataCoding, Destination, Destinations, EsmClass, Npi, Pdu, ShortMessage, Sm, SubmitMulti,
    TlvTag, Ton,
};
use smpp_transport::session::BindKind;
use smsc_sim::rules::parse;

use crate::world::{Esme, Smsc, bind, policy, request, seconds, sm, sm_to, wait};

/// The examples under the heading.
fn examples() -> Vec<String> {
    let page = include_str!("../../RULES.md");
    let section = page.split("\n## Rules\n").nth(1).expect("the heading");
    let section = section.split("\n## ").next().unwrap_or_default();
    section.split("```yaml\n").skip(1).filter_map(|rest| Some(rest.split_once("```")?.0.to_owned())).collect()
}

fn text(octets: &[u8]) -> ShortMessage {
    ShortMessage::new(octets.to_vec()).unwrap()
}

/// Messages of which each rule of the page is for one.
fn messages() -> Vec<Pdu> {
    let header = EsmClass(0x40);
    let mut sms = vec![
        sm_to("9127", 0),
        Sm { data_coding: DataCoding(0x11), ..sm(0) },
        Sm { source_addr: "27821".parse().unwrap(), esm_class: header, short_message: text(b"\x02\x70\x00x"), ..sm(0) },
        Sm { short_message: text(&[b'x'; 161]), ..sm(0) },
        Sm { source_addr_ton: Ton(5), ..sm(1) },
        Sm { short_message: text(b"POISON"), ..sm(0) },
    ];
    let to = ["27820006660", "11", "12", "13", "14", "19", "4001", "4001", "4001", "4001", "4001", "4001", "4001"];
    sms.extend(to.map(|to| sm_to(to, 0)));
    let mut pdus: Vec<Pdu> =
        sms.into_iter().map(|sm| Pdu::new(CommandStatus::ESME_ROK, 0, Body::SubmitSm(sm))).collect();
    let part = Sm { esm_class: header, short_message: text(b"\x05\x00\x03\x01\x03\x02Invoice"), ..sm(0) };
    let mut part = Pdu::new(CommandStatus::ESME_ROK, 0, Body::SubmitSm(part));
    part.tlvs.push(TlvTag::USER_MESSAGE_REFERENCE, &[0, 7]);
    pdus.push(part);
    let to = |address: &str| Destination::Address { ton: Ton(1), npi: Npi(1), address: address.parse().unwrap() };
    pdus.push(Pdu::new(
        CommandStatus::ESME_ROK,
        0,
        Body::SubmitMulti(SubmitMulti {
            source_addr: "1001".parse().unwrap(),
            dest_address: Destinations::new(vec![to("2701"), to("2702")]).unwrap(),
            short_message: text(b"Hello all"),
            ..SubmitMulti::default()
        }),
    ));
    pdus
}

/// Twelve connections, of which most are bound; each sends one message, and the last of them all.
async fn round(smsc: &Smsc, messages: &[Pdu], pause: Duration) {
    let mut esmes: Vec<Esme> = Vec::new();
    for place in 0..12 {
        let mut esme = smsc.open();
        esme.send_if_served(request(BindKind::Transceiver, bind())).await;
        if let Some(message) = messages.get(place) {
            esme.send_if_served(message.body.clone()).await;
        }
        esmes.push(esme);
        wait(pause).await;
    }
    if pause > Duration::from_millis(100) {
        esmes.clear();
        wait(seconds(1)).await;
    }
    for message in messages {
        let mut esme = smsc.open();
        esme.send_if_served(request(BindKind::Transceiver, bind())).await;
        // Messages of no interest are the first of the session, and too many at once for their destination.
        for _ in 0..3 {
            esme.send_if_served(Body::SubmitSm(sm_to("27820009999", 0))).await;
        }
        let octets = Pdu { sequence: 9, ..message.clone() }.to_octets();
        esme.write_if_served(&octets).await;
        wait(pause).await;
        // Where sessions are few there is room for the next.
        esme.vanish().await;
    }
    wait(seconds(1_200)).await;
    drop(esmes);
}

#[tokio::test(start_paused = true)]
async fn every_rule_of_every_example_is_followed() {
    let examples = examples();
    assert!(examples.len() >= 8, "{}", examples.len());
    for yaml in examples {
        let rules = parse(&yaml).unwrap_or_else(|words| panic!("{words}\n{yaml}"));
        let smsc = Smsc::start(|config| {
            config.rules = rules;
            config.policy = policy("{ enroute: 10s }");
            config.session.inactivity_timeout = None;
        });
        // In turn above every rate, and below.
        for number in 0..12 {
            round(&smsc, &messages(), Duration::from_millis(if number % 2 == 0 { 10 } else { 600 })).await;
        }
        for rule in smsc.control().rules() {
            assert!(rule.matched > 0, "not followed: {:?}\n{yaml}", rule.rule);
        }
    }
}
