//! `GetProducts`: the price of just the types that are there, a few kilobytes each.

use serde::Deserialize;
use serde_json::{Value, json};

use super::PRICE_LIST;
use super::offer::{Product, Terms, quote};
use crate::live::{LiveError, Parsed, Reading, Rejected};

/// One page of an answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Page {
    /// What it holds.
    pub parsed: Parsed,
    /// How the next page is asked for; none at the end.
    pub next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    #[serde(default)]
    price_list: Vec<Value>,
    next_token: Option<String>,
}

#[derive(Deserialize)]
struct Entry {
    product: Product,
    #[serde(default)]
    terms: EntryTerms,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct EntryTerms {
    #[serde(rename = "OnDemand")]
    on_demand: Terms,
}

/// The body that asks for one instance type.
///
/// Bare metal is sold under a family of its own, which its name tells.
pub fn instance_request(region: &str, instance_type: &str, next_token: Option<&str>) -> String {
    let family =
        if instance_type.contains("metal") { "Compute Instance (bare metal)" } else { "Compute Instance" };
    let filters = [
        ("regionCode", region),
        ("instanceType", instance_type),
        ("operatingSystem", "Linux"),
        ("preInstalledSw", "NA"),
        ("capacitystatus", "Used"),
        ("marketoption", "OnDemand"),
        ("tenancy", "Shared"),
        ("productFamily", family),
    ];
    request("AmazonEC2", &filters, next_token)
}

/// The body that asks for the volumes of a region.
pub fn volume_request(region: &str, next_token: Option<&str>) -> String {
    request("AmazonEC2", &[("regionCode", region), ("productFamily", "Storage")], next_token)
}

fn request(service: &str, filters: &[(&str, &str)], next_token: Option<&str>) -> String {
    let filters: Vec<Value> = filters
        .iter()
        .map(|(field, value)| json!({"Type": "TERM_MATCH", "Field": field, "Value": value}))
        .collect();
    let mut body =
        json!({"ServiceCode": service, "Filters": filters, "FormatVersion": "aws_v1", "MaxResults": 100});
    if let (Some(token), Some(body)) = (next_token, body.as_object_mut()) {
        body.insert("NextToken".to_owned(), token.into());
    }
    body.to_string()
}

/// Reads a page: a list of JSON texts, each of which is a product with its terms.
pub fn page(body: &str, as_of: &str) -> Result<Page, LiveError> {
    let answer: Answer =
        serde_json::from_str(body).map_err(|error| LiveError::broken("the answer of GetProducts", error))?;
    let reading = Reading::aws(PRICE_LIST, as_of);
    let mut parsed = Parsed::default();
    for (index, entry) in answer.price_list.iter().enumerate() {
        match read(&reading, entry) {
            Ok(Some(quote)) => parsed.quotes.push(quote),
            Ok(None) => {}
            Err((row, reason)) => {
                let row = row.unwrap_or_else(|| format!("PriceList[{index}]"));
                parsed.rejected.push(Rejected::new(row, reason));
            }
        }
    }
    Ok(Page { parsed, next_token: answer.next_token.filter(|token| !token.is_empty()) })
}

fn read(reading: &Reading, entry: &Value) -> Result<Option<crate::live::Quote>, (Option<String>, String)> {
    let wrong = |error: serde_json::Error| (None, format!("cannot be read: {error}"));
    // Some proxies hand the texts through as the objects they hold.
    let entry: Entry = match entry {
        Value::String(text) => serde_json::from_str(text).map_err(wrong)?,
        object => Entry::deserialize(object).map_err(wrong)?,
    };
    let Some(item) = entry.product.item() else { return Ok(None) };
    quote(reading, &entry.product, item, &entry.terms.on_demand)
        .map(Some)
        .map_err(|reason| (Some(entry.product.sku), reason))
}
