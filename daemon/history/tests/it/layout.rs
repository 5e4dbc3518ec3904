//! What other readers rely on: folders, names, columns and types.

use std::io::Cursor;

use nightcap_core::units::{Instant, PicoUsd};
use nightcap_history::{Cells, Column, Retention, Texts, export_parquet};
use polars::prelude::{DataFrame, DataType};
use polars_io::SerReader;
use polars_io::parquet::read::ParquetReader;

use crate::support::{archive_of, files, hour_at, some_hours, totals};

fn frame(bytes: &[u8]) -> DataFrame {
    ParquetReader::new(Cursor::new(bytes)).finish().unwrap()
}

fn columns(frame: &DataFrame) -> Vec<String> {
    frame.columns().iter().map(|column| format!("{} {}", column.name(), column.dtype())).collect()
}

#[test]
fn tables_have_these_folders_and_columns() {
    let hours = some_hours(51, 0, 24);
    let (folder, archive) = archive_of(&hours);
    archive.keep_up(hour_at(48), &Retention::default()).unwrap();
    let root = folder.path().join("history");
    let found = files(&root);
    let folders: Vec<_> = found
        .keys()
        .filter_map(|path| path.strip_prefix(&root).unwrap().parent()?.to_str())
        .filter(|folder| !folder.is_empty())
        .collect();
    let day = "cluster=test/date=2026-03-01";
    let tables = ["allocations", "allocations-daily", "assets", "assets-daily", "savings", "savings-daily"];
    assert_eq!(folders, tables.map(|table| format!("{table}/{day}")));
    let table = |name: &str| {
        let bytes = found.iter().find(|(path, _)| path.starts_with(root.join(name))).unwrap().1;
        frame(bytes)
    };
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/columns.txt")).unwrap();
    let mut told = String::new();
    for name in ["allocations", "assets", "savings"] {
        told.push_str(&format!("{name}\n"));
        for column in columns(&table(name)) {
            told.push_str(&format!("  {column}\n"));
        }
        let daily: Vec<_> = columns(&table(&format!("{name}-daily")));
        let mut hourly = columns(&table(name));
        hourly[0] = hourly[0].replace("hour ", "day ");
        assert_eq!(daily, hourly);
    }
    assert_eq!(told, text);
    // A plain reader adds up to the same money, exactly.
    let allocations = table("allocations");
    let costs = allocations.column("cost_usd").unwrap().decimal().unwrap().physical().clone();
    let sum: i128 = costs.iter().flatten().sum();
    let [pods, _, flat, _] = totals(&hours);
    assert_eq!(sum, pods + flat);
}

#[test]
fn any_columns_can_be_exported() {
    let mut teams = Texts::default();
    for team in [Some("a"), None, Some("b")] {
        teams.push(team);
    }
    let bytes = export_parquet(&[
        Column::new("team", Cells::Text(teams)),
        Column::new(
            "cost_usd",
            Cells::Money(vec![PicoUsd(1), PicoUsd(-2), PicoUsd(i128::from(i64::MAX) * 1000)]),
        ),
        Column::new("cpu_core_hours", Cells::Number(vec![0.5, 1.5, -0.0])),
        Column::new("start", Cells::Instant(vec![Instant(0), Instant(1), hour_at(0)])),
        Column::new("prorated", Cells::Flag(vec![true, false, true])),
    ])
    .unwrap();
    let frame = frame(&bytes);
    assert_eq!(frame.height(), 3);
    let money = frame.column("cost_usd").unwrap();
    assert_eq!(money.dtype(), &DataType::Decimal(38, 12));
    let values: Vec<_> = money.decimal().unwrap().physical().iter().collect();
    assert_eq!(values, [Some(1), Some(-2), Some(i128::from(i64::MAX) * 1000)]);
    let teams: Vec<_> = frame.column("team").unwrap().str().unwrap().iter().collect();
    assert_eq!(teams, [Some("a"), None, Some("b")]);
    let error =
        export_parquet(&[Column::new("a", Cells::Flag(vec![true])), Column::new("b", Cells::Flag(vec![]))])
            .unwrap_err();
    assert!(error.to_string().contains("column b has 0 rows, the first column 1"), "{error}");
}
