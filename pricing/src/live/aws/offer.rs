//! The words of the AWS price list: which product is a node, a volume or a control plane, and where its price stands.

use std::collections::BTreeMap;

use nightcap_core::cluster::CapacityType;
use nightcap_core::units::PicoUsd;
use serde::Deserialize;

use crate::live::quote::{disk, instance, other_currency, price_text, sensible_hour};
use crate::live::{Item, Quote, Reading};

/// The offer term of on-demand prices, and the rate of its only dimension. China's offer has codes of its own.
const ON_DEMAND_TERM: [&str; 3] = ["JRTCKXETXF", "99YE2YK9UR", "5Y9WH78GDR"];

/// A product of the list.
#[derive(Clone, PartialEq, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Product {
    /// Its number.
    pub sku: String,
    /// `Compute Instance`, `Storage` and so on.
    #[serde(rename = "productFamily")]
    pub family: String,
    /// What it is.
    pub attributes: Attributes,
}

/// The attributes that tell one product from another; the others are passed over.
#[derive(Clone, PartialEq, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Attributes {
    /// Region, such as `us-east-1`. Lists before 2021 have only `location`.
    pub region_code: String,
    /// Name of the region for people.
    pub location: String,
    /// Instance type.
    pub instance_type: String,
    /// `Linux`, `Windows`, `RHEL` and so on.
    pub operating_system: String,
    /// `NA` for a plain system.
    #[serde(rename = "preInstalledSw")]
    pub pre_installed_sw: String,
    /// `Used` for a running machine.
    #[serde(rename = "capacitystatus")]
    pub capacity_status: String,
    /// `OnDemand` or `CapacityBlock`. Lists before 2023 have none.
    #[serde(rename = "marketoption")]
    pub market_option: String,
    /// `Shared`, `Dedicated` or `Host`.
    pub tenancy: String,
    /// What the bill calls it, such as `USE2-BoxUsage:m5.large`.
    #[serde(rename = "usagetype")]
    pub usage_type: String,
    /// `gp3` and so on.
    pub volume_api_name: String,
}

impl Product {
    /// What of ours this is, if anything.
    ///
    /// A machine is Linux without extra software, running, on demand and on shared hardware: its capacity blocks,
    /// its reservations, its Windows (own licence or not) and its dedicated variants are other products under the
    /// same type. Bare metal is listed as a family of its own.
    pub fn item(&self) -> Option<Item> {
        let a = &self.attributes;
        match self.family.as_str() {
            "Compute Instance" | "Compute Instance (bare metal)" => {
                let usage = &a.usage_type;
                let linux = a.operating_system == "Linux" && a.pre_installed_sw == "NA";
                let running = usage.starts_with("BoxUsage") || usage.contains("-BoxUsage");
                let plain = a.capacity_status == "Used"
                    && matches!(a.market_option.as_str(), "OnDemand" | "")
                    && a.tenancy == "Shared";
                (linux && running && plain && !a.instance_type.is_empty())
                    .then(|| instance(&a.instance_type, CapacityType::OnDemand))
            }
            "Storage" => {
                let (_, kind) = a.usage_type.split_once("EBS:VolumeUsage")?;
                let kind = kind.trim_start_matches('.');
                let name = if a.volume_api_name.is_empty() { kind } else { &a.volume_api_name };
                match name {
                    "" | "standard" => Some(disk("standard")),
                    "piops" => Some(disk("io1")),
                    name => Some(disk(name)),
                }
            }
            "Compute" if a.usage_type.ends_with("AmazonEKS-Hours:perCluster") => {
                Some(Item::Service { service: "eks_control_plane".into() })
            }
            _ => None,
        }
    }

    /// Its region; empty if the list does not say.
    pub fn region(&self) -> &str {
        let a = &self.attributes;
        if a.region_code.is_empty() { region_of_location(&a.location) } else { &a.region_code }
    }
}

/// The offers of one product: term code to term.
pub type Terms = BTreeMap<String, Term>;

/// One offer.
#[derive(Clone, PartialEq, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Term {
    /// Which kind of offer.
    pub offer_term_code: String,
    /// What is paid for.
    pub price_dimensions: BTreeMap<String, Dimension>,
}

/// One thing that is paid for.
#[derive(Clone, PartialEq, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Dimension {
    /// `Hrs`, `GB-Mo` and so on.
    pub unit: String,
    /// Currency to decimal.
    pub price_per_unit: BTreeMap<String, String>,
    /// Where its tier begins.
    pub begin_range: String,
}

/// The price of an item in its terms.
pub fn price(item: &Item, terms: &Terms) -> Result<PicoUsd, String> {
    let term = terms.values().find(|term| ON_DEMAND_TERM.contains(&term.offer_term_code.as_str()));
    let dimension = term
        .into_iter()
        .flat_map(|term| term.price_dimensions.values())
        .find(|dimension| matches!(dimension.begin_range.as_str(), "0" | ""))
        .ok_or("it has no on-demand term with a price")?;
    let wanted = unit(item);
    if !wanted.contains(&dimension.unit.as_str()) {
        return Err(format!("its unit is {:?}, not {}", dimension.unit, wanted.join(" or ")));
    }
    amount(item, dimension.price_per_unit.iter().map(|(currency, text)| (currency.as_str(), text.as_str())))
}

/// The units in which an item is sold.
fn unit(item: &Item) -> &'static [&'static str] {
    match item {
        Item::Disk { .. } => &["GB-Mo"],
        Item::Instance { .. } | Item::Service { .. } => &["Hrs", "Hours", "hours"],
    }
}

/// The same, out of the fields of a line of the CSV form.
pub(crate) fn priced_line(
    item: &Item,
    unit_text: &str,
    currency: &str,
    text: &str,
) -> Result<PicoUsd, String> {
    let wanted = unit(item);
    if !wanted.contains(&unit_text) {
        return Err(format!("its unit is {unit_text:?}, not {}", wanted.join(" or ")));
    }
    amount(item, [(currency, text)].into_iter())
}

fn amount<'a>(item: &Item, mut amounts: impl Iterator<Item = (&'a str, &'a str)>) -> Result<PicoUsd, String> {
    let mut other = None;
    let text = amounts
        .find_map(|(currency, text)| {
            if currency == "USD" {
                return Some(text);
            }
            other = Some(currency);
            None
        })
        .ok_or_else(|| other.map_or_else(|| "it names no price".to_owned(), other_currency))?;
    let price = price_text(text)?;
    if matches!(item, Item::Disk { .. }) { Ok(price) } else { sensible_hour(price) }
}

/// A product with its terms, as a quote.
pub(crate) fn quote(
    reading: &Reading,
    product: &Product,
    item: Item,
    terms: &Terms,
) -> Result<Quote, String> {
    let region = product.region();
    if region.is_empty() {
        return Err(format!("its region is not known: {:?}", product.attributes.location));
    }
    let price = price(&item, terms)?;
    Ok(reading.quote(region, item, price))
}

/// Regions by the names for people that lists before 2021 used instead of a code.
pub(crate) fn region_of_location(location: &str) -> &'static str {
    match location {
        "US East (N. Virginia)" => "us-east-1",
        "US East (Ohio)" => "us-east-2",
        "US West (N. California)" => "us-west-1",
        "US West (Oregon)" => "us-west-2",
        "Canada (Central)" => "ca-central-1",
        "EU (Ireland)" => "eu-west-1",
        "EU (London)" => "eu-west-2",
        "EU (Paris)" => "eu-west-3",
        "EU (Frankfurt)" => "eu-central-1",
        "EU (Stockholm)" => "eu-north-1",
        "EU (Milan)" => "eu-south-1",
        "Asia Pacific (Tokyo)" => "ap-northeast-1",
        "Asia Pacific (Seoul)" => "ap-northeast-2",
        "Asia Pacific (Osaka)" | "Asia Pacific (Osaka-Local)" => "ap-northeast-3",
        "Asia Pacific (Singapore)" => "ap-southeast-1",
        "Asia Pacific (Sydney)" => "ap-southeast-2",
        "Asia Pacific (Mumbai)" => "ap-south-1",
        "Asia Pacific (Hong Kong)" => "ap-east-1",
        "South America (Sao Paulo)" => "sa-east-1",
        "Africa (Cape Town)" => "af-south-1",
        "Middle East (Bahrain)" => "me-south-1",
        _ => "",
    }
}
