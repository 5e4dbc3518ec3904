//! Rows in, one hour after the other and in any order, tables out.
//!
//! What a row belongs to follows from whom it names alone, so that is found once for each holder and remembered by the
//! holder's address; from then on a row costs a few additions. The memory needed is that of the answer and of the
//! names it is made of, however many hours go in.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

use super::costs::Costs;
use super::cut::Cut;
use super::group::Group;
use super::question::Query;
use super::row_view::RowView;
use super::settle;
use super::table::{SHARED, Table};
use crate::cluster::Attribution;
use crate::money::{
    AllocationRow, AssetKind, AssetRow, ByResource, Confidence, FlatAsset, FlatRow, Holder, Hour, NodeName,
    PodName,
};
use crate::units::{Millis, PicoUsd, Window};

/// Sums up hours to the tables of a question.
#[derive(Debug)]
pub struct TableBuilder {
    query: Query,
    /// What each number of a bin stands for.
    bins: Vec<Bin>,
    numbers: HashMap<Bin, u32>,
    nodes: Vec<Arc<NodeName>>,
    node_numbers: HashMap<Arc<str>, u32>,
    /// By address; what is remembered is held, so that no other may take its address.
    holders: HashMap<usize, (Arc<Holder>, Place, u32), ByAddress>,
    flat: HashMap<[usize; 3], (FlatNames, Place), ByAddress>,
    steps: Vec<StepSums>,
}

type FlatNames = (Arc<FlatAsset>, Arc<Attribution>, Option<Arc<PodName>>);

/// What rows are summed up to.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(super) enum Bin {
    /// A group, by its values.
    Group(Vec<Arc<str>>),
    /// A line of its own, by its name.
    Line(Arc<str>),
}

/// Where a row belongs.
#[derive(Clone, Copy, Debug)]
struct Place {
    bin: u32,
    /// The filter asks for it.
    shown: bool,
}

/// The sums of one step.
#[derive(Debug, Default)]
pub(super) struct StepSums {
    /// By number of the bin: its place in `sums`, plus one.
    places: Vec<u32>,
    pub(super) sums: Vec<Sums>,
    /// Idle cost by number of the node; all under one number if it is not told by node.
    pub(super) idle: BTreeMap<u32, IdleSums>,
    /// Parts of nodes by node, bin, and whether they are shown, where they are needed.
    pub(super) parts: BTreeMap<(u32, u32, bool), ByResource>,
    pub(super) nodes: ByResource,
    pub(super) flat: PicoUsd,
    pub(super) by_confidence: BTreeMap<Confidence, PicoUsd>,
    pub(super) saved: PicoUsd,
    pub(super) prorated: bool,
    pub(super) coarse: bool,
    pub(super) open: bool,
}

/// The sums of one bin.
#[derive(Debug)]
pub(super) struct Sums {
    pub(super) bin: u32,
    /// The rows that the filter asks for.
    pub(super) shown: Group,
    pub(super) any_shown: bool,
    /// What the other rows cost.
    pub(super) rest: Costs,
}

/// Idle cost.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct IdleSums {
    pub(super) shown: ByResource,
    pub(super) any_shown: bool,
    pub(super) rest: ByResource,
}

impl TableBuilder {
    /// For the tables that answer `query`.
    pub fn new(query: Query) -> Self {
        let mut steps = Vec::new();
        steps.resize_with(query.steps.len(), StepSums::default);
        Self {
            query,
            bins: Vec::new(),
            numbers: HashMap::new(),
            nodes: Vec::new(),
            node_numbers: HashMap::new(),
            holders: HashMap::default(),
            flat: HashMap::default(),
            steps,
        }
    }

    /// The question.
    pub const fn query(&self) -> &Query {
        &self.query
    }

    /// How many rows all tables have so far, before any is left out.
    pub fn rows(&self) -> usize {
        self.steps.iter().map(|step| step.sums.len()).sum()
    }

    /// Takes in the rows of an hour. Its rows need not lie within the hour: an archive gives those of a day as one.
    pub fn add(&mut self, hour: &Hour) {
        if hour.open {
            for nth in steps_of(&self.query.steps, Window::new(hour.start, hour.start + Millis::HOUR)) {
                self.steps[nth].open = true;
            }
        }
        if hour.coarse {
            let pods = hour.allocations.iter().map(|row| row.window);
            let nodes = hour.assets.iter().map(|row| row.window);
            for window in pods.chain(nodes).chain(hour.flat.iter().map(|row| row.window)) {
                for nth in steps_of(&self.query.steps, window) {
                    self.steps[nth].coarse = true;
                }
            }
        }
        for row in &hour.allocations {
            self.add_pod(row);
        }
        for row in &hour.assets {
            self.add_node(row);
        }
        for row in &hour.flat {
            self.add_flat(row);
        }
        for row in &hour.saved {
            let view = RowView {
                cluster: &self.query.cluster,
                node: None,
                pod: None,
                attribution: &row.attribution,
                asset: None,
            };
            if !self.query.filter.matches(&view) {
                continue;
            }
            for (nth, cut) in cuts(&self.query.steps, row.window) {
                self.steps[nth].saved += cut.money(row.saved).total();
            }
        }
    }

    /// The tables, one for each step.
    pub fn finish(mut self) -> Vec<Table> {
        self.add_extra();
        let Self { query, bins, nodes, steps, .. } = self;
        let steps = query.steps.iter().zip(steps);
        steps.map(|(&window, sums)| settle::settle(&query, window, &bins, &nodes, sums)).collect()
    }

    fn add_pod(&mut self, row: &AllocationRow) {
        let mut known = None;
        for (nth, cut) in cuts(&self.query.steps, row.window) {
            let (place, node) = match known {
                Some(known) => known,
                None => {
                    // Only now: most rows of a long history lie in no step, and need no place.
                    let found = place_of_holder(
                        &self.query,
                        &mut self.holders,
                        &mut Numbers { bins: &mut self.bins, numbers: &mut self.numbers },
                        &mut NodeNumbers { nodes: &mut self.nodes, numbers: &mut self.node_numbers },
                        row,
                    );
                    *known.insert(found)
                }
            };
            let step = &mut self.steps[nth];
            let cost = cut.money(row.cost.get());
            step.prorated |= cut.is_partial();
            step.nodes += cost;
            if self.query.needs_parts() {
                *step.parts.entry((node, place.bin, place.shown)).or_default() += cost;
            }
            let sums = step.sums_of(place.bin);
            if place.shown {
                sums.any_shown = true;
                sums.shown.add_pod(row, cut, cost);
                sums.shown.common.add(&RowView::of_pod(&self.query.cluster, row), self.query.details.labels);
            } else {
                sums.rest.node += cost;
            }
        }
    }

    fn add_node(&mut self, row: &AssetRow) {
        for (nth, cut) in cuts(&self.query.steps, row.window) {
            let number = if self.query.sharing.idle_by_node || self.query.details.nodes {
                NodeNumbers { nodes: &mut self.nodes, numbers: &mut self.node_numbers }.of(&row.node)
            } else {
                0
            };
            let step = &mut self.steps[nth];
            let idle = cut.money(row.idle);
            step.prorated |= cut.is_partial();
            step.nodes += idle;
            *step.by_confidence.entry(row.confidence()).or_default() += cut.money(row.cost).total();
            let sums = step.idle.entry(number).or_default();
            let line = idle_line();
            let view = RowView {
                cluster: &self.query.cluster,
                node: Some(&row.node),
                pod: None,
                attribution: line,
                asset: None,
            };
            if self.query.filter.matches(&view) {
                sums.any_shown = true;
                sums.shown += idle;
            } else {
                sums.rest += idle;
            }
        }
    }

    fn add_flat(&mut self, row: &FlatRow) {
        let mut known = None;
        for (nth, cut) in cuts(&self.query.steps, row.window) {
            let place = match known {
                Some(known) => known,
                None => *known.insert(self.place_of_flat(row)),
            };
            let step = &mut self.steps[nth];
            let cost = cut.amount(row.cost);
            step.prorated |= cut.is_partial();
            step.flat += cost;
            *step.by_confidence.entry(row.confidence()).or_default() += cost;
            let sums = step.sums_of(place.bin);
            if place.shown {
                sums.any_shown = true;
                sums.shown.add_flat(row, cut, cost, self.query.details);
                sums.shown.common.add(&RowView::of_flat(&self.query.cluster, row), self.query.details.labels);
            } else {
                sums.rest += Costs::of_flat(&row.asset, cost);
            }
        }
    }

    fn place_of_flat(&mut self, row: &FlatRow) -> Place {
        let address = [
            Arc::as_ptr(&row.asset).addr(),
            Arc::as_ptr(&row.attribution).addr(),
            row.pod.as_ref().map_or(0, |pod| Arc::as_ptr(pod).addr()),
        ];
        if let Some((_, place)) = self.flat.get(&address) {
            return *place;
        }
        let view = RowView::of_flat(&self.query.cluster, row);
        let mut numbers = Numbers { bins: &mut self.bins, numbers: &mut self.numbers };
        let place = place(&self.query, &mut numbers, &view);
        let names = (Arc::clone(&row.asset), Arc::clone(&row.attribution), row.pod.clone());
        self.flat.insert(address, (names, place));
        place
    }

    /// The sum a month that is on no bill.
    fn add_extra(&mut self) {
        let monthly = self.query.sharing.extra_monthly;
        if monthly.0 == 0 {
            return;
        }
        let name: Arc<str> = "shared cost as asked".into();
        let asset = FlatAsset {
            kind: AssetKind::Fixed,
            uid: Arc::clone(&name),
            name,
            provider_id: "".into(),
            class: "".into(),
            claim: ("".into(), "".into()),
        };
        let (asset, attribution) = (Arc::new(asset), Arc::new(Attribution::line(SHARED)));
        for nth in 0..self.query.steps.len() {
            let window = self.query.steps[nth];
            let cost = PicoUsd(monthly.0 * i128::from(window.length().0) / MS_PER_MONTH);
            self.add_flat(&FlatRow {
                asset: Arc::clone(&asset),
                price: None,
                attribution: Arc::clone(&attribution),
                pod: None,
                window,
                cost,
                amount: window.length().as_hours(),
                marks: crate::money::Marks::default(),
            });
        }
    }
}

/// 730 hours.
const MS_PER_MONTH: i128 = 730 * 3_600_000;

fn idle_line() -> &'static Arc<Attribution> {
    static LINE: std::sync::LazyLock<Arc<Attribution>> =
        std::sync::LazyLock::new(|| Arc::new(Attribution::line(super::table::IDLE)));
    &LINE
}

impl Query {
    /// Whether parts of nodes have to be told apart.
    pub(super) fn needs_parts(&self) -> bool {
        self.details.nodes || self.sharing.idle_by_node && self.sharing.idle != super::Spread::None
    }
}

struct Numbers<'a> {
    bins: &'a mut Vec<Bin>,
    numbers: &'a mut HashMap<Bin, u32>,
}

impl Numbers<'_> {
    fn of(&mut self, bin: Bin) -> u32 {
        if let Some(&number) = self.numbers.get(&bin) {
            return number;
        }
        let number = u32::try_from(self.bins.len()).unwrap_or(u32::MAX);
        self.bins.push(bin.clone());
        self.numbers.insert(bin, number);
        number
    }
}

struct NodeNumbers<'a> {
    nodes: &'a mut Vec<Arc<NodeName>>,
    numbers: &'a mut HashMap<Arc<str>, u32>,
}

impl NodeNumbers<'_> {
    fn of(&mut self, node: &Arc<NodeName>) -> u32 {
        if let Some(&number) = self.numbers.get(&node.uid) {
            return number;
        }
        let number = u32::try_from(self.nodes.len()).unwrap_or(u32::MAX);
        self.nodes.push(Arc::clone(node));
        self.numbers.insert(Arc::clone(&node.uid), number);
        number
    }
}

fn place_of_holder(
    query: &Query,
    holders: &mut HashMap<usize, (Arc<Holder>, Place, u32), ByAddress>,
    numbers: &mut Numbers<'_>,
    nodes: &mut NodeNumbers<'_>,
    row: &AllocationRow,
) -> (Place, u32) {
    let address = Arc::as_ptr(&row.holder).addr();
    if let Some((_, place, node)) = holders.get(&address) {
        return (*place, *node);
    }
    let place = place(query, numbers, &RowView::of_pod(&query.cluster, row));
    let node = if query.needs_parts() { nodes.of(&row.holder.node) } else { 0 };
    holders.insert(address, (Arc::clone(&row.holder), place, node));
    (place, node)
}

fn place(query: &Query, numbers: &mut Numbers<'_>, row: &RowView<'_>) -> Place {
    let bin = match row.line() {
        Some(line) => Bin::Line(Arc::clone(line)),
        None if query.sharing.rules.matches(row) => Bin::Line(SHARED.into()),
        None => Bin::Group(query.by.iter().map(|dimension| dimension.value(row)).collect()),
    };
    Place { bin: numbers.of(bin), shown: query.filter.matches(row) }
}

impl StepSums {
    fn sums_of(&mut self, bin: u32) -> &mut Sums {
        let index = bin as usize;
        if self.places.len() <= index {
            self.places.resize(index + 1, 0);
        }
        if self.places[index] == 0 {
            let sums = Sums { bin, shown: Group::default(), any_shown: false, rest: Costs::default() };
            self.sums.push(sums);
            self.places[index] = u32::try_from(self.sums.len()).unwrap_or(u32::MAX);
        }
        &mut self.sums[self.places[index] as usize - 1]
    }
}

/// The numbers of the steps that touch a window.
fn steps_of(steps: &[Window], window: Window) -> std::ops::Range<usize> {
    let first = steps.partition_point(|step| step.end <= window.start);
    // A moment lies in the step that begins at it.
    let beyond = |step: &Window| step.start < window.end || step.start == window.start;
    let count = steps[first..].iter().take_while(|&step| beyond(step)).count();
    first..first + count
}

/// The steps that hold a part of a row, with that part.
fn cuts(steps: &[Window], row: Window) -> impl Iterator<Item = (usize, Cut)> + use<> {
    let found: smallest::Few = smallest::collect(steps, row);
    found.into_iter()
}

/// Nearly every row lies in one step: no list is made for it.
mod smallest {
    use super::{Cut, Window, steps_of};

    pub(super) enum Few {
        One(Option<(usize, Cut)>),
        Many(std::vec::IntoIter<(usize, Cut)>),
    }

    pub(super) fn collect(steps: &[Window], row: Window) -> Few {
        let range = steps_of(steps, row);
        let cut = |nth: usize| Cut::of(row, steps[nth]).map(|cut| (nth, cut));
        if range.len() <= 1 {
            return Few::One(range.into_iter().next().and_then(cut));
        }
        Few::Many(range.filter_map(cut).collect::<Vec<_>>().into_iter())
    }

    impl Iterator for Few {
        type Item = (usize, Cut);
        fn next(&mut self) -> Option<(usize, Cut)> {
            match self {
                Self::One(one) => one.take(),
                Self::Many(many) => many.next(),
            }
        }
    }
}

/// Addresses are spread well enough by one multiplication.
#[derive(Debug, Default)]
struct AddressHasher(u64);

type ByAddress = BuildHasherDefault<AddressHasher>;

impl Hasher for AddressHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u64(byte.into());
        }
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = (self.0.rotate_left(5) ^ value).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 ^= self.0 >> 32;
    }

    fn write_usize(&mut self, value: usize) {
        self.write_u64(value as u64);
    }
}
