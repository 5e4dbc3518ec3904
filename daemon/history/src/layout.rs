//! Where files lie and what their names say.
//!
//! ```text
//! nightcap-history.json                                      which format all of this has
//! allocations/cluster=prod/date=2026-03-01/h07.g000012.5f3a9c01.parquet       one hour
//! allocations/cluster=prod/date=2026-03-01/dffffff.g000031.0be477a2.parquet   a day, compacted
//! allocations-daily/cluster=prod/date=2026-03-01/dffffff.g000031.….parquet    the same day, one row instead of 24
//! assets/…, assets-daily/…, savings/…, savings-daily/…                        likewise
//! ```
//!
//! A name says which hours a file covers (an hour, or the bits of a day's hours), which *generation* it is, and the
//! CRC-32 of its bytes. For each hour the highest generation counts, and no other: so writing an hour again replaces
//! it, compacting a day replaces its hours, and a crash between writing and deleting counts nothing twice. The file of
//! `allocations` is written last and decides: the other tables' files count only with it, hour and generation alike.

use std::fmt;
use std::path::{Path, PathBuf};

use chrono::{DateTime, NaiveDate};
use nightcap_core::units::{Instant, Millis, Window};

/// The tables, the deciding one last: the order they are written in.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Table {
    Savings,
    Assets,
    Allocations,
}

impl Table {
    pub(crate) const ALL: [Self; 3] = [Self::Savings, Self::Assets, Self::Allocations];

    pub(crate) const fn folder(self, resolution: Resolution) -> &'static str {
        match (self, resolution) {
            (Self::Allocations, Resolution::Hourly) => "allocations",
            (Self::Allocations, Resolution::Daily) => "allocations-daily",
            (Self::Assets, Resolution::Hourly) => "assets",
            (Self::Assets, Resolution::Daily) => "assets-daily",
            (Self::Savings, Resolution::Hourly) => "savings",
            (Self::Savings, Resolution::Daily) => "savings-daily",
        }
    }
}

/// How much time one row stands for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Resolution {
    Hourly,
    Daily,
}

impl Resolution {
    pub(crate) const ALL: [Self; 2] = [Self::Hourly, Self::Daily];
}

/// A UTC day.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Day(i64);

impl Day {
    pub(crate) fn of(at: Instant) -> Self {
        Self(at.0.div_euclid(Millis::DAY.0))
    }

    pub(crate) fn start(self) -> Instant {
        Instant(self.0 * Millis::DAY.0)
    }

    pub(crate) fn window(self) -> Window {
        Window::new(self.start(), self.start() + Millis::DAY)
    }

    pub(crate) fn hour(self, hour: u8) -> Window {
        let start = self.start() + Millis::from_hours(i64::from(hour));
        Window::new(start, start + Millis::HOUR)
    }

    fn parse(folder: &str) -> Option<Self> {
        let date: NaiveDate = folder.strip_prefix("date=")?.parse().ok()?;
        let day = Self::of(Instant::from(date.and_hms_opt(0, 0, 0)?.and_utc()));
        (day.folder() == folder).then_some(day)
    }

    pub(crate) fn folder(self) -> String {
        let date = DateTime::from_timestamp_millis(self.start().0).unwrap_or_default();
        format!("date={}", date.format("%Y-%m-%d"))
    }
}

impl fmt::Debug for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.folder())
    }
}

/// Hours of a day, as bits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub(crate) struct Hours(u32);

impl Hours {
    pub(crate) const NONE: Self = Self(0);
    pub(crate) const DAY: Self = Self(0x00ff_ffff);

    pub(crate) fn one(hour: u8) -> Self {
        Self(1 << (hour % 24))
    }

    pub(crate) fn of(at: Instant) -> Self {
        Self::one(hour_of(at))
    }

    pub(crate) fn contains(self, hour: u8) -> bool {
        self.0 & Self::one(hour).0 != 0
    }

    pub(crate) fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    pub(crate) fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(crate) fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    pub(crate) fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(crate) fn iter(self) -> impl DoubleEndedIterator<Item = u8> {
        (0..24).filter(move |&hour| self.contains(hour))
    }
}

/// The hour of the day `at` lies in.
pub(crate) fn hour_of(at: Instant) -> u8 {
    u8::try_from(at.0.rem_euclid(Millis::DAY.0) / Millis::HOUR.0).unwrap_or(0)
}

/// What a file's name says.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct FileName {
    pub(crate) generation: u32,
    /// A compacted day, not a single hour: of two files of one generation the day would count.
    pub(crate) compacted: bool,
    pub(crate) hours: Hours,
    pub(crate) crc: u32,
}

impl fmt::Display for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.compacted {
            write!(f, "d{:06x}", self.hours.0)?;
        } else {
            write!(f, "h{:02}", self.hours.iter().next().unwrap_or(0))?;
        }
        write!(f, ".g{:06}.{:08x}.parquet", self.generation, self.crc)
    }
}

impl FileName {
    /// The name with a star for the checksum: what a file of the same set in another table is called.
    pub(crate) fn of_any_content(&self) -> String {
        self.to_string().replace(&format!(".{:08x}.", self.crc), ".*.")
    }

    /// Reads a name; `None` for what Nightcap did not write.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        let mut parts = name.strip_suffix(".parquet")?.split('.');
        let (covers, generation, crc) = (parts.next()?, parts.next()?, parts.next()?);
        let (compacted, hours) = if let Some(bits) = covers.strip_prefix('d') {
            (true, Hours(u32::from_str_radix(bits, 16).ok()?))
        } else {
            (false, Hours::one(covers.strip_prefix('h')?.parse().ok()?))
        };
        let parsed = Self {
            generation: generation.strip_prefix('g')?.parse().ok()?,
            compacted,
            hours,
            crc: u32::from_str_radix(crc, 16).ok()?,
        };
        // Writing it again must give the same: so there is one spelling, and nothing after it.
        (parsed.to_string() == name && hours.without(Hours::DAY).is_empty()).then_some(parsed)
    }
}

/// The folder of a table and cluster.
pub(crate) fn table_folder(root: &Path, table: Table, resolution: Resolution, cluster: &str) -> PathBuf {
    root.join(table.folder(resolution)).join(format!("cluster={}", escape(cluster)))
}

/// The file whose lock says that a process writes the history of a cluster.
pub(crate) fn lock_name(cluster: &str) -> String {
    format!(".lock-{}", escape(cluster))
}

/// The days that a table's folder has folders for, in order; a folder that is not there has none.
pub(crate) fn days(folder: &Path) -> std::io::Result<Vec<Day>> {
    let mut days: Vec<_> = names(folder)?.iter().filter_map(|name| Day::parse(name)).collect();
    days.sort_unstable();
    Ok(days)
}

/// The clusters there is history of.
pub(crate) fn clusters(root: &Path) -> std::io::Result<Vec<String>> {
    let mut clusters = Vec::new();
    for resolution in Resolution::ALL {
        for name in names(&root.join(Table::Allocations.folder(resolution)))? {
            clusters.extend(name.strip_prefix("cluster=").and_then(unescape));
        }
    }
    clusters.sort_unstable();
    clusters.dedup();
    Ok(clusters)
}

/// Names in a folder; none if it is not there.
pub(crate) fn names(folder: &Path) -> std::io::Result<Vec<String>> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
}

/// As Hive and Spark do: what may mean something in a path becomes `%` and two digits.
fn escape(cluster: &str) -> String {
    let mut out = String::with_capacity(cluster.len());
    for &byte in cluster.as_bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.') {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

fn unescape(folder: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(folder.len());
    let mut rest = folder.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        if first == b'%' {
            let digits = std::str::from_utf8(after.get(..2)?).ok()?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = &after[2..];
        } else {
            bytes.push(first);
            rest = after;
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back_as_what_they_say() {
        let hour = FileName { generation: 12, compacted: false, hours: Hours::one(7), crc: 0x5f3a_9c01 };
        let day = FileName { generation: 31, compacted: true, hours: Hours::DAY, crc: 0xbe4 };
        for (name, text) in
            [(hour, "h07.g000012.5f3a9c01.parquet"), (day, "dffffff.g000031.00000be4.parquet")]
        {
            assert_eq!(name.to_string(), text);
            assert_eq!(FileName::parse(text), Some(name));
        }
    }

    #[test]
    fn what_nightcap_did_not_write_is_no_name() {
        for name in [
            "",
            "part-0000.parquet",
            ".writing-h07.g000012.5f3a9c01.parquet",
            "h7.g000012.5f3a9c01.parquet",
            "h24.g000012.5f3a9c01.parquet",
            "h07.g000012.5F3A9C01.parquet",
            "h07.g000012.5f3a9c01.x.parquet",
            "d1ffffff.g000001.00000000.parquet",
        ] {
            assert_eq!(FileName::parse(name), None, "{name}");
        }
    }

    #[test]
    fn cluster_names_survive_paths() {
        let arn = "arn:aws:eks:eu-central-1:111122223333:cluster/prod";
        let folder = escape(arn);
        assert_eq!(folder, "arn%3Aaws%3Aeks%3Aeu-central-1%3A111122223333%3Acluster%2Fprod");
        assert_eq!(unescape(&folder).as_deref(), Some(arn));
        assert_eq!(unescape("a%2"), None);
        assert_eq!(unescape("a%zz"), None);
    }

    #[test]
    fn days_are_utc_days() {
        let day = Day::of(Instant(1_772_539_200_000));
        assert_eq!(day.folder(), "date=2026-03-03");
        assert_eq!(Day::parse("date=2026-03-03"), Some(day));
        assert_eq!(Day::parse("date=2026-3-3"), None);
        assert_eq!(hour_of(Instant(1_772_539_200_000)), 12);
        assert_eq!(day.hour(12).start, Instant(1_772_539_200_000));
    }
}
