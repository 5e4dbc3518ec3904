//! Namespaces.

use k8s_openapi::api::core::v1::{Namespace, ServiceAccount};
use kube::api::PostParams;
use kube::{Api, Client};
use serde_json::{Value, json};

use super::{entry, merge};
use crate::wait;

/// Builds a namespace.
#[derive(Debug, Clone)]
pub struct NamespaceBuilder {
    manifest: Value,
}

/// A namespace of that name.
pub fn namespace(name: &str) -> NamespaceBuilder {
    NamespaceBuilder { manifest: json!({"metadata": {"name": name}}) }
}

impl NamespaceBuilder {
    /// The team it belongs to, by the annotation `nightcap.dev/team`.
    #[must_use]
    pub fn team(self, team: &str) -> Self {
        self.annotation("nightcap.dev/team", team)
    }

    /// An annotation.
    #[must_use]
    pub fn annotation(self, key: &str, value: &str) -> Self {
        self.with(json!({"metadata": {"annotations": entry(key, value)}}))
    }

    /// A label.
    #[must_use]
    pub fn label(self, key: &str, value: &str) -> Self {
        self.with(json!({"metadata": {"labels": entry(key, value)}}))
    }

    /// Anything else, merged into the manifest.
    #[must_use]
    pub fn with(mut self, patch: Value) -> Self {
        merge(&mut self.manifest, patch);
        self
    }

    /// The object.
    pub fn build(self) -> anyhow::Result<Namespace> {
        Ok(serde_json::from_value(self.manifest)?)
    }

    /// Creates it, and waits for its service account, without which no pod is admitted.
    pub async fn create(self, client: &Client) -> anyhow::Result<Namespace> {
        let namespace: Namespace =
            Api::all(client.clone()).create(&PostParams::default(), &self.build()?).await?;
        let name = namespace.metadata.name.clone().unwrap_or_default();
        let accounts = Api::<ServiceAccount>::namespaced(client.clone(), &name);
        wait::until(&format!("the service account of namespace {name}"), wait::PATIENCE, async || {
            Ok(accounts.get("default").await.map(drop)?)
        })
        .await?;
        Ok(namespace)
    }
}
