//! Reads for budgets what the engine has forgotten, or never knew: hours that are in the history alone. In the
//! background, hour by hour, so that neither the start nor the engine's task waits for it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use nightcap_core::advice::budget::{HourPayers, HourSum, needs};
use nightcap_core::engine::{BudgetPast, Event, HistoryOperation};
use nightcap_core::units::{Instant, Window};
use nightcap_history::{Archive, HistoryError};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::Handle;

/// Where questions go.
#[derive(Debug)]
pub(super) struct Recall(mpsc::UnboundedSender<Vec<BudgetPast>>);

impl Recall {
    /// Asks; what there is comes to the engine as events.
    pub(super) fn ask(&self, asked: Vec<BudgetPast>) {
        // Who answers ends with the daemon; then nobody misses it.
        let _ = self.0.send(asked);
    }
}

/// Starts what answers until `stop`.
pub(super) fn start(archive: Arc<Archive>, engine: Handle, stop: CancellationToken) -> Recall {
    let (questions, asked) = mpsc::unbounded_channel();
    let answer = answer(archive, asked, engine);
    tokio::spawn(async move { stop.run_until_cancelled(answer).await });
    Recall(questions)
}

async fn answer(
    archive: Arc<Archive>,
    mut questions: mpsc::UnboundedReceiver<Vec<BudgetPast>>,
    engine: Handle,
) {
    while let Some(mut asked) = questions.recv().await {
        // A start lists all budgets at once: they are read together.
        while let Ok(more) = questions.try_recv() {
            asked.extend(more);
        }
        let archive = Arc::clone(&archive);
        let read = tokio::task::spawn_blocking(move || read(&archive, &asked));
        let Ok(events) =
            read.await.inspect_err(|error| tracing::error!(%error, "Reading for budgets met a defect."))
        else {
            continue;
        };
        for event in events {
            if engine.event(event).await.is_err() {
                return;
            }
        }
    }
}

/// What the history tells of what is asked, as events. What cannot be read is left out, and is told too.
pub(super) fn read(archive: &Archive, asked: &[BudgetPast]) -> Vec<Event> {
    let mut sums: Vec<BTreeMap<Instant, HourSum>> = vec![BTreeMap::new(); asked.len()];
    let read = sum(archive, asked, &mut sums);
    let events = asked.iter().zip(sums).map(|(past, sums)| Event::BudgetHistory {
        uid: Arc::clone(&past.uid),
        hours: sums.into_values().collect(),
    });
    let failed = read.err().map(|error| {
        archive.note(&error);
        error.to_string().into()
    });
    events.chain([Event::History { operation: HistoryOperation::Read, failed }]).collect()
}

fn sum(
    archive: &Archive,
    asked: &[BudgetPast],
    sums: &mut [BTreeMap<Instant, HourSum>],
) -> Result<(), HistoryError> {
    let Some(window) = asked
        .iter()
        .map(|past| past.hours)
        .reduce(|a, b| Window::new(a.start.min(b.start), a.end.max(b.end)))
    else {
        return Ok(());
    };
    let needs = needs(asked.iter().map(|past| (&past.selector, past.zone)), window);
    let mut found: BTreeSet<Instant> = BTreeSet::new();
    let mut hours = archive.hours(window, &needs)?;
    for hour in hours.by_ref() {
        let hour = hour?;
        found.insert(hour.start);
        let payers = HourPayers::of(&hour);
        let of_hour = asked.iter().zip(&mut *sums).filter(|(past, _)| holds(past.hours, hour.start));
        for (past, sums) in of_hour {
            let part = payers.sum(&past.selector, past.zone);
            let sum = sums.entry(hour.start).or_insert(HourSum { start: hour.start, ..HourSum::default() });
            sum.whole += part.whole;
            sum.before += part.before;
        }
    }
    if hours.damaged().next().is_some() {
        return Ok(()); // what is not there may be in a file that cannot be read
    }
    found.extend(archive.kept(window)?);
    for (past, sums) in asked.iter().zip(sums) {
        let mut start = past.hours.start.max(past.counted_from.hour());
        while start < past.hours.end {
            if !found.contains(&start) {
                sums.insert(start, HourSum { start, ..HourSum::default() });
            }
            start = start.next_hour();
        }
    }
    Ok(())
}

fn holds(hours: Window, start: Instant) -> bool {
    hours.start <= start && start < hours.end
}
