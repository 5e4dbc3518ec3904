//! A set of times of the week.

use super::clock::{DAY, MINUTE, WEEK, next_shift, offset, time_of_week};
use super::days::Days;
use chrono_tz::Tz;

/// A set of times of the week, in milliseconds since Monday 00:00 of the wall clock.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub(super) struct Week {
    /// Half-open, sorted, neither overlapping nor touching.
    ranges: Vec<(i64, i64)>,
}

impl Week {
    /// The same times on each of the days; minutes since midnight. An end before the start is on the following
    /// day, so that an overnight range belongs to the day it starts; equal bounds are an empty range.
    pub(super) fn from_start_days(days: Days, start: i64, end: i64) -> Self {
        let length = if end < start { end + 1_440 - start } else { end - start };
        let mut ranges = Vec::new();
        for day in days.iter() {
            let from = day * DAY + start * MINUTE;
            let to = from + length * MINUTE;
            ranges.push((from, to.min(WEEK)));
            ranges.push((0, to - WEEK));
        }
        Self::from_ranges(ranges)
    }

    /// The minutes since midnight `[start, end)` of each of the days, cut at the day's end.
    pub(super) fn within_days(days: Days, start: i64, end: i64) -> Self {
        let minutes = |minute: i64| minute.min(1_440) * MINUTE;
        Self::from_ranges(
            days.iter().map(|day| (day * DAY + minutes(start), day * DAY + minutes(end))).collect(),
        )
    }

    fn from_ranges(mut ranges: Vec<(i64, i64)>) -> Self {
        ranges.retain(|(start, end)| start < end);
        Self { ranges: merge(ranges) }
    }

    /// Every time that is in one of the two.
    pub(super) fn union(self, other: Self) -> Self {
        let mut ranges = self.ranges;
        ranges.extend(other.ranges);
        Self { ranges: merge(ranges) }
    }

    /// Half-open, in order, apart from each other.
    pub(super) fn ranges(&self) -> &[(i64, i64)] {
        &self.ranges
    }

    pub(super) fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    pub(super) fn is_full(&self) -> bool {
        self.ranges.first() == Some(&(0, WEEK))
    }

    /// Whether the zone's wall clock shows a time of the set.
    pub(super) fn holds(&self, zone: Tz, at: i64) -> bool {
        self.contains(time_of_week(at, offset(zone, at)))
    }

    fn contains(&self, time: i64) -> bool {
        let next = self.ranges.partition_point(|(start, _)| *start <= time);
        next > 0 && self.ranges.get(next - 1).is_some_and(|(_, end)| time < *end)
    }

    /// How long after `time` the set ends or begins, if no clock is changed.
    fn until_boundary(&self, time: i64) -> i64 {
        let Some(&(first_start, first_end)) = self.ranges.first() else { return WEEK };
        let next = self.ranges.partition_point(|(start, _)| *start <= time);
        let current =
            next.checked_sub(1).and_then(|index| self.ranges.get(index)).filter(|(_, end)| time < *end);
        let boundary = match (current, self.ranges.get(next)) {
            // The week ends inside a range that goes on on Monday.
            (Some((_, WEEK)), _) if first_start == 0 => WEEK + first_end,
            (Some((_, end)), _) => *end,
            (None, Some((start, _))) => *start,
            (None, None) => WEEK + first_start,
        };
        boundary - time
    }

    /// The first instant after `at` at which [`Self::holds`] is no longer what it is at `at`. For a set that is
    /// neither empty nor full there always is one.
    pub(super) fn next_flip(&self, zone: Tz, at: i64) -> i64 {
        let held = self.holds(zone, at);
        let mut reached = at;
        loop {
            let time = time_of_week(reached, offset(zone, reached));
            let boundary = reached + self.until_boundary(time);
            // The clock may be changed on the way there: it then shows another time of the week.
            reached = next_shift(zone, reached, boundary).unwrap_or(boundary);
            if self.holds(zone, reached) != held {
                return reached;
            }
        }
    }
}

/// Sorts ranges and joins those that overlap or touch.
pub(super) fn merge(mut ranges: Vec<(i64, i64)>) -> Vec<(i64, i64)> {
    ranges.sort_unstable();
    let mut merged: Vec<(i64, i64)> = Vec::with_capacity(ranges.len());
    for (start, end) in ranges {
        match merged.last_mut() {
            Some(last) if start <= last.1 => last.1 = last.1.max(end),
            _ => merged.push((start, end)),
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn touching_ranges_are_one() {
        assert_eq!(merge(vec![(5, 7), (0, 2), (2, 4), (6, 9)]), [(0, 4), (5, 9)]);
    }

    #[test]
    fn a_sunday_night_reaches_into_monday() {
        let week = Week::from_start_days(Days::new(6, 6), 22 * 60, 6 * 60);
        assert_eq!(week.ranges, [(0, 6 * 60 * MINUTE), (6 * DAY + 22 * 60 * MINUTE, WEEK)]);
        assert_eq!(week.until_boundary(WEEK - MINUTE), 361 * MINUTE);
        assert_eq!(week.until_boundary(0), 360 * MINUTE);
        assert_eq!(week.until_boundary(DAY), 5 * DAY + 22 * 60 * MINUTE);
    }

    #[test]
    fn whole_days_are_joined_and_the_whole_week_is_full() {
        let workdays = Week::from_start_days(Days::new(0, 4), 0, 1_440);
        assert_eq!(workdays.ranges, [(0, 5 * DAY)]);
        assert!(workdays.union(Week::from_start_days(Days::new(5, 6), 0, 1_440)).is_full());
        assert!(Week::from_start_days(Days::EVERY, 480, 480).is_empty());
    }
}
