//! The sum of rows.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::costs::Costs;
use super::cut::Cut;
use super::row_view::RowView;
use crate::cluster::{Keys, WorkloadKind};
use crate::money::{
    AllocationRow, AssetKind, ByResource, FlatAsset, FlatRow, Marks, NodeName, ResourceHours,
};
use crate::units::{PicoUsd, Window};

/// The sum of the rows of one group.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Group {
    /// From the first row's begin to the last one's end, within the asked window.
    pub window: Option<Window>,
    /// Money.
    pub costs: Costs,
    /// Requested, over time.
    pub requested: ResourceHours,
    /// Used, over time, as far as measured.
    pub used: ResourceHours,
    /// Charged for, over time.
    pub charged: ResourceHours,
    /// Byte-hours of volumes.
    pub volume_byte_hours: f64,
    /// Bytes of traffic that is paid for.
    pub network_bytes: f64,
    /// Hours of load balancers.
    pub load_balancer_hours: f64,
    /// Holds a row that the window cut.
    pub prorated: bool,
    /// Holds a correction from a late fact.
    pub late: bool,
    /// Holds a row of a time in which the daemon was not running.
    pub backfilled: bool,
    /// Kept while all rows agree: cluster, namespace, controller and so on, for clients that want them.
    pub common: Common,
    /// Volumes, load balancers and so on that it pays for; empty unless asked for.
    pub assets: BTreeMap<(AssetKind, Arc<str>), AssetPart>,
    /// Nodes it holds a part of, by UID; empty unless asked for.
    pub nodes: BTreeMap<Arc<str>, NodePart>,
}

/// A group's part of an asset that is no node.
#[derive(Clone, PartialEq, Debug)]
pub struct AssetPart {
    /// The asset.
    pub asset: Arc<FlatAsset>,
    /// What the group pays for it.
    pub cost: PicoUsd,
    /// How much of it, in the unit of its kind.
    pub amount: f64,
    /// From when to when the group had it.
    pub window: Window,
    /// The group has it through a pod: a volume is mounted.
    pub mounted: bool,
}

/// A group's part of a node.
#[derive(Clone, PartialEq, Debug)]
pub struct NodePart {
    /// The node.
    pub node: Arc<NodeName>,
    /// What the group pays for it.
    pub cost: ByResource,
    /// What the whole node cost, idle included.
    pub whole: ByResource,
}

/// What all rows of a group have in common; `None` where they differ.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Common {
    seen: bool,
    many_nodes: bool,
    /// The node; what is on no node, such as a volume, says nothing against it.
    pub node: Option<Arc<NodeName>>,
    /// The namespace.
    pub namespace: Option<Arc<str>>,
    /// The innermost space.
    pub space: Option<Arc<str>>,
    /// Kind and name of the workload.
    pub workload: Option<(WorkloadKind, Arc<str>)>,
    /// The pod's name.
    pub pod: Option<Arc<str>>,
    /// The team.
    pub team: Option<Arc<str>>,
    /// The owner.
    pub owner: Option<Arc<str>>,
    /// Labels that all rows have with the same value; `None` if not asked for.
    pub labels: Option<Arc<Keys>>,
    /// Addresses of what the last row named: the next one nearly always names the same.
    last: [usize; 3],
}

/// Which details of groups are kept.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Details {
    /// The volumes, load balancers and so on.
    pub assets: bool,
    /// The nodes.
    pub nodes: bool,
    /// The labels all rows have in common.
    pub labels: bool,
}

impl Group {
    pub(super) fn add_pod(&mut self, row: &AllocationRow, cut: Cut, cost: ByResource) {
        self.add_time(row.marks, cut);
        self.costs.node += cost;
        let share = cut.share();
        self.requested += row.requested.scaled(share);
        self.used += row.used.scaled(share).into();
        self.charged += row.charged().scaled(share);
    }

    pub(super) fn add_flat(&mut self, row: &FlatRow, cut: Cut, cost: PicoUsd, details: Details) {
        self.add_time(row.marks, cut);
        self.costs += Costs::of_flat(&row.asset, cost);
        let amount = row.amount * cut.share();
        match row.asset.kind {
            AssetKind::Volume => self.volume_byte_hours += amount,
            AssetKind::Network => self.network_bytes += amount,
            AssetKind::LoadBalancer => self.load_balancer_hours += amount,
            AssetKind::ControlPlane | AssetKind::Fixed => {}
        }
        if details.assets {
            let key = (row.asset.kind, Arc::clone(&row.asset.uid));
            let part = self.assets.entry(key).or_insert_with(|| AssetPart {
                asset: Arc::clone(&row.asset),
                cost: PicoUsd(0),
                amount: 0.0,
                window: cut.part,
                mounted: false,
            });
            part.cost += cost;
            part.amount += amount;
            part.window = joined(part.window, cut.part);
            part.mounted |= row.pod.is_some();
        }
    }

    fn add_time(&mut self, marks: Marks, cut: Cut) {
        self.cover(cut.part);
        self.prorated |= cut.is_partial();
        self.late |= marks.late;
        self.backfilled |= marks.backfilled;
    }

    pub(super) fn cover(&mut self, part: Window) {
        self.window = Some(self.window.map_or(part, |window| joined(window, part)));
    }

    /// Takes in another group's rows.
    pub fn absorb(&mut self, other: Self) {
        let Self { window, costs, requested, used, charged, .. } = other;
        if let Some(window) = window {
            self.cover(window);
        }
        self.costs += costs;
        self.requested += requested;
        self.used += used;
        self.charged += charged;
        self.volume_byte_hours += other.volume_byte_hours;
        self.network_bytes += other.network_bytes;
        self.load_balancer_hours += other.load_balancer_hours;
        self.prorated |= other.prorated;
        self.late |= other.late;
        self.backfilled |= other.backfilled;
        self.common.meet(other.common);
        for (key, part) in other.assets {
            match self.assets.get_mut(&key) {
                Some(known) => {
                    known.cost += part.cost;
                    known.amount += part.amount;
                    known.window = joined(known.window, part.window);
                    known.mounted |= part.mounted;
                }
                None => drop(self.assets.insert(key, part)),
            }
        }
        for (key, part) in other.nodes {
            match self.nodes.get_mut(&key) {
                Some(known) => known.cost += part.cost,
                None => drop(self.nodes.insert(key, part)),
            }
        }
    }
}

impl Common {
    pub(super) fn add(&mut self, row: &RowView<'_>, labels: bool) {
        let last = [
            Arc::as_ptr(row.attribution).addr(),
            row.pod.map_or(0, |pod| Arc::as_ptr(pod).addr()),
            row.node.map_or(0, |node| Arc::as_ptr(node).addr()),
        ];
        if self.seen && self.last == last {
            return;
        }
        let of = row.attribution;
        let workload = of.workload.as_ref();
        if !self.seen {
            *self = Self {
                seen: true,
                many_nodes: false,
                node: row.node.map(Arc::clone),
                namespace: Some(Arc::clone(&of.namespace)),
                space: Some(Arc::clone(&of.space)),
                workload: workload.map(|w| (w.kind.clone(), Arc::clone(&w.name))),
                pod: row.pod.map(|pod| Arc::clone(&pod.name)),
                team: Some(Arc::clone(&of.team)),
                owner: Some(Arc::clone(&of.owner)),
                labels: labels.then(|| Arc::clone(&of.labels)),
                last,
            };
            return;
        }
        self.last = last;
        keep(&mut self.namespace, Some(&of.namespace));
        keep(&mut self.space, Some(&of.space));
        keep(&mut self.pod, row.pod.map(|pod| &pod.name));
        keep(&mut self.team, Some(&of.team));
        keep(&mut self.owner, Some(&of.owner));
        self.keep_node(row.node);
        if let Some((kind, name)) = &self.workload
            && !workload.is_some_and(|w| w.kind == *kind && w.name == *name)
        {
            self.workload = None;
        }
        if let Some(known) = &mut self.labels {
            keep_equal(known, &of.labels);
        }
    }

    fn keep_node(&mut self, node: Option<&Arc<NodeName>>) {
        let Some(node) = node.filter(|_| !self.many_nodes) else { return };
        match &self.node {
            None => self.node = Some(Arc::clone(node)),
            Some(known) if known.uid != node.uid => {
                self.many_nodes = true;
                self.node = None;
            }
            Some(_) => {}
        }
    }

    /// Forgets what only adding needs, so that equal groups are equal.
    pub(super) fn close(&mut self) {
        self.last = [0; 3];
    }

    fn meet(&mut self, other: Self) {
        if !other.seen {
            return;
        }
        if !self.seen {
            *self = other;
            return;
        }
        keep(&mut self.namespace, other.namespace.as_ref());
        keep(&mut self.space, other.space.as_ref());
        keep(&mut self.pod, other.pod.as_ref());
        keep(&mut self.team, other.team.as_ref());
        keep(&mut self.owner, other.owner.as_ref());
        self.keep_node(other.node.as_ref());
        if other.many_nodes {
            self.many_nodes = true;
            self.node = None;
        }
        if self.workload != other.workload {
            self.workload = None;
        }
        match (&mut self.labels, &other.labels) {
            (Some(known), Some(labels)) => keep_equal(known, labels),
            (known, _) => *known = None,
        }
        self.close();
    }
}

fn keep(slot: &mut Option<Arc<str>>, value: Option<&Arc<str>>) {
    if slot
        .as_ref()
        .is_some_and(|known| !value.is_some_and(|value| Arc::ptr_eq(known, value) || known == value))
    {
        *slot = None;
    }
}

fn keep_equal(known: &mut Arc<Keys>, labels: &Arc<Keys>) {
    if Arc::ptr_eq(known, labels) || known == labels {
        return;
    }
    Arc::make_mut(known).retain(|key, value| labels.get(key) == Some(value));
}

fn joined(a: Window, b: Window) -> Window {
    Window::new(a.start.min(b.start), a.end.max(b.end))
}
