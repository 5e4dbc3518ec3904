//! What comes with a cluster: control plane, load balancers, traffic.

use nightcap_core::cluster::Provider;
use nightcap_core::money::{Confidence, PriceSource};
use nightcap_core::units::PicoUsd;

use crate::ServicePrice;
use crate::charge::{Charge, default_source};
use crate::live::Quotes;
use crate::tables::Tables;
use crate::usual::{EGRESS_GIB, EGRESS_GIB_AZURE};

/// Bytes of a GiB over those of a GB.
const GIB_PER_GB: f64 = 1.073_741_824;
const AWS_HOME: &str = "us-east-1";

/// What kind of load balancer a Service has.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum LoadBalancer {
    /// What the provider gives a Service that asks for nothing: AWS a classic one, the others their only one.
    #[default]
    Usual,
    /// AWS: network load balancer.
    Network,
    /// AWS: application load balancer, as for an Ingress.
    Application,
}

/// What traffic out of a node costs per GiB.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Egress {
    /// To another zone of the region.
    pub zone: PicoUsd,
    /// To another region.
    pub region: PicoUsd,
    /// To the internet, at the price of the first terabytes.
    pub internet: PicoUsd,
    /// How sure the least sure of the three is.
    pub confidence: Confidence,
    /// Where the price to the internet comes from.
    pub source: PriceSource,
    /// One sentence that says how they were found.
    pub reason: String,
}

/// Where they are looked up.
#[derive(Clone, Copy)]
pub(crate) struct ClusterPrices<'a> {
    pub(crate) tables: &'a Tables,
    pub(crate) quotes: &'a Quotes,
}

impl<'t> ClusterPrices<'t> {
    /// The region's price; AWS's home stands for regions that are not known.
    fn service(self, provider: Provider, region: &str, service: &str) -> Option<(&'t ServicePrice, bool)> {
        let services = &self.tables.services;
        let own = services.get(provider, region, service).map(|price| (price, true));
        own.or_else(|| {
            let home = match provider {
                Provider::Aws => AWS_HOME,
                Provider::Gcp => "us-central1",
                _ => "eastus",
            };
            services.get(provider, home, service).map(|price| (price, false))
        })
    }

    fn charge(self, provider: Provider, region: &str, service: &str, what: &str) -> Charge {
        if let Some(quote) = self.quotes.service(provider, region, service) {
            let reason = format!("{what} in {region}");
            return Charge::new(quote.price.usd(), Confidence::List, quote.origin(), &reason);
        }
        let Some((price, is_own)) = self.service(provider, region, service) else {
            return Charge::nothing(&format!("no price is known for {what}: nothing is charged"));
        };
        let (confidence, reason) = if is_own {
            (Confidence::List, format!("{what} in {region}"))
        } else {
            let reason = format!("{what} by the price of {}: none is known for {region:?}", price.region);
            (Confidence::Estimated, reason)
        };
        Charge::new(price.per_unit.usd(), confidence, source(price), &reason)
    }

    pub(crate) fn control_plane(self, provider: Provider, region: &str) -> Charge {
        match provider {
            Provider::Aws => self.charge(provider, region, "eks_control_plane", "the EKS control plane"),
            Provider::Gcp => {
                self.charge(provider, region, "gke_cluster_management", "GKE's fee for a cluster")
            }
            Provider::Azure => {
                let charge = self.charge(provider, region, "aks_standard_tier", "the AKS control plane");
                let reason = format!(
                    "{}, of the Standard tier: nothing shows the tier, and Free costs nothing",
                    charge.reason
                );
                Charge {
                    confidence: charge.confidence.max(Confidence::Estimated),
                    reason: reason.into(),
                    ..charge
                }
            }
            Provider::Unknown => Charge::nothing("a control plane of one's own has no fee"),
        }
    }

    pub(crate) fn load_balancer(self, provider: Provider, region: &str, kind: LoadBalancer) -> Charge {
        match (provider, kind) {
            (Provider::Aws, LoadBalancer::Network) => {
                self.charge(provider, region, "nlb_hour", "a network load balancer, without its traffic")
            }
            (Provider::Aws, LoadBalancer::Application) => {
                self.charge(provider, region, "alb_hour", "an application load balancer, without its traffic")
            }
            (Provider::Aws, LoadBalancer::Usual) => self.charge(
                provider,
                region,
                "classic_elb_hour",
                "a classic load balancer, without its traffic",
            ),
            (Provider::Gcp, _) => {
                let what = "a forwarding rule, without its traffic";
                let charge = self.charge(provider, region, "forwarding_rule_first_five", what);
                let reason = format!("{}; the first five of a project share this price", charge.reason);
                Charge {
                    confidence: charge.confidence.max(Confidence::Estimated),
                    reason: reason.into(),
                    ..charge
                }
            }
            (Provider::Azure, _) => self.charge(
                provider,
                region,
                "lb_standard_rule",
                "a rule of a Standard load balancer, without its traffic",
            ),
            (Provider::Unknown, _) => Charge::nothing("a load balancer of one's own has no fee"),
        }
    }

    pub(crate) fn egress(self, provider: Provider, region: &str) -> Egress {
        let pico = |usd: f64| PicoUsd::from_usd(usd).unwrap_or_default();
        let usual = if provider == Provider::Azure { EGRESS_GIB_AZURE } else { EGRESS_GIB };
        let [zone, far, internet] = usual.map(pico);
        let default = Egress {
            zone,
            region: far,
            internet,
            confidence: Confidence::Default,
            source: default_source(),
            reason: format!("usual prices of traffic: none are known for {provider} in {region:?}"),
        };
        match provider {
            Provider::Aws => {
                let of = |service| self.service(provider, region, service);
                let prices = [
                    of("egress_inter_zone_per_direction"),
                    of("egress_inter_region"),
                    of("egress_internet_first_10tb"),
                ];
                let [Some(zone), Some(far), Some(internet)] = prices else { return default };
                let is_own = [zone.1, far.1, internet.1].iter().all(|own| *own);
                let per_gib = |price: &ServicePrice| pico(price.per_unit.usd() * GIB_PER_GB);
                let by = if is_own { String::new() } else { format!(", by those of {AWS_HOME}") };
                Egress {
                    zone: per_gib(zone.0),
                    region: per_gib(far.0),
                    internet: per_gib(internet.0),
                    confidence: if is_own { Confidence::List } else { Confidence::Estimated },
                    source: source(internet.0),
                    reason: format!("prices of traffic in {region}{by}; between zones each side pays"),
                }
            }
            Provider::Gcp => match self.service(provider, region, "egress_internet_tib_0-1") {
                Some((price, is_own)) => Egress {
                    internet: price.per_unit,
                    confidence: Confidence::Estimated,
                    source: source(price),
                    reason: format!(
                        "price of traffic to the internet in {}{}; usual prices within the provider",
                        price.region,
                        if is_own { "" } else { ", for want of the region's" }
                    ),
                    ..default
                },
                None => default,
            },
            Provider::Azure | Provider::Unknown => default,
        }
    }
}

fn source(price: &ServicePrice) -> PriceSource {
    PriceSource { id: price.source_id.into(), date: price.source_date.into() }
}
