//! What sleep saves: the requests that are freed × the price of the cluster's resources × the time asleep.
//!
//! This is what the team does not pay for. Whether a machine really went is another number, counted apart.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::hours::{Hours, by_hour};
use super::row::{ByResource, Hour, ResourceHours, SavedRow};
use super::split::share;
use super::{Ledger, ResourceRates};
use crate::cluster::{Attribution, WorkloadKey};
use crate::units::{Cost, Instant, Rate, Resource, Resources, Window};

/// What a unit of each resource costs in this cluster now, as prices and capacities of all its nodes together.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
pub struct ClusterPrice {
    /// Prices of all nodes together.
    pub rates: ResourceRates,
    /// Capacities of all nodes together.
    pub capacity: Resources,
}

impl ClusterPrice {
    /// What `requests` cost per hour, resource by resource.
    pub fn rates_of(&self, requests: Resources) -> [Rate; 3] {
        Resource::ALL.map(|r| {
            if self.capacity.get(r) == 0 {
                return Rate(0);
            }
            // `sum: 0`: not scaled down, this is the price of what is not there.
            share(self.rates.get(r), requests.get(r), 0, self.capacity.get(r))
        })
    }

    /// What `requests` cost per hour, all together.
    pub fn rate_of(&self, requests: Resources) -> Rate {
        self.rates_of(requests).into_iter().sum()
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct Sleeper {
    attribution: Arc<Attribution>,
    policy: Arc<str>,
    freed: Resources,
    /// From here it is not yet counted.
    counted: Instant,
    /// Begin of the row that is being counted.
    row_start: Instant,
    cost: [Cost; 3],
    held: ResourceHours,
}

/// The savings ledger: one sleeper per workload that is asleep by our mark.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Savings {
    sleepers: BTreeMap<WorkloadKey, Sleeper>,
}

impl Savings {
    /// A workload sleeps since `since`. Known already: its freed requests are brought up to date.
    pub fn asleep(
        &mut self,
        key: &WorkloadKey,
        attribution: &Arc<Attribution>,
        policy: &Arc<str>,
        freed: Resources,
        since: Instant,
    ) {
        match self.sleepers.get_mut(key) {
            Some(sleeper) => {
                sleeper.freed = freed;
                sleeper.attribution = Arc::clone(attribution);
            }
            None => {
                let sleeper = Sleeper {
                    attribution: Arc::clone(attribution),
                    policy: Arc::clone(policy),
                    freed,
                    counted: since,
                    row_start: since,
                    cost: [Cost(0); 3],
                    held: ResourceHours::default(),
                };
                self.sleepers.insert(key.clone(), sleeper);
            }
        }
    }

    /// A workload is awake again since `at`, or gone.
    pub fn awake(&mut self, key: &WorkloadKey, price: ClusterPrice, at: Instant, hours: &mut Hours) {
        if let Some(mut sleeper) = self.sleepers.remove(key) {
            sleeper.count(price, at, hours);
            if let Some(row) = sleeper.row() {
                hours.add_saved(row);
            }
        }
    }

    /// All that are counted as asleep.
    pub(super) fn keys(&self) -> impl Iterator<Item = &WorkloadKey> {
        self.sleepers.keys()
    }

    /// Whether it is counted as asleep.
    pub fn is_asleep(&self, key: &WorkloadKey) -> bool {
        self.sleepers.contains_key(key)
    }

    /// Counts all sleepers up to `now`; hours that ended are closed.
    pub fn count(&mut self, price: ClusterPrice, now: Instant, hours: &mut Hours) {
        for sleeper in self.sleepers.values_mut() {
            sleeper.count(price, now, hours);
        }
    }

    /// The rows of the open hour.
    pub(super) fn open_rows(&self) -> impl Iterator<Item = SavedRow> {
        self.sleepers.values().filter_map(Sleeper::row)
    }
}

impl Sleeper {
    fn count(&mut self, price: ClusterPrice, now: Instant, hours: &mut Hours) {
        let rates = price.rates_of(self.freed);
        for span in by_hour(Window::new(self.counted, now)) {
            for (cost, rate) in self.cost.iter_mut().zip(rates) {
                *cost += rate.over(span.length());
            }
            self.held += ResourceHours::of(self.freed, span.length().as_hours());
            self.counted = span.end;
            if span.end == span.end.hour() {
                if let Some(row) = self.row() {
                    hours.add_saved(row);
                }
                self.row_start = span.end;
                self.cost = [Cost(0); 3];
                self.held = ResourceHours::default();
            }
        }
    }

    fn row(&self) -> Option<SavedRow> {
        (self.counted > self.row_start).then(|| SavedRow {
            attribution: Arc::clone(&self.attribution),
            policy: Arc::clone(&self.policy),
            window: Window::new(self.row_start, self.counted),
            saved: ByResource::from_array(self.cost.map(Cost::floor_pico)),
            freed: self.held,
        })
    }
}

impl Ledger {
    /// Adds the savings of the open hour to its provisional picture.
    pub(super) fn add_open_savings(savings: &Savings, hours: &mut BTreeMap<Instant, Hour>) {
        for row in savings.open_rows() {
            let start = row.window.start.hour();
            let hour = hours.entry(start).or_insert_with(|| Hour::new(start));
            hour.open = true;
            hour.saved.push(row);
        }
    }
}
