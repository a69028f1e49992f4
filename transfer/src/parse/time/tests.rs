use proptest::prelude::*;

use super::*;

fn iso(ms: i64) -> String {
    let mut out = Vec::new();
    write_iso(&mut out, ms);
    String::from_utf8(out).unwrap()
}

fn access(text: &str) -> Option<String> {
    parse_access(text.as_bytes()).map(iso)
}

#[test]
fn access_times_become_utc() {
    assert_eq!(access("21/Nov/2026:08:50:46 +0000").unwrap(), "2026-11-21T08:50:46.000Z");
    assert_eq!(access("21/Nov/2026:08:50:46 +0530").unwrap(), "2026-11-21T03:20:46.000Z");
    assert_eq!(access("31/Dec/2026:23:30:00 -0100").unwrap(), "2027-01-01T00:30:00.000Z");
    assert_eq!(access("29/Feb/2024:00:00:00 +0000").unwrap(), "2024-02-29T00:00:00.000Z");
    assert_eq!(access("31/Dec/2016:23:59:60 +0000").unwrap(), "2017-01-01T00:00:00.000Z");
}

#[test]
fn what_is_no_time_is_refused() {
    for text in [
        "",
        "21/Nov/2026:08:50:46",
        "21/Nov/2026:08:50:46 0000 ",
        "21/nov/2026:08:50:46 +0000",
        "31/Nov/2026:08:50:46 +0000",
        "29/Feb/2026:08:50:46 +0000",
        "00/Nov/2026:08:50:46 +0000",
        "21/Nov/2026:24:50:46 +0000",
        "21/Nov/2026:08:60:46 +0000",
        "21/Nov/2026:08:50:61 +0000",
        "21/Nov/2026:08:50:46 +0060",
        "21/Nov/2026:08:50:46 +2400",
        "2x/Nov/2026:08:50:46 +0000",
        "21 Nov 2026:08:50:46 +0000",
    ] {
        assert_eq!(access(text), None, "{text}");
    }
}

#[test]
fn error_times_are_local_to_the_zone() {
    let berlin = TimeZone::get("Europe/Berlin").unwrap();
    let read = |text: &str| parse_error(text.as_bytes(), &berlin).map(iso);
    assert_eq!(read("2026/11/21 08:50:46").unwrap(), "2026-11-21T07:50:46.000Z");
    assert_eq!(read("2026/07/21 08:50:46").unwrap(), "2026-07-21T06:50:46.000Z");
    assert_eq!(read("2026/13/21 08:50:46"), None);
    assert_eq!(read("2026-11-21 08:50:46"), None);
    assert_eq!(read("2026/11/21 08:50:4"), None);
}

#[test]
fn the_hours_that_summer_time_repeats_or_skips_have_an_instant() {
    let berlin = TimeZone::get("Europe/Berlin").unwrap();
    let read = |text: &str| parse_error(text.as_bytes(), &berlin).map(iso).unwrap();
    assert_eq!(read("2026/10/25 02:30:00"), "2026-10-25T00:30:00.000Z");
    assert_eq!(read("2026/03/29 02:30:00"), "2026-03-29T01:30:00.000Z");
}

#[test]
fn record_times_from_outside_never_leave_the_years_that_have_four_digits() {
    assert_eq!(iso(-1), "1970-01-01T00:00:00.000Z");
    assert_eq!(iso(i64::MIN), "1970-01-01T00:00:00.000Z");
    assert_eq!(iso(i64::MAX), "9999-12-31T23:59:59.999Z");
    assert_eq!(index_day(day_of(i64::MAX)), "9999.12.31");
    assert_eq!(access("01/Jan/0000:00:00:00 +2359").unwrap(), "1970-01-01T00:00:00.000Z");
}

#[test]
fn index_days() {
    assert_eq!(index_day(day_of(0)), "1970.01.01");
    assert_eq!(index_day(day_of(1_795_251_046_000)), "2026.11.21");
}

proptest! {
    #[test]
    fn agrees_with_a_calendar_library(ms in 0..=LAST_MS) {
        let expected = jiff::Timestamp::from_millisecond(ms).unwrap();
        prop_assert_eq!(iso(ms), format!("{expected:.3}"));
        let zoned = expected.in_tz("Asia/Kolkata").unwrap();
        let written = zoned.strftime("%d/%b/%Y:%H:%M:%S %z").to_string();
        if written.len() == ACCESS_TIME_LEN {
            prop_assert_eq!(parse_access(written.as_bytes()).unwrap(), ms / 1000 * 1000);
        }
        prop_assert_eq!(index_day(day_of(ms)), expected.strftime("%Y.%m.%d").to_string());
    }

    #[test]
    fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
        let _ = parse_access(&bytes);
        let _ = parse_error(&bytes, &TimeZone::UTC);
    }
}
