//! One round: ask every provider, keep what came, keep what was there where nothing came.

use std::collections::BTreeMap;
use std::fmt;

use nightcap_core::units::Instant;

use super::store::Store;
use super::{LiveError, LivePrices, Quote, Quotes, Rejected, Wanted};

/// How a round went for one source.
#[derive(Debug)]
pub struct Outcome {
    /// The source.
    pub source: &'static str,
    /// Prices that came.
    pub fetched: usize,
    /// Rows that are no prices.
    pub rejected: Vec<Rejected>,
    /// Region and what went wrong there; what was known of it stays in force.
    pub failures: Vec<(String, LiveError)>,
    /// Why the copy on disk could not be written.
    pub not_saved: Option<LiveError>,
}

impl Outcome {
    /// Whether everything asked for was answered.
    pub fn is_complete(&self) -> bool {
        self.failures.is_empty()
    }
}

/// Asks the providers, and remembers the last good answer of each.
pub struct Refresher {
    sources: Vec<Box<dyn LivePrices>>,
    store: Option<Store>,
    /// Per source, what is known.
    known: BTreeMap<&'static str, Quotes>,
}

impl fmt::Debug for Refresher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known: Vec<_> = self.known.iter().map(|(source, quotes)| (source, quotes.len())).collect();
        f.debug_struct("Refresher").field("store", &self.store).field("known", &known).finish_non_exhaustive()
    }
}

impl Refresher {
    /// Over these sources; with a store, begins with what lies there. Also returns what is wrong with that.
    pub fn new(sources: Vec<Box<dyn LivePrices>>, store: Option<Store>) -> (Self, Vec<LiveError>) {
        let mut known = BTreeMap::new();
        let mut problems = Vec::new();
        for source in sources.iter().map(|source| source.source()) {
            let loaded = store.as_ref().map(|store| (store.path(source), store.load(source)));
            let quotes = match loaded {
                None => Quotes::default(),
                Some((path, Ok(parsed))) => {
                    problems.extend(parsed.rejected.into_iter().map(|rejected| LiveError::Disk {
                        path: path.clone(),
                        problem: format!("{rejected}; the other lines are used"),
                    }));
                    parsed.quotes.into_iter().collect()
                }
                Some((_, Err(error))) => {
                    problems.push(error);
                    Quotes::default()
                }
            };
            known.insert(source, quotes);
        }
        (Self { sources, store, known }, problems)
    }

    /// Everything known, of all sources.
    pub fn quotes(&self) -> Quotes {
        self.known.values().flat_map(Quotes::iter).cloned().collect()
    }

    /// Asks for what is wanted. New prices come in, all others stay; a copy goes to disk.
    pub async fn refresh(&mut self, wanted: &[Wanted], now: Instant) -> Vec<Outcome> {
        let mut outcomes = Vec::new();
        for source in &self.sources {
            let own: Vec<Wanted> =
                wanted.iter().filter(|wanted| wanted.provider == source.provider()).cloned().collect();
            if own.is_empty() {
                continue;
            }
            let name = source.source();
            let fetched = source.fetch(&own, now).await;
            let known = self.known.entry(name).or_default();
            let count = fetched.parsed.quotes.len();
            fetched.parsed.quotes.into_iter().for_each(|quote| known.insert(quote));
            // An empty answer is no reason to touch the file.
            let saved = match &self.store {
                Some(store) if count > 0 => save(store.clone(), name, known.iter().cloned().collect()).await,
                _ => Ok(()),
            };
            outcomes.push(Outcome {
                source: name,
                fetched: count,
                rejected: fetched.parsed.rejected,
                failures: fetched.failures,
                not_saved: saved.err(),
            });
        }
        outcomes
    }
}

/// On a thread where waiting for a disk holds nobody up.
async fn save(store: Store, source: &'static str, quotes: Vec<Quote>) -> Result<(), LiveError> {
    let path = store.path(source);
    tokio::task::spawn_blocking(move || store.save(source, quotes.iter()))
        .await
        .unwrap_or_else(|error| Err(LiveError::Disk { path, problem: error.to_string() }))
}
