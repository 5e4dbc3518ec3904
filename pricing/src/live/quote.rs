//! A price as a provider quoted it, and what is said of a row that is none.

use std::fmt;
use std::sync::Arc;

use nightcap_core::cluster::{CapacityType, Provider};
use nightcap_core::money::PriceSource;
use nightcap_core::units::{PicoUsd, Rate};

use crate::csv_text::decimal;
use crate::usual::MAX_HOURLY_USD;

/// What a quote is for.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Item {
    /// A Linux machine, shared tenancy, per hour.
    Instance {
        /// Instance type, as the provider names it.
        instance_type: Arc<str>,
        /// On demand or spot.
        capacity_type: CapacityType,
    },
    /// Block storage, per month of 730 hours: per GiB, or per whole disk where the type names a tier.
    Disk {
        /// `gp3`, `pd-ssd`, or SKU and tier such as `Premium_LRS/P10`, as the embedded table names them.
        storage_type: Arc<str>,
    },
    /// Anything else, per hour, as `tables/service_prices.csv` names it, such as `eks_control_plane`.
    Service {
        /// Its name.
        service: Arc<str>,
    },
}

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Instance { instance_type, capacity_type } => write!(f, "{instance_type} {capacity_type}"),
            Self::Disk { storage_type } => write!(f, "disk {storage_type}"),
            Self::Service { service } => f.write_str(service),
        }
    }
}

/// One price, in dollars, read from a provider.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Quote {
    /// Who sells it.
    pub provider: Provider,
    /// Region, as the provider names it.
    pub region: Arc<str>,
    /// What it is for, which also says per what.
    pub item: Item,
    /// Dollars per hour, or per month for disks.
    pub price: PicoUsd,
    /// The day it was read, as `YYYY-MM-DD`.
    pub as_of: Arc<str>,
    /// Which interface said so, such as `aws-price-list`.
    pub source: Arc<str>,
}

impl Quote {
    /// Source and day, as answers name them.
    pub(crate) fn origin(&self) -> PriceSource {
        PriceSource { id: Arc::clone(&self.source), date: Arc::clone(&self.as_of) }
    }

    /// The price of an hour, where it is one.
    pub fn hourly(&self) -> Rate {
        u64::try_from(self.price.0).map(Rate).unwrap_or_default()
    }
}

/// A row that gives no price although it should; the others are used all the same.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rejected {
    /// Which row: its SKU, meter or line.
    pub row: String,
    /// What is wrong with it, with the value.
    pub reason: String,
}

impl Rejected {
    pub(crate) fn new(row: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { row: row.into(), reason: reason.into() }
    }
}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.row, self.reason)
    }
}

/// What a payload holds. Rows of other products (Windows, reservations, other tenancies) are in neither list.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Parsed {
    /// The prices.
    pub quotes: Vec<Quote>,
    /// Rows that should have been prices.
    pub rejected: Vec<Rejected>,
}

impl Parsed {
    /// With what another payload holds.
    pub(crate) fn extend(&mut self, other: Self) {
        self.quotes.extend(other.quotes);
        self.rejected.extend(other.rejected);
    }
}

/// What every quote of one reading shares.
#[derive(Clone, Debug)]
pub(crate) struct Reading {
    pub(crate) provider: Provider,
    pub(crate) as_of: Arc<str>,
    pub(crate) source: Arc<str>,
}

impl Reading {
    pub(crate) fn quote(&self, region: &str, item: Item, price: PicoUsd) -> Quote {
        Quote {
            provider: self.provider,
            region: region.into(),
            item,
            price,
            as_of: Arc::clone(&self.as_of),
            source: Arc::clone(&self.source),
        }
    }
}

pub(crate) fn instance(instance_type: &str, capacity_type: CapacityType) -> Item {
    Item::Instance { instance_type: instance_type.into(), capacity_type }
}

pub(crate) fn disk(storage_type: &str) -> Item {
    Item::Disk { storage_type: storage_type.into() }
}

/// A decimal such as `0.0960000000` in pico-dollars, exactly; more than twelve decimals are cut.
pub(crate) fn price_text(text: &str) -> Result<PicoUsd, String> {
    let text = text.trim();
    let cut = text.find('.').map_or(text.len(), |dot| text.len().min(dot + 13));
    // The rest must be digits too: what is cut is still part of the number.
    let tail_is_number = text.get(cut..).is_some_and(|tail| tail.bytes().all(|b| b.is_ascii_digit()));
    let pico = text.get(..cut).filter(|_| tail_is_number).and_then(|head| decimal(head, 12));
    match pico {
        Some(pico) => sensible(PicoUsd(i128::from(pico)), text),
        None if text.starts_with('-') => Err(format!("the price {text} is negative")),
        None => Err(format!("{text:?} is no price")),
    }
}

/// A number out of JSON.
pub(crate) fn price_number(usd: f64) -> Result<PicoUsd, String> {
    if usd < 0.0 {
        return Err(format!("the price {usd} is negative"));
    }
    match PicoUsd::from_usd(usd) {
        Some(pico) => sensible(pico, &usd.to_string()),
        None => Err(format!("{usd} is no price")),
    }
}

/// Nothing a cluster is made of is free or costs more per hour than the dearest machine; disks of a month neither.
pub(crate) fn sensible(price: PicoUsd, text: &str) -> Result<PicoUsd, String> {
    let most = PicoUsd::from_usd(MAX_HOURLY_USD * 10.0).unwrap_or_default();
    if price.0 == 0 {
        Err(format!("the price {text} is zero"))
    } else if price > most {
        Err(format!("the price {text} is absurd: at most {} $", MAX_HOURLY_USD * 10.0))
    } else {
        Ok(price)
    }
}

/// The same, for what is paid per hour.
pub(crate) fn sensible_hour(price: PicoUsd) -> Result<PicoUsd, String> {
    let most = PicoUsd::from_usd(MAX_HOURLY_USD).unwrap_or_default();
    if price > most {
        return Err(format!("the price {} $/h is absurd: at most {MAX_HOURLY_USD} $/h", price.usd()));
    }
    Ok(price)
}

/// Says that amounts of another currency are not mixed in.
pub(crate) fn other_currency(currency: &str) -> String {
    format!(
        "the price is in {currency:?}, not in USD: mixed currencies are not added up; set a price rule with `currency` and `fx`"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_is_read_exactly_or_refused_with_its_value() {
        for (text, expected) in [
            ("0.0960000000", Ok(96_000_000_000)),
            ("32.7726000000", Ok(32_772_600_000_000)),
            ("0.0000001234567", Ok(123_456)),
            ("-0.1", Err("the price -0.1 is negative")),
            ("0.0000000000", Err("the price 0.0000000000 is zero")),
            ("99999", Err("the price 99999 is absurd: at most 10000 $")),
            ("1e-3", Err("\"1e-3\" is no price")),
            ("0.1234567890123x", Err("\"0.1234567890123x\" is no price")),
            ("", Err("\"\" is no price")),
            ("NaN", Err("\"NaN\" is no price")),
        ] {
            assert_eq!(price_text(text), expected.map(PicoUsd).map_err(str::to_owned), "{text}");
        }
        assert_eq!(price_number(0.299), Ok(PicoUsd(299_000_000_000)));
        assert_eq!(price_number(-1.0), Err("the price -1 is negative".to_owned()));
        assert_eq!(price_number(f64::INFINITY), Err("inf is no price".to_owned()));
        assert!(sensible_hour(PicoUsd::from_usd(1_001.0).unwrap()).is_err());
    }
}
