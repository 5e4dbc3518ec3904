//! Prices from the providers themselves: asked for in the background, kept on disk, never waited for.
//!
//! Reading is pure (a payload in, quotes and rejected rows out), so that a broken row hurts only itself; the clients
//! around it only ask. Whatever fails, the prices known before stay in force.

pub mod aws;
pub mod azure;
mod connect;
mod error;
pub mod gcp;
mod http;
mod quote;
mod quotes;
mod refresh;
mod secret;
mod settings;
pub mod store;
mod wanted;
mod xml;

use std::sync::Arc;

use futures::future::BoxFuture;
use nightcap_core::cluster::Provider;
use nightcap_core::units::Instant;

pub use connect::{Surroundings, Variable, providers};
pub use error::LiveError;
pub use http::{Http, Pause, RealPause};
pub use quote::{Item, Parsed, Quote, Rejected};
pub(crate) use quote::{Reading, price_text};
pub use quotes::Quotes;
pub use refresh::{Outcome, Refresher};
pub use secret::Secret;
pub(crate) use settings::LiveTimes;
pub use settings::{AwsMode, AwsSettings, AzureSettings, GcpSettings, LiveSettings};
pub use wanted::{Wanted, wanted};

/// Every source there is, by which its copy on disk is named.
pub const SOURCES: [&str; 3] = [aws::PRICE_LIST, azure::SOURCE, gcp::SOURCE];

/// What time it is: a signature carries it, and a retry has a later one.
pub type Now = Arc<dyn Fn() -> Instant + Send + Sync>;

/// A provider's price interface.
pub trait LivePrices: Send + Sync {
    /// The source its quotes name; also the name of its copy on disk.
    fn source(&self) -> &'static str;

    /// Whose prices it has.
    fn provider(&self) -> Provider;

    /// Asks for what is wanted; only entries of its own provider are handed in. What fails is said beside what came.
    fn fetch<'a>(&'a self, wanted: &'a [Wanted], now: Instant) -> BoxFuture<'a, Fetched>;
}

/// What came of a round of questions.
#[derive(Debug, Default)]
pub struct Fetched {
    /// The prices, and the rows that are none.
    pub parsed: Parsed,
    /// Region and what went wrong there.
    pub failures: Vec<(String, LiveError)>,
}

impl Fetched {
    pub(crate) fn add(&mut self, region: &str, result: Result<Parsed, LiveError>) {
        match result {
            Ok(parsed) => self.parsed.extend(parsed),
            Err(error) => self.failures.push((region.to_owned(), error)),
        }
    }
}

/// The day of an instant, as `YYYY-MM-DD`.
pub(crate) fn day(now: Instant) -> String {
    now.to_chrono().format("%Y-%m-%d").to_string()
}
