//! Days of the week and ranges of them.

use std::fmt;

/// A day of the week, Monday = 0.
type Day = i64;

const NAMES: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
const SHORT: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/// A range of days that may wrap over the end of the week, both ends counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Days {
    first: Day,
    last: Day,
}

impl Days {
    /// The whole week.
    pub(super) const EVERY: Self = Self { first: 0, last: 6 };

    pub(super) fn new(first: Day, last: Day) -> Self {
        // However it is spelled (Wed-Tue), seven days are the whole week.
        if (last + 1) % 7 == first { Self::EVERY } else { Self { first, last } }
    }

    /// Every day of the range, in order.
    pub(super) fn iter(self) -> impl Iterator<Item = Day> {
        let count = (self.last - self.first).rem_euclid(7) + 1;
        (0..count).map(move |nth| (self.first + nth) % 7)
    }
}

impl fmt::Display for Days {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |day: Day| usize::try_from(day).ok().and_then(|day| SHORT.get(day)).copied().unwrap_or("");
        f.write_str(name(self.first))?;
        if self.first == self.last { Ok(()) } else { write!(f, "-{}", name(self.last)) }
    }
}

/// A day by its English name in any case, cut to no fewer than three letters: `Mon`, `TUES`, `sunday`.
pub(super) fn parse_day(text: &str) -> Option<Day> {
    let text = text.to_ascii_lowercase();
    if text.len() < 3 {
        return None;
    }
    NAMES.iter().zip(0..).find(|(name, _)| name.starts_with(&text)).map(|(_, day)| day)
}

/// A day by the first three letters of its English name in any case: the only spelling the other tools know.
pub(super) fn parse_short_day(text: &str) -> Option<Day> {
    SHORT.iter().zip(0..).find(|(name, _)| name.eq_ignore_ascii_case(text)).map(|(_, day)| day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_wrap_over_the_end_of_the_week() {
        let days = |first, last| Days::new(first, last).iter().collect::<Vec<_>>();
        assert_eq!(days(0, 4), [0, 1, 2, 3, 4]);
        assert_eq!(days(5, 0), [5, 6, 0]);
        assert_eq!(days(2, 2), [2]);
        assert_eq!(days(2, 1), [0, 1, 2, 3, 4, 5, 6]);
    }

    #[test]
    fn a_day_is_named_by_three_letters_or_more() {
        for (text, day) in [
            ("Mon", Some(0)),
            ("TUES", Some(1)),
            ("sunday", Some(6)),
            ("Th", None),
            ("Mondays", None),
            ("", None),
        ] {
            assert_eq!(parse_day(text), day, "{text:?}");
        }
        assert_eq!(parse_short_day("fRi"), Some(4));
        assert_eq!(parse_short_day("friday"), None);
    }
}
