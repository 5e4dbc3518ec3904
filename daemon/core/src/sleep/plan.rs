//! From what should be and what is to the one patch that closes the gap. Safe to run twice.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{AnnotationPatch, Decision, Mark, Original, SleepSettings, WorkloadPatch};
use crate::cluster::{Size, Workload};
use crate::units::Instant;

/// What is known of a workload's sleep, read from its marks.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Known {
    /// The mark, if it carries one that can be read.
    pub mark: Option<Mark>,
    /// What it was, if that can be read, or was once.
    pub original: Option<Original>,
    /// Either annotation is there, readable or not: Nightcap put it to sleep.
    pub marked: bool,
}

/// What to do with one workload.
#[derive(Clone, PartialEq, Debug)]
pub enum Step {
    /// It is as it should be.
    Nothing,
    /// It should sleep, but must not or cannot yet.
    Refused(&'static str, String),
    /// It should wake, but nobody knows to what size.
    Lost(String),
    /// Put it to sleep.
    Sleep(WorkloadPatch),
    /// Wake it.
    Wake(WorkloadPatch),
}

/// Compares one workload with what it should be.
pub fn step(
    workload: &Workload,
    known: Option<&Known>,
    decision: &Decision,
    by: &Arc<str>,
    settings: &SleepSettings,
    now: Instant,
) -> Step {
    if decision.hands_off {
        return Step::Nothing;
    }
    match (decision.asleep, known.is_some_and(|known| known.marked)) {
        // Asleep already, or down before anybody asked: that stays as it is, without a mark.
        (true, _) if workload.size.is_down() => Step::Nothing,
        (true, _) => sleep(workload, known, decision, by, settings, now),
        (false, true) => wake(workload, known, settings, now),
        (false, false) => Step::Nothing,
    }
}

fn sleep(
    workload: &Workload,
    known: Option<&Known>,
    decision: &Decision,
    by: &Arc<str>,
    settings: &SleepSettings,
    now: Instant,
) -> Step {
    if let Some((reason, message)) = refusal(workload) {
        return Step::Refused(reason, message);
    }
    // Marked and yet not down: somebody scaled it up in its sleep. The larger size is what waking restores.
    let size = known
        .and_then(|known| known.original)
        .and_then(|o| o.restored(workload.size))
        .unwrap_or(workload.size);
    let mark = Mark {
        since: now,
        why: Arc::clone(&decision.why),
        policy: Arc::clone(&decision.policy),
        by: Arc::clone(by),
    };
    let annotations = BTreeMap::from([
        (settings.key("asleep"), Some(mark.to_json())),
        (settings.key("original"), Some(Original::of(size).to_json())),
    ]);
    Step::Sleep(patch(workload, Some(workload.size.down()), annotations, None))
}

fn wake(workload: &Workload, known: Option<&Known>, settings: &SleepSettings, now: Instant) -> Step {
    let Some(size) = known.and_then(|known| known.original).and_then(|o| o.restored(workload.size)) else {
        if !workload.size.is_down() {
            // Awake already, by somebody else's hand: only the marks go.
            return Step::Wake(patch(workload, None, unmarked(settings), None));
        }
        let found = workload.annotations.get(&settings.key("original"));
        return Step::Lost(match found {
            Some(value) => format!(
                "{} cannot be woken: its {} annotation {value:?} cannot be read; scale it by hand and remove the annotation",
                workload.key,
                settings.key("original")
            ),
            None => format!(
                "{} cannot be woken: it is marked asleep but its {} annotation is gone; scale it by hand and remove the mark",
                workload.key,
                settings.key("original")
            ),
        });
    };
    let changed = (size != workload.size).then_some(size);
    let skip = matches!(changed, Some(Size::Suspended(false))).then_some(now);
    Step::Wake(patch(workload, changed, unmarked(settings), skip))
}

fn unmarked(settings: &SleepSettings) -> AnnotationPatch {
    BTreeMap::from([(settings.key("asleep"), None), (settings.key("original"), None)])
}

fn patch(
    workload: &Workload,
    size: Option<Size>,
    annotations: AnnotationPatch,
    skip_runs_until: Option<Instant>,
) -> WorkloadPatch {
    WorkloadPatch {
        target: workload.key.clone(),
        uid: Arc::clone(&workload.uid),
        resource_version: Arc::clone(&workload.resource_version),
        size,
        annotations,
        skip_runs_until,
    }
}

/// Why a workload must not be put to sleep, or not yet: a short, stable word and a sentence.
fn refusal(workload: &Workload) -> Option<(&'static str, String)> {
    let key = &workload.key;
    if workload.deletes_claims_when_scaled {
        return Some((
            "deletes-claims",
            format!(
                "{key} is not put to sleep: its persistentVolumeClaimRetentionPolicy.whenScaled is Delete, so scaling it down would delete its data"
            ),
        ));
    }
    if workload.controlled {
        return Some((
            "controlled",
            format!("{key} is not put to sleep: another controller owns it and would undo it"),
        ));
    }
    if workload.rolling_out {
        return Some((
            "rolling-out",
            format!("{key} is in the middle of a rollout; it sleeps once that is done"),
        ));
    }
    None
}
