//! Questions to the ledger's rows: who cost what, in which window, grouped how.
//!
//! Group sums equal the ungrouped total for any grouping, since amounts are integers. A window that cuts a row takes
//! its share in proportion to time, counted cumulatively: two windows that meet give exactly what one over both does.
//! What is spread is spread before anything is left out, so that what is shown has the share it always has.

mod assets;
mod builder;
mod costs;
mod cut;
mod dimension;
mod filter;
mod filter_text;
mod group;
mod needs;
mod question;
mod rank;
mod row_view;
mod settle;
mod sharing;
mod spread;
mod table;

use std::sync::Arc;

use super::Hour;
use crate::units::{Millis, Window};

pub use assets::{AssetBuilder, AssetSum, AssetTable, FlatSum};
pub use builder::TableBuilder;
pub use costs::{Component, Costs, NetworkCosts};
pub(crate) use cut::Cut;
pub use dimension::{Dimension, DimensionError, UNALLOCATED, UNMOUNTED, sanitised};
pub use filter::{Filter, FilterField, Op, Test};
pub use filter_text::FilterError;
pub use group::{AssetPart, Common, Details, Group, NodePart};
pub use needs::{Field, Labels, Needs};
pub use question::Query;
pub use sharing::{NoSpread, SharedRules, Sharing, Spread};
pub use table::{IDLE, Line, OTHERS, OVERHEAD, Others, SHARED, Table};

/// The tables that answer `query` from hours in order, one for each step.
pub fn tables(hours: &[Arc<Hour>], query: Query) -> Vec<Table> {
    let window = query.window();
    let mut builder = TableBuilder::new(query);
    for hour in touched(hours, window) {
        builder.add(hour);
    }
    builder.finish()
}

/// Sums the rows that lie in `window`, by `dimensions`: nothing filtered, nothing spread.
pub fn table(hours: &[Arc<Hour>], cluster: &str, window: Window, dimensions: &[Dimension]) -> Table {
    let mut query = Query::new(cluster.into(), window);
    query.by = dimensions.to_vec();
    tables(hours, query).swap_remove(0)
}

/// Sums what each asset cost in `window`.
pub fn assets(hours: &[Arc<Hour>], window: Window) -> AssetTable {
    let mut builder = AssetBuilder::new(window);
    for hour in touched(hours, window) {
        builder.add(hour);
    }
    builder.finish()
}

/// The hours, of those in order, that have rows in `window`.
pub fn touched(hours: &[Arc<Hour>], window: Window) -> impl Iterator<Item = &Arc<Hour>> {
    let first = hours.partition_point(|hour| hour.start + Millis::HOUR <= window.start);
    hours[first..].iter().take_while(move |hour| hour.start < window.end)
}
