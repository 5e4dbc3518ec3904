//! A persistent volume: a disk that is paid for from its creation to its deletion, mounted or not.

use std::sync::Arc;

use super::{Keys, Provider};
use crate::units::{Bytes, Instant};

/// What a volume's price is looked up by.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct VolumeFacts {
    /// Who sells it, as its driver tells.
    pub provider: Provider,
    /// Region such as `eu-central-1`; empty if unknown: then the cluster's.
    pub region: Arc<str>,
    /// CSI driver or in-tree provisioner, such as `ebs.csi.aws.com`.
    pub driver: Arc<str>,
    /// Name of the storage class; empty if none.
    pub class: Arc<str>,
    /// Parameters of the storage class that a price follows from, such as `type`; attributes of the volume itself
    /// where the class is gone.
    pub parameters: Keys,
}

/// A `PersistentVolume`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Volume {
    /// Kubernetes UID.
    pub uid: Arc<str>,
    /// Name.
    pub name: Arc<str>,
    /// When it was created; paid for from here.
    pub created: Instant,
    /// Its id at the provider; empty if unknown.
    pub provider_id: Arc<str>,
    /// What the price follows from.
    pub facts: VolumeFacts,
    /// `spec.capacity.storage`.
    pub capacity: Bytes,
    /// UID of the claim in `spec.claimRef`; a reference outlives its claim when the volume is kept.
    pub claim_uid: Option<Arc<str>>,
    /// Phase `Failed`: nothing is known to be paid for.
    pub failed: bool,
}
