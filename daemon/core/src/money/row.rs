//! What the ledger closes an hour with: one row per pod and node, one per node, and one per flat charge.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::flat::FlatRow;
use super::{Confidence, NodePrice};
use crate::cluster::{Attribution, NodeFacts};
use crate::units::{Instant, PicoUsd, Rate, Resource, Resources, Window};

/// The money of one row by resource, in pico-dollars: half the size of [`ByResource`], and there are many rows.
///
/// A node costs at most a million dollars an hour, so that no row of one hour comes near the bounds of 64 bits; a sum
/// of rows may, and is a [`ByResource`]. What would not fit is cut off at the bound.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug, Serialize, Deserialize)]
pub struct RowCost([i64; 3]);

impl RowCost {
    /// As a sum of money.
    pub fn get(self) -> ByResource {
        ByResource::from_array(self.0.map(|pico| PicoUsd(i128::from(pico))))
    }

    /// All resources together.
    pub fn total(self) -> PicoUsd {
        PicoUsd(self.0.into_iter().map(i128::from).sum())
    }
}

impl From<ByResource> for RowCost {
    fn from(cost: ByResource) -> Self {
        let bounded = |pico: i128| i64::try_from(pico).unwrap_or(if pico < 0 { i64::MIN } else { i64::MAX });
        Self(cost.to_array().map(|amount| bounded(amount.0)))
    }
}

/// An amount of money for each resource of a node.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug, Serialize, Deserialize)]
pub struct ByResource {
    /// For CPU.
    pub cpu: PicoUsd,
    /// For memory.
    pub memory: PicoUsd,
    /// For GPUs.
    pub gpu: PicoUsd,
}

impl ByResource {
    /// From a value per resource, in the order of [`Resource::ALL`].
    pub const fn from_array([cpu, memory, gpu]: [PicoUsd; 3]) -> Self {
        Self { cpu, memory, gpu }
    }

    /// As an array in the order of [`Resource::ALL`].
    pub const fn to_array(self) -> [PicoUsd; 3] {
        [self.cpu, self.memory, self.gpu]
    }

    /// One of them.
    pub const fn get(self, resource: Resource) -> PicoUsd {
        match resource {
            Resource::Cpu => self.cpu,
            Resource::Memory => self.memory,
            Resource::Gpu => self.gpu,
        }
    }

    /// All together.
    pub const fn total(self) -> PicoUsd {
        PicoUsd(self.cpu.0 + self.memory.0 + self.gpu.0)
    }
}

impl std::ops::AddAssign for ByResource {
    fn add_assign(&mut self, rhs: Self) {
        self.cpu += rhs.cpu;
        self.memory += rhs.memory;
        self.gpu += rhs.gpu;
    }
}

impl std::ops::Sub for ByResource {
    type Output = Self;
    fn sub(self, rhs: Self) -> Self {
        Self { cpu: self.cpu - rhs.cpu, memory: self.memory - rhs.memory, gpu: self.gpu - rhs.gpu }
    }
}

/// Resources held over time. For display and efficiency; money is counted apart, in integers.
#[derive(Clone, Copy, PartialEq, Default, Debug, Serialize, Deserialize)]
pub struct ResourceHours {
    /// CPU core-hours.
    pub cpu_core_hours: f64,
    /// Memory byte-hours.
    pub memory_byte_hours: f64,
    /// GPU hours.
    pub gpu_hours: f64,
}

impl ResourceHours {
    /// `amount` held for `hours`.
    pub fn of(amount: Resources, hours: f64) -> Self {
        Self {
            cpu_core_hours: amount.cpu.cores() * hours,
            memory_byte_hours: amount.memory.0 as f64 * hours,
            gpu_hours: amount.gpu.devices() * hours,
        }
    }

    /// This, times a share.
    #[must_use]
    pub fn scaled(self, share: f64) -> Self {
        Self {
            cpu_core_hours: self.cpu_core_hours * share,
            memory_byte_hours: self.memory_byte_hours * share,
            gpu_hours: self.gpu_hours * share,
        }
    }
}

impl std::ops::AddAssign for ResourceHours {
    fn add_assign(&mut self, rhs: Self) {
        self.cpu_core_hours += rhs.cpu_core_hours;
        self.memory_byte_hours += rhs.memory_byte_hours;
        self.gpu_hours += rhs.gpu_hours;
    }
}

/// A node as rows name it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct NodeName {
    /// Kubernetes UID.
    pub uid: Arc<str>,
    /// Name.
    pub name: Arc<str>,
    /// `spec.providerID`, empty if none.
    pub provider_id: Arc<str>,
    /// What its price follows from.
    pub facts: NodeFacts,
}

/// A pod as rows name it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct PodName {
    /// Kubernetes UID.
    pub uid: Arc<str>,
    /// Namespace.
    pub namespace: Arc<str>,
    /// Name.
    pub name: Arc<str>,
}

/// Who holds a part of which node, and who pays for it. Shared by all rows of one hold.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct Holder {
    /// The node.
    pub node: Arc<NodeName>,
    /// The pod.
    pub pod: Arc<PodName>,
    /// Who pays: workload, space, team, owner, as they were then.
    pub attribution: Arc<Attribution>,
}

/// What a pod holds now.
#[derive(Clone, PartialEq, Debug)]
pub struct HeldPod {
    /// The pod, its node and who pays.
    pub holder: Arc<Holder>,
    /// The larger of request and usage now.
    pub charge: Resources,
    /// What that costs, all resources together.
    pub hourly: Rate,
}

/// CPU and memory over time: what the metrics API knows of.
#[derive(Clone, Copy, PartialEq, Default, Debug, Serialize, Deserialize)]
pub struct UsageHours {
    /// CPU core-hours.
    pub cpu_core_hours: f64,
    /// Memory byte-hours.
    pub memory_byte_hours: f64,
}

impl UsageHours {
    /// This, times a share.
    #[must_use]
    pub fn scaled(self, share: f64) -> Self {
        Self {
            cpu_core_hours: self.cpu_core_hours * share,
            memory_byte_hours: self.memory_byte_hours * share,
        }
    }
}

impl From<UsageHours> for ResourceHours {
    fn from(of: UsageHours) -> Self {
        Self { cpu_core_hours: of.cpu_core_hours, memory_byte_hours: of.memory_byte_hours, gpu_hours: 0.0 }
    }
}

/// What a reader must know of how a row came about.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug, Serialize, Deserialize)]
pub struct Marks {
    /// A correction of an hour that was settled already, from a fact that came late.
    pub late: bool,
    /// Part of its time the daemon was not running: filled in from what the objects themselves prove.
    pub backfilled: bool,
}

/// What one pod cost on one node within one hour.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct AllocationRow {
    /// The pod, its node and who pays.
    pub holder: Arc<Holder>,
    /// The part of the hour that it held the node.
    pub window: Window,
    /// What it pays.
    pub cost: RowCost,
    /// What it requested, over time.
    pub requested: ResourceHours,
    /// What it used, over time, as far as there were samples.
    pub used: UsageHours,
    /// What it used above its request, and was charged for.
    pub above: UsageHours,
    /// Late, back-filled.
    pub marks: Marks,
}

impl AllocationRow {
    /// What it was charged for: the larger of request and usage at each instant, before scaling down to the node's
    /// capacity.
    pub fn charged(&self) -> ResourceHours {
        let mut charged = self.requested;
        charged += self.above.into();
        charged
    }
}

/// What one node cost within one hour, and how much of that nobody used.
#[derive(Clone, PartialEq, Debug)]
pub struct AssetRow {
    /// The node.
    pub node: Arc<NodeName>,
    /// Its price in force at the end of the window; `None` if none was known.
    pub price: Option<Arc<NodePrice>>,
    /// The part of the hour that it existed and was counted.
    pub window: Window,
    /// What it costs.
    pub cost: ByResource,
    /// The part of `cost` that no pod pays: never negative.
    pub idle: ByResource,
    /// What it offered, over time.
    pub capacity: ResourceHours,
    /// The sum of all charges before scaling down: above `capacity` where the node was over-committed.
    pub charged: ResourceHours,
    /// Late, back-filled.
    pub marks: Marks,
}

impl AssetRow {
    /// How far its cost can be relied on; [`Confidence::Default`] if no price was known.
    pub fn confidence(&self) -> Confidence {
        self.price.as_ref().map_or(Confidence::Default, |price| price.confidence)
    }
}

/// What one workload would have cost had it not slept, within one hour: freed requests × price × time.
#[derive(Clone, PartialEq, Debug)]
pub struct SavedRow {
    /// Who would have paid.
    pub attribution: Arc<Attribution>,
    /// What put it to sleep, as its mark says.
    pub policy: Arc<str>,
    /// The part of the hour that it slept.
    pub window: Window,
    /// What was not allocated.
    pub saved: ByResource,
    /// The requests that were freed, over time.
    pub freed: ResourceHours,
}

/// One hour of the ledger: closed and kept, or the provisional picture of one still open.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Hour {
    /// Its first instant.
    pub start: Instant,
    /// One row per pod, node and attribution.
    pub allocations: Vec<AllocationRow>,
    /// One row per node.
    pub assets: Vec<AssetRow>,
    /// Everything on the bill that is no share of a node: disks, load balancers, control plane, traffic.
    pub flat: Vec<FlatRow>,
    /// One row per sleeping workload.
    pub saved: Vec<SavedRow>,
    /// Rows may still change: the hour is open, or not settled to its end.
    pub open: bool,
    /// These rows come on top of those that are in the history already, and not in memory any more.
    pub partial: bool,
    /// Its rows are cut out of rows that stand for a day, in proportion to time: the hours themselves are not kept any more.
    pub coarse: bool,
}

impl Hour {
    /// An hour without rows.
    pub fn new(start: Instant) -> Self {
        Self { start, ..Self::default() }
    }

    /// Marks the rows that lie in a time in which the daemon was not running.
    pub(super) fn mark_backfilled(&mut self, gap: Window) {
        for (window, marks) in self.marks_mut() {
            marks.backfilled |= !window.intersect(gap).is_empty();
        }
    }

    /// Whether a row lies in that time and is not marked.
    pub(super) fn has_unmarked(&self, gap: Window) -> bool {
        let in_gap = |window: Window, marks: Marks| !marks.backfilled && !window.intersect(gap).is_empty();
        self.allocations.iter().any(|row| in_gap(row.window, row.marks))
            || self.assets.iter().any(|row| in_gap(row.window, row.marks))
            || self.flat.iter().any(|row| in_gap(row.window, row.marks))
    }

    fn marks_mut(&mut self) -> impl Iterator<Item = (Window, &mut Marks)> {
        let allocations = self.allocations.iter_mut().map(|row| (row.window, &mut row.marks));
        let assets = self.assets.iter_mut().map(|row| (row.window, &mut row.marks));
        let flat = self.flat.iter_mut().map(|row| (row.window, &mut row.marks));
        allocations.chain(assets).chain(flat)
    }
}
