//! `GET /api/v1/spaces` and `/api/v1/spaces/{name}`.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::Uri;
use nightcap_core::cluster::Size;
use nightcap_core::engine::{Snapshot, SpaceState, SpaceView, WorkloadView};
use nightcap_core::sleep::{Upcoming, Wish};

use super::picture::problem_of;
use crate::api::{ErrorReport, NextReport, SpaceDetail, SpaceList, SpaceReport, WishReport, WorkloadReport};
use crate::http::AppState;
use crate::http::error::Refusal;
use crate::http::params::Params;

/// All spaces: who sleeps, why, and what that is worth.
#[utoipa::path(get, path = "/api/v1/spaces", tag = "sleep", responses(
    (status = 200, description = "The spaces", body = SpaceList),
    (status = 503, description = "The daemon is stopping", body = ErrorReport),
))]
pub(in crate::http) async fn spaces(
    State(state): State<AppState>,
    uri: Uri,
) -> Result<Json<SpaceList>, Refusal> {
    Params::of(&uri)?.finish()?;
    let snapshot = state.snapshot().await?;
    let spaces = snapshot.spaces.iter().map(space_of).collect();
    Ok(Json(SpaceList { at: snapshot.at, mode: snapshot.mode, spaces }))
}

/// One space: its workloads, every wish that was considered, and what follows from them.
#[utoipa::path(get, path = "/api/v1/spaces/{name}", tag = "sleep",
    params(("name" = String, Path, description = "Name of the namespace")),
    responses(
        (status = 200, description = "The space", body = SpaceDetail),
        (status = 404, description = "There is no such namespace", body = ErrorReport),
        (status = 503, description = "The daemon is stopping", body = ErrorReport),
    ))]
pub(in crate::http) async fn space(
    State(state): State<AppState>,
    Path(name): Path<String>,
    uri: Uri,
) -> Result<Json<SpaceDetail>, Refusal> {
    Params::of(&uri)?.finish()?;
    let snapshot = state.snapshot().await?;
    detail(&snapshot, &name).map(Json).ok_or_else(|| Refusal::no_such_space(&name))
}

fn detail(snapshot: &Snapshot, name: &str) -> Option<SpaceDetail> {
    let index = snapshot.spaces.binary_search_by(|space| (*space.name).cmp(name)).ok()?;
    let view = &snapshot.spaces[index];
    let own = format!("namespace {name}");
    let of_workload = |object: &str| view.workloads.iter().any(|w| w.key.to_string() == object);
    let problems = snapshot.problems.iter().filter(|p| *p.object == *own || of_workload(&p.object));
    Some(SpaceDetail {
        at: snapshot.at,
        mode: snapshot.mode,
        space: space_of(view),
        wishes: view.wishes.iter().map(wish_of).collect(),
        workloads: view.workloads.iter().map(workload_of).collect(),
        problems: problems.map(problem_of).collect(),
    })
}

/// Whether Nightcap has put it to sleep, and it sleeps.
pub(super) const fn is_asleep(view: &WorkloadView) -> bool {
    (view.mark.is_some() || view.original.is_some()) && view.size.is_down()
}

fn space_of(view: &SpaceView) -> SpaceReport {
    let state = match view.state {
        SpaceState::Asleep => "asleep",
        SpaceState::Awake => "awake",
        SpaceState::Waking => "waking",
        SpaceState::Falling => "falling",
    };
    SpaceReport {
        name: view.name.to_string(),
        team: view.team.to_string(),
        team_kind: view.team_kind,
        team_rule: view.team_rule.to_string(),
        owner: view.owner.to_string(),
        owner_kind: view.owner_kind,
        owner_rule: view.owner_rule.to_string(),
        tier: view.tier,
        state: state.to_owned(),
        since: view.since,
        should_sleep: view.decision.asleep,
        wished_asleep: view.decision.wished,
        policy: view.decision.policy.to_string(),
        why: view.decision.why.to_string(),
        next_change: view.decision.next_change,
        next: view.upcoming.as_ref().map(next_of),
        hourly_cost: view.hourly.into(),
        hourly_saving: view.saving.into(),
        hourly_would_save: view.would_save.into(),
        workloads: view.workloads.len(),
        workloads_asleep: view.workloads.iter().filter(|w| is_asleep(w)).count(),
        bare_pods: view.bare_pods,
    }
}

fn next_of(next: &Upcoming) -> NextReport {
    let (policy, why) = (next.policy.to_string(), next.why.to_string());
    NextReport { at: next.at, asleep: next.asleep, policy, why }
}

fn wish_of(wish: &Wish) -> WishReport {
    WishReport {
        source: wish.source.to_string(),
        value: wish.value.to_string(),
        asleep: wish.asleep,
        why: wish.why.to_string(),
        until: wish.until,
        counts: wish.counts,
        won: wish.won,
        hands_off: wish.hands_off,
        by: wish.by.as_deref().map(str::to_owned),
        warnings: wish.warnings.iter().map(ToString::to_string).collect(),
    }
}

fn workload_of(view: &WorkloadView) -> WorkloadReport {
    let (replicas, suspended, switched_off) = match view.size {
        Size::Replicas(replicas) => (Some(replicas), None, None),
        Size::Suspended(suspended) => (None, Some(suspended), None),
        Size::Off(off) => (None, None, Some(off)),
    };
    let original = view.original.as_ref();
    let mark = view.mark.as_ref();
    WorkloadReport {
        kind: view.key.kind.to_string(),
        name: view.key.name.to_string(),
        replicas,
        suspended,
        switched_off,
        ready_replicas: view.ready_replicas,
        asleep: is_asleep(view),
        asleep_since: mark.map(|mark| mark.since),
        asleep_why: mark.map(|mark| mark.why.to_string()),
        asleep_policy: mark.map(|mark| mark.policy.to_string()),
        asleep_by: mark.map(|mark| mark.by.to_string()),
        original_replicas: original.and_then(|original| original.replicas),
        original_suspended: original.and_then(|original| original.suspended),
        should_sleep: view.decision.asleep,
        policy: view.decision.policy.to_string(),
        why: view.decision.why.to_string(),
        next_change: view.decision.next_change,
        next: view.upcoming.as_ref().map(next_of),
        wishes: view.wishes.as_ref().map(|wishes| wishes.iter().map(wish_of).collect()),
        refusal: view.refusal.as_deref().map(ToOwned::to_owned),
        local_volumes: view.local_volumes.iter().map(ToString::to_string).collect(),
        hourly_cost: view.hourly.into(),
    }
}
