//! A Service of type `LoadBalancer`: paid for from its creation to its deletion.

use std::sync::Arc;

use super::Keys;
use crate::units::Instant;

/// A Service for which a cloud's load balancer is kept. Services of other types cost nothing and are not recorded.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Service {
    /// Kubernetes UID.
    pub uid: Arc<str>,
    /// Namespace.
    pub namespace: Arc<str>,
    /// Name.
    pub name: Arc<str>,
    /// When it was created.
    pub created: Instant,
    /// `spec.loadBalancerClass`, or the kind that its annotations ask for, such as `nlb`; empty if neither says.
    pub class: Arc<str>,
    /// Address in `status.loadBalancer.ingress`; empty while there is none, and then nothing is paid.
    pub address: Arc<str>,
    /// Labels that somebody reads.
    pub labels: Keys,
    /// Annotations that somebody reads.
    pub annotations: Keys,
}
