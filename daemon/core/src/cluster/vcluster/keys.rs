//! The keys that vClusters write on the host.

/// What all of them begin with.
const DOMAIN: &str = "vcluster.loft.sh/";

/// Label: the vCluster's name; on what is not in a namespace, `<host namespace>-x-<vcluster>`. All versions.
pub(super) const MANAGED_BY: &str = "vcluster.loft.sh/managed-by";
/// Label and annotation: the virtual namespace.
pub(super) const NAMESPACE: &str = "vcluster.loft.sh/namespace";
/// Annotation: the virtual name. All versions, pods at least.
pub(super) const NAME: &str = "vcluster.loft.sh/name";
/// Annotation: the virtual name, 0.4.5 and later.
pub(super) const OBJECT_NAME: &str = "vcluster.loft.sh/object-name";
/// Annotation: the virtual namespace, 0.4.5 and later.
pub(super) const OBJECT_NAMESPACE: &str = "vcluster.loft.sh/object-namespace";
/// Annotation: name on the host, 0.21 and later.
pub(super) const OBJECT_HOST_NAME: &str = "vcluster.loft.sh/object-host-name";
/// Annotation: namespace on the host, 0.21 and later.
pub(super) const OBJECT_HOST_NAMESPACE: &str = "vcluster.loft.sh/object-host-namespace";
/// Annotation: `true` on a host object that the vCluster has taken in, 0.26 and later.
pub(super) const OBJECT_IMPORTED: &str = "vcluster.loft.sh/object-imported";
/// Annotation: the virtual owner references as JSON, 0.16 and later.
pub(super) const OWNER_REFERENCES: &str = "vcluster.loft.sh/owner-references";
/// Annotation: kind of the virtual owner, where it is one of `apps/v1`.
pub(super) const OWNER_SET_KIND: &str = "vcluster.loft.sh/owner-set-kind";
/// Annotation: the virtual labels of a pod, a line each, 0.3 and later.
pub(super) const LABELS: &str = "vcluster.loft.sh/labels";
/// Label of a namespace made for a virtual one: the vCluster's name.
pub(super) const VCLUSTER_NAME: &str = "vcluster.loft.sh/vcluster-name";
/// Label of a namespace made for a virtual one: the namespace of the vCluster's control plane.
pub(super) const VCLUSTER_NAMESPACE: &str = "vcluster.loft.sh/vcluster-namespace";
/// Begins the labels that stand for virtual labels, up to 0.20.
pub(super) const LABEL_PREFIX: &str = "vcluster.loft.sh/label";
/// Begins the labels that stand for labels of the virtual namespace, 0.5 and later.
pub(super) const NAMESPACE_LABEL_PREFIX: &str = "vcluster.loft.sh/ns-label";
/// Label of a control plane: which part.
pub(super) const APP: &str = "app";
/// Label of a control plane: the vCluster's name.
pub(super) const RELEASE: &str = "release";

const READ: [&str; 15] = [
    MANAGED_BY,
    NAMESPACE,
    NAME,
    OBJECT_NAME,
    OBJECT_NAMESPACE,
    OBJECT_HOST_NAME,
    OBJECT_HOST_NAMESPACE,
    OBJECT_IMPORTED,
    OWNER_REFERENCES,
    OWNER_SET_KIND,
    LABELS,
    VCLUSTER_NAME,
    VCLUSTER_NAMESPACE,
    APP,
    RELEASE,
];

/// Whether the recipe reads a label or annotation of this key.
pub(crate) fn reads(key: &str) -> bool {
    READ.contains(&key)
        || key
            .strip_prefix(DOMAIN)
            .is_some_and(|rest| rest.starts_with("label-") || rest.starts_with("ns-label-"))
}
