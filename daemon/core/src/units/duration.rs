//! Durations as people write them: `90s`, `30m`, `1h30m`, `7d`.

use thiserror::Error;

use super::Millis;

/// The units, longest first. `d` and `w` are always 24 hours and 7 times that, whatever the clocks do.
const UNITS: [(&str, i64); 6] =
    [("w", 604_800_000), ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// Why a text is no duration.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum DurationError {
    /// Not whole numbers with units, the longest unit first, each at most once.
    #[error(
        "{0:?} is no duration: write whole numbers with w, d, h, m, s or ms, longest first, e.g. 90s or 1h30m"
    )]
    Unknown(String),
    /// More milliseconds than can be counted.
    #[error("the duration {0:?} is too long")]
    TooLong(String),
}

/// Reads `1h`, `30m`, `1d`, `90s`, `1h30m` and the like, in lower case.
pub fn parse_duration(text: &str) -> Result<Millis, DurationError> {
    let unknown = || DurationError::Unknown(text.to_owned());
    let too_long = || DurationError::TooLong(text.to_owned());
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err(unknown());
    }
    let mut total: i64 = 0;
    let mut allowed = UNITS.iter();
    while !rest.is_empty() {
        let (number, tail) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(unknown)?);
        let (unit, tail) = tail.split_at(tail.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(tail.len()));
        // What was passed over is not allowed any more, so that units only get shorter.
        let (_, length) = allowed.find(|(name, _)| *name == unit).ok_or_else(unknown)?;
        if number.is_empty() {
            return Err(unknown());
        }
        let number: i64 = number.parse().map_err(|_| too_long())?;
        total = number.checked_mul(*length).and_then(|part| total.checked_add(part)).ok_or_else(too_long)?;
        rest = tail;
    }
    Ok(Millis(total))
}

/// Writes a duration the way [`parse_duration`] reads it, without weeks: `1d2h`, `90s` as `1m30s`, nothing as `0s`.
///
/// A negative one gets a `-` in front, which is for the eye only.
pub fn format_duration(duration: Millis) -> String {
    if duration.0 == 0 {
        return "0s".to_owned();
    }
    let mut text = String::new();
    if duration.0 < 0 {
        text.push('-');
    }
    let mut rest = duration.0.unsigned_abs();
    for (name, length) in UNITS.iter().skip(1) {
        let length = length.unsigned_abs();
        if rest >= length {
            text.push_str(&(rest / length).to_string());
            text.push_str(name);
            rest %= length;
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_with_units_are_added_up() {
        for (text, millis) in [
            ("1h", 3_600_000),
            ("30m", 1_800_000),
            ("1d", 86_400_000),
            ("90s", 90_000),
            ("1h30m", 5_400_000),
            (" 2w1d3h4m5s6ms ", 1_307_045_006),
            ("0s", 0),
            ("250ms", 250),
        ] {
            assert_eq!(parse_duration(text), Ok(Millis(millis)), "{text:?}");
        }
    }

    #[test]
    fn what_is_no_duration_is_named() {
        for text in ["", "5", "h", "1.5h", "-1h", "1H", "30m1h", "1h1h", "1h 30m", "1y", "1h30", "é"] {
            assert_eq!(parse_duration(text), Err(DurationError::Unknown(text.to_owned())));
        }
        for text in ["99999999999999999999s", "9223372036854775807w", "106751991167d24h"] {
            assert_eq!(parse_duration(text), Err(DurationError::TooLong(text.to_owned())));
        }
    }

    #[test]
    fn a_duration_is_written_in_its_longest_units() {
        for (millis, text) in [
            (0, "0s"),
            (90_000, "1m30s"),
            (86_400_000, "1d"),
            (1_209_600_000, "14d"),
            (-3_600_250, "-1h250ms"),
        ] {
            assert_eq!(format_duration(Millis(millis)), text);
        }
    }

    proptest! {
        #[test]
        fn what_is_written_reads_the_same_again(millis in 0..i64::MAX) {
            prop_assert_eq!(parse_duration(&format_duration(Millis(millis))), Ok(Millis(millis)));
        }

        #[test]
        fn no_text_panics(text in any::<String>(), near in "[0-9wdhms.é -]{0,30}") {
            let _ = (parse_duration(&text), parse_duration(&near));
        }
    }
}
