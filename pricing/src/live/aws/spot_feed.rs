//! The spot data feed: hourly files of what each spot machine was really charged.

use std::collections::BTreeMap;
use std::io::Read;

use flate2::read::GzDecoder;
use nightcap_core::units::PicoUsd;

use crate::live::quote::{other_currency, price_text, sensible_hour};
use crate::live::{LiveError, Rejected};

/// What a file of the feed says.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Feed {
    /// Instance id to its newest charge.
    pub charges: BTreeMap<String, Charge>,
    /// Lines that cannot be used.
    pub rejected: Vec<Rejected>,
}

/// What a machine was charged for an hour.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Charge {
    /// The hour, as the feed writes it.
    pub at: String,
    /// Instance type, out of the usage type.
    pub instance_type: String,
    /// The market price of the hour, in dollars.
    pub hourly: PicoUsd,
}

/// Reads a file, compressed as it lies in the bucket, or already inflated.
pub fn read(bytes: &[u8]) -> Result<Feed, LiveError> {
    let wrong = |error: std::io::Error| LiveError::broken("the spot data feed", error);
    let mut text = String::new();
    if bytes.starts_with(&[0x1f, 0x8b]) {
        GzDecoder::new(bytes).read_to_string(&mut text).map_err(wrong)?;
    } else {
        let mut bytes = bytes;
        bytes.read_to_string(&mut text).map_err(wrong)?;
    }
    let mut columns: Vec<&str> = Vec::new();
    let mut feed = Feed::default();
    for (number, line) in text.lines().enumerate() {
        if let Some(names) = line.strip_prefix("#Fields:") {
            columns = names.split_whitespace().collect();
            continue;
        }
        if line.starts_with('#') || line.trim().is_empty() {
            continue;
        }
        let fields: Vec<&str> = line.split('\t').collect();
        let field = |name: &str| {
            columns.iter().position(|column| *column == name).and_then(|at| fields.get(at)).copied()
        };
        let row = || format!("line {}", number + 1);
        let (Some(at), Some(id), Some(usage)) = (field("Timestamp"), field("InstanceID"), field("UsageType"))
        else {
            feed.rejected.push(Rejected::new(row(), "it has fewer fields than #Fields: names"));
            continue;
        };
        match money(field("MarketPrice").unwrap_or_default()) {
            Ok(hourly) => {
                let instance_type = usage.rsplit(':').next().unwrap_or_default().to_owned();
                let charge = Charge { at: at.to_owned(), instance_type, hourly };
                let known = feed.charges.entry(id.to_owned()).or_insert_with(|| charge.clone());
                if charge.at > known.at {
                    *known = charge;
                }
            }
            Err(reason) => feed.rejected.push(Rejected::new(row(), reason)),
        }
    }
    if columns.is_empty() {
        return Err(LiveError::broken("the spot data feed", "it has no line #Fields:"));
    }
    Ok(feed)
}

/// `0.0142000000 USD`: the currency is part of the value.
fn money(text: &str) -> Result<PicoUsd, String> {
    match text.split_once(' ') {
        Some((amount, "USD")) => price_text(amount).and_then(sensible_hour),
        Some((_, currency)) => Err(other_currency(currency)),
        None => Err(format!("{text:?} is no amount with a currency")),
    }
}
