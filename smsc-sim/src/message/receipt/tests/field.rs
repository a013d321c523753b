//! Guards that receipts of real SMSCs can be said by policy, octet by octet. Each line of `field.jsonl` has the source, the
//! policy, the id in the response and the bodies of the receipts; numbers are replaced.

use serde::Deserialize;
use smpp_transport::env::Seed;
use smpp_transport::pdu::{CommandStatus, Npi, Ton};

use super::super::super::tests::START;
use super::*;
use crate::message::{Due, Limits, Mailbox, Now, Submission, Times};
use crate::policy::Policy;
use crate::rules::Hex;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    source: String,
    policy: Policy,
    /// Id in the response; `null` where it looks random.
    id: Option<String>,
    bodies: Vec<Hex>,
    #[serde(default)]
    message: Message,
    /// Number of the message, which its id is made from.
    #[serde(default)]
    number: u64,
}

#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Message {
    from: String,
    from_ton: u8,
    to: String,
    text: String,
    hex: Option<Hex>,
    data_coding: u8,
    /// Tag and value of an optional parameter.
    tlvs: Hex,
}

impl Default for Message {
    fn default() -> Message {
        let (from, to, text) = ("1001".to_owned(), "27820001001".to_owned(), "hi".to_owned());
        Message { from, from_ton: 0, to, text, hex: None, data_coding: 0, tlvs: Hex::default() }
    }
}

/// Id in the response, and frames of the receipts without their headers.
fn receipts(case: &Case) -> (String, Vec<Vec<u8>>) {
    let mut given = Given::new();
    given.mailbox = Mailbox::new(Limits::default(), Seed(1));
    given.mailbox.skip_numbers_to(case.number);
    let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
    given.now = Now { mono: minutes(1), wall: START + minutes(61) };
    let message = &case.message;
    let octets = message.hex.as_ref().map_or_else(|| message.text.clone().into_bytes(), |hex| hex.0.clone());
    let sm = Sm {
        source_addr_ton: Ton(message.from_ton),
        source_addr_npi: Npi(1),
        source_addr: message.from.parse().expect("short"),
        dest_addr_ton: Ton(1),
        dest_addr_npi: Npi(1),
        destination_addr: message.to.parse().expect("short"),
        data_coding: DataCoding(message.data_coding),
        short_message: ShortMessage::new(octets).expect("short"),
        ..sm(1)
    };
    let mut tlvs = Tlvs::new();
    if let [high, low, value @ ..] = &*message.tlvs.0 {
        tlvs.push(TlvTag(u16::from_be_bytes([*high, *low])), value);
    }
    let life = crate::message::Life::draw(&case.policy, &mut Seed(1).stream("life", 0));
    // Addresses of real SMSCs are not by the letter either.
    let submission = Submission::submit_sm(given.sender(), &sm, &tlvs, Times::default());
    let accepted = given.mailbox.accept(given.now, submission, life).expect("accepted");
    given.wait(Duration::from_secs(3_600));
    let frame = |Due { receipt, .. }: Due| {
        let (body, tlvs) = receipt.pdu(true);
        let octets = tlvs.octets();
        let pdu = Pdu { tlvs, ..Pdu::new(CommandStatus::ESME_ROK, 1, body) };
        let mut frame = pdu.to_octets().to_vec();
        if let Some(defect) = receipt.defect(true) {
            defect.apply(&mut frame, octets);
        }
        assert_eq!(
            frame.len(),
            usize::from(u16::from_be_bytes([frame[2], frame[3]])),
            "command_length is that of the frame"
        );
        frame.split_off(16)
    };
    (accepted.id.into(), given.dues().into_iter().map(frame).collect())
}

#[test]
fn receipts_of_real_smscs_can_be_said() {
    let cases: Vec<Case> = include_str!("field.jsonl")
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect();
    assert!(cases.len() >= 40);
    for case in &cases {
        case.policy.validate().expect(&case.source);
        let (id, bodies) = receipts(case);
        if let Some(wanted) = &case.id {
            assert_eq!(id, *wanted, "{}", case.source);
        }
        let show = |bodies: &[Vec<u8>]| bodies.iter().map(|body| body.escape_ascii().to_string()).collect::<Vec<_>>();
        let wanted: Vec<_> = case.bodies.iter().map(|body| body.0.clone()).collect();
        assert_eq!(show(&bodies), show(&wanted), "{}", case.source);
    }
}
