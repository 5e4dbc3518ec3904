//! The price book: what a node costs, by the first source that knows.

use std::sync::Arc;

use nightcap_core::cluster::{CapacityType, Node, NodeFacts, Provider};
use nightcap_core::money::{Confidence, NodePrice, NodePricer, PodRates, PriceSource};
use nightcap_core::units::{Bytes, Instant, Rate, Resources};

use crate::asset_rules::AssetRules;
use crate::charge::Charge;
use crate::cluster_prices::{ClusterPrices, Egress, LoadBalancer};
use crate::csv_prices::CsvPrices;
use crate::estimate::Query;
use crate::found::Found;
use crate::live::gcp::Shape;
use crate::live::{LiveTimes, Quotes};
use crate::rules::{Effect, Rule, check};
use crate::serverless::ServerlessRates;
use crate::settings::{DefaultRates, PriceSettings};
use crate::tables::Tables;
use crate::volume::{Disks, VolumeFacts};
use crate::{Offer, PriceError, ServicePrice, StoragePrice, serverless, usual};

/// Prices from memory: the user's rules, the embedded list prices, quotes, and estimates from them.
///
/// The chain, first answer wins: own rule → own CSV → fresh quote of the provider → row of the table → (GCP custom)
/// cores and GiB at the series' rates → same family in the region, by vCPU → us-east-1 × region factor (AWS) → median
/// of the provider's regions → default rates. A spot node without a spot price takes the on-demand price × a usual
/// ratio.
#[derive(Clone, Debug)]
pub struct PriceBook {
    tables: Arc<Tables>,
    rules: Arc<[Rule]>,
    defaults: DefaultRates,
    times: LiveTimes,
    quotes: Arc<Quotes>,
    csv: Arc<CsvPrices>,
    pub(crate) assets: Arc<AssetRules>,
}

impl PriceBook {
    /// The embedded tables under these settings. Takes some tens of milliseconds: read once, at start.
    pub fn embedded(settings: &PriceSettings) -> Result<Self, PriceError> {
        let rules = check(settings)?.into();
        Ok(Self {
            tables: Arc::new(Tables::embedded()?),
            rules,
            defaults: settings.defaults.clone(),
            times: settings.live.times(),
            quotes: Arc::default(),
            csv: Arc::default(),
            assets: Arc::new(settings.assets()),
        })
    }

    /// The same tables, quotes and CSV under other settings, without reading them again.
    pub fn with_settings(&self, settings: &PriceSettings) -> Result<Self, PriceError> {
        let rules = check(settings)?.into();
        let (defaults, times) = (settings.defaults.clone(), settings.live.times());
        Ok(Self { rules, defaults, times, assets: Arc::new(settings.assets()), ..self.clone() })
    }

    /// With what the providers quoted, as far as it is fresh at `now`, in the place of earlier quotes.
    #[must_use]
    pub fn with_quotes(&self, quotes: &Quotes, now: Instant) -> Self {
        Self { quotes: Arc::new(quotes.fresh(now, self.times)), ..self.clone() }
    }

    /// With these prices of the user's own, in the place of earlier ones.
    #[must_use]
    pub fn with_csv(&self, csv: CsvPrices) -> Self {
        Self { csv: Arc::new(csv), ..self.clone() }
    }

    /// The quotes that are in force.
    pub fn quotes(&self) -> &Quotes {
        &self.quotes
    }

    /// What a machine type has, by the table.
    pub fn shape(&self, provider: Provider, instance_type: &str) -> Option<Shape> {
        let instances = &self.tables.instances;
        let number = instances.machine(provider, instance_type)?;
        let machine = instances.machines.get(usize::from(number)).filter(|machine| machine.vcpus > 0)?;
        Some(Shape {
            vcpus: f64::from(machine.vcpus),
            memory_gib: f64::from(machine.memory_mib) / 1024.0,
            gpus: f64::from(machine.gpus),
        })
    }

    /// What a whole volume costs, by its kind and size.
    pub fn volume(&self, region: &str, facts: &VolumeFacts<'_>, size: Bytes) -> Charge {
        Disks { tables: &self.tables, quotes: &self.quotes, csv: &self.csv }.price(region, facts, size)
    }

    /// What the control plane of a cluster costs.
    pub fn control_plane(&self, provider: Provider, region: &str) -> Charge {
        self.cluster().control_plane(provider, region)
    }

    /// What a load balancer costs, its traffic apart.
    pub fn load_balancer(&self, provider: Provider, region: &str, kind: LoadBalancer) -> Charge {
        self.cluster().load_balancer(provider, region, kind)
    }

    /// What traffic costs.
    pub fn egress(&self, provider: Provider, region: &str) -> Egress {
        self.cluster().egress(provider, region)
    }

    fn cluster(&self) -> ClusterPrices<'_> {
        ClusterPrices { tables: &self.tables, quotes: &self.quotes }
    }

    /// The rates of pods on a node that is billed by its pods: EKS Fargate and GKE Autopilot.
    pub fn pod_rates(&self, facts: &NodeFacts) -> Option<ServerlessRates> {
        let spot_ratio = self.defaults.spot_ratio.unwrap_or_else(|| usual::spot_ratio(facts.provider));
        serverless::pod_rates(&self.tables, facts, spot_ratio)
    }

    /// How many prices of instance types there are.
    pub fn rows(&self) -> usize {
        self.tables.instances.types.len()
    }

    /// All of them, sorted by provider, region, capacity type and instance type.
    pub fn offers(&self) -> impl Iterator<Item = Offer<'_>> {
        self.tables.instances.markets.iter().flat_map(|market| self.tables.instances.offers(market))
    }

    /// The price of an instance type as the table has it: no rules, no estimates.
    pub fn lookup(
        &self,
        provider: Provider,
        region: &str,
        instance_type: &str,
        capacity_type: CapacityType,
    ) -> Option<Offer<'_>> {
        let instances = &self.tables.instances;
        let market = instances.market(provider, region, capacity_type)?;
        instances.offer(market, instances.machine(provider, instance_type)?)
    }

    /// The price of a kind of disk. On Azure the type is SKU and tier, such as `Premium_LRS/P10`, and the price is of
    /// the whole disk.
    pub fn storage_price(
        &self,
        provider: Provider,
        region: &str,
        storage_type: &str,
    ) -> Option<&StoragePrice> {
        self.tables.storage.get(provider, region, storage_type)
    }

    /// The price of a service in a region, or the one that holds everywhere. Several services are known in one region
    /// only; the caller decides whether that one will do.
    pub fn service_price(&self, provider: Provider, region: &str, service: &str) -> Option<&ServicePrice> {
        self.tables.services.get(provider, region, service)
    }

    /// The price without the user's rules: of the CSV as it is, of lists with the multipliers.
    fn base(&self, facts: &NodeFacts, capacity: Resources, node: Option<&Node>) -> Found {
        if let Some(price) = self.csv.node(facts, node, capacity.gpu.devices()) {
            return Found {
                hourly_usd: price.hourly_usd,
                confidence: Confidence::Exact,
                source: PriceSource { id: "csv".into(), date: price.date.into() },
                reason: price.reason,
            };
        }
        let found = self.by_tables(facts, capacity).unwrap_or_else(|| self.by_default(facts, capacity));
        let (multiplier, name) = match facts.capacity_type {
            CapacityType::OnDemand => (self.defaults.on_demand_multiplier, "on_demand_multiplier"),
            CapacityType::Spot => (self.defaults.spot_multiplier, "spot_multiplier"),
        };
        if multiplier.total_cmp(&1.0).is_eq() {
            return found;
        }
        found.times(multiplier, &format!(" × {multiplier} ({name})"))
    }

    fn by_tables(&self, facts: &NodeFacts, capacity: Resources) -> Option<Found> {
        let provider = self.provider(facts);
        let spot_ratio = self.defaults.spot_ratio.unwrap_or_else(|| usual::spot_ratio(provider));
        if let Some(found) = serverless::find(&self.tables, facts, capacity, spot_ratio) {
            return Some(found);
        }
        let mut found =
            Query { provider, facts, capacity, spot_ratio, quotes: &self.quotes }.find(&self.tables)?;
        if provider != facts.provider {
            found = found.because(&format!(", taken for one of {provider}'s by its region and type"));
        }
        if provider == Provider::Gcp {
            found = self.with_attached_gpus(found, facts, capacity);
        }
        if facts.os.eq_ignore_ascii_case("windows") {
            found = found.estimated(", without the Windows licence: the table has Linux prices only");
        }
        Some(found)
    }

    /// The facts' provider. Machines that no cloud vouches for, as simulated ones, are taken for what their region and
    /// type say: no two providers share such names.
    fn provider(&self, facts: &NodeFacts) -> Provider {
        if facts.provider != Provider::Unknown {
            return facts.provider;
        }
        let sells = |provider: &Provider| {
            self.lookup(*provider, &facts.region, &facts.instance_type, CapacityType::OnDemand).is_some()
        };
        self.tables.instances.provider_of_region(&facts.region).filter(sells).unwrap_or_default()
    }

    /// GCP's N1 has its GPUs beside the machine; every other price includes them.
    fn with_attached_gpus(&self, mut found: Found, facts: &NodeFacts, capacity: Resources) -> Found {
        let takes_gpus = ["n1-", "custom-"].iter().any(|prefix| facts.instance_type.starts_with(prefix));
        let gpus = capacity.gpu.devices();
        if !takes_gpus || gpus <= 0.0 {
            return found;
        }
        let [_, _, gpu_usd] = self.default_rates(facts.capacity_type);
        found.hourly_usd += gpus * gpu_usd;
        found.estimated(&format!(", plus {gpus} GPU × {gpu_usd} $/h"))
    }

    fn default_rates(&self, capacity_type: CapacityType) -> [f64; 3] {
        let rates = &self.defaults;
        match capacity_type {
            CapacityType::OnDemand => {
                [rates.cpu_core_hourly_usd, rates.ram_gib_hourly_usd, rates.gpu_hourly_usd]
            }
            CapacityType::Spot => {
                [rates.spot_cpu_core_hourly_usd, rates.spot_ram_gib_hourly_usd, rates.spot_gpu_hourly_usd]
            }
        }
    }

    fn by_default(&self, facts: &NodeFacts, capacity: Resources) -> Found {
        let why = if facts.instance_type.is_empty() {
            "the node names no instance type".to_owned()
        } else {
            format!("no price is known for instance type {:?}", facts.instance_type)
        };
        let (hourly_usd, sum) = by_rates(capacity, self.default_rates(facts.capacity_type));
        Found {
            hourly_usd,
            confidence: Confidence::Default,
            source: PriceSource { id: "default-rates".into(), date: "".into() },
            reason: format!("{sum} at default rates: {why}"),
        }
    }
}

impl PriceBook {
    /// What the node's pods pay, where they are billed and the node is not. A price of the user's own for such a node is
    /// the node's, and then its pods share it as they share any other.
    fn by_pod(&self, facts: &NodeFacts, factor: f64) -> Option<PodRates> {
        let rates = self.pod_rates(facts)?;
        let scaled = |rate: Rate| Rate::from_usd_per_hour(rate.usd_per_hour() * factor).unwrap_or_default();
        Some(PodRates {
            core: scaled(rates.cpu_core),
            gib: scaled(rates.ram_gib),
            system_is_free: &*facts.instance_type == NodeFacts::AUTOPILOT,
        })
    }

    fn answer(&self, facts: &NodeFacts, capacity: Resources, node: Option<&Node>) -> NodePrice {
        let Some(rule) = self.rules.iter().find(|rule| rule.matcher.matches(facts)) else {
            return NodePrice {
                by_pod: self.by_pod(facts, 1.0),
                ..self.base(facts, capacity, node).into_price()
            };
        };
        let id = &rule.source.id;
        let exact = |hourly_usd, reason| Found {
            hourly_usd,
            confidence: Confidence::Exact,
            source: rule.source.clone(),
            reason,
        };
        let found = match &rule.effect {
            Effect::Hourly { usd } => exact(*usd, format!("{usd} $/h by {id}")),
            Effect::Rates { cpu_core_usd, ram_gib_usd, gpu_usd } => {
                let (hourly_usd, sum) = by_rates(capacity, [*cpu_core_usd, *ram_gib_usd, *gpu_usd]);
                exact(hourly_usd, format!("{sum} by {id}"))
            }
            Effect::Adjust { factor, text } => {
                let found = self.base(facts, capacity, node).times(*factor, &format!(", {text} by {id}"));
                return NodePrice { by_pod: self.by_pod(facts, *factor), ..found.into_price() };
            }
        };
        found.into_price()
    }
}

impl NodePricer for PriceBook {
    fn price(&self, facts: &NodeFacts, capacity: Resources) -> NodePrice {
        self.answer(facts, capacity, None)
    }

    fn price_node(&self, node: &Node) -> NodePrice {
        self.answer(&node.facts, node.capacity, Some(node))
    }
}

/// What a capacity costs at rates per core, GiB and GPU, and how that is put in words.
fn by_rates(capacity: Resources, [core_usd, gib_usd, gpu_usd]: [f64; 3]) -> (f64, String) {
    let (cores, gib, gpus) = (capacity.cpu.cores(), capacity.memory.gib(), capacity.gpu.devices());
    let gpu_part = if gpus > 0.0 { format!(" + {gpus} GPU × {gpu_usd} $/h") } else { String::new() };
    let sum = format!("{cores} cores × {core_usd} $/h + {gib:.1} GiB × {gib_usd} $/h{gpu_part}");
    (cores * core_usd + gib * gib_usd + gpus * gpu_usd, sum)
}
