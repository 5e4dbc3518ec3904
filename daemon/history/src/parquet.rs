//! Columns to Parquet and back: the only file that sees polars.
//!
//! Everything happens on the calling thread: the work is small, and the thread pool of polars would be one more set of
//! stacks in a daemon that counts its memory. Files are read one row group at a time, and only the columns that are needed.

use std::collections::{BTreeSet, HashMap};
use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use nightcap_core::units::{Instant, PicoUsd};
use polars::prelude::{
    BooleanChunked, Column as PolarsColumn, DataFrame, DataType, Float64Chunked, Int64Chunked, Int128Chunked,
    IntoColumn, NewChunkedArray, PlSmallStr, PolarsResult, Series, StringChunked, TimeUnit, TimeZone,
};
use polars_io::SerReader;
use polars_io::parquet::metadata::FileMetadataRef;
use polars_io::parquet::read::{ParallelStrategy, ParquetReader};
use polars_io::parquet::write::{ParquetCompression, ParquetWriter};

use crate::HistoryError;
use crate::frame::{Cells, Column, Kind, Texts};

/// `DECIMAL(38, 12)`: its unscaled integers are pico-dollars.
const PRECISION: usize = 38;
const SCALE: usize = 12;
/// Rows of one group: what writers and readers hold at once.
pub(crate) const ROW_GROUP: usize = 16_384;
/// Rows of one group in the file of an hour, which is sorted: compaction takes a part of the names at a time out of it.
pub(crate) const ROW_GROUP_OF_HOUR: usize = 2_048;

/// Writes `groups`, each a row group of the same columns, as one Parquet file. `schema` says which, also where there
/// are no rows.
pub(crate) fn encode(
    schema: &[(&str, Kind)],
    groups: impl Iterator<Item = Result<Vec<Column>, HistoryError>>,
) -> Result<Vec<u8>, HistoryError> {
    let failed = |error: polars::error::PolarsError| HistoryError::Encode(error.to_string());
    let empty: Vec<_> = schema.iter().map(|&(name, kind)| to_polars(name, &Cells::none(kind))).collect();
    let empty = DataFrame::new_infer_height(empty).map_err(failed)?;
    let mut bytes = Vec::new();
    let mut writer = ParquetWriter::new(&mut bytes)
        .with_compression(ParquetCompression::Zstd(None))
        .set_parallel(false)
        .batched(empty.schema())
        .map_err(failed)?;
    for group in groups {
        let columns = group?.iter().map(|column| to_polars(&column.name, &column.cells)).collect();
        let frame = DataFrame::new_infer_height(columns).map_err(failed)?;
        writer.write_batch(&frame).map_err(failed)?;
    }
    writer.finish().map_err(failed)?;
    drop(writer);
    Ok(bytes)
}

fn to_polars(name: &str, cells: &Cells) -> PolarsColumn {
    let name = PlSmallStr::from_str(name);
    match cells {
        Cells::Text(texts) => {
            let mut column: StringChunked = texts.iter().map(|text| text.map(|text| &**text)).collect();
            column.rename(name);
            column.into_column()
        }
        Cells::Money(values) => Int128Chunked::from_vec(name, values.iter().map(|value| value.0).collect())
            .into_decimal_unchecked(PRECISION, SCALE)
            .into_column(),
        Cells::Number(values) => Float64Chunked::from_slice(name, values).into_column(),
        Cells::Instant(values) => Int64Chunked::from_vec(name, values.iter().map(|value| value.0).collect())
            .into_datetime(TimeUnit::Milliseconds, Some(TimeZone::UTC))
            .into_column(),
        Cells::Flag(values) => BooleanChunked::from_slice(name, values).into_column(),
    }
}

/// A Parquet file in memory.
pub(crate) struct Decoder {
    bytes: Vec<u8>,
    columns: BTreeSet<String>,
    /// The file's metadata once per row group, with only that group in it.
    groups: Vec<FileMetadataRef>,
}

impl Decoder {
    /// Reads the footer. The reason, if it is no whole Parquet file.
    pub(crate) fn open(bytes: Vec<u8>) -> Result<Self, String> {
        guarded(|| {
            let mut reader = ParquetReader::new(Cursor::new(&bytes[..]));
            let metadata = Arc::clone(reader.get_metadata()?);
            let columns = reader.schema()?.iter_names().map(ToString::to_string).collect();
            let groups = metadata
                .row_groups
                .iter()
                .map(|group| {
                    let mut only = (*metadata).clone();
                    only.num_rows = group.num_rows();
                    only.row_groups = vec![group.clone()];
                    Arc::new(only)
                })
                .collect();
            Ok((columns, groups))
        })
        .map(|(columns, groups)| Self { bytes, columns, groups })
    }

    /// Whether it has this column.
    pub(crate) fn has(&self, column: &str) -> bool {
        self.columns.contains(column)
    }

    /// How many row groups it has.
    pub(crate) fn groups(&self) -> usize {
        self.groups.len()
    }

    /// How many rows a group has.
    pub(crate) fn rows(&self, group: usize) -> usize {
        self.groups.get(group).map_or(0, |metadata| metadata.num_rows)
    }

    /// Columns of one group, in the order asked for. One the file does not have reads as blank: it is from an older
    /// version. All at once, since each read of polars looks through the whole schema again.
    pub(crate) fn read(&self, group: usize, columns: &[(&str, Kind)]) -> Result<Vec<Cells>, String> {
        let Some(metadata) = self.groups.get(group) else {
            return Ok(columns.iter().map(|&(_, kind)| Cells::none(kind)).collect());
        };
        let names = columns.iter().map(|&(name, _)| name.to_owned());
        let there: Vec<String> = names.filter(|name| self.columns.contains(name)).collect();
        let frame = guarded(|| {
            let mut reader = ParquetReader::new(Cursor::new(&self.bytes[..]));
            reader.set_metadata(Arc::clone(metadata));
            reader.read_parallel(ParallelStrategy::None).with_columns(Some(there)).finish()
        })?;
        let mut found: HashMap<String, PolarsColumn> =
            frame.into_columns().into_iter().map(|column| (column.name().to_string(), column)).collect();
        let rows = metadata.num_rows;
        columns
            .iter()
            .map(|&(name, kind)| {
                let Some(column) = found.remove(name) else { return Ok(Cells::blank(kind, rows)) };
                let series = column.take_materialized_series().rechunk();
                match guarded(|| from_polars(&series, kind))? {
                    Some(cells) if cells.len() == rows => Ok(cells),
                    _ => Err(format!("its column {name} holds {}, not {kind:?}", series.dtype())),
                }
            })
            .collect()
    }
}

/// The values of a column, if it is of that kind and has no gaps where there may be none.
fn from_polars(series: &Series, kind: Kind) -> PolarsResult<Option<Cells>> {
    if kind != Kind::Text && series.null_count() > 0 {
        return Ok(None);
    }
    Ok(match (kind, series.dtype()) {
        (Kind::Text, DataType::String) => Some(Cells::Text(texts(series.str()?))),
        (Kind::Money, &DataType::Decimal(_, SCALE)) => {
            let values = series.decimal()?.physical().into_no_null_iter().map(PicoUsd);
            Some(Cells::Money(values.collect()))
        }
        (Kind::Number, DataType::Float64) => Some(Cells::Number(series.f64()?.into_no_null_iter().collect())),
        (Kind::Instant, DataType::Datetime(TimeUnit::Milliseconds, _)) => {
            let values = series.datetime()?.physical().into_no_null_iter().map(Instant);
            Some(Cells::Instant(values.collect()))
        }
        (Kind::Flag, DataType::Boolean) => Some(Cells::Flag(series.bool()?.iter().flatten().collect())),
        _ => None,
    })
}

fn texts(column: &StringChunked) -> Texts {
    column.iter().collect()
}

/// Runs a piece of polars; what it dislikes about a file, by error or by panic, is the reason it is damaged.
fn guarded<T>(work: impl FnOnce() -> PolarsResult<T>) -> Result<T, String> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(format!("it is no whole Parquet file: {error}")),
        Err(_) => Err("it is no Parquet file that can be read".to_owned()),
    }
}
