//! loft and vCluster Platform: `sleepmode.loft.sh/*` on namespaces and virtual clusters, and the sleep part of
//! vcluster.yaml.
//!
//! * `sleep-schedule` and `wakeup-schedule` are cron expressions in `timezone` (`Zone`, or `Zone#seconds`, where the
//!   seconds stand in for a zone nobody knows); a zone inside of the expressions does not count.
//! * `force` sleeps until somebody wakes it, or for `force-duration` seconds after `sleeping-since`.
//! * `sleep-after` is a time without activity. Only the platform sees that activity: Nightcap translates the key on
//!   import, and does not act on it.

use std::sync::Arc;

use chrono_tz::Tz;

use super::cron::{Cron, CronPair};
use super::duration::seconds;
use super::wish::{Reading, next_change};
use super::{Ask, ForeignWish, Tool};
use crate::cluster::Keys;
use crate::schedule::parse_zone;
use crate::units::{Instant, Millis};

pub(super) const PREFIX: &str = "sleepmode.loft.sh/";

/// What the annotations of one object say.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct LoftKeys {
    /// Asleep after so long without activity.
    pub sleep_after: Option<Millis>,
    /// Deleted after so long without activity.
    pub delete_after: Option<Millis>,
    /// When it sleeps and wakes.
    pub schedule: CronPair,
    /// Asleep now.
    pub force: bool,
    /// For so long; negative or not set: until somebody wakes it.
    pub force_duration: Option<Millis>,
    /// Never put to sleep.
    pub exclude: bool,
    /// Activity does not count at all.
    pub ignore_all: bool,
    /// Since when the platform has it asleep.
    pub sleeping_since: Option<Instant>,
    /// When the platform saw activity last.
    pub last_activity: Option<Instant>,
    /// How the platform put it to sleep, in its own words.
    pub sleep_type: Option<Arc<str>>,
    /// What cannot be read.
    pub warnings: Vec<Arc<str>>,
}

/// Whether it is one of the keys.
pub(super) fn reads(key: &str) -> bool {
    key.starts_with(PREFIX)
}

impl LoftKeys {
    /// Reads the annotations of one object.
    pub fn read(keys: &Keys) -> Self {
        let mut warnings = Vec::new();
        let get = |name: &str| keys.get(format!("{PREFIX}{name}").as_str());
        let zone = zone(get("timezone"), &mut warnings);
        let mut cron = |name: &str| {
            let text = get(name).filter(|text| !text.is_empty())?;
            let read = Cron::parse_in(text, zone.ok()?);
            read.map_err(|error| warnings.push(format!("{PREFIX}{name}: {error}").into())).ok()
        };
        let (sleep, wake) = (cron("sleep-schedule"), cron("wakeup-schedule"));
        let mut duration = |name: &str| {
            let text = get(name)?;
            let read = seconds(text);
            if read.is_none() {
                warnings.push(format!("{PREFIX}{name}: {text:?} is no whole number of seconds").into());
            }
            read
        };
        let (sleep_after, delete_after) = (duration("sleep-after"), duration("delete-after"));
        let force_duration = duration("force-duration");
        let at = |name: &str| get(name).and_then(|text| seconds(text)).map(|since| Instant(since.0));
        let is = |name: &str| get(name).is_some_and(|value| value.eq_ignore_ascii_case("true"));
        Self {
            // None of them stands for never, as the platform has it.
            sleep_after: sleep_after.filter(|after| after.0 > 0),
            delete_after: delete_after.filter(|after| after.0 > 0),
            schedule: CronPair { sleep, wake },
            force: is("force"),
            force_duration,
            exclude: is("exclude"),
            ignore_all: is("ignore-all"),
            sleeping_since: at("sleeping-since"),
            last_activity: at("last-activity"),
            sleep_type: get("sleep-type").cloned(),
            warnings,
        }
    }

    fn forced(&self, now: Instant) -> Forced {
        let length = self.force_duration.filter(|length| length.0 > 0);
        match (self.force, length, self.sleeping_since) {
            (true, Some(length), Some(since)) if since + length > now => Forced::Until(since + length),
            (false, ..) | (true, Some(_), Some(_)) => Forced::No,
            (true, ..) => Forced::Manual,
        }
    }

    fn reading(&self, now: Instant) -> Option<Reading> {
        let forced = |why: String| Some(Reading::new(Ask::Sleep, &format!("{PREFIX}force"), "true", why));
        match self.forced(now) {
            Forced::Until(until) => forced(format!("Forced to sleep until {until}.")),
            Forced::Manual => forced("Forced to sleep until somebody wakes it.".to_owned()),
            Forced::No => self.scheduled(now),
        }
    }

    /// What the schedules ask for; nothing without one of sleep.
    fn scheduled(&self, now: Instant) -> Option<Reading> {
        let sleep = self.schedule.sleep.as_ref()?;
        let asleep = self.schedule.asleep(now)?;
        let (text, zone) = (sleep.text(), sleep.zone().name());
        let woken = self.schedule.wake.as_ref().map(|wake| format!(", woken at `{}`", wake.text()));
        let woken = woken.unwrap_or_default();
        let (ask, state) = if asleep { (Ask::Sleep, "Asleep") } else { (Ask::Awake, "Awake") };
        let why = format!("{state} by its schedule: put to sleep at `{text}`{woken}, {zone}.");
        Some(Reading::new(ask, &format!("{PREFIX}sleep-schedule"), text, why))
    }

    fn next_edge(&self, after: Instant) -> Option<Instant> {
        let forced = match self.forced(after) {
            Forced::Until(until) => Some(until),
            Forced::No | Forced::Manual => None,
        };
        self.schedule.next_edge(after).into_iter().chain(forced).min()
    }
}

/// Whether somebody has forced it to sleep.
enum Forced {
    No,
    Until(Instant),
    /// Until somebody wakes it.
    Manual,
}

fn zone(text: Option<&Arc<str>>, warnings: &mut Vec<Arc<str>>) -> Result<Tz, ()> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(Tz::UTC) };
    parse_loft_zone(text).map_err(|problem| warnings.push(format!("{PREFIX}timezone: {problem}").into()))
}

/// Reads `Zone` or `Zone#seconds`.
pub(super) fn parse_loft_zone(text: &str) -> Result<Tz, String> {
    let (name, offset) = text.split_once('#').map_or((text, None), |(name, offset)| (name, Some(offset)));
    match (parse_zone(name), offset.and_then(|offset| offset.parse::<i64>().ok())) {
        (Ok(zone), _) => Ok(zone),
        (Err(error), Some(offset)) => fixed(offset).ok_or_else(|| error.to_string()),
        (Err(error), None) => Err(error.to_string()),
    }
}

/// The zone that is always so many seconds ahead of UTC: whole hours only, as there is no other.
fn fixed(seconds: i64) -> Option<Tz> {
    let hours = seconds / 3_600;
    // The names of these count the other way round.
    let name = if hours == 0 { "UTC".to_owned() } else { format!("Etc/GMT{:+}", -hours) };
    (seconds % 3_600 == 0).then(|| name.parse().ok()).flatten()
}

/// What the annotations ask for. A workload only leaves itself out; the rest is said on its namespace.
pub(super) fn wish(own: Option<&Keys>, namespace: &Keys, now: Instant) -> Option<ForeignWish> {
    let made = |reading: Reading, until, warnings| ForeignWish {
        tool: Tool::Loft,
        ask: reading.ask,
        replicas: 0,
        key: reading.key,
        value: reading.value,
        why: reading.why.into(),
        until,
        warnings,
    };
    if own.is_some_and(|keys| LoftKeys::read(keys).exclude) {
        let key = format!("{PREFIX}exclude");
        return Some(made(Reading::new(Ask::Awake, &key, "true", "Excluded from sleep."), None, Vec::new()));
    }
    let keys = LoftKeys::read(namespace);
    match keys.reading(now) {
        Some(reading) => {
            let until = next_change(now, |at| keys.reading(at).map(|r| r.ask), |at| keys.next_edge(at));
            Some(made(reading, until, keys.warnings))
        }
        None if keys.warnings.is_empty() => None,
        None => {
            let why = "A value of its namespace cannot be read, so nothing is done.";
            let reading = Reading::new(Ask::LeaveAlone, &format!("{PREFIX}sleep-schedule"), "", why);
            Some(made(reading, None, keys.warnings))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_may_carry_their_offset() {
        for (text, zone) in [
            ("Europe/Berlin", Some(Tz::Europe__Berlin)),
            ("Europe/Berlin#3600", Some(Tz::Europe__Berlin)),
            ("CEST#7200", Some(Tz::Etc__GMTMinus2)),
            ("Nowhere#-18000", Some(Tz::Etc__GMTPlus5)),
            ("Nowhere#0", Some(Tz::UTC)),
            ("Nowhere#19800", None),
            ("Nowhere#", None),
            ("Nowhere", None),
            ("", None),
        ] {
            assert_eq!(parse_loft_zone(text).ok(), zone, "{text:?}");
        }
    }
}
