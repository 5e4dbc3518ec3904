//! Durations as other tools write them.

use crate::units::Millis;

const GO_UNITS: [(&str, f64); 8] = [
    ("ns", 1e-6),
    ("us", 1e-3),
    ("µs", 1e-3),
    ("μs", 1e-3),
    ("ms", 1.0),
    ("s", 1_000.0),
    ("m", 60_000.0),
    ("h", 3_600_000.0),
];

/// 292 years, what Go can count; also well inside of what a float holds exactly.
const MOST: f64 = 9_223_372_036_854.0;

/// Reads a duration of Go: `3h`, `1h30m`, `1.5h`, `-90s`; hours are its largest unit. Cut to milliseconds.
pub(super) fn go(text: &str) -> Option<Millis> {
    let (sign, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Some(Millis(0));
    }
    if rest.is_empty() {
        return None;
    }
    let mut total = 0.0;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, tail) = rest.split_at(end);
        if !number.bytes().any(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let end = tail.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(end);
        let (_, length) = GO_UNITS.iter().find(|(name, _)| *name == unit)?;
        total += number.parse::<f64>().ok()? * length;
        rest = tail;
    }
    (total <= MOST).then(|| Millis(sign * whole(total)))
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "it is what is to be cut off, and no more than MOST is left"
)]
const fn whole(millis: f64) -> i64 {
    millis as i64
}

/// Reads whole seconds.
pub(super) fn seconds(text: &str) -> Option<Millis> {
    text.trim().parse::<i64>().ok()?.checked_mul(1_000).map(Millis)
}

/// Reads whole seconds, or else a duration of Go.
pub(super) fn seconds_or_go(text: &str) -> Option<Millis> {
    seconds(text).or_else(|| go(text.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn durations_of_go_are_read() {
        for (text, millis) in [
            ("3h", Some(10_800_000)),
            ("1h30m", Some(5_400_000)),
            ("1.5h", Some(5_400_000)),
            ("-90s", Some(-90_000)),
            ("+1ms", Some(1)),
            ("1500us", Some(1)),
            ("0", Some(0)),
            ("30m1h", Some(5_400_000)),
            ("1d", None),
            ("5", None),
            ("", None),
            ("-", None),
            ("h", None),
            (".h", None),
            ("1.2.3h", None),
            ("1 h", None),
            ("99999999999999h", None),
        ] {
            assert_eq!(go(text), millis.map(Millis), "{text:?}");
        }
        assert_eq!(seconds_or_go(" 3600 "), Some(Millis::HOUR));
        assert_eq!(seconds_or_go("15m"), Some(Millis::from_minutes(15)));
        assert_eq!(seconds_or_go("9223372036854775807"), None);
    }

    proptest! {
        #[test]
        fn no_text_panics(text in any::<String>(), near in "[0-9.smhuµ+-]{0,24}") {
            let _ = (seconds_or_go(&text), seconds_or_go(&near));
        }
    }
}
