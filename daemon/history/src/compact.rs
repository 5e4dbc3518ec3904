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
const ROWS_AT_ONCE: usize = 30_000;
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
        let bounds = match compaction.bounds() {
            Ok(bounds) => bounds,
            Err(damaged) => return Ok(Some(damaged)),
        };
        let sheets = (0..=bounds.len()).map(|nth| {
            let from = nth.checked_sub(1).and_then(|before| bounds.get(before));
            let sheet = compaction.charges(from, bounds.get(nth));
            // It was whole a moment ago.
            sheet.map_err(|Damaged { path, reason }| HistoryError::read(&path, std::io::Error::other(reason)))
        });
        self.put(Table::Allocations, Resolution::Hourly, day, name, sheets)?;
        Ok(None)
    }
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
    fn bounds(&self) -> Result<Vec<Name>, Damaged> {
        let mut sample: Vec<Name> = Vec::new();
        let mut total = 0;
        self.each(Table::Allocations, |piece, rows| {
            let names = piece.names()?;
            total += rows.len();
            sample.extend(rows.into_iter().step_by(SAMPLE).map(|row| names.of(row)));
            Ok(())
        })?;
        sample.sort_unstable();
        let parts = total.div_ceil(ROWS_AT_ONCE);
        let mut bounds: Vec<_> =
            (1..parts).filter_map(|nth| sample.get(nth * sample.len() / parts).cloned()).collect();
        bounds.dedup();
        Ok(bounds)
    }

    /// The charges whose names lie between two bounds, sorted.
    fn charges(&self, from: Option<&Name>, to: Option<&Name>) -> Result<Sheet, Damaged> {
        let mut sheet = Sheet::new(Table::Allocations);
        self.each(Table::Allocations, |piece, mut rows| {
            let names = piece.names()?;
            rows.retain(|&row| {
                let name = names.of(row);
                from.is_none_or(|from| *from <= name) && to.is_none_or(|to| name < *to)
            });
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
