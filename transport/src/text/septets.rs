//! Septets packed into octets, low bits first (3GPP 23.038 §6.1.2.1.1).
//!
//! SMPP says how many octets there are, not how many septets. When seven bits are spare the count cannot be told, so they
//! hold a carriage return (§6.1.2.3.1), which the reader drops again.

use super::gsm7::CR;

/// Fill bits between a header of so many octets and the first septet, which starts on a septet boundary counted from the
/// start of the header (3GPP 23.040 §9.2.3.24).
pub(super) const fn fill_bits(header_octets: usize) -> usize {
    (7 - header_octets * 8 % 7) % 7
}

/// Septets to write: the text's own, and a carriage return where the standard wants one.
///
/// It wants one in seven spare bits, and after a text that itself ends in a carriage return on an octet boundary, since
/// that one would be taken for the filling.
const fn padded_count(septets: usize, ends_in_cr: bool, fill: usize) -> usize {
    if septets == 0 {
        return 0;
    }
    let spare = (8 - (fill + 7 * septets) % 8) % 8;
    let pads = spare == 7 || spare == 0 && ends_in_cr;
    septets + pads as usize
}

/// Octets that [`pack`] will write.
pub(super) const fn packed_octets(septets: usize, ends_in_cr: bool, fill: usize) -> usize {
    match padded_count(septets, ends_in_cr, fill) {
        0 => 0,
        count => (fill + 7 * count).div_ceil(8),
    }
}

/// Packs septets (the low seven bits of each octet) after `fill` zero bits; no septets are no octets.
pub(super) fn pack(septets: &[u8], fill: usize) -> Vec<u8> {
    let ends_in_cr = septets.last() == Some(&CR);
    let count = padded_count(septets.len(), ends_in_cr, fill);
    let mut out = vec![0; packed_octets(septets.len(), ends_in_cr, fill)];
    for (index, septet) in septets.iter().chain([&CR]).take(count).enumerate() {
        let (at, shift) = ((fill + 7 * index) / 8, (fill + 7 * index) % 8);
        let [low, high] = (u16::from(septet & 0x7F) << shift).to_le_bytes();
        out[at] |= low;
        if high != 0 {
            out[at + 1] |= high;
        }
    }
    out
}

/// Unpacks all septets that fit after `fill` bits, less a carriage return that fills the last octet.
///
/// Senders that leave the seven spare bits zero make an `@` of them: the standard gives the reader no way to tell.
pub(super) fn unpack(octets: &[u8], fill: usize) -> Vec<u8> {
    let bits = (octets.len() * 8).saturating_sub(fill);
    let mut septets: Vec<u8> = (0..bits / 7).map(|index| septet(octets, fill + 7 * index)).collect();
    if bits.is_multiple_of(7) && septets.last() == Some(&CR) {
        septets.pop();
    }
    septets
}

/// The seven bits from bit `at` on.
fn septet(octets: &[u8], at: usize) -> u8 {
    let octet = |index: usize| octets.get(index).copied().unwrap_or(0);
    let [low, _] = (u16::from_le_bytes([octet(at / 8), octet(at / 8 + 1)]) >> (at % 8)).to_le_bytes();
    low & 0x7F
}

#[cfg(test)]
mod tests {
    //! Guards packing: known texts, the filling of spare bits, and that unpacking gives back what was packed.

    use super::*;

    #[test]
    fn hello_is_packed_as_everywhere_else() {
        let packed = [0xE8, 0x32, 0x9B, 0xFD, 0x46, 0x97, 0xD9, 0xEC, 0x37];
        assert_eq!(pack(b"hellohello", 0), packed);
        assert_eq!(unpack(&packed, 0), b"hellohello");
    }

    #[test]
    fn seven_spare_bits_hold_a_carriage_return_that_is_no_text() {
        let packed = pack(b"1234567", 0);
        assert_eq!((packed.len(), packed[6] >> 1), (7, CR));
        assert_eq!(unpack(&packed, 0), b"1234567");
        assert_eq!(unpack(&pack(b"1234567\0", 0), 0), b"1234567\0", "an at sign at the end is text");
    }

    #[test]
    fn a_carriage_return_on_an_octet_boundary_is_doubled() {
        assert_eq!(pack(b"1234567\r", 0), pack(b"1234567\r\r", 0));
        assert_eq!(unpack(&pack(b"1234567\r", 0), 0), b"1234567\r\r", "shown twice, as the standard says");
        assert_eq!(unpack(&pack(b"123456\r", 0), 0), b"123456\r");
    }

    #[test]
    fn septets_after_a_header_start_on_a_septet_boundary() {
        assert_eq!([0, 4, 6, 7, 9, 12].map(fill_bits), [0, 3, 1, 0, 5, 2]);
        for header in [0, 4, 6, 7, 9, 12] {
            assert_eq!((header * 8 + fill_bits(header)) % 7, 0);
        }
        assert_eq!(pack(b"A", 1), [0x82]);
    }

    proptest::proptest! {
        #[test]
        fn what_is_packed_is_unpacked(septets in proptest::collection::vec(0_u8..128, 0..200), fill in 0_usize..7) {
            let packed = pack(&septets, fill);
            let ends_in_cr = septets.last() == Some(&CR);
            proptest::prop_assert_eq!(packed.len(), packed_octets(septets.len(), ends_in_cr, fill));
            let mut unpacked = unpack(&packed, fill);
            if ends_in_cr && unpacked.len() > septets.len() {
                unpacked.pop();
            }
            proptest::prop_assert_eq!(unpacked, septets);
        }

        #[test]
        fn any_octets_unpack(octets in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..20), fill in 0_usize..7) {
            proptest::prop_assert!(unpack(&octets, fill).iter().all(|septet| *septet < 128));
        }
    }
}
