//! The parameters of `/allocation`, and the tables that answer them.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::http::Uri;
use chrono_tz::Tz;
use nightcap_core::engine::Snapshot;
use nightcap_core::money::query::{self, AssetSum, Dimension, Table};
use nightcap_core::money::{ByResource, NodeName};
use nightcap_core::units::{Millis, Window};

use super::row::{AllocationRow, rows};
use crate::http::big::RowCount;
use crate::http::error::Refusal;
use crate::http::params::Params;
use crate::http::share::{Sharing, share_idle};

/// `OpenCost`'s default, but for the container: costs are kept per pod.
const DEFAULT_AGGREGATE: &str = "cluster,node,namespace,pod";

/// What `/allocation` was asked.
#[derive(Debug)]
pub(super) struct Question {
    pub(super) window: Window,
    /// The length of a step, as the summary tells it.
    pub(super) step: Millis,
    pub(super) steps: Vec<Window>,
    dimensions: Vec<Dimension>,
    include_idle: bool,
    idle_by_node: bool,
    sharing: Option<Sharing>,
}

/// The answer for one step.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) table: Table,
    /// The lines of idle that are to be shown, by node where asked.
    pub(super) idle: Vec<IdleLine>,
    /// How much of each group is shared idle cost, in the order of the groups; empty if none was shared.
    pub(super) shared: Vec<ByResource>,
}

/// A line of what nobody used.
#[derive(Debug)]
pub(super) struct IdleLine {
    /// One node's, or all nodes' together.
    pub(super) node: Option<Arc<NodeName>>,
    pub(super) cost: ByResource,
}

impl Question {
    pub(super) fn read(uri: &Uri, snapshot: &Snapshot, zone: Tz) -> Result<Self, Refusal> {
        let mut params = Params::of(uri)?;
        let window = params.window(None, snapshot.at, zone)?;
        let dimensions = params.dimensions("aggregate", DEFAULT_AGGREGATE)?;
        let (step, mut steps) = params.steps(window)?;
        if accumulate(&mut params)? {
            steps = vec![window];
        }
        let step = step.filter(|_| steps.len() > 1).unwrap_or_else(|| window.length());
        let include_idle = params.switch("includeIdle", false)?;
        let idle_by_node = params.switch("idleByNode", false)?;
        let sharing = Sharing::read(&mut params, "shareIdle")?;
        if sharing.is_some() && idle_by_node {
            return Err(Refusal::bad("unsupported", "idle cost is shared over the cluster only")
                .value("idleByNode=true")
                .hint("leave out shareIdle or idleByNode"));
        }
        // Everything here is exact to the second, whatever the resolution.
        params.take("resolution");
        neutral(&mut params)?;
        params.finish()?;
        let dimensions = dimensions.into_iter().map(|(_, dimension)| dimension).collect();
        Ok(Self { window, step, steps, dimensions, include_idle, idle_by_node, sharing })
    }

    /// The rows of every step.
    pub(super) fn sets(&self, snapshot: &Snapshot) -> Result<Vec<BTreeMap<String, AllocationRow>>, Refusal> {
        let mut count = RowCount::default();
        let steps = self.steps.iter().map(|&step| {
            let answer = self.answer(snapshot, step);
            count.add(answer.table.groups.len() + answer.idle.len())?;
            Ok(rows(&answer, &snapshot.cluster))
        });
        steps.collect()
    }

    fn answer(&self, snapshot: &Snapshot, step: Window) -> Answer {
        let mut table = query::table(&snapshot.hours, &snapshot.cluster, step, &self.dimensions);
        let shared = self.sharing.map(|sharing| share_idle(&mut table, sharing)).unwrap_or_default();
        let idle = if !self.include_idle || step.is_empty() {
            Vec::new()
        } else if self.idle_by_node {
            let of_node = |sum: AssetSum| IdleLine { node: Some(sum.node), cost: sum.idle };
            query::assets(&snapshot.hours, step).into_iter().map(of_node).collect()
        } else if self.sharing.is_some() && table.idle.total().0 == 0 {
            Vec::new()
        } else {
            vec![IdleLine { node: None, cost: table.idle }]
        };
        Answer { table, idle, shared }
    }
}

fn accumulate(params: &mut Params) -> Result<bool, Refusal> {
    let mut whole = false;
    for name in ["accumulate", "accumulateBy"] {
        let Some(value) = params.take(name) else { continue };
        match value.to_ascii_lowercase().as_str() {
            "true" | "t" | "1" | "all" => whole = true,
            "false" | "f" | "0" | "none" => {}
            _ => {
                return Err(Refusal::bad("bad-value", format!("{name} is none of true, false and all"))
                    .value(&value)
                    .hint("for hours, days or weeks use step=1h, step=1d or step=7d"));
            }
        }
    }
    Ok(whole)
}

/// Parameters of `OpenCost` that change nothing here as long as they ask for nothing.
fn neutral(params: &mut Params) -> Result<(), Refusal> {
    for name in ["sharelb", "includeProportionalAssetResourceCosts", "includeAggregatedMetadata", "shareLB"] {
        if params.switch(name, false)? {
            return Err(Refusal::bad("unsupported", format!("{name} is not supported")).value("true"));
        }
    }
    match params.take("filter") {
        None => Ok(()),
        Some(value) => Err(Refusal::bad("unsupported", "filter is not supported")
            .value(&value)
            .hint("aggregate by what you would filter by, and pick the row")),
    }
}
