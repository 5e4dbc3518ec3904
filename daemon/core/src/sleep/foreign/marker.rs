//! Asleep by another tool's hand: what its marks on a namespace or workload say. Such a thing is treated as asleep and
//! left alone, since two sleepers on one object undo each other's work.

use std::fmt;
use std::sync::Arc;

use serde::Serialize;

use crate::cluster::Keys;

/// A mark of another tool's sleep.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct ForeignSleep {
    /// Whose it is.
    pub tool: &'static str,
    /// The key.
    pub key: Arc<str>,
    /// Its value.
    pub value: Arc<str>,
}

impl fmt::Display for ForeignSleep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Put to sleep by {} ({}: {}); Nightcap leaves it alone.", self.tool, self.key, self.value)
    }
}

/// When a key is a mark.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Means {
    /// Whenever it is there.
    Present,
    /// When it is `true`.
    True,
}

/// The marks, by their keys. They are looked for among annotations and labels alike.
const MARKS: [(&str, &str, Means); 17] = [
    ("sleepmode.loft.sh/sleeping-since", "vCluster Platform", Means::Present),
    ("loft.sh/sleep-mode", "vCluster Platform", Means::True),
    ("loft.sh/sleep-mode-replicas", "vCluster Platform", Means::Present),
    ("sleepmode.loft.sh/sleep-type", "vCluster Platform", Means::Present),
    ("loft.sh/paused", "vcluster pause", Means::True),
    ("loft.sh/restoring", "vcluster restore", Means::True),
    ("devspace.sh/replicas", "DevSpace", Means::Present),
    ("downscaler/original-replicas", "kube-downscaler", Means::Present),
    ("idling.amazee.io/unidle-replicas", "Lagoon's idler", Means::Present),
    ("idling.amazee.io/idled", "Lagoon's idler", Means::True),
    ("kubesleeper/store.replicas", "kubesleeper", Means::Present),
    ("rekuberate.io/replicas", "sleepcycles", Means::Present),
    ("hibernator.devtron.ai/replicas", "winter-soldier", Means::Present),
    ("kubecost.kubernetes.io/turn-down-replicas", "cluster-turndown", Means::Present),
    ("kubecost.kubernetes.io/job-suspend", "cluster-turndown", Means::Present),
    ("kube-ns-suspender/originalReplicas", "kube-ns-suspender", Means::Present),
    ("k8s-pause/suspend", "k8s-pause", Means::True),
];

/// Whether it is one of the keys.
pub(super) fn reads(key: &str) -> bool {
    MARKS.iter().any(|(mark, ..)| *mark == key)
}

/// Whether the annotations or labels of a namespace or workload say that another tool has put it to sleep. On what
/// Nightcap has put to sleep itself nobody should ask.
pub fn foreign_sleep(annotations: &Keys, labels: &Keys) -> Option<ForeignSleep> {
    MARKS.iter().find_map(|(key, tool, means)| {
        let value = annotations.get(*key).or_else(|| labels.get(*key))?;
        let meant = *means == Means::Present || value.eq_ignore_ascii_case("true");
        meant.then(|| ForeignSleep { tool, key: (*key).into(), value: Arc::clone(value) })
    })
}
