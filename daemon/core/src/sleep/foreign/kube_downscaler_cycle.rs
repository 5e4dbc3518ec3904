//! One cycle of py-kube-downscaler over one object: what it would do, and write. Used to tell what its saved state
//! means, and to compare before a team moves.

use std::sync::Arc;

use super::Ask;
use super::kube_downscaler::{
    DOWNTIME_REPLICAS, EXCLUDE_UNTIL, PyConfig, exclude_until, reading, within_grace,
};
use crate::cluster::Keys;
use crate::sleep::AnnotationPatch;
use crate::units::Instant;

/// Where the tool keeps what an object was.
pub(super) const ORIGINAL: &str = "downscaler/original-replicas";
/// Where it keeps a pause of KEDA that was there before.
pub(super) const ORIGINAL_PAUSE: &str = "downscaler/original-pause-replicas";
const PAUSED: &str = "autoscaling.keda.sh/paused-replicas";

/// What the tool turns on an object of some kind, as it stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PyKnob {
    /// `spec.replicas`, or a field that counts as well: `minReplicas`, `minAvailable`, `maxUnavailable`.
    Count(i64),
    /// The replicas of a Stack; while they are not set its autoscaler's greatest number counts.
    Stack {
        /// `spec.replicas`.
        replicas: Option<i64>,
        /// `spec.autoscaler.maxReplicas`.
        autoscaler_max: Option<i64>,
    },
    /// The node selector that no node matches, on a `DaemonSet`.
    Parked(bool),
    /// `spec.suspend`.
    Suspended(bool),
    /// The pause annotation of a `ScaledObject`; it counts as -1 while there is none.
    Paused,
    /// A value that the tool cannot count with, such as a percentage.
    Uncountable(Arc<str>),
}

/// An object as the tool sees it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PyObject {
    /// Its annotations.
    pub annotations: Keys,
    /// When it was created.
    pub created: Instant,
    /// What is turned.
    pub knob: PyKnob,
    /// A Stack owns it, which the tool turns instead.
    pub of_stack: bool,
}

/// What one cycle does.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PyCycle {
    /// What it decides.
    pub ask: Ask,
    /// The knob afterwards, if it is turned.
    pub knob: Option<PyKnob>,
    /// The annotations it writes and removes.
    pub annotations: AnnotationPatch,
    /// Values that it cannot read.
    pub warnings: Vec<Arc<str>>,
}

impl PyCycle {
    /// Whether anything is to be written.
    pub fn writes(&self) -> bool {
        self.knob.is_some() || !self.annotations.is_empty()
    }
}

impl PyObject {
    /// Its size as the tool counts it.
    pub fn count(&self) -> Result<i64, String> {
        match &self.knob {
            PyKnob::Count(count) => Ok(*count),
            PyKnob::Stack { replicas, autoscaler_max } => Ok(replicas.or(*autoscaler_max).unwrap_or(1)),
            PyKnob::Parked(down) | PyKnob::Suspended(down) => Ok(i64::from(!*down)),
            PyKnob::Paused => Ok(integer(&self.annotations, PAUSED)?.unwrap_or(-1)),
            PyKnob::Uncountable(value) => Err(format!("{value:?} is no number")),
        }
    }

    /// The object after a cycle.
    #[must_use]
    pub fn after(&self, cycle: &PyCycle) -> Self {
        let mut after = self.clone();
        for (key, value) in &cycle.annotations {
            match value {
                Some(value) => after.annotations.insert(Arc::clone(key), Arc::clone(value)),
                None => after.annotations.remove(key),
            };
        }
        if let Some(knob) = &cycle.knob {
            after.knob = knob.clone();
        }
        after
    }

    /// What one cycle does with it.
    pub fn cycle(&self, config: &PyConfig, now: Instant) -> PyCycle {
        let warnings = self.warnings();
        let nothing =
            |ask, warnings| PyCycle { ask, knob: None, annotations: AnnotationPatch::new(), warnings };
        if self.of_stack {
            return nothing(Ask::LeaveAlone, warnings);
        }
        match self.decide(config, now) {
            Err(problem) => {
                let warnings = warnings.into_iter().chain([problem.into()]).collect();
                nothing(Ask::LeaveAlone, warnings)
            }
            Ok((ask, None)) => nothing(ask, warnings),
            Ok((ask, Some((knob, annotations)))) => PyCycle { ask, knob, annotations, warnings },
        }
    }

    fn warnings(&self) -> Vec<Arc<str>> {
        let until = self.annotations.get(EXCLUDE_UNTIL).filter(|text| exclude_until(text).is_none());
        until
            .map(|text| format!("{EXCLUDE_UNTIL}: {text:?} is no time, so it excludes nothing").into())
            .into_iter()
            .collect()
    }

    fn decide(&self, config: &PyConfig, now: Instant) -> Result<(Ask, Option<Turn>), String> {
        let original = integer(&self.annotations, ORIGINAL)?;
        let target = match integer(&self.annotations, DOWNTIME_REPLICAS)? {
            Some(target) => target,
            None => parse(&config.downtime_replicas, "downtime-replicas")?,
        };
        let saved = original.is_some_and(|original| original != 0);
        let ask = reading(&self.annotations, config, saved, now)?.ask;
        if ask == Ask::LeaveAlone {
            return Ok((ask, None));
        }
        let count = self.count()?;
        let unpaused = matches!(self.knob, PyKnob::Paused) && count == -1;
        let turn = match (ask, original) {
            (Ask::Awake, Some(original)) if original == count => {
                Some((None, AnnotationPatch::from([(ORIGINAL.into(), None)])))
            }
            (Ask::Awake, Some(original)) if count == target && (original > 0 || original == -1) => {
                Some(self.raised(original))
            }
            (Ask::Sleep, _)
                if (count > target || unpaused)
                    && !within_grace(&self.annotations, self.created, config, now) =>
            {
                Some(self.lowered(count, target))
            }
            _ => None,
        };
        Ok((ask, turn))
    }

    fn lowered(&self, count: i64, target: i64) -> Turn {
        let text = |number: i64| Some(Arc::from(number.to_string()));
        let mut annotations = AnnotationPatch::from([(ORIGINAL.into(), text(count))]);
        let knob = match &self.knob {
            PyKnob::Parked(_) => PyKnob::Parked(true),
            PyKnob::Suspended(_) => PyKnob::Suspended(true),
            PyKnob::Stack { autoscaler_max, .. } => {
                PyKnob::Stack { replicas: Some(target), autoscaler_max: *autoscaler_max }
            }
            PyKnob::Paused => {
                if count != -1 {
                    annotations.insert(ORIGINAL_PAUSE.into(), text(count));
                }
                annotations.insert(PAUSED.into(), text(target));
                PyKnob::Paused
            }
            PyKnob::Count(_) | PyKnob::Uncountable(_) => PyKnob::Count(target),
        };
        (Some(knob), annotations)
    }

    fn raised(&self, original: i64) -> Turn {
        let mut annotations = AnnotationPatch::from([(ORIGINAL.into(), None)]);
        let knob = match &self.knob {
            PyKnob::Parked(_) => PyKnob::Parked(false),
            PyKnob::Suspended(_) => PyKnob::Suspended(false),
            // With an autoscaler the number is its own again.
            PyKnob::Stack { autoscaler_max, .. } => PyKnob::Stack {
                replicas: autoscaler_max.is_none().then_some(original),
                autoscaler_max: *autoscaler_max,
            },
            PyKnob::Paused => {
                annotations.insert(PAUSED.into(), self.annotations.get(ORIGINAL_PAUSE).cloned());
                annotations.insert(ORIGINAL_PAUSE.into(), None);
                PyKnob::Paused
            }
            PyKnob::Count(_) | PyKnob::Uncountable(_) => PyKnob::Count(original),
        };
        (Some(knob), annotations)
    }
}

type Turn = (Option<PyKnob>, AnnotationPatch);

fn integer(keys: &Keys, key: &str) -> Result<Option<i64>, String> {
    keys.get(key).map(|text| parse(text, key)).transpose()
}

fn parse(text: &str, what: &str) -> Result<i64, String> {
    text.trim().parse().map_err(|_| format!("{what}: {text:?} is no whole number"))
}
