//! The parameters of `/allocation`, and the tables that answer them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::http::Uri;
use nightcap_core::engine::Snapshot;
use nightcap_core::money::AssetKind;
use nightcap_core::money::query::{Details, Dimension, Query, SharedRules, Sharing, Spread};
use nightcap_core::units::{Millis, PicoUsd, Step, Window};

use super::compat::Compat;
use super::old_filters;
use super::rows::Rows;
use crate::http::AppState;
use crate::http::big::RowCount;
use crate::http::error::Refusal;
use crate::http::params::{Params, cut};
use crate::http::share;
use crate::records::Records;

/// `OpenCost`'s default, but for the container: costs are kept per pod.
const DEFAULT_AGGREGATE: &str = "cluster,node,namespace,pod";

/// How an answer is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Format {
    Json,
    Csv,
}

/// What `/allocation` was asked.
#[derive(Debug)]
pub(super) struct Question {
    pub(super) window: Window,
    /// The length of a step, as the summary tells it.
    pub(super) step: Millis,
    pub(super) query: Query,
    pub(super) format: Format,
    pub(super) show: Show,
    /// How many rows of each step are passed over, and how many are told.
    offset: usize,
    limit: usize,
}

/// What rows tell.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own in OpenCost's API")]
pub(super) struct Show {
    pub(super) idle: bool,
    /// Idle is named by cluster: `CLUSTER/__idle__`.
    pub(super) split_idle: bool,
    /// Rows are told as they are kept, not aggregated.
    pub(super) raw: bool,
    pub(super) labels: bool,
    pub(super) containers: bool,
    pub(super) nodes: bool,
    pub(super) shared: bool,
    pub(super) compat: Compat,
}

impl Question {
    pub(super) fn read(uri: &Uri, snapshot: &Snapshot, state: &AppState) -> Result<Self, Refusal> {
        let mut params = Params::of(uri)?;
        let compat = Compat::read(&mut params)?;
        let zone = params.zone(state.zone)?;
        let window = params.window(None, snapshot.at, zone)?;
        let given = params.take("aggregate");
        let raw = given.is_none();
        let by: Vec<Dimension> = match given.as_deref() {
            Some(text) if text.eq_ignore_ascii_case("all") => Vec::new(),
            _ => dimensions(given.as_deref().unwrap_or(DEFAULT_AGGREGATE))?,
        };
        let step = steps(&mut params)?;
        let steps = cut(step, window, zone)?;
        let include_idle = params.switch("includeIdle", false)?;
        let idle = params.switch("idle", include_idle)?;
        let split_idle = params.switch("splitIdle", false)?;
        let sharing = sharing(&mut params, &state.sharing)?;
        let nodes = params.switch("includeProportionalAssetResourceCosts", false)?;
        let metadata = params.switch("includeAggregatedMetadata", false)?;
        let shared = params.switch("includeSharedCostBreakdown", false)?;
        let (offset, limit) = (params.number("offset")?.unwrap_or(0), params.number("limit")?);
        let format = format(&mut params)?;
        // Everything here is exact to the second, whatever the resolution, and there is no bill it could be
        // reconciled with.
        for neutral in ["resolution", "reconcile", "reconcileNetwork"] {
            params.take(neutral);
        }
        refused(&mut params)?;
        let filter = old_filters::filter(&mut params)?;
        params.finish()?;
        let labels = metadata || raw || by.contains(&Dimension::Pod);
        let show = Show {
            idle,
            split_idle,
            raw,
            labels,
            containers: by.contains(&Dimension::Container),
            nodes,
            shared,
            compat,
        };
        let details = Details { assets: true, nodes, labels };
        let told = step.filter(|_| steps.len() > 1).map_or_else(|| window.length(), Step::length);
        let query =
            Query { cluster: Arc::clone(&snapshot.cluster), steps, by, filter, sharing, top: None, details };
        Ok(Self { window, step: told, query, format, show, offset, limit: limit.unwrap_or(usize::MAX) })
    }

    /// The rows of every step, and what has to be known of them.
    pub(super) fn sets(self, snapshot: &Records) -> Result<(Vec<Rows>, Vec<String>), Refusal> {
        let Self { query, show, offset, limit, .. } = self;
        let (cluster, by) = (Arc::clone(&query.cluster), query.by.clone());
        let (tables, mut warnings) = share::tables(snapshot, query)?;
        warnings.extend(share::coarse(&tables));
        let mut count = RowCount::default();
        let sets = tables.into_iter().map(|table| {
            let volumes =
                if show.compat.is_on() { volumes(snapshot, table.window)? } else { BTreeMap::new() };
            let rows = Rows::new(table, Arc::clone(&cluster), by.clone(), show, volumes);
            let rows = rows.page(offset, limit);
            count.add(rows.len())?;
            Ok(rows)
        });
        Ok((sets.collect::<Result<_, Refusal>>()?, warnings))
    }
}

/// How long each volume was there in a step.
fn volumes(records: &Records, step: Window) -> Result<BTreeMap<Arc<str>, Window>, Refusal> {
    let assets = records.assets(step)?.flat.into_iter();
    let volumes = assets.filter(|sum| sum.asset.kind == AssetKind::Volume);
    Ok(volumes.map(|sum| (Arc::clone(&sum.asset.uid), sum.window)).collect())
}

/// Each dimension once: `pod,container` are one line here, and both names are taken.
fn dimensions(text: &str) -> Result<Vec<Dimension>, Refusal> {
    let list = Dimension::parse_list(text)
        .map_err(|error| Refusal::bad("bad-value", format!("aggregate: {error}")).value(text))?;
    Ok(list.into_iter().map(|(_, dimension)| dimension).collect())
}

/// `step`, unless `accumulate` or `accumulateBy` say how steps are added up: a sum of steps is the step over them.
fn steps(params: &mut Params) -> Result<Option<Step>, Refusal> {
    let step = params.step("step")?;
    let mut chosen = step;
    for name in ["accumulate", "accumulateBy"] {
        let Some(value) = params.take(name) else { continue };
        match value.to_ascii_lowercase().as_str() {
            "true" | "t" | "1" | "all" => chosen = None,
            "false" | "f" | "0" | "none" | "" => {}
            "hour" | "day" | "week" | "month" | "quarter" => chosen = Step::parse(&value).ok(),
            _ => {
                return Err(Refusal::bad(
                    "bad-value",
                    format!("{name} is none of true, false, all, hour, day, week, month and quarter"),
                )
                .value(&value));
            }
        }
    }
    Ok(chosen)
}

/// What is spread. Each parameter takes the place of what `configured` says: of what is for everybody always, of how it is
/// spread where the question asks to `share`.
fn sharing(params: &mut Params, configured: &Sharing) -> Result<Sharing, Refusal> {
    let share = params.switch("share", false)?;
    let default = if share { configured.clone() } else { configured.own_lines() };
    let idle_by_node = params.switch("idleByNode", default.idle_by_node)?;
    let idle = params.spread("shareIdle")?.unwrap_or(default.idle);
    let namespaces = params.names("shareNamespaces");
    let labels = params.labels("shareLabels")?;
    let cost = params.take("shareCost");
    let extra_monthly = match &cost {
        None => PicoUsd(0),
        Some(text) => {
            let amount = text.parse().ok().and_then(PicoUsd::from_usd).filter(|amount| amount.0 >= 0);
            amount.ok_or_else(|| {
                Refusal::bad("bad-value", "shareCost is no sum of dollars a month").value(text)
            })?
        }
    };
    let load_balancers =
        [params.flag("shareLB")?, params.flag("sharelb")?].into_iter().flatten().reduce(|a, b| a | b);
    let tenancy = params.flag("shareTenancyCosts")?;
    let split = match params.take("shareSplit") {
        None => None,
        Some(text) => Some(
            text.parse::<Spread>()
                .map_err(|error| Refusal::bad("bad-value", format!("shareSplit: {error}")).value(&text))?,
        ),
    };
    let asked =
        !namespaces.is_empty() || !labels.is_empty() || extra_monthly.0 > 0 || load_balancers == Some(true);
    let named = |shared| if shared == Spread::None { Spread::Weighted } else { shared };
    let how = split.unwrap_or_else(|| named(configured.shared));
    let rules = SharedRules {
        namespaces: if namespaces.is_empty() { default.rules.namespaces } else { namespaces },
        labels: if labels.is_empty() { default.rules.labels } else { labels },
        load_balancers: load_balancers.unwrap_or(default.rules.load_balancers),
        ..default.rules
    };
    Ok(Sharing {
        idle,
        idle_by_node,
        rules,
        shared: if asked || split.is_some() { how } else { default.shared },
        overhead: match tenancy {
            Some(true) => how,
            Some(false) => Spread::None,
            None => default.overhead,
        },
        extra_monthly,
    })
}

fn format(params: &mut Params) -> Result<Format, Refusal> {
    match params.take("format").map(|format| format.to_ascii_lowercase()).as_deref() {
        None | Some("json") => Ok(Format::Json),
        Some("csv") => Ok(Format::Csv),
        Some(other) => Err(Refusal::bad("unsupported", "format is none of json and csv").value(other)),
    }
}

/// Parameters of Kubecost that would change the numbers and mean nothing here, unless they ask for nothing.
fn refused(params: &mut Params) -> Result<(), Refusal> {
    if params.switch("external", false)? {
        return Err(
            Refusal::bad("unsupported", "costs outside of the cluster are not known").value("external=true")
        );
    }
    let known = BTreeSet::from(["cumulative"]);
    match params.take("costMetric") {
        Some(metric) if !known.contains(metric.as_str()) => {
            Err(Refusal::bad("unsupported", "costMetric is not cumulative").value(&metric))
        }
        _ => Ok(()),
    }
}
