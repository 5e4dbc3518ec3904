//! Questions to the ledger's rows: who cost what, in which window, grouped how.
//!
//! Group sums equal the ungrouped total for any grouping, since amounts are integers. A window that cuts a row takes
//! its share in proportion to time, counted cumulatively: two windows that meet give exactly what one over both does.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::Arc;

use serde::Serialize;

use super::row::{AllocationRow, ByResource, Hour, ResourceHours};
use super::{Confidence, NodeName};
use crate::cluster::WorkloadKind;
use crate::units::{Instant, Millis, PicoUsd, Window};

/// The name of the line for what nobody used.
pub const IDLE: &str = "__idle__";
/// The payer of disks that no pod mounts, and of those that no claim is bound to.
pub const UNMOUNTED: &str = "__unmounted__";
/// The payer of what the cluster costs before anything runs on it: the control plane's fee.
pub const OVERHEAD: &str = "__overhead__";
/// The payer of fixed sums.
pub const SHARED: &str = "__shared__";
/// The value of a row that has none of what is grouped by.
pub const UNALLOCATED: &str = "__unallocated__";

/// What rows can be grouped by.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Dimension {
    /// The cluster.
    Cluster,
    /// The node's name.
    Node,
    /// The namespace.
    Namespace,
    /// The space; as long as only namespaces are spaces, the same.
    Space,
    /// The team.
    Team,
    /// The owner.
    Owner,
    /// The workload's kind, in lower case.
    ControllerKind,
    /// The workload as `kind:name`.
    Controller,
    /// The workload's name if it is a Deployment.
    Deployment,
    /// The workload's name if it is a `StatefulSet`.
    StatefulSet,
    /// The workload's name if it is a `DaemonSet`.
    DaemonSet,
    /// The workload's name if it is a Job or `CronJob`.
    Job,
    /// The pod's name.
    Pod,
}

impl Dimension {
    /// All of them by their name in a query.
    pub const NAMES: [(&'static str, Self); 14] = [
        ("cluster", Self::Cluster),
        ("node", Self::Node),
        ("namespace", Self::Namespace),
        ("space", Self::Space),
        ("team", Self::Team),
        ("owner", Self::Owner),
        ("controllerKind", Self::ControllerKind),
        ("controller", Self::Controller),
        ("workload", Self::Controller),
        ("deployment", Self::Deployment),
        ("statefulset", Self::StatefulSet),
        ("daemonset", Self::DaemonSet),
        ("job", Self::Job),
        ("pod", Self::Pod),
    ];

    /// Reads a comma-separated list such as `team,space`.
    pub fn parse_list(text: &str) -> Result<Vec<Self>, String> {
        text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::parse).collect()
    }

    fn value(self, cluster: &str, row: &AllocationRow) -> Arc<str> {
        let of = &row.holder.attribution;
        let named = |kinds: &[WorkloadKind]| {
            let workload = of.workload.as_ref().filter(|w| kinds.contains(&w.kind));
            workload.map_or_else(|| UNALLOCATED.into(), |w| Arc::clone(&w.name))
        };
        match self {
            Self::Cluster => cluster.into(),
            Self::Node => Arc::clone(&row.holder.node.name),
            Self::Namespace => Arc::clone(&of.namespace),
            Self::Space => Arc::clone(&of.space),
            Self::Team => Arc::clone(&of.team),
            Self::Owner => Arc::clone(&of.owner),
            Self::ControllerKind => of
                .workload
                .as_ref()
                .map_or_else(|| UNALLOCATED.into(), |w| w.kind.name().to_lowercase().into()),
            Self::Controller => of.workload.as_ref().map_or_else(
                || UNALLOCATED.into(),
                |w| format!("{}:{}", w.kind.name().to_lowercase(), w.name).into(),
            ),
            Self::Deployment => named(&[WorkloadKind::Deployment]),
            Self::StatefulSet => named(&[WorkloadKind::StatefulSet]),
            Self::DaemonSet => named(&[WorkloadKind::DaemonSet]),
            Self::Job => named(&[WorkloadKind::Job, WorkloadKind::CronJob]),
            Self::Pod => Arc::clone(&row.holder.pod.name),
        }
    }
}

impl FromStr for Dimension {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::NAMES.iter().find(|(name, _)| name.eq_ignore_ascii_case(text));
        found.map(|&(_, dimension)| dimension).ok_or_else(|| {
            let names: Vec<_> = Self::NAMES.iter().map(|(name, _)| *name).collect();
            format!("{text:?} cannot be grouped by: use {}", names.join(", "))
        })
    }
}

/// The sum of the rows of one group.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Group {
    /// From the first row's begin to the last one's end, within the asked window.
    pub window: Option<Window>,
    /// Money.
    pub cost: ByResource,
    /// Requested, over time.
    pub requested: ResourceHours,
    /// Used, over time, as far as measured.
    pub used: ResourceHours,
    /// Charged for, over time.
    pub charged: ResourceHours,
    /// Holds a row that the window cut.
    pub prorated: bool,
    /// Holds a correction from a late fact.
    pub late: bool,
    /// Kept while all rows agree: cluster, namespace, controller and so on, for clients that want them.
    pub common: Common,
}

/// What all rows of a group have in common; `None` where they differ.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Common {
    seen: bool,
    /// The node.
    pub node: Option<Arc<NodeName>>,
    /// The namespace.
    pub namespace: Option<Arc<str>>,
    /// Kind and name of the workload.
    pub workload: Option<(WorkloadKind, Arc<str>)>,
    /// The pod's name.
    pub pod: Option<Arc<str>>,
    /// The team.
    pub team: Option<Arc<str>>,
    /// The owner.
    pub owner: Option<Arc<str>>,
}

/// What one node cost in a window.
#[derive(Clone, PartialEq, Debug)]
pub struct AssetSum {
    /// The node.
    pub node: Arc<NodeName>,
    /// Its newest price.
    pub price: Option<Arc<super::NodePrice>>,
    /// From when to when it was counted.
    pub window: Window,
    /// What it cost.
    pub cost: ByResource,
    /// The part of it that nobody used.
    pub idle: ByResource,
    /// What it offered, over time.
    pub capacity: ResourceHours,
    /// All charges before scaling down, over time.
    pub charged: ResourceHours,
}

/// The answer for one step of a window.
#[derive(Clone, PartialEq, Debug)]
pub struct Table {
    /// The step.
    pub window: Window,
    /// Groups by their values, in the order of the dimensions asked for.
    pub groups: BTreeMap<Vec<Arc<str>>, Group>,
    /// What nobody used, over all nodes.
    pub idle: ByResource,
    /// What all nodes cost: the groups and idle together, exactly.
    pub total: ByResource,
    /// How much of `total` rests on prices of which confidence.
    pub by_confidence: BTreeMap<Confidence, PicoUsd>,
    /// What sleep saved in the same time.
    pub saved: PicoUsd,
    /// A row was cut by the window.
    pub prorated: bool,
    /// Part of the window is provisional still.
    pub open: bool,
}

/// Sums the rows that lie in `window`, by `dimensions`.
pub fn table(hours: &[Arc<Hour>], cluster: &str, window: Window, dimensions: &[Dimension]) -> Table {
    let mut table = Table {
        window,
        groups: BTreeMap::new(),
        idle: ByResource::default(),
        total: ByResource::default(),
        by_confidence: BTreeMap::new(),
        saved: PicoUsd(0),
        prorated: false,
        open: false,
    };
    for hour in touched(hours, window) {
        table.open |= hour.open;
        // What the parts of each node add up to: with a cut window it is this, not the node's own share, that counts.
        let mut parts = PartsByNode::default();
        for row in &hour.allocations {
            let Some(cut) = Cut::of(row.window, window) else { continue };
            let cost = cut.money(row.cost.get());
            parts.add(&row.holder.node.uid, cost);
            table.prorated |= cut.is_partial();
            let key = dimensions.iter().map(|d| d.value(cluster, row)).collect();
            table.groups.entry(key).or_default().add(row, cut, cost);
        }
        for row in &hour.assets {
            let Some(cut) = Cut::of(row.window, window) else { continue };
            table.prorated |= cut.is_partial();
            let idle = cut.money(row.idle);
            parts.add(&row.node.uid, idle);
            table.idle += idle;
            *table.by_confidence.entry(row.confidence()).or_default() += parts.take(&row.node.uid).total();
        }
        for row in &hour.saved {
            if let Some(cut) = Cut::of(row.window, window) {
                table.saved += cut.money(row.saved).total();
            }
        }
        table.total += parts.all;
    }
    table
}

/// Sums what each node cost in `window`, by node name and UID.
pub fn assets(hours: &[Arc<Hour>], window: Window) -> Vec<AssetSum> {
    let mut sums: BTreeMap<(Arc<str>, Arc<str>), AssetSum> = BTreeMap::new();
    for hour in touched(hours, window) {
        for row in &hour.assets {
            let Some(cut) = Cut::of(row.window, window) else { continue };
            let key = (Arc::clone(&row.node.name), Arc::clone(&row.node.uid));
            let sum = sums.entry(key).or_insert_with(|| AssetSum {
                node: Arc::clone(&row.node),
                price: None,
                window: cut.part,
                cost: ByResource::default(),
                idle: ByResource::default(),
                capacity: ResourceHours::default(),
                charged: ResourceHours::default(),
            });
            if !row.marks.late {
                sum.window =
                    Window::new(sum.window.start.min(cut.part.start), sum.window.end.max(cut.part.end));
                sum.price = row.price.clone().or(sum.price.take());
            }
            let idle = cut.money(row.idle);
            sum.idle += idle;
            sum.cost += idle;
            sum.capacity += row.capacity.scaled(cut.share());
            sum.charged += row.charged.scaled(cut.share());
        }
        for row in &hour.allocations {
            let Some(cut) = Cut::of(row.window, window) else { continue };
            let node = &row.holder.node;
            if let Some(sum) = sums.get_mut(&(Arc::clone(&node.name), Arc::clone(&node.uid))) {
                sum.cost += cut.money(row.cost.get());
            }
        }
    }
    sums.into_values().collect()
}

/// Splits `window` into steps; `None` is one step.
pub fn steps(window: Window, step: Option<Millis>) -> Vec<Window> {
    let Some(step) = step.filter(|step| step.0 > 0) else { return vec![window] };
    let mut out = Vec::new();
    let mut start = window.start;
    while start < window.end {
        let end = window.end.min(start + step);
        out.push(Window::new(start, end));
        start = end;
    }
    out
}

pub(super) fn touched(hours: &[Arc<Hour>], window: Window) -> impl Iterator<Item = &Arc<Hour>> {
    let first = hours.partition_point(|hour| hour.start + Millis::HOUR <= window.start);
    hours[first..].iter().take_while(move |hour| hour.start < window.end)
}

/// The part of a row that lies in a window.
#[derive(Clone, Copy)]
pub(crate) struct Cut {
    row: Window,
    pub(super) part: Window,
}

impl Cut {
    pub(crate) fn of(row: Window, window: Window) -> Option<Self> {
        if row.is_empty() {
            // A correction of a moment: it lies in the window that holds its instant, whole.
            return (window.start <= row.start && row.start < window.end).then_some(Self { row, part: row });
        }
        let part = row.intersect(window);
        (!part.is_empty()).then_some(Self { row, part })
    }

    pub(super) fn is_partial(self) -> bool {
        self.part != self.row
    }

    pub(super) fn share(self) -> f64 {
        if self.is_partial() { self.part.length().0 as f64 / self.row.length().0 as f64 } else { 1.0 }
    }

    pub(crate) fn money(self, amount: ByResource) -> ByResource {
        if !self.is_partial() {
            return amount;
        }
        let length = i128::from(self.row.length().0);
        let up_to = |amount: PicoUsd, at: Instant| amount.0 * i128::from(at.since(self.row.start).0) / length;
        ByResource::from_array(
            amount.to_array().map(|a| PicoUsd(up_to(a, self.part.end) - up_to(a, self.part.start))),
        )
    }
}

/// Sums of one hour per node; nearly always one node after the other, so a map is touched rarely.
#[derive(Default)]
struct PartsByNode {
    all: ByResource,
    nodes: BTreeMap<Arc<str>, ByResource>,
}

impl PartsByNode {
    fn add(&mut self, uid: &Arc<str>, cost: ByResource) {
        self.all += cost;
        match self.nodes.get_mut(uid) {
            Some(sum) => *sum += cost,
            None => {
                self.nodes.insert(Arc::clone(uid), cost);
            }
        }
    }

    fn take(&mut self, uid: &Arc<str>) -> ByResource {
        self.nodes.get_mut(uid).map(std::mem::take).unwrap_or_default()
    }
}

impl Group {
    fn add(&mut self, row: &AllocationRow, cut: Cut, cost: ByResource) {
        let window = self.window.get_or_insert(cut.part);
        *window = Window::new(window.start.min(cut.part.start), window.end.max(cut.part.end));
        self.cost += cost;
        self.requested += row.requested.scaled(cut.share());
        self.used += row.used.scaled(cut.share()).into();
        self.charged += row.charged().scaled(cut.share());
        self.prorated |= cut.is_partial();
        self.late |= row.marks.late;
        self.common.add(row);
    }
}

impl Common {
    fn add(&mut self, row: &AllocationRow) {
        let of = &row.holder.attribution;
        let workload = of.workload.as_ref().map(|w| (w.kind.clone(), Arc::clone(&w.name)));
        if !self.seen {
            *self = Self {
                seen: true,
                node: Some(Arc::clone(&row.holder.node)),
                namespace: Some(Arc::clone(&of.namespace)),
                workload,
                pod: Some(Arc::clone(&row.holder.pod.name)),
                team: Some(Arc::clone(&of.team)),
                owner: Some(Arc::clone(&of.owner)),
            };
            return;
        }
        let keep = |slot: &mut Option<Arc<str>>, value: &Arc<str>| {
            if slot.as_ref().is_some_and(|known| known != value) {
                *slot = None;
            }
        };
        keep(&mut self.namespace, &of.namespace);
        keep(&mut self.pod, &row.holder.pod.name);
        keep(&mut self.team, &of.team);
        keep(&mut self.owner, &of.owner);
        if self.node.as_ref().is_some_and(|known| known.uid != row.holder.node.uid) {
            self.node = None;
        }
        if self.workload != workload {
            self.workload = None;
        }
    }
}
