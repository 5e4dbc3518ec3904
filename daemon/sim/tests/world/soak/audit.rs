//! What must hold of a story, whatever happened in it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use nightcap_core::money::query::{Dimension, Query, Table, TableBuilder};
use nightcap_core::money::{AssetKind, ByResource, Hour};
use nightcap_core::units::{Instant, Millis, PicoUsd, Window};

use super::story::{Death, LATEST, Story};
use crate::common::MONDAY;

type Hours = BTreeMap<Instant, Hour>;

/// Rounding within an hour depends on everybody on the node, of whom one may be untold: a pico-dollar for each resource.
const ROUNDING: i128 = 3;

/// Everything; the first thing that does not hold.
pub(super) fn audit(story: &Story) -> Result<(), String> {
    for (who, hours) in [("straight", &story.straight.hours), ("dying", &story.dying.hours)] {
        whole(story, hours).map_err(|error| format!("{who}: {error}"))?;
        parts(hours).map_err(|error| format!("{who}: {error}"))?;
        cuts(hours).map_err(|error| format!("{who}: {error}"))?;
    }
    agree(story)?;
    marks(story)
}

/// Each hour of the story is there, once.
fn whole(story: &Story, hours: &Hours) -> Result<(), String> {
    let mut expected = MONDAY;
    for start in hours.keys() {
        if *start != expected {
            return Err(format!("after hours up to {expected} comes {start}"));
        }
        expected = expected + Millis::HOUR;
    }
    if expected < story.end - Millis::from_hours(2) {
        return Err(format!("hours end at {expected}"));
    }
    Ok(())
}

/// On each node and in each hour what pods pay and idle are the node's cost, by resource, and nothing is negative.
fn parts(hours: &Hours) -> Result<(), String> {
    for hour in hours.values() {
        let mut nodes: BTreeMap<&Arc<str>, (ByResource, ByResource)> = BTreeMap::new();
        for row in &hour.allocations {
            nodes.entry(&row.holder.node.uid).or_default().0 += row.cost.get();
            if row.cost.get().to_array().iter().any(|cost| cost.0 < 0) && !row.marks.late {
                return Err(format!("{}: negative: {row:?}", hour.start));
            }
        }
        let mut idle: BTreeMap<&Arc<str>, ByResource> = BTreeMap::new();
        for row in &hour.assets {
            let (parts, cost) = nodes.entry(&row.node.uid).or_default();
            *parts += row.idle;
            *cost += row.cost;
            *idle.entry(&row.node.uid).or_default() += row.idle;
        }
        for (uid, (parts, cost)) in nodes {
            if parts != cost {
                return Err(format!("{}: node {uid}: parts {parts:?}, whole {cost:?}", hour.start));
            }
        }
        if let Some((uid, idle)) = idle.iter().find(|(_, idle)| idle.to_array().iter().any(|i| i.0 < 0)) {
            return Err(format!("{}: node {uid}: idle {idle:?}", hour.start));
        }
        if let Some(row) = hour.flat.iter().find(|row| row.cost.0 < 0) {
            return Err(format!("{}: negative: {row:?}", hour.start));
        }
    }
    Ok(())
}

fn tables(hours: &Hours, steps: Vec<Window>) -> Vec<Table> {
    let by = vec![Dimension::Team, Dimension::Namespace];
    let mut builder = TableBuilder::new(Query { steps, by, ..Query::new("test".into(), Window::default()) });
    for hour in hours.values() {
        builder.add(hour);
    }
    builder.finish()
}

/// Two windows that meet say together what one over both says, and each adds up.
fn cuts(hours: &Hours) -> Result<(), String> {
    let (Some(first), Some(last)) = (hours.keys().next(), hours.keys().next_back()) else { return Ok(()) };
    let all = Window::new(*first, *last + Millis::HOUR);
    let odd = |part: i64| first.0 + (all.length().0 / 97) * part + part * 1_009;
    let instants = [all.start, Instant(odd(7)), Instant(odd(40)), Instant(odd(41)), all.end];
    let steps: Vec<Window> = instants.windows(2).map(|pair| Window::new(pair[0], pair[1])).collect();
    let cut = tables(hours, steps);
    let Some(whole) = tables(hours, vec![all]).pop() else { return Err("no table".to_owned()) };
    let mut sums: BTreeMap<String, PicoUsd> = BTreeMap::new();
    for (table, sign) in cut.iter().map(|table| (table, 1)).chain([(&whole, -1)]) {
        let mut parts = PicoUsd(0);
        let groups = table.groups.iter().map(|(key, group)| (key.join("/"), group));
        let lines = table.lines.iter().map(|line| (line.name.to_string(), &line.group));
        for (name, group) in groups.chain(lines) {
            parts += group.costs.total();
            sums.entry(name).or_default().0 += sign * group.costs.total().0;
        }
        if parts != table.total {
            return Err(format!("{:?}: parts {parts:?}, whole {:?}", table.window, table.total));
        }
    }
    match sums.iter().find(|(_, sum)| sum.0 != 0) {
        Some((name, off)) => Err(format!("cut in four, {name} is off by {off:?}")),
        None => Ok(()),
    }
}

/// What an object costs in an hour, and for how long it was there.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
struct Paid {
    time: Millis,
    cost: i128,
}

/// An object, and the hour.
type Key = (Arc<str>, Instant);

type Bill = BTreeMap<Key, Paid>;

fn add(bill: &mut Bill, uid: &Arc<str>, hour: Instant, window: Window, cost: i128) {
    let paid = bill.entry((Arc::clone(uid), hour)).or_default();
    paid.time.0 += window.length().0;
    paid.cost += cost;
}

fn pods(hours: &Hours) -> Bill {
    let mut bill = Bill::new();
    for (start, row) in
        hours.iter().flat_map(|(start, hour)| hour.allocations.iter().map(move |r| (start, r)))
    {
        add(&mut bill, &row.holder.pod.uid, *start, row.window, row.cost.total().0);
    }
    bill
}

fn nodes(hours: &Hours) -> Bill {
    let mut bill = Bill::new();
    for (start, row) in hours.iter().flat_map(|(start, hour)| hour.assets.iter().map(move |r| (start, r))) {
        let window =
            if row.marks.late { Window::new(row.window.start, row.window.start) } else { row.window };
        add(&mut bill, &row.node.uid, *start, window, row.cost.total().0);
    }
    bill
}

fn assets(hours: &Hours) -> Bill {
    let mut bill = Bill::new();
    for (start, row) in hours.iter().flat_map(|(start, hour)| hour.flat.iter().map(move |r| (start, r))) {
        // What was sent while nobody counted is not known.
        if row.asset.kind != AssetKind::Network {
            // Pods share a volume alike: time is in the cost.
            add(&mut bill, &row.asset.uid, *start, Window::default(), row.cost.0);
        }
    }
    bill
}

/// Both daemons tell the same of everything that left a trace.
fn agree(story: &Story) -> Result<(), String> {
    let (straight, dying) = (&story.straight.hours, &story.dying.hours);
    let mut untold = story.untold.clone();
    // A node that went untold takes its pods along: what is known of them has nothing to be charged on.
    let rows = straight.values().flat_map(|hour| &hour.allocations);
    let lost = rows.filter(|row| story.untold.contains(&row.holder.node.uid));
    untold.extend(lost.map(|row| Arc::clone(&row.holder.pod.uid)));
    let shaken = [straight, dying].map(|hours| beside(hours, &untold));
    let cost_of_pods =
        |key: &Key| (!story.is_measured && !shaken.iter().any(|keys| keys.contains(key))).then_some(ROUNDING);
    compare("pod", &untold, &pods(straight), &pods(dying), cost_of_pods)?;
    compare("node", &untold, &nodes(straight), &nodes(dying), |_| Some(0))?;
    compare("asset", &untold, &assets(straight), &assets(dying), |_| Some(0))
}

/// Pods, by hour, on a node with one that went untold: that may seem to stay when its place is taken already, and then
/// all on the node are scaled down.
fn beside(hours: &Hours, untold: &BTreeSet<Arc<str>>) -> BTreeSet<Key> {
    let mut beside = BTreeSet::new();
    for (start, hour) in hours {
        let gone = hour.allocations.iter().filter(|row| untold.contains(&row.holder.pod.uid));
        let nodes: BTreeSet<_> = gone.map(|row| &row.holder.node.uid).collect();
        let there = hour.allocations.iter().filter(|row| nodes.contains(&row.holder.node.uid));
        beside.extend(there.map(|row| (Arc::clone(&row.holder.pod.uid), *start)));
    }
    beside
}

fn compare(
    what: &str,
    untold: &BTreeSet<Arc<str>>,
    straight: &Bill,
    dying: &Bill,
    tolerance: impl Fn(&Key) -> Option<i128>,
) -> Result<(), String> {
    let keys = straight.keys().chain(dying.keys());
    for key in keys {
        let (one, other) =
            (straight.get(key).copied().unwrap_or_default(), dying.get(key).copied().unwrap_or_default());
        let (uid, hour) = key;
        if untold.contains(uid) {
            // Counted up to the checkpoint; where it had ended just before, that was not told by then.
            if other.time > Millis(one.time.0 + LATEST.0) {
                return Err(format!(
                    "{what} {uid} in {hour}: {other:?}, though it was there for {one:?} only"
                ));
            }
            continue;
        }
        let off = tolerance(key).is_some_and(|tolerance| (one.cost - other.cost).abs() > tolerance);
        if one.time != other.time || off {
            return Err(format!("{what} {uid} in {hour}: straight {one:?}, with deaths {other:?}"));
        }
    }
    Ok(())
}

/// Rows that lie in a time without a daemon say so, and only those near one.
fn marks(story: &Story) -> Result<(), String> {
    for hour in story.dying.hours.values() {
        for row in &hour.allocations {
            // All kinds are listed a minute after its return at the latest.
            let unseen =
                |death: &Death| Window::new(death.checkpoint, death.down.end + Millis::from_secs(65));
            let certain = story.deaths.iter().any(|death| !row.window.intersect(death.down).is_empty());
            let possible = story.deaths.iter().any(|death| !row.window.intersect(unseen(death)).is_empty());
            if certain && !row.marks.backfilled || row.marks.backfilled && !possible {
                return Err(format!("{}: marked {:?} in {:?}", hour.start, row.marks, row.window));
            }
        }
    }
    match story.straight.hours.values().flat_map(|hour| &hour.allocations).find(|r| r.marks.backfilled) {
        Some(row) => Err(format!("straight: marked {row:?}")),
        None => Ok(()),
    }
}
