//! The hours of a day as one sorted file: columns are copied as they are, a part of the rows at a time.

use std::sync::Arc;

use nightcap_core::units::Instant;

use crate::archive::Archive;
use crate::day::{DayFiles, Source, Unread, open};
use crate::frame::{Cells, Texts};
use crate::layout::{Day, FileName, Resolution, Table, hour_of};
use crate::parquet::Decoder;
use crate::schema::{Allocation, period};
use crate::sheet::Sheet;
use crate::{Damaged, HistoryError, Kind};

/// Rows that are sorted and encoded at once.
const ROWS_AT_ONCE: usize = 15_000;
/// Of so many rows the name of one is taken, to see how names are spread.
const SAMPLE: usize = 8;

/// Namespace, workload, and pod or asset: what rows are sorted by, and then by time.
type Name = [Arc<str>; 3];

/// One row group of a file of the day.
struct Piece {
    decoder: Decoder,
    group: usize,
}

impl Archive {
    /// Writes what counts of the sources as one set of files. A file that cannot be read is given back instead; then
    /// nothing is written.
    pub(crate) fn write_compacted(
        &self,
        day: Day,
        name: FileName,
        files: &DayFiles,
        sources: &[Source],
    ) -> Result<Option<Damaged>, HistoryError> {
        let compaction = Compaction { day, files, sources };
        for table in [Table::Savings, Table::Assets] {
            let mut sheet = Sheet::new(table);
            let taken = compaction
                .each(table, |piece, rows| sheet.append(&piece.decoder.read_all(table, piece.group)?, &rows));
            if let Err(damaged) = taken {
                return Ok(Some(damaged));
            }
            self.put(table, Resolution::Hourly, day, name, std::iter::once(Ok(sheet.sorted(table))))?;
        }
        let parts = match compaction.parts() {
            Ok(parts) => parts,
            Err(damaged) => return Ok(Some(damaged)),
        };
        let sheets = (0..parts.count).map(|nth| {
            let sheet = compaction.charges(&parts, nth);
            // It was whole a moment ago.
            sheet.map_err(|Damaged { path, reason }| HistoryError::read(&path, std::io::Error::other(reason)))
        });
        self.put(Table::Allocations, Resolution::Hourly, day, name, sheets)?;
        Ok(None)
    }
}

/// The charges of a day cut by name into parts that can be sorted at once.
struct Parts {
    count: u16,
    /// By piece, then by row that counts: which part it is in.
    of: Vec<Vec<u16>>,
}

struct Compaction<'a> {
    day: Day,
    files: &'a DayFiles,
    sources: &'a [Source],
}

impl Compaction<'_> {
    /// Goes over the row groups of a table, with the rows of each that count.
    fn each(
        &self,
        table: Table,
        mut take: impl FnMut(&Piece, Vec<usize>) -> Result<(), String>,
    ) -> Result<(), Damaged> {
        for source in self.sources {
            let Some(file) = self.files.of(source, table) else {
                let path =
                    std::path::Path::new(table.folder(source.resolution)).join(source.name.of_any_content());
                return Err(Damaged { path: path.into(), reason: "it is not there".to_owned() });
            };
            let damaged = |reason: String| Damaged { path: file.path.as_path().into(), reason };
            let decoder = open(&file.path, file.name.crc).map_err(|unread| match unread {
                Unread::Damaged(damaged) => damaged,
                Unread::Gone => damaged("it is not there".to_owned()),
            })?;
            let mut piece = Piece { decoder, group: 0 };
            for group in 0..piece.decoder.groups() {
                piece.group = group;
                let periods = piece.periods().map_err(damaged)?;
                let counts = |period: &Instant| {
                    Day::of(*period) == self.day && source.hours.contains(hour_of(*period))
                };
                let rows = (0..periods.len()).filter(|&row| counts(&periods[row])).collect();
                take(&piece, rows).map_err(damaged)?;
            }
        }
        Ok(())
    }

    /// Cuts names into parts of about as many rows as are sorted at once.
    fn parts(&self) -> Result<Parts, Damaged> {
        let mut sample: Vec<Name> = Vec::new();
        let mut total = 0;
        self.each(Table::Allocations, |piece, rows| {
            let names = piece.names()?;
            total += rows.len();
            sample.extend(rows.into_iter().step_by(SAMPLE).map(|row| names.of(row)));
            Ok(())
        })?;
        sample.sort_unstable();
        let parts = total.div_ceil(ROWS_AT_ONCE).clamp(1, usize::from(u16::MAX));
        let bounds: Vec<_> =
            (1..parts).filter_map(|nth| sample.get(nth * sample.len() / parts).cloned()).collect();
        drop(sample);
        let mut of = Vec::new();
        self.each(Table::Allocations, |piece, rows| {
            let names = piece.names()?;
            let part = |row| bounds.partition_point(|bound| *bound <= names.of(row));
            of.push(rows.into_iter().map(|row| u16::try_from(part(row)).unwrap_or(u16::MAX)).collect());
            Ok(())
        })?;
        Ok(Parts { count: u16::try_from(bounds.len() + 1).unwrap_or(u16::MAX), of })
    }

    /// The charges of a part, sorted.
    fn charges(&self, parts: &Parts, part: u16) -> Result<Sheet, Damaged> {
        let mut sheet = Sheet::new(Table::Allocations);
        let mut of = parts.of.iter();
        self.each(Table::Allocations, |piece, rows| {
            let of = of.next().map_or(&[][..], Vec::as_slice);
            let rows: Vec<_> =
                rows.into_iter().zip(of).filter(|(_, of)| **of == part).map(|(row, _)| row).collect();
            // Files are sorted: most row groups have nothing of a part, and are not decoded for it.
            if rows.is_empty() {
                return Ok(());
            }
            sheet.append(&piece.decoder.read_all(Table::Allocations, piece.group)?, &rows)
        })?;
        Ok(sheet.sorted(Table::Allocations))
    }
}

impl Piece {
    fn periods(&self) -> Result<Vec<Instant>, String> {
        let cells = self.decoder.read(self.group, &[(period(Resolution::Hourly), Kind::Instant)])?;
        Ok(match cells.into_iter().next() {
            Some(Cells::Instant(periods)) => periods,
            _ => Vec::new(),
        })
    }

    fn names(&self) -> Result<Names, String> {
        let columns = [Allocation::Namespace, Allocation::Workload, Allocation::Pod, Allocation::Asset];
        let columns = columns.map(|column| (Allocation::NAMES[column as usize], Kind::Text));
        let mut names = self.decoder.read(self.group, &columns)?.into_iter().map(|cells| match cells {
            Cells::Text(texts) => texts,
            _ => Texts::default(),
        });
        let mut next = || names.next().unwrap_or_default();
        Ok(Names { namespaces: next(), workloads: next(), pods: next(), assets: next(), empty: "".into() })
    }
}

struct Names {
    namespaces: Texts,
    workloads: Texts,
    pods: Texts,
    assets: Texts,
    empty: Arc<str>,
}

impl Names {
    fn of(&self, row: usize) -> Name {
        let text = |texts: &Texts| texts.get(row).map(Arc::clone);
        [text(&self.namespaces), text(&self.workloads), text(&self.pods).or_else(|| text(&self.assets))]
            .map(|text| text.unwrap_or_else(|| Arc::clone(&self.empty)))
    }
}

impl Decoder {
    /// All columns of a table by the hour, as [`Sheet::append`] takes them.
    fn read_all(&self, table: Table, group: usize) -> Result<Vec<Cells>, String> {
        self.read(group, &table.schema().columns(Resolution::Hourly))
    }
}
