//! How active a space is at an instant: the mean over many hours follows the measured tables.

use chrono::{Datelike, Timelike};
use chrono_tz::Tz;
use nightcap_core::units::{Instant, Millis};

use crate::activity_table::{BUSY, COMMITS, INTERMITTENT, NEAR_IDLE, OFFICE_LIKE};
use crate::rng::{hash, scale};

/// So many independent people or machines make one space active.
const MEMBERS: u64 = 4;

/// What kind of activity a space sees.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Activity {
    /// People in an office, Monday to Friday.
    OfficeLike,
    /// Now and then, day and night.
    Intermittent,
    /// Hardly ever.
    NearIdle,
    /// More often than not.
    Busy,
}

impl Activity {
    /// Thousandths of this hour of the week in which one member of such a space is active.
    pub fn share(self, hour_of_week: usize) -> u16 {
        let table = match self {
            Self::OfficeLike => &OFFICE_LIKE,
            Self::Intermittent => &INTERMITTENT,
            Self::NearIdle => &NEAR_IDLE,
            Self::Busy => &BUSY,
        };
        table.get(hour_of_week).copied().unwrap_or(0)
    }

    /// Thousandths of full activity at `at` of the space with this seed. Constant within an hour, 0 when nobody is
    /// there; depends on nothing else, so that it can be asked in any order.
    pub(crate) fn level(self, seed: u64, at: Instant, hour_of_week: usize) -> u64 {
        let hour = at.0.div_euclid(Millis::HOUR.0).cast_unsigned();
        let share = u64::from(self.share(hour_of_week));
        let active = (0..MEMBERS)
            .filter(|member| {
                scale(hash(seed, hour.wrapping_mul(MEMBERS).wrapping_add(*member)), 1_000) < share
            })
            .count();
        active as u64 * 1_000 / MEMBERS
    }
}

/// Of 100,000 commits, those that are made in this hour of the week: when developers are at work.
pub fn commits(hour_of_week: usize) -> u16 {
    COMMITS.get(hour_of_week).copied().unwrap_or(0)
}

/// The hour of the week on the clocks of `zone`: 0 is Monday 00:00-01:00.
pub fn hour_of_week(at: Instant, zone: Tz) -> usize {
    let local = at.to_chrono().with_timezone(&zone);
    (local.weekday().num_days_from_monday() * 24 + local.hour()) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hour_of_week_is_local() {
        let monday = nightcap_core::units::parse_rfc3339("2026-03-02T00:30:00Z").unwrap();
        assert_eq!(hour_of_week(monday, Tz::UTC), 0);
        assert_eq!(hour_of_week(monday, Tz::Europe__Berlin), 1);
        assert_eq!(hour_of_week(monday, Tz::America__New_York), 6 * 24 + 19);
    }

    #[test]
    fn mean_level_follows_the_table() {
        for (activity, hour) in [(Activity::OfficeLike, 11), (Activity::Busy, 86), (Activity::NearIdle, 3)] {
            let draws = 20_000;
            let sum: u64 =
                (0..draws).map(|week| activity.level(7, Instant(week * Millis::HOUR.0), hour)).sum();
            let mean = sum / draws.cast_unsigned();
            let share = u64::from(activity.share(hour));
            assert!(mean.abs_diff(share) <= 6, "{activity:?}: {mean} instead of {share}");
        }
    }

    #[test]
    fn office_is_empty_at_night_and_all_commits_are_there() {
        assert_eq!((Activity::OfficeLike.share(14), Activity::OfficeLike.share(24 * 6 + 3)), (165, 8));
        assert_eq!((0..168).map(|hour| u64::from(commits(hour))).sum::<u64>(), 99_987);
        assert_eq!((commits(168), Activity::Busy.share(168)), (0, 0));
    }
}
