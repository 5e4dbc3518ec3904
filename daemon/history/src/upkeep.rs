//! Upkeep: the hours of a day that is over become one file, and one row a day; what is too old goes.

use std::collections::{BTreeSet, VecDeque};
use std::fs;
use std::path::Path;

use nightcap_core::money::query::Needs;
use nightcap_core::units::{Instant, Millis};

use crate::archive::{Archive, charges, prices};
use crate::day::{DayFiles, Source, is_fresh};
use crate::layout::{Day, FileName, Hours, Resolution, Table, days, names, table_folder};
use crate::sheet::Sheet;
use crate::{Damaged, HistoryError, durable};

/// A day is compacted so long after its end: its last hour is written by then, and most of what came late.
const REST: Millis = Millis::from_hours(2);

/// How long history is kept, by resolution.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Retention {
    /// Rows by the hour.
    pub hourly: Millis,
    /// Rows by the day.
    pub daily: Millis,
}

impl Default for Retention {
    fn default() -> Self {
        Self { hourly: Millis::from_hours(90 * 24), daily: Millis::from_hours(3 * 366 * 24) }
    }
}

/// What upkeep did.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Upkeep {
    /// Days whose hours became one file.
    pub compacted_days: usize,
    /// Days whose hours, or which as a whole, are not kept any longer.
    pub retired_days: usize,
    /// Files that crashes or replacements had left.
    pub removed_files: usize,
    /// Files that could not be read. Their days are left as they are.
    pub damaged: Vec<Damaged>,
    /// What could not be done, a day at a time; the rest was.
    pub failed: Vec<Failure>,
}

/// A part of upkeep.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Chore {
    /// To make one file of the hours of a day.
    Compact,
    /// To delete what is too old.
    Retain,
}

/// A part of upkeep that could not be done for a day.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure {
    /// Which part.
    pub chore: Chore,
    /// Why, with the file.
    pub cause: String,
}

impl Upkeep {
    fn tried(&mut self, chore: Chore, result: Result<(), HistoryError>) {
        if let Err(error) = result {
            self.failed.push(Failure { chore, cause: error.to_string() });
        }
    }
}

impl Archive {
    /// Compacts the days that are over, and deletes what is older than `retention`. Safe to stop at any point. A day at
    /// which that fails is told, and the others are done.
    pub fn keep_up(&self, now: Instant, retention: &Retention) -> Result<Upkeep, HistoryError> {
        let _writing = self.write_access()?;
        let mut done = Upkeep::default();
        let mut all = BTreeSet::new();
        for resolution in Resolution::ALL {
            for table in Table::ALL {
                let folder = table_folder(self.root(), table, resolution, self.cluster());
                all.extend(days(&folder).map_err(|error| HistoryError::read(&folder, error))?);
            }
        }
        for day in all {
            self.sweep(day);
            let over = day.window().end;
            let (no_hours, no_days) = (over + retention.hourly <= now, over + retention.daily <= now);
            if over + REST <= now && !(no_hours && no_days) {
                let result = self.compact(day, !no_days, &mut done);
                done.tried(Chore::Compact, result);
            }
            if no_hours {
                let result = self.retire(day, Resolution::Hourly, no_days, &mut done);
                done.tried(Chore::Retain, result);
            }
            if no_days {
                let result = self.retire(day, Resolution::Daily, true, &mut done);
                done.tried(Chore::Retain, result);
            }
            let result = self.remove_obsolete(day).map(|removed| done.removed_files += removed);
            done.tried(Chore::Retain, result);
            self.remove_empty(day);
        }
        for damaged in &done.damaged {
            self.met.note(damaged);
        }
        Ok(done)
    }

    /// Makes one file a table of a day's hours, and one of the day as a whole.
    fn compact(&self, day: Day, and_daily: bool, done: &mut Upkeep) -> Result<(), HistoryError> {
        let none = BTreeSet::new();
        let files = DayFiles::list(self.root(), self.cluster(), day)?;
        let mut hourly = files.hourly(&none);
        if hourly.is_empty() {
            return Ok(());
        }
        if !matches!(&hourly[..], [only] if only.name.compacted && only.name.hours == only.hours) {
            let hours = hourly.iter().fold(Hours::NONE, |hours, source| hours.or(source.hours));
            let name = FileName { generation: files.newest() + 1, compacted: true, hours, crc: 0 };
            // A day with damaged files stays as it is.
            if let Some(damaged) = self.write_compacted(day, name, &files, &hourly)? {
                done.damaged.push(damaged);
                return Ok(());
            }
            done.compacted_days += 1;
            hourly = DayFiles::list(self.root(), self.cluster(), day)?.hourly(&none);
        }
        let daily = files.daily(&none);
        if and_daily && !daily.is_some_and(|daily| is_fresh(&daily, &hourly)) {
            self.write_daily(day, &hourly, done)?;
        }
        Ok(())
    }

    /// Writes the day as a whole, of the generation of its hours.
    fn write_daily(&self, day: Day, hourly: &[Source], done: &mut Upkeep) -> Result<(), HistoryError> {
        let [source] = hourly else { return Ok(()) };
        let mut stream = self.hours(day.window(), &Needs::everything())?;
        let period = day.start();
        let [mut savings, mut assets, mut allocations] = Table::ALL.map(Sheet::new);
        for hour in stream.by_ref() {
            let hour = hour?;
            hour.saved.iter().for_each(|row| savings.add_saved(period, row));
            hour.assets.iter().for_each(|row| assets.add_asset(period, row));
            let prices = prices(&hour);
            let mut rows: Vec<_> = charges(&hour).collect();
            rows.sort_by(|a, b| a.order().cmp(&b.order()));
            for row in rows {
                row.add_to(&mut allocations, period, &prices);
            }
        }
        let damaged: Vec<_> = stream.damaged().cloned().collect();
        if !damaged.is_empty() {
            done.damaged.extend(damaged);
            return Ok(());
        }
        for (table, sheet) in Table::ALL.into_iter().zip([savings, assets, allocations]) {
            self.put(table, Resolution::Daily, day, source.name, std::iter::once(Ok(sheet)))?;
        }
        Ok(())
    }

    /// Deletes a resolution of a day. Hours go only once the day as a whole is there, unless that is too old as well.
    fn retire(&self, day: Day, of: Resolution, unseen: bool, done: &mut Upkeep) -> Result<(), HistoryError> {
        let none = BTreeSet::new();
        let files = DayFiles::list(self.root(), self.cluster(), day)?;
        let hourly = files.hourly(&none);
        let kept = files.daily(&none).is_some_and(|daily| is_fresh(&daily, &hourly));
        let mut going: VecDeque<_> = files.files.iter().filter(|file| file.resolution == of).collect();
        if going.is_empty() || (of == Resolution::Hourly && !kept && !unseen) {
            return Ok(());
        }
        // The deciding table first: without it the others count for nothing.
        going.make_contiguous().sort_by_key(|file| std::cmp::Reverse(file.table));
        for file in going {
            fs::remove_file(&file.path).map_err(|error| HistoryError::write(&file.path, error))?;
        }
        done.retired_days += 1;
        Ok(())
    }

    /// Removes what writes that were cut short have left.
    fn sweep(&self, day: Day) {
        self.day_folders(day, |folder| {
            for name in names(folder).unwrap_or_default() {
                if name.starts_with(durable::ASIDE) {
                    let _ = fs::remove_file(folder.join(name));
                }
            }
        });
    }

    fn remove_empty(&self, day: Day) {
        self.day_folders(day, |folder| {
            let _ = fs::remove_dir(folder); // refused unless it is empty
        });
    }

    fn day_folders(&self, day: Day, each: impl Fn(&Path)) {
        for resolution in Resolution::ALL {
            for table in Table::ALL {
                each(&table_folder(self.root(), table, resolution, self.cluster()).join(day.folder()));
            }
        }
    }
}
