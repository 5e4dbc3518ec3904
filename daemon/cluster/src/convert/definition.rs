//! Definitions of custom resources: which kinds the cluster has, where they are served, where their size stands.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use nightcap_core::cluster::{Resource, pointer_of_path};
use serde::{Deserialize, Serialize};

/// Of a definition what is read here. Schemas, the most of it by far, are never held.
#[derive(kube::Resource, Serialize, Deserialize, Clone, Debug)]
#[resource(inherit = CustomResourceDefinition)]
pub(crate) struct SlimDefinition {
    pub(crate) metadata: ObjectMeta,
    spec: Spec,
    #[serde(default)]
    status: Status,
}

#[derive(Serialize, Deserialize, Clone, Debug)]
struct Spec {
    group: String,
    scope: String,
    names: Names,
    versions: Vec<Version>,
}

#[derive(Serialize, Deserialize, Clone, Debug)]
struct Names {
    kind: String,
    plural: String,
}

#[derive(Serialize, Deserialize, Clone, Debug)]
struct Version {
    name: String,
    served: bool,
    storage: bool,
    #[serde(default)]
    subresources: Subresources,
}

#[derive(Serialize, Deserialize, Clone, Default, Debug)]
struct Subresources {
    #[serde(default)]
    scale: Option<Scale>,
}

#[derive(Serialize, Deserialize, Clone, Debug)]
#[serde(rename_all = "camelCase")]
struct Scale {
    spec_replicas_path: String,
}

#[derive(Serialize, Deserialize, Clone, Default, Debug)]
#[serde(default)]
struct Status {
    conditions: Vec<Condition>,
}

#[derive(Serialize, Deserialize, Clone, Debug)]
struct Condition {
    #[serde(rename = "type")]
    type_: String,
    status: String,
}

/// A kind of namespaced objects that is served.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Served {
    pub(crate) kind: String,
    pub(crate) resource: Resource,
    /// The place of its size, if it has a scale subresource.
    pub(crate) replicas: Option<String>,
}

/// The kind that a definition makes, if its objects are in namespaces and served already. Of several versions the one that is
/// stored is asked for: it needs no conversion, and is the one that its operator works with.
pub(crate) fn served(definition: &SlimDefinition) -> Option<Served> {
    let Spec { group, scope, names, versions } = &definition.spec;
    let established = |c: &Condition| c.type_ == "Established" && c.status == "True";
    if scope != "Namespaced" || !definition.status.conditions.iter().any(established) {
        return None;
    }
    let served = || versions.iter().filter(|version| version.served);
    let version = served().find(|version| version.storage).or_else(|| served().next())?;
    let path = version.subresources.scale.as_ref().map(|scale| &*scale.spec_replicas_path);
    Some(Served {
        kind: names.kind.clone(),
        resource: Resource {
            group: group.as_str().into(),
            version: version.name.as_str().into(),
            plural: names.plural.as_str().into(),
        },
        replicas: path.and_then(pointer_of_path),
    })
}
