//! What is never put to sleep: the cluster's own parts, without which nothing would wake again.

use std::sync::Arc;

use crate::cluster::{Tier, glob};

/// Namespaces that are protected whatever the configuration says. A configured list adds to it and never
/// replaces it: a list that replaced the default once put a whole cluster's DNS to sleep.
pub const DEFAULT_PROTECTED: [&str; 28] = [
    "kube-system",
    "kube-public",
    "kube-node-lease",
    "nightcap",
    "nightcap-*",
    "calico-*",
    "cert-manager",
    "cilium*",
    "envoy-gateway-system",
    "gatekeeper-system",
    "gke-*",
    "gmp-*",
    "haproxy-ingress",
    "ingress-*",
    "istio-*",
    "karpenter",
    "keda",
    "kube-flannel",
    "kyverno",
    "linkerd*",
    "local-path-storage",
    "longhorn-system",
    "metallb-system",
    "nginx-ingress",
    "openshift*",
    "rook-ceph",
    "tigera-operator",
    "traefik*",
];

/// The pattern that protects this namespace, if one does.
pub fn protected_by<'a>(patterns: &'a [Arc<str>], namespace: &str) -> Option<&'a str> {
    patterns.iter().find(|pattern| glob(pattern, namespace)).map(|pattern| &**pattern)
}

/// Whether a namespace of this tier is put to sleep by its own wishes only, never by anybody's default.
pub const fn is_protected(tier: Tier) -> bool {
    matches!(tier, Tier::Critical | Tier::Production)
}
