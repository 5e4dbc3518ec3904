//! Money: from a node's price to who pays which part of it, exactly.

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

pub use hours::Hours;
pub use ledger::{Ledger, LedgerView, OPEN_FOR};
pub use price::{Confidence, NodePrice, NodePricer, PriceSource};
pub use row::{
    AllocationRow, AssetRow, ByResource, HeldPod, Hour, NodeName, PodName, ResourceHours, SavedRow,
};
pub use savings::{ClusterPrice, Savings};
pub use split::{ResourceRates, Split};
