//! iCalendar: the events of a file that last whole days.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

use super::CalendarError;
use super::content_line::{ContentLine, content_lines};
use super::event::Event;
use crate::schedule::Calendar;

/// More days than all of a century are no list of holidays.
const MOST_DAYS: usize = 40_000;

pub(super) fn read(text: &str) -> Result<Calendar, Vec<CalendarError>> {
    let mut errors = Vec::new();
    let events = events(&content_lines(text)?, &mut errors);
    if !errors.is_empty() {
        return Err(errors);
    }
    let mut replaced: BTreeMap<&str, BTreeSet<NaiveDate>> = BTreeMap::new();
    for event in &events {
        if let (Some(uid), Some(day)) = (&event.uid, event.replaces) {
            replaced.entry(uid).or_default().insert(day);
        }
    }
    let none = BTreeSet::new();
    let mut days = Vec::new();
    for event in &events {
        let of_event = event.uid.as_deref().filter(|_| event.replaces.is_none());
        match event.days(of_event.and_then(|uid| replaced.get(uid)).unwrap_or(&none)) {
            Ok(more) => days.extend(more),
            Err(error) => errors.push(error),
        }
        if days.len() > MOST_DAYS {
            let problem = format!("with this event there are more than {MOST_DAYS} days: end its repetition");
            errors.push(CalendarError::new(event.line, problem));
            break;
        }
    }
    if errors.is_empty() { Ok(days.into_iter().collect()) } else { Err(errors) }
}

/// The events, each with the properties that are its own.
fn events(lines: &[ContentLine], errors: &mut Vec<CalendarError>) -> Vec<Event> {
    let mut events: Vec<Event> = Vec::new();
    // The components that are open: an alarm within an event has properties of the same names.
    let mut open: Vec<(&str, usize)> = Vec::new();
    for line in lines {
        match line.name.as_str() {
            "BEGIN" => {
                open.push((&line.value, line.number));
                if is_event(&line.value) {
                    events.push(Event::begun(line.number));
                }
            }
            "END" => match open.pop() {
                Some((name, _)) if name.eq_ignore_ascii_case(&line.value) => {}
                other => {
                    let begun = other.map_or_else(
                        || "nothing is open".to_owned(),
                        |(name, begun)| format!("{name} is open since line {begun}"),
                    );
                    errors.push(CalendarError::new(line.number, format!("END:{}, but {begun}", line.value)));
                    return Vec::new();
                }
            },
            _ => {
                let within = open.last().is_some_and(|(name, _)| is_event(name));
                if let Some(event) = events.last_mut().filter(|_| within)
                    && let Err(error) = event.take(line)
                {
                    errors.push(error);
                }
            }
        }
    }
    if let Some((name, begun)) = open.last() {
        errors.push(CalendarError::new(*begun, format!("{name} has no end: the file is cut")));
        return Vec::new();
    }
    events
}

fn is_event(name: &str) -> bool {
    name.eq_ignore_ascii_case("VEVENT")
}
