//! Points in time as people write them.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// Milliseconds since 1970, from ISO 8601 (`2026-01-31T08:00:00Z`, with an offset, or without a zone, which is UTC as in
/// Kafka's own tools), from a date alone, or from the milliseconds themselves.
pub(crate) fn millis(text: &str) -> Result<i64, String> {
    let millis = if text.bytes().all(|byte| byte.is_ascii_digit()) {
        text.parse::<i64>().ok()
    } else if let Ok(instant) = text.parse::<Timestamp>() {
        Some(instant.as_millisecond())
    } else {
        let local = text.parse::<DateTime>().ok();
        local.and_then(|local| local.to_zoned(TimeZone::UTC).ok()).map(|utc| utc.timestamp().as_millisecond())
    };
    // Kafka gives negative times a meaning of their own.
    millis.filter(|millis| *millis >= 0).ok_or_else(|| {
        "must be a time since 1970 such as 2026-01-31T08:00:00Z (without a zone it is UTC), a date, or milliseconds \
         since 1970"
            .to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_understood_in_every_usual_form() {
        let eight = 1_769_846_400_000;
        for text in [
            "2026-01-31T08:00:00Z",
            "2026-01-31T09:00:00+01:00",
            "2026-01-31T08:00:00",
            "2026-01-31T08:00",
            "2026-01-31 08:00:00",
            "1769846400000",
        ] {
            assert_eq!(millis(text), Ok(eight), "{text}");
        }
        assert_eq!(millis("2026-01-31T08:00:00.250Z"), Ok(eight + 250));
        assert_eq!(millis("2026-01-31"), Ok(eight - 8 * 3_600_000));
        assert_eq!(millis("0"), Ok(0));
    }

    #[test]
    fn what_is_no_time_is_refused_with_an_example() {
        for text in ["", "yesterday", "-1", "2026-02-30", "1969-12-31T23:59:59Z", "99999999999999999999"] {
            let refused = millis(text).unwrap_err();
            assert!(refused.contains("2026-01-31T08:00:00Z"), "{text}: {refused}");
        }
    }
}
