//! Tables for people and for spreadsheets.

use comfy_table::{CellAlignment, ContentArrangement, Table as Grid, presets};

use super::failure::Failure;

/// A column: its head, and whether its cells are numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Column<'a> {
    head: &'a str,
    number: bool,
}

/// A column of words.
pub(super) const fn words(head: &str) -> Column<'_> {
    Column { head, number: false }
}

/// A column of numbers, which stand on the right.
pub(super) const fn numbers(head: &str) -> Column<'_> {
    Column { head, number: true }
}

/// The table as text, the total under a line.
pub(super) fn render(columns: &[Column<'_>], rows: &[Vec<String>], total: Option<&[String]>) -> String {
    let mut grid = Grid::new();
    grid.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    grid.set_header(columns.iter().map(|column| column.head));
    for row in rows {
        grid.add_row(row.iter().map(|cell| plain(cell)));
    }
    if let Some(total) = total {
        grid.add_row(total.iter().map(|cell| "-".repeat(cell.chars().count())));
        grid.add_row(total.iter().map(|cell| plain(cell)));
    }
    for (column, shape) in grid.column_iter_mut().zip(columns) {
        column.set_padding((0, 2));
        column.set_cell_alignment(if shape.number { CellAlignment::Right } else { CellAlignment::Left });
    }
    grid.lines().fold(String::new(), |text, line| text + line.trim_end() + "\n")
}

/// The table as CSV.
pub(super) fn csv(head: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> Result<String, Failure> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let failed = |error: &dyn std::fmt::Display| Failure::failed(format!("cannot write CSV: {error}"));
    writer.write_record(head).map_err(|error| failed(&error))?;
    for row in rows {
        writer.write_record(row).map_err(|error| failed(&error))?;
    }
    let bytes = writer.into_inner().map_err(|error| failed(&error))?;
    String::from_utf8(bytes).map_err(|error| failed(&error))
}

/// Names come from users: what would steer the terminal is shown as a box.
pub(super) fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// A share such as 0.314 as `31.4 %`.
pub(super) fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(cells: &[&str]) -> Vec<String> {
        cells.iter().map(|&cell| cell.to_owned()).collect()
    }

    #[test]
    fn numbers_stand_on_the_right_and_the_total_under_a_line() {
        let rows =
            [row(&["commerce", "1,204.00"]), row(&["données", "0.42"]), row(&["a\u{1b}[31mb", "7.00"])];
        let text = render(&[words("TEAM"), numbers("COST")], &rows, Some(&row(&["total", "1,211.42"])));
        assert_eq!(
            text,
            "TEAM          COST
commerce  1,204.00
données       0.42
a\u{fffd}[31mb       7.00
-----     --------
total     1,211.42
"
        );
    }

    #[test]
    fn csv_quotes_what_needs_it() {
        let text = csv(&["team", "cost"], [row(&["a,\"b\"", "1.0"])]).unwrap();
        assert_eq!(text, "team,cost\n\"a,\"\"b\"\"\",1.0\n");
    }
}
