//! Google Cloud's catalogue: no prices of machines, but of their cores and memory, a row per group of regions.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use futures::future::{BoxFuture, ready};
use nightcap_core::cluster::{CapacityType, Provider};
use nightcap_core::units::{Instant, PicoUsd};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::quote::{disk, instance, other_currency, sensible, sensible_hour};
use super::{Fetched, Http, LiveError, LivePrices, Parsed, Reading, Rejected, Secret, Wanted, day};
use crate::family::custom_type;

/// The source of its prices.
pub(crate) const SOURCE: &str = "gcp-catalog";
/// Compute Engine in the catalogue.
const COMPUTE_ENGINE: &str = "6F81-5844-456A";
/// It has some 30,000 SKUs: more pages of 5,000 mean a token that leads in circles.
const MOST_PAGES: usize = 100;

/// What a SKU is a part of.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Part {
    /// A core of a series, such as `n2`, per hour.
    Core(Series),
    /// A GiB of its memory, per hour.
    Ram(Series),
    /// A GPU, such as `a100`, per hour.
    Gpu(&'static str, CapacityType),
    /// A machine that has a SKU of its own, per hour.
    Whole(&'static str, CapacityType),
    /// A GiB of a kind of disk, per month.
    Disk(&'static str),
}

/// A series of machines, as cores and memory are sold.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Series {
    /// Such as `n2`.
    pub name: String,
    /// Put together from cores and memory by its user: a little dearer.
    pub custom: bool,
    /// On demand or spot.
    pub capacity_type: CapacityType,
}

/// Prices of parts by region.
pub type Parts = BTreeMap<(String, Part), PicoUsd>;

/// One page of the catalogue.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Page {
    /// What it has of the regions asked for.
    pub parts: Parts,
    /// SKUs that should have been a part.
    pub rejected: Vec<Rejected>,
    /// How the next page is asked for; none at the end.
    pub next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer<'a> {
    #[serde(borrow)]
    skus: Vec<&'a RawValue>,
    #[serde(default)]
    next_page_token: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Sku {
    #[serde(default)]
    sku_id: String,
    description: String,
    category: Category,
    #[serde(default)]
    service_regions: Vec<String>,
    #[serde(default)]
    pricing_info: Vec<PricingInfo>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Category {
    usage_type: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PricingInfo {
    pricing_expression: Expression,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Expression {
    usage_unit: String,
    tiered_rates: Vec<Tier>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Tier {
    unit_price: Money,
}

/// Whole units as a text, and billionths beside them: an A100 is "2" and 933908000.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Money {
    currency_code: String,
    #[serde(default)]
    units: String,
    #[serde(default)]
    nanos: i64,
}

/// Reads a page; only what is sold in `regions` is kept.
pub fn page(body: &str, regions: &BTreeSet<Arc<str>>) -> Result<Page, LiveError> {
    let answer: Answer<'_> =
        serde_json::from_str(body).map_err(|error| LiveError::broken("Google Cloud's catalogue", error))?;
    let mut page = Page {
        next_token: Some(answer.next_page_token).filter(|token| !token.is_empty()),
        ..Page::default()
    };
    for (index, text) in answer.skus.iter().enumerate() {
        let sku: Sku = match serde_json::from_str(text.get()) {
            Ok(sku) => sku,
            Err(error) => {
                page.rejected
                    .push(Rejected::new(format!("skus[{index}]"), format!("cannot be read: {error}")));
                continue;
            }
        };
        let Some(part) = part(&sku.description, &sku.category.usage_type) else { continue };
        let mut here =
            sku.service_regions.iter().filter(|region| regions.contains(region.as_str())).peekable();
        if here.peek().is_none() {
            continue;
        }
        match sku.price(&part) {
            Ok(price) => {
                page.parts.extend(here.map(|region| ((region.clone(), part.clone()), price)));
            }
            Err(reason) => {
                page.rejected.push(Rejected::new(format!("{} ({})", sku.sku_id, sku.description), reason));
            }
        }
    }
    Ok(page)
}

impl Sku {
    /// The first tier that is not free: the list price.
    fn price(&self, part: &Part) -> Result<PicoUsd, String> {
        let expression = self.pricing_info.first().map(|info| &info.pricing_expression);
        let expression = expression.ok_or("it has no price")?;
        let unit = match part {
            Part::Ram(_) => "GiBy.h",
            Part::Disk(_) => "GiBy.mo",
            Part::Core(_) | Part::Gpu(..) | Part::Whole(..) => "h",
        };
        if expression.usage_unit != unit {
            return Err(format!("its unit is {:?}, not {unit:?}", expression.usage_unit));
        }
        let mut prices = expression.tiered_rates.iter().map(|tier| tier.unit_price.pico());
        let price = prices.find(|price| *price != Ok(PicoUsd(0))).ok_or("its price is zero")??;
        let price = sensible(price, &price.usd().to_string())?;
        if matches!(part, Part::Disk(_)) { Ok(price) } else { sensible_hour(price) }
    }
}

impl Money {
    fn pico(&self) -> Result<PicoUsd, String> {
        if self.currency_code != "USD" {
            return Err(other_currency(&self.currency_code));
        }
        let units = if self.units.is_empty() { Ok(0) } else { self.units.parse::<i64>() };
        let units = units.map_err(|_| format!("{:?} is no number of dollars", self.units))?;
        let pico = i128::from(units) * 1_000_000_000_000 + i128::from(self.nanos) * 1_000;
        if pico < 0 {
            return Err(format!("the price {} is negative", PicoUsd(pico).usd()));
        }
        Ok(PicoUsd(pico))
    }
}

/// What a SKU is, by its description. Whatever is not known to the letter is another product: commitments, sole
/// tenancy, reservations, extended memory, calendar mode.
fn part(description: &str, usage_type: &str) -> Option<Part> {
    let capacity_type = match usage_type {
        "OnDemand" => CapacityType::OnDemand,
        "Preemptible" => CapacityType::Spot,
        _ => return None, // Commit1Yr and the like
    };
    let text = description.strip_prefix("Spot Preemptible ").unwrap_or(description);
    let text = text.split(" running in ").next()?;
    if let Some(name) = pd(text.split(" in ").next()?) {
        return Some(Part::Disk(name));
    }
    let gpu = text.strip_suffix(" attached to Spot Preemptible VMs").unwrap_or(text);
    match gpu {
        "Nvidia Tesla A100 GPU" => return Some(Part::Gpu("a100", capacity_type)),
        "Nvidia L4 GPU" => return Some(Part::Gpu("l4", capacity_type)),
        "Micro Instance with burstable CPU" => return Some(Part::Whole("f1-micro", capacity_type)),
        "Small Instance with 1 VCPU" => return Some(Part::Whole("g1-small", capacity_type)),
        _ => {}
    }
    let (head, is_core) = match text.rsplit_once(' ')? {
        (head, "Core") => (head, true),
        (head, "Ram") => (head, false),
        _ => return None,
    };
    let (name, custom) = match head {
        "N1 Predefined Instance" => ("n1".to_owned(), false),
        "Compute optimized" | "Compute optimized Instance" => ("c2".to_owned(), false),
        "Memory-optimized Instance" => ("m1".to_owned(), false),
        "Custom Instance" => ("n1".to_owned(), true),
        _ => {
            let words = head.strip_suffix(" Instance")?;
            let (words, custom) = words.strip_suffix(" Custom").map_or((words, false), |words| (words, true));
            let name = [" AMD", " Arm"].iter().find_map(|maker| words.strip_suffix(maker)).unwrap_or(words);
            let is_series = name.len() <= 4 && name.chars().all(|c| c.is_ascii_alphanumeric());
            is_series.then(|| (name.to_ascii_lowercase(), custom))?
        }
    };
    let series = Series { name, custom, capacity_type };
    Some(if is_core { Part::Core(series) } else { Part::Ram(series) })
}

fn pd(text: &str) -> Option<&'static str> {
    Some(match text {
        "Storage PD Capacity" => "pd-standard",
        "Balanced PD Capacity" => "pd-balanced",
        "SSD backed PD Capacity" => "pd-ssd",
        "Extreme PD Capacity" => "pd-extreme",
        "Regional Storage PD Capacity" => "pd-standard-regional",
        "Regional Balanced PD Capacity" => "pd-balanced-regional",
        "Regional SSD backed PD Capacity" => "pd-ssd-regional",
        _ => return None,
    })
}

/// What a machine type has.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Shape {
    /// vCPUs as the machine shows them.
    pub vcpus: f64,
    /// Memory.
    pub memory_gib: f64,
    /// GPUs in it.
    pub gpus: f64,
}

/// Looks a machine type up.
pub type Shapes = Arc<dyn Fn(&str) -> Option<Shape> + Send + Sync>;

/// Puts the machines that are there together from their parts.
pub fn quotes(
    parts: &Parts,
    wanted: &[Wanted],
    shapes: &dyn Fn(&str) -> Option<Shape>,
    as_of: &str,
) -> Parsed {
    let reading = Reading { provider: Provider::Gcp, as_of: as_of.into(), source: SOURCE.into() };
    let mut parsed = Parsed::default();
    for wanted in wanted {
        let all = [(CapacityType::OnDemand, &wanted.on_demand), (CapacityType::Spot, &wanted.spot)];
        for (capacity_type, name) in all.iter().flat_map(|(c, names)| names.iter().map(move |n| (*c, n))) {
            match machine(parts, &wanted.region, name, capacity_type, shapes) {
                Ok(price) => {
                    parsed.quotes.push(reading.quote(&wanted.region, instance(name, capacity_type), price));
                }
                Err(reason) => {
                    let row = format!("{name} {capacity_type} in {}", wanted.region);
                    parsed.rejected.push(Rejected::new(row, reason));
                }
            }
        }
        if wanted.disks {
            let here = parts.iter().filter(|((region, _), _)| **region == *wanted.region);
            parsed.quotes.extend(here.filter_map(|((region, part), price)| match part {
                Part::Disk(name) => Some(reading.quote(region, disk(name), *price)),
                _ => None,
            }));
        }
    }
    parsed
}

fn machine(
    parts: &Parts,
    region: &str,
    name: &str,
    capacity_type: CapacityType,
    shapes: &dyn Fn(&str) -> Option<Shape>,
) -> Result<PicoUsd, String> {
    let get = |part: Part, what: &str| {
        let price = parts.get(&(region.to_owned(), part)).copied();
        price.ok_or_else(|| format!("the catalogue has no price for {what} in {region}"))
    };
    for whole in ["f1-micro", "g1-small"] {
        if name == whole {
            return get(Part::Whole(whole, capacity_type), whole);
        }
    }
    let custom = custom_type(name);
    let (series, shape) = match custom {
        Some(custom) => {
            (custom.series, Shape { vcpus: custom.vcpus, memory_gib: custom.memory_gib, gpus: 0.0 })
        }
        None => {
            let shape = shapes(name).ok_or("its cores and memory are not known")?;
            (name.split('-').next().unwrap_or_default(), shape)
        }
    };
    if name.ends_with("-lssd") || name.contains("metal") || ["a3", "a4", "z3", "m2"].contains(&series) {
        return Err("it has parts that are not put together here: the embedded table is used".to_owned());
    }
    let sold = Series { name: series.to_owned(), custom: custom.is_some(), capacity_type };
    let core = get(Part::Core(sold.clone()), &format!("a core of {series}"))?;
    let ram = get(Part::Ram(sold), &format!("a GiB of {series}"))?;
    // Shared-core E2 shows two vCPUs and is billed for less.
    let vcpus = match name {
        "e2-micro" => 0.25,
        "e2-small" => 0.5,
        "e2-medium" => 1.0,
        _ => shape.vcpus,
    };
    let mut usd = core.usd() * vcpus + ram.usd() * shape.memory_gib;
    if shape.gpus > 0.0 {
        let gpu = match series {
            "a2" if name.starts_with("a2-highgpu") || name.starts_with("a2-megagpu") => "a100",
            "g2" => "l4",
            _ => return Err("its GPU is not put together here: the embedded table is used".to_owned()),
        };
        usd += get(Part::Gpu(gpu, capacity_type), &format!("a GPU {gpu}"))?.usd() * shape.gpus;
    }
    let price = PicoUsd::from_usd(usd).ok_or("its parts make no price")?;
    sensible_hour(price)
}

/// The provider.
#[derive(Clone)]
pub struct Gcp {
    http: Http,
    base: String,
    api_key: Secret,
    shapes: Shapes,
}

impl fmt::Debug for Gcp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gcp").field("base", &self.base).finish_non_exhaustive()
    }
}

impl Gcp {
    /// Asks at `base`, such as `https://cloudbilling.googleapis.com`.
    pub fn new(http: Http, base: &str, api_key: Secret, shapes: Shapes) -> Self {
        Self { http, base: base.trim_end_matches('/').to_owned(), api_key, shapes }
    }

    async fn parts(&self, regions: &BTreeSet<Arc<str>>) -> Result<(Parts, Vec<Rejected>), LiveError> {
        let url = format!("{}/v1/services/{COMPUTE_ENGINE}/skus", self.base);
        let (mut parts, mut rejected, mut token) = (Parts::new(), Vec::new(), None::<String>);
        for _ in 0..MOST_PAGES {
            let request = || -> BoxFuture<'_, _> {
                // In a header: a query ends up in logs.
                let request = self.http.client().get(&url).header("x-goog-api-key", self.api_key.reveal());
                let mut query = vec![("currencyCode", "USD"), ("pageSize", "5000")];
                query.extend(token.as_deref().map(|token| ("pageToken", token)));
                Box::pin(ready(Ok(request.query(&query))))
            };
            let body = self.http.text(&request, |_| false).await?;
            let page = page(&body, regions)?;
            parts.extend(page.parts);
            rejected.extend(page.rejected);
            match page.next_token {
                Some(next) => token = Some(next),
                None => return Ok((parts, rejected)),
            }
        }
        Err(LiveError::broken(
            "Google Cloud's catalogue",
            format!("there is no end after {MOST_PAGES} pages"),
        ))
    }
}

impl LivePrices for Gcp {
    fn source(&self) -> &'static str {
        SOURCE
    }

    fn provider(&self) -> Provider {
        Provider::Gcp
    }

    fn fetch<'a>(&'a self, wanted: &'a [Wanted], now: Instant) -> BoxFuture<'a, Fetched> {
        Box::pin(async move {
            let regions = wanted.iter().map(|wanted| Arc::clone(&wanted.region)).collect();
            let mut fetched = Fetched::default();
            match self.parts(&regions).await {
                Ok((parts, rejected)) => {
                    fetched.parsed = quotes(&parts, wanted, &*self.shapes, &day(now));
                    fetched.parsed.rejected.extend(rejected);
                }
                Err(error) => {
                    let names: Vec<&str> = regions.iter().map(|region| &**region).collect();
                    fetched.failures.push((names.join(", "), error));
                }
            }
            fetched
        })
    }
}
