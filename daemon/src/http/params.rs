//! Query parameters, read strictly: a name or value that is not understood is an error, never ignored. A filter that
//! is silently dropped is a wrong number that looks right.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::Query;
use axum::http::Uri;
use chrono_tz::Tz;
use nightcap_core::money::query::{Dimension, DimensionError, Filter, Spread};
use nightcap_core::units::{Instant, Step, Window};

use super::error::Refusal;

/// At most this many steps are answered: a year of days, a month of hours.
const MOST_STEPS: i64 = 1_000;

/// A label by its key, and its value.
type LabelValue = (Arc<str>, Arc<str>);

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
        self.flag(name).map(|on| on.unwrap_or(default))
    }

    /// A switch that may be left out.
    pub(super) fn flag(&mut self, name: &'static str) -> Result<Option<bool>, Refusal> {
        let Some(value) = self.take(name) else { return Ok(None) };
        match value.to_ascii_lowercase().as_str() {
            "true" | "t" | "1" => Ok(Some(true)),
            "false" | "f" | "0" => Ok(Some(false)),
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

    /// The zone in which days begin: the parameter, else `default`.
    pub(super) fn zone(&mut self, default: Tz) -> Result<Tz, Refusal> {
        let Some(name) = self.take("timezone") else { return Ok(default) };
        name.parse().map_err(|_| {
            Refusal::bad("bad-value", "timezone is no zone of the IANA database")
                .value(&name)
                .hint("write e.g. Europe/Berlin or UTC")
        })
    }

    /// How the window is cut, if it is.
    pub(super) fn step(&mut self, name: &'static str) -> Result<Option<Step>, Refusal> {
        let Some(text) = self.take(name) else { return Ok(None) };
        Step::parse(&text).map(Some).map_err(|error| Refusal::bad("bad-step", error.to_string()).value(&text))
    }

    /// The dimensions that a comma list names, each with its canonical name.
    pub(super) fn dimensions(
        &mut self,
        name: &'static str,
        default: &str,
    ) -> Result<Vec<(Arc<str>, Dimension)>, Refusal> {
        let text = self.take(name).unwrap_or_else(|| default.to_owned());
        Dimension::parse_list(&text).map_err(|error| {
            let value = match &error {
                DimensionError::Twice(_) => text.clone(),
                DimensionError::Unknown(part)
                | DimensionError::Annotation(part)
                | DimensionError::NoLabel(part) => part.clone(),
            };
            Refusal::bad("bad-value", format!("{name}: {error}")).value(&value)
        })
    }

    /// Which rows to show.
    pub(super) fn filter(&mut self) -> Result<Filter, Refusal> {
        let Some(text) = self.take("filter") else { return Ok(Filter::All) };
        Filter::parse(&text).map_err(|error| Refusal::bad("bad-filter", error.to_string()).value(&text))
    }

    /// How something is spread, if that is said.
    pub(super) fn spread(&mut self, name: &'static str) -> Result<Option<Spread>, Refusal> {
        let Some(value) = self.take(name) else { return Ok(None) };
        let how = value.parse().map(Some);
        how.map_err(|error| Refusal::bad("bad-value", format!("{name}: {error}")).value(&value))
    }

    /// A whole number.
    pub(super) fn number(&mut self, name: &'static str) -> Result<Option<usize>, Refusal> {
        let Some(value) = self.take(name) else { return Ok(None) };
        let number = value.parse();
        number
            .map(Some)
            .map_err(|_| Refusal::bad("bad-value", format!("{name} is no whole number")).value(&value))
    }

    /// Names with commas between.
    pub(super) fn names(&mut self, name: &'static str) -> Vec<Arc<str>> {
        let value = self.take(name).unwrap_or_default();
        value.split(',').map(str::trim).filter(|name| !name.is_empty()).map(Into::into).collect()
    }

    /// Labels and their values, as `KEY:VALUE` or `KEY=VALUE` with commas between.
    pub(super) fn labels(&mut self, name: &'static str) -> Result<Vec<LabelValue>, Refusal> {
        let read = |pair: &Arc<str>| {
            let (key, value) = pair.split_once([':', '=']).ok_or_else(|| {
                Refusal::bad("bad-value", format!("{name} takes labels with their values"))
                    .value(pair)
                    .hint("write KEY:VALUE, such as app:ingress")
            })?;
            Ok((key.trim().into(), value.trim().trim_matches('"').into()))
        };
        self.names(name).iter().map(read).collect()
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

/// The pieces of a window; without a step it is one.
pub(super) fn cut(step: Option<Step>, window: Window, zone: Tz) -> Result<Vec<Window>, Refusal> {
    let Some(step) = step else { return Ok(vec![window]) };
    if step.at_most(window) > MOST_STEPS {
        return Err(Refusal::bad("bad-step", format!("that would be more than {MOST_STEPS} steps"))
            .value(&step.to_string())
            .hint("use a longer step or a shorter window"));
    }
    Ok(step.cut(window, zone))
}
