//! Records of what is in the cluster, as compact as the domain allows: no Kubernetes types, no raw objects.

mod claim;
mod namespace;
mod node;
mod node_facts;
mod owner;
mod pod;
mod service;
mod volume;
mod workload;

pub use claim::{Claim, ClaimKey};
pub use namespace::{Keys, Namespace};
pub use node::{CapacityType, Node, NodeFacts, Provider};
pub use node_facts::region_of_zone;
pub(crate) use owner::glob;
pub use owner::{Attribution, OwnerKind, TeamRule, TeamRules, UNOWNED};
pub use pod::{Pod, PodPhase};
pub use service::Service;
pub use volume::{Volume, VolumeFacts};
pub use workload::{Size, Workload, WorkloadKey, WorkloadKind};
