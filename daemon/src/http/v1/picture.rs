//! `GET /api/v1/status`, `/nodes` and `/problems`: the picture as it is now.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use axum::http::Uri;
use nightcap_core::engine::{Counters, NodeView, Problem, Snapshot, SpaceState};
use nightcap_core::money::query::Needs;
use nightcap_core::money::{Confidence, NodePrice, query};
use nightcap_core::units::{Rate, Window};

use crate::api::{
    ConfidenceShare, CountersReport, Counts, ErrorReport, NodeList, NodeReport, PriceReport, ProblemList,
    ProblemReport, Status, UsageReport,
};
use crate::http::AppState;
use crate::http::big::off_thread;
use crate::http::error::Refusal;
use crate::http::params::Params;
use crate::records::Records;

/// How the daemon and its cluster are doing.
#[utoipa::path(get, path = "/api/v1/status", tag = "picture", responses(
    (status = 200, description = "The status", body = Status),
    (status = 503, description = "The daemon is stopping", body = ErrorReport),
))]
pub(in crate::http) async fn status(
    State(state): State<AppState>,
    uri: Uri,
) -> Result<Json<Status>, Refusal> {
    Params::of(&uri)?.finish()?;
    let records = state.snapshot().await?;
    off_thread(move || status_of(&records)).await.map(Json)
}

/// What each node costs, where that price comes from, and how sure it is.
#[utoipa::path(get, path = "/api/v1/nodes", tag = "picture", responses(
    (status = 200, description = "The nodes", body = NodeList),
    (status = 503, description = "The daemon is stopping", body = ErrorReport),
))]
pub(in crate::http) async fn nodes(
    State(state): State<AppState>,
    uri: Uri,
) -> Result<Json<NodeList>, Refusal> {
    Params::of(&uri)?.finish()?;
    let snapshot = state.snapshot().await?;
    Ok(Json(NodeList {
        at: snapshot.at,
        hourly_cost: hourly_cost(&snapshot).into(),
        nodes: snapshot.nodes.iter().map(node_of).collect(),
    }))
}

/// What needs a person.
#[utoipa::path(get, path = "/api/v1/problems", tag = "picture", responses(
    (status = 200, description = "The problems", body = ProblemList),
    (status = 503, description = "The daemon is stopping", body = ErrorReport),
))]
pub(in crate::http) async fn problems(
    State(state): State<AppState>,
    uri: Uri,
) -> Result<Json<ProblemList>, Refusal> {
    Params::of(&uri)?.finish()?;
    let snapshot = state.snapshot().await?;
    let problems = snapshot.problems.iter().map(problem_of).collect();
    Ok(Json(ProblemList { at: snapshot.at, problems }))
}

pub(super) fn problem_of(problem: &Problem) -> ProblemReport {
    ProblemReport {
        object: problem.object.to_string(),
        reason: problem.reason.to_owned(),
        message: problem.message.to_string(),
        since: problem.since,
    }
}

fn hourly_cost(snapshot: &Snapshot) -> Rate {
    snapshot.nodes.iter().map(|node| node.rates.total()).sum()
}

fn status_of(snapshot: &Records) -> Result<Status, Refusal> {
    let since_start = Window::new(snapshot.start, snapshot.at);
    let hours = snapshot.hours_of(since_start, &Needs::nothing().in_steps(vec![since_start]))?;
    let table = query::table(&hours, &snapshot.cluster, since_start, &[]);
    Ok(Status {
        cluster: snapshot.cluster.to_string(),
        mode: snapshot.mode,
        at: snapshot.at,
        start: snapshot.start,
        settled: snapshot.settled,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        synced: snapshot.synced,
        missing: snapshot.missing.iter().map(|kind| kind.plural().to_owned()).collect(),
        counts: counts_of(snapshot),
        hourly_cost: hourly_cost(snapshot).into(),
        hourly_saving: snapshot.spaces.iter().map(|space| space.saving).sum::<Rate>().into(),
        hourly_would_save: snapshot.spaces.iter().map(|space| space.would_save).sum::<Rate>().into(),
        cost: table.total.into(),
        saved: table.saved.into(),
        usage: UsageReport {
            newest: snapshot.usage.newest,
            fresh_pods: snapshot.usage.fresh_pods,
            problem: snapshot.usage.problem.as_deref().map(ToOwned::to_owned),
        },
        price_confidence: confidence_of(snapshot),
        problems: snapshot.problems.iter().map(problem_of).collect(),
        counters: counters_of(snapshot.counters),
    })
}

fn counts_of(snapshot: &Snapshot) -> Counts {
    let workloads = || snapshot.spaces.iter().flat_map(|space| &space.workloads);
    Counts {
        nodes: snapshot.nodes.len(),
        pods: snapshot.pods.len(),
        spaces: snapshot.spaces.len(),
        spaces_asleep: snapshot.spaces.iter().filter(|space| space.state == SpaceState::Asleep).count(),
        workloads: workloads().count(),
        workloads_asleep: workloads().filter(|w| super::spaces::is_asleep(w)).count(),
        actions_in_flight: snapshot.in_flight,
    }
}

fn confidence_of(snapshot: &Snapshot) -> Vec<ConfidenceShare> {
    let mut sums: BTreeMap<Confidence, Rate> = BTreeMap::new();
    for node in &snapshot.nodes {
        let confidence = node.price.as_ref().map_or(Confidence::Default, |price| price.confidence);
        *sums.entry(confidence).or_default() += node.rates.total();
    }
    let all = hourly_cost(snapshot);
    sums.into_iter()
        .map(|(confidence, rate)| ConfidenceShare {
            confidence,
            hourly_cost: rate.into(),
            share: if all.0 > 0 { rate.0 as f64 / all.0 as f64 } else { 0.0 },
        })
        .collect()
}

const fn counters_of(counters: Counters) -> CountersReport {
    let Counters { slept, woken, conflicts, retries, refused, fights: _, late_facts, unreadable } = counters;
    CountersReport { slept, woken, conflicts, retries, refused, late_facts, unreadable }
}

fn node_of(view: &NodeView) -> NodeReport {
    let (node, facts) = (&view.node, &view.node.facts);
    NodeReport {
        name: node.name.to_string(),
        provider: facts.provider.to_string(),
        provider_id: node.provider_id.to_string(),
        region: facts.region.to_string(),
        zone: facts.zone.to_string(),
        instance_type: facts.instance_type.to_string(),
        capacity_type: facts.capacity_type.to_string(),
        arch: facts.arch.to_string(),
        cpu_cores: node.capacity.cpu.cores(),
        memory_gib: node.capacity.memory.gib(),
        gpus: node.capacity.gpu.devices(),
        pods: view.pods,
        ready: node.ready,
        created: node.created,
        hourly_cost: view.rates.total().into(),
        cpu_hourly_cost: view.rates.cpu.into(),
        memory_hourly_cost: view.rates.memory.into(),
        gpu_hourly_cost: view.rates.gpu.into(),
        price: view.price.as_deref().map(price_of),
    }
}

fn price_of(price: &NodePrice) -> PriceReport {
    PriceReport {
        hourly: price.hourly.into(),
        confidence: price.confidence,
        source: price.source.id.to_string(),
        date: price.source.date.to_string(),
        reason: price.reason.to_string(),
    }
}
