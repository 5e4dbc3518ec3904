//! What there is to pay for, and what it cost. The sum is the bill of [`super::TableBuilder`], to the pico-dollar.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::cut::Cut;
use crate::cluster::Attribution;
use crate::money::{AssetKind, ByResource, FlatAsset, Hour, NodeName, NodePrice, ResourceHours};
use crate::units::{PicoUsd, Window};

/// What one node cost in a window.
#[derive(Clone, PartialEq, Debug)]
pub struct AssetSum {
    /// The node.
    pub node: Arc<NodeName>,
    /// Its newest price.
    pub price: Option<Arc<NodePrice>>,
    /// From when to when it was counted.
    pub window: Window,
    /// What it cost.
    pub cost: ByResource,
    /// The part of it that nobody used.
    pub idle: ByResource,
    /// What it offered, over time.
    pub capacity: ResourceHours,
    /// All charges before scaling down, over time: above `capacity` where it was over-committed.
    pub charged: ResourceHours,
}

/// What one asset that is no node cost in a window.
#[derive(Clone, PartialEq, Debug)]
pub struct FlatSum {
    /// The asset.
    pub asset: Arc<FlatAsset>,
    /// Its newest price.
    pub price: Option<Arc<NodePrice>>,
    /// From when to when it was counted.
    pub window: Window,
    /// What it cost.
    pub cost: PicoUsd,
    /// How much of it, in the unit of its kind.
    pub amount: f64,
    /// Who paid, if it was one.
    pub payer: Option<Arc<Attribution>>,
}

/// Everything that cost something in a window.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct AssetTable {
    /// Nodes by name and UID.
    pub nodes: Vec<AssetSum>,
    /// Everything else by kind, name and UID.
    pub flat: Vec<FlatSum>,
    /// A row was cut by the window.
    pub prorated: bool,
}

impl AssetTable {
    /// The bill.
    pub fn total(&self) -> PicoUsd {
        let nodes: PicoUsd = self.nodes.iter().map(|sum| sum.cost.total()).sum();
        nodes + self.flat.iter().map(|sum| sum.cost).sum()
    }
}

/// Sums up hours to what their assets cost.
#[derive(Debug)]
pub struct AssetBuilder {
    window: Window,
    nodes: BTreeMap<(Arc<str>, Arc<str>), AssetSum>,
    flat: BTreeMap<(AssetKind, Arc<str>, Arc<str>), FlatSum>,
    prorated: bool,
}

impl AssetBuilder {
    /// For a window.
    pub const fn new(window: Window) -> Self {
        Self { window, nodes: BTreeMap::new(), flat: BTreeMap::new(), prorated: false }
    }

    /// Takes in the rows of an hour.
    pub fn add(&mut self, hour: &Hour) {
        for row in &hour.assets {
            let Some(cut) = Cut::of(row.window, self.window) else { continue };
            self.prorated |= cut.is_partial();
            let sum = self.node(&row.node, cut.part);
            if !row.marks.late {
                sum.window = joined(sum.window, cut.part);
                sum.price = row.price.clone().or(sum.price.take());
            }
            let idle = cut.money(row.idle);
            sum.idle += idle;
            sum.cost += idle;
            sum.capacity += row.capacity.scaled(cut.share());
            sum.charged += row.charged.scaled(cut.share());
        }
        // Nearly always one node after the other.
        let mut run: Option<(Arc<NodeName>, Window, ByResource)> = None;
        for row in &hour.allocations {
            let Some(cut) = Cut::of(row.window, self.window) else { continue };
            self.prorated |= cut.is_partial();
            let cost = cut.money(row.cost.get());
            match &mut run {
                Some((node, _, sum)) if Arc::ptr_eq(node, &row.holder.node) => *sum += cost,
                _ => {
                    self.add_parts(run.take());
                    run = Some((Arc::clone(&row.holder.node), cut.part, cost));
                }
            }
        }
        self.add_parts(run);
        for row in &hour.flat {
            let Some(cut) = Cut::of(row.window, self.window) else { continue };
            self.prorated |= cut.is_partial();
            let key = (row.asset.kind, Arc::clone(&row.asset.name), Arc::clone(&row.asset.uid));
            let sum = self.flat.entry(key).or_insert_with(|| FlatSum {
                asset: Arc::clone(&row.asset),
                price: None,
                window: cut.part,
                cost: PicoUsd(0),
                amount: 0.0,
                payer: Some(Arc::clone(&row.attribution)),
            });
            sum.window = joined(sum.window, cut.part);
            sum.price = row.price.clone().or(sum.price.take());
            sum.cost += cut.amount(row.cost);
            sum.amount += row.amount * cut.share();
            if sum.payer.as_ref().is_some_and(|payer| *payer != row.attribution) {
                sum.payer = None;
            }
            // What a volume is bound to may become known later.
            if sum.asset.claim.1.is_empty() && !row.asset.claim.1.is_empty() {
                sum.asset = Arc::clone(&row.asset);
            }
        }
    }

    fn add_parts(&mut self, run: Option<(Arc<NodeName>, Window, ByResource)>) {
        if let Some((node, part, cost)) = run {
            self.node(&node, part).cost += cost;
        }
    }

    fn node(&mut self, node: &Arc<NodeName>, part: Window) -> &mut AssetSum {
        let key = (Arc::clone(&node.name), Arc::clone(&node.uid));
        self.nodes.entry(key).or_insert_with(|| AssetSum {
            node: Arc::clone(node),
            price: None,
            window: part,
            cost: ByResource::default(),
            idle: ByResource::default(),
            capacity: ResourceHours::default(),
            charged: ResourceHours::default(),
        })
    }

    /// Everything, in order.
    pub fn finish(self) -> AssetTable {
        AssetTable {
            nodes: self.nodes.into_values().collect(),
            flat: self.flat.into_values().collect(),
            prorated: self.prorated,
        }
    }
}

fn joined(a: Window, b: Window) -> Window {
    Window::new(a.start.min(b.start), a.end.max(b.end))
}
