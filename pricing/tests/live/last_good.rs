//! The last good copy: written after a refresh, in force after a failure, read at the next start.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use futures::future::BoxFuture;
use nightcap_core::cluster::CapacityType::{OnDemand, Spot};
use nightcap_core::cluster::{NodeFacts, Provider};
use nightcap_core::money::{Confidence, NodePrice, NodePricer, PriceSource};
use nightcap_core::units::{Bytes, Cpu, Gpu, Instant, Millis, PicoUsd, Rate, Resources};
use nightcap_pricing::live::store::Store;
use nightcap_pricing::live::{Fetched, LiveError, LivePrices, Parsed, Quote, Refresher, Wanted};
use nightcap_pricing::{PriceBook, PriceSettings};

use super::{NOW, instance, wanted};

fn quote(name: &str, capacity_type: nightcap_core::cluster::CapacityType, usd: f64, as_of: &str) -> Quote {
    Quote {
        provider: Provider::Aws,
        region: "us-east-1".into(),
        item: instance(name, capacity_type),
        price: PicoUsd::from_usd(usd).unwrap(),
        as_of: as_of.into(),
        source: "aws-price-list".into(),
    }
}

/// Answers the first time, fails the second, and the third has another price.
struct Scripted(AtomicUsize);

impl LivePrices for Scripted {
    fn source(&self) -> &'static str {
        "aws-price-list"
    }

    fn provider(&self) -> Provider {
        Provider::Aws
    }

    fn fetch<'a>(&'a self, wanted: &'a [Wanted], _: Instant) -> BoxFuture<'a, Fetched> {
        assert_eq!(wanted.len(), 1, "only its own provider's regions");
        let quotes =
            |usd| Parsed { quotes: vec![quote("m5.large", OnDemand, usd, "2026-08-01")], rejected: vec![] };
        let fetched = match self.0.fetch_add(1, SeqCst) {
            0 => Fetched { parsed: quotes(0.5), failures: vec![] },
            1 => Fetched {
                parsed: Parsed::default(),
                failures: vec![("us-east-1".into(), LiveError::Setting("down".into()))],
            },
            _ => Fetched { parsed: quotes(0.6), failures: vec![] },
        };
        Box::pin(std::future::ready(fetched))
    }
}

fn refresher(store: &Store) -> (Refresher, Vec<String>) {
    let sources: Vec<Box<dyn LivePrices>> = vec![Box::new(Scripted(AtomicUsize::new(0)))];
    let (refresher, problems) = Refresher::new(sources, Some(store.clone()));
    (refresher, problems.iter().map(ToString::to_string).collect())
}

fn needs() -> Vec<Wanted> {
    let aws = wanted(Provider::Aws, "us-east-1", &["m5.large"], &[], false);
    vec![aws, wanted(Provider::Gcp, "us-central1", &["n1-standard-4"], &[], false)]
}

fn m5_large(book: &PriceBook) -> NodePrice {
    let facts = NodeFacts {
        provider: Provider::Aws,
        region: "us-east-1".into(),
        instance_type: "m5.large".into(),
        os: "linux".into(),
        ..NodeFacts::default()
    };
    book.price(&facts, Resources { cpu: Cpu::from_cores(2), memory: Bytes::from_gib(8), gpu: Gpu(0) })
}

fn book() -> PriceBook {
    PriceBook::embedded(&PriceSettings::default()).unwrap()
}

#[tokio::test]
async fn a_failure_leaves_the_last_good_prices_in_force() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path());
    let (mut refresher, problems) = refresher(&store);
    assert_eq!(problems, [""; 0]);
    assert!(refresher.quotes().is_empty());
    let table = m5_large(&book());
    assert_eq!((table.hourly, &*table.source.id), (Rate(96_000_000_000), "karpenter-aws"));

    let outcomes = refresher.refresh(&needs(), NOW).await;
    assert_eq!((outcomes.len(), outcomes[0].fetched, outcomes[0].is_complete()), (1, 1, true));
    let live = m5_large(&book().with_quotes(&refresher.quotes(), NOW));
    assert_eq!(
        live,
        NodePrice {
            hourly: Rate(500_000_000_000),
            confidence: Confidence::List,
            source: PriceSource { id: "aws-price-list".into(), date: "2026-08-01".into() },
            reason: "on-demand price of m5.large in us-east-1, as the provider quotes it".into(),
            by_pod: None,
        }
    );

    let outcomes = refresher.refresh(&needs(), NOW).await;
    assert_eq!((outcomes[0].fetched, outcomes[0].failures.len()), (0, 1));
    assert_eq!(m5_large(&book().with_quotes(&refresher.quotes(), NOW)), live);
    // So does a new start.
    let (restarted, problems) = self::refresher(&store);
    assert_eq!(problems, [""; 0]);
    assert_eq!(restarted.quotes(), refresher.quotes());

    refresher.refresh(&needs(), NOW).await;
    assert_eq!(m5_large(&book().with_quotes(&refresher.quotes(), NOW)).hourly, Rate(600_000_000_000));
    assert_eq!(
        std::fs::read_to_string(store.path("aws-price-list")).unwrap(),
        "provider,region,item,name,capacity,usd,as_of,source\naws,us-east-1,instance,m5.large,on-demand,0.6,2026-08-01,aws-price-list\n"
    );
}

#[test]
fn old_quotes_give_way_to_the_table() {
    let quotes =
        [quote("m5.large", OnDemand, 0.5, "2026-07-05"), quote("c5.large", Spot, 0.03, "2026-07-30")];
    let quotes = quotes.into_iter().collect();
    for (days, kept) in [(0, 2), (1, 1), (3, 1), (4, 0)] {
        let now = NOW + Millis(days * Millis::DAY.0);
        assert_eq!(book().with_quotes(&quotes, now).quotes().len(), kept, "{days}");
    }
}

#[test]
fn a_file_that_is_none_is_kept_and_put_aside_later() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path());
    let path = store.path("aws-price-list");
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, "garbage").unwrap();
    let (refresher, problems) = refresher(&store);
    assert!(refresher.quotes().is_empty());
    assert_eq!(
        problems,
        [format!(
            "{}: its first line is \"garbage\", not \"provider,region,item,name,capacity,usd,as_of,source\"; it is not used; \
             the next refresh puts it aside as .broken and writes a new one",
            path.display()
        )]
    );
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "garbage");
    let quotes = [quote("m5.large", OnDemand, 0.5, "2026-08-01")];
    store.save("aws-price-list", quotes.iter()).unwrap();
    assert_eq!(store.load("aws-price-list").unwrap().quotes, quotes);
    assert_eq!(std::fs::read_to_string(path.with_extension("csv.broken")).unwrap(), "garbage");
}

#[test]
fn a_broken_line_hurts_only_itself() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path());
    let good =
        [quote("m5.large", OnDemand, 0.096, "2026-08-01"), quote("m5.large", Spot, 0.03, "2026-08-01")];
    store.save("aws-price-list", good.iter()).unwrap();
    let path = store.path("aws-price-list");
    let text = std::fs::read_to_string(&path).unwrap();
    let more = "ibm,us,instance,x,spot,1,2026-08-01,s\naws,us,instance,x,reserved,1,2026-08-01,s\n\
                aws,us,instance,x,spot,-1,2026-08-01,s\naws,us,instance,x,spot,1,yesterday,s\naws,us\n";
    std::fs::write(&path, text + more).unwrap();
    let parsed = store.load("aws-price-list").unwrap();
    assert_eq!(parsed.quotes, good);
    let rejected: Vec<String> = parsed.rejected.iter().map(ToString::to_string).collect();
    assert_eq!(
        rejected,
        [
            "line 4: \"ibm\" is no provider",
            "line 5: \"instance\" \"reserved\" is nothing that has a price",
            "line 6: the price -1 is negative",
            "line 7: \"yesterday\" is no day",
            "line 8: it has 2 fields, not 8",
        ]
    );
}

#[tokio::test]
async fn a_full_disk_costs_only_the_copy() {
    let folder = tempfile::tempdir().unwrap();
    // A file where the folder should be: nothing can be written below it.
    std::fs::write(folder.path().join("prices"), "").unwrap();
    let store = Store::new(folder.path());
    let sources: Vec<Box<dyn LivePrices>> = vec![Box::new(Scripted(AtomicUsize::new(0)))];
    let (mut refresher, _) = Refresher::new(sources, Some(store));
    let outcomes = refresher.refresh(&needs(), NOW).await;
    let error = outcomes[0].not_saved.as_ref().unwrap().to_string();
    assert!(error.contains("cannot be written") && error.contains("kept in memory only"), "{error}");
    assert_eq!(refresher.quotes().len(), 1);
}
