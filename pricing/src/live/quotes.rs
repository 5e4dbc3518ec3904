//! Quotes in memory, ready to be asked.

use std::collections::BTreeMap;
use std::sync::Arc;

use nightcap_core::cluster::{CapacityType, Provider};
use nightcap_core::units::{Instant, Millis};

use super::quote::{disk, instance};
use super::{Item, LiveTimes, Quote, day};

/// Provider, region and item in lower case: Azure repeats what its user typed.
type Key = (Provider, String, Item);

/// The newest quote of every item.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Quotes(BTreeMap<Key, Quote>);

impl Quotes {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of them, sorted by provider, region and item.
    pub fn iter(&self) -> impl Iterator<Item = &Quote> {
        self.0.values()
    }

    /// Takes one in, unless a newer one is there.
    pub fn insert(&mut self, quote: Quote) {
        let key = key(quote.provider, &quote.region, &quote.item);
        if self.0.get(&key).is_none_or(|known| known.as_of <= quote.as_of) {
            self.0.insert(key, quote);
        }
    }

    /// Those that are still good at `now`: spot prices move by the hour, list prices by the year.
    #[must_use]
    pub(crate) fn fresh(&self, now: Instant, times: LiveTimes) -> Self {
        let oldest = |age: Millis| day(Instant(now.0.saturating_sub(age.0)));
        let (list, spot) = (oldest(times.max_age), oldest(times.spot_max_age));
        let is_spot = |item: &Item| matches!(item, Item::Instance { capacity_type: CapacityType::Spot, .. });
        let fresh = self.0.iter().filter(|(_, quote)| {
            let oldest = if is_spot(&quote.item) { &spot } else { &list };
            *quote.as_of >= **oldest
        });
        Self(fresh.map(|(key, quote)| (key.clone(), quote.clone())).collect())
    }

    /// The price of a machine.
    pub fn instance(
        &self,
        provider: Provider,
        region: &str,
        instance_type: &str,
        capacity_type: CapacityType,
    ) -> Option<&Quote> {
        self.get(provider, region, &instance(instance_type, capacity_type))
    }

    /// The price of a kind of disk.
    pub fn disk(&self, provider: Provider, region: &str, storage_type: &str) -> Option<&Quote> {
        self.get(provider, region, &disk(storage_type))
    }

    /// The price of a service.
    pub fn service(&self, provider: Provider, region: &str, service: &str) -> Option<&Quote> {
        self.get(provider, region, &Item::Service { service: service.into() })
    }

    fn get(&self, provider: Provider, region: &str, item: &Item) -> Option<&Quote> {
        if self.0.is_empty() {
            return None; // most books have none, and each node asks
        }
        self.0.get(&key(provider, region, item))
    }
}

impl FromIterator<Quote> for Quotes {
    fn from_iter<I: IntoIterator<Item = Quote>>(quotes: I) -> Self {
        let mut all = Self::default();
        quotes.into_iter().for_each(|quote| all.insert(quote));
        all
    }
}

fn key(provider: Provider, region: &str, item: &Item) -> Key {
    let lower = |text: &Arc<str>| Arc::from(text.to_ascii_lowercase());
    let item = match item {
        Item::Instance { instance_type, capacity_type } => {
            Item::Instance { instance_type: lower(instance_type), capacity_type: *capacity_type }
        }
        Item::Disk { storage_type } => Item::Disk { storage_type: lower(storage_type) },
        Item::Service { service } => Item::Service { service: lower(service) },
    };
    (provider, region.to_ascii_lowercase(), item)
}
