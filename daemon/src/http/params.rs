//! Query parameters, read strictly: a name or value that is not understood is an error, never ignored. A filter that
//! is silently dropped is a wrong number that looks right.

use std::collections::BTreeMap;

use axum::extract::Query;
use axum::http::Uri;
use chrono_tz::Tz;
use nightcap_core::money::query::Dimension;
use nightcap_core::units::{Instant, Millis, Window, parse_duration};

use super::error::Refusal;

/// At most this many steps are answered: a year of days, a month of hours.
const MOST_STEPS: i64 = 1_000;

/// The parameters of a request, taken out one by one.
#[derive(Debug)]
pub(super) struct Params {
    values: BTreeMap<String, String>,
    known: Vec<&'static str>,
}

impl Params {
    pub(super) fn of(uri: &Uri) -> Result<Self, Refusal> {
        let pairs = Query::<Vec<(String, String)>>::try_from_uri(uri).map_err(|error| {
            Refusal::bad("bad-query", format!("the query cannot be read: {error}"))
                .value(uri.query().unwrap_or_default())
        })?;
        let mut values = BTreeMap::new();
        for (name, value) in pairs.0 {
            if values.insert(name.clone(), value).is_some() {
                return Err(
                    Refusal::bad("bad-query", format!("parameter {name:?} is given twice")).value(&name)
                );
            }
        }
        Ok(Self { values, known: Vec::new() })
    }

    /// The value of a parameter; an empty one counts as left out.
    pub(super) fn take(&mut self, name: &'static str) -> Option<String> {
        self.known.push(name);
        self.values.remove(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
    }

    /// A switch, as Go reads them.
    pub(super) fn switch(&mut self, name: &'static str, default: bool) -> Result<bool, Refusal> {
        let Some(value) = self.take(name) else { return Ok(default) };
        match value.to_ascii_lowercase().as_str() {
            "true" | "t" | "1" => Ok(true),
            "false" | "f" | "0" => Ok(false),
            _ => Err(Refusal::bad("bad-value", format!("{name} is neither true nor false")).value(&value)),
        }
    }

    /// The window, resolved at `now` and ending there at the latest.
    pub(super) fn window(
        &mut self,
        default: Option<&str>,
        now: Instant,
        zone: Tz,
    ) -> Result<Window, Refusal> {
        let text = self.take("window").or_else(|| default.map(ToOwned::to_owned));
        let Some(text) = text else {
            return Err(
                Refusal::bad("no-window", "a window is needed").hint("add e.g. window=today or window=7d")
            );
        };
        let window = Window::parse(&text, now, zone)
            .map_err(|error| Refusal::bad("bad-window", error.to_string()).value(&text))?;
        Ok(Window::new(window.start.min(now), window.end.min(now)))
    }

    /// The pieces of `window`; without the parameter it is one.
    pub(super) fn steps(&mut self, window: Window) -> Result<(Option<Millis>, Vec<Window>), Refusal> {
        let Some(text) = self.take("step") else { return Ok((None, vec![window])) };
        let step = parse_duration(&text)
            .map_err(|error| Refusal::bad("bad-step", error.to_string()).value(&text))?;
        if step.0 <= 0 {
            return Err(Refusal::bad("bad-step", "a step has to be longer than nothing").value(&text));
        }
        if window.length().0 / step.0 >= MOST_STEPS {
            return Err(Refusal::bad("bad-step", format!("that would be more than {MOST_STEPS} steps"))
                .value(&text)
                .hint("use a longer step or a shorter window"));
        }
        let steps: Vec<_> = window.steps(step).collect();
        Ok((Some(step), if steps.is_empty() { vec![window] } else { steps }))
    }

    /// The dimensions that a comma list names, each with its canonical name.
    pub(super) fn dimensions(
        &mut self,
        name: &'static str,
        default: &str,
    ) -> Result<Vec<(&'static str, Dimension)>, Refusal> {
        let text = self.take(name).unwrap_or_else(|| default.to_owned());
        let mut dimensions = Vec::new();
        for part in text.split(',').map(str::trim) {
            let known = Dimension::NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(part));
            let &(known, dimension) = known.ok_or_else(|| unknown_dimension(name, part))?;
            if dimensions.iter().any(|&(_, other)| other == dimension) {
                return Err(Refusal::bad("bad-value", format!("{name} names {known} twice")).value(&text));
            }
            dimensions.push((known, dimension));
        }
        Ok(dimensions)
    }

    /// Refuses what is left: parameters nobody took.
    pub(super) fn finish(self) -> Result<(), Refusal> {
        match self.values.into_keys().next() {
            None => Ok(()),
            Some(name) => {
                let hint = if self.known.is_empty() {
                    "this path takes no parameters".to_owned()
                } else {
                    format!("known are {}", self.known.join(", "))
                };
                Err(Refusal::bad("unknown-parameter", "there is no such parameter").value(&name).hint(hint))
            }
        }
    }
}

fn unknown_dimension(name: &str, part: &str) -> Refusal {
    let names: Vec<_> = Dimension::NAMES.iter().map(|(known, _)| *known).collect();
    let hint = match part {
        "container" => "costs are kept per pod, not per container; use pod".to_owned(),
        _ => format!("use {}, or several of them with commas between", names.join(", ")),
    };
    Refusal::bad("bad-value", format!("{name} cannot be that")).value(part).hint(hint)
}
