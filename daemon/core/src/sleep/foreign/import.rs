//! Taking over from another tool: its keys as Nightcap's annotations, and its saved state as Nightcap's marks, without
//! any object changing its size.

use std::sync::Arc;

use super::cron::Cron;
use super::kube_downscaler_cycle::ORIGINAL;
use super::kube_green::SleepInfoSpec;
use super::kube_green_state::{Restore, restored_size};
use super::kube_janitor::{Ttl, parse_ttl};
use super::loft::LoftKeys;
use super::vcluster_yaml::VclusterSleep;
use super::{Tool, downscaler};
use crate::cluster::{Keys, Size};
use crate::schedule::{CheckOptions, week_text};
use crate::sleep::{AnnotationPatch, Mark, Original, SleepSettings};
use crate::units::{Instant, format_duration};

/// What to write on an object, and what could not be said in Nightcap's words.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Import {
    /// Annotations to write, by full key.
    pub annotations: AnnotationPatch,
    /// What is lost, or means something a little different.
    pub notes: Vec<Arc<str>>,
}

impl Import {
    fn set(&mut self, settings: &SleepSettings, name: &str, value: impl AsRef<str>) {
        self.annotations.insert(settings.key(name), Some(value.as_ref().into()));
    }

    fn note(&mut self, note: impl AsRef<str>) {
        self.notes.push(note.as_ref().into());
    }
}

/// The keys of one namespace or workload, as `tool` reads them.
pub fn import_keys(tool: Tool, keys: &Keys, settings: &SleepSettings, now: Instant) -> Import {
    match tool {
        Tool::KubeDownscaler | Tool::GoKubeDownscaler => import_downscaler(tool, keys, settings, now),
        Tool::Loft => import_loft(&LoftKeys::read(keys), settings),
        Tool::KubeJanitor => import_janitor(keys, settings),
        _ => Import::default(),
    }
}

fn import_downscaler(tool: Tool, keys: &Keys, settings: &SleepSettings, now: Instant) -> Import {
    let mut import = Import::default();
    let options = CheckOptions::default();
    for (key, value) in keys.iter().filter(|(key, _)| downscaler::reads(key)) {
        match key.trim_start_matches("downscaler/") {
            name @ ("uptime" | "downtime") => match downscaler::native(tool, value, &options) {
                Ok(spec) => import.set(settings, name, spec),
                Err(reason) => import.note(format!("{key} {value:?}: {reason}")),
            },
            "exclude" if value.eq_ignore_ascii_case("false") => {}
            "exclude" => import.set(settings, "exclude", "true"),
            "exclude-until" => match downscaler::until(tool, value) {
                Some(until) if until > now => import.set(settings, "keep-awake-until", until.to_rfc3339()),
                Some(_) => {}
                None => import.note(format!("{key} {value:?}: {tool} cannot read it")),
            },
            "force-uptime" if value.eq_ignore_ascii_case("true") => import.set(settings, "uptime", "always"),
            "force-downtime" if value.eq_ignore_ascii_case("true") => {
                import.set(settings, "asleep-until", "manual");
            }
            "force-uptime" | "force-downtime" if value.eq_ignore_ascii_case("false") => {}
            "downtime-replicas" | "downscale-replicas" if value.trim() == "0" => {}
            "original-replicas" | "original-pause-replicas" => {}
            _ => import.note(format!("{key} {value:?} has no counterpart")),
        }
    }
    import
}

fn import_loft(keys: &LoftKeys, settings: &SleepSettings) -> Import {
    let mut import = Import { notes: keys.warnings.clone(), ..Import::default() };
    if let Some(after) = keys.sleep_after {
        import.set(settings, "sleep-after", format_duration(after));
    }
    if let Some(after) = keys.delete_after {
        import.set(settings, "delete-after", format_duration(after));
    }
    if keys.exclude {
        import.set(settings, "exclude", "true");
    }
    match (keys.force, keys.force_duration.filter(|length| length.0 > 0), keys.sleeping_since) {
        (true, Some(length), Some(since)) => {
            import.set(settings, "asleep-until", (since + length).to_rfc3339());
        }
        (true, ..) => import.set(settings, "asleep-until", "manual"),
        _ => {}
    }
    edges(&mut import, keys.schedule.sleep.as_ref(), keys.schedule.wake.as_ref(), settings);
    import
}

/// The sleep part of a vcluster.yaml, for the namespace that its control plane stands in.
pub fn import_vcluster(config: &VclusterSleep, settings: &SleepSettings) -> Import {
    let mut import = Import { notes: config.warnings.clone(), ..Import::default() };
    if let Some(after) = config.sleep_after {
        import.set(settings, "sleep-after", format_duration(after));
    }
    if let Some(after) = config.delete_after.filter(|_| !config.keeps) {
        import.set(settings, "delete-after", format_duration(after));
    }
    if !config.excluded.is_empty() {
        import.note(
            "the labels of exclude.selector have no counterpart: annotate those workloads with exclude",
        );
    }
    edges(&mut import, config.sleep.as_ref(), config.wake.as_ref(), settings);
    import
}

/// A `SleepInfo`, for its namespace.
pub fn import_sleep_info(spec: &SleepInfoSpec, settings: &SleepSettings) -> Import {
    let mut import = Import::default();
    match spec.edges() {
        Ok(pair) => edges(&mut import, pair.sleep.as_ref(), pair.wake.as_ref(), settings),
        Err(error) => import.note(error.to_string()),
    }
    for (what, named) in [("excludeRef", &spec.exclude_ref), ("includeRef", &spec.include_ref)] {
        if !named.is_empty() {
            import.note(format!("{what} has no counterpart: annotate those workloads themselves"));
        }
    }
    for (kind, suspends) in
        [("Deployments", spec.suspends_deployments()), ("StatefulSets", spec.suspends_stateful_sets())]
    {
        if !suspends {
            import.note(format!(
                "{kind} are left out by kube-green: annotate those that should stay with exclude"
            ));
        }
    }
    if !spec.suspends_cron_jobs() {
        import.note("CronJobs are left out by kube-green: annotate those that should stay with exclude");
    }
    if !spec.patches.is_empty() {
        import.note("patches have no counterpart");
    }
    import
}

/// Cron edges as a downtime: the windows of one week, if each week is the same.
fn edges(import: &mut Import, sleep: Option<&Cron>, wake: Option<&Cron>, settings: &SleepSettings) {
    match (sleep, wake) {
        (None, None) => {}
        (Some(sleep), Some(wake)) => match weekly(sleep, wake) {
            Some(spec) => import.set(settings, "downtime", spec),
            None => import.note(format!(
                "the schedule `{}` to `{}` is not the same every week and has no counterpart",
                sleep.text(),
                wake.text()
            )),
        },
        (Some(only), None) => {
            import.note(format!("the schedule `{}` never wakes and has no counterpart", only.text()));
        }
        (None, Some(only)) => {
            import.note(format!("the schedule `{}` only wakes and has no counterpart", only.text()));
        }
    }
}

/// The windows between two schedules that are the same every week, as a native time spec.
fn weekly(sleep: &Cron, wake: &Cron) -> Option<String> {
    const MINUTE: i64 = 60_000;
    const WEEK: i64 = 7 * 1_440;
    if sleep.zone() != wake.zone() {
        return None;
    }
    let (sleeps, wakes) = (sleep.minutes_of_week()?, wake.minutes_of_week()?);
    let mut windows = Vec::new();
    for start in sleeps {
        // Up to the first wake after it, over the end of the week if need be.
        let length = wakes.iter().map(|end| (end - start).rem_euclid(WEEK)).min()?;
        let end = start + length;
        windows.push((start * MINUTE, end.min(WEEK) * MINUTE));
        windows.push((0, (end - WEEK).max(0) * MINUTE));
    }
    windows.retain(|(start, end)| start < end);
    Some(week_text(windows, sleep.zone()))
}

fn import_janitor(keys: &Keys, settings: &SleepSettings) -> Import {
    let mut import = Import::default();
    if let Some(value) = keys.get("janitor/ttl") {
        match parse_ttl(value) {
            Ok(Ttl::Forever) => {}
            Ok(Ttl::For(length)) => {
                import.set(settings, "delete-after", format_duration(length));
                import.note("janitor/ttl counts from the creation on, delete-after from the last activity");
            }
            Err(reason) => import.note(format!("janitor/ttl: {reason}")),
        }
    }
    if let Some(value) = keys.get("janitor/expires") {
        import.note(format!("janitor/expires {value:?} has no counterpart"));
    }
    import
}

/// The saved state of another tool, as Nightcap's marks. `None` if nothing says that the object sleeps by that tool's
/// hand, or if what it was cannot be told: it is left to that tool then.
pub fn import_state(
    tool: Tool,
    annotations: &Keys,
    size: Size,
    settings: &SleepSettings,
    now: Instant,
) -> Option<AnnotationPatch> {
    let keys: &[&str] = match tool {
        Tool::KubeDownscaler | Tool::GoKubeDownscaler => &[ORIGINAL],
        Tool::Loft => &["loft.sh/sleep-mode-replicas", "loft.sh/paused-replicas"],
        Tool::Nightshift => &["joyrex2001.com/nightshift.savestate"],
        _ => return None,
    };
    let value = keys.iter().find_map(|key| annotations.get(*key))?;
    let original = match size {
        Size::Replicas(_) => Size::Replicas(value.trim().parse().ok().filter(|replicas| *replicas > 0)?),
        // kube-downscaler counts a CronJob as one or none, its successor keeps whether it was suspended.
        Size::Suspended(_) => Size::Suspended(match (tool, value.trim()) {
            (Tool::KubeDownscaler, "1") | (Tool::GoKubeDownscaler, "false") => false,
            _ => return None,
        }),
        // Each of these tools turns a DaemonSet off by a selector of its own, which a wake by us would leave behind.
        Size::Off(_) => return None,
    };
    take_over(tool, size, original, settings, now)
}

/// The saved state of kube-green for one object, as Nightcap's marks.
pub fn import_restore(
    restore: &Restore,
    kind: &str,
    name: &str,
    size: Size,
    settings: &SleepSettings,
    now: Instant,
) -> Option<AnnotationPatch> {
    let group = if kind == "CronJob" { "batch" } else { "apps" };
    let original = restored_size(restore.get(&format!("{kind}.{group}"))?.get(name)?)?;
    take_over(Tool::KubeGreen, size, original, settings, now)
}

fn take_over(
    tool: Tool,
    size: Size,
    original: Size,
    settings: &SleepSettings,
    now: Instant,
) -> Option<AnnotationPatch> {
    // A different knob is a different object, and what is up is not asleep.
    Original::of(original, None).restored(size, None).filter(|_| size.is_down())?;
    let mark = Mark {
        since: now,
        why: format!("Taken over from {tool}, which had put it to sleep.").into(),
        policy: "import".into(),
        by: tool.name().into(),
        freed: None,
    };
    Some(AnnotationPatch::from([
        (settings.key("asleep"), Some(mark.to_json())),
        (settings.key("original"), Some(Original::of(original, None).to_json())),
    ]))
}
