//! `downscaler/*` as py-kube-downscaler and its ancestor kube-downscaler read them.
//!
//! * Each key of the workload stands in for the same key of its namespace, and that for the configured default.
//! * Excluded: `exclude` with any value but `false`, or `exclude-until` in the future; one that cannot be read excludes
//!   nothing. What is excluded and has saved state is woken, unless the tool may only touch what it is aimed at.
//! * Then `force-uptime` and `force-downtime` of the namespace; then, as soon as one of them is not `never`,
//!   `upscale-period` and `downscale-period`, outside of which, or inside of both, nothing is done; then up within
//!   `uptime` and outside of `downtime`.
//! * A value that cannot be read stops the tool at this object: nothing is done.

use std::sync::Arc;

use chrono::{NaiveDate, NaiveDateTime};

use super::Ask;
use super::wish::Reading;
use crate::cluster::Keys;
use crate::schedule::CheckOptions;
use crate::schedule::dialect::kube_downscaler;
use crate::units::{Instant, Millis};

pub(super) const EXCLUDE: &str = "downscaler/exclude";
pub(super) const EXCLUDE_UNTIL: &str = "downscaler/exclude-until";
pub(super) const UPTIME: &str = "downscaler/uptime";
pub(super) const DOWNTIME: &str = "downscaler/downtime";
pub(super) const UPSCALE_PERIOD: &str = "downscaler/upscale-period";
pub(super) const DOWNSCALE_PERIOD: &str = "downscaler/downscale-period";
pub(super) const FORCE_UPTIME: &str = "downscaler/force-uptime";
pub(super) const FORCE_DOWNTIME: &str = "downscaler/force-downtime";
pub(super) const GRACE_PERIOD: &str = "downscaler/grace-period";
pub(super) const DOWNTIME_REPLICAS: &str = "downscaler/downtime-replicas";

/// What the namespace and the command line say, where the object itself says nothing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PyConfig {
    /// Up within it, and nothing outside; `never` for none.
    pub upscale_period: Arc<str>,
    /// Down within it, and nothing outside; `never` for none.
    pub downscale_period: Arc<str>,
    /// Up within it, down outside.
    pub uptime: Arc<str>,
    /// Down within it.
    pub downtime: Arc<str>,
    /// Forced up while it holds.
    pub force_uptime: Arc<str>,
    /// Forced down while it holds.
    pub force_downtime: Arc<str>,
    /// The key and value that exclude the whole namespace.
    pub excluded: Option<(Arc<str>, Arc<str>)>,
    /// What is excluded is not even woken.
    pub upscale_target_only: bool,
    /// How old an object has to be to be put to sleep.
    pub grace: Millis,
    /// Replicas while down.
    pub downtime_replicas: Arc<str>,
    /// The annotation that says when the object was deployed last, in place of its creation.
    pub deployment_time_key: Option<Arc<str>>,
    /// Zone and days of specs that name none.
    pub options: CheckOptions,
}

impl Default for PyConfig {
    /// What the tool does without any argument.
    fn default() -> Self {
        Self {
            upscale_period: "never".into(),
            downscale_period: "never".into(),
            uptime: "always".into(),
            downtime: "never".into(),
            force_uptime: "false".into(),
            force_downtime: "false".into(),
            excluded: None,
            upscale_target_only: false,
            grace: Millis::from_minutes(15),
            downtime_replicas: "0".into(),
            deployment_time_key: None,
            options: CheckOptions::default(),
        }
    }
}

impl PyConfig {
    /// The same, with what the annotations of a namespace say in front.
    #[must_use]
    pub fn within(&self, namespace: &Keys, now: Instant) -> Self {
        let value = |key: &str, default: &Arc<str>| Arc::clone(namespace.get(key).unwrap_or(default));
        Self {
            upscale_period: value(UPSCALE_PERIOD, &self.upscale_period),
            downscale_period: value(DOWNSCALE_PERIOD, &self.downscale_period),
            uptime: value(UPTIME, &self.uptime),
            downtime: value(DOWNTIME, &self.downtime),
            force_uptime: value(FORCE_UPTIME, &self.force_uptime),
            force_downtime: value(FORCE_DOWNTIME, &self.force_downtime),
            excluded: excluded(namespace, now).or_else(|| self.excluded.clone()),
            downtime_replicas: value(DOWNTIME_REPLICAS, &self.downtime_replicas),
            ..self.clone()
        }
    }
}

/// What the tool would do with an object: the ask, and what decided. `saved` says whether there is state to wake by.
pub(super) fn reading(keys: &Keys, config: &PyConfig, saved: bool, now: Instant) -> Result<Reading, String> {
    if let Some((key, value)) = excluded(keys, now).or_else(|| config.excluded.clone()) {
        return Ok(if saved && !config.upscale_target_only {
            Reading::new(Ask::Awake, &key, &value, "Excluded, and woken if it sleeps.")
        } else {
            Reading::new(Ask::LeaveAlone, &key, &value, "Excluded.")
        });
    }
    let value = |key: &str, default: &Arc<str>| Arc::clone(keys.get(key).unwrap_or(default));
    if force(&config.force_uptime, config, FORCE_UPTIME, now)? {
        return Ok(Reading::new(Ask::Awake, FORCE_UPTIME, &config.force_uptime, "Forced up."));
    }
    if force(&config.force_downtime, config, FORCE_DOWNTIME, now)? {
        return Ok(Reading::new(Ask::Sleep, FORCE_DOWNTIME, &config.force_downtime, "Forced down."));
    }
    let up = value(UPSCALE_PERIOD, &config.upscale_period);
    let down = value(DOWNSCALE_PERIOD, &config.downscale_period);
    if *up != *"never" || *down != *"never" {
        return periods(&up, &down, config, now);
    }
    let uptime = value(UPTIME, &config.uptime);
    let downtime = value(DOWNTIME, &config.downtime);
    if !holds(&uptime, config, UPTIME, now)? {
        return Ok(Reading::new(Ask::Sleep, UPTIME, &uptime, format!("Outside its uptime `{uptime}`.")));
    }
    if holds(&downtime, config, DOWNTIME, now)? {
        return Ok(Reading::new(
            Ask::Sleep,
            DOWNTIME,
            &downtime,
            format!("Within its downtime `{downtime}`."),
        ));
    }
    let named_down = keys.contains_key(DOWNTIME) || *uptime == *"always";
    Ok(if named_down && *downtime != *"never" {
        Reading::new(Ask::Awake, DOWNTIME, &downtime, format!("Outside its downtime `{downtime}`."))
    } else {
        Reading::new(Ask::Awake, UPTIME, &uptime, format!("Within its uptime `{uptime}`."))
    })
}

fn periods(up: &str, down: &str, config: &PyConfig, now: Instant) -> Result<Reading, String> {
    let rises = holds(up, config, UPSCALE_PERIOD, now)?;
    let falls = holds(down, config, DOWNSCALE_PERIOD, now)?;
    Ok(match (rises, falls) {
        (true, true) => {
            let why = format!("Its upscale period `{up}` and its downscale period `{down}` overlap.");
            Reading::new(Ask::LeaveAlone, DOWNSCALE_PERIOD, down, why)
        }
        (true, false) => {
            Reading::new(Ask::Awake, UPSCALE_PERIOD, up, format!("Within its upscale period `{up}`."))
        }
        (false, true) => {
            Reading::new(Ask::Sleep, DOWNSCALE_PERIOD, down, format!("Within its downscale period `{down}`."))
        }
        (false, false) => {
            let (key, value) = if down == "never" { (UPSCALE_PERIOD, up) } else { (DOWNSCALE_PERIOD, down) };
            Reading::new(Ask::LeaveAlone, key, value, "Outside its upscale and downscale periods.")
        }
    })
}

/// The next instant, strictly later, at which a value that [`reading`] looks at changes.
pub(super) fn next_edge(keys: &Keys, config: &PyConfig, more: &[Instant], at: Instant) -> Option<Instant> {
    let texts = [
        (UPSCALE_PERIOD, &config.upscale_period),
        (DOWNSCALE_PERIOD, &config.downscale_period),
        (UPTIME, &config.uptime),
        (DOWNTIME, &config.downtime),
        ("", &config.force_uptime),
        ("", &config.force_downtime),
    ];
    let specs = texts.into_iter().filter_map(|(key, default)| {
        kube_downscaler::parse(keys.get(key).unwrap_or(default), &config.options).next_change(at)
    });
    let ends = until(keys).into_iter().chain(more.iter().copied()).filter(|end| *end > at);
    specs.chain(ends).min()
}

/// The key and value that exclude an object.
pub(super) fn excluded(keys: &Keys, now: Instant) -> Option<(Arc<str>, Arc<str>)> {
    let plain = keys.get(EXCLUDE).filter(|value| !value.eq_ignore_ascii_case("false"));
    if let Some(value) = plain {
        return Some((EXCLUDE.into(), Arc::clone(value)));
    }
    until(keys).filter(|until| now < *until)?;
    keys.get(EXCLUDE_UNTIL).map(|value| (EXCLUDE_UNTIL.into(), Arc::clone(value)))
}

pub(super) fn until(keys: &Keys) -> Option<Instant> {
    keys.get(EXCLUDE_UNTIL).and_then(|value| exclude_until(value))
}

/// The forms of `exclude-until`, all of them UTC.
pub(super) fn exclude_until(text: &str) -> Option<Instant> {
    let time = |form| NaiveDateTime::parse_from_str(text, form).ok();
    let date = || NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().map(NaiveDateTime::from);
    let read =
        time("%Y-%m-%dT%H:%M:%SZ").or_else(|| time("%Y-%m-%dT%H:%M")).or_else(|| time("%Y-%m-%d %H:%M"));
    read.or_else(date).map(|at| Instant(at.and_utc().timestamp_millis()))
}

/// Whether the object is too young to be put to sleep.
pub fn within_grace(keys: &Keys, created: Instant, config: &PyConfig, now: Instant) -> bool {
    now.since(begun(keys, created, config)) <= grace(keys, config)
}

/// When an object that is too young now will not be any more.
pub(super) fn grace_ends(keys: &Keys, created: Instant, config: &PyConfig) -> Instant {
    begun(keys, created, config) + grace(keys, config) + Millis(1)
}

fn begun(keys: &Keys, created: Instant, config: &PyConfig) -> Instant {
    let stated = config.deployment_time_key.as_ref().and_then(|key| keys.get(key));
    let form = |text: &Arc<str>| NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%SZ").ok();
    stated.and_then(form).map_or(created, |at| Instant(at.and_utc().timestamp_millis()))
}

/// The object's own grace period counts only where it is shorter.
fn grace(keys: &Keys, config: &PyConfig) -> Millis {
    let own = keys.get(GRACE_PERIOD).and_then(|text| super::duration::seconds(text));
    own.filter(|own| own.0 >= 0 && *own <= config.grace).unwrap_or(config.grace)
}

fn holds(text: &str, config: &PyConfig, key: &str, now: Instant) -> Result<bool, String> {
    kube_downscaler::parse(text, &config.options).holds(now).map_err(|error| format!("{key}: {error}"))
}

/// `true`, `false` or a spec.
fn force(text: &str, config: &PyConfig, key: &str, now: Instant) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => holds(text, config, key, now),
    }
}
