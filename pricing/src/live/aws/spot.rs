//! `DescribeSpotPriceHistory`: what spot machines cost in each zone just now.

use std::collections::BTreeMap;
use std::sync::Arc;

use nightcap_core::cluster::CapacityType;
use nightcap_core::units::PicoUsd;

use super::SPOT_HISTORY;
use crate::live::quote::{instance, price_text, sensible_hour};
use crate::live::xml::Items;
use crate::live::{LiveError, Parsed, Reading, Rejected};

/// One page of an answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Page {
    /// The prices as they stand, each zone on its own.
    pub points: Vec<Point>,
    /// Items that are none.
    pub rejected: Vec<Rejected>,
    /// How the next page is asked for; none at the end.
    pub next_token: Option<String>,
}

/// What a type costs in a zone, from an instant on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Point {
    /// Instance type.
    pub instance_type: Arc<str>,
    /// Zone.
    pub zone: String,
    /// Since when, as the answer writes it: RFC 3339 in UTC, so that texts sort as instants do.
    pub since: String,
    /// Dollars per hour.
    pub price: PicoUsd,
}

/// The query that asks for the prices in force at `now`, an RFC 3339 instant.
pub fn query<'a>(
    instance_types: impl Iterator<Item = &'a str>,
    now: &str,
    next_token: Option<&str>,
) -> Vec<(String, String)> {
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let mut query = vec![
        pair("Action", "DescribeSpotPriceHistory"),
        pair("Version", "2016-11-15"),
        pair("ProductDescription.1", "Linux/UNIX"),
        pair("ProductDescription.2", "Linux/UNIX (Amazon VPC)"),
        pair("StartTime", now),
        pair("MaxResults", "1000"),
    ];
    for (index, name) in instance_types.enumerate() {
        query.push((format!("InstanceType.{}", index + 1), name.to_owned()));
    }
    query.extend(next_token.map(|token| pair("NextToken", token)));
    query
}

/// Reads a page. Windows and others are passed over.
pub fn page(xml: &str) -> Result<Page, LiveError> {
    let items = Items::read(xml, "DescribeSpotPriceHistoryResponse", "item")
        .map_err(|problem| LiveError::broken("the answer of DescribeSpotPriceHistory", problem))?;
    let mut page = Page {
        points: Vec::new(),
        rejected: Vec::new(),
        next_token: items.outside.get("nextToken").filter(|token| !token.is_empty()).cloned(),
    };
    for (index, item) in items.items.iter().enumerate() {
        let field = |name: &str| item.get(name).map_or("", String::as_str);
        if !field("productDescription").starts_with("Linux/UNIX") {
            continue;
        }
        let (name, zone) = (field("instanceType"), field("availabilityZone"));
        match price_text(field("spotPrice")).and_then(sensible_hour) {
            Ok(price) if !name.is_empty() => page.points.push(Point {
                instance_type: name.into(),
                zone: zone.to_owned(),
                since: field("timestamp").to_owned(),
                price,
            }),
            Ok(_) => page.rejected.push(Rejected::new(format!("item {index}"), "it names no instance type")),
            Err(reason) => page.rejected.push(Rejected::new(format!("{name} in {zone}"), reason)),
        }
    }
    Ok(page)
}

/// One quote a type: of each zone the newest price, and of these the mean.
///
/// A node's zone would be more exact; but zones of a region differ by some percent and change places, and the mean is
/// what a group spread over them pays.
pub fn quotes(points: &[Point], region: &str, as_of: &str) -> Parsed {
    let mut newest: BTreeMap<(&str, &str), &Point> = BTreeMap::new();
    for point in points {
        let known = newest.entry((&point.instance_type, &point.zone)).or_insert(point);
        if point.since > known.since {
            *known = point;
        }
    }
    let mut zones: BTreeMap<&str, (i128, i128)> = BTreeMap::new();
    for ((name, _), point) in newest {
        let (sum, count) = zones.entry(name).or_default();
        *sum += point.price.0;
        *count += 1;
    }
    let reading = Reading::aws(SPOT_HISTORY, as_of);
    let quotes = zones.into_iter().map(|(name, (sum, count))| {
        reading.quote(region, instance(name, CapacityType::Spot), PicoUsd(sum / count))
    });
    Parsed { quotes: quotes.collect(), rejected: Vec::new() }
}
