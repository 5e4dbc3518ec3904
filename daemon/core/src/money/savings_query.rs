//! Questions to the rows of what sleep saved. Sums equal the ungrouped total for any grouping, as in [`super::query`].

use std::collections::BTreeMap;
use std::sync::Arc;

use super::query::{Cut, UNALLOCATED, touched};
use super::row::{ByResource, Hour, ResourceHours, SavedRow};
use crate::units::Window;

/// What savings can be grouped by.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum SavedBy {
    /// The cluster.
    Cluster,
    /// The space.
    Space,
    /// The team.
    Team,
    /// The owner.
    Owner,
    /// The workload as `kind:name`.
    Workload,
    /// What put it to sleep, as its mark says.
    Policy,
}

impl SavedBy {
    /// All of them by their name in a query.
    pub const NAMES: [(&'static str, Self); 8] = [
        ("cluster", Self::Cluster),
        ("space", Self::Space),
        ("namespace", Self::Space),
        ("team", Self::Team),
        ("owner", Self::Owner),
        ("workload", Self::Workload),
        ("controller", Self::Workload),
        ("policy", Self::Policy),
    ];

    fn value(self, cluster: &str, row: &SavedRow) -> Arc<str> {
        let of = &row.attribution;
        match self {
            Self::Cluster => cluster.into(),
            Self::Space => Arc::clone(&of.space),
            Self::Team => Arc::clone(&of.team),
            Self::Owner => Arc::clone(&of.owner),
            Self::Policy => Arc::clone(&row.policy),
            Self::Workload => of.workload.as_ref().map_or_else(
                || UNALLOCATED.into(),
                |w| format!("{}:{}", w.kind.name().to_lowercase(), w.name).into(),
            ),
        }
    }
}

/// The sum of the rows of one group.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct SavedGroup {
    /// What was saved.
    pub saved: ByResource,
    /// The requests that were freed, over time.
    pub freed: ResourceHours,
    /// Hours asleep, summed over workloads.
    pub asleep_hours: f64,
}

/// What sleep saved in a window.
#[derive(Clone, PartialEq, Debug)]
pub struct SavedTable {
    /// The window.
    pub window: Window,
    /// Groups by their values, in the order asked for.
    pub groups: BTreeMap<Vec<Arc<str>>, SavedGroup>,
    /// All of them together.
    pub saved: ByResource,
    /// A row was cut by the window.
    pub prorated: bool,
    /// Part of the window is provisional still.
    pub open: bool,
}

/// Sums what was saved in `window`, by `by`.
pub fn savings(hours: &[Arc<Hour>], cluster: &str, window: Window, by: &[SavedBy]) -> SavedTable {
    let mut table = SavedTable {
        window,
        groups: BTreeMap::new(),
        saved: ByResource::default(),
        prorated: false,
        open: false,
    };
    for hour in touched(hours, window) {
        table.open |= hour.open;
        for row in &hour.saved {
            let Some(cut) = Cut::of(row.window, window) else { continue };
            let saved = cut.money(row.saved);
            table.saved += saved;
            table.prorated |= cut.is_partial();
            let key = by.iter().map(|by| by.value(cluster, row)).collect();
            let group = table.groups.entry(key).or_default();
            group.saved += saved;
            group.freed += row.freed.scaled(cut.share());
            group.asleep_hours += cut.part.length().as_hours();
        }
    }
    table
}
