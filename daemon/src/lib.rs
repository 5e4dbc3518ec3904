//! The Nightcap daemon and command line: wiring only. The domain lives in `nightcap-core`.

pub mod api;
pub mod cli;
pub mod config;
mod export;
#[cfg(test)]
mod golden;
pub mod http;
pub mod metrics;
pub mod records;
pub mod runtime;
pub mod telemetry;
#[cfg(test)]
mod test_cluster;
