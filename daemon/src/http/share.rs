//! The parameters of `/api/v1` that say what is spread, and the tables of a question, bounded.

use nightcap_core::money::query::{Query, SharedRules, Sharing, Spread, Table, TableBuilder};
use nightcap_core::units::PicoUsd;

use super::big::RowCount;
use super::error::Refusal;
use super::params::Params;
use crate::records::Records;

/// What is spread, as `/api/v1/cost` and `/api/v1/export` are asked.
pub(super) fn sharing(params: &mut Params) -> Result<Sharing, Refusal> {
    Ok(Sharing {
        idle: params.spread("share_idle")?,
        idle_by_node: params.switch("idle_by_node", false)?,
        rules: SharedRules {
            namespaces: params.names("shared_namespaces"),
            labels: params.labels("shared_labels")?,
            daemonsets: params.switch("shared_daemonsets", false)?,
            system: params.switch("shared_system", false)?,
            load_balancers: params.switch("shared_load_balancers", false)?,
        },
        shared: params.spread("share_shared")?,
        overhead: params.spread("share_overhead")?,
        extra_monthly: PicoUsd(0),
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
