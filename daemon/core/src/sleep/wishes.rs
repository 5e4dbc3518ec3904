//! The wishes one object carries in its annotations.

use std::sync::Arc;

use chrono_tz::Tz;

use super::wake_order::WAKE_ORDER;
use crate::cluster::Keys;
use crate::schedule::{DaysOff, SpecError, TimeSpec};
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
    /// Days on which the uptime does not hold.
    pub days_off: Option<Arc<DaysOff>>,
    /// Who is said to have written `keep-awake-until` or `asleep-until`.
    pub override_by: Option<Arc<str>>,
    /// Its place in the order of waking, if it names one.
    pub wake_order: Option<i32>,
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

impl Spec {
    /// Reads a time spec; parts that name no zone are in `zone`.
    pub fn parse(text: &str, zone: Tz) -> Result<Self, SpecError> {
        TimeSpec::parse(text, zone).map(|spec| Self { text: text.into(), spec })
    }
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
        let up = self.uptime_holds(at);
        let down = self.downtime.as_ref().map(|s| s.spec.holds(at));
        match (up, down) {
            (None, None) => None,
            (up, down) => Some(up == Some(false) || down == Some(true)),
        }
    }

    /// Whether the uptime holds at `at`, days off taken out; `None` without an uptime.
    pub fn uptime_holds(&self, at: Instant) -> Option<bool> {
        let uptime = &self.uptime.as_ref()?.spec;
        Some(self.days_off.as_ref().map_or_else(|| uptime.holds(at), |off| uptime.holds_except(off, at)))
    }

    /// The next instant, strictly later, at which uptime or downtime begins or ends.
    fn next_edge(&self, after: Instant) -> Option<Instant> {
        let up = self.uptime.as_ref().and_then(|uptime| match &self.days_off {
            Some(off) => uptime.spec.next_change_except(off, after),
            None => uptime.spec.next_change(after),
        });
        let down = self.downtime.as_ref().and_then(|downtime| downtime.spec.next_change(after));
        up.into_iter().chain(down).min()
    }

    /// The same with these days off, on which an uptime does not hold.
    #[must_use]
    pub fn with_days_off(self, days_off: Option<&Arc<DaysOff>>) -> Self {
        let days_off = days_off.filter(|off| !off.is_empty() && self.uptime.is_some()).map(Arc::clone);
        Self { days_off, ..self }
    }

    /// The next instant, strictly later, at which [`Self::schedule_sleeps`] changes.
    pub fn next_schedule_change(&self, after: Instant) -> Option<Instant> {
        // Two specs may change at once and cancel out; a year of daily edges is far beyond any real spec.
        const MOST_EDGES: usize = 1_000;
        let now = self.schedule_sleeps(after)?;
        let mut at = after;
        for _ in 0..MOST_EDGES {
            at = self.next_edge(at)?;
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
            days_off: None,
            override_by: author(keys.get(format!("{prefix}/{OVERRIDE_BY}").as_str())),
            wake_order: reader.wake_order(),
            unknown: reader.unknown,
        };
        (wishes, reader.bad)
    }
}

/// The annotation that names who wrote an override.
pub(super) const OVERRIDE_BY: &str = "override-by";
/// Of a longer name of an author the beginning is enough.
const LONGEST_AUTHOR: usize = 200;

fn author(written: Option<&Arc<str>>) -> Option<Arc<str>> {
    let name: String = written?.trim().chars().take(LONGEST_AUTHOR).collect();
    (!name.is_empty()).then(|| name.into())
}

struct Reader<'a> {
    keys: &'a Keys,
    prefix: &'a str,
    bad: Vec<BadValue>,
    unknown: bool,
}

impl Reader<'_> {
    /// Of a place in the order that cannot be read nothing else depends: the default holds.
    fn wake_order(&mut self) -> Option<i32> {
        let key = format!("{}/{WAKE_ORDER}", self.prefix);
        let value = self.keys.get(key.as_str())?;
        let order = value.trim().parse().ok();
        if order.is_none() {
            let message = format!("{key}: {value:?} is no whole number such as 5; the default order holds");
            self.bad.push(BadValue { key: key.into(), message });
        }
        order
    }

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
    Spec::parse(text, zone).map_err(|error| error.to_string())
}
