//! Guards the user data header: what is read, what is kept, and what each malformed header is called.

use super::*;

fn read(octets: &[u8]) -> Result<(Udh, Bytes), UdhError> {
    Udh::read(&Bytes::copy_from_slice(octets))
}

fn header(octets: &[u8]) -> Udh {
    read(octets).unwrap().0
}

#[test]
fn a_concatenation_is_read_in_both_widths() {
    let (udh, rest) = read(&[5, 0, 3, 0xCC, 2, 1, b'p']).unwrap();
    let part = Concatenation { width: Width::Bits8, reference: 0xCC, total: 2, number: 1 };
    assert_eq!((udh.concatenation(), rest.as_ref()), (Some(part), &b"p"[..]));

    let (udh, rest) = read(&[6, 8, 4, 0x12, 0x34, 3, 1, b'r']).unwrap();
    let part = Concatenation { width: Width::Bits16, reference: 0x1234, total: 3, number: 1 };
    assert_eq!((udh.concatenation(), rest.as_ref()), (Some(part), &b"r"[..]));
}

#[test]
fn a_concatenation_is_written_as_it_was_read() {
    for octets in [&[5, 0, 3, 0xCC, 2, 1][..], &[6, 8, 4, 0x12, 0x34, 3, 1]] {
        let part = header(octets).concatenation().unwrap();
        assert_eq!(Udh::from_iter([Element::from(part)]).write().unwrap(), octets);
    }
}

#[test]
fn a_concatenation_need_not_be_the_first_element() {
    let udh = header(&[14, 5, 4, 0x3E, 0x80, 0x3E, 0x81, 0x24, 1, 1, 0, 3, 7, 2, 2]);
    assert_eq!(udh.concatenation().unwrap().number, 2);
    assert_eq!(udh.ports(), Some(Ports { destination: 0x3E80, source: 0x3E81 }));
    assert_eq!((udh.single_shift(), udh.locking_shift()), (Some(1), None));
}

#[test]
fn of_repeated_elements_the_last_one_counts() {
    let udh = header(&[10, 0, 3, 7, 2, 1, 0, 3, 8, 3, 2]);
    assert_eq!(udh.concatenation().unwrap().reference, 8);
    let udh = header(&[11, 8, 4, 0, 5, 2, 1, 0, 3, 5, 2, 2]);
    assert_eq!(udh.concatenation().unwrap().width, Width::Bits8);
    assert_eq!(header(&[6, 0x25, 1, 1, 0x25, 1, 3]).locking_shift(), Some(3));
    assert_eq!(header(&[6, 0x70, 1, 1, 0x70, 1, 3]).get(0x70).unwrap().as_ref(), [3]);
}

#[test]
fn a_concatenation_that_makes_no_sense_is_ignored() {
    for ied in [[9, 0, 0], [9, 0, 1], [9, 2, 0], [9, 2, 3]] {
        assert_eq!(header(&[5, 0, 3, ied[0], ied[1], ied[2]]).concatenation(), None, "{ied:?}");
    }
    assert_eq!(header(&[4, 0, 2, 1, 1]).concatenation(), None, "two octets");
    assert_eq!(header(&[10, 0, 3, 7, 2, 1, 0, 3, 8, 0, 2]).concatenation().unwrap().reference, 7);
}

#[test]
fn eight_bit_ports_and_unknown_elements_are_kept() {
    let udh = header(&[8, 4, 2, 9, 8, 0x7A, 2, 1, 2]);
    assert_eq!(udh.ports(), Some(Ports { destination: 9, source: 8 }));
    assert_eq!(udh.iter().nth(1), Some(&Element::new(0x7A, &[1, 2])));
    assert_eq!(udh.write().unwrap(), [8, 4, 2, 9, 8, 0x7A, 2, 1, 2]);
}

#[test]
fn a_header_without_elements_is_a_header() {
    let (udh, rest) = read(&[0, 1, 2]).unwrap();
    assert!(udh.is_empty());
    assert_eq!(rest.as_ref(), [1, 2]);
    assert_eq!(udh.write().unwrap(), [0]);
}

#[test]
fn each_malformed_header_names_what_overran_and_where() {
    assert_eq!(read(&[]), Err(UdhError::Empty));
    assert_eq!(read(&[5, 0, 3]), Err(UdhError::HeaderOverrun { udhl: 5, available: 2 }));
    assert_eq!(read(&[1, 0x24]), Err(UdhError::ElementWithoutLength { id: 0x24, offset: 1 }));
    assert_eq!(read(&[4, 0x24, 1, 1, 8, 9]), Err(UdhError::ElementWithoutLength { id: 8, offset: 4 }));
    let overrun = UdhError::ElementOverrun { id: 0, offset: 4, length: 3, available: 2 };
    assert_eq!(read(&[7, 0x24, 1, 1, 0, 3, 1, 2, 9, 9]), Err(overrun));
    assert_eq!(overrun.to_string(), "element 0x00 at octet 4 claims 3 octets but the header has 2 left");
}

#[test]
fn a_header_cut_at_any_octet_is_an_error() {
    let whole = [14, 5, 4, 0x3E, 0x80, 0x3E, 0x81, 0x24, 1, 1, 0, 3, 7, 2, 2];
    for end in 0..whole.len() {
        assert!(read(&whole[..end]).is_err(), "{end} octets");
    }
}

#[test]
fn a_header_longer_than_its_length_octet_is_refused() {
    let udh = Udh::from_iter([Element::new(0x70, &[0; 253])]);
    assert_eq!(udh.write().unwrap().len(), 256);
    let udh = Udh::from_iter([Element::new(0x70, &[0; 254])]);
    assert_eq!(udh.write(), Err(UdhError::TooLong { octets: 256 }));
}

proptest::proptest! {
    #[test]
    fn whatever_is_read_is_written_the_same(octets in proptest::collection::vec(0_u8..12, 0..40)) {
        if let Ok((udh, rest)) = read(&octets) {
            proptest::prop_assert_eq!([udh.write().unwrap(), rest.to_vec()].concat(), octets);
        }
    }
}
