//! Names, provider ids and zones of nodes, as their providers would give them.

use std::fmt::Write as _;
use std::sync::Arc;

use nightcap_core::cluster::Provider;

use super::World;
use crate::spec::PoolSpec;

impl World {
    /// Name, provider id and zone of a new node, as its provider would give them.
    pub(super) fn names(&mut self, spec: &PoolSpec) -> (Arc<str>, Arc<str>, Arc<str>) {
        let zones = spec.zones.len();
        let zone = if zones == 0 { "".into() } else { Arc::clone(&spec.zones[self.rng.index(zones)]) };
        let mut name = String::new();
        loop {
            name.clear();
            let _ = match spec.provider {
                Provider::Aws => {
                    let (a, b) = (self.rng.below(64), self.rng.between(4, 254));
                    write!(name, "ip-10-0-{a}-{b}.{}.compute.internal", spec.region)
                }
                Provider::Gcp => {
                    let (group, own) = (self.rng.hex(8), self.rng.suffix(4));
                    write!(name, "gke-{}-{group}-{own}", spec.name)
                }
                Provider::Azure => {
                    write!(
                        name,
                        "aks-{}-{:08}-vmss{:06}",
                        spec.name,
                        self.rng.below(100_000_000),
                        self.last_number
                    )
                }
                Provider::Unknown => write!(name, "{}-{}", spec.name, self.last_number),
            };
            if self.node_names.insert(name.as_str().into()) {
                break;
            }
        }
        let provider_id = match spec.provider {
            Provider::Aws => format!("aws:///{zone}/i-{}", self.rng.hex(17)),
            Provider::Gcp => format!("gce://demo/{zone}/{name}"),
            Provider::Azure => format!(
                "azure:///subscriptions/demo/resourceGroups/demo/providers/Microsoft.Compute/virtualMachines/{name}"
            ),
            Provider::Unknown => String::new(),
        };
        (name.into(), provider_id.into(), zone)
    }
}
