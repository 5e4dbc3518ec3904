//! Timestamps as other languages' libraries read them: RFC 3339, but for what each of them is lax about.

use chrono::NaiveDate;

use crate::units::{Instant, Millis};

/// Whose reading.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Reading {
    /// Go's `time.Parse` with its RFC 3339 layout: fractions, an hour of one digit, offsets up to 24:60.
    Go,
    /// kube-downscaler's pattern and Python's `fromisoformat`: seconds only, and a numeric offset below 24 hours.
    Python,
}

/// Reads the whole text as one timestamp.
pub(super) fn parse(text: &str, reading: Reading) -> Option<Instant> {
    let go = reading == Reading::Go;
    let mut rest = Rest(text);
    let year = rest.digits(4)?;
    rest.literal('-')?;
    let month = rest.digits(2)?;
    rest.literal('-')?;
    let day = rest.digits(2)?;
    rest.literal('T')?;
    let hour = rest.digits(2).or_else(|| rest.digits(1).filter(|_| go))?;
    rest.literal(':')?;
    let minute = rest.digits(2)?;
    rest.literal(':')?;
    let second = rest.digits(2)?;
    let millis = if go { rest.fraction() } else { 0 };
    let offset = match (rest.literal('Z'), go) {
        (Some(()), true) => 0,
        (Some(()), false) => return None,
        (None, _) => rest.offset(reading)?,
    };
    if !rest.0.is_empty() || (year == 0 && !go) {
        return None;
    }
    let date = NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)?;
    let local = date.and_hms_opt(hour, minute, second)?.and_utc().timestamp_millis();
    Some(Instant(local) - Millis::from_minutes(offset) + Millis(millis))
}

/// What is left to read.
struct Rest<'a>(&'a str);

impl Rest<'_> {
    /// Exactly `count` digits; a further one stays for what follows.
    fn digits(&mut self, count: usize) -> Option<u32> {
        let (head, tail) = self.0.split_at_checked(count)?;
        if !head.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        self.0 = tail;
        head.parse().ok()
    }

    fn literal(&mut self, expected: char) -> Option<()> {
        self.0 = self.0.strip_prefix(expected)?;
        Some(())
    }

    /// A fraction of a second, cut to milliseconds; 0 if there is none.
    fn fraction(&mut self) -> i64 {
        let Some(tail) = self.0.strip_prefix('.') else { return 0 };
        let length = tail.bytes().take_while(u8::is_ascii_digit).count();
        if length == 0 {
            return 0;
        }
        let (digits, tail) = tail.split_at(length);
        self.0 = tail;
        digits.bytes().zip([100, 10, 1]).map(|(digit, weight)| i64::from(digit - b'0') * weight).sum()
    }

    /// `+HH:MM` in minutes.
    fn offset(&mut self, reading: Reading) -> Option<i64> {
        let sign = match (self.literal('+'), self.literal('-')) {
            (Some(()), None) => 1,
            (None, Some(())) => -1,
            _ => return None,
        };
        let hours = i64::from(self.digits(2)?);
        self.literal(':')?;
        let minutes = i64::from(self.digits(2)?);
        let allowed = match reading {
            Reading::Go => hours <= 24 && minutes <= 60,
            Reading::Python => hours * 60 + minutes < 1_440,
        };
        allowed.then_some(sign * (hours * 60 + minutes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_library_is_lax_in_its_own_way() {
        for (text, go, python) in [
            ("2026-02-01T08:00:00+01:00", Some(1_769_929_200_000), Some(1_769_929_200_000)),
            ("2026-02-01T07:00:00Z", Some(1_769_929_200_000), None),
            ("2026-02-01T7:00:00.25Z", Some(1_769_929_200_250), None),
            ("2026-02-01T09:15:00+01:75", None, Some(1_769_929_200_000)),
            ("2026-02-01T07:00:00-24:00", Some(1_770_015_600_000), None),
            ("2026-02-01t07:00:00+00:00", None, None),
            ("2026-02-30T07:00:00+00:00", None, None),
            ("2026-02-01T07:00:60+00:00", None, None),
            ("2026-02-01T24:00:00+00:00", None, None),
            ("2026-02-01T07:00:00+00:00 ", None, None),
            ("2026-02-01T07:00:00+-1:00", None, None),
            ("2026-02-01T07:00:00", None, None),
        ] {
            assert_eq!(parse(text, Reading::Go), go.map(Instant), "Go {text}");
            assert_eq!(parse(text, Reading::Python), python.map(Instant), "Python {text}");
        }
    }
}
