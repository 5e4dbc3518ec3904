//! Money: from a node's price to who pays which part of it, exactly.

mod flat;
mod hold;
mod hours;
mod late;
mod ledger;
mod node_ledger;
mod node_pass;
mod price;
pub mod query;
mod row;
mod savings;
pub mod savings_query;
mod split;

pub use flat::{AssetKind, FlatAsset, FlatRow};
pub use hours::Hours;
pub use ledger::{Ledger, LedgerView, OPEN_FOR};
pub use price::{Confidence, EgressPrices, NodePrice, NodePricer, PodRates, PriceSource};
pub use row::{
    AllocationRow, AssetRow, ByResource, HeldPod, Holder, Hour, Marks, NodeName, PodName, ResourceHours,
    RowCost, SavedRow, UsageHours,
};
pub use savings::{ClusterPrice, Savings};
pub use split::{ResourceRates, Split};
