//! The lines of an iCalendar file: unfolded, and split into name, parameters and value.

use super::CalendarError;

/// A property.
#[derive(Debug)]
pub(super) struct ContentLine {
    /// Where it begins.
    pub(super) number: usize,
    /// Upper case.
    pub(super) name: String,
    /// As written.
    pub(super) value: String,
}

/// All of them; a line that begins with a blank goes on with the one before.
pub(super) fn content_lines(text: &str) -> Result<Vec<ContentLine>, Vec<CalendarError>> {
    let mut unfolded: Vec<(usize, String)> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let rest = line.strip_prefix([' ', '\t']);
        match (rest, unfolded.last_mut()) {
            (Some(rest), Some((_, before))) => before.push_str(rest),
            _ if line.trim().is_empty() => {}
            _ => unfolded.push((index + 1, line.to_owned())),
        }
    }
    let (mut lines, mut errors) = (Vec::new(), Vec::new());
    for (number, line) in unfolded {
        match split(&line) {
            Some((name, value)) => {
                let (name, value) = (name.trim().to_ascii_uppercase(), value.trim().to_owned());
                lines.push(ContentLine { number, name, value });
            }
            None => {
                let problem = format!("{line:?} is no property of iCalendar: expected NAME:VALUE");
                errors.push(CalendarError::new(number, problem));
            }
        }
    }
    if errors.is_empty() { Ok(lines) } else { Err(errors) }
}

/// Name and value, without the parameters between them. In quotes, a parameter may hold what ends it elsewhere.
fn split(line: &str) -> Option<(&str, &str)> {
    let mut quoted = false;
    let colon = line.char_indices().find(|&(_, char)| {
        quoted ^= char == '"';
        char == ':' && !quoted
    });
    let (head, value) = line.split_at(colon?.0);
    let name = head.split(';').next().unwrap_or(head);
    (!name.trim().is_empty()).then_some((name, &value[1..]))
}
