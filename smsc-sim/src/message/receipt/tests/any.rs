//! Guards that any mixture of what a policy can say is a frame: nothing panics, lengths are right, and without a defect even a
//! strict reader takes it.

use rand::seq::IndexedRandom;
use rand::{Rng, RngExt};
use smpp_transport::env::Seed;
use smpp_transport::pdu::{CommandStatus, Leniency};

use super::*;
use crate::policy::{
    ByState, Dates, Encoding, PRESETS, Policy, ReceiptTlv, Split, SplitBy, StateNumber, TlvFault, TlvSetting,
};
use crate::rules::Hex;

/// Mixtures that are tried.
const MIXTURES: u64 = 1_000;

const IDS: [&str; 9] = ["%d", "%x", "%0100d", "{uuid_hex}", "", "OTHER-77", "%-20X", "%d\\0\\xCC", "0118Z-%05d"];
const TEXTS: [&str; 6] = [
    "{id:ucs2}{text:utf8}{stat:title:.3:>9}",
    "\\xEF\\xBB\\xBF{id} {done_date:unix_millis} {to} {from} {state} {number} {reference}",
    "",
    "{text:gsm7_packed}\\0",
    "{id:>250}{id:>250:ucs2_le}",
    "stat:{stat:lower}\\tерр:{err:<12}",
];

/// One of these, more often than not.
fn one<T: Clone>(rng: &mut impl Rng, of: &[T]) -> Option<T> {
    rng.random_bool(0.4).then(|| of.choose(rng).cloned()).flatten()
}

fn any(rng: &mut impl Rng) -> ReceiptPolicy {
    let ids = IDS.map(|form| form.parse().expect(form));
    let presets = PRESETS.iter().map(|(name, _)| *name);
    let texts: Vec<Template> = TEXTS.into_iter().chain(presets).map(|text| text.parse().expect(text)).collect();
    let tlv = TlvSetting { tag: Some(0x1400), hex: Some(Hex(vec![1, 2])), ..TlvSetting::default() };
    let copy = TlvSetting { copy: Some(TlvTag::USER_MESSAGE_REFERENCE.0), ..TlvSetting::default() };
    let text = TlvSetting { tag: Some(0x1401), text: texts.choose(rng).cloned(), ..TlvSetting::default() };
    let id = TlvSetting { tag: Some(0x1402), id: ids.choose(rng).cloned(), ..TlvSetting::default() };
    let number = rng.random::<u8>();
    let codings = [ReceiptCoding::Message, ReceiptCoding::Number(number), ReceiptCoding::Number(8)];
    let splits =
        [SplitBy::Udh8, SplitBy::Udh16, SplitBy::Sar].map(|by| Split { octets: number % 247 + 1, by, reference: None });
    ReceiptPolicy {
        message_id: one(rng, &ids),
        tlv_id: one(rng, &ids),
        text: one(rng, &texts),
        form: one(rng, &[ReceiptForm::Both, ReceiptForm::Text, ReceiptForm::Tlvs]),
        stat: one(rng, &[ByState::Always("FAILED".to_owned())]),
        err: one(rng, &[ByState::Always("0x21".to_owned())]),
        dates: one(rng, &[Dates::Absolute, Dates::Unix, Dates::Empty, Dates::Iso]),
        data_coding: one(rng, &codings),
        encoding: one(rng, &[Encoding::Ascii, Encoding::Ucs2Le, Encoding::Gsm7Packed, Encoding::Utf8]),
        esm_class: one(rng, &[0, 4, 8, 0x10, 0x20, 0x24, number]),
        tlv_state: one(rng, &[StateNumber(number)]),
        network_error_code: one(rng, &[NetworkErrorCode { network: number, code: 999 }]),
        without: one(rng, &[vec![ReceiptTlv::MessageState], vec![ReceiptTlv::ReceiptedMessageId]]),
        tlvs: one(rng, &[vec![tlv, copy.clone()], vec![text], vec![id, copy]]),
        tlv_fault: one(rng, &TlvFault::ALL),
        tail: one(rng, &[Hex(vec![number]), Hex(vec![0x14, 0, 0xFF, 0xFF])]),
        split: one(rng, &splits),
        carrier: one(rng, &[Carrier::DeliverSm, Carrier::Payload, Carrier::DataSm]),
        ..ReceiptPolicy::default()
    }
}

#[test]
fn any_mixture_is_a_frame() {
    let (mut broken, mut parts) = (0, 0);
    for mixture in 0..MIXTURES {
        let mut rng = Seed(1).stream("mixtures", mixture);
        let policy = Policy { receipt: any(&mut rng), ..Policy::default() };
        policy.validate().expect("every value is allowed");
        let yaml = serde_saphyr::to_string(&policy).expect("written");
        assert_eq!(serde_saphyr::from_str::<Policy>(&yaml).expect(&yaml), policy, "{yaml}");
        let mut given = Given::new();
        let life = crate::message::Life::draw(&policy, &mut rng);
        given.submit(&sm(1), &reference(), life);
        let dues = given.dues();
        parts += u64::from(dues.len() > 1);
        for (due, knows_tlvs) in dues.iter().flat_map(|due| [(due, true), (due, false)]) {
            let (body, tlvs) = due.receipt.pdu(knows_tlvs);
            let octets = tlvs.octets();
            let pdu = Pdu { tlvs, ..Pdu::new(CommandStatus::ESME_ROK, 1, body) };
            let mut frame = pdu.to_octets().to_vec();
            let read = Pdu::decode(&frame.clone().into(), Leniency::STRICT);
            assert_eq!(read.as_ref(), Ok(&pdu), "{yaml}");
            if let Some(defect) = due.receipt.defect(knows_tlvs) {
                broken += 1;
                defect.apply(&mut frame, octets);
                let length = u32::from_be_bytes([frame[0], frame[1], frame[2], frame[3]]);
                assert_eq!(length as usize, frame.len(), "{yaml}");
            }
        }
        let shown = given.record(1).view(Seed(1));
        assert_eq!(shown.receipts.len(), dues.len());
    }
    assert!(broken > 300 && parts > 100, "{broken} {parts}");
}
