//! The wishes one object carries in its annotations.

use std::sync::Arc;

use chrono_tz::Tz;

use crate::cluster::Keys;
use crate::schedule::TimeSpec;
use crate::units::{Instant, parse_rfc3339};

/// The end of a sleep somebody asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AsleepUntil {
    /// Until this instant.
    At(Instant),
    /// Until somebody wakes it.
    Manual,
}

/// What the annotations of one namespace or workload wish.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Wishes {
    /// Awake until then, whatever else is wished.
    pub keep_awake_until: Option<Instant>,
    /// Asleep until then.
    pub asleep_until: Option<AsleepUntil>,
    /// Left alone.
    pub exclude: bool,
    /// Awake while this holds, asleep otherwise.
    pub uptime: Option<Spec>,
    /// Asleep while this holds, awake otherwise.
    pub downtime: Option<Spec>,
    /// A value could not be read and no good one is known: unknown, and unknown is awake.
    pub unknown: bool,
}

/// A time spec with the text it was read from.
#[derive(Clone, PartialEq, Debug)]
pub struct Spec {
    /// As written.
    pub text: Arc<str>,
    /// As understood.
    pub spec: TimeSpec,
}

/// An annotation value that cannot be read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BadValue {
    /// The annotation's full key.
    pub key: Arc<str>,
    /// What is wrong, with the value, and what holds meanwhile.
    pub message: String,
}

impl Wishes {
    /// Whether anything is wished that can put the object to sleep.
    pub const fn opts_in(&self) -> bool {
        self.asleep_until.is_some() || self.has_schedule()
    }

    /// Whether there is an uptime or a downtime.
    pub const fn has_schedule(&self) -> bool {
        self.uptime.is_some() || self.downtime.is_some()
    }

    /// Whether the schedule, overrides apart, wishes sleep at `at`; `None` without a schedule.
    pub fn schedule_sleeps(&self, at: Instant) -> Option<bool> {
        let up = self.uptime.as_ref().map(|s| s.spec.holds(at));
        let down = self.downtime.as_ref().map(|s| s.spec.holds(at));
        match (up, down) {
            (None, None) => None,
            (up, down) => Some(up == Some(false) || down == Some(true)),
        }
    }

    /// The next instant, strictly later, at which [`Self::schedule_sleeps`] changes.
    pub fn next_schedule_change(&self, after: Instant) -> Option<Instant> {
        // Two specs may change at once and cancel out; a year of daily edges is far beyond any real spec.
        const MOST_EDGES: usize = 1_000;
        let now = self.schedule_sleeps(after)?;
        let mut at = after;
        for _ in 0..MOST_EDGES {
            let specs = [&self.uptime, &self.downtime];
            at = specs.into_iter().flatten().filter_map(|s| s.spec.next_change(at)).min()?;
            if self.schedule_sleeps(at) != Some(now) {
                return Some(at);
            }
        }
        None
    }

    /// Reads the annotations. A value that cannot be read is reported and its last good reading, from `before`,
    /// holds on; if there is none, the object's wish is unknown.
    pub fn read(keys: &Keys, prefix: &str, zone: Tz, before: Option<&Self>) -> (Self, Vec<BadValue>) {
        let mut reader = Reader { keys, prefix, bad: Vec::new(), unknown: false };
        let wishes = Self {
            keep_awake_until: reader.read(
                "keep-awake-until",
                before.and_then(|b| b.keep_awake_until),
                instant,
            ),
            asleep_until: reader.read("asleep-until", before.and_then(|b| b.asleep_until), asleep_until),
            // Whoever writes an exclude that cannot be read wants to be left alone.
            exclude: reader.read("exclude", Some(true), boolean).unwrap_or(false),
            uptime: reader.read("uptime", before.and_then(|b| b.uptime.clone()), |text| spec(text, zone)),
            downtime: reader
                .read("downtime", before.and_then(|b| b.downtime.clone()), |text| spec(text, zone)),
            unknown: reader.unknown,
        };
        (wishes, reader.bad)
    }
}

struct Reader<'a> {
    keys: &'a Keys,
    prefix: &'a str,
    bad: Vec<BadValue>,
    unknown: bool,
}

impl Reader<'_> {
    fn read<T>(
        &mut self,
        name: &str,
        last_good: Option<T>,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        let key = format!("{}/{name}", self.prefix);
        let value = self.keys.get(key.as_str())?;
        match parse(value) {
            Ok(parsed) => Some(parsed),
            Err(reason) => {
                let meanwhile = if last_good.is_some() {
                    "the last good value holds on"
                } else {
                    self.unknown = true;
                    "until it is mended the object stays awake"
                };
                self.bad.push(BadValue {
                    key: key.as_str().into(),
                    message: format!("{key}: {reason}; {meanwhile}"),
                });
                last_good
            }
        }
    }
}

fn instant(text: &str) -> Result<Instant, String> {
    parse_rfc3339(text).ok_or_else(|| format!("{text:?} is no RFC 3339 instant such as 2026-03-01T18:00:00Z"))
}

fn asleep_until(text: &str) -> Result<AsleepUntil, String> {
    if text.trim() == "manual" {
        return Ok(AsleepUntil::Manual);
    }
    parse_rfc3339(text)
        .map(AsleepUntil::At)
        .ok_or_else(|| format!("{text:?} is neither `manual` nor an RFC 3339 instant"))
}

fn boolean(text: &str) -> Result<bool, String> {
    match text.trim() {
        "true" | "" => Ok(true),
        "false" => Ok(false),
        _ => Err(format!("{text:?} is neither `true` nor `false`")),
    }
}

fn spec(text: &str, zone: Tz) -> Result<Spec, String> {
    TimeSpec::parse(text, zone).map(|spec| Spec { text: text.into(), spec }).map_err(|e| e.to_string())
}
