//! Records of what is in the cluster, as compact as the domain allows: no Kubernetes types, no raw objects.

mod namespace;
mod node;
mod node_facts;
mod pod;
mod workload;

pub use namespace::{Keys, Namespace};
pub use node::{CapacityType, Node, NodeFacts, Provider};
pub use pod::{Pod, PodPhase};
pub use workload::{Size, Workload, WorkloadKey, WorkloadKind};
