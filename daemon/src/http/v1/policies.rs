//! `GET /api/v1/policies`.

use axum::Json;
use axum::extract::State;
use axum::http::Uri;
use nightcap_core::engine::PolicyView;
use nightcap_core::sleep::policy::PolicySpec;

use crate::api::{ErrorReport, PolicyList, PolicyReport};
use crate::http::AppState;
use crate::http::error::Refusal;
use crate::http::params::Params;

/// All sleep policies: what they are about, and for how much they decide now.
#[utoipa::path(get, path = "/api/v1/policies", tag = "sleep", responses(
    (status = 200, description = "The policies", body = PolicyList),
    (status = 503, description = "The daemon is stopping", body = ErrorReport),
))]
pub(in crate::http) async fn policies(
    State(state): State<AppState>,
    uri: Uri,
) -> Result<Json<PolicyList>, Refusal> {
    Params::of(&uri)?.finish()?;
    let snapshot = state.snapshot().await?;
    let mut policies: Vec<PolicyReport> = snapshot.policies.iter().map(report_of).collect();
    // By name they are already.
    policies.sort_by_key(|policy| (!policy.enforced, std::cmp::Reverse(policy.priority)));
    Ok(Json(PolicyList { at: snapshot.at, mode: snapshot.mode, policies }))
}

fn report_of(view: &PolicyView) -> PolicyReport {
    let nothing = PolicySpec::default();
    let spec = view.policy.as_ref().map_or(&nothing, |policy| policy.spec());
    let matched = &view.matched;
    PolicyReport {
        name: view.name.to_string(),
        enforced: spec.enforced,
        priority: spec.priority,
        uptime: spec.uptime.as_deref().map(str::to_owned),
        downtime: spec.downtime.as_deref().map(str::to_owned),
        timezone: spec.timezone.map(|zone| zone.name().to_owned()),
        holidays: spec.holidays.as_ref().map(|names| names.iter().map(ToString::to_string).collect()),
        exclude: spec.exclude,
        namespaces: matched.namespaces,
        workloads: matched.workloads,
        deciding: matched.deciding,
        names: matched.names.iter().map(ToString::to_string).collect(),
        next_change: matched.next_change,
        problem: view.problem.as_deref().map(str::to_owned),
    }
}
