//! Rows on their way into a file: the money's records, laid out by column.

use std::cmp::Ordering;
use std::sync::Arc;

use nightcap_core::cluster::{Attribution, Keys, WorkloadKey};
use nightcap_core::money::{
    AllocationRow, AssetKind, AssetRow, ByResource, Confidence, FlatRow, NodePrice, ResourceHours, SavedRow,
};
use nightcap_core::units::{Instant, PicoUsd, Window};

use crate::frame::{Cells, Column, Texts};
use crate::layout::{Resolution, Table};
use crate::schema::{Allocation, Asset, Saving, Schema, WINDOW_END, WINDOW_START, period};

/// What `kind` says of a pod's row.
pub(crate) const POD: &str = "pod";

/// How many columns say who pays; they have the same order in all tables.
pub(crate) const PAYER: usize = 14;

/// Columns that grow row by row.
#[derive(Debug)]
pub(crate) struct Sheet {
    schema: &'static Schema,
    periods: Vec<Instant>,
    starts: Vec<Instant>,
    ends: Vec<Instant>,
    texts: Vec<Texts>,
    rates: Vec<Vec<PicoUsd>>,
    sums: Vec<Vec<PicoUsd>>,
    numbers: Vec<Vec<f64>>,
    flags: Vec<Vec<bool>>,
}

/// A row, its values in the order of the schema.
struct Record<'a> {
    window: Window,
    texts: &'a [Option<Text<'a>>],
    rates: &'a [PicoUsd],
    sums: &'a [PicoUsd],
    numbers: &'a [f64],
    flags: &'a [bool],
}

/// A text whose memory may be shared with the row.
#[derive(Clone, Copy)]
enum Text<'a> {
    Shared(&'a Arc<str>),
    Word(&'a str),
}

impl Sheet {
    pub(crate) fn new(table: Table) -> Self {
        let schema = table.schema();
        Self {
            schema,
            periods: Vec::new(),
            starts: Vec::new(),
            ends: Vec::new(),
            texts: vec![Texts::default(); schema.texts.len()],
            rates: vec![Vec::new(); schema.rates.len()],
            sums: vec![Vec::new(); schema.sums.len()],
            numbers: vec![Vec::new(); schema.numbers.len()],
            flags: vec![Vec::new(); schema.flags.len()],
        }
    }

    /// A pod's row; `price` is that of its node in the same hour.
    pub(crate) fn add_pod(&mut self, period: Instant, row: &AllocationRow, price: Option<&NodePrice>) {
        let (node, pod, of) = (&row.holder.node, &row.holder.pod, &row.holder.attribution);
        let mut texts = [None; Allocation::NAMES.len()];
        texts[Allocation::Kind as usize] = Some(Text::Word(POD));
        texts[Allocation::NodeUid as usize] = Some(Text::Shared(&node.uid));
        texts[Allocation::Node as usize] = Some(Text::Shared(&node.name));
        texts[Allocation::PodUid as usize] = Some(Text::Shared(&pod.uid));
        texts[Allocation::PodNamespace as usize] = Some(Text::Shared(&pod.namespace));
        texts[Allocation::Pod as usize] = Some(Text::Shared(&pod.name));
        texts[Allocation::Confidence as usize] = price.map(confidence);
        let labels = labels_text(&of.labels);
        payer(&mut texts[Allocation::Namespace as usize..], of, labels.as_deref());
        let cost = row.cost.get();
        self.add(
            period,
            &Record {
                window: row.window,
                texts: &texts,
                rates: &[PicoUsd(0)],
                sums: &parts(cost),
                numbers: &[
                    row.requested.cpu_core_hours,
                    row.requested.memory_byte_hours,
                    row.requested.gpu_hours,
                    row.used.cpu_core_hours,
                    row.used.memory_byte_hours,
                    row.above.cpu_core_hours,
                    row.above.memory_byte_hours,
                    0.0,
                ],
                flags: &[row.marks.late, row.marks.backfilled],
            },
        );
    }

    /// The row of a disk, a load balancer and so on.
    pub(crate) fn add_flat(&mut self, period: Instant, row: &FlatRow) {
        let (asset, of) = (&row.asset, &row.attribution);
        let mut texts = [None; Allocation::NAMES.len()];
        texts[Allocation::Kind as usize] = Some(Text::Word(asset.kind.name()));
        if let Some(pod) = &row.pod {
            texts[Allocation::PodUid as usize] = Some(Text::Shared(&pod.uid));
            texts[Allocation::PodNamespace as usize] = Some(Text::Shared(&pod.namespace));
            texts[Allocation::Pod as usize] = Some(Text::Shared(&pod.name));
        }
        texts[Allocation::AssetUid as usize] = Some(Text::Shared(&asset.uid));
        texts[Allocation::Asset as usize] = Some(Text::Shared(&asset.name));
        texts[Allocation::AssetProviderId as usize] = Some(Text::Shared(&asset.provider_id));
        texts[Allocation::StorageClass as usize] = Some(Text::Shared(&asset.class));
        texts[Allocation::ClaimNamespace as usize] = Some(Text::Shared(&asset.claim.0));
        texts[Allocation::Claim as usize] = Some(Text::Shared(&asset.claim.1));
        texts[Allocation::Unit as usize] = Some(Text::Word(unit(asset.kind)));
        let by_pod = by_pod(row.price.as_deref());
        price_texts(&mut texts[Allocation::Confidence as usize..], row.price.as_deref(), by_pod.as_deref());
        let labels = labels_text(&of.labels);
        payer(&mut texts[Allocation::Namespace as usize..], of, labels.as_deref());
        let none = PicoUsd(0);
        self.add(
            period,
            &Record {
                window: row.window,
                texts: &texts,
                rates: &[hourly(row.price.as_deref())],
                sums: &[row.cost, none, none, none],
                numbers: &[0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, row.amount],
                flags: &[row.marks.late, row.marks.backfilled],
            },
        );
    }

    /// A node's row.
    pub(crate) fn add_asset(&mut self, period: Instant, row: &AssetRow) {
        let (node, facts) = (&row.node, &row.node.facts);
        let (provider, capacity_type) = (facts.provider.to_string(), facts.capacity_type.to_string());
        let mut texts = [None; Asset::NAMES.len()];
        texts[Asset::NodeUid as usize] = Some(Text::Shared(&node.uid));
        texts[Asset::Node as usize] = Some(Text::Shared(&node.name));
        texts[Asset::ProviderId as usize] = Some(Text::Shared(&node.provider_id));
        texts[Asset::Provider as usize] = Some(Text::Word(&provider));
        texts[Asset::Region as usize] = Some(Text::Shared(&facts.region));
        texts[Asset::Zone as usize] = Some(Text::Shared(&facts.zone));
        texts[Asset::InstanceType as usize] = Some(Text::Shared(&facts.instance_type));
        texts[Asset::CapacityType as usize] = Some(Text::Word(&capacity_type));
        texts[Asset::Arch as usize] = Some(Text::Shared(&facts.arch));
        texts[Asset::Os as usize] = Some(Text::Shared(&facts.os));
        let (labels, by_pod) = (labels_text(&facts.labels), by_pod(row.price.as_deref()));
        texts[Asset::NodeLabels as usize] = labels.as_deref().map(Text::Word);
        price_texts(&mut texts[Asset::Confidence as usize..], row.price.as_deref(), by_pod.as_deref());
        let [cost, cpu, memory, gpu] = parts(row.cost);
        let [idle, idle_cpu, idle_memory, idle_gpu] = parts(row.idle);
        let (capacity, charged) = (hours(row.capacity), hours(row.charged));
        let numbers = [capacity[0], capacity[1], capacity[2], charged[0], charged[1], charged[2]];
        self.add(
            period,
            &Record {
                window: row.window,
                texts: &texts,
                rates: &[hourly(row.price.as_deref())],
                sums: &[cost, cpu, memory, gpu, idle, idle_cpu, idle_memory, idle_gpu],
                numbers: &numbers,
                flags: &[row.marks.late, row.marks.backfilled],
            },
        );
    }

    /// The row of a workload that slept.
    pub(crate) fn add_saved(&mut self, period: Instant, row: &SavedRow) {
        let mut texts = [None; Saving::NAMES.len()];
        let labels = labels_text(&row.attribution.labels);
        payer(&mut texts, &row.attribution, labels.as_deref());
        texts[Saving::Policy as usize] = Some(Text::Shared(&row.policy));
        self.add(
            period,
            &Record {
                window: row.window,
                texts: &texts,
                rates: &[],
                sums: &parts(row.saved),
                numbers: &hours(row.freed),
                flags: &[],
            },
        );
    }

    fn add(&mut self, period: Instant, record: &Record<'_>) {
        self.periods.push(period);
        self.starts.push(record.window.start);
        self.ends.push(record.window.end);
        for (column, text) in self.texts.iter_mut().zip(record.texts) {
            match text {
                None => column.push(None),
                Some(Text::Shared(text)) => column.push_shared(Some(text)),
                Some(Text::Word(text)) => column.push(Some(text)),
            }
        }
        each(&mut self.rates, record.rates);
        each(&mut self.sums, record.sums);
        each(&mut self.numbers, record.numbers);
        each(&mut self.flags, record.flags);
    }

    /// Adds some rows of a file, whose columns come in the order of [`Schema::columns`].
    pub(crate) fn append(&mut self, cells: &[Cells], rows: &[usize]) -> Result<(), String> {
        let instants = [&mut self.periods, &mut self.starts, &mut self.ends].into_iter().map(Target::Instant);
        let targets = instants
            .chain(self.texts.iter_mut().map(Target::Text))
            .chain(self.rates.iter_mut().chain(&mut self.sums).map(Target::Money))
            .chain(self.numbers.iter_mut().map(Target::Number))
            .chain(self.flags.iter_mut().map(Target::Flag));
        for (target, cells) in targets.zip(cells) {
            match (target, cells) {
                (Target::Instant(to), Cells::Instant(from)) => to.extend(rows.iter().map(|&row| from[row])),
                (Target::Text(to), Cells::Text(from)) => to.append(from, rows),
                (Target::Money(to), Cells::Money(from)) => to.extend(rows.iter().map(|&row| from[row])),
                (Target::Number(to), Cells::Number(from)) => to.extend(rows.iter().map(|&row| from[row])),
                (Target::Flag(to), Cells::Flag(from)) => to.extend(rows.iter().map(|&row| from[row])),
                (_, cells) => return Err(format!("{:?} is not what its column holds", cells.kind())),
            }
        }
        Ok(())
    }

    /// The rows sorted, so that what repeats lies together: namespace, workload, pod or asset, then time.
    pub(crate) fn sorted(mut self, table: Table) -> Self {
        let columns: &[usize] = match table {
            Table::Allocations => &[
                Allocation::Namespace as usize,
                Allocation::Workload as usize,
                Allocation::Pod as usize,
                Allocation::PodUid as usize,
                Allocation::Asset as usize,
            ],
            Table::Assets => &[Asset::Node as usize, Asset::NodeUid as usize],
            Table::Savings => &[Saving::Namespace as usize, Saving::Workload as usize],
        };
        let ranks: Vec<Vec<u32>> = columns.iter().map(|&column| self.texts[column].ranks()).collect();
        let rank = |row: usize, nth: usize| {
            let code = self.texts[columns[nth]].codes()[row];
            ranks[nth].get(code as usize).copied()
        };
        let mut order: Vec<usize> = (0..self.periods.len()).collect();
        order.sort_by(|&a, &b| {
            let names = (0..columns.len()).map(|nth| rank(a, nth).cmp(&rank(b, nth)));
            let times = (self.starts[a], self.ends[a]).cmp(&(self.starts[b], self.ends[b]));
            names.chain([times]).find(|ordering| ordering.is_ne()).unwrap_or(Ordering::Equal)
        });
        for values in [&mut self.periods, &mut self.starts, &mut self.ends] {
            permute(values, &order);
        }
        self.texts.iter_mut().for_each(|texts| texts.permute(&order));
        self.rates.iter_mut().chain(&mut self.sums).for_each(|values| permute(values, &order));
        self.numbers.iter_mut().for_each(|values| permute(values, &order));
        self.flags.iter_mut().for_each(|values| permute(values, &order));
        self
    }

    /// The rows in groups of at most `size`.
    pub(crate) fn into_groups(self, resolution: Resolution, size: usize) -> Vec<Vec<Column>> {
        let rows = self.periods.len();
        let columns = self.into_columns(resolution);
        if rows == 0 {
            return Vec::new();
        }
        if rows <= size {
            return vec![columns];
        }
        (0..rows)
            .step_by(size)
            .map(|start| {
                let part = |column: &Column| {
                    Column::new(column.name.clone(), column.cells.slice(start..rows.min(start + size)))
                };
                columns.iter().map(part).collect()
            })
            .collect()
    }

    /// The columns, in the order of [`Schema::columns`].
    fn into_columns(self, resolution: Resolution) -> Vec<Column> {
        let instants =
            [(period(resolution), self.periods), (WINDOW_START, self.starts), (WINDOW_END, self.ends)];
        let names = self.schema;
        let mut columns: Vec<_> =
            instants.into_iter().map(|(name, values)| Column::new(name, Cells::Instant(values))).collect();
        columns.extend(named(names.texts, self.texts, Cells::Text));
        columns.extend(named(names.rates, self.rates, Cells::Money));
        columns.extend(named(names.sums, self.sums, Cells::Money));
        columns.extend(named(names.numbers, self.numbers, Cells::Number));
        columns.extend(named(names.flags, self.flags, Cells::Flag));
        columns
    }
}

/// A column that rows are added to.
enum Target<'a> {
    Instant(&'a mut Vec<Instant>),
    Text(&'a mut Texts),
    Money(&'a mut Vec<PicoUsd>),
    Number(&'a mut Vec<f64>),
    Flag(&'a mut Vec<bool>),
}

fn permute<T: Copy>(values: &mut Vec<T>, order: &[usize]) {
    *values = order.iter().map(|&row| values[row]).collect();
}

fn named<T>(
    names: &'static [&'static str],
    values: Vec<T>,
    cells: impl Fn(T) -> Cells,
) -> impl Iterator<Item = Column> {
    names.iter().zip(values).map(move |(&name, values)| Column::new(name, cells(values)))
}

fn each<T: Copy>(columns: &mut [Vec<T>], values: &[T]) {
    for (column, &value) in columns.iter_mut().zip(values) {
        column.push(value);
    }
}

/// Who pays, from the first column of the payer on: the order is the same in all tables.
fn payer<'a>(texts: &mut [Option<Text<'a>>], of: &'a Attribution, labels: Option<&'a str>) {
    let workload = of.workload.as_ref();
    let values: [_; PAYER] = [
        Some(Text::Shared(&of.namespace)),
        Some(Text::Shared(&of.space)),
        of.vcluster.as_ref().map(Text::Shared),
        of.virtual_namespace.as_ref().map(Text::Shared),
        workload.map(|WorkloadKey { namespace, .. }| Text::Shared(namespace)),
        workload.map(|WorkloadKey { kind, .. }| Text::Word(kind.name())),
        workload.map(|WorkloadKey { name, .. }| Text::Shared(name)),
        Some(Text::Shared(&of.team)),
        Some(Text::Word(of.team_kind.name())),
        Some(Text::Shared(&of.team_rule)),
        Some(Text::Shared(&of.owner)),
        Some(Text::Word(of.owner_kind.name())),
        Some(Text::Shared(&of.owner_rule)),
        labels.map(Text::Word),
    ];
    for (text, value) in texts.iter_mut().zip(values) {
        *text = value;
    }
}

/// Labels as a JSON object, keys in order; nothing if there are none.
fn labels_text(labels: &Keys) -> Option<String> {
    if labels.is_empty() { None } else { serde_json::to_string(labels).ok() }
}

/// The rates of a price by what pods ask for, as a JSON object.
fn by_pod(price: Option<&NodePrice>) -> Option<String> {
    price?.by_pod.and_then(|rates| serde_json::to_string(&rates).ok())
}

fn price_texts<'a>(texts: &mut [Option<Text<'a>>], price: Option<&'a NodePrice>, by_pod: Option<&'a str>) {
    if let Some(price) = price {
        let values = [
            Some(confidence(price)),
            Some(Text::Shared(&price.source.id)),
            Some(Text::Shared(&price.source.date)),
            Some(Text::Shared(&price.reason)),
            by_pod.map(Text::Word),
        ];
        for (text, value) in texts.iter_mut().zip(values) {
            *text = value;
        }
    }
}

fn confidence(price: &NodePrice) -> Text<'static> {
    Text::Word(match price.confidence {
        Confidence::Exact => "exact",
        Confidence::List => "list",
        Confidence::Estimated => "estimated",
        Confidence::Default => "default",
    })
}

fn hourly(price: Option<&NodePrice>) -> PicoUsd {
    PicoUsd(price.map_or(0, |price| i128::from(price.hourly.0)))
}

/// What `amount` counts, by the kind of asset.
const fn unit(kind: AssetKind) -> &'static str {
    match kind {
        AssetKind::Volume => "byte-hours",
        AssetKind::LoadBalancer | AssetKind::ControlPlane | AssetKind::Fixed => "hours",
        AssetKind::Network => "bytes",
    }
}

/// The whole, then its parts.
fn parts(of: ByResource) -> [PicoUsd; 4] {
    [of.total(), of.cpu, of.memory, of.gpu]
}

fn hours(of: ResourceHours) -> [f64; 3] {
    [of.cpu_core_hours, of.memory_byte_hours, of.gpu_hours]
}
