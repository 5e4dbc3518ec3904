//! Prices of what is paid for beside nodes: asked for when an asset is new or has changed, and all of them anew when
//! the cluster turns out to be at another place.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use nightcap_core::cluster::{Node, Provider, Service, Volume};
use nightcap_core::engine::{Event, Kind};
use nightcap_core::money::{NodePrice, Pricer};
use nightcap_core::units::Rate;

/// How the nodes of AKS are called, whoever made them; Azure's version of Kubernetes does not tell.
const AKS: &str = "aks";

/// Who sells the cluster's machines, and where.
type Place = (Provider, Arc<str>);

/// What has been asked for, and what the answers depend on.
pub(super) struct AssetPrices {
    pricer: Arc<dyn Pricer>,
    /// Place of each node, and whether it is one of AKS.
    nodes: BTreeMap<Arc<str>, (Place, bool)>,
    /// Of the most nodes. None before all nodes are known: an asset's first price counts from its beginning, so that
    /// a guess would stay on the bill.
    place: Option<Place>,
    volumes: BTreeMap<Arc<str>, Volume>,
    services: BTreeMap<Arc<str>, Service>,
    /// Who runs the control plane, as its version says; none before that is known.
    managed_by: Option<Provider>,
    control_plane: Option<NodePrice>,
}

impl AssetPrices {
    /// Before anything is known; `nodes` are those of an engine that has lived before.
    pub(super) fn new<'a>(pricer: Arc<dyn Pricer>, nodes: impl Iterator<Item = &'a Node>) -> Self {
        let mut prices = Self {
            pricer,
            nodes: BTreeMap::new(),
            place: None,
            volumes: BTreeMap::new(),
            services: BTreeMap::new(),
            managed_by: None,
            control_plane: None,
        };
        for node in nodes {
            prices.see(node);
        }
        prices.place = prices.most_nodes();
        prices
    }

    /// The prices that follow from an event, to be applied after it.
    pub(super) fn follow(&mut self, event: &Event) -> Vec<Event> {
        match event {
            Event::Node(node) => {
                self.see(node);
                self.moved()
            }
            Event::NodeGone { uid, .. } => {
                self.nodes.remove(uid);
                self.moved()
            }
            Event::Volume(volume) => self.volume(volume).into_iter().collect(),
            Event::VolumeGone { uid, .. } => {
                self.volumes.remove(uid);
                Vec::new()
            }
            Event::Service(service) => self.service(service).into_iter().collect(),
            Event::ServiceGone { uid, .. } => {
                self.services.remove(uid);
                Vec::new()
            }
            Event::Listed { kind, uids } => self.listed(*kind, uids),
            _ => Vec::new(),
        }
    }

    /// Who runs the control plane is known now, as far as its version says.
    pub(super) fn managed_by(&mut self, provider: Provider) -> Option<Event> {
        self.managed_by = Some(provider);
        self.control_plane()
    }

    fn see(&mut self, node: &Node) {
        let place = (node.facts.provider, Arc::clone(&node.facts.region));
        self.nodes.insert(Arc::clone(&node.uid), (place, node.name.starts_with(AKS)));
    }

    /// The place of the most nodes; of two with as many the first by name.
    fn most_nodes(&self) -> Option<Place> {
        let mut counts: BTreeMap<&Place, usize> = BTreeMap::new();
        for (place, _) in self.nodes.values() {
            *counts.entry(place).or_default() += 1;
        }
        let most = counts.values().max().copied()?;
        counts.into_iter().find(|(_, count)| *count == most).map(|(place, _)| place.clone())
    }

    /// Asks for everything anew if the cluster is at another place than before.
    fn moved(&mut self) -> Vec<Event> {
        if self.place.is_none() {
            return Vec::new(); // not all nodes are known yet
        }
        match self.most_nodes() {
            // A cluster without nodes is where it was.
            Some(place) if self.place.as_ref() != Some(&place) => self.settle(place),
            _ => Vec::new(),
        }
    }

    fn settle(&mut self, place: Place) -> Vec<Event> {
        let (provider, region) = &place;
        let mut events = vec![Event::EgressPriced(self.pricer.egress(*provider, region))];
        self.place = Some(place);
        events.extend(self.control_plane());
        events.extend(self.volumes.values().filter_map(|volume| self.price_of_volume(volume)));
        events.extend(self.services.values().filter_map(|service| self.price_of_service(service)));
        events
    }

    fn listed(&mut self, kind: Kind, uids: &[Arc<str>]) -> Vec<Event> {
        let seen: BTreeSet<&Arc<str>> = uids.iter().collect();
        match kind {
            Kind::Node => {
                self.nodes.retain(|uid, _| seen.contains(uid));
                if self.place.is_some() {
                    return self.moved();
                }
                // A cluster without nodes may get some; until then it is nowhere.
                let place = self.most_nodes().unwrap_or_default();
                self.settle(place)
            }
            Kind::Volume => {
                self.volumes.retain(|uid, _| seen.contains(uid));
                Vec::new()
            }
            Kind::Service => {
                self.services.retain(|uid, _| seen.contains(uid));
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    fn volume(&mut self, volume: &Volume) -> Option<Event> {
        let known = self.volumes.insert(Arc::clone(&volume.uid), volume.clone());
        let is_known = known.is_some_and(|known| {
            known.facts == volume.facts
                && known.capacity == volume.capacity
                && known.name == volume.name
                && known.failed == volume.failed
        });
        if is_known { None } else { self.price_of_volume(volume) }
    }

    fn price_of_volume(&self, volume: &Volume) -> Option<Event> {
        let (provider, region) = self.place.as_ref()?;
        // What names no region is where the cluster is.
        let price = if volume.facts.region.is_empty() && volume.facts.provider == *provider {
            let mut here = volume.clone();
            here.facts.region = Arc::clone(region);
            self.pricer.price_volume(&here)
        } else {
            self.pricer.price_volume(volume)
        };
        Some(Event::AssetPriced { uid: Arc::clone(&volume.uid), price })
    }

    fn service(&mut self, service: &Service) -> Option<Event> {
        let known = self.services.insert(Arc::clone(&service.uid), service.clone());
        // With its first address it gets on the bill.
        let is_known =
            known.is_some_and(|known| known.class == service.class && known.address == service.address);
        if is_known { None } else { self.price_of_service(service) }
    }

    fn price_of_service(&self, service: &Service) -> Option<Event> {
        let (provider, region) = self.place.as_ref()?;
        let price = self.pricer.load_balancer(*provider, region, &service.class);
        Some(Event::AssetPriced { uid: Arc::clone(&service.uid), price })
    }

    fn control_plane(&mut self) -> Option<Event> {
        let (provider, region) = self.place.as_ref()?;
        let managed_by = match self.managed_by? {
            Provider::Unknown if *provider == Provider::Azure && self.nodes.values().any(|(_, aks)| *aks) => {
                Provider::Azure
            }
            known => known,
        };
        let price = self.pricer.control_plane(managed_by, region);
        // Who pays no fee has no line for it.
        if self.control_plane.is_none() && price.hourly == Rate(0)
            || self.control_plane.as_ref() == Some(&price)
        {
            return None;
        }
        self.control_plane = Some(price.clone());
        Some(Event::ControlPlanePriced(price))
    }
}

/// Who runs a control plane of this version; unknown for who runs it oneself, and for AKS, which does not tell.
pub(super) fn runs(version: &str) -> Provider {
    if version.contains("-eks-") {
        Provider::Aws
    } else if version.contains("-gke.") {
        Provider::Gcp
    } else {
        Provider::Unknown
    }
}

#[cfg(test)]
mod tests {
    use nightcap_core::cluster::{NodeFacts, VolumeFacts};
    use nightcap_core::money::{AssetPricer, Confidence, EgressPrices, NodePricer, PriceSource};
    use nightcap_core::units::{Bytes, Instant, PicoUsd, Resources};

    use super::*;

    /// Prices that say what they were asked for.
    struct Echo;

    fn price(reason: String) -> NodePrice {
        NodePrice { hourly: Rate(1), ..NodePrice::free(reason) }
    }

    impl NodePricer for Echo {
        fn price(&self, _facts: &NodeFacts, _capacity: Resources) -> NodePrice {
            price("node".to_owned())
        }
    }

    impl AssetPricer for Echo {
        fn volume(&self, facts: &VolumeFacts, capacity: Bytes) -> NodePrice {
            price(format!("{} in {} of {}", facts.driver, facts.region, capacity.0))
        }
        fn load_balancer(&self, provider: Provider, region: &str, class: &str) -> NodePrice {
            price(format!("{class} of {provider} in {region}"))
        }
        fn control_plane(&self, provider: Provider, region: &str) -> NodePrice {
            if provider == Provider::Unknown {
                return NodePrice::free("none");
            }
            price(format!("{provider} in {region}"))
        }
        fn egress(&self, provider: Provider, region: &str) -> EgressPrices {
            egress(&format!("{provider} in {region}"))
        }
    }

    fn egress(id: &str) -> EgressPrices {
        EgressPrices {
            zone: PicoUsd(1),
            region: PicoUsd(2),
            internet: PicoUsd(3),
            confidence: Confidence::List,
            source: PriceSource { id: id.into(), date: "".into() },
        }
    }

    fn node(name: &str, provider: Provider, region: &str) -> Node {
        Node {
            uid: name.into(),
            name: name.into(),
            created: Instant(0),
            provider_id: "".into(),
            facts: NodeFacts { provider, region: region.into(), ..NodeFacts::default() },
            capacity: Resources::default(),
            ready: true,
        }
    }

    fn volume(uid: &str, provider: Provider, region: &str, driver: &str) -> Volume {
        Volume {
            uid: uid.into(),
            name: uid.into(),
            created: Instant(0),
            provider_id: "".into(),
            facts: VolumeFacts {
                provider,
                region: region.into(),
                driver: driver.into(),
                ..VolumeFacts::default()
            },
            capacity: Bytes(7),
            claim_uid: None,
            failed: false,
        }
    }

    fn service(uid: &str, class: &str, address: &str) -> Service {
        Service {
            uid: uid.into(),
            namespace: "shop".into(),
            name: uid.into(),
            created: Instant(0),
            class: class.into(),
            address: address.into(),
            labels: [].into(),
            annotations: [].into(),
        }
    }

    fn listed(kind: Kind, uids: &[&str]) -> Event {
        Event::Listed { kind, uids: uids.iter().map(|uid| (*uid).into()).collect() }
    }

    fn asset(uid: &str, reason: &str) -> Event {
        Event::AssetPriced { uid: uid.into(), price: price(reason.to_owned()) }
    }

    fn all(prices: &mut AssetPrices, events: &[Event]) -> Vec<Event> {
        events.iter().flat_map(|event| prices.follow(event)).collect()
    }

    fn fresh() -> AssetPrices {
        AssetPrices::new(Arc::new(Echo), std::iter::empty())
    }

    #[test]
    fn nothing_is_priced_before_it_is_known_where_the_cluster_is() {
        let mut prices = fresh();
        let early = [
            Event::Volume(volume("v1", Provider::Aws, "", "ebs")),
            Event::Service(service("s1", "nlb", "1.2.3.4")),
            Event::Node(node("n1", Provider::Aws, "eu-west-1")),
            Event::Node(node("n2", Provider::Gcp, "europe-west1")),
            Event::Node(node("n3", Provider::Aws, "eu-west-1")),
        ];
        assert_eq!(all(&mut prices, &early), []);
        assert_eq!(prices.managed_by(Provider::Aws), None);
        assert_eq!(
            prices.follow(&listed(Kind::Node, &["n1", "n2", "n3"])),
            [
                Event::EgressPriced(egress("aws in eu-west-1")),
                Event::ControlPlanePriced(price("aws in eu-west-1".to_owned())),
                asset("v1", "ebs in eu-west-1 of 7"),
                asset("s1", "nlb of aws in eu-west-1"),
            ]
        );
    }

    #[test]
    fn what_is_known_is_asked_for_once() {
        let mut prices = fresh();
        all(&mut prices, &[Event::Node(node("n1", Provider::Aws, "r")), listed(Kind::Node, &["n1"])]);
        let mut disk = volume("v1", Provider::Aws, "elsewhere", "ebs");
        assert_eq!(prices.follow(&Event::Volume(disk.clone())), [asset("v1", "ebs in elsewhere of 7")]);
        disk.claim_uid = Some("c1".into());
        assert_eq!(prices.follow(&Event::Volume(disk.clone())), [], "bound, and as dear as before");
        disk.capacity = Bytes(8);
        assert_eq!(prices.follow(&Event::Volume(disk)), [asset("v1", "ebs in elsewhere of 8")]);
        let foreign = volume("v2", Provider::Gcp, "", "pd");
        assert_eq!(prices.follow(&Event::Volume(foreign)), [asset("v2", "pd in  of 7")], "not AWS's region");
        assert_eq!(prices.follow(&Event::Service(service("s1", "", ""))), [asset("s1", " of aws in r")]);
        assert_eq!(prices.follow(&Event::Service(service("s1", "", ""))), []);
    }

    #[test]
    fn cluster_that_moves_is_asked_for_anew_without_what_is_gone() {
        let mut prices = fresh();
        let before = [
            Event::Node(node("n1", Provider::Aws, "a")),
            listed(Kind::Node, &["n1"]),
            Event::Volume(volume("v1", Provider::Aws, "", "ebs")),
            Event::Volume(volume("v2", Provider::Aws, "", "ebs")),
            Event::Service(service("s1", "", "1.2.3.4")),
            listed(Kind::Volume, &["v1"]),
            Event::ServiceGone { uid: "s1".into(), at: Instant(0) },
        ];
        all(&mut prices, &before);
        assert_eq!(prices.follow(&Event::Node(node("n2", Provider::Aws, "b"))), [], "as many here as there");
        assert_eq!(
            prices.follow(&Event::NodeGone { uid: "n1".into(), at: Instant(0) }),
            [Event::EgressPriced(egress("aws in b")), asset("v1", "ebs in b of 7")]
        );
        assert_eq!(prices.follow(&Event::NodeGone { uid: "n2".into(), at: Instant(0) }), []);
    }

    #[test]
    fn engine_that_has_lived_before_knows_where_it_is() {
        let nodes = [node("n1", Provider::Gcp, "europe-west1")];
        let mut prices = AssetPrices::new(Arc::new(Echo), nodes.iter());
        let event = Event::Service(service("s1", "", "1.2.3.4"));
        assert_eq!(prices.follow(&event), [asset("s1", " of gcp in europe-west1")]);
    }

    #[test]
    fn fee_is_asked_for_by_who_runs_the_control_plane() {
        for (version, name, provider, expected) in [
            ("v1.37.2-eks-1a2b3c4", "ip-10-0-0-1", Provider::Aws, Some("aws in r")),
            ("v1.37.1-gke.1589000", "gke-a-1", Provider::Gcp, Some("gcp in r")),
            ("v1.37.2", "aks-pool-1-vmss000000", Provider::Azure, Some("azure in r")),
            // Machines of a cloud, and a control plane of one's own on them.
            ("v1.37.2", "ip-10-0-0-1", Provider::Aws, None),
            ("v1.37.2", "master-1", Provider::Azure, None),
            ("v1.37.2+k3s1", "edge-1", Provider::Unknown, None),
        ] {
            let mut prices = fresh();
            all(&mut prices, &[Event::Node(node(name, provider, "r")), listed(Kind::Node, &[name])]);
            let expected = expected.map(|reason| Event::ControlPlanePriced(price(reason.to_owned())));
            assert_eq!(prices.managed_by(runs(version)), expected, "{version} {name}");
            assert_eq!(prices.managed_by(runs(version)), None, "{version}: told once");
        }
    }
}
