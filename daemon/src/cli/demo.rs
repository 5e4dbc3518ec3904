//! `demo`: the daemon on a simulated cluster.

use super::args::DemoArgs;
use crate::runtime::Clock;
use crate::runtime::demo::{self, Demo};

/// Runs until it is told to stop. It starts at the present hour, so that `today` is today.
pub async fn run(args: DemoArgs) -> anyhow::Result<()> {
    let start = Clock::system().now().hour();
    demo::run(Demo { listen: args.listen, speed: args.speed, seed: args.seed, start }).await
}
