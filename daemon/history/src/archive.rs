//! The archive: a folder of Parquet files that one daemon writes and anybody reads.

use std::collections::{BTreeSet, HashMap};
use std::fs::{self, File, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use nightcap_core::money::query::Needs;
use nightcap_core::money::{AllocationRow, FlatRow, Hour, NodePrice};
use nightcap_core::units::{Instant, Window};
use serde::{Deserialize, Serialize};

use crate::day::DayFiles;
use crate::health::Met;
use crate::layout::{self, Day, FileName, Hours, Resolution, Table, table_folder};
use crate::parquet::{self, ROW_GROUP, ROW_GROUP_OF_HOUR};
use crate::read::HourStream;
use crate::sheet::Sheet;
use crate::{HistoryError, durable};

/// The file that says which format the folder has.
const MARK: &str = "nightcap-history.json";
/// The format this version writes, and the newest it reads.
const FORMAT: u32 = 1;

#[derive(Serialize, Deserialize)]
struct Mark {
    format: u32,
}

/// The history of one cluster. Every call blocks on files: from async code, call it in `spawn_blocking`.
#[derive(Debug)]
pub struct Archive {
    root: PathBuf,
    cluster: String,
    /// Held while this process may write; the lock goes with it.
    lock: Option<File>,
    /// One write at a time.
    writing: Mutex<()>,
    /// Files that could not be read.
    pub(crate) met: Met,
}

impl Archive {
    /// Opens the history in `root` for writing, and begins one if there is none.
    pub fn open(root: &Path, cluster: &str) -> Result<Self, HistoryError> {
        let marked = check(root)?;
        durable::make_folder(root)?;
        let path = root.join(layout::lock_name(cluster));
        let lock = File::create(&path).map_err(|error| HistoryError::write(&path, error))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(HistoryError::Locked(root.to_owned())),
            Err(TryLockError::Error(error)) => return Err(HistoryError::write(&path, error)),
        }
        if !marked {
            let mark = serde_json::to_vec(&Mark { format: FORMAT }).unwrap_or_default();
            durable::write(root, MARK, &mark)?;
        }
        Ok(Self {
            root: root.to_owned(),
            cluster: cluster.to_owned(),
            lock: Some(lock),
            writing: Mutex::new(()),
            met: Met::default(),
        })
    }

    /// Opens the history in `root` for reading only, also while a daemon writes it.
    pub fn open_read_only(root: &Path, cluster: &str) -> Result<Self, HistoryError> {
        if !check(root)? {
            return Err(HistoryError::Absent(root.to_owned()));
        }
        let (root, cluster) = (root.to_owned(), cluster.to_owned());
        Ok(Self { root, cluster, lock: None, writing: Mutex::new(()), met: Met::default() })
    }

    /// The clusters there is history of in a folder.
    pub fn clusters(root: &Path) -> Result<Vec<String>, HistoryError> {
        if !check(root)? {
            return Err(HistoryError::Absent(root.to_owned()));
        }
        layout::clusters(root).map_err(|error| HistoryError::read(root, error))
    }

    /// The folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The cluster.
    pub fn cluster(&self) -> &str {
        &self.cluster
    }

    /// The rows of a window, merged as far as `needs` allow.
    pub fn hours(&self, window: Window, needs: &Needs) -> Result<HourStream<'_>, HistoryError> {
        HourStream::new(self, window, needs.clone(), false)
    }

    /// The hours of a window just as they were written, to go on from after a restart.
    pub fn verbatim(&self, window: Window) -> Result<HourStream<'_>, HistoryError> {
        HourStream::new(self, window, Needs::everything(), true)
    }

    /// The starts of the hours that are kept one by one within a window.
    pub fn kept(&self, window: Window) -> Result<BTreeSet<Instant>, HistoryError> {
        let folder = table_folder(&self.root, Table::Allocations, Resolution::Hourly, &self.cluster);
        let days = layout::days(&folder).map_err(|error| HistoryError::read(&folder, error))?;
        let mut kept = BTreeSet::new();
        for day in days.into_iter().filter(|day| !day.window().intersect(window).is_empty()) {
            let sources = DayFiles::list(&self.root, &self.cluster, day)?.hourly(&BTreeSet::new());
            let hours = sources.iter().flat_map(|source| source.hours.iter().map(|hour| day.hour(hour)));
            kept.extend(hours.filter(|hour| !hour.intersect(window).is_empty()).map(|hour| hour.start));
        }
        Ok(kept)
    }

    /// Writes a closed hour: all of it or, on an error, nothing.
    ///
    /// Writing an hour again replaces it, so it is safe to try again, and a late correction is the same hour written
    /// once more with the correction in it. The rows of a [partial](Hour::partial) hour come on top of those that are
    /// there; such as are there already are not added again, so that this too is safe to try again.
    ///
    /// On an error (a full disk, say) the caller keeps the hour and tries again.
    pub fn write_hour(&self, hour: &Hour) -> Result<(), HistoryError> {
        let _writing = self.write_access()?;
        if hour.partial { self.put_hour(&self.on_top(hour)?) } else { self.put_hour(hour) }
    }

    /// The files of the day of an hour, unless of that only the day is kept.
    pub(crate) fn open_day(&self, hour: Instant) -> Result<(Day, DayFiles), HistoryError> {
        let day = Day::of(hour);
        let files = DayFiles::list(&self.root, &self.cluster, day)?;
        let none = BTreeSet::new();
        if files.daily(&none).is_some() && files.hourly(&none).is_empty() {
            return Err(HistoryError::Retired(hour));
        }
        Ok((day, files))
    }

    pub(crate) fn put_hour(&self, hour: &Hour) -> Result<(), HistoryError> {
        let (day, files) = self.open_day(hour.start)?;
        let name = FileName {
            generation: files.newest() + 1,
            compacted: false,
            hours: Hours::of(hour.start),
            crc: 0,
        };
        let prices = prices(hour);
        for table in Table::ALL {
            let mut sheet = Sheet::new(table);
            match table {
                Table::Savings => hour.saved.iter().for_each(|row| sheet.add_saved(hour.start, row)),
                Table::Assets => hour.assets.iter().for_each(|row| sheet.add_asset(hour.start, row)),
                Table::Allocations => {
                    let mut rows: Vec<_> = charges(hour).collect();
                    rows.sort_by(|a, b| a.order().cmp(&b.order()));
                    for row in rows {
                        row.add_to(&mut sheet, hour.start, &prices);
                    }
                }
            }
            self.put(table, Resolution::Hourly, day, name, std::iter::once(Ok(sheet)))?;
        }
        self.remove_obsolete(day)?;
        Ok(())
    }

    /// Bytes on disk.
    pub fn size_bytes(&self) -> Result<u64, HistoryError> {
        let mut bytes = 0;
        for resolution in Resolution::ALL {
            for table in Table::ALL {
                let folder = table_folder(&self.root, table, resolution, &self.cluster);
                for day in layout::days(&folder).map_err(|error| HistoryError::read(&folder, error))? {
                    for file in DayFiles::list(&self.root, &self.cluster, day)?.files {
                        if (file.resolution, file.table) == (resolution, table) {
                            bytes += fs::metadata(&file.path).map_or(0, |metadata| metadata.len());
                        }
                    }
                }
            }
        }
        Ok(bytes)
    }

    pub(crate) fn write_access(&self) -> Result<MutexGuard<'_, ()>, HistoryError> {
        if self.lock.is_none() {
            return Err(HistoryError::ReadOnly(self.root.clone()));
        }
        Ok(self.writing.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts one file of a set in its place; of the set, `allocations` comes last.
    pub(crate) fn put(
        &self,
        table: Table,
        resolution: Resolution,
        day: Day,
        name: FileName,
        sheets: impl Iterator<Item = Result<Sheet, HistoryError>>,
    ) -> Result<(), HistoryError> {
        let size = if name.compacted { ROW_GROUP } else { ROW_GROUP_OF_HOUR };
        let groups = sheets.flat_map(|sheet| match sheet {
            Ok(sheet) => sheet.into_groups(resolution, size).into_iter().map(Ok).collect(),
            Err(error) => vec![Err(error)],
        });
        let bytes = parquet::encode(&table.schema().columns(resolution), groups)?;
        let folder = table_folder(&self.root, table, resolution, &self.cluster).join(day.folder());
        durable::make_folder(&folder)?;
        let name = FileName { crc: crc32fast::hash(&bytes), ..name };
        durable::write(&folder, &name.to_string(), &bytes)
    }

    /// Deletes what does not count any more. What cannot be deleted now is tried again by the next call.
    pub(crate) fn remove_obsolete(&self, day: Day) -> Result<usize, HistoryError> {
        let files = DayFiles::list(&self.root, &self.cluster, day)?;
        Ok(files.obsolete().into_iter().filter(|file| fs::remove_file(&file.path).is_ok()).count())
    }
}

/// Whether the folder is marked as a history that this version knows; `false` if there is none yet.
fn check(root: &Path) -> Result<bool, HistoryError> {
    let path = root.join(MARK);
    let text = match fs::read(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(HistoryError::read(&path, error)),
    };
    let mark: Mark = serde_json::from_slice(&text)
        .map_err(|error| HistoryError::Unmarked { path: path.clone(), reason: error.to_string() })?;
    if mark.format > FORMAT {
        return Err(HistoryError::Newer { path: root.to_owned(), found: mark.format, known: FORMAT });
    }
    Ok(true)
}

/// A row of `allocations`.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ChargeRow<'a> {
    Pod(&'a AllocationRow),
    Flat(&'a FlatRow),
}

/// What rows are sorted by, so that what repeats lies together: namespace, workload, pod or asset, then time.
pub(crate) type Order<'a> = (&'a str, &'a str, &'a str, &'a str, Instant);

impl ChargeRow<'_> {
    pub(crate) fn order(&self) -> Order<'_> {
        let (of, name, uid, start) = match self {
            Self::Pod(row) => {
                let pod = &row.holder.pod;
                (&row.holder.attribution, &pod.name, &pod.uid, row.window.start)
            }
            Self::Flat(row) => (&row.attribution, &row.asset.name, &row.asset.uid, row.window.start),
        };
        (&of.namespace, of.workload.as_ref().map_or("", |workload| &workload.name), name, uid, start)
    }

    pub(crate) fn add_to(&self, sheet: &mut Sheet, period: Instant, prices: &HashMap<&str, &NodePrice>) {
        match self {
            Self::Pod(row) => sheet.add_pod(period, row, prices.get(&*row.holder.node.uid).copied()),
            Self::Flat(row) => sheet.add_flat(period, row),
        }
    }
}

pub(crate) fn charges(hour: &Hour) -> impl Iterator<Item = ChargeRow<'_>> {
    hour.allocations.iter().map(ChargeRow::Pod).chain(hour.flat.iter().map(ChargeRow::Flat))
}

/// The price that the rows of a node's pods rest on: that of its first row in the hour.
pub(crate) fn prices(hour: &Hour) -> HashMap<&str, &NodePrice> {
    let mut prices = HashMap::new();
    for asset in hour.assets.iter().rev() {
        match &asset.price {
            Some(price) => prices.insert(&*asset.node.uid, &**price),
            None => prices.remove(&*asset.node.uid),
        };
    }
    prices
}
