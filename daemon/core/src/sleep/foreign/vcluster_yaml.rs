//! The sleep part of vcluster.yaml, which stands in the Secret `vc-config-NAME`, in its four forms.
//!
//! | since | where |
//! |---|---|
//! | 0.20 | `external.platform.autoSleep`, `.autoDelete`: whole seconds |
//! | 0.22 | `experimental.sleepMode`: durations such as `3h`; the wake schedule inside of `autoSleep` |
//! | 0.24 | `sleepMode`: the same, the wake schedule in `autoWakeup` beside it |
//! | 0.32 | `sleep.auto`, `deletion` |
//!
//! The newest form that is there counts.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono_tz::Tz;
use serde_json::Value;

use super::cron::Cron;
use super::duration::seconds_or_go;
use super::loft::parse_loft_zone;
use crate::units::Millis;

/// What a vCluster wishes for itself.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct VclusterSleep {
    /// Where it stands; empty if nowhere.
    pub path: &'static str,
    /// Asleep after so long without activity.
    pub sleep_after: Option<Millis>,
    /// When it sleeps.
    pub sleep: Option<Cron>,
    /// When it wakes.
    pub wake: Option<Cron>,
    /// Labels of workloads that keep running.
    pub excluded: BTreeMap<String, String>,
    /// Deleted after so long without activity.
    pub delete_after: Option<Millis>,
    /// It must not be deleted.
    pub keeps: bool,
    /// What cannot be read.
    pub warnings: Vec<Arc<str>>,
}

struct Form {
    path: &'static str,
    /// Of a form that has a switch: where it is.
    enabled: Option<&'static str>,
    auto: &'static str,
    zone: &'static str,
    wake: &'static str,
    delete: &'static str,
}

const FORMS: [Form; 4] = [
    Form {
        path: "sleep.auto",
        enabled: None,
        auto: "/sleep/auto",
        zone: "/sleep/auto/timezone",
        wake: "/sleep/auto/wakeup/schedule",
        delete: "/deletion/auto/afterInactivity",
    },
    Form {
        path: "sleepMode",
        enabled: Some("/sleepMode/enabled"),
        auto: "/sleepMode/autoSleep",
        zone: "/sleepMode/timeZone",
        wake: "/sleepMode/autoWakeup/schedule",
        delete: "",
    },
    Form {
        path: "experimental.sleepMode",
        enabled: Some("/experimental/sleepMode/enabled"),
        auto: "/experimental/sleepMode/autoSleep",
        zone: "/experimental/sleepMode/timeZone",
        wake: "/experimental/sleepMode/autoSleep/wakeup/schedule",
        delete: "",
    },
    Form {
        path: "external.platform.autoSleep",
        enabled: None,
        auto: "/external/platform/autoSleep",
        zone: "/external/platform/autoSleep/timezone",
        wake: "/external/platform/autoSleep/autoWakeup/schedule",
        delete: "/external/platform/autoDelete/afterInactivity",
    },
];

/// Reads a configuration whose YAML has been parsed.
pub fn read(config: &Value) -> VclusterSleep {
    let is_there = |form: &&Form| {
        let on = form.enabled.is_none_or(|path| config.pointer(path) == Some(&Value::Bool(true)));
        let deletes = !form.delete.is_empty() && config.pointer(form.delete).is_some();
        on && (config.pointer(form.auto).is_some_and(Value::is_object) || deletes)
    };
    let prevent = config.pointer("/deletion/prevent") == Some(&Value::Bool(true));
    let mut found = FORMS.iter().filter(is_there);
    let Some(form) = found.next() else {
        return VclusterSleep { keeps: prevent, ..VclusterSleep::default() };
    };
    let mut warnings: Vec<Arc<str>> = Vec::new();
    for other in found {
        warnings.push(format!("{} stands beside {} and does not count", other.path, form.path).into());
    }
    let (sleep_after, delete_after) = {
        let mut duration = |path: &str| {
            let value = config.pointer(path)?;
            let read = match value {
                Value::Number(number) => number.as_i64().and_then(|n| n.checked_mul(1_000)).map(Millis),
                Value::String(text) if text.is_empty() => return None,
                Value::String(text) => seconds_or_go(text),
                _ => None,
            };
            if read.is_none() {
                warnings.push(format!("{}: {value} is no duration", dotted(path)).into());
            }
            read.filter(|length| length.0 > 0)
        };
        (
            duration(&format!("{}/afterInactivity", form.auto)),
            Some(form.delete).filter(|at| !at.is_empty()).and_then(duration),
        )
    };
    let zone = match text(config, form.zone) {
        None => Some(Tz::UTC),
        Some(name) => match parse_loft_zone(name) {
            Ok(zone) => Some(zone),
            Err(problem) => {
                warnings.push(format!("{}: {problem}", dotted(form.zone)).into());
                None
            }
        },
    };
    let mut cron = |path: &str| {
        let read = Cron::parse_in(text(config, path)?, zone?);
        read.map_err(|error| warnings.push(format!("{}: {error}", dotted(path)).into())).ok()
    };
    let (sleep, wake) = (cron(&format!("{}/schedule", form.auto)), cron(form.wake));
    let labels = config.pointer(&format!("{}/exclude/selector/labels", form.auto)).and_then(Value::as_object);
    let labels =
        labels.into_iter().flatten().filter_map(|(key, of)| Some((key.clone(), of.as_str()?.to_owned())));
    VclusterSleep {
        path: form.path,
        sleep_after,
        sleep,
        wake,
        excluded: labels.collect(),
        delete_after,
        keeps: prevent,
        warnings,
    }
}

fn text<'a>(config: &'a Value, path: &str) -> Option<&'a str> {
    config.pointer(path).and_then(Value::as_str).filter(|text| !text.is_empty())
}

fn dotted(path: &str) -> String {
    path.trim_start_matches('/').replace('/', ".")
}
