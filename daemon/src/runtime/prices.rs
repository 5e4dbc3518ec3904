//! Prices that change while the daemon runs: the last good ones at the start, then what the providers and the CSV say.
//!
//! Nothing here is waited for. Nodes are priced at once with what is known; when something better comes, they are
//! priced again.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use nightcap_core::cluster::{Node, NodeFacts, Provider, Volume, VolumeFacts};
use nightcap_core::engine::Event;
use nightcap_core::money::{AssetPricer, EgressPrices, NodePrice, NodePricer};
use nightcap_core::units::{Bytes, Instant, Millis, Resources};
use nightcap_pricing::live::gcp::Shapes;
use nightcap_pricing::live::store::Store;
use nightcap_pricing::live::{
    Outcome, RealPause, Refresher, Rejected, Surroundings, Wanted, providers, wanted,
};
use nightcap_pricing::{CsvPrices, PriceBook, PriceError, PriceSettings};
use tokio_util::sync::CancellationToken;

use super::{Clock, Handle};

/// How often is looked whether something is due.
const LOOK: Duration = Duration::from_mins(1);
/// After a failure, and for new types of nodes, it is asked again no sooner.
const SOONEST: Millis = Millis::from_minutes(10);
/// Rows that are no prices are told one by one up to so many.
const TOLD: usize = 10;

/// The price book in force; a refresh puts another one in its place.
#[derive(Debug)]
pub struct SharedBook(RwLock<Arc<PriceBook>>);

impl SharedBook {
    fn new(book: PriceBook) -> Self {
        Self(RwLock::new(Arc::new(book)))
    }

    /// The book as it is now. It stays whole whatever a writer did, so a poisoned lock is no reason to stop.
    pub fn book(&self) -> Arc<PriceBook> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn replace(&self, book: PriceBook) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(book);
    }
}

impl NodePricer for SharedBook {
    fn price(&self, facts: &NodeFacts, capacity: Resources) -> NodePrice {
        self.book().price(facts, capacity)
    }

    fn price_node(&self, node: &Node) -> NodePrice {
        self.book().price_node(node)
    }
}

impl AssetPricer for SharedBook {
    fn volume(&self, facts: &VolumeFacts, capacity: Bytes) -> NodePrice {
        AssetPricer::volume(&*self.book(), facts, capacity)
    }

    fn price_volume(&self, volume: &Volume) -> NodePrice {
        self.book().price_volume(volume)
    }

    fn load_balancer(&self, provider: Provider, region: &str, class: &str) -> NodePrice {
        AssetPricer::load_balancer(&*self.book(), provider, region, class)
    }

    fn control_plane(&self, provider: Provider, region: &str) -> NodePrice {
        AssetPricer::control_plane(&*self.book(), provider, region)
    }

    fn egress(&self, provider: Provider, region: &str) -> EgressPrices {
        AssetPricer::egress(&*self.book(), provider, region)
    }
}

/// Where prices come from besides the embedded table.
#[derive(Debug)]
pub struct Prices {
    /// What nodes are priced by.
    pub book: Arc<SharedBook>,
    /// Labels of nodes that rules and the CSV look at.
    pub node_labels: BTreeSet<String>,
    settings: PriceSettings,
    refresher: Refresher,
    csv: Option<CsvPrices>,
    clock: Clock,
}

impl Prices {
    /// The embedded table, the CSV and the last good copy below `data_dir`. Asks nobody; what is wrong with files is
    /// logged, and the rest is used.
    pub fn start(
        settings: &PriceSettings,
        data_dir: Option<&Path>,
        clock: &Clock,
    ) -> Result<Self, PriceError> {
        let embedded = PriceBook::embedded(settings)?;
        let (sources, problems) = providers(&settings.live, &surroundings(&embedded, clock));
        let (refresher, unusable) = Refresher::new(sources, data_dir.map(Store::new));
        for problem in problems.iter().chain(&unusable) {
            tracing::warn!(%problem, "Prices of a provider cannot be used.");
        }
        let csv = settings.csv.as_deref().and_then(read_csv);
        let mut node_labels: BTreeSet<String> = settings.node_labels().map(str::to_owned).collect();
        node_labels.extend(csv.iter().flat_map(CsvPrices::node_labels).map(str::to_owned));
        let mut book = embedded.with_quotes(&refresher.quotes(), clock.now());
        if let Some(csv) = &csv {
            book = book.with_csv(csv.clone());
        }
        let book = Arc::new(SharedBook::new(book));
        Ok(Self { book, node_labels, settings: settings.clone(), refresher, csv, clock: clock.clone() })
    }

    /// Keeps prices fresh until `stop`. Ends at once where there is nothing to keep fresh.
    pub async fn keep_fresh(mut self, handle: Handle, stop: CancellationToken) {
        if !self.settings.live.any() && self.settings.csv.is_none() {
            return;
        }
        let mut due = Due { every: self.settings.live.refresh_every(), last: None, complete: true };
        let mut asked: BTreeSet<Wanted> = BTreeSet::new();
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(if due.last.is_none() { Duration::from_secs(1) } else { LOOK }) => {}
            }
            let Ok(snapshot) = handle.snapshot().await else { return };
            let now = self.clock.now();
            let needs: Vec<Wanted> = wanted(snapshot.nodes.iter().map(|view| &view.node.facts));
            let new_needs = needs.iter().any(|need| !asked.contains(need));
            let mut changed = self.read_csv_again();
            if !needs.is_empty() && self.settings.live.any() && due.is(now, new_needs) {
                let outcomes = tokio::select! {
                    () = stop.cancelled() => return,
                    outcomes = self.refresher.refresh(&needs, now) => outcomes,
                };
                outcomes.iter().for_each(tell);
                due = Due { last: Some(now), complete: outcomes.iter().all(Outcome::is_complete), ..due };
                asked = needs.into_iter().collect();
                changed = true;
            }
            if changed {
                self.renew(now);
                if self.price_again(&handle).await.is_err() {
                    return;
                }
            }
        }
    }

    fn read_csv_again(&mut self) -> bool {
        let Some(read) = self.settings.csv.as_deref().and_then(read_csv) else { return false };
        let changed = self.csv.as_ref() != Some(&read);
        self.csv = Some(read);
        changed
    }

    fn renew(&self, now: Instant) {
        let mut book = self.book.book().with_quotes(&self.refresher.quotes(), now);
        if let Some(csv) = &self.csv {
            book = book.with_csv(csv.clone());
        }
        self.book.replace(book);
    }

    /// Tells the engine the price of each node that has another one now.
    async fn price_again(&self, handle: &Handle) -> Result<(), super::HandleError> {
        let book = self.book.book();
        for view in &handle.snapshot().await?.nodes {
            let price = book.price_node(&view.node);
            if view.price.as_deref() != Some(&price) {
                handle.event(Event::NodePriced { uid: Arc::clone(&view.node.uid), price }).await?;
            }
        }
        Ok(())
    }
}

/// What the providers need of this process.
pub fn surroundings(book: &PriceBook, clock: &Clock) -> Surroundings {
    let (book, clock) = (book.clone(), clock.clone());
    let shapes: Shapes = Arc::new(move |name: &str| book.shape(Provider::Gcp, name));
    Surroundings {
        variable: Arc::new(|name: &str| std::env::var(name).ok()),
        now: Arc::new(move || clock.now()),
        pause: Arc::new(RealPause),
        shapes,
    }
}

/// The file's prices; what is wrong with it is logged, and what was read before stays in force.
fn read_csv(path: &Path) -> Option<CsvPrices> {
    match CsvPrices::read(path) {
        Ok((prices, rejected)) => {
            tell_rejected(&path.display().to_string(), &rejected);
            Some(prices)
        }
        Err(problem) => {
            tracing::warn!(%problem, "The CSV of prices cannot be used; what was known before stays in force.");
            None
        }
    }
}

/// When the providers are asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Due {
    every: Millis,
    last: Option<Instant>,
    /// Whether the last round was answered in full.
    complete: bool,
}

impl Due {
    fn is(self, now: Instant, new_needs: bool) -> bool {
        let Some(last) = self.last else { return true };
        let since = now.since(last);
        since >= self.every || (since >= SOONEST && (new_needs || !self.complete)) || since < Millis(0)
    }
}

/// Says how a round went, each failure once.
fn tell(outcome: &Outcome) {
    let source = outcome.source;
    for (region, problem) in &outcome.failures {
        tracing::warn!(source, region, %problem, "Prices could not be refreshed; those known before stay in force.");
    }
    if let Some(problem) = &outcome.not_saved {
        tracing::warn!(source, %problem, "The last good prices were not saved.");
    }
    tell_rejected(source, &outcome.rejected);
    tracing::info!(source, prices = outcome.fetched, "Prices were refreshed.");
}

fn tell_rejected(source: &str, rejected: &[Rejected]) {
    for Rejected { row, reason } in rejected.iter().take(TOLD) {
        tracing::warn!(source, row, reason, "A row is no price; the others are used.");
    }
    if rejected.len() > TOLD {
        tracing::warn!(source, rows = rejected.len() - TOLD, "More rows are no prices.");
    }
}

#[cfg(test)]
mod tests {
    use nightcap_pricing::live::{LiveSettings, Quotes};

    use super::*;
    use crate::runtime::Input;
    use crate::test_cluster;

    fn prices(csv: &Path) -> Prices {
        let settings = PriceSettings { csv: Some(csv.to_owned()), ..PriceSettings::default() };
        Prices::start(&settings, None, &Clock::system()).unwrap()
    }

    #[tokio::test]
    async fn nodes_are_priced_again_when_their_prices_change_and_a_broken_file_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let csv = folder.path().join("prices.csv");
        let mut prices = prices(&csv);
        // It is not there yet: nodes are priced by the table.
        assert!(!prices.read_csv_again());

        let head = "EndTimestamp,InstanceID,Region,AssetClass,InstanceIDField,InstanceType,MarketPriceHourly,Version\n";
        std::fs::write(&csv, format!("{head},,eu-central-1,node,,m5.xlarge,0.5,\n")).unwrap();
        assert!(prices.read_csv_again());
        assert!(!prices.read_csv_again());
        prices.renew(test_cluster::now());

        let (inputs, mut queue) = tokio::sync::mpsc::channel(64);
        let handle = Handle::new(inputs, Clock::system());
        let telling = tokio::spawn(async move { prices.price_again(&handle).await.map(|()| prices) });
        let snapshot = test_cluster::snapshot();
        let mut told = Vec::new();
        while let Some(input) = queue.recv().await {
            match input {
                Input::Read(answer) => answer.send(Arc::clone(&snapshot)).unwrap(),
                Input::Event(Event::NodePriced { uid, price }) => {
                    told.push((uid, price.hourly.usd_per_hour()));
                }
                other => unreachable!("{other:?}"),
            }
        }
        let nodes: Vec<_> = snapshot.nodes.iter().map(|view| (Arc::clone(&view.node.uid), 0.5)).collect();
        assert_eq!(told, nodes);

        let mut prices = telling.await.unwrap().unwrap();
        std::fs::write(&csv, "nonsense").unwrap();
        assert!(!prices.read_csv_again());
        assert!(prices.csv.is_some());
        prices.renew(test_cluster::now());
        let node = &snapshot.nodes[0].node;
        assert_eq!(&*prices.book.price_node(node).source.id, "csv");
    }

    #[test]
    fn the_start_takes_the_last_good_copy_and_asks_nobody() {
        let folder = tempfile::tempdir().unwrap();
        let today = Clock::system().now().to_rfc3339();
        let day = today.get(..10).unwrap();
        let line = format!(
            "provider,region,item,name,capacity,usd,as_of,source\naws,eu-central-1,instance,m5.xlarge,on-demand,0.7,{day},aws-price-list\n"
        );
        let store = Store::new(folder.path());
        std::fs::create_dir_all(folder.path().join("prices")).unwrap();
        std::fs::write(store.path("aws-price-list"), line).unwrap();
        let mut live = LiveSettings::default();
        live.aws.enabled = true;
        // Whoever asked would fail: the address is nobody's.
        live.aws.bulk_url = "http://127.0.0.1:1".to_owned();
        let settings = PriceSettings { live, ..PriceSettings::default() };
        let prices = Prices::start(&settings, Some(folder.path()), &Clock::system()).unwrap();
        assert_eq!(
            prices.book.book().quotes().iter().map(|quote| quote.price.usd()).collect::<Vec<_>>(),
            [0.7]
        );
        let without = Prices::start(&settings, None, &Clock::system()).unwrap();
        assert_eq!(*without.book.book().quotes(), Quotes::default());
    }

    #[test]
    fn it_is_asked_anew_in_time_and_for_new_types_and_failures_not_too_soon() {
        let minutes = |minutes| Instant(0) + Millis::from_minutes(minutes);
        let due = Due { every: Millis::from_hours(12), last: Some(minutes(0)), complete: true };
        for (due, at, new_needs, expected) in [
            (Due { last: None, ..due }, 0, false, true),
            (due, 719, false, false),
            (due, 720, false, true),
            (due, 9, true, false),
            (due, 10, true, true),
            (Due { complete: false, ..due }, 9, false, false),
            (Due { complete: false, ..due }, 10, false, true),
            // A clock that was set back does not stop it.
            (due, -1, false, true),
        ] {
            assert_eq!(due.is(minutes(at), new_needs), expected, "{due:?} {at} {new_needs}");
        }
    }
}
