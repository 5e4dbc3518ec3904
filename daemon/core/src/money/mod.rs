//! Money: from a node's price to who pays which part of it, exactly.

mod asset_price;
mod checkpoint;
mod closing;
mod correction;
mod flat;
mod flat_book;
mod flat_ledger;
mod hold;
mod hours;
mod largest_remainder;
mod late;
mod ledger;
mod ledger_view;
mod node_ledger;
mod node_pass;
mod price;
pub mod query;
mod row;
mod savings;
pub mod savings_query;
mod split;
mod traffic;

pub use asset_price::{AssetPricer, Pricer};
pub use checkpoint::{Checkpoint, CheckpointRef};
pub use correction::Correction;
pub use flat::{AssetKind, FlatAsset, FlatRow};
pub use flat_book::{FlatBook, FlatNow};
pub use hours::Hours;
pub use ledger::{Ledger, OPEN_FOR};
pub use ledger_view::LedgerView;
pub use price::{Confidence, EgressPrices, NodePrice, NodePricer, PodRates, PriceSource};
pub use row::{
    AllocationRow, AssetRow, ByResource, HeldPod, Holder, Hour, Marks, NodeName, PodName, ResourceHours,
    RowCost, SavedRow, UsageHours,
};
pub use savings::{ClusterPrice, Savings};
pub use split::{ResourceRates, Split};
pub use traffic::Destination;
