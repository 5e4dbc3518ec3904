//! The control plane of a vCluster: its overhead.

use std::sync::Arc;

use super::keys::{APP, RELEASE};
use crate::cluster::Keys;

/// What the charts of all versions call the parts of a control plane.
const PARTS: [(&str, ControlPlanePart); 5] = [
    ("vcluster", ControlPlanePart::Main),
    ("vcluster-api", ControlPlanePart::Api),
    ("vcluster-controller", ControlPlanePart::Controller),
    ("vcluster-etcd", ControlPlanePart::Etcd),
    ("vcluster-scheduler", ControlPlanePart::Scheduler),
];

/// A part of a vCluster's control plane.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum ControlPlanePart {
    /// The syncer, in newer versions with everything else in it.
    Main,
    /// The API server of an older k8s chart.
    Api,
    /// Its controller manager.
    Controller,
    /// Its etcd.
    Etcd,
    /// Its scheduler.
    Scheduler,
}

/// The name of the vCluster whose control plane an object with these labels is part of. Claims and Services of a
/// control plane carry them too.
pub fn control_plane(labels: &Keys) -> Option<&Arc<str>> {
    control_plane_part(labels).map(|(_, vcluster)| vcluster)
}

/// The part of a control plane that an object with these labels is, and the vCluster's name.
pub fn control_plane_part(labels: &Keys) -> Option<(ControlPlanePart, &Arc<str>)> {
    let app = labels.get(APP)?;
    let (_, part) = PARTS.iter().find(|(name, _)| *name == &**app)?;
    let release = labels.get(RELEASE).filter(|release| !release.is_empty())?;
    Some((*part, release))
}

/// The name of the vCluster whose data a claim of this name holds: `data-<name>-0`, or `data-<name>-etcd-0` for the
/// etcd of a chart that has one. For claims that have lost their labels; `is_vcluster` tells whether a vCluster of a
/// name is there.
pub(crate) fn control_plane_of_claim(name: &str, is_vcluster: impl Fn(&str) -> bool) -> Option<&str> {
    let (owner, ordinal) = name.strip_prefix("data-")?.rsplit_once('-')?;
    if ordinal.is_empty() || !ordinal.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    [Some(owner), owner.strip_suffix("-etcd")].into_iter().flatten().find(|vcluster| is_vcluster(vcluster))
}
