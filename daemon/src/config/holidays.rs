//! Calendars of holidays: their files, read when the daemon starts, and which of them teams have.

use std::collections::BTreeMap;
use std::sync::Arc;

use nightcap_core::schedule::{Calendar, read_calendar};

use super::reader::Reader;

/// So many wrong lines of a file are told; a file of another kind has nothing but such.
const MOST_LINES: usize = 10;

/// The calendars, by name.
pub(super) fn calendars(reader: &mut Reader<'_>) -> BTreeMap<Arc<str>, Arc<Calendar>> {
    let mut calendars = BTreeMap::new();
    for (name, value) in reader.map("holidays").into_iter().flatten() {
        let place = format!("holidays.{name}");
        let Some(path) = reader.as_text(&place, value).map(str::trim) else { continue };
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) => {
                reader.error(&place, format!("cannot read the file {path:?}: {error}; check the path"));
                continue;
            }
        };
        match read_calendar(&text) {
            Ok(calendar) if calendar.is_empty() => {
                reader.error(&place, format!("{path} names no day: write dates, or events of whole days"));
            }
            Ok(calendar) => {
                calendars.insert(name.as_str().into(), Arc::new(calendar));
            }
            Err(errors) => {
                for error in errors.iter().take(MOST_LINES) {
                    reader.error(&place, format!("{path}, {error}"));
                }
                if let Some(more) = errors.len().checked_sub(MOST_LINES).filter(|more| *more > 0) {
                    reader.error(&place, format!("{path}: {more} more lines are wrong"));
                }
            }
        }
    }
    calendars
}

/// The calendars of teams, by name.
pub(super) fn of_teams(reader: &mut Reader<'_>) -> BTreeMap<Arc<str>, Vec<Arc<str>>> {
    // Also those whose files cannot be read: that is told once.
    let known: Vec<&String> = reader.map("holidays").into_iter().flatten().map(|(name, _)| name).collect();
    let mut teams = BTreeMap::new();
    for (team, value) in reader.map("team_holidays").into_iter().flatten() {
        let place = format!("team_holidays.{team}");
        let Some(names) = reader.structure::<Vec<String>>(&place, value) else { continue };
        for unknown in names.iter().filter(|name| !known.contains(name)) {
            let problem = format!("{unknown:?} is no calendar: name it below holidays, with its file");
            reader.error(&place, problem);
        }
        teams.insert(team.as_str().into(), names.iter().map(|name| name.as_str().into()).collect());
    }
    teams
}
