//! A calendar of holidays.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::NaiveDate;

/// Days that are named, such as the holidays of a country.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Calendar {
    /// By the number of the day since the epoch.
    days: BTreeMap<i64, Arc<str>>,
}

impl FromIterator<(NaiveDate, Arc<str>)> for Calendar {
    /// Of two names for a day the first one stays.
    fn from_iter<I: IntoIterator<Item = (NaiveDate, Arc<str>)>>(named: I) -> Self {
        let mut days = BTreeMap::new();
        for (date, name) in named {
            days.entry(day_number(date)).or_insert(name);
        }
        Self { days }
    }
}

impl Calendar {
    /// How many days it names.
    pub fn len(&self) -> usize {
        self.days.len()
    }

    /// Whether it names none.
    pub fn is_empty(&self) -> bool {
        self.days.is_empty()
    }

    /// What a day is called, if it is one of them.
    pub fn name_of(&self, date: NaiveDate) -> Option<&Arc<str>> {
        self.days.get(&day_number(date))
    }

    pub(super) const fn days(&self) -> &BTreeMap<i64, Arc<str>> {
        &self.days
    }
}

fn day_number(date: NaiveDate) -> i64 {
    i64::from(date.to_epoch_days())
}
