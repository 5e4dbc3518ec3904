//! Weeks and months of a local calendar.

use chrono::{Datelike, Days, Months, NaiveDate, Timelike};
use chrono_tz::Tz;

use crate::units::{Instant, Window, midnight};

/// The day a week starts on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum WeekStart {
    /// ISO 8601.
    #[default]
    Monday,
    /// As `week` in the window grammar.
    Sunday,
}

/// How long a budget lasts before it begins anew.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Period {
    /// Seven local days.
    Week(WeekStart),
    /// A calendar month.
    Month,
}

impl Period {
    /// The period that `at` lies in: from a local midnight to a local midnight, whatever the clocks do in between.
    pub fn around(self, at: Instant, zone: Tz) -> Window {
        let today = local_day(at, zone);
        let bounds = || {
            let (first, next) = match self {
                Self::Week(starts) => {
                    let back = match starts {
                        WeekStart::Monday => today.weekday().num_days_from_monday(),
                        WeekStart::Sunday => today.weekday().num_days_from_sunday(),
                    };
                    let first = today.checked_sub_days(Days::new(back.into()))?;
                    (first, first.checked_add_days(Days::new(7))?)
                }
                Self::Month => {
                    let first = today.with_day(1)?;
                    (first, first.checked_add_months(Months::new(1))?)
                }
            };
            Some(Window::new(midnight(first, zone), midnight(next, zone)))
        };
        // Only at the end of the calendar, in the year 262,000, is there no next period.
        bounds().unwrap_or_else(|| Window::new(at, at))
    }

    /// `week` or `month`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Week(_) => "week",
            Self::Month => "month",
        }
    }
}

fn local_day(at: Instant, zone: Tz) -> NaiveDate {
    at.to_chrono().with_timezone(&zone).date_naive()
}

/// The local day that `at` lies in: 23 to 25 hours, where clocks are changed.
pub(super) fn day_around(at: Instant, zone: Tz) -> Window {
    let today = local_day(at, zone);
    let next = today.succ_opt().unwrap_or(today);
    Window::new(midnight(today, zone), midnight(next, zone))
}

/// The local day before the one that `at` lies in.
pub(super) fn day_before(at: Instant, zone: Tz) -> Window {
    let today = local_day(at, zone);
    let before = today.pred_opt().unwrap_or(today);
    Window::new(midnight(before, zone), midnight(today, zone))
}

/// The same weekday so many weeks before.
pub(super) fn weeks_before(day: Window, weeks: u64, zone: Tz) -> Window {
    let date = local_day(day.start, zone);
    let then = date.checked_sub_days(Days::new(7 * weeks)).unwrap_or(date);
    let next = then.succ_opt().unwrap_or(then);
    Window::new(midnight(then, zone), midnight(next, zone))
}

/// Which hour of the local week `at` lies in: 0 is Monday from 00:00 on, 167 Sunday from 23:00 on.
pub(super) fn hour_of_week(at: Instant, zone: Tz) -> usize {
    let local = at.to_chrono().with_timezone(&zone);
    (local.weekday().num_days_from_monday() * 24 + local.hour()) as usize
}

/// The local midnight that lies strictly inside an hour of UTC: only in zones that are off by less than an hour.
pub(super) fn midnight_inside(hour: Instant, zone: Tz) -> Option<Instant> {
    let last = Instant(hour.next_hour().0 - 1);
    let begin = midnight(local_day(last, zone), zone);
    (begin > hour && begin <= last).then_some(begin)
}
