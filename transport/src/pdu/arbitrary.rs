//! Proptest strategies for every value of the codec, behind the feature `test-util`. The shapes and the commands get
//! theirs from the tables; here are those of the kinds of field, of optional parameters, and of whole PDUs.
//!
//! They make *canonical* PDUs: what is written is read back as the same value. Left out are a few that have a second
//! spelling: see [`pdu_of`].

use bytes::Bytes;
use proptest::arbitrary::{Arbitrary, any};
use proptest::collection::vec;
use proptest::prelude::Just;
use proptest::prop_oneof;
use proptest::sample::select;
use proptest::strategy::{BoxedStrategy, Strategy};

use super::{
    Body, COctets, CommandId, CommandStatus, Destination, Destinations, Npi, Pdu, ShortMessage, TlvTag, Tlvs, Ton,
    UnsuccessSme, Unsuccessful,
};

/// A PDU of any command, known or not.
pub fn pdu() -> BoxedStrategy<Pdu> {
    prop_oneof![
        9 => select(CommandId::NAMED).prop_flat_map(pdu_of),
        1 => any::<CommandId>().prop_flat_map(pdu_of),
    ]
    .boxed()
}

/// A PDU of this command. Never made: a response of header and optional parameters without a body between them, which
/// reads as a body; [`Body::Unknown`] with the id of a known command, which reads as that command; optional parameters
/// after an unknown body, which read as part of it.
pub fn pdu_of(id: CommandId) -> BoxedStrategy<Pdu> {
    (any::<CommandStatus>(), sequence(), body_of(id), tlvs_of(id))
        .prop_map(move |(status, sequence, body, tlvs)| {
            let reads_back = body.stand_in_octets() == 0 && !matches!(body, Body::Unknown(..));
            Pdu { status, sequence, body, tlvs: if reads_back { tlvs } else { Tlvs::new() } }
        })
        .boxed()
}

/// The body of this command.
pub fn body_of(id: CommandId) -> BoxedStrategy<Body> {
    Body::strategy(id).unwrap_or_else(|| octets(0..64).prop_map(move |octets| Body::Unknown(id, octets)).boxed())
}

/// Optional parameters: those the standard lists for the command in a length it allows, others, unknown ones, twins.
pub fn tlvs_of(id: CommandId) -> BoxedStrategy<Tlvs> {
    let listed: Vec<TlvTag> = TlvTag::NAMED.iter().copied().filter(|tag| tag.is_listed_for(id)).collect();
    let listed = if listed.is_empty() { TlvTag::NAMED.to_vec() } else { listed };
    let one = prop_oneof![
        8 => select(listed).prop_flat_map(tlv_as_the_standard_has_it),
        1 => select(TlvTag::NAMED).prop_flat_map(|tag| (Just(tag), octets(0..8))),
        1 => (any::<TlvTag>(), octets(0..32)),
    ];
    prop_oneof![1 => Just(Tlvs::new()), 2 => vec(one, 1..6).prop_map(Tlvs::from_iter)].boxed()
}

/// The parameter with a value whose length the standard allows.
pub fn tlv_as_the_standard_has_it(tag: TlvTag) -> BoxedStrategy<(TlvTag, Bytes)> {
    let (min, max) = tag.length().map_or((0, 32), |length| (length.min, length.max.min(300)));
    octets(min..max + 1).prop_map(move |value| (tag, value)).boxed()
}

/// Octets of any value.
pub fn octets(count: std::ops::Range<usize>) -> impl Strategy<Value = Bytes> {
    vec(any::<u8>(), count).prop_map(Bytes::from)
}

fn sequence() -> impl Strategy<Value = u32> {
    prop_oneof![4 => 1..=0x7FFF_FFFFu32, 1 => any::<u32>(), 1 => select(&[0, 1, 0x7FFF_FFFF, u32::MAX][..])]
}

impl<const N: usize> Arbitrary for COctets<N> {
    type Parameters = ();
    type Strategy = BoxedStrategy<Self>;

    fn arbitrary_with((): ()) -> Self::Strategy {
        let octets = prop_oneof![
            2 => Just(Vec::new()),
            4 => vec(b' '..=b'~', 1..N.min(20)),
            2 => vec(1..=255u8, 1..N),
            1 => vec(1..=255u8, N - 1),
        ];
        octets.prop_map(|octets| COctets::new(octets).expect("no NUL, and short enough")).boxed()
    }
}

impl Arbitrary for ShortMessage {
    type Parameters = ();
    type Strategy = BoxedStrategy<Self>;

    fn arbitrary_with((): ()) -> Self::Strategy {
        prop_oneof![1 => octets(0..1), 4 => octets(0..40), 2 => octets(0..255), 1 => octets(254..255)]
            .prop_map(|octets| ShortMessage::new(octets).expect("short enough"))
            .boxed()
    }
}

impl Arbitrary for Destination {
    type Parameters = ();
    type Strategy = BoxedStrategy<Self>;

    fn arbitrary_with((): ()) -> Self::Strategy {
        let address = (any::<Ton>(), any::<Npi>(), any::<COctets<21>>())
            .prop_map(|(ton, npi, address)| Destination::Address { ton, npi, address });
        prop_oneof![3 => address, 1 => any::<COctets<21>>().prop_map(Destination::List)].boxed()
    }
}

impl Arbitrary for Destinations {
    type Parameters = ();
    type Strategy = BoxedStrategy<Self>;

    fn arbitrary_with((): ()) -> Self::Strategy {
        prop_oneof![30 => vec(any::<Destination>(), 1..5), 1 => vec(any::<Destination>(), 254)]
            .prop_map(|entries| Destinations::new(entries).expect("1 to 254"))
            .boxed()
    }
}

impl Arbitrary for UnsuccessSme {
    type Parameters = ();
    type Strategy = BoxedStrategy<Self>;

    fn arbitrary_with((): ()) -> Self::Strategy {
        (any::<Ton>(), any::<Npi>(), any::<COctets<21>>(), any::<CommandStatus>())
            .prop_map(|(dest_addr_ton, dest_addr_npi, destination_addr, error_status_code)| UnsuccessSme {
                dest_addr_ton,
                dest_addr_npi,
                destination_addr,
                error_status_code,
            })
            .boxed()
    }
}

impl Arbitrary for Unsuccessful {
    type Parameters = ();
    type Strategy = BoxedStrategy<Self>;

    fn arbitrary_with((): ()) -> Self::Strategy {
        prop_oneof![30 => vec(any::<UnsuccessSme>(), 0..5), 1 => vec(any::<UnsuccessSme>(), 255)]
            .prop_map(|entries| Unsuccessful::new(entries).expect("0 to 255"))
            .boxed()
    }
}
