//! Records of what is in the cluster, as compact as the domain allows: no Kubernetes types, no raw objects.

mod claim;
mod namespace;
mod node;
mod node_facts;
mod operator;
mod owner;
mod pod;
mod service;
mod vcluster;
mod volume;
mod workload;

pub use claim::{Claim, ClaimKey};
pub use namespace::{Keys, Namespace};
pub use node::{CapacityType, Node, NodeFacts, Provider};
pub use node_facts::region_of_zone;
pub use operator::{
    KindName, OperatorKind, OperatorKindError, OperatorKinds, Resource, pointer_of_path, value_at,
};
pub(crate) use owner::glob;
pub use owner::{
    Attribution, DEFAULT_LABELS, Namespaces, OwnerFacts, OwnerKeys, OwnerKind, Resolver, TeamRule, TeamRules,
    Tier, UNOWNED, UserMap, differs_by_pod,
};
pub use pod::{Pod, PodPhase};
pub use service::Service;
pub use vcluster::{
    ControlPlanePart, HashedLabels, KeyHashes, MappedNamespace, Synced, VClusterKey, control_plane,
    control_plane_part, host_label_key,
};
pub use volume::{Volume, VolumeFacts};
pub use workload::{Fields, Size, Switch, Workload, WorkloadKey, WorkloadKind};
