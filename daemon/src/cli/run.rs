//! `run`: the daemon.

use crate::config::Config;
use crate::runtime::live;

/// Runs until it is told to stop.
pub async fn run(config: Config) -> anyhow::Result<()> {
    live::run(config).await
}
