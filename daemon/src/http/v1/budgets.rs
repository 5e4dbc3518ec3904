//! `GET /api/v1/budgets`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::Uri;
use nightcap_core::advice::budget::{Forecast, Jump, Selector};
use nightcap_core::engine::BudgetView;

use crate::api::{
    BudgetForecast, BudgetJump, BudgetList, BudgetMatched, BudgetReport, BudgetSelector, CURRENCY,
    ErrorReport,
};
use crate::http::AppState;
use crate::http::error::Refusal;
use crate::http::params::Params;

/// All budgets: what may be spent, what was, and what to expect.
#[utoipa::path(get, path = "/api/v1/budgets", tag = "cost", responses(
    (status = 200, description = "The budgets", body = BudgetList),
    (status = 503, description = "The daemon is stopping", body = ErrorReport),
))]
pub(in crate::http) async fn budgets(
    State(state): State<AppState>,
    uri: Uri,
) -> Result<Json<BudgetList>, Refusal> {
    Params::of(&uri)?.finish()?;
    let snapshot = state.snapshot().await?;
    let budgets = snapshot.budgets.iter().map(report_of).collect();
    Ok(Json(BudgetList { at: snapshot.at, currency: CURRENCY.to_owned(), budgets }))
}

fn report_of(view: &BudgetView) -> BudgetReport {
    let BudgetView { name, spec, status, problem, .. } = view;
    BudgetReport {
        name: name.to_string(),
        selector: selector_of(&spec.selector),
        period: spec.period.name().to_owned(),
        zone: status.zone.name().to_owned(),
        window: status.period.into(),
        amount: status.amount.into(),
        spent: status.spent.into(),
        used_ratio: status.used_ratio(),
        marks: spec.marks.clone(),
        marks_reached: status.reached.clone(),
        missing_hours: status.missing_hours,
        pace_percent: status.pace_percent,
        forecast: forecast_of(&status.forecast),
        jump: status.jump.map(jump_of),
        matched: BudgetMatched {
            spaces: status.matched.spaces,
            workloads: status.matched.workloads,
            names: texts(&status.matched.names),
        },
        problem: problem.as_deref().map(str::to_owned),
    }
}

fn selector_of(selector: &Selector) -> BudgetSelector {
    BudgetSelector {
        teams: texts(&selector.teams),
        owners: texts(&selector.owners),
        spaces: texts(&selector.spaces),
        namespaces: texts(&selector.namespaces),
        labels: selector.labels.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect(),
    }
}

fn forecast_of(forecast: &Forecast) -> BudgetForecast {
    BudgetForecast {
        expected: forecast.expected.into(),
        low: forecast.low.into(),
        high: forecast.high.into(),
        confidence: forecast.confidence.to_string(),
        reason: forecast.reason.to_string(),
        breach: forecast.breach,
    }
}

fn jump_of(jump: Jump) -> BudgetJump {
    BudgetJump {
        span: jump.span.name().to_owned(),
        window: jump.window.into(),
        cost: jump.cost.into(),
        norm: jump.norm.into(),
        score: jump.score_tenths as f64 / 10.0,
    }
}

fn texts(names: &[Arc<str>]) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}
