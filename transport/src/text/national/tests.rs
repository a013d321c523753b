//! Guards the tables against a slip of the hand: a checksum of each as transcribed, and the cells that sources dispute.

use super::*;

/// FNV-1a (64 bits) over the values, two octets each, high octet first.
fn checksum(values: impl IntoIterator<Item = u16>) -> u64 {
    values
        .into_iter()
        .flat_map(u16::to_be_bytes)
        .fold(0xCBF2_9CE4_8422_2325, |hash, octet| (hash ^ u64::from(octet)).wrapping_mul(0x0100_0000_01B3))
}

fn single_pairs(language: u8) -> Vec<(u8, u16)> {
    let mut pairs = single(language).concat();
    pairs.sort_unstable();
    pairs
}

fn single_cell(language: u8, code: u8) -> u16 {
    single_pairs(language).into_iter().find(|pair| pair.0 == code).map_or(0, |pair| pair.1)
}

#[test]
fn every_table_has_the_checksum_of_its_transcription() {
    let sum_of =
        |language| checksum(single_pairs(language).into_iter().flat_map(|(code, point)| [u16::from(code), point]));
    assert_eq!(checksum(DEFAULT), 0xDB56_A38B_841C_24BF);
    for (language, sum) in LOCKING_SUMS {
        assert_eq!(locking(language).copied().map(checksum), Some(sum), "locking table of language {language}");
    }
    for (language, sum) in SINGLE_SUMS {
        assert_eq!(sum_of(language), sum, "single shift table of language {language}");
    }
}

#[test]
fn cells_that_sources_dispute_are_decided() {
    assert_eq!(DEFAULT[0x09], 0x00C7, "capital C with cedilla");
    assert_eq!(locking(1).unwrap()[0x1F], 0x00C9);
    for language in 4..=13 {
        assert_eq!(locking(language).unwrap()[0x2C], 0x002C, "comma of language {language}");
    }
    assert_eq!(locking(9).unwrap()[0x47], 0x0B33);
    assert_eq!(single_cell(10, 0x23), 0x0A6D);
    assert_eq!(single_cell(11, 0x24), 0x0BEE);
    assert_eq!(single_cell(12, 0x22), 0x0C6C);
    assert_eq!(single_cell(12, 0x23), 0x0C6D);
    assert!(locking(2).is_none(), "Spanish has no locking table");
}

#[test]
fn no_code_of_a_single_shift_table_is_assigned_twice() {
    for language in 0..=14 {
        let pairs = single_pairs(language);
        assert!(pairs.windows(2).all(|two| two[0].0 < two[1].0), "language {language}");
        assert!(pairs.iter().all(|pair| pair.0 < 128 && pair.0 != 0x1B));
    }
}

#[test]
fn no_alphabet_assigns_the_escape_or_a_surrogate() {
    for alphabet in (0..=14).filter_map(locking).chain([&DEFAULT]) {
        assert_eq!(alphabet[0x1B], 0);
        assert!(alphabet.iter().all(|point| char::from_u32(u32::from(*point)).is_some()));
    }
}

const LOCKING_SUMS: [(u8, u64); 12] = [
    (1, 0x3A83_4820_E66B_717F),
    (3, 0xED06_26AC_70BC_218D),
    (4, 0xBF44_2918_8E6C_00AE),
    (5, 0x1F2C_30E6_A5A6_7803),
    (6, 0xEF52_E9D9_BED1_9EE6),
    (7, 0xF5CF_DD4E_DA01_5F16),
    (8, 0x1289_440D_4880_E9C1),
    (9, 0x0FA7_B774_77F1_4B42),
    (10, 0x2A86_00DE_DB5A_1B75),
    (11, 0x3B49_6891_BF18_0A7C),
    (12, 0x93D8_692A_6017_CF54),
    (13, 0x65A9_F625_FD2A_C89A),
];

/// Language 0 is the default extension.
const SINGLE_SUMS: [(u8, u64); 14] = [
    (0, 0xAD34_8EF8_0621_5317),
    (1, 0x5C5C_B269_7167_FA4C),
    (2, 0x8D42_595A_A40B_4021),
    (3, 0x94DC_6808_1AA9_7F06),
    (4, 0x3341_42DD_6B85_08D2),
    (5, 0x9193_D311_38EF_8763),
    (6, 0xEEB9_7A1D_B441_BF6C),
    (7, 0xA878_E48D_0E7D_40F5),
    (8, 0x5D78_F423_113E_7746),
    (9, 0xF6F0_5ED2_571D_4D39),
    (10, 0x72D9_A05E_FF98_A821),
    (11, 0xA09C_BED8_C4A8_DE12),
    (12, 0x4B33_A668_23C1_6D45),
    (13, 0x9CDE_F3F8_8F65_9644),
];
