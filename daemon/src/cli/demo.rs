//! `demo`: the daemon on a simulated cluster.

use super::args::DemoArgs;

/// Runs until it is told to stop.
#[expect(clippy::unused_async, reason = "what it will do waits")]
pub async fn run(args: DemoArgs) -> anyhow::Result<()> {
    anyhow::bail!("cannot simulate seed {}: this build has no simulator", args.seed)
}
