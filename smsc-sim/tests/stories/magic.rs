//! Guards that each magic number does what it is said to do, on the wire: every row of the set is walked, and what an ESME
//! reads is held against the table below. A row that is not in the table fails.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::BytesMut;
use smpp_transport::pdu::{
    Body, CommandStatus, Empty, FRAME_OCTETS_MAX, Leniency, MessageId, Pdu, ShortMessage, next_frame,
};
use smsc_sim::Filter;
use smsc_sim::rules::RuleSet;
use tokio::time::Instant;

use crate::world::{Esme, Smsc, sm_to, submit, words};

/// By their last digits, what comes back for a message that asks for every receipt, and when, in seconds; after one second
/// an enquire_link asks whether the session is alive. `#` is the number of the message, `?` that of the enquire_link.
const READ: &str = include_str!("magic.txt");

/// What is read until nothing comes for longer than any row takes.
async fn read(esme: &mut Esme, number: u32, start: Instant) -> Vec<String> {
    let (mut input, mut read, mut probe) = (BytesMut::new(), Vec::new(), 0);
    loop {
        let patience =
            if probe == 0 { Duration::from_secs(1).saturating_sub(start.elapsed()) } else { Duration::from_secs(100) };
        let octets = match esme.some_octets(patience).await {
            None if probe == 0 => {
                probe = esme.send_if_served(Body::EnquireLink(Empty {})).await;
                continue;
            }
            None if input.is_empty() => return read,
            None => {
                read.push(format!("{} octets", input.len()));
                return read;
            }
            Some(octets) => octets,
        };
        let at = format!("{:.1}", start.elapsed().as_secs_f64() - 0.049);
        let at = if at == "-0.0" { "0.0" } else { &at };
        if octets.is_empty() {
            read.push(format!("{at} end"));
            return read;
        }
        input.extend_from_slice(&octets);
        loop {
            match next_frame(&mut input, FRAME_OCTETS_MAX) {
                Ok(None) => break,
                Ok(Some(frame)) => match Pdu::decode(&frame, Leniency::STRICT) {
                    Ok(pdu) => {
                        let which = match pdu.sequence {
                            0 => "0",
                            sequence if sequence == number => "#",
                            sequence if sequence == probe => "?",
                            _ => "other",
                        };
                        read.push(format!("{at} {}", in_short(&pdu, which)));
                        if matches!(pdu.body, Body::DeliverSm(_) | Body::DataSm(_)) {
                            esme.answer_if_served(&pdu).await;
                        }
                    }
                    Err(error) => read.push(format!("{at} unreadable: {error}")),
                },
                Err(error) => {
                    read.push(format!("{at} no frame: {error}"));
                    return read;
                }
            }
        }
    }
}

fn in_short(pdu: &Pdu, which: &str) -> String {
    let status = if pdu.status == CommandStatus::ESME_ROK { String::new() } else { format!(" {}", pdu.status) };
    let tlvs = if pdu.tlvs.is_empty() { String::new() } else { format!(" +{}", pdu.tlvs.iter().count()) };
    match &pdu.body {
        Body::SubmitSmResp(None) => format!("submit_sm_resp {which}{status} bare"),
        Body::SubmitSmResp(Some(MessageId { message_id })) => {
            format!("submit_sm_resp {which}{status} {}", message_id.text())
        }
        Body::DeliverSm(sm) if sm.data_coding.0 == 8 => {
            format!("deliver_sm in UCS-2, {} octets{tlvs}", sm.short_message.as_bytes().len())
        }
        Body::DeliverSm(sm) if sm.esm_class.has_udh() => {
            format!("deliver_sm udh {:02x?}", &sm.short_message.as_bytes()[..6])
        }
        Body::DeliverSm(sm) => format!("deliver_sm {:#04x} {}{tlvs}", sm.esm_class.0, receipt_in_short(&words(sm))),
        Body::DataSm(data) => format!("data_sm {:#04x}{tlvs}", data.esm_class.0),
        other => format!("{} {which}{status}", other.command_id()),
    }
}

/// Of a receipt the id, the last date and the state; all of anything else.
fn receipt_in_short(text: &str) -> String {
    let of = |key: &str| text.split(key).nth(1)?.split(' ').next();
    match (of("id:"), of("done date:"), of("stat:")) {
        (Some(id), Some(date), Some(stat)) => format!("{id} {date} {stat}"),
        _ => format!("{text:?}"),
    }
}

/// The rows of the set, by the digits that they are asked for with.
fn rows() -> Vec<(String, String)> {
    let rules = RuleSet::named("magic-numbers").unwrap().rules();
    rules
        .into_iter()
        .map(|rule| {
            let to = rule.when.to.expect("every row has a number").to_string();
            (to.strip_suffix('$').expect("at the end").to_owned(), rule.name)
        })
        .collect()
}

fn smsc() -> Smsc {
    Smsc::start(|config| config.rules = RuleSet::named("magic-numbers").unwrap().rules())
}

#[tokio::test(start_paused = true)]
async fn each_row_of_the_set_does_on_the_wire_what_it_says() {
    let mut wanted: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut last = "";
    for line in READ.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        match line.strip_prefix("  ") {
            Some(line) => wanted.get_mut(last).expect("a number stands above").push(line),
            None => {
                last = &line[..5];
                wanted.insert(last, Vec::new());
            }
        }
    }
    let mut seen = String::new();
    for (digits, name) in rows().into_iter().filter(|(digits, _)| digits.starts_with("666")) {
        let smsc = smsc();
        let mut esme = smsc.transceiver().await;
        // In both systems the ids of the first nine are the same.
        for _ in 0..9 {
            esme.submit_to("2701", 0).await;
        }
        let start = Instant::now();
        let sm = smpp_transport::pdu::Sm {
            short_message: ShortMessage::new("").unwrap(),
            ..sm_to(&format!("2782{digits}"), 0x11)
        };
        let number = esme.send(Body::SubmitSm(sm)).await;
        let read = read(&mut esme, number, start).await;
        if wanted.remove(digits.as_str()).is_none_or(|wanted| wanted != read) {
            seen += &format!("{digits} {name}\n");
            read.iter().for_each(|line| seen += &format!("  {line}\n"));
        }
    }
    assert!(seen.is_empty(), "these are not as the table says:\n{seen}");
    assert!(wanted.is_empty(), "no such rows: {wanted:?}");
}

#[tokio::test(start_paused = true)]
async fn each_status_is_given_by_its_number_and_the_message_is_not_taken() {
    let smsc = smsc();
    let mut esme = smsc.transceiver().await;
    let mut count = 0;
    for (digits, name) in rows() {
        let Some(status) = digits.strip_prefix("667") else { continue };
        let status = CommandStatus(status.parse().unwrap());
        assert_eq!(name, format!("refused with {status}"));
        assert_eq!(esme.ask(Body::SubmitSm(sm_to(&digits, 1))).await.status, status);
        count += 1;
    }
    assert!(count > 40, "{count}");
    assert!(esme.hears_nothing_for(Duration::from_secs(60)).await);
    assert_eq!(smsc.control().stats().messages_total, 0);
}

#[tokio::test(start_paused = true)]
async fn rows_that_count_or_draw_do_so() {
    let smsc = smsc();
    let mut esme = smsc.transceiver().await;
    for (digits, status) in [("66680", CommandStatus::ESME_RTHROTTLED), ("66681", CommandStatus::ESME_RMSGQFUL)] {
        for place in 1..=6 {
            let wanted = if place % 2 == 0 { status } else { CommandStatus::ESME_ROK };
            assert_eq!(esme.ask(Body::SubmitSm(sm_to(digits, 0))).await.status, wanted, "{digits} {place}");
        }
    }
    for _ in 0..100 {
        esme.submit_to("66682", 0).await;
    }
    let undelivered = Filter { state: Some("UNDELIVERABLE".parse().unwrap()), ..Filter::default() };
    assert!((30..70).contains(&smsc.control().messages(&undelivered).len()));
    let start = Instant::now();
    let mut times = Vec::new();
    for _ in 0..20 {
        let before = start.elapsed();
        esme.submit_to("66683", 0).await;
        times.push((start.elapsed() - before).as_millis());
    }
    assert!(
        times.iter().all(|time| (1..=2_002).contains(time)) && times.iter().max() > times.iter().min(),
        "{times:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_row_lets_three_answers_pass() {
    let smsc = smsc();
    let mut esme = smsc.transceiver().await;
    let late = esme.send(Body::SubmitSm(sm_to("66614", 0))).await;
    let mut numbers = Vec::new();
    for _ in 0..4 {
        esme.send(submit(0)).await;
    }
    for _ in 0..5 {
        numbers.push(esme.must_hear().await.sequence - late);
    }
    assert_eq!(numbers, [1, 2, 3, 0, 4]);
}

#[tokio::test(start_paused = true)]
async fn a_row_sends_the_receipt_to_another_session() {
    let smsc = smsc();
    let mut other = smsc.transceiver().await;
    let mut esme = smsc.transceiver().await;
    let id = esme.submit_to("66628", 1).await;
    assert_eq!(other.receipt_id().await, id);
    assert!(esme.hears_nothing_for(Duration::from_secs(60)).await);
}
