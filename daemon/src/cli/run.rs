//! `run`: the daemon.

use crate::config::Config;

/// Runs until it is told to stop.
#[expect(clippy::unused_async, reason = "what it will do waits")]
pub async fn run(config: Config) -> anyhow::Result<()> {
    anyhow::bail!("cannot watch cluster {}: this build has no cluster adapter", config.cluster)
}
