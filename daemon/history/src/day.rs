//! The files of one day, and which of them count.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use crate::layout::{Day, FileName, Hours, Resolution, Table, names, table_folder};
use crate::parquet::Decoder;
use crate::{Damaged, HistoryError};

/// What lies in the folders of one day.
#[derive(Debug)]
pub(crate) struct DayFiles {
    pub(crate) files: Vec<File>,
    /// Names that Nightcap did not write.
    pub(crate) foreign: Vec<PathBuf>,
}

/// One file of a day.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct File {
    pub(crate) resolution: Resolution,
    pub(crate) table: Table,
    pub(crate) name: FileName,
    pub(crate) path: PathBuf,
}

/// A set of files, one a table, of which some hours count.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Source {
    pub(crate) resolution: Resolution,
    pub(crate) name: FileName,
    pub(crate) hours: Hours,
}

impl DayFiles {
    pub(crate) fn list(root: &Path, cluster: &str, day: Day) -> Result<Self, HistoryError> {
        let mut found = Self { files: Vec::new(), foreign: Vec::new() };
        for resolution in Resolution::ALL {
            // The deciding table first: when its name is there, those of the others are.
            for table in Table::ALL.into_iter().rev() {
                let folder = table_folder(root, table, resolution, cluster).join(day.folder());
                for name in names(&folder).map_err(|error| HistoryError::read(&folder, error))? {
                    let path = folder.join(&name);
                    match FileName::parse(&name) {
                        Some(name) => found.files.push(File { resolution, table, name, path }),
                        None if name.starts_with('.') => {}
                        None => found.foreign.push(path),
                    }
                }
            }
        }
        found.files.sort_unstable();
        Ok(found)
    }

    /// The newest generation there is of anything.
    pub(crate) fn newest(&self) -> u32 {
        self.files.iter().map(|file| file.name.generation).max().unwrap_or(0)
    }

    /// The files of a set, one a table as far as it is there.
    pub(crate) fn of(&self, source: &Source, table: Table) -> Option<&File> {
        self.files.iter().find(|file| {
            let FileName { generation, compacted, hours, .. } = file.name;
            file.resolution == source.resolution
                && file.table == table
                && (generation, compacted, hours)
                    == (source.name.generation, source.name.compacted, source.name.hours)
        })
    }

    /// For each hour the newest generation that is not damaged: sets of files with the hours that count of them.
    pub(crate) fn hourly(&self, damaged: &BTreeSet<PathBuf>) -> Vec<Source> {
        let mut open = Hours::DAY;
        let mut sources = Vec::new();
        for file in self.deciding(Resolution::Hourly, damaged) {
            let hours = file.name.hours.and(open);
            if !hours.is_empty() {
                open = open.without(hours);
                sources.push(Source { resolution: Resolution::Hourly, name: file.name, hours });
            }
        }
        sources
    }

    /// The newest rows of the day as a whole that are not damaged.
    pub(crate) fn daily(&self, damaged: &BTreeSet<PathBuf>) -> Option<Source> {
        let file = self.deciding(Resolution::Daily, damaged).next()?;
        Some(Source { resolution: Resolution::Daily, name: file.name, hours: file.name.hours })
    }

    /// The files that decide, newest first.
    fn deciding(&self, resolution: Resolution, damaged: &BTreeSet<PathBuf>) -> impl Iterator<Item = &File> {
        let mut files: Vec<_> = self
            .files
            .iter()
            .filter(|file| file.resolution == resolution && file.table == Table::Allocations)
            .filter(|file| !damaged.contains(&file.path))
            .collect();
        files.sort_unstable_by_key(|file| std::cmp::Reverse(file.name));
        files.into_iter()
    }

    /// Files that count for nothing any more: superseded, or left by a crash before the deciding file was there.
    pub(crate) fn obsolete(&self) -> Vec<&File> {
        let none = BTreeSet::new();
        let mut counting = self.hourly(&none);
        counting.extend(self.daily(&none));
        self.files
            .iter()
            .filter(|file| {
                !counting
                    .iter()
                    .any(|source| self.of(source, file.table).is_some_and(|counts| counts.path == file.path))
            })
            .collect()
    }
}

/// Whether the rows of the day as a whole say the same as its hours.
pub(crate) fn is_fresh(daily: &Source, hourly: &[Source]) -> bool {
    match hourly {
        [] => true,
        [only] => {
            only.name.compacted
                && (only.name.generation, only.name.hours) == (daily.name.generation, daily.name.hours)
        }
        _ => false,
    }
}

/// Why a file could not be taken in.
#[derive(Debug)]
pub(crate) enum Unread {
    /// It is gone: it was replaced in the meantime, and a new look will find what replaced it.
    Gone,
    /// It is not what its name says.
    Damaged(Damaged),
}

/// Reads a file whole and checks it against the checksum in its name.
pub(crate) fn open(path: &Path, crc: u32) -> Result<Decoder, Unread> {
    let damaged = |reason: String| Unread::Damaged(Damaged { path: path.into(), reason });
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => return Err(Unread::Gone),
        Err(error) => return Err(damaged(cause(&error))),
    };
    if crc32fast::hash(&bytes) != crc {
        return Err(damaged(format!("its {} bytes do not agree with the checksum in its name", bytes.len())));
    }
    Decoder::open(bytes).map_err(damaged)
}

fn cause(error: &io::Error) -> String {
    format!("it could not be read: {error}")
}
