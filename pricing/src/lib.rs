//! From a node to its price: embedded list prices, the user's own rules, and labelled estimates for the rest.
//!
//! [`PriceBook`] is the only entrance. It works without network, key or cloud account, and always answers; every
//! answer says where it comes from and how far it can be relied on. `tables/README.md` gives the origin of each row.

mod book;
mod csv_text;
mod error;
mod estimate;
mod family;
mod found;
mod instance_table;
pub mod live;
mod load;
mod region_factors;
mod rules;
mod serverless;
mod service;
mod settings;
mod storage;
mod tables;
mod usual;

pub use book::PriceBook;
pub use error::{PriceError, SettingError};
pub use instance_table::Offer;
pub use service::ServicePrice;
pub use settings::{DefaultRates, PriceRule, PriceSettings, RuleMatch};
pub use storage::StoragePrice;
