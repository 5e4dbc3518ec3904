//! Prices of volumes, load balancers, the control plane and traffic, as the core asks for them.

use nightcap_core::cluster::{Provider, Volume, VolumeFacts};
use nightcap_core::money::{AssetPricer, Confidence, EgressPrices, NodePrice, PriceSource};
use nightcap_core::units::{Bytes, PicoUsd};

use crate::usual::HOURS_PER_MONTH;
use crate::{Charge, LoadBalancer, PriceBook, volume};

/// Words in the class of a load balancer by which a cloud's own controllers are known.
const CLOUDS: [(Provider, &[&str]); 3] = [
    (Provider::Aws, &["nlb", "alb", "aws"]),
    (Provider::Gcp, &["gke", "google"]),
    (Provider::Azure, &["azure"]),
];
/// Classes that say who may reach a load balancer, and nothing of whose it is.
const REACH: [&str; 3] = ["", "internal", "external"];

impl From<Charge> for NodePrice {
    fn from(charge: Charge) -> Self {
        let Charge { hourly, confidence, source, reason } = charge;
        Self { hourly, confidence, source, reason, by_pod: None }
    }
}

impl AssetPricer for PriceBook {
    fn volume(&self, facts: &VolumeFacts, capacity: Bytes) -> NodePrice {
        self.named_volume("", facts, capacity)
    }

    fn price_volume(&self, volume: &Volume) -> NodePrice {
        self.named_volume(&volume.name, &volume.facts, volume.capacity)
    }

    fn load_balancer(&self, provider: Provider, region: &str, class: &str) -> NodePrice {
        if let Some(usd) = self.assets.load_balancer_hourly_usd {
            return own(usd, "load_balancer_hourly_usd", &format!("{usd} $/h"));
        }
        match load_balancer(provider, class) {
            Some(kind) => PriceBook::load_balancer(self, provider, region, kind).into(),
            None => NodePrice::free(format!("a load balancer of class {class:?} is none of the provider's")),
        }
    }

    fn control_plane(&self, provider: Provider, region: &str) -> NodePrice {
        if let Some(usd) = self.assets.control_plane_hourly_usd {
            return own(usd, "control_plane_hourly_usd", &format!("{usd} $/h"));
        }
        PriceBook::control_plane(self, provider, region).into()
    }

    fn egress(&self, provider: Provider, region: &str) -> EgressPrices {
        let listed = PriceBook::egress(self, provider, region);
        let rules = &self.assets.egress;
        let set = [rules.zone_gib_usd, rules.region_gib_usd, rules.internet_gib_usd];
        let or = |usd: Option<f64>, listed| usd.and_then(PicoUsd::from_usd).unwrap_or(listed);
        // The whole is as sure as its least sure part.
        let all = set.iter().all(Option::is_some);
        EgressPrices {
            zone: or(rules.zone_gib_usd, listed.zone),
            region: or(rules.region_gib_usd, listed.region),
            internet: or(rules.internet_gib_usd, listed.internet),
            confidence: if all { Confidence::Exact } else { listed.confidence },
            source: if all { rule("egress") } else { listed.source },
        }
    }
}

impl PriceBook {
    fn named_volume(&self, name: &str, facts: &VolumeFacts, capacity: Bytes) -> NodePrice {
        let rules = &self.assets.storage;
        let of_class =
            rules.classes.get(&*facts.class).map(|usd| (*usd, format!("storage.classes.{}", facts.class)));
        let of_all = || rules.gib_month_usd.map(|usd| (usd, "storage.gib_month_usd".to_owned()));
        if let Some((usd, path)) = of_class.or_else(of_all) {
            let gib = capacity.gib();
            return own(usd * gib / HOURS_PER_MONTH, &path, &format!("{gib:.1} GiB × {usd} $ a month"));
        }
        let facts_of = volume::VolumeFacts {
            name,
            storage_class: &facts.class,
            provisioner: &facts.driver,
            parameters: &facts.parameters,
        };
        PriceBook::volume(self, &facts.region, &facts_of, capacity).into()
    }
}

/// The kind of a load balancer by its class; `None` for one that somebody else than the provider runs.
fn load_balancer(provider: Provider, class: &str) -> Option<LoadBalancer> {
    if provider == Provider::Unknown {
        return Some(LoadBalancer::Usual);
    }
    let class = class.to_ascii_lowercase();
    let (_, words) = CLOUDS.iter().find(|(cloud, _)| *cloud == provider)?;
    let says = |word: &str| class.contains(word);
    if !REACH.contains(&class.as_str()) && !words.iter().any(|word| says(word)) {
        return None;
    }
    Some(match provider {
        Provider::Aws if says("nlb") => LoadBalancer::Network,
        Provider::Aws if says("alb") => LoadBalancer::Application,
        _ => LoadBalancer::Usual,
    })
}

fn own(hourly_usd: f64, path: &str, how: &str) -> NodePrice {
    Charge::new(hourly_usd, Confidence::Exact, rule(path), &format!("{how} by {path}")).into()
}

fn rule(path: &str) -> PriceSource {
    PriceSource { id: path.into(), date: "".into() }
}
