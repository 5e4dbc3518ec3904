//! The union of weekly ranges in any zones and of spans between instants: what every grammar is turned into.

use chrono_tz::Tz;

use super::clock::{LIMIT, WEEK, next_shift_of_any};
use super::week::{Week, merge};
use crate::units::Instant;

/// One part of a time spec, whatever its grammar.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Rule {
    /// Holds at any time.
    Always,
    /// Holds at no time.
    Never,
    /// Holds from the first instant until before the second; [`i64::MIN`] and [`i64::MAX`] are open ends.
    Span(i64, i64),
    /// Holds while the zone's wall clock shows one of these times.
    Weekly(Tz, Week),
}

/// When at least one of many rules holds.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub(super) struct Timetable {
    /// Whether it holds at any time, whatever says so.
    always: bool,
    /// Whether a rule says so that is about no zone.
    plainly_always: bool,
    /// Half-open, sorted, neither overlapping nor touching.
    spans: Vec<(i64, i64)>,
    /// One per zone, none of them empty.
    weeks: Vec<(Tz, Week)>,
}

impl FromIterator<Rule> for Timetable {
    fn from_iter<I: IntoIterator<Item = Rule>>(rules: I) -> Self {
        let mut table = Self::default();
        for rule in rules {
            match rule {
                Rule::Always => table.plainly_always = true,
                Rule::Span(start, end) if start < end => table.spans.push((start, end)),
                Rule::Never | Rule::Span(..) => {}
                Rule::Weekly(zone, week) => table.add_week(zone, week),
            }
        }
        table.spans = merge(table.spans);
        table.always = table.plainly_always || table.weeks.iter().any(|(_, week)| week.is_full());
        table.weeks.retain(|(_, week)| !week.is_empty());
        table
    }
}

impl Timetable {
    fn add_week(&mut self, zone: Tz, week: Week) {
        match self.weeks.iter_mut().find(|(known, _)| *known == zone) {
            Some((_, known)) => *known = std::mem::take(known).union(week),
            None => self.weeks.push((zone, week)),
        }
    }

    pub(super) fn holds(&self, at: Instant) -> bool {
        let at = at.0.clamp(-LIMIT, LIMIT);
        self.always
            || self.span_end(at).is_some()
            || self.weeks.iter().any(|(zone, week)| week.holds(*zone, at))
    }

    /// The first instant after `after` at which [`Self::holds`] is not what it is at `after`.
    pub(super) fn next_change(&self, after: Instant) -> Option<Instant> {
        if self.always || after.0 >= LIMIT {
            return None;
        }
        let at = after.0.max(-LIMIT);
        let change = if self.holds(after) { self.next_end(at) } else { self.next_start(at) };
        change.filter(|change| *change < LIMIT).map(Instant)
    }

    pub(super) const fn is_always(&self) -> bool {
        self.always
    }

    /// Whether it holds at any time by a rule that is about no zone.
    pub(super) const fn is_plainly_always(&self) -> bool {
        self.plainly_always
    }

    /// Whether a span between instants covers `at`.
    pub(super) fn in_span(&self, at: i64) -> bool {
        self.span_end(at).is_some()
    }

    pub(super) fn spans(&self) -> &[(i64, i64)] {
        &self.spans
    }

    pub(super) fn weeks(&self) -> &[(Tz, Week)] {
        &self.weeks
    }

    fn zones(&self) -> Vec<Tz> {
        self.weeks.iter().map(|(zone, _)| *zone).collect()
    }

    /// Where the span that covers `at` ends.
    fn span_end(&self, at: i64) -> Option<i64> {
        let next = self.spans.partition_point(|(start, _)| *start <= at);
        let (_, end) = self.spans.get(next.checked_sub(1)?)?;
        (at < *end).then_some(*end)
    }

    /// When something holds again, if nothing does at `at`.
    fn next_start(&self, at: i64) -> Option<i64> {
        let next = self.spans.partition_point(|(start, _)| *start <= at);
        let span = self.spans.get(next).map(|(start, _)| *start);
        self.weeks.iter().map(|(zone, week)| week.next_flip(*zone, at)).chain(span).min()
    }

    /// When nothing holds any more, if something does at `at`.
    fn next_end(&self, at: i64) -> Option<i64> {
        let mut reached = at;
        // Since when the weekly rules alone have kept it up.
        let mut weekly_since = at;
        loop {
            if let Some(end) = self.span_end(reached) {
                reached = end;
                weekly_since = end;
                if reached == i64::MAX {
                    return None;
                }
                continue;
            }
            let end = self
                .weeks
                .iter()
                .filter(|(zone, week)| week.holds(*zone, reached))
                .map(|(zone, week)| week.next_flip(*zone, reached))
                .max();
            match end {
                None => return Some(reached),
                Some(end) => reached = end,
            }
            if reached - weekly_since >= WEEK {
                // What has held for a whole week goes on until a clock is changed, and for ever if none is.
                weekly_since = next_shift_of_any(&self.zones(), weekly_since)?;
                reached = reached.max(weekly_since);
            }
        }
    }
}
