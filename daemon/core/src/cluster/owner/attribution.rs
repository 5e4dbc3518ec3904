//! Who pays: what every row of money carries.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::cluster::{Keys, WorkloadKey};

/// The name of the line for what nobody owns. It is shown, never spread.
pub const UNOWNED: &str = "unowned";

/// What kind of owner a rule names.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OwnerKind {
    /// One person or service account.
    User,
    /// Several people.
    Team,
    /// A project of a platform.
    Project,
    /// A tenant of a platform.
    Tenant,
    /// Not said: whatever the label or annotation means by it.
    #[default]
    Unknown,
}

impl OwnerKind {
    /// Its name, such as `team`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Team => "team",
            Self::Project => "project",
            Self::Tenant => "tenant",
            Self::Unknown => "unknown",
        }
    }
}

/// Who pays for a pod, a volume or a load balancer: what every row of money carries.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct Attribution {
    /// The namespace on the host cluster.
    pub namespace: Arc<str>,
    /// The innermost space: the namespace, `namespace/vcluster` or `namespace/vcluster/virtual-namespace`, where the
    /// namespace before a vCluster is the one of its control plane.
    pub space: Arc<str>,
    /// The vCluster as `namespace/name`, where it belongs to one.
    pub vcluster: Option<Arc<str>>,
    /// The namespace inside the vCluster.
    pub virtual_namespace: Option<Arc<str>>,
    /// The workload; `None` for a bare pod. For what a vCluster has synced it is the workload inside the vCluster.
    pub workload: Option<WorkloadKey>,
    /// The team, or [`UNOWNED`].
    pub team: Arc<str>,
    /// What the team is to whoever named it: a team, a project, a tenant.
    pub team_kind: OwnerKind,
    /// Which rule named the team, such as `annotation nightcap.dev/team of the namespace`.
    pub team_rule: Arc<str>,
    /// The owner, or [`UNOWNED`].
    pub owner: Arc<str>,
    /// What kind of owner that is.
    pub owner_kind: OwnerKind,
    /// Which rule named the owner.
    pub owner_rule: Arc<str>,
    /// Labels that rows can be grouped and filtered by, under their raw keys.
    pub labels: Arc<Keys>,
}

impl Attribution {
    /// Whether this is a line of its own; no namespace can be called like one.
    pub fn is_line(&self) -> bool {
        let name = &*self.namespace;
        name.len() > 4 && name.starts_with("__") && name.ends_with("__")
    }

    /// The payer of a line that belongs to no namespace, such as `__overhead__`.
    pub fn line(name: &str) -> Self {
        let name: Arc<str> = name.into();
        Self {
            namespace: Arc::clone(&name),
            space: Arc::clone(&name),
            vcluster: None,
            virtual_namespace: None,
            workload: None,
            team: Arc::clone(&name),
            team_kind: OwnerKind::Unknown,
            team_rule: "a line of its own".into(),
            owner: name,
            owner_kind: OwnerKind::Unknown,
            owner_rule: "a line of its own".into(),
            labels: Arc::default(),
        }
    }
}
