//! Which `GitOps` tool holds an object to what is written elsewhere, as the tool's own marks on it say.

use std::fmt;

use crate::cluster::Keys;

/// Key, on a label or an annotation, and whose it is.
const MARKS: [(&str, &str); 4] = [
    ("argocd.argoproj.io/tracking-id", "Argo CD application"),
    ("argocd.argoproj.io/instance", "Argo CD application"),
    ("kustomize.toolkit.fluxcd.io/name", "Flux Kustomization"),
    ("helm.toolkit.fluxcd.io/name", "Flux HelmRelease"),
];

/// Whether it is a key by which a `GitOps` tool marks what it owns.
pub fn is_gitops_key(key: &str) -> bool {
    MARKS.iter().any(|&(known, _)| known == key)
}

/// What owns an object.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct GitOpsOwner<'a> {
    /// What kind of thing, such as `Argo CD application`.
    pub kind: &'static str,
    /// Its name.
    pub name: &'a str,
}

impl<'a> GitOpsOwner<'a> {
    /// The owner that these say, if they do.
    pub fn of(labels: &'a Keys, annotations: &'a Keys) -> Option<Self> {
        MARKS.iter().find_map(|&(key, kind)| {
            let value = labels.get(key).or_else(|| annotations.get(key))?;
            // A tracking id is `application:group/kind:namespace/name`.
            let name = value.split(':').next().unwrap_or(value);
            (!name.is_empty()).then_some(Self { kind, name })
        })
    }

    /// How the tool is told to let the size alone.
    pub fn remedy(&self) -> &'static str {
        if self.kind.starts_with("Argo") {
            "let Argo CD ignore the replicas field (ignoreDifferences with RespectIgnoreDifferences=true)"
        } else {
            "leave the replicas field out of what Flux applies"
        }
    }
}

impl fmt::Display for GitOpsOwner<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owner_is_told_by_its_own_marks() {
        for (label, annotation, owner) in [
            (Some(("argocd.argoproj.io/instance", "shop")), None, Some("Argo CD application shop")),
            (
                None,
                Some(("argocd.argoproj.io/tracking-id", "shop:apps/Deployment:shop-dev/web")),
                Some("Argo CD application shop"),
            ),
            (Some(("kustomize.toolkit.fluxcd.io/name", "apps")), None, Some("Flux Kustomization apps")),
            (Some(("helm.toolkit.fluxcd.io/name", "web")), None, Some("Flux HelmRelease web")),
            (Some(("app.kubernetes.io/instance", "web")), None, None),
        ] {
            let keys = |pair: Option<(&str, &str)>| -> Keys {
                pair.into_iter().map(|(key, value)| (key.into(), value.into())).collect()
            };
            let (labels, annotations) = (keys(label), keys(annotation));
            let found = GitOpsOwner::of(&labels, &annotations).map(|owner| owner.to_string());
            assert_eq!(found.as_deref(), owner);
        }
    }
}
