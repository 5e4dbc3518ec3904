//! How each platform writes down whose a namespace is.

use super::OwnerKind;

/// Where a platform writes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Written {
    /// In a label.
    Label,
    /// In an annotation.
    Annotation,
    /// In a label, or else in an annotation: versions and documents differ.
    Either,
}

/// How its value is understood.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Form {
    /// The value is the name.
    Name,
    /// A Rancher project: its id, maybe after that of its cluster.
    RancherProject,
    /// HNC: the key holds an ancestor's name, the value its distance; the farthest is the root.
    TreeDepth,
}

/// One key of a platform.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct PlatformKey {
    pub(super) key: &'static str,
    pub(super) written: Written,
    pub(super) form: Form,
    pub(super) kind: OwnerKind,
}

const fn label(key: &'static str, kind: OwnerKind) -> PlatformKey {
    PlatformKey { key, written: Written::Label, form: Form::Name, kind }
}

const fn annotation(key: &'static str, kind: OwnerKind) -> PlatformKey {
    PlatformKey { key, written: Written::Annotation, form: Form::Name, kind }
}

/// What ends the key of a label that HNC writes for each ancestor of a namespace.
pub(super) const TREE_DEPTH: &str = ".tree.hnc.x-k8s.io/depth";

/// All of them, in the order in which they are asked.
pub(super) const PLATFORMS: [PlatformKey; 17] = [
    // loft, vCluster Platform
    label("loft.sh/team", OwnerKind::Team),
    label("loft.sh/user", OwnerKind::User),
    label("loft.sh/project", OwnerKind::Project),
    label("loft.sh/space-instance-project", OwnerKind::Project),
    label("loft.sh/vcluster-instance-project", OwnerKind::Project),
    // Capsule
    label("projectcapsule.dev/tenant", OwnerKind::Tenant),
    label("capsule.clastix.io/tenant", OwnerKind::Tenant),
    // kiosk: its code writes a label, its README tells of an annotation
    PlatformKey {
        key: "kiosk.sh/account",
        written: Written::Either,
        form: Form::Name,
        kind: OwnerKind::Tenant,
    },
    // Rancher
    PlatformKey {
        key: "field.cattle.io/projectId",
        written: Written::Either,
        form: Form::RancherProject,
        kind: OwnerKind::Project,
    },
    annotation("field.cattle.io/creatorId", OwnerKind::User),
    // HNC; a subnamespace has the annotation before its labels come
    PlatformKey { key: TREE_DEPTH, written: Written::Label, form: Form::TreeDepth, kind: OwnerKind::Tenant },
    annotation("hnc.x-k8s.io/subnamespace-of", OwnerKind::Tenant),
    // OpenShift
    annotation("openshift.io/requester", OwnerKind::User),
    // GKE fleet teams
    label("fleet.gke.io/fleet-scope", OwnerKind::Team),
    // KubeSphere
    label("kubesphere.io/workspace", OwnerKind::Tenant),
    annotation("kubesphere.io/creator", OwnerKind::User),
    // Flux
    label("toolkit.fluxcd.io/tenant", OwnerKind::Team),
];
