//! Files of holidays: plain lists of dates, and iCalendar (RFC 5545).

mod content_line;
mod event;
mod icalendar;
mod plain;

#[cfg(test)]
mod tests;

use thiserror::Error;

use super::Calendar;

/// What is wrong in a line of a calendar's file.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[error("line {line}: {problem}")]
pub struct CalendarError {
    /// Number of the line, from 1.
    pub line: usize,
    /// What is wrong, with the value, and what would be right.
    pub problem: String,
}

impl CalendarError {
    fn new(line: usize, problem: impl Into<String>) -> Self {
        Self { line, problem: problem.into() }
    }
}

/// Reads a calendar; all that is wrong in it at once.
///
/// What begins with `BEGIN:VCALENDAR` is iCalendar: its events that last whole days are the days, with all that repeats,
/// up to the year 2100. All else is one `YYYY-MM-DD [name]` a line; `#` begins a comment.
pub fn read_calendar(text: &str) -> Result<Calendar, Vec<CalendarError>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let first = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    if first.eq_ignore_ascii_case("BEGIN:VCALENDAR") { icalendar::read(text) } else { plain::read(text) }
}
