//! vClusters, as they show on the host cluster: objects that a vCluster has synced out of itself, the namespaces it
//! has made for them, and its control plane.
//!
//! What each version writes is in `docs/owners.md`. Names of synced objects are never parsed: beyond 63 characters
//! they are cut and hashed.

mod control_plane;
mod hashed;
mod keys;
mod mapped;
mod synced;
mod workload;

pub(crate) use control_plane::control_plane_of_claim;
pub use control_plane::{ControlPlanePart, control_plane, control_plane_part};
pub use hashed::{HashedLabels, KeyHashes, host_label_key};
pub(crate) use keys::reads;
pub use mapped::{MappedNamespace, VClusterKey};
pub use synced::Synced;

#[cfg(test)]
mod tests;
