//! Storage classes: who makes a class's volumes, and of which type.
//!
//! The core knows no classes: what a price follows from is written into the facts of each volume.

use std::collections::BTreeMap;
use std::sync::Arc;

use k8s_openapi::api::storage::v1::StorageClass;
use nightcap_core::cluster::Keys;

use super::Interner;

/// Parameters that a price follows from, as the drivers document them. Drivers do not mind case.
const PRICED: [&str; 9] = [
    "type",
    "skuName",
    "replication-type",
    "iops",
    "iopsPerGB",
    "throughput",
    "provisioned-iops-on-create",
    "provisioned-throughput-on-create",
    "tier",
];
/// Other names of the type of an Azure disk.
const SKU_NAMES: [&str; 1] = ["storageaccounttype"];

/// What is known of the storage classes, by name.
///
/// A class that was deleted stays known: its volumes are what they were.
pub(crate) type Classes = BTreeMap<Arc<str>, Class>;

/// What a volume's price follows from in its class.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Class {
    /// The provisioner.
    pub(crate) provisioner: Arc<str>,
    /// Its priced parameters.
    pub(crate) parameters: Keys,
}

/// A class with its name; `None` for what has none.
pub(crate) fn storage_class(class: &StorageClass, names: &mut Interner) -> Option<(Arc<str>, Class)> {
    let name = class.metadata.name.as_deref().filter(|name| !name.is_empty())?;
    let parameters = priced(class.parameters.as_ref(), names);
    Some((names.get(name), Class { provisioner: names.get(&class.provisioner), parameters }))
}

/// The parameters that a price follows from, each under one name.
pub(super) fn priced(all: Option<&BTreeMap<String, String>>, names: &mut Interner) -> Keys {
    let named = all.into_iter().flatten().filter_map(|(key, value)| {
        let is = |known: &&str| known.eq_ignore_ascii_case(key);
        let name = PRICED.iter().copied().find(is);
        let name = name.or_else(|| SKU_NAMES.iter().find(|name| is(name)).map(|_| "skuName"))?;
        Some((name, value.trim()))
    });
    named
        .filter(|(_, value)| !value.is_empty())
        .map(|(key, value)| (names.get(key), names.get(value)))
        .collect()
}
