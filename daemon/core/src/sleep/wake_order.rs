//! In which order the workloads of a space are woken: what others need comes first.

use std::fmt;

use crate::cluster::{Size, Workload, WorkloadKey, WorkloadKind};
use crate::sleep::Restored;
use crate::units::{Instant, Millis};

/// The annotation by which a workload, or a space among its like, gets another rank.
pub(super) const WAKE_ORDER: &str = "wake-order";

/// The rank of what keeps data.
pub const STORAGE_RANK: i32 = 0;
/// The rank of everything else, and of a space.
pub const DEFAULT_RANK: i32 = 10;

/// Operators' objects that keep data, by group and kind.
const STORAGE: [&str; 2] = ["Cluster.postgresql.cnpg.io", "postgresql.acid.zalan.do"];

/// The rank of a workload that names none.
pub fn default_rank(kind: &WorkloadKind) -> i32 {
    match kind {
        WorkloadKind::StatefulSet => STORAGE_RANK,
        WorkloadKind::Other(kind) if STORAGE.contains(&&**kind) => STORAGE_RANK,
        _ => DEFAULT_RANK,
    }
}

/// A workload of a space that is woken, or about to be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rising {
    /// Its rank.
    pub rank: i32,
    /// Which one.
    pub key: WorkloadKey,
    /// Since when it is awake without being ready; `None` while it sleeps.
    pub since: Option<Instant>,
}

/// Why a workload is not woken yet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Wait<'a> {
    /// The workload that is waited for: of several the first by rank, then by name.
    pub on: &'a WorkloadKey,
    /// When to look again although nothing happens: one of those that are waited for has had its time.
    pub until: Option<Instant>,
}

impl fmt::Display for Wait<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "waits for {} {} to be ready", self.on.kind, self.on.name)
    }
}

/// What a workload of this rank waits for: everything of a lower one that is not ready, `longest` after its wake at
/// most.
pub fn wait(rank: i32, rising: &[Rising], longest: Millis, now: Instant) -> Option<Wait<'_>> {
    let holds = |of: &&Rising| of.rank < rank && of.since.is_none_or(|since| now < since + longest);
    let first = rising.iter().filter(holds).min_by_key(|of| (of.rank, &of.key))?;
    let until = rising.iter().filter(holds).filter_map(|of| of.since).min();
    Some(Wait { on: &first.key, until: until.map(|since| since + longest) })
}

/// How many pods come with a wake, as well as that can be told; `nodes` is what a `DaemonSet` goes by.
pub fn pods_of(workload: &Workload, restored: &Restored, nodes: u32) -> u32 {
    match restored.size {
        Size::Replicas(replicas) => replicas,
        Size::Suspended(_) if workload.key.kind == WorkloadKind::Job => 1,
        Size::Suspended(_) => 0,
        Size::Off(_) if workload.key.kind == WorkloadKind::DaemonSet => nodes.max(1),
        Size::Off(_) => {
            let numbers = restored.fields.values().filter_map(serde_json::Value::as_u64).max();
            numbers.and_then(|pods| u32::try_from(pods).ok()).unwrap_or(1)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Millis = Millis::from_minutes(2);

    fn key(kind: &str, name: &str) -> WorkloadKey {
        WorkloadKey { namespace: "shop".into(), kind: WorkloadKind::from_name(kind), name: name.into() }
    }

    fn rising(rank: i32, name: &str, since: Option<i64>) -> Rising {
        Rising { rank, key: key("StatefulSet", name), since: since.map(|s| Instant(s * 1_000)) }
    }

    #[test]
    fn what_keeps_data_comes_first() {
        for (kind, rank) in [
            ("StatefulSet", 0),
            ("Cluster.postgresql.cnpg.io", 0),
            ("postgresql.acid.zalan.do", 0),
            ("Pooler.postgresql.cnpg.io", 10),
            ("Cluster.cluster.x-k8s.io", 10),
            ("Deployment", 10),
            ("CronJob", 10),
        ] {
            assert_eq!(default_rank(&WorkloadKind::from_name(kind)), rank, "{kind}");
        }
    }

    #[test]
    fn waits_for_lower_ranks_only_and_never_longer_than_the_limit() {
        let all = [rising(5, "cache", Some(40)), rising(0, "db", Some(10)), rising(10, "web", None)];
        let found = |rank, now: i64| {
            wait(rank, &all, LIMIT, Instant(now * 1_000))
                .map(|wait| (wait.to_string(), wait.until.map(|at| at.0 / 1_000)))
        };
        let on = |name: &str, until| Some((format!("waits for StatefulSet {name} to be ready"), until));
        assert_eq!(found(0, 50), None);
        assert_eq!(found(5, 50), on("db", Some(130)));
        assert_eq!(found(10, 50), on("db", Some(130)));
        assert_eq!(found(10, 130), on("cache", Some(160)));
        assert_eq!(found(10, 160), None);
        assert_eq!(found(11, 500), on("web", None), "what still sleeps has not had its time");
    }
}
