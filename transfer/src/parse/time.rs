//! Times as nginx writes them, read and written by hand: these run once for each line.
//!
//! ```text
//! access log  21/Nov/2026:08:50:46 +0100     local time with its zone
//! error log   2026/11/21 08:50:46            local time, no zone: the reader has to know it
//! document    2026-11-21T07:50:46.000Z       UTC
//! index name  2026.11.21                     UTC
//! ```
//! Instants are milliseconds since 1970-01-01 UTC, as in Kafka.

use jiff::tz::TimeZone;

/// Length of `21/Nov/2026:08:50:46 +0100`.
pub(crate) const ACCESS_TIME_LEN: usize = 26;
/// Length of `2026/11/21 08:50:46`.
pub(crate) const ERROR_TIME_LEN: usize = 19;
/// 9999-12-31T23:59:59.999Z, the last instant that has a four-digit year.
const LAST_MS: i64 = 253_402_300_799_999;
const DAY_MS: i64 = 86_400_000;

/// A date and a time of day without a zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Civil {
    year: i64,
    month: i64,
    day: i64,
    hour: i64,
    minute: i64,
    second: i64,
}

impl Civil {
    /// Refuses what no calendar has. A leap second (60) is let through and counts as the next minute's first.
    fn checked(self) -> Option<Self> {
        const DAYS: [i64; 13] = [0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
        let longest = *DAYS.get(usize::try_from(self.month).ok()?)?;
        let leap = self.year % 4 == 0 && (self.year % 100 != 0 || self.year % 400 == 0);
        let longest = if self.month == 2 && !leap { 28 } else { longest };
        let valid =
            (1..=longest).contains(&self.day) && self.hour < 24 && self.minute < 60 && self.second <= 60;
        valid.then_some(self)
    }

    /// As if the zone were UTC.
    fn to_ms(self) -> i64 {
        let days = days_from_civil(self.year, self.month, self.day);
        (days * 86_400 + self.hour * 3600 + self.minute * 60 + self.second) * 1000
    }
}

/// Reads `21/Nov/2026:08:50:46 +0100`; exactly [`ACCESS_TIME_LEN`] bytes.
pub(crate) fn parse_access(text: &[u8]) -> Option<i64> {
    let b: &[u8; ACCESS_TIME_LEN] = text.try_into().ok()?;
    let separators = [b[2], b[6], b[11], b[14], b[17], b[20]];
    if &separators != b"//::: " {
        return None;
    }
    let civil = Civil {
        day: two(b[0], b[1])?,
        month: month([b[3], b[4], b[5]])?,
        year: two(b[7], b[8])? * 100 + two(b[9], b[10])?,
        hour: two(b[12], b[13])?,
        minute: two(b[15], b[16])?,
        second: two(b[18], b[19])?,
    };
    let (zone_hours, zone_minutes) = (two(b[22], b[23])?, two(b[24], b[25])?);
    if zone_hours > 23 || zone_minutes > 59 {
        return None;
    }
    let zone_ms = (zone_hours * 60 + zone_minutes) * 60_000;
    let local = civil.checked()?.to_ms();
    match b[21] {
        b'+' => Some(clamp(local - zone_ms)),
        b'-' => Some(clamp(local + zone_ms)),
        _ => None,
    }
}

/// Reads `2026/11/21 08:50:46` as a local time of `zone`. An hour that summer time repeats is taken the first time,
/// one that it skips is moved on, as is usual.
pub(crate) fn parse_error(text: &[u8], zone: &TimeZone) -> Option<i64> {
    let b: &[u8; ERROR_TIME_LEN] = text.try_into().ok()?;
    let separators = [b[4], b[7], b[10], b[13], b[16]];
    if &separators != b"// ::" {
        return None;
    }
    let civil = Civil {
        year: two(b[0], b[1])? * 100 + two(b[2], b[3])?,
        month: two(b[5], b[6])?,
        day: two(b[8], b[9])?,
        hour: two(b[11], b[12])?,
        minute: two(b[14], b[15])?,
        second: two(b[17], b[18])?,
    }
    .checked()?;
    let local = jiff::civil::DateTime::new(
        civil.year as i16,
        civil.month as i8,
        civil.day as i8,
        civil.hour as i8,
        civil.minute as i8,
        civil.second.min(59) as i8,
        0,
    )
    .ok()?;
    let instant = zone.to_ambiguous_timestamp(local).compatible().ok()?;
    Some(clamp(instant.as_millisecond()))
}

/// Brings an instant from outside into the years that documents and index names can hold. What is before 1970
/// (Kafka's -1 for "no timestamp" among it) becomes the epoch: a fixed place, so that a repeat of the record lands in
/// the same index.
pub(crate) fn clamp(ms: i64) -> i64 {
    ms.clamp(0, LAST_MS)
}

/// The day (counted from 1970-01-01) that an instant belongs to.
pub(crate) fn day_of(ms: i64) -> i64 {
    clamp(ms).div_euclid(DAY_MS)
}

/// Writes `2026-11-21T07:50:46.000Z`.
pub(crate) fn write_iso(out: &mut Vec<u8>, ms: i64) {
    let ms = clamp(ms);
    let (year, month, day) = civil_from_days(ms / DAY_MS);
    let of_day = ms % DAY_MS;
    let mut text = *b"0000-00-00T00:00:00.000Z";
    put(&mut text[0..4], year);
    put(&mut text[5..7], month);
    put(&mut text[8..10], day);
    put(&mut text[11..13], of_day / 3_600_000);
    put(&mut text[14..16], of_day / 60_000 % 60);
    put(&mut text[17..19], of_day / 1000 % 60);
    put(&mut text[20..23], of_day % 1000);
    out.extend_from_slice(&text);
}

/// Writes `2026.11.21`.
pub(crate) fn index_day(day: i64) -> String {
    let (year, month, day) = civil_from_days(day);
    format!("{year:04}.{month:02}.{day:02}")
}

fn put(field: &mut [u8], mut value: i64) {
    for digit in field.iter_mut().rev() {
        *digit = b'0' + (value % 10) as u8;
        value /= 10;
    }
}

fn two(tens: u8, ones: u8) -> Option<i64> {
    (tens.is_ascii_digit() && ones.is_ascii_digit())
        .then(|| i64::from(tens - b'0') * 10 + i64::from(ones - b'0'))
}

fn month(name: [u8; 3]) -> Option<i64> {
    Some(match &name {
        b"Jan" => 1,
        b"Feb" => 2,
        b"Mar" => 3,
        b"Apr" => 4,
        b"May" => 5,
        b"Jun" => 6,
        b"Jul" => 7,
        b"Aug" => 8,
        b"Sep" => 9,
        b"Oct" => 10,
        b"Nov" => 11,
        b"Dec" => 12,
        _ => return None,
    })
}

/// Days since 1970-01-01 of a date in the proleptic Gregorian calendar; years begin in March, so that the leap day
/// is a year's last.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// The inverse of [`days_from_civil`]: year, month, day.
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day_of_year - (153 * shifted + 2) / 5 + 1)
}

#[cfg(test)]
mod tests;
