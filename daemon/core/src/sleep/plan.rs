//! From what should be and what is to the one patch that closes the gap. Safe to run twice.

use std::sync::Arc;

use super::vcluster;
use super::{AnnotationPatch, Decision, Freed, Mark, Original, Restored, SleepSettings, WorkloadPatch};
use crate::cluster::{Fields, Size, Workload, WorkloadKind};
use crate::units::Instant;

/// The annotation by which a namespace or workload says that data of its local volumes may go; named as the flag of
/// `kubectl drain` that says so.
pub(crate) const MAY_LOSE_DATA: &str = "delete-emptydir-data";

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

/// What goes into the mark of a sleep besides the decision.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Asked {
    /// Who asked for it.
    pub by: Arc<str>,
    /// What the workload's pods request now, where its size does not tell.
    pub freed: Option<Freed>,
    /// Somebody has said on it, or on its namespace, that data of local volumes may go.
    pub may_lose_data: bool,
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
    asked: &Asked,
    settings: &SleepSettings,
    now: Instant,
) -> Step {
    if decision.hands_off {
        return Step::Nothing;
    }
    match (decision.asleep, known.is_some_and(|known| known.marked)) {
        // Asleep already, or down before anybody asked: that stays as it is, without a mark.
        (true, _) if workload.size.is_down() => Step::Nothing,
        (true, _) => sleep(workload, known, decision, asked, settings, now),
        (false, true) => wake(workload, known, settings, now),
        (false, false) => Step::Nothing,
    }
}

fn sleep(
    workload: &Workload,
    known: Option<&Known>,
    decision: &Decision,
    asked: &Asked,
    settings: &SleepSettings,
    now: Instant,
) -> Step {
    if let Some((reason, message)) = refusal(workload).or_else(|| losses(workload, decision, asked, settings))
    {
        return Step::Refused(reason, message);
    }
    // Marked and yet not down: somebody scaled it up in its sleep. The larger size is what waking restores.
    let switch = workload.switch.as_deref();
    let original = known
        .and_then(|known| known.original.as_ref())
        .and_then(|original| original.restored(workload.size, switch))
        .map_or_else(|| Original::of(workload.size, switch), |restored| Original::again(&restored, switch));
    let mark = Mark {
        since: now,
        why: Arc::clone(&decision.why),
        policy: Arc::clone(&decision.policy),
        by: Arc::clone(&asked.by),
        freed: asked.freed,
    };
    let mut annotations = vcluster::pause(workload, &original, now);
    annotations.insert(settings.key("asleep"), Some(mark.to_json()));
    annotations.insert(settings.key("original"), Some(original.to_json()));
    let fields = switch.map(|switch| switch.off.clone()).unwrap_or_default();
    Step::Sleep(WorkloadPatch { size: Some(workload.size.down()), fields, ..patch(workload, annotations) })
}

fn wake(workload: &Workload, known: Option<&Known>, settings: &SleepSettings, now: Instant) -> Step {
    let original = known.and_then(|known| known.original.as_ref());
    let Some(restored) = original.and_then(|o| o.restored(workload.size, workload.switch.as_deref())) else {
        if !workload.size.is_down() {
            // Awake already, by somebody else's hand: only the marks go.
            return Step::Wake(patch(workload, unmarked(workload, settings)));
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
    let changes = restored.size != workload.size || !restored.fields.is_empty();
    let size = changes.then_some(restored.size);
    let resumes = workload.key.kind == WorkloadKind::CronJob && size == Some(Size::Suspended(false));
    let skip_runs_until = resumes.then_some(now);
    let fields = restored.fields;
    Step::Wake(WorkloadPatch {
        size,
        fields,
        skip_runs_until,
        ..patch(workload, unmarked(workload, settings))
    })
}

/// Wakes a vCluster that `vcluster pause` has put to sleep, as `vcluster resume` does. Only for who has asked for it by name:
/// what others have put to sleep is left alone otherwise.
pub fn resume_paused(workload: &Workload) -> WorkloadPatch {
    let size = Some(vcluster::paused_size(&workload.annotations));
    WorkloadPatch { size, ..patch(workload, vcluster::resume(workload)) }
}

/// Gives a workload that was woken, and turned down again, the size it was woken to.
pub(crate) fn restore(workload: &Workload, to: &Restored, now: Instant) -> WorkloadPatch {
    let resumes = workload.key.kind == WorkloadKind::CronJob && to.size == Size::Suspended(false);
    WorkloadPatch {
        size: Some(to.size),
        fields: to.fields.clone(),
        skip_runs_until: resumes.then_some(now),
        ..patch(workload, AnnotationPatch::new())
    }
}

fn unmarked(workload: &Workload, settings: &SleepSettings) -> AnnotationPatch {
    let mut annotations = vcluster::resume(workload);
    annotations.extend([(settings.key("asleep"), None), (settings.key("original"), None)]);
    annotations
}

/// A patch that changes annotations only.
fn patch(workload: &Workload, annotations: AnnotationPatch) -> WorkloadPatch {
    WorkloadPatch {
        target: workload.key.clone(),
        resource: workload.resource.clone(),
        uid: Arc::clone(&workload.uid),
        resource_version: Arc::clone(&workload.resource_version),
        size: None,
        fields: Fields::new(),
        annotations,
        skip_runs_until: None,
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
    if workload.controller.is_some() {
        return Some((
            "controlled",
            format!("{key} is not put to sleep: another controller owns it and would undo it"),
        ));
    }
    if workload.running {
        return Some((
            "running",
            format!("{key} has started and runs to its end; it is not put to sleep before"),
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

/// Data that would end with its pods is not for a default or for inactivity to lose: only who wishes the sleep of this very
/// space knows what is in it.
fn losses(
    workload: &Workload,
    decision: &Decision,
    asked: &Asked,
    settings: &SleepSettings,
) -> Option<(&'static str, String)> {
    if workload.local_volumes.is_empty() || asked.may_lose_data || is_own_wish(decision) {
        return None;
    }
    let key = settings.key(MAY_LOSE_DATA);
    let message = format!(
        "{} is not put to sleep by {}: what is in its local volumes ({}) would be lost; annotate it or its namespace with {key}=true if that may go",
        workload.key,
        decision.policy,
        workload.local_volumes.join(", "),
    );
    Some(("local-volumes", message))
}

/// Whether the sleep is wished on the namespace or workload itself, and not for want of use.
fn is_own_wish(decision: &Decision) -> bool {
    let own = decision.policy.starts_with("namespace ") || decision.policy.starts_with("workload ");
    own && !decision.policy.ends_with(" sleep-after")
}
