//! A timetable that does not hold on days off.

use chrono_tz::Tz;

use super::clock::LIMIT;
use super::days_off::DaysOff;
use super::timetable::Timetable;
use super::week::Week;
use crate::units::Instant;

impl Timetable {
    /// Whether at least one rule holds whose zone's clock shows no day off. What is about no zone is cut by the zone of the
    /// days off.
    pub(super) fn holds_except(&self, off: &DaysOff, at: Instant) -> bool {
        let at = at.0.clamp(-LIMIT, LIMIT);
        (self.is_plainly_always() || self.in_span(at)) && !off.covers(off.zone(), at)
            || self.weeks().iter().any(|(zone, week)| !off.covers(*zone, at) && week.holds(*zone, at))
    }

    /// The first instant after `after` at which [`Self::holds_except`] is not what it is at `after`.
    pub(super) fn next_change_except(&self, off: &DaysOff, after: Instant) -> Option<Instant> {
        if after.0 >= LIMIT {
            return None;
        }
        let held = self.holds_except(off, after);
        let mut at = after.0.max(-LIMIT);
        loop {
            if off.is_over(at) {
                // From here on it is the timetable itself.
                let here = Instant(at);
                return if self.holds(here) == held { self.next_change(here) } else { Some(here) };
            }
            let weekly = self.weeks().iter().filter_map(|(zone, week)| next_edge(off, *zone, week, at));
            at = weekly.chain(self.next_plain_edge(off, at)).min()?;
            if self.holds_except(off, Instant(at)) != held {
                return Some(Instant(at));
            }
        }
    }

    /// When what is about no zone may begin or end.
    fn next_plain_edge(&self, off: &DaysOff, at: i64) -> Option<i64> {
        if !self.is_plainly_always() && self.spans().is_empty() {
            return None;
        }
        let day = off.next_edge(off.zone(), at);
        if off.covers(off.zone(), at) {
            return day;
        }
        let ends = self.spans().iter().flat_map(|&(start, end)| [start, end]);
        ends.filter(|&end| end > at && end < i64::MAX).chain(day).min()
    }
}

/// When the times of one zone may begin or end. Within days off, nothing does before they end.
fn next_edge(off: &DaysOff, zone: Tz, week: &Week, at: i64) -> Option<i64> {
    let day = off.next_edge(zone, at);
    if off.covers(zone, at) || week.is_full() {
        return day;
    }
    Some(week.next_flip(zone, at)).into_iter().chain(day).min()
}
