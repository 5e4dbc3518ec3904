//! What prices a cluster needs: the types that are there, by region.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use nightcap_core::cluster::{CapacityType, NodeFacts, Provider};

/// What is needed of one region.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Wanted {
    /// Who sells it.
    pub provider: Provider,
    /// Region, as the provider names it.
    pub region: Arc<str>,
    /// Instance types whose on-demand price is needed: of all nodes, since a spot price may not be had.
    pub on_demand: BTreeSet<Arc<str>>,
    /// Instance types whose spot price is needed.
    pub spot: BTreeSet<Arc<str>>,
    /// Whether prices of disks are needed too.
    pub disks: bool,
}

/// What the nodes of a cluster need. Nodes without region or type, and those billed by their pods, need nothing.
pub fn wanted<'a>(nodes: impl IntoIterator<Item = &'a NodeFacts>) -> Vec<Wanted> {
    let mut regions: BTreeMap<(Provider, Arc<str>), Wanted> = BTreeMap::new();
    for facts in nodes {
        let by_pods = [NodeFacts::FARGATE, NodeFacts::AUTOPILOT].contains(&&*facts.instance_type);
        let unknown = facts.provider == Provider::Unknown || !is_name(&facts.region);
        if by_pods || unknown || !is_name(&facts.instance_type) {
            continue;
        }
        let key = (facts.provider, Arc::clone(&facts.region));
        let wanted = regions.entry(key).or_insert_with(|| Wanted {
            provider: facts.provider,
            region: Arc::clone(&facts.region),
            on_demand: BTreeSet::new(),
            spot: BTreeSet::new(),
            disks: true,
        });
        wanted.on_demand.insert(Arc::clone(&facts.instance_type));
        if facts.capacity_type == CapacityType::Spot {
            wanted.spot.insert(Arc::clone(&facts.instance_type));
        }
    }
    regions.into_values().collect()
}

/// Whether a label's text may become a part of a host name, a path or a filter.
fn is_name(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    !text.is_empty() && text.len() <= 64 && text.chars().all(allowed) && !text.contains("..")
}

#[cfg(test)]
mod tests {
    use super::*;
    use CapacityType::{OnDemand, Spot};

    #[test]
    fn every_region_asks_once_for_the_types_that_are_there() {
        let node = |region: &str, name: &str, capacity_type| NodeFacts {
            provider: Provider::Aws,
            region: region.into(),
            instance_type: name.into(),
            capacity_type,
            ..NodeFacts::default()
        };
        let nodes = [
            node("us-east-1", "m5.large", OnDemand),
            node("us-east-1", "m5.large", OnDemand),
            node("us-east-1", "c5.large", Spot),
            node("us-east-1", "fargate", OnDemand),
            node("", "m5.large", OnDemand),
            node("us-east-1/../x", "m5.large", OnDemand),
            node("us-east-1", "m5' or 1", OnDemand),
            NodeFacts { provider: Provider::Unknown, ..node("r", "t", OnDemand) },
        ];
        assert_eq!(
            wanted(&nodes),
            [Wanted {
                provider: Provider::Aws,
                region: "us-east-1".into(),
                on_demand: ["c5.large".into(), "m5.large".into()].into(),
                spot: ["c5.large".into()].into(),
                disks: true,
            }]
        );
    }
}
