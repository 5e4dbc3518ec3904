//! The bulk price list: 450 MB for a large region, read in one pass and never held.
//!
//! Products come before terms, and on-demand terms before reserved ones; so the reader keeps the few products that
//! matter, finds their prices, and stops: the rest is not even downloaded.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::io::Read;
use std::sync::Arc;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};

use super::PRICE_LIST;
use super::offer::{Product, Terms, quote};
use crate::live::{Item, LiveError, Parsed, Reading, Rejected};

/// What ends the reading when everything wanted has passed.
const DONE: &str = "everything wanted has been read";

/// Which products of a file matter.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Filter {
    /// These instance types; `None` for all.
    pub instance_types: Option<BTreeSet<Arc<str>>>,
}

impl Filter {
    pub(crate) fn wants(&self, item: &Item) -> bool {
        match (item, &self.instance_types) {
            (Item::Instance { instance_type, .. }, Some(types)) => types.contains(instance_type),
            _ => true,
        }
    }
}

/// Reads a price list of one region as it comes, and stops as soon as the on-demand terms are over.
pub fn read(input: impl Read, filter: &Filter, as_of: &str) -> Result<Parsed, LiveError> {
    let mut state = State {
        reading: Reading::aws(PRICE_LIST, as_of),
        filter,
        products: HashMap::new(),
        parsed: Parsed::default(),
        has_terms: false,
        done: false,
    };
    let mut json = serde_json::Deserializer::from_reader(input);
    let result = Whole(&mut state).deserialize(&mut json);
    match result {
        Err(error) if !state.done => Err(LiveError::broken("the AWS price list", error)),
        _ if !state.has_terms => {
            Err(LiveError::broken("the AWS price list", "it has no on-demand terms after its products"))
        }
        _ => {
            for (sku, (_, item)) in state.products {
                // A wanted product without any offer.
                state.parsed.rejected.push(Rejected::new(sku, format!("{item} has no on-demand price")));
            }
            state.parsed.rejected.sort_by(|a, b| a.row.cmp(&b.row));
            Ok(state.parsed)
        }
    }
}

struct State<'a> {
    reading: Reading,
    filter: &'a Filter,
    products: HashMap<String, (Product, Item)>,
    parsed: Parsed,
    has_terms: bool,
    done: bool,
}

/// The file itself.
struct Whole<'a, 'b>(&'a mut State<'b>);

impl<'de> DeserializeSeed<'de> for Whole<'_, '_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Whole<'_, '_> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an AWS price list")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "products" => map.next_value_seed(Products(self.0))?,
                "terms" => map.next_value_seed(AllTerms(self.0))?,
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}

struct Products<'a, 'b>(&'a mut State<'b>);

impl<'de> DeserializeSeed<'de> for Products<'_, '_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Products<'_, '_> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("products by SKU")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(sku) = map.next_key::<String>()? {
            // One product at a time; a broken one hurts only itself.
            let value: serde_json::Value = map.next_value()?;
            match Product::deserialize(&value) {
                Ok(product) => {
                    if let Some(item) = product.item().filter(|item| self.0.filter.wants(item)) {
                        self.0.products.insert(sku, (product, item));
                    }
                }
                Err(error) => {
                    self.0.parsed.rejected.push(Rejected::new(sku, format!("cannot be read: {error}")));
                }
            }
        }
        Ok(())
    }
}

/// `OnDemand`, `Reserved` and whatever comes.
struct AllTerms<'a, 'b>(&'a mut State<'b>);

impl<'de> DeserializeSeed<'de> for AllTerms<'_, '_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for AllTerms<'_, '_> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("terms by kind")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(kind) = map.next_key::<String>()? {
            if kind == "OnDemand" {
                map.next_value_seed(OnDemand(self.0))?;
                self.0.has_terms = true;
                self.0.done = true;
                return Err(A::Error::custom(DONE));
            }
            map.next_value::<IgnoredAny>()?;
        }
        Ok(())
    }
}

struct OnDemand<'a, 'b>(&'a mut State<'b>);

impl<'de> DeserializeSeed<'de> for OnDemand<'_, '_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for OnDemand<'_, '_> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("terms by SKU")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(sku) = map.next_key::<String>()? {
            let Some((product, item)) = self.0.products.remove(&sku) else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            let value: serde_json::Value = map.next_value()?;
            let found = Terms::deserialize(&value)
                .map_err(|error| format!("its terms cannot be read: {error}"))
                .and_then(|terms| quote(&self.0.reading, &product, item, &terms));
            match found {
                Ok(quote) => self.0.parsed.quotes.push(quote),
                Err(reason) => self.0.parsed.rejected.push(Rejected::new(sku, reason)),
            }
        }
        Ok(())
    }
}
