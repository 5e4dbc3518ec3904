//! The parameters of `/api/v1` that say what is spread, and the tables of a question, bounded.

use nightcap_core::money::query::{Query, SharedRules, Sharing, Spread, Table, TableBuilder};
use nightcap_core::units::PicoUsd;

use super::big::RowCount;
use super::error::Refusal;
use super::params::Params;
use crate::records::Records;

/// What is spread, as `/api/v1/cost` and `/api/v1/export` are asked. `configured` says what is for everybody unless the
/// question says so itself, and how lines are spread where it only says `share`.
pub(super) fn sharing(params: &mut Params, configured: &Sharing) -> Result<Sharing, Refusal> {
    let default = if params.switch("share", false)? { configured.clone() } else { configured.own_lines() };
    let rules = rules(params, &default.rules)?;
    let mut spread = |name, default| params.spread(name).map(|how| how.unwrap_or(default));
    Ok(Sharing {
        idle: spread("share_idle", default.idle)?,
        shared: spread("share_shared", default.shared)?,
        overhead: spread("share_overhead", default.overhead)?,
        idle_by_node: params.switch("idle_by_node", default.idle_by_node)?,
        rules,
        extra_monthly: PicoUsd(0),
    })
}

/// What is for everybody: each part as the question says, else as configured.
fn rules(params: &mut Params, configured: &SharedRules) -> Result<SharedRules, Refusal> {
    let nothing = SharedRules::default();
    let configured = if params.switch("shared_as_configured", true)? { configured } else { &nothing };
    Ok(SharedRules {
        namespaces: Some(params.names("shared_namespaces"))
            .filter(|names| !names.is_empty())
            .unwrap_or_else(|| configured.namespaces.clone()),
        labels: Some(params.labels("shared_labels")?)
            .filter(|labels| !labels.is_empty())
            .unwrap_or_else(|| configured.labels.clone()),
        daemonsets: params.switch("shared_daemonsets", configured.daemonsets)?,
        system: params.switch("shared_system", configured.system)?,
        load_balancers: params.switch("shared_load_balancers", configured.load_balancers)?,
    })
}

/// What a reader has to be told where the configuration, and not the question, says what is for everybody.
pub(super) fn configured_warning(sharing: &Sharing, configured: &Sharing) -> Option<String> {
    (!configured.rules.is_empty() && sharing.rules == configured.rules).then(|| {
        "what the configuration says is for everybody is the line __shared__ and in no other row; \
         shared_as_configured=false leaves it with its own"
            .to_owned()
    })
}

/// What a reader has to be told about what was spread.
pub(super) fn warning(sharing: &Sharing) -> Option<String> {
    let spread = [(sharing.idle, "idle"), (sharing.shared, "shared"), (sharing.overhead, "overhead")];
    let names: Vec<_> =
        spread.iter().filter(|(how, _)| *how != Spread::None).map(|(_, name)| *name).collect();
    (!names.is_empty()).then(|| match names.as_slice() {
        ["idle"] => "the rows include shared idle cost, as asked".to_owned(),
        _ => format!("the rows include shares of {} cost, as asked", names.join(", ")),
    })
}

/// What a reader has to be told where only days are known.
pub(super) fn coarse(tables: &[Table]) -> Option<String> {
    let told = "part of the window is known by the day only: hours that are not kept any more count in proportion to time";
    tables.iter().any(|table| table.coarse).then(|| told.to_owned())
}

/// The tables that answer a question, one for each step, as far as they do not get too big.
///
/// Blocks where hours are read out of the history. Its files that cannot be read are left out, and told beside.
pub(super) fn tables(records: &Records, query: Query) -> Result<(Vec<Table>, Vec<String>), Refusal> {
    let (window, needs) = (query.window(), query.needs());
    let mut builder = TableBuilder::new(query);
    let left_out = records.each_hour(window, &needs, |hour| {
        builder.add(hour);
        RowCount::default().add(builder.rows())
    })?;
    Ok((builder.finish(), left_out))
}
