//! What the command line does with the kubeconfig itself, without a daemon.

use std::path::Path;

use super::acts::Wish;
use crate::api::ActReport;

/// Writes a wish to the cluster.
#[expect(clippy::unused_async, reason = "what it will do waits")]
pub async fn act(_kubeconfig: Option<&Path>, _wish: &Wish) -> anyhow::Result<Vec<ActReport>> {
    anyhow::bail!("--direct is not in this build: name the daemon with --server instead")
}

/// The bearer token of the kubeconfig's user, if it has one.
#[expect(clippy::unused_async, reason = "what it will do waits")]
pub async fn kubeconfig_token(_kubeconfig: Option<&Path>) -> anyhow::Result<Option<String>> {
    Ok(None)
}
