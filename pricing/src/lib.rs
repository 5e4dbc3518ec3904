//! From a node to its price: embedded list prices, the user's own rules, what the providers quote, and labelled
//! estimates for the rest.
//!
//! [`PriceBook`] is the entrance, and [`live`] fetches what it may be given besides. It works without network, key or cloud account, and always answers; every
//! answer says where it comes from and how far it can be relied on. `tables/README.md` gives the origin of each row.

mod asset_rules;
mod assets;
mod book;
mod charge;
mod cluster_prices;
mod csv_prices;
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
mod volume;

pub use asset_rules::{EgressRules, StorageRules};
pub use book::PriceBook;
pub use charge::Charge;
pub use cluster_prices::{Egress, LoadBalancer};
pub use csv_prices::CsvPrices;
pub use error::{PriceError, SettingError};
pub use instance_table::Offer;
pub use serverless::ServerlessRates;
pub use service::ServicePrice;
pub use settings::{DefaultRates, PriceRule, PriceSettings, RuleMatch};
pub use storage::StoragePrice;
pub use volume::VolumeFacts;
