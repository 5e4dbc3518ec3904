//! A plain list of dates.

use std::sync::Arc;

use chrono::NaiveDate;

use super::CalendarError;
use crate::schedule::Calendar;

pub(super) fn read(text: &str) -> Result<Calendar, Vec<CalendarError>> {
    let (mut days, mut errors) = (Vec::new(), Vec::new());
    for (index, line) in text.lines().enumerate() {
        match entry(without_comment(line).trim()) {
            Ok(day) => days.extend(day),
            Err(problem) => errors.push(CalendarError::new(index + 1, problem)),
        }
    }
    if errors.is_empty() { Ok(days.into_iter().collect()) } else { Err(errors) }
}

/// A `#` at the beginning of a word begins a comment.
fn without_comment(line: &str) -> &str {
    let is_comment = |at: usize| line[..at].chars().next_back().is_none_or(char::is_whitespace);
    let comment = line.match_indices('#').map(|(at, _)| at).find(|at| is_comment(*at));
    comment.map_or(line, |at| &line[..at])
}

fn entry(line: &str) -> Result<Option<(NaiveDate, Arc<str>)>, String> {
    if line.is_empty() {
        return Ok(None);
    }
    let (date, name) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let is_shaped = date.len() == 10 && date.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    let read = NaiveDate::parse_from_str(date, "%Y-%m-%d").ok().filter(|_| is_shaped);
    let day =
        read.ok_or_else(|| format!("{date:?} is no date: write YYYY-MM-DD and, if you like, a name"))?;
    Ok(Some((day, name.trim().into())))
}
