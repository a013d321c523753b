//! Guards the time formats: both forms, the century, offsets, calendar arithmetic, and what each bad part is called.

use proptest::prelude::*;

use super::*;

fn parse(text: &str) -> Result<SmppTime, TimeError> {
    SmppTime::parse(text.as_bytes())
}

/// The moment meant when now and local do not matter.
fn unix(text: &str) -> i64 {
    parse(text).unwrap().unix_seconds(0, Offset::UTC)
}

fn after(period: &str, start: &str) -> String {
    let start = unix(start);
    let end = parse(period).unwrap().unix_seconds(start, Offset::UTC);
    SmppTime::from_unix(end, Offset::UTC).unwrap().to_string()
}

#[test]
fn times_are_written_as_they_were_read() {
    for text in [
        "250131235959032+",
        "000002000000000R",
        "991231235959948-",
        "251231235959900+",
        "250131120100000+",
        "000001000000000R",
        "020610233429000R",
        "999999999999000R",
        "240229120000",
    ] {
        assert_eq!(parse(text).unwrap().to_string(), text);
    }
}

#[test]
fn an_absolute_time_is_a_moment_of_utc() {
    assert_eq!(unix("700101000000000+"), 0);
    assert_eq!(unix("250131235959032+"), 1_738_367_999 - 8 * 3_600, "eight hours ahead of UTC");
    assert_eq!(unix("250131235959032-"), 1_738_367_999 + 8 * 3_600);
    assert_eq!(unix("000229000000000+"), 951_782_400);
}

#[test]
fn a_short_time_is_local_to_the_smsc() {
    let east = Offset::from_quarter_hours(8).unwrap();
    assert_eq!(parse("700101020000").unwrap().unix_seconds(0, east), 0);
}

#[test]
fn the_century_turns_at_38() {
    let year = |text| match parse(text).unwrap() {
        SmppTime::Local(civil) => civil.year(),
        other => panic!("{other:?}"),
    };
    assert_eq!(year("370101000000"), 2037);
    assert_eq!(year("380101000000"), 1938);
    assert_eq!(year("990101000000"), 1999);
    assert_eq!(year("000101000000"), 2000);
}

#[test]
fn a_relative_time_follows_the_calendar() {
    assert_eq!(after("020610233429000R", "240101000000000+"), "260711233429000+");
    assert_eq!(after("000100000000000R", "240131120000000+"), "240229120000000+", "the last day of a shorter month");
    assert_eq!(after("010000000000000R", "240229000000000+"), "250228000000000+");
    assert_eq!(after("001300000000000R", "231215000000000+"), "250115000000000+");
    assert_eq!(after("000099990000000R", "240101000000000+"), "240413030000000+");
    assert_eq!(after("000000000000000R", "240101000000000+"), "240101000000000+");
}

#[test]
fn a_bad_part_is_named() {
    let error = |text| parse(text).unwrap_err().to_string();
    assert_eq!(error(""), "time has 0 characters; allowed are 12 and 16");
    assert_eq!(error("25013123595903+"), "time has 15 characters; allowed are 12 and 16");
    assert_eq!(error("250131235959032Z"), "time ends in 0x5A; allowed are '+', '-' and 'R'");
    assert_eq!(error("250131235959032r"), "time ends in 0x72; allowed are '+', '-' and 'R'");
    assert_eq!(error("25013123595x032+"), "time has 0x78 at character 11 where a digit must be");
    assert_eq!(error("251331235959032+"), "month of time is 13; allowed are 1 to 12");
    assert_eq!(error("250031235959032+"), "month of time is 0; allowed are 1 to 12");
    assert_eq!(error("250229235959032+"), "day of time is 29; allowed are 1 to 28");
    assert_eq!(error("250131245959032+"), "hour of time is 24; allowed are 0 to 23");
    assert_eq!(error("250131236059032+"), "minute of time is 60; allowed are 0 to 59");
    assert_eq!(error("250131235960032+"), "second of time is 60; allowed are 0 to 59");
    assert_eq!(error("250131235959049+"), "offset of time is 49; allowed are 0 to 48");
    assert_eq!(error("000002000000100R"), "tenths of time is 1; allowed are 0 to 0");
    assert_eq!(error("000002000000001R"), "offset of time is 1; allowed are 0 to 0");
}

#[test]
fn years_that_two_digits_cannot_say_are_not_written() {
    assert!(SmppTime::from_unix(2_145_916_799, Offset::UTC).is_ok(), "2037-12-31T23:59:59");
    assert!(SmppTime::from_unix(2_145_916_800, Offset::UTC).is_err(), "2038-01-01T00:00:00");
    assert!(SmppTime::from_unix(i64::MAX, Offset::from_quarter_hours(48).unwrap()).is_err());
    assert!(Offset::from_quarter_hours(-49).is_err());
    assert!(Offset::from_quarter_hours(i8::MIN).is_err());
}

#[test]
fn a_period_of_seconds_is_days_and_below() {
    let text = |seconds| Period::from_seconds(seconds).map(|period| SmppTime::Relative(period).to_string());
    assert_eq!(text(172_800).unwrap(), "000002000000000R");
    assert_eq!(text(Period::DAYS_SECONDS_MAX).unwrap(), "000099235959000R");
    assert!(text(Period::DAYS_SECONDS_MAX + 1).is_err());
    assert!(text(u64::MAX).is_err());
}

#[test]
fn dates_of_receipts_are_read_in_every_width() {
    let date = |text: &str| Civil::parse_digits(text.as_bytes());
    let noon = Civil::new(2025, 1, 31, 12, 1, 0).unwrap();
    for text in ["2501311201", "250131120100", "202501311201", "20250131120100"] {
        assert_eq!(date(text), Ok(noon), "{text}");
    }
    assert_eq!(date("250131120159").unwrap().second(), 59);
    for text in ["", "0000000000", "2501321201", "25013112010", "250131120160", "20250131120160", "25O1311201"] {
        assert!(date(text).is_err(), "{text}");
    }
}

proptest! {
    #[test]
    fn seconds_become_a_date_and_the_same_seconds(seconds in FIRST..=LAST) {
        prop_assert_eq!(Civil::from_unix(seconds).to_unix(), seconds);
        let civil = Civil::from_unix(seconds);
        let again = Civil::new(civil.year(), civil.month(), civil.day(), civil.hour(), civil.minute(), civil.second());
        prop_assert_eq!(again, Ok(civil));
    }

    #[test]
    fn moments_are_read_as_they_were_written(seconds in -1_009_000_000_i64..2_145_000_000, quarters in -48_i8..=48) {
        let offset = Offset::from_quarter_hours(quarters).unwrap();
        let time = SmppTime::from_unix(seconds, offset).unwrap();
        prop_assert_eq!(parse(&time.to_string()).unwrap(), time);
        prop_assert_eq!(time.unix_seconds(0, Offset::UTC), seconds);
    }

    #[test]
    fn any_octets_are_a_time_or_an_error(octets in proptest::collection::vec(any::<u8>(), 0..20)) {
        if let Ok(time) = SmppTime::parse(&octets) {
            prop_assert_eq!(time.to_string().into_bytes(), octets);
            let _ = time.unix_seconds(i64::MAX, Offset::UTC);
        }
    }

    #[test]
    fn digits_in_the_shape_of_a_time_are_read_back(text in "[0-9]{15}[-+R]") {
        // An offset of -00 is an offset of +00.
        if let Ok(time) = parse(&text) {
            prop_assert_eq!(time.to_string(), text.replace("00-", "00+"));
        }
    }
}

/// First and last second of years 1 to 9999.
const FIRST: i64 = -62_135_596_800;
const LAST: i64 = 253_402_300_799;
