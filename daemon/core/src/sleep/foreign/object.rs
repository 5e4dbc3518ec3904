//! Objects of other tools that say when things of their namespace sleep.

use std::sync::Arc;

use super::kube_green::SleepInfo;
use super::slumlord::SlumlordSchedule;
use super::snorlax::SleepSchedule;
use super::{ForeignWish, Tool};
use crate::cluster::Keys;
use crate::units::Instant;

/// Such an object.
#[derive(Clone, PartialEq, Debug)]
pub enum ForeignObject {
    /// kube-green's.
    SleepInfo(SleepInfo),
    /// Snorlax's.
    SleepSchedule(SleepSchedule),
    /// slumlord's.
    Slumlord(SlumlordSchedule),
}

/// What is asked about: a workload of the namespace, or the namespace as a whole.
#[derive(Clone, Copy, Debug)]
pub struct ForeignSubject<'a> {
    /// Its kind.
    pub kind: &'a str,
    /// Its name.
    pub name: &'a str,
    /// Its labels.
    pub labels: &'a Keys,
}

impl ForeignObject {
    /// Whose it is.
    pub const fn tool(&self) -> Tool {
        match self {
            Self::SleepInfo(_) => Tool::KubeGreen,
            Self::SleepSchedule(_) => Tool::Snorlax,
            Self::Slumlord(_) => Tool::Slumlord,
        }
    }

    /// Whether it means a workload.
    pub fn covers(&self, subject: ForeignSubject<'_>) -> bool {
        let ForeignSubject { kind, name, labels } = subject;
        match self {
            Self::SleepInfo(of) => of.covers(kind, name, labels),
            Self::SleepSchedule(of) => of.covers(kind, name),
            Self::Slumlord(of) => of.covers(kind, name, labels),
        }
    }

    /// What it asks for.
    pub fn wish(&self, now: Instant) -> ForeignWish {
        match self {
            Self::SleepInfo(of) => of.wish(now),
            Self::SleepSchedule(of) => of.wish(now),
            Self::Slumlord(of) => of.wish(now),
        }
    }
}

/// What objects of one tool ask for together: of those that mean the subject, one that wishes sleep comes first, since
/// each of these tools acts on its own.
pub(super) fn wish(
    objects: &[Arc<ForeignObject>],
    tool: Tool,
    subject: Option<ForeignSubject<'_>>,
    now: Instant,
) -> Option<ForeignWish> {
    let meant =
        objects.iter().filter(|of| of.tool() == tool && subject.is_none_or(|subject| of.covers(subject)));
    let mut wishes: Vec<ForeignWish> = meant.map(|of| of.wish(now)).collect();
    wishes.sort_by_key(|wish| wish.ask != super::Ask::Sleep);
    let until = wishes.iter().filter_map(|wish| wish.until).min();
    wishes.into_iter().next().map(|first| ForeignWish { until, ..first })
}
