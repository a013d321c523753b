//! Every field of a receipt in every form that SMSCs write it in, generated. Each neighbour is a message of its own, and its
//! receipt must be reported with the right status once, or not at all.

use std::collections::BTreeMap;
use std::time::Duration;

use smpp_transport::pdu::CommandStatus;

use super::world::{Options, TO, World, deliver_sm};

const DELIVERED: Option<&str> = Some("delivered");

/// One message, what the SMSC sends of it, and the status that must be reported.
struct Neighbour {
    name: String,
    response: String,
    bodies: Vec<Vec<u8>>,
    status: Option<&'static str>,
}

/// Plays neighbours against one service, and gives how many there were.
async fn play(neighbours: Vec<Neighbour>) -> usize {
    let mut world = World::start(Options::default());
    let total = neighbours.len();
    for (number, neighbour) in neighbours.iter().enumerate() {
        world.put(&format!("m{number}"), TO, "hi", &[neighbour.response.as_bytes()]);
    }
    while world.got.events.len() < total {
        world.pass(Duration::from_millis(10)).await;
    }
    for neighbour in &neighbours {
        for body in &neighbour.bodies {
            let status = world.deliver(body.clone()).await;
            let is_taken = status == CommandStatus::ESME_ROK.0;
            assert!(is_taken || neighbour.status.is_none(), "{}: answered with {status:#x}", neighbour.name);
        }
    }
    world.pass(Duration::from_secs(2)).await;
    let mut reports: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for event in world.got.events.iter().filter(|event| event["event_type"] == "delivery_report") {
        let (message, status) = (event["user_message_id"].as_str(), event["delivery_status"].as_str());
        reports.entry(message.unwrap()).or_default().push(status.unwrap());
    }
    let mut wrong = Vec::new();
    for (number, neighbour) in neighbours.iter().enumerate() {
        let got = reports.remove(format!("m{number}").as_str()).unwrap_or_default();
        if got != neighbour.status.into_iter().collect::<Vec<_>>() {
            wrong.push(format!("{}: {got:?}, expected {:?}", neighbour.name, neighbour.status));
        }
    }
    assert!(wrong.is_empty(), "{} of {total} are wrong:\n{}", wrong.len(), wrong[..wrong.len().min(20)].join("\n"));
    assert!(reports.is_empty(), "reports of other messages: {reports:?}");
    total
}

/// Ids that are far from each other in both bases, and have letters in one.
fn id(number: usize) -> u32 {
    let spread = u32::try_from(number).unwrap().wrapping_mul(0x9E37_79B1);
    0xA000_0000 | (spread >> 3)
}

fn usual(id: &str) -> String {
    format!(
        "id:{id} sub:001 dlvrd:001 submit date:2611221758 done date:2611221759 stat:DELIVRD err:000 text:hello there"
    )
}

#[tokio::test(start_paused = true)]
async fn fields_are_read_in_any_layout() {
    let separators = [" ", "   ", "\t", ",", ", ", ";", "; ", "|", "&", "\n", "\r\n", "\0", " / ", "/"];
    let assignments = [":", ": ", " : ", "=", " = "];
    let labels: [[&str; 7]; 5] = [
        ["id", "sub", "dlvrd", "submit date", "done date", "stat", "err"],
        ["ID", "SUB", "DLVRD", "SUBMIT DATE", "DONE DATE", "STAT", "ERR"],
        ["Id", "Sub", "Dlvrd", "Submit Date", "Done Date", "Stat", "Err"],
        ["id", "sub", "dlvrd", "submitdate", "donedate", "stat", "err"],
        ["id", "sub", "dlvrd", "submit_date", "done_date", "stat", "err"],
    ];
    let orders: [&[usize]; 5] =
        [&[0, 1, 2, 3, 4, 5, 6], &[6, 5, 4, 3, 2, 1, 0], &[5, 6, 1, 2, 3, 4, 0], &[0, 5], &[3, 4, 5, 0]];
    let mut neighbours = Vec::new();
    for (separator, assign) in separators.iter().flat_map(|each| assignments.map(|assign| (each, assign))) {
        for (labels, order) in labels.iter().flat_map(|each| orders.map(|order| (each, order))) {
            for text in ["", "text:hi", "Text:id:9 stat:REJECTD"] {
                let id = format!("{:x}", id(neighbours.len()));
                let values = [id.as_str(), "001", "001", "2611221758", "2611221759", "DELIVRD", "000"];
                let fields: Vec<_> = order.iter().map(|&at| format!("{}{assign}{}", labels[at], values[at])).collect();
                let mut words = fields.join(separator);
                if !text.is_empty() {
                    words = format!("{words}{separator}{text}");
                }
                let bodies = vec![deliver_sm(TO, 0x04, 0, words.as_bytes(), &[])];
                neighbours.push(Neighbour { name: format!("{words:?}"), response: id, bodies, status: DELIVERED });
            }
        }
    }
    assert_eq!(play(neighbours).await, 5_250);
}

fn packed(text: &str) -> Vec<u8> {
    let bits: Vec<u8> = text.bytes().flat_map(|octet| (0..7).map(move |bit| octet >> bit & 1)).collect();
    let octet = |bits: &[u8]| bits.iter().rev().fold(0, |octet, bit| octet << 1 | bit);
    bits.chunks(8).map(octet).collect()
}

fn encoded(text: &str) -> Vec<(&'static str, Vec<u8>)> {
    let units = |to: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(to).collect::<Vec<_>>();
    let (head, tail) = text.split_at(text.find("text:").unwrap() + 5);
    let cyrillic: Vec<u8> = "Привет".encode_utf16().flat_map(u16::to_be_bytes).collect();
    vec![
        ("ASCII", text.as_bytes().to_vec()),
        ("big-endian", units(u16::to_be_bytes)),
        ("little-endian", units(u16::to_le_bytes)),
        ("big-endian with a mark", [vec![0xFE, 0xFF], units(u16::to_be_bytes)].concat()),
        ("little-endian with a mark", [vec![0xFF, 0xFE], units(u16::to_le_bytes)].concat()),
        ("UTF-8 with a mark", ["\u{FEFF}".as_bytes(), text.as_bytes()].concat()),
        ("big-endian, less its last octet", units(u16::to_be_bytes).split_last().unwrap().1.to_vec()),
        ("packed", packed(text)),
        ("ASCII, then UCS-2", [head.as_bytes(), &cyrillic].concat()),
        ("ASCII with NULs after it", [text.as_bytes(), &[0; 3]].concat()),
        ("in quotes", format!("\"{head}{tail}\"").into_bytes()),
    ]
}

#[tokio::test(start_paused = true)]
async fn texts_are_read_in_any_charset_whatever_is_declared() {
    let codings = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 13, 14, 0x11, 0x18, 0x19, 0xF0, 0xF4, 0xF5, 0xFF];
    let mut neighbours = Vec::new();
    for coding in codings {
        for kind in 0..encoded(&usual("1")).len() {
            let id = format!("{:x}", id(neighbours.len()));
            let short = format!("id:{id} stat:DELIVRD err:000 text:hello there");
            let (name, octets) = encoded(&short).swap_remove(kind);
            let bodies = vec![deliver_sm(TO, 0x04, coding, &octets, &[])];
            let name = format!("{name} under {coding:#x}");
            neighbours.push(Neighbour { name, response: id, bodies, status: DELIVERED });
        }
    }
    assert_eq!(play(neighbours).await, 220);
}

/// Status and weight of a word or a number, by the table in RECEIPTS.md.
fn weighed(word: &str) -> (&'static str, u8) {
    match word.to_ascii_uppercase().as_str() {
        "DELIVRD" | "DELIVERED" | "0" => ("delivered", 3),
        "UNDELIV" | "EXPIRED" | "DELETED" | "REJECTD" | "SKIPPED" | "FAILED" | "UNDELIVERABLE" | "UNDELIVERED" => {
            ("failed", 3)
        }
        "ENROUTE" | "ACCEPTD" => ("pending", 2),
        "UNKNOWN" | "SCHEDLD" => ("pending", 1),
        _ => ("pending", 0),
    }
}

#[tokio::test(start_paused = true)]
async fn states_of_text_and_parameter_are_merged_by_the_table() {
    let names =
        ["SCHEDLD", "ENROUTE", "DELIVRD", "EXPIRED", "DELETED", "UNDELIV", "ACCEPTD", "UNKNOWN", "REJECTD", "SKIPPED"];
    // A value that is not a number counts as absent.
    let mut parameters: Vec<(Option<Vec<u8>>, Option<&str>)> =
        vec![(None, None), (Some(vec![]), None), (Some(vec![1, 2]), None)];
    for state in (0..=12).chain([100, 127, 128, 255]) {
        let word = names.get(usize::from(state)).copied().unwrap_or("not defined");
        parameters.push((Some(vec![state]), Some(word)));
        parameters.push((Some(vec![0, state]), Some(word)));
        parameters.push((Some(vec![0, 0, 0, state]), Some(word)));
    }
    let words = [
        "",
        "DELIVRD",
        "delivrd",
        "UNDELIV",
        "EXPIRED",
        "DELETED",
        "REJECTD",
        "ACCEPTD",
        "ENROUTE",
        "UNKNOWN",
        "SCHEDLD",
        "SKIPPED",
        "FAILED",
        "DELIVERED",
        "UNDELIVERABLE",
        "UNDELIVERED",
        "0",
        "ODD",
        "Undeliv",
    ];
    let mut neighbours = Vec::new();
    for (parameter, of_parameter) in &parameters {
        for word in words {
            let id = format!("{:x}", id(neighbours.len()));
            let stat = if word.is_empty() { String::new() } else { format!(" stat:{word}") };
            let text = format!("id:{id} sub:001{stat} err:000");
            let tlvs: Vec<(u16, &[u8])> = parameter.iter().map(|value| (0x427, value.as_slice())).collect();
            let of_text = Some(word).filter(|word| !word.is_empty()).map(weighed);
            let status = match (of_parameter.map(weighed), of_text) {
                (Some((_, least)), Some((status, more))) if more > least => Some(status),
                (parameter, text) => parameter.or(text).map(|(status, _)| status),
            };
            let bodies = vec![deliver_sm(TO, 0x04, 0, text.as_bytes(), &tlvs)];
            neighbours.push(Neighbour { name: format!("{parameter:?} {word}"), response: id, bodies, status });
        }
    }
    assert_eq!(play(neighbours).await, 1_026);
}

/// Writes an id in one form.
type Write = fn(u32) -> String;

#[tokio::test(start_paused = true)]
async fn ids_are_found_in_any_form_and_place() {
    let forms: [(&str, Write); 12] = [
        ("decimal", |id| id.to_string()),
        ("hexadecimal", |id| format!("{id:x}")),
        ("in capitals", |id| format!("{id:X}")),
        ("decimal with zeros", |id| format!("{id:016}")),
        ("hexadecimal with zeros", |id| format!("{id:012x}")),
        ("with a hyphen", |id| format!("{:04x}-{:04x}", id >> 16, id & 0xFFFF)),
        ("with hyphens and zeros", |id| format!("0000-{:04X}-{:04X}", id >> 16, id & 0xFFFF)),
        ("a blank after it", |id| format!("{id:x} ")),
        ("a blank before it", |id| format!(" {id:x}")),
        ("a tab after it", |id| format!("{id}\t")),
        ("in quotes", |id| format!("\"{id:x}\"")),
        ("a line end after it", |id| format!("{id:X}\r\n")),
    ];
    let mut count = 0;
    for (of_response, in_response) in forms {
        for (of_receipt, in_receipt) in forms {
            let mut neighbours = Vec::new();
            for place in 0..6 {
                let number = id(count + place);
                let (written, foreign) = (in_receipt(number), format!("OTHER.{number}"));
                let text = |id: &str| format!("id:{id} sub:001 stat:DELIVRD err:000");
                let nul = |id: &str, rest: &str| format!("{id}\0{rest}").into_bytes();
                let (text, parameter) = match place {
                    0 => (text(&written), None),
                    1 => (String::new(), Some(nul(&written, ""))),
                    2 => (text(&foreign), Some(nul(&written, ""))),
                    3 => (text(&written), Some(nul(&foreign, ""))),
                    4 => (String::new(), Some(nul(&written, "\u{7}XYZ"))),
                    _ => (text(&written), Some(written.clone().into_bytes())),
                };
                let mut tlvs: Vec<(u16, &[u8])> = Vec::new();
                if let Some(parameter) = &parameter {
                    tlvs.extend([(0x1E, parameter.as_slice()), (0x427, &[2])]);
                }
                let bodies = vec![deliver_sm(TO, 0x04, 0, text.as_bytes(), &tlvs)];
                let name = format!("{of_response}, {of_receipt}, place {place}");
                neighbours.push(Neighbour { name, response: in_response(number), bodies, status: DELIVERED });
            }
            count += play(neighbours).await;
        }
    }
    assert_eq!(count, 864);
}

#[tokio::test(start_paused = true)]
async fn every_type_of_esm_class_is_a_receipt_or_a_message() {
    let mut neighbours = Vec::new();
    for class in (0..=0x3C).step_by(4).flat_map(|class| [class, class | 0x03]) {
        let id = format!("{:x}", id(neighbours.len()));
        let bodies = vec![deliver_sm(TO, class, 0, usual(&id).as_bytes(), &[])];
        let is_message = matches!(class & 0x3C, 0x00 | 0x18);
        let status = DELIVERED.filter(|_| !is_message);
        neighbours.push(Neighbour { name: format!("{class:#x}"), response: id, bodies, status });
    }
    assert_eq!(play(neighbours).await, 32);
}

#[derive(Clone, Copy, Debug)]
enum Parts {
    Udh8,
    Udh16,
    Sar,
}

/// Part `number` of two, with its octets. References of 8 bits come again, but not from the same address.
fn part(kind: Parts, reference: u16, number: u8, coding: u8, octets: &[u8]) -> Vec<u8> {
    let [high, low] = reference.to_be_bytes();
    let from = format!("{high}{TO}");
    let class = |header: &[u8]| deliver_sm(&from, 0x44, coding, &[header, octets].concat(), &[]);
    match kind {
        Parts::Udh8 => class(&[5, 0, 3, low, 2, number]),
        Parts::Udh16 => class(&[6, 8, 4, high, low, 2, number]),
        Parts::Sar => {
            let tlvs: [(u16, &[u8]); 3] = [(0x20C, &[high, low]), (0x20E, &[2]), (0x20F, &[number])];
            deliver_sm(TO, 0x04, coding, octets, &tlvs)
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_receipt_in_parts_may_be_cut_anywhere() {
    let mut neighbours = Vec::new();
    for (kind, coding) in [Parts::Udh8, Parts::Udh16, Parts::Sar].into_iter().flat_map(|kind| [(kind, 0), (kind, 8)]) {
        for (cut, is_reversed) in (0..=90).flat_map(|cut| [(cut, false), (cut, true)]) {
            let id = format!("{:x}", id(neighbours.len()));
            let text =
                format!("id:{id} sub:001 dlvrd:001 submit date:2611221758 stat:UNDELIV err:000 text:hello there");
            let octets: Vec<u8> = match coding {
                8 => text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
                _ => text.into_bytes(),
            };
            let at = cut * if coding == 8 { 2 } else { 1 };
            let (first, second) = octets.split_at(at);
            let reference = u16::try_from(neighbours.len()).unwrap();
            let mut bodies = vec![part(kind, reference, 1, coding, first), part(kind, reference, 2, coding, second)];
            if is_reversed {
                bodies.reverse();
            }
            let name = format!("{kind:?} {coding} cut at {cut} {is_reversed}");
            neighbours.push(Neighbour { name, response: id, bodies, status: Some("failed") });
        }
    }
    assert_eq!(play(neighbours).await, 1_092);
}

#[tokio::test(start_paused = true)]
async fn parts_of_a_receipt_and_of_a_message_never_mix() {
    let mut world = World::start(Options::default());
    world.submit("m", "hi", &[b"77"]).await;
    let message =
        |number: u8, text: &str| deliver_sm(TO, 0x40, 0, &[&[5, 0, 3, 9, 2, number], text.as_bytes()].concat(), &[]);
    let receipt = |number, text: &str| part(Parts::Udh8, 9, number, 0, text.as_bytes());
    for body in
        [message(1, "one "), receipt(1, "id:77 sub:001 stat:DEL"), receipt(2, "IVRD err:000"), message(2, "two")]
    {
        assert_eq!(world.deliver(body).await, 0);
    }
    world.pass(Duration::from_secs(1)).await;
    assert_eq!((world.got.reports("m"), world.got.texts()), (vec!["delivered"], vec!["one two"]));
}
