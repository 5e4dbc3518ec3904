//! `downscaler/*` on a namespace and its workloads, in either reading, and where the two readings differ.

use std::sync::Arc;

use super::gokubedownscaler::{self as go, Replicas, Scope, ScopeName};
use super::kube_downscaler::{self as py, PyConfig};
use super::wish::{Reading, next_change};
use super::{Ask, ForeignWish, Tool};
use crate::cluster::Keys;
use crate::schedule::dialect::{ForeignSpec, gokubedownscaler, kube_downscaler};
use crate::schedule::{CheckOptions, SpecError};
use crate::units::{Instant, Millis, format_duration, parse_rfc3339};

/// Keys that decide whether an object sleeps; the others only say how.
const DECIDING: [&str; 8] = [
    py::EXCLUDE,
    py::EXCLUDE_UNTIL,
    py::UPTIME,
    py::DOWNTIME,
    py::UPSCALE_PERIOD,
    py::DOWNSCALE_PERIOD,
    py::FORCE_UPTIME,
    py::FORCE_DOWNTIME,
];
const SPECS: [&str; 6] = [
    py::UPTIME,
    py::DOWNTIME,
    py::UPSCALE_PERIOD,
    py::DOWNSCALE_PERIOD,
    py::FORCE_UPTIME,
    py::FORCE_DOWNTIME,
];

/// Whether it is one of the keys.
pub(super) fn reads(key: &str) -> bool {
    key.starts_with("downscaler/")
}

fn decides(keys: &Keys) -> bool {
    DECIDING.iter().any(|key| keys.contains_key(*key))
}

/// What `downscaler/*` asks for as py-kube-downscaler reads it; `None` where no key decides anything.
pub(super) fn py_wish(
    workload: Option<(&Keys, Instant)>,
    namespace: &Keys,
    options: &CheckOptions,
    now: Instant,
) -> Option<ForeignWish> {
    let none = Keys::new();
    let own = workload.map_or(&none, |(keys, _)| keys);
    if !decides(own) && !decides(namespace) {
        return None;
    }
    let defaults = PyConfig { options: options.clone(), ..PyConfig::default() };
    let config = |at: Instant| defaults.within(namespace, at);
    let here = config(now);
    let mut warnings = differences(own, namespace, options, now);
    let replicas = own.get(py::DOWNTIME_REPLICAS).unwrap_or(&here.downtime_replicas);
    let count = replicas
        .trim()
        .parse::<i64>()
        .map_err(|_| format!("{}: {replicas:?} is no whole number", py::DOWNTIME_REPLICAS));
    for keys in [own, namespace] {
        if let Some(text) = keys.get(py::EXCLUDE_UNTIL).filter(|text| py::exclude_until(text).is_none()) {
            warnings
                .push(format!("{}: {text:?} is no time, so it excludes nothing", py::EXCLUDE_UNTIL).into());
        }
    }
    let grace_ends = workload.map(|(keys, created)| py::grace_ends(keys, created, &here));
    let read = |at: Instant| -> Result<Reading, String> {
        count.clone()?;
        let reading = py::reading(own, &config(at), true, at)?;
        // What the tool's own defaults say is not known here.
        let written = own.contains_key(&reading.key) || namespace.contains_key(&reading.key);
        Ok(if written { with_grace(reading, grace_ends, at) } else { silent(reading) })
    };
    let more: Vec<Instant> = py::until(namespace).into_iter().chain(grace_ends).collect();
    let edge = |at: Instant| py::next_edge(own, &config(at), &more, at);
    let until = next_change(now, |at| read(at).map_or(Ask::LeaveAlone, |reading| reading.ask), edge);
    Some(finish(Tool::KubeDownscaler, read(now), count.clone().unwrap_or(0), until, warnings))
}

/// What is too young to be put to sleep is left alone.
fn with_grace(reading: Reading, ends: Option<Instant>, at: Instant) -> Reading {
    match ends.filter(|ends| reading.ask == Ask::Sleep && at < *ends) {
        Some(ends) => {
            let why = format!("Within its grace period, until {ends}.");
            Reading { ask: Ask::LeaveAlone, why, ..reading }
        }
        None => reading,
    }
}

fn silent(reading: Reading) -> Reading {
    Reading { ask: Ask::Nothing, why: "Nothing at this time.".to_owned(), ..reading }
}

/// What `downscaler/*` asks for as `GoKubeDownscaler` reads it; `None` where no key decides anything.
pub(super) fn go_wish(
    workload: Option<(&Keys, Instant)>,
    namespace: &Keys,
    options: &CheckOptions,
    now: Instant,
) -> Option<ForeignWish> {
    let none = Keys::new();
    let own = workload.map_or(&none, |(keys, _)| keys);
    if !decides(own) && !decides(namespace) {
        return None;
    }
    let warnings = differences(own, namespace, options, now);
    let scopes = Scope::read(own, options).and_then(|own| Ok((own, Scope::read(namespace, options)?)));
    let (own, namespace) = match scopes {
        Ok(scopes) => scopes,
        Err(problem) => return Some(finish(Tool::GoKubeDownscaler, Err(problem), 0, None, warnings)),
    };
    let scopes = [(ScopeName::Workload, &own), (ScopeName::Namespace, &namespace)];
    let grace_ends = workload.map(|(_, created)| created + go::grace(&scopes));
    let replicas = go::downscale_replicas(&scopes);
    let read = |at: Instant| -> Result<Reading, String> {
        let reading = with_grace(go::reading(&scopes, at)?, grace_ends, at);
        match &replicas {
            Replicas::Absolute(_) => Ok(reading),
            other if reading.ask == Ask::Sleep => {
                Err(format!("{}: {other} is no number of replicas", go::DOWNSCALE_REPLICAS))
            }
            _ => Ok(reading),
        }
    };
    let edge = |at: Instant| {
        go::next_edge(&scopes, at).into_iter().chain(grace_ends.filter(|ends| *ends > at)).min()
    };
    let until = next_change(now, |at| read(at).map_or(Ask::LeaveAlone, |reading| reading.ask), edge);
    let count = if let Replicas::Absolute(number) = replicas { number } else { 0 };
    Some(finish(Tool::GoKubeDownscaler, read(now), count, until, warnings))
}

fn finish(
    tool: Tool,
    reading: Result<Reading, String>,
    replicas: i64,
    until: Option<Instant>,
    mut warnings: Vec<Arc<str>>,
) -> ForeignWish {
    let reading = reading.unwrap_or_else(|problem| {
        let why = format!("{tool} does nothing with an object of which it cannot read a value.");
        warnings.push(problem.into());
        Reading::new(Ask::LeaveAlone, "", "", why)
    });
    ForeignWish {
        tool,
        ask: reading.ask,
        replicas: u32::try_from(replicas).unwrap_or(0),
        key: reading.key,
        value: reading.value,
        why: reading.why.into(),
        until,
        warnings,
    }
}

/// Where the two readings of what an object and its namespace carry differ: key, value and both readings.
pub(super) fn differences(
    own: &Keys,
    namespace: &Keys,
    options: &CheckOptions,
    now: Instant,
) -> Vec<Arc<str>> {
    let mut found = of_one(own, options, now);
    for more in of_one(namespace, options, now) {
        if !found.contains(&more) {
            found.push(more);
        }
    }
    found
}

fn of_one(keys: &Keys, options: &CheckOptions, now: Instant) -> Vec<Arc<str>> {
    let mut found: Vec<Arc<str>> = Vec::new();
    let mut differ = |key: &str, py: &str, go: &str| {
        if let Some(value) = keys.get(key) {
            found.push(
                format!("{key} {value:?}: kube-downscaler reads {py}, GoKubeDownscaler reads {go}").into(),
            );
        }
    };
    for key in SPECS {
        if let Some((at, py, go)) = keys.get(key).and_then(|text| first_difference(text, options, now)) {
            differ(key, &format!("{py} at {at}"), &format!("{go} then"));
        }
    }
    let has = |key: &str| keys.contains_key(key);
    if has(py::UPTIME) && has(py::DOWNTIME) {
        differ(py::DOWNTIME, "it beside the uptime", "an error, since both stand in one place");
    }
    let (times, periods) = (has(py::UPTIME) || has(py::DOWNTIME), [py::UPSCALE_PERIOD, py::DOWNSCALE_PERIOD]);
    for period in periods.into_iter().filter(|_| times) {
        differ(period, "it in place of uptime and downtime", "an error, since both stand in one place");
    }
    if let Some(value) = keys.get(py::EXCLUDE) {
        let py = !value.eq_ignore_ascii_case("false");
        let go = gokubedownscaler::parse(value, options).and_then(|spec| spec.holds(now));
        if go.as_ref() != Ok(&py) {
            differ(py::EXCLUDE, word(Ok(py)), word(go.map_err(|_| ())));
        } else if py {
            differ(py::EXCLUDE, "that it is woken if it sleeps", "that it is left as it is");
        }
    }
    if let Some(value) = keys.get(py::EXCLUDE_UNTIL) {
        let (py, go) = (py::exclude_until(value), parse_rfc3339(value));
        if py != go {
            let name = |at: Option<Instant>, bad: &str| at.map_or(bad.to_owned(), Instant::to_rfc3339);
            differ(py::EXCLUDE_UNTIL, &name(py, "nothing"), &name(go, "an error"));
        }
    }
    if let Some(value) = keys.get(py::GRACE_PERIOD).filter(|text| super::duration::seconds(text).is_none()) {
        let go = super::duration::go(value).map_or("an error".to_owned(), format_duration);
        differ(py::GRACE_PERIOD, "nothing", &go);
    }
    differ(py::DOWNTIME_REPLICAS, "replicas while down", "nothing, its key is downscaler/downscale-replicas");
    differ(go::DOWNSCALE_REPLICAS, "nothing, its key is downscaler/downtime-replicas", "replicas while down");
    differ("downscaler/upscale-excluded", "nothing", "that what is excluded is woken");
    differ("downscaler/scale-children", "nothing", "that what the object owns is turned");
    found
}

/// The first instant within a week at which the readings of a spec differ, and what each says then.
fn first_difference(
    text: &str,
    options: &CheckOptions,
    now: Instant,
) -> Option<(Instant, &'static str, &'static str)> {
    let py = match text.to_ascii_lowercase().as_str() {
        // For a forced key this tool compares words before it reads a spec.
        "true" | "false" => kube_downscaler::parse(
            if text.eq_ignore_ascii_case("true") { "always" } else { "never" },
            options,
        ),
        _ => kube_downscaler::parse(text, options),
    };
    let go = gokubedownscaler::parse(text, options);
    let says = |at: Instant| {
        let py = word(py.holds(at).map_err(|_| ()));
        let go = word(go.as_ref().map_err(|_| ()).and_then(|spec| spec.holds(at).map_err(|_| ())));
        (py, go)
    };
    let edge = |spec: &ForeignSpec, at: Instant| spec.next_change(at);
    let mut at = now;
    while at.since(now) < Millis::from_hours(7 * 24) {
        let (py_says, go_says) = says(at);
        if py_says != go_says {
            return Some((at, py_says, go_says));
        }
        at = edge(&py, at).into_iter().chain(go.as_ref().ok().and_then(|spec| edge(spec, at))).min()?;
    }
    None
}

const fn word(reading: Result<bool, ()>) -> &'static str {
    match reading {
        Ok(true) => "that it holds",
        Ok(false) => "that it does not hold",
        Err(()) => "an error",
    }
}

/// A spec as `tool` reads it, in the native grammar.
pub(super) fn native(tool: Tool, text: &str, options: &CheckOptions) -> Result<String, SpecError> {
    match tool {
        Tool::GoKubeDownscaler => gokubedownscaler::parse(text, options)?.to_native(),
        _ => kube_downscaler::parse(text, options).to_native(),
    }
}

/// The end of an exclusion as `tool` reads it.
pub(super) fn until(tool: Tool, text: &str) -> Option<Instant> {
    if tool == Tool::GoKubeDownscaler { parse_rfc3339(text) } else { py::exclude_until(text) }
}
