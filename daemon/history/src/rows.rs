//! Merged rows become the money's records again.

use std::collections::HashMap;
use std::sync::Arc;

use nightcap_core::cluster::{Attribution, Keys, NodeFacts, WorkloadKey, WorkloadKind};
use nightcap_core::money::{
    AllocationRow, AssetKind, AssetRow, ByResource, Confidence, FlatAsset, FlatRow, Holder, Marks, NodeName,
    NodePrice, PodName, PriceSource, ResourceHours, RowCost, SavedRow, UsageHours,
};
use nightcap_core::units::{PicoUsd, Rate};
use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::{Error as ValueError, StrDeserializer};

use crate::frame::NOTHING;
use crate::merge::{Interner, Row};
use crate::schema::{Allocation, Asset, Saving};
use crate::sheet::{PAYER, POD};

/// Makes records; what rows have in common is made once and shared.
#[derive(Debug, Default)]
pub(crate) struct Maker {
    pub(crate) interner: Interner,
    empty: Arc<str>,
    attributions: HashMap<Vec<u32>, Arc<Attribution>>,
    prices: HashMap<Vec<u32>, Option<Arc<NodePrice>>>,
    nodes: HashMap<Vec<u32>, Arc<NodeName>>,
    /// By the key of the row and the address of its node.
    holders: HashMap<(u32, usize), Arc<Holder>>,
}

/// What a row of `allocations` stands for.
pub(crate) enum Charge {
    /// A pod; more than one row if the sum of many does not fit into one.
    Pod(Vec<AllocationRow>),
    /// Anything else.
    Flat(FlatRow),
}

impl Maker {
    /// A text; empty where there is none.
    fn text(&self, code: u32) -> Arc<str> {
        Arc::clone(self.interner.get(code).unwrap_or(&self.empty))
    }

    fn optional(&self, code: u32) -> Option<Arc<str>> {
        self.interner.get(code).map(Arc::clone)
    }

    /// One of the words that a type is written as; nothing for those that only a newer version knows.
    fn word<T: for<'de> Deserialize<'de>>(&self, code: u32) -> Option<T> {
        let text: StrDeserializer<'_, ValueError> = self.interner.get(code)?.as_ref().into_deserializer();
        T::deserialize(text).ok()
    }

    fn json<T: for<'de> Deserialize<'de>>(&self, code: u32) -> Option<T> {
        serde_json::from_str(self.interner.get(code)?).ok()
    }

    /// A node's row.
    pub(crate) fn asset(&mut self, row: &Row<'_>) -> AssetRow {
        let [_, cpu, memory, gpu, _, idle_cpu, idle_memory, idle_gpu] = array(row.sums);
        let [a, b, c, d, e, f] = array(row.numbers);
        AssetRow {
            node: self.node(row),
            price: self.price(row, Asset::Confidence as usize),
            window: row.window,
            cost: money([cpu, memory, gpu]),
            idle: money([idle_cpu, idle_memory, idle_gpu]),
            capacity: ResourceHours { cpu_core_hours: a, memory_byte_hours: b, gpu_hours: c },
            charged: ResourceHours { cpu_core_hours: d, memory_byte_hours: e, gpu_hours: f },
            marks: marks(row),
        }
    }

    fn node(&mut self, row: &Row<'_>) -> Arc<NodeName> {
        let codes: Vec<u32> = row.codes(Asset::NodeUid as usize..Asset::Confidence as usize).collect();
        if let Some(node) = self.nodes.get(&codes) {
            return Arc::clone(node);
        }
        let at = |column: Asset| codes[column as usize];
        let node = Arc::new(NodeName {
            uid: self.text(at(Asset::NodeUid)),
            name: self.text(at(Asset::Node)),
            provider_id: self.text(at(Asset::ProviderId)),
            facts: NodeFacts {
                provider: self.word(at(Asset::Provider)).unwrap_or_default(),
                region: self.text(at(Asset::Region)),
                zone: self.text(at(Asset::Zone)),
                instance_type: self.text(at(Asset::InstanceType)),
                capacity_type: self.word(at(Asset::CapacityType)).unwrap_or_default(),
                arch: self.text(at(Asset::Arch)),
                os: self.text(at(Asset::Os)),
                labels: self.json(at(Asset::NodeLabels)).unwrap_or_default(),
            },
        });
        self.nodes.insert(codes, Arc::clone(&node));
        node
    }

    /// The price, whose five texts begin at column `first`.
    fn price(&mut self, row: &Row<'_>, first: usize) -> Option<Arc<NodePrice>> {
        let mut codes: Vec<u32> = row.codes(first..first + 5).collect();
        if codes[0] == NOTHING {
            return None;
        }
        codes.push(row.rate());
        if let Some(price) = self.prices.get(&codes) {
            return price.clone();
        }
        let hourly = self.interner.get(codes[5]).and_then(|digits| digits.parse().ok()).unwrap_or(0);
        let price = self.word::<Confidence>(codes[0]).map(|confidence| {
            Arc::new(NodePrice {
                hourly: Rate(hourly),
                confidence,
                source: PriceSource { id: self.text(codes[1]), date: self.text(codes[2]) },
                reason: self.text(codes[3]),
                by_pod: self.json(codes[4]),
            })
        });
        self.prices.insert(codes, price.clone());
        price
    }

    /// A row of `allocations`. `node` gives a pod's node by the number of its UID, as the assets of that time know it.
    pub(crate) fn charge(&mut self, row: &Row<'_>, node: impl Fn(u32) -> Option<Arc<NodeName>>) -> Charge {
        let at = |column: Allocation| row.code(column as usize);
        let kind = self.text(at(Allocation::Kind));
        if *kind == *POD {
            let uid = at(Allocation::NodeUid);
            let node = node(uid).unwrap_or_else(|| self.bare_node(uid, at(Allocation::Node)));
            return Charge::Pod(self.pod_rows(row, node));
        }
        let asset = Arc::new(FlatAsset {
            // A kind that only a newer version knows is still on the bill.
            kind: AssetKind::ALL.into_iter().find(|known| *known.name() == *kind).unwrap_or(AssetKind::Fixed),
            uid: self.text(at(Allocation::AssetUid)),
            name: self.text(at(Allocation::Asset)),
            provider_id: self.text(at(Allocation::AssetProviderId)),
            class: self.text(at(Allocation::StorageClass)),
            claim: (self.text(at(Allocation::ClaimNamespace)), self.text(at(Allocation::Claim))),
        });
        Charge::Flat(FlatRow {
            asset,
            price: self.price(row, Allocation::Confidence as usize),
            attribution: self.attribution(row, Allocation::Namespace as usize),
            pod: (at(Allocation::PodNamespace) != NOTHING).then(|| self.pod(row)),
            window: row.window,
            cost: PicoUsd(row.sums[0]),
            amount: row.numbers[7],
            marks: marks(row),
        })
    }

    /// A node of which the assets of that time say nothing, or of which nobody asked more.
    fn bare_node(&mut self, uid: u32, name: u32) -> Arc<NodeName> {
        let codes = vec![uid, name];
        if let Some(node) = self.nodes.get(&codes) {
            return Arc::clone(node);
        }
        let (uid, name) = (self.text(uid), self.text(name));
        let node = NodeName { uid, name, provider_id: Arc::clone(&self.empty), facts: NodeFacts::default() };
        let node = Arc::new(node);
        self.nodes.insert(codes, Arc::clone(&node));
        node
    }

    fn pod(&self, row: &Row<'_>) -> Arc<PodName> {
        Arc::new(PodName {
            uid: self.text(row.code(Allocation::PodUid as usize)),
            namespace: self.text(row.code(Allocation::PodNamespace as usize)),
            name: self.text(row.code(Allocation::Pod as usize)),
        })
    }

    fn pod_rows(&mut self, row: &Row<'_>, node: Arc<NodeName>) -> Vec<AllocationRow> {
        let place = (row.key, Arc::as_ptr(&node).addr());
        let holder = if let Some(holder) = self.holders.get(&place) {
            Arc::clone(holder)
        } else {
            let attribution = self.attribution(row, Allocation::Namespace as usize);
            let holder = Arc::new(Holder { node, pod: self.pod(row), attribution });
            self.holders.insert(place, Arc::clone(&holder));
            holder
        };
        let [a, b, c, d, e, f, g] = array(row.numbers);
        let first = AllocationRow {
            holder,
            window: row.window,
            cost: RowCost::default(),
            requested: ResourceHours { cpu_core_hours: a, memory_byte_hours: b, gpu_hours: c },
            used: UsageHours { cpu_core_hours: d, memory_byte_hours: e },
            above: UsageHours { cpu_core_hours: f, memory_byte_hours: g },
            marks: marks(row),
        };
        let [_, cpu, memory, gpu] = array(row.sums);
        with_cost(first, [cpu, memory, gpu])
    }

    /// The row of a workload that slept.
    pub(crate) fn saved(&mut self, row: &Row<'_>) -> SavedRow {
        let [_, cpu, memory, gpu] = array(row.sums);
        let [a, b, c] = array(row.numbers);
        SavedRow {
            attribution: self.attribution(row, Saving::Namespace as usize),
            policy: self.text(row.code(Saving::Policy as usize)),
            window: row.window,
            saved: money([cpu, memory, gpu]),
            freed: ResourceHours { cpu_core_hours: a, memory_byte_hours: b, gpu_hours: c },
        }
    }

    /// The payer, whose columns begin at `first` and have the same order in all tables.
    fn attribution(&mut self, row: &Row<'_>, first: usize) -> Arc<Attribution> {
        let codes: Vec<u32> = row.codes(first..first + PAYER).collect();
        if let Some(of) = self.attributions.get(&codes) {
            return Arc::clone(of);
        }
        let workload = self.interner.get(codes[5]).map(|kind| WorkloadKey {
            namespace: self.text(codes[4]),
            kind: WorkloadKind::from_name(kind),
            name: self.text(codes[6]),
        });
        let labels: Option<Keys> = self.json(codes[12]);
        let of = Arc::new(Attribution {
            namespace: self.text(codes[0]),
            space: self.text(codes[1]),
            vcluster: self.optional(codes[2]),
            virtual_namespace: self.optional(codes[3]),
            workload,
            team: self.text(codes[7]),
            team_rule: self.text(codes[8]),
            owner: self.text(codes[9]),
            owner_kind: self.word(codes[10]).unwrap_or_default(),
            owner_rule: self.text(codes[11]),
            labels: labels.map(Arc::new).unwrap_or_default(),
        });
        self.attributions.insert(codes, Arc::clone(&of));
        of
    }
}

/// The row with this cost. It holds 64 bits per resource; what is above goes into further rows of money alone.
fn with_cost(first: AllocationRow, cost: [i128; 3]) -> Vec<AllocationRow> {
    let mut rest = cost;
    let mut rows = Vec::with_capacity(1);
    loop {
        let part = rest.map(|pico| pico.clamp(i64::MIN.into(), i64::MAX.into()));
        rest = [rest[0] - part[0], rest[1] - part[1], rest[2] - part[2]];
        let mut row = first.clone();
        if !rows.is_empty() {
            row.requested = ResourceHours::default();
            row.used = UsageHours::default();
            row.above = UsageHours::default();
        }
        row.cost = money(part).into();
        rows.push(row);
        if rest == [0; 3] {
            return rows;
        }
    }
}

fn marks(row: &Row<'_>) -> Marks {
    Marks { late: row.flag(0), backfilled: row.flag(1) }
}

fn money(parts: [i128; 3]) -> ByResource {
    ByResource::from_array(parts.map(PicoUsd))
}

/// The values of a row, of which the schema has just so many.
fn array<T: Copy + Default, const N: usize>(values: &[T]) -> [T; N] {
    std::array::from_fn(|nth| values.get(nth).copied().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use nightcap_core::units::{Instant, Window};

    #[test]
    fn a_sum_beyond_64_bits_is_split_and_still_whole() {
        let holder = Arc::new(Holder {
            node: Arc::new(NodeName {
                uid: "".into(),
                name: "".into(),
                provider_id: "".into(),
                facts: NodeFacts::default(),
            }),
            pod: Arc::new(PodName { uid: "".into(), namespace: "".into(), name: "".into() }),
            attribution: Arc::new(Attribution::line("a")),
        });
        let row = AllocationRow {
            holder,
            window: Window::new(Instant(0), Instant(1)),
            cost: RowCost::default(),
            requested: ResourceHours { cpu_core_hours: 1.0, memory_byte_hours: 2.0, gpu_hours: 3.0 },
            used: UsageHours::default(),
            above: UsageHours::default(),
            marks: Marks::default(),
        };
        let cost = [i128::from(i64::MAX) * 2 + 5, -7, i128::from(i64::MIN) - 1];
        let rows = with_cost(row, cost);
        assert_eq!(rows.len(), 3);
        let sum = rows.iter().fold(ByResource::default(), |mut sum, row| {
            sum += row.cost.get();
            sum
        });
        assert_eq!(sum, money(cost));
        assert_eq!(rows.iter().map(|row| row.requested.gpu_hours).collect::<Vec<_>>(), [3.0, 0.0, 0.0]);
    }
}
