//! What `GoKubeDownscaler` does with one object of each kind, and keeps in `downscaler/original-replicas`.
//!
//! * Down: what is at or below the target stays untouched; else the present value becomes the original, **also where one
//!   was saved already**: an object that is asleep by half loses what it was. Nightcap reads that state, and never
//!   writes it.
//! * Up: without an original nothing happens; an original that is reached already is only removed.

use std::sync::Arc;

use super::gokubedownscaler::Replicas;

/// What is turned.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum GoKind {
    /// `spec.replicas`.
    Replicas,
    /// `spec.minReplicas` of an autoscaler, which is at least 1 and at most its `maxReplicas`.
    MinReplicas {
        /// The greatest number.
        max: Option<i64>,
    },
    /// `minAvailable` or `maxUnavailable`: a number or a percentage.
    Disruption,
    /// The pause annotation of a `ScaledObject`.
    Paused,
    /// `spec.suspend`.
    Suspend,
    /// The node selector that no node matches.
    Selector,
    /// A field that is set to another word: a Service's type, the class of an Ingress or Gateway.
    Value {
        /// The word while down.
        parked: Arc<str>,
    },
}

/// Whether it goes down or up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum GoOp {
    /// Down.
    Down,
    /// Up.
    Up,
}

/// What becomes of an object.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GoOutcome {
    /// The value afterwards; `None` if there is none.
    pub value: Option<Replicas>,
    /// The saved original afterwards.
    pub original: Option<Replicas>,
    /// Whether anything is written.
    pub update: bool,
}

/// A `ScaledObject` without a pause.
const UNPAUSED: Replicas = Replicas::Absolute(-1);

/// One step of the tool on one object.
pub fn scale(
    kind: &GoKind,
    op: GoOp,
    current: Option<&Replicas>,
    original: Option<&Replicas>,
    target: &Replicas,
) -> Result<GoOutcome, String> {
    match op {
        GoOp::Down => down(kind, current, original, target),
        GoOp::Up => Ok(up(kind, current, original)),
    }
}

fn down(
    kind: &GoKind,
    current: Option<&Replicas>,
    original: Option<&Replicas>,
    target: &Replicas,
) -> Result<GoOutcome, String> {
    let untouched = GoOutcome { value: current.cloned(), original: original.cloned(), update: false };
    let turned = |value: Replicas, original: Replicas| GoOutcome {
        value: Some(value),
        original: Some(original),
        update: true,
    };
    Ok(match kind {
        GoKind::Replicas | GoKind::MinReplicas { .. } | GoKind::Paused => {
            let least = i64::from(matches!(kind, GoKind::MinReplicas { .. }));
            let Replicas::Absolute(wanted) = target else {
                return Err(format!("{target} is no number of replicas"));
            };
            if *wanted < least {
                return Err(format!("{target} is less than {least}, the least that this kind can have"));
            }
            match current {
                None | Some(&UNPAUSED) if *kind == GoKind::Paused => turned(target.clone(), UNPAUSED),
                Some(Replicas::Absolute(now)) if now > wanted => {
                    turned(target.clone(), Replicas::Absolute(*now))
                }
                // Without a number there is one.
                None if 1 > *wanted => turned(target.clone(), Replicas::Absolute(1)),
                _ => untouched,
            }
        }
        GoKind::Disruption => match (current, target) {
            (_, Replicas::Bool(_) | Replicas::Text(_)) => {
                return Err(format!("{target} is neither a number nor a percentage"));
            }
            (Some(Replicas::Absolute(now)), Replicas::Absolute(wanted))
            | (Some(Replicas::Percent(now)), Replicas::Percent(wanted))
                if now <= wanted =>
            {
                untouched
            }
            (Some(now), _) => turned(target.clone(), now.clone()),
            (None, _) => untouched,
        },
        GoKind::Suspend | GoKind::Selector => match current {
            Some(Replicas::Bool(true)) => untouched,
            _ => turned(Replicas::Bool(true), Replicas::Bool(false)),
        },
        GoKind::Value { parked } => match current {
            Some(Replicas::Text(now)) if now != parked => {
                turned(Replicas::Text(Arc::clone(parked)), Replicas::Text(Arc::clone(now)))
            }
            _ => untouched,
        },
    })
}

fn up(kind: &GoKind, current: Option<&Replicas>, original: Option<&Replicas>) -> GoOutcome {
    let Some(original) = original else {
        return GoOutcome { value: current.cloned(), original: None, update: false };
    };
    let value = match (kind, original) {
        (GoKind::Paused, &UNPAUSED) => None,
        (GoKind::MinReplicas { max: Some(max) }, Replicas::Absolute(min)) => {
            Some(Replicas::Absolute(*min.min(max)))
        }
        _ => Some(original.clone()),
    };
    GoOutcome { value, original: None, update: true }
}

/// How many pods' requests an outcome frees, as the tool counts it: those of what is down by its own hand.
pub fn freed_pods(kind: &GoKind, outcome: &GoOutcome, pods: i64) -> i64 {
    match (kind, &outcome.value, &outcome.original) {
        (GoKind::Replicas, Some(Replicas::Absolute(now)), Some(Replicas::Absolute(was))) => {
            (was - now).max(0)
        }
        (GoKind::Suspend | GoKind::Selector, Some(Replicas::Bool(true)), Some(Replicas::Bool(false))) => pods,
        _ => 0,
    }
}

/// An object among those the tool looks through.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Candidate {
    /// Namespace.
    pub namespace: Arc<str>,
    /// Name.
    pub name: Arc<str>,
    /// Labels as `key=value`.
    pub labels: Vec<Arc<str>>,
    /// Whether a controller owns it.
    pub controlled: bool,
    /// What it scales in its place, if it is a `ScaledObject`.
    pub scales: Option<Arc<str>>,
}

/// Which objects are not passed over: a `matches` is an unanchored search of one of the tool's patterns.
pub fn acted_on<'a>(
    all: &'a [Candidate],
    include_labels: Option<&dyn Fn(&str) -> bool>,
    exclude_namespaces: &dyn Fn(&str) -> bool,
    exclude_workloads: &dyn Fn(&str) -> bool,
) -> Vec<&'a Candidate> {
    let scaled = |one: &Candidate| {
        one.scales.is_none()
            && all
                .iter()
                .any(|other| other.namespace == one.namespace && other.scales.as_ref() == Some(&one.name))
    };
    all.iter()
        .filter(|one| include_labels.is_none_or(|matches| one.labels.iter().any(|label| matches(label))))
        .filter(|one| !exclude_namespaces(&one.namespace) && !exclude_workloads(&one.name))
        .filter(|one| !one.controlled && !scaled(one))
        .collect()
}
