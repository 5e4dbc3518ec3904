//! The bulk price list as CSV: some lines about the file, then a header whose columns differ from region to region.

use std::collections::HashMap;
use std::io::Read;

use csv::{ReaderBuilder, StringRecord};

use super::PRICE_LIST;
use super::bulk::Filter;
use super::offer::{Attributes, Product, priced_line};
use crate::live::{LiveError, Parsed, Quote, Reading, Rejected};

const WHAT: &str = "the AWS price list (CSV)";
/// The header comes after five lines; a file without one is not read to its end.
const LOOK_FOR_HEADER: usize = 50;

/// Reads it line by line; reservations and everything else that is no on-demand price is passed over.
pub fn read(input: impl Read, filter: &Filter, as_of: &str) -> Result<Parsed, LiveError> {
    let reading = Reading::aws(PRICE_LIST, as_of);
    let mut lines = ReaderBuilder::new().has_headers(false).flexible(true).from_reader(input);
    let mut header: Option<HashMap<String, usize>> = None;
    let mut parsed = Parsed::default();
    for (number, line) in lines.records().enumerate() {
        let line = line.map_err(|error| LiveError::broken(WHAT, error))?;
        let Some(columns) = &header else {
            if line.get(0) == Some("SKU") {
                header = Some(line.iter().enumerate().map(|(at, name)| (name.to_owned(), at)).collect());
            } else if number > LOOK_FOR_HEADER {
                break;
            }
            continue;
        };
        let field = |name: &str| field(&line, columns, name);
        match read_line(&reading, filter, &field) {
            Ok(quote) => parsed.quotes.extend(quote),
            Err(reason) => parsed.rejected.push(Rejected::new(field("SKU"), reason)),
        }
    }
    if header.is_none() {
        return Err(LiveError::broken(WHAT, "no line begins with \"SKU\", so there is no header"));
    }
    Ok(parsed)
}

fn field<'a>(line: &'a StringRecord, columns: &HashMap<String, usize>, name: &str) -> &'a str {
    columns.get(name).and_then(|at| line.get(*at)).unwrap_or_default()
}

fn read_line<'a>(
    reading: &Reading,
    filter: &Filter,
    field: &impl Fn(&str) -> &'a str,
) -> Result<Option<Quote>, String> {
    if field("TermType") != "OnDemand" {
        return Ok(None);
    }
    let text = |name| field(name).to_owned();
    let product = Product {
        sku: text("SKU"),
        family: text("Product Family"),
        attributes: Attributes {
            region_code: text("Region Code"),
            location: text("Location"),
            instance_type: text("Instance Type"),
            operating_system: text("Operating System"),
            pre_installed_sw: text("Pre Installed S/W"),
            capacity_status: text("CapacityStatus"),
            market_option: text("MarketOption"),
            tenancy: text("Tenancy"),
            usage_type: text("usageType"),
            volume_api_name: text("Volume API Name"),
        },
    };
    let Some(item) = product.item().filter(|item| filter.wants(item)) else { return Ok(None) };
    if product.region().is_empty() {
        return Err(format!("its region is not known: {:?}", product.attributes.location));
    }
    let price = priced_line(&item, field("Unit"), field("Currency"), field("PricePerUnit"))?;
    Ok(Some(reading.quote(product.region(), item, price)))
}
