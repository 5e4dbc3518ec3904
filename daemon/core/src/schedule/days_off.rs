//! Days on which an uptime does not hold, in the wall clock of its people.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono_tz::Tz;

use super::Calendar;
use super::clock::{DAY, next_shift, offset};
use crate::units::Instant;

/// A zone's clock never shows a day that is further than this from the day in UTC.
const ZONE_REACH: i64 = 2 * DAY;

/// The days of some calendars, as one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DaysOff {
    days: BTreeMap<i64, Arc<str>>,
    zone: Tz,
}

impl DaysOff {
    /// All days of these calendars; what names no zone of its own is cut by the days of `zone`.
    pub fn new<'a>(calendars: impl IntoIterator<Item = &'a Calendar>, zone: Tz) -> Self {
        let mut days = BTreeMap::new();
        for calendar in calendars {
            for (day, name) in calendar.days() {
                days.entry(*day).or_insert_with(|| Arc::clone(name));
            }
        }
        Self { days, zone }
    }

    /// The same days by the clock of another zone.
    #[must_use]
    pub fn in_zone(&self, zone: Tz) -> Self {
        Self { days: self.days.clone(), zone }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.days.is_empty()
    }

    /// The name of the day off that its zone's clock shows, if it shows one.
    pub fn name_at(&self, at: Instant) -> Option<&Arc<str>> {
        self.days.get(&local_day(self.zone, at.0))
    }

    /// Its zone.
    pub(super) const fn zone(&self) -> Tz {
        self.zone
    }

    /// Whether the clock of `zone` shows a day off.
    pub(super) fn covers(&self, zone: Tz, at: i64) -> bool {
        self.days.contains_key(&local_day(zone, at))
    }

    /// Whether there is no day off any more, whatever the zone.
    pub(super) fn is_over(&self, at: i64) -> bool {
        self.days.last_key_value().is_none_or(|(last, _)| at > (last + 1) * DAY + ZONE_REACH)
    }

    /// The first instant after `at` at which [`Self::covers`] is not what it is at `at`.
    pub(super) fn next_edge(&self, zone: Tz, at: i64) -> Option<i64> {
        let covered = self.covers(zone, at);
        let mut reached = at;
        loop {
            let ahead = offset(zone, reached);
            let day = (reached + ahead).div_euclid(DAY);
            let edge = if covered { self.first_free(day) } else { self.first_off(day)? } * DAY - ahead;
            // The clock may be changed on the way there: it then shows another day, or the same at another time.
            reached = next_shift(zone, reached, edge).unwrap_or(edge);
            if self.covers(zone, reached) != covered {
                return Some(reached);
            }
        }
    }

    /// The first day after `day` that is none off.
    fn first_free(&self, day: i64) -> i64 {
        let mut free = day + 1;
        for off in self.days.range(free..).map(|(off, _)| *off) {
            if off != free {
                break;
            }
            free += 1;
        }
        free
    }

    /// The first day after `day` that is one off.
    fn first_off(&self, day: i64) -> Option<i64> {
        self.days.range(day + 1..).next().map(|(off, _)| *off)
    }
}

fn local_day(zone: Tz, at: i64) -> i64 {
    (at + offset(zone, at)).div_euclid(DAY)
}
