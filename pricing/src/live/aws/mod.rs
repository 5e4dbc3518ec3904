//! Amazon Web Services: the price list, in answers to queries or as whole files, and the history of spot prices.

pub mod bulk;
pub mod bulk_csv;
mod client;
pub mod credentials;
pub mod get_products;
pub mod offer;
mod sign;
pub mod spot;
pub mod spot_feed;

pub use client::Aws;

/// The source of on-demand prices.
pub(crate) const PRICE_LIST: &str = "aws-price-list";
/// The source of spot prices.
pub(crate) const SPOT_HISTORY: &str = "aws-spot-history";
