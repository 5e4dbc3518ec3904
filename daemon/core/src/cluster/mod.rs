//! Records of what is in the cluster, as compact as the domain allows: no Kubernetes types, no raw objects.

mod namespace;
mod node;
mod node_facts;
mod owner;
mod pod;
mod workload;

pub use namespace::{Keys, Namespace};
pub use node::{CapacityType, Node, NodeFacts, Provider};
pub(crate) use owner::glob;
pub use owner::{Attribution, TeamRule, TeamRules, UNOWNED};
pub use pod::{Pod, PodPhase};
pub use workload::{Size, Workload, WorkloadKey, WorkloadKind};
