//! Values of flags that are read in one way everywhere.

use chrono_tz::Tz;
use nightcap_core::money::query::Filter;
use nightcap_core::units::{Instant, Millis, Step, parse_duration, parse_rfc3339};

pub(super) fn instant(text: &str) -> Result<Instant, String> {
    parse_rfc3339(text)
        .ok_or_else(|| format!("{text:?} is no RFC 3339 instant: write e.g. 2026-03-02T08:00:00+01:00"))
}

pub(super) fn duration(text: &str) -> Result<Millis, String> {
    match parse_duration(text) {
        Ok(Millis(0)) => Err(format!("{text:?} is no time at all: write e.g. 3h")),
        Ok(duration) => Ok(duration),
        Err(error) => Err(error.to_string()),
    }
}

pub(super) fn step(text: &str) -> Result<Step, String> {
    text.parse().map_err(|error: nightcap_core::units::StepError| error.to_string())
}

pub(super) fn filter(text: &str) -> Result<String, String> {
    Filter::parse(text).map(|_| text.to_owned()).map_err(|error| error.to_string())
}

pub(super) fn zone(text: &str) -> Result<Tz, String> {
    text.parse()
        .map_err(|_| format!("{text:?} is no zone of the IANA database: write e.g. Europe/Berlin or UTC"))
}
