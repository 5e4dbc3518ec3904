//! The sums of a step become its table: what is to be spread is spread, over all groups alike, and only then the filter
//! decides what is shown. So a filter shifts nobody's share.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::builder::{Bin, IdleSums, StepSums, Sums};
use super::costs::Costs;
use super::dimension::UNMOUNTED;
use super::group::{Group, NodePart};
use super::question::Query;
use super::rank;
use super::sharing::Spread;
use super::spread::spread;
use super::table::{IDLE, Line, OVERHEAD, SHARED, Table};
use crate::money::{ByResource, Confidence, NodeName};
use crate::units::{PicoUsd, Window};

/// A group, or a line, while it is settled.
struct Entry {
    bin: u32,
    shown: Group,
    any_shown: bool,
    rest: Costs,
}

impl Entry {
    /// What it costs itself, whatever the filter asks for.
    fn own(&self) -> PicoUsd {
        self.shown.costs.own() + self.rest.own()
    }

    fn node(&self) -> ByResource {
        let mut sum = self.shown.costs.node;
        sum += self.rest.node;
        sum
    }

    fn costs(&self) -> Costs {
        let mut sum = self.shown.costs;
        sum += self.rest;
        sum
    }

    /// Gives it a part of something that is spread: what is shown gets its part of it in proportion to `weight`.
    fn give(
        &mut self,
        part: PicoUsd,
        weight: impl Fn(&Costs) -> PicoUsd,
        to: impl Fn(&mut Costs) -> &mut PicoUsd,
    ) {
        let weights = [weight(&self.shown.costs).0, weight(&self.rest).0];
        let own = [self.shown.costs.own().0, self.rest.own().0];
        let halves = spread(part.0, &weights).or_else(|| spread(part.0, &own));
        let (shown, rest) = match halves.as_deref() {
            Some([shown, rest]) => (PicoUsd(*shown), PicoUsd(*rest)),
            _ if self.any_shown => (part, PicoUsd(0)),
            _ => (PicoUsd(0), part),
        };
        *to(&mut self.shown.costs) += shown;
        *to(&mut self.rest) += rest;
    }
}

pub(super) fn settle(
    query: &Query,
    window: Window,
    bins: &[Bin],
    nodes: &[Arc<NodeName>],
    mut sums: StepSums,
) -> Table {
    let total = sums.nodes.total() + sums.flat;
    let idle = sums.idle.values().fold(ByResource::default(), |mut all, part| {
        all += part.shown;
        all += part.rest;
        all
    });
    let by_confidence = confidences(std::mem::take(&mut sums.by_confidence), total);
    let (mut groups, mut lines) = entries(bins, std::mem::take(&mut sums.sums));
    add_nodes(query, bins, nodes, &sums, &mut groups);
    if !query.sharing.idle_by_node {
        one_idle(&mut sums.idle);
    }

    share_idle(query, &mut sums, &mut groups, &mut lines);
    let shared = share_line(query.sharing.shared, SHARED, &mut groups, &mut lines, |costs| &mut costs.shared);
    let overhead =
        share_line(query.sharing.overhead, OVERHEAD, &mut groups, &mut lines, |costs| &mut costs.overhead);

    let mut filtered = PicoUsd(0);
    let mut told = Vec::new();
    for (&number, idle) in &sums.idle {
        filtered += idle.rest.total();
        let node = query.sharing.idle_by_node.then(|| nodes.get(number as usize).map(Arc::clone)).flatten();
        let spread_whole = query.sharing.idle != Spread::None && idle.shown.total().0 == 0;
        if idle.any_shown && !spread_whole {
            told.push(idle_line(window, idle, node));
        }
    }
    told.sort_by(|a, b| a.node.as_ref().map(|node| &node.name).cmp(&b.node.as_ref().map(|node| &node.name)));
    let order =
        |name: &str| [SHARED, OVERHEAD, UNMOUNTED].iter().position(|&known| known == name).unwrap_or(3);
    let mut lines: Vec<_> = lines.into_iter().collect();
    lines.sort_by(|a, b| order(&a.0).cmp(&order(&b.0)).then_with(|| a.0.cmp(&b.0)));
    for (name, mut entry) in lines {
        filtered += entry.rest.total();
        if entry.any_shown {
            entry.shown.common.close();
            told.push(Line { name, node: None, group: entry.shown });
        }
    }
    let mut shown = BTreeMap::new();
    for (key, mut entry) in groups {
        filtered += entry.rest.total();
        if entry.any_shown {
            entry.shown.common.close();
            shown.insert(key, entry.shown);
        } else {
            // Nothing of it is shown, so nothing was given to what is.
            filtered += entry.shown.costs.total();
        }
    }
    let others = query.top.and_then(|top| rank::top(&mut shown, top));
    Table {
        window,
        groups: shown,
        others,
        lines: told,
        filtered,
        total,
        nodes: sums.nodes,
        idle,
        by_confidence,
        spread: shared
            .map(|pool| (SHARED, pool))
            .into_iter()
            .chain(overhead.map(|pool| (OVERHEAD, pool)))
            .collect(),
        saved: sums.saved,
        prorated: sums.prorated,
        coarse: sums.coarse,
        open: sums.open,
    }
}

type Groups = BTreeMap<Vec<Arc<str>>, Entry>;
type Lines = BTreeMap<Arc<str>, Entry>;

/// Groups and lines by name: from here on nothing depends on the order in which rows came.
fn entries(bins: &[Bin], sums: Vec<Sums>) -> (Groups, Lines) {
    let (mut groups, mut lines) = (Vec::with_capacity(sums.len()), Lines::new());
    for Sums { bin, shown, any_shown, rest } in sums {
        let entry = Entry { bin, shown, any_shown, rest };
        match &bins[bin as usize] {
            // Grouped by pod, what is unmounted has no other name than the line.
            Bin::Group(key) if !key.is_empty() && key.iter().all(|value| &**value == UNMOUNTED) => {
                add_line(&mut lines, UNMOUNTED.into(), entry);
            }
            Bin::Group(key) => groups.push((key.clone(), entry)),
            Bin::Line(name) => add_line(&mut lines, Arc::clone(name), entry),
        }
    }
    (groups.into_iter().collect(), lines)
}

fn add_line(lines: &mut Lines, name: Arc<str>, entry: Entry) {
    match lines.get_mut(&name) {
        Some(known) => {
            known.any_shown |= entry.any_shown;
            known.rest += entry.rest;
            known.shown.absorb(entry.shown);
        }
        None => drop(lines.insert(name, entry)),
    }
}

/// Idle of all nodes together.
fn one_idle(idle: &mut BTreeMap<u32, IdleSums>) {
    let whole = std::mem::take(idle).into_values().reduce(|mut all, part| {
        all.shown += part.shown;
        all.any_shown |= part.any_shown;
        all.rest += part.rest;
        all
    });
    idle.extend(whole.map(|whole| (0, whole)));
}

/// The groups' parts of nodes, where they are asked for.
fn add_nodes(query: &Query, bins: &[Bin], nodes: &[Arc<NodeName>], sums: &StepSums, groups: &mut Groups) {
    if !query.details.nodes {
        return;
    }
    let mut whole: BTreeMap<u32, ByResource> = BTreeMap::new();
    for (&node, idle) in &sums.idle {
        let sum = whole.entry(node).or_default();
        *sum += idle.shown;
        *sum += idle.rest;
    }
    for (&(node, ..), &part) in &sums.parts {
        *whole.entry(node).or_default() += part;
    }
    for (&(number, bin, shown), &cost) in &sums.parts {
        let Bin::Group(key) = &bins[bin as usize] else { continue };
        let Some(entry) = groups.get_mut(key).filter(|_| shown) else { continue };
        let node = &nodes[number as usize];
        let part = NodePart { node: Arc::clone(node), cost, whole: whole[&number] };
        entry.shown.nodes.insert(Arc::clone(&node.uid), part);
    }
}

/// Spreads each resource's idle cost; what nobody can be charged for, since nobody used the resource, stays idle.
fn share_idle(query: &Query, sums: &mut StepSums, groups: &mut Groups, lines: &mut Lines) {
    let how = query.sharing.idle;
    if how == Spread::None {
        return;
    }
    // What is shared holds nodes too, and pays for idle in proportion; it is nobody who could get an even part.
    let shared = lines.get_mut(SHARED).filter(|_| how == Spread::Weighted);
    let mut entries: Vec<&mut Entry> = groups.values_mut().chain(shared).collect();
    let parts = std::mem::take(&mut sums.parts);
    for (&node, idle) in &mut sums.idle {
        let holds = |bin: u32| {
            let of = |shown| parts.get(&(node, bin, shown)).copied().unwrap_or_default();
            let mut sum = of(true);
            sum += of(false);
            let here = parts.contains_key(&(node, bin, true)) || parts.contains_key(&(node, bin, false));
            (sum, here)
        };
        let weights: Vec<ByResource> = entries
            .iter()
            .map(|entry| match (how, query.sharing.idle_by_node) {
                (Spread::Even, false) => ByResource::from_array([PicoUsd(1); 3]),
                (Spread::Even, true) => ByResource::from_array([PicoUsd(holds(entry.bin).1.into()); 3]),
                (_, true) => holds(entry.bin).0,
                (_, false) => entry.node(),
            })
            .collect();
        let mut pool = idle.shown;
        pool += idle.rest;
        let (mut shown, mut rest) = (idle.shown.to_array(), idle.rest.to_array());
        for resource in 0..3 {
            let weights: Vec<i128> = weights.iter().map(|weight| weight.to_array()[resource].0).collect();
            let Some(given) = spread(pool.to_array()[resource].0, &weights) else { continue };
            for (entry, part) in entries.iter_mut().zip(given) {
                give_idle(entry, resource, PicoUsd(part), how);
            }
            shown[resource] = PicoUsd(0);
            rest[resource] = PicoUsd(0);
        }
        idle.shown = ByResource::from_array(shown);
        idle.rest = ByResource::from_array(rest);
    }
}

fn give_idle(entry: &mut Entry, resource: usize, part: PicoUsd, how: Spread) {
    let weight = |costs: &Costs| match how {
        Spread::Even => costs.own(),
        _ => costs.node.to_array()[resource],
    };
    entry.give(part, weight, |costs| match resource {
        0 => &mut costs.idle.cpu,
        1 => &mut costs.idle.memory,
        _ => &mut costs.idle.gpu,
    });
}

/// Spreads a line over the groups, if there are groups to take it, and says what it was made of.
fn share_line(
    how: Spread,
    name: &str,
    groups: &mut Groups,
    lines: &mut Lines,
    to: impl Fn(&mut Costs) -> &mut PicoUsd + Copy,
) -> Option<Costs> {
    let line = lines.get(name).filter(|_| how != Spread::None)?;
    let pool = line.costs();
    let weights: Vec<i128> = match how {
        Spread::Even => vec![1; groups.len()],
        _ => groups.values().map(|entry| entry.own().0).collect(),
    };
    let given = spread(pool.total().0, &weights)?;
    for (entry, part) in groups.values_mut().zip(given) {
        entry.give(PicoUsd(part), Costs::own, to);
    }
    lines.remove(name);
    Some(pool)
}

fn idle_line(window: Window, idle: &IdleSums, node: Option<Arc<NodeName>>) -> Line {
    let mut group = Group { costs: Costs::of_node(idle.shown), ..Group::default() };
    group.cover(window);
    Line { name: IDLE.into(), node, group }
}

/// Where a window cuts an hour, nodes cost what their parts add up to, not their own share of time: the difference goes
/// to all confidences in proportion.
fn confidences(known: BTreeMap<Confidence, PicoUsd>, total: PicoUsd) -> BTreeMap<Confidence, PicoUsd> {
    let sum: PicoUsd = known.values().copied().sum();
    let off = total - sum;
    if off.0 == 0 {
        return known;
    }
    let weights: Vec<i128> = known.values().map(|amount| amount.0).collect();
    let mut known = known;
    match spread(off.0, &weights) {
        Some(parts) => known.values_mut().zip(parts).for_each(|(amount, part)| *amount += PicoUsd(part)),
        None => *known.entry(Confidence::Default).or_default() += off,
    }
    known
}
