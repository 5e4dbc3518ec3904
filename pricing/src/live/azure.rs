//! Azure's retail prices: open to everybody, a thousand rows a page.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures::future::{BoxFuture, ready};
use nightcap_core::cluster::{CapacityType, Provider};
use nightcap_core::units::{Instant, PicoUsd};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::quote::{disk, instance, other_currency, price_number, sensible_hour};
use super::{Fetched, Http, LiveError, LivePrices, Parsed, Quote, Reading, Rejected, Wanted, day};

/// The source of its prices.
pub(crate) const SOURCE: &str = "azure-retail";
/// The version whose rows carry savings plans.
const API_VERSION: &str = "2023-01-01-preview";
/// So many types are asked for in one filter: longer URLs are refused by some proxies.
const TYPES_PER_FILTER: usize = 15;
/// All rows of all regions are about 200 pages: more means a link that leads in circles.
const MOST_PAGES: usize = 400;

/// One page of an answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Page {
    /// What it holds.
    pub parsed: Parsed,
    /// The whole URL of the next page; none at the end.
    pub next: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer<'a> {
    #[serde(borrow)]
    items: Vec<&'a RawValue>,
    #[serde(default)]
    next_page_link: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    currency_code: String,
    retail_price: f64,
    arm_region_name: String,
    #[serde(default)]
    arm_sku_name: String,
    #[serde(default)]
    sku_name: String,
    #[serde(default)]
    meter_name: String,
    #[serde(default)]
    product_name: String,
    #[serde(default)]
    service_name: String,
    #[serde(default)]
    unit_of_measure: String,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    tier_minimum_units: f64,
}

/// What is needed to name a row that cannot be read.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Name {
    arm_sku_name: serde_json::Value,
    meter_name: serde_json::Value,
}

/// Reads a page. One machine type has up to thirteen rows, of which one is its price on demand and one its spot price.
pub fn page(body: &str, as_of: &str) -> Result<Page, LiveError> {
    let answer: Answer<'_> =
        serde_json::from_str(body).map_err(|error| LiveError::broken("Azure's retail prices", error))?;
    let reading = Reading { provider: Provider::Azure, as_of: as_of.into(), source: SOURCE.into() };
    let mut parsed = Parsed::default();
    for (index, text) in answer.items.iter().enumerate() {
        match serde_json::from_str::<Row>(text.get()) {
            Ok(row) => match row.quote(&reading) {
                Ok(quote) => parsed.quotes.extend(quote),
                Err(reason) => parsed.rejected.push(Rejected::new(row.name(), reason)),
            },
            Err(error) => {
                let name: Name = serde_json::from_str(text.get()).unwrap_or_default();
                let name = [&name.arm_sku_name, &name.meter_name].into_iter().find_map(|v| v.as_str());
                let row = name.map_or_else(|| format!("Items[{index}]"), str::to_owned);
                parsed.rejected.push(Rejected::new(row, format!("cannot be read: {error}")));
            }
        }
    }
    Ok(Page { parsed, next: answer.next_page_link.filter(|link| !link.is_empty()) })
}

impl Row {
    fn name(&self) -> String {
        format!("{} {}", self.arm_region_name, self.meter_name)
    }

    fn quote(&self, reading: &Reading) -> Result<Option<Quote>, String> {
        // A reservation's price is that of its whole term, whatever its unit says; dev/test prices are for subscribers.
        if self.kind != "Consumption" || self.tier_minimum_units > 0.0 {
            return Ok(None);
        }
        let item = match self.service_name.as_str() {
            "Virtual Machines" => self.machine().map(|bought| instance(&self.arm_sku_name, bought)),
            "Storage" => self.disk().map(|name| disk(&name)),
            _ => None,
        };
        let Some(item) = item else { return Ok(None) };
        let price = self.price(matches!(item, super::Item::Disk { .. }))?;
        Ok(Some(reading.quote(&self.arm_region_name, item, price)))
    }

    /// How this machine is bought; none for Windows, low priority, and the price list of Cloud Services.
    ///
    /// The suffix tells, not the word: `Low Priority` is a product of its own, and Windows ends the product's name.
    fn machine(&self) -> Option<CapacityType> {
        let product = self.product_name.trim_end();
        if ["Windows", "Cloud Services", "CloudServices"].iter().any(|other| product.ends_with(other))
            || self.arm_sku_name.is_empty()
        {
            return None;
        }
        let names = [&self.sku_name, &self.meter_name];
        if names.iter().any(|name| name.contains("Low Priority")) {
            return None;
        }
        if names.iter().any(|name| name.ends_with(" Spot")) {
            return Some(CapacityType::Spot);
        }
        (!names.iter().any(|name| name.contains("Spot"))).then_some(CapacityType::OnDemand)
    }

    /// SKU and tier, such as `Premium_LRS/P10` out of `P10 LRS` of `Premium SSD Managed Disks`.
    fn disk(&self) -> Option<String> {
        let sku = match self.product_name.as_str() {
            "Premium SSD Managed Disks" => "Premium",
            "Standard SSD Managed Disks" => "StandardSSD",
            "Standard HDD Managed Disks" => "Standard",
            _ => return None,
        };
        let (tier, redundancy) = self.sku_name.split_once(' ')?;
        let whole_disk = self.meter_name == format!("{tier} {redundancy} Disk");
        (whole_disk && matches!(redundancy, "LRS" | "ZRS")).then(|| format!("{sku}_{redundancy}/{tier}"))
    }

    fn price(&self, is_disk: bool) -> Result<PicoUsd, String> {
        if self.currency_code != "USD" {
            return Err(other_currency(&self.currency_code));
        }
        let units: &[&str] = if is_disk { &["1/Month", "1 /Month"] } else { &["1 Hour"] };
        if !units.contains(&self.unit_of_measure.as_str()) {
            return Err(format!("its unit is {:?}, not {:?}", self.unit_of_measure, units[0]));
        }
        let price = price_number(self.retail_price)?;
        if is_disk { Ok(price) } else { sensible_hour(price) }
    }
}

/// The provider.
#[derive(Clone, Debug)]
pub struct Azure {
    http: Http,
    base: String,
}

impl Azure {
    /// Asks at `base`, such as `https://prices.azure.com`.
    pub fn new(http: Http, base: &str) -> Self {
        Self { http, base: base.trim_end_matches('/').to_owned() }
    }

    /// What is asked for: the types by name, whose case matters, and the disks of the region.
    fn filters(wanted: &Wanted) -> Vec<String> {
        let region = format!("armRegionName eq '{}'", quoted(&wanted.region));
        let types: BTreeSet<&Arc<str>> = wanted.on_demand.iter().chain(&wanted.spot).collect();
        let types: Vec<String> =
            types.into_iter().map(|name| format!("armSkuName eq '{}'", quoted(name))).collect();
        let mut filters: Vec<String> = types
            .chunks(TYPES_PER_FILTER)
            .map(|some| {
                format!(
                    "serviceName eq 'Virtual Machines' and {region} and priceType eq 'Consumption' and ({})",
                    some.join(" or ")
                )
            })
            .collect();
        if wanted.disks {
            filters.push(format!(
                "serviceName eq 'Storage' and {region} and priceType eq 'Consumption' and contains(productName,'Managed Disks')"
            ));
        }
        filters
    }

    async fn pages(&self, filter: &str, as_of: &str, parsed: &mut Parsed) -> Result<(), LiveError> {
        let first = format!("{}/api/retail/prices", self.base);
        let mut next: Option<String> = None;
        for _ in 0..MOST_PAGES {
            let request = || -> BoxFuture<'_, _> {
                let client = self.http.client();
                let request = match &next {
                    Some(url) => client.get(url),
                    None => client.get(&first).query(&[
                        ("api-version", API_VERSION),
                        ("currencyCode", "'USD'"),
                        ("$filter", filter),
                    ]),
                };
                Box::pin(ready(Ok(request)))
            };
            let body = self.http.text(&request, |_| false).await?;
            let page = page(&body, as_of)?;
            parsed.extend(page.parsed);
            match page.next {
                Some(link) => next = Some(self.here(&link)?),
                None => return Ok(()),
            }
        }
        Err(LiveError::broken("Azure's retail prices", format!("there is no end after {MOST_PAGES} pages")))
    }

    /// The next page from the configured server: behind a proxy the link names one that cannot be reached, and a
    /// foreign one is not followed.
    fn here(&self, link: &str) -> Result<String, LiveError> {
        let path = link.find("/api/retail/prices").and_then(|at| link.get(at..));
        let path = path.ok_or_else(|| {
            LiveError::broken("Azure's retail prices", format!("the next page is {link:?}"))
        })?;
        Ok(format!("{}{path}", self.base))
    }
}

/// A name inside a text of `OData`.
fn quoted(text: &str) -> String {
    text.replace('\'', "''")
}

impl LivePrices for Azure {
    fn source(&self) -> &'static str {
        SOURCE
    }

    fn provider(&self) -> Provider {
        Provider::Azure
    }

    fn fetch<'a>(&'a self, wanted: &'a [Wanted], now: Instant) -> BoxFuture<'a, Fetched> {
        Box::pin(async move {
            let mut fetched = Fetched::default();
            for wanted in wanted {
                for filter in Self::filters(wanted) {
                    // What came before a failure is kept.
                    if let Err(error) = self.pages(&filter, &day(now), &mut fetched.parsed).await {
                        fetched.failures.push((wanted.region.to_string(), error));
                    }
                }
            }
            fetched
        })
    }
}
