//! `budgets`: what may be spent, what was, and what to expect.

use chrono_tz::Tz;
use nightcap_core::units::Instant;

use super::args::{Format, OutputArgs};
use super::client::{Client, parse};
use super::failure::Failure;
use super::money::amount;
use super::table::{csv, numbers, percent, plain, render, words};
use super::when::clock;
use crate::api::{BudgetList, BudgetReport};

/// Asks the daemon; the answer as text.
pub(super) async fn answer(client: &Client, args: OutputArgs, zone: Tz) -> Result<String, Failure> {
    let body = client.get(&["budgets"], &[]).await?;
    match args.output {
        Format::Json => Ok(body + "\n"),
        Format::Csv => as_csv(&parse(&body)?),
        Format::Table => Ok(as_table(&parse(&body)?, zone)),
    }
}

/// For people.
pub(super) fn as_table(list: &BudgetList, zone: Tz) -> String {
    if list.budgets.is_empty() {
        return "There are no budgets: apply an object of kind Budget, as examples/budget.yaml shows.\n"
            .to_owned();
    }
    let columns = [
        words("BUDGET"),
        words("PERIOD"),
        numbers("SPENT"),
        numbers("AMOUNT"),
        numbers("USED"),
        numbers("FORECAST"),
        numbers("LOW"),
        numbers("HIGH"),
        words("CONFIDENCE"),
        words("BREACH"),
        numbers("SPACES"),
    ];
    let rows: Vec<_> = list
        .budgets
        .iter()
        .map(|budget| {
            let forecast = &budget.forecast;
            vec![
                budget.name.clone(),
                budget.period.clone(),
                amount(budget.spent.0),
                amount(budget.amount.0),
                percent(budget.used_ratio),
                amount(forecast.expected.0),
                amount(forecast.low.0),
                amount(forecast.high.0),
                forecast.confidence.clone(),
                forecast.breach.map_or_else(|| "-".to_owned(), |at| clock(at, list.at, zone)),
                budget.matched.spaces.to_string(),
            ]
        })
        .collect();
    let title = format!("Budgets and what to expect of them, in {}.\n\n", list.currency);
    let notes = list.budgets.iter().flat_map(notes).map(|note| plain(&note) + "\n");
    let notes: String = notes.collect();
    let gap = if notes.is_empty() { "" } else { "\n" };
    title + &render(&columns, &rows, None) + gap + &notes
}

/// What a reader should know of a budget, one line each.
fn notes(budget: &BudgetReport) -> Vec<String> {
    let name = &budget.name;
    let mut notes = Vec::new();
    if let Some(problem) = &budget.problem {
        notes.push(format!("{name}: cannot be understood: {problem}; what it said before holds."));
    }
    if let Some(jump) = &budget.jump {
        let (cost, norm) = (amount(jump.cost.0), amount(jump.norm.0));
        notes.push(format!("{name}: the last {} cost {cost}, where {norm} is usual.", jump.span));
    }
    if budget.missing_hours > 0 {
        notes.push(format!("{name}: {} hours of the period were not counted.", budget.missing_hours));
    }
    if budget.matched.spaces == 0 {
        notes.push(format!("{name}: matches no space: look at the spelling of its selector."));
    }
    notes
}

/// One line a budget, amounts with all their decimals.
pub(super) fn as_csv(list: &BudgetList) -> Result<String, Failure> {
    let head = [
        "budget",
        "period",
        "period_start",
        "period_end",
        "amount_usd",
        "spent_usd",
        "forecast_usd",
        "forecast_low_usd",
        "forecast_high_usd",
        "confidence",
        "breach",
        "missing_hours",
        "spaces",
    ];
    csv(
        &head,
        list.budgets.iter().map(|budget| {
            let forecast = &budget.forecast;
            vec![
                budget.name.clone(),
                budget.period.clone(),
                budget.window.start.to_rfc3339(),
                budget.window.end.to_rfc3339(),
                budget.amount.to_string(),
                budget.spent.to_string(),
                forecast.expected.to_string(),
                forecast.low.to_string(),
                forecast.high.to_string(),
                forecast.confidence.clone(),
                forecast.breach.map(Instant::to_rfc3339).unwrap_or_default(),
                budget.missing_hours.to_string(),
                budget.matched.spaces.to_string(),
            ]
        }),
    )
}
