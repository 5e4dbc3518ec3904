//! Keeps the history: closed hours go into the archive, what no object proves into a checkpoint, once a minute.
//!
//! Hours come first: a checkpoint is saved only when all closed hours are written, since it does not hold them. So a
//! crash at any point loses at most a minute of usage detail, and of what is requested nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use nightcap_core::engine::{Engine, Event, HistoryOperation, Settings};
use nightcap_core::money::{Checkpoint, Correction, Hour};
use nightcap_core::units::{Instant, Millis};
use nightcap_history::{Archive, CheckpointStore, Chore, Damaged, HistoryError, Retention};
use tokio_util::sync::CancellationToken;

use super::handle::{HandleError, Kept};
use super::{Clock, Handle};

/// How often closed hours are written and a checkpoint is saved.
const EVERY: Duration = Duration::from_mins(1);
/// How often the archive is tidied.
const UPKEEP: Millis = Millis::HOUR;

/// The history of this daemon.
#[derive(Debug)]
pub(super) struct Keeper {
    archive: Arc<Archive>,
    checkpoints: CheckpointStore,
    retention: Retention,
    tidied: Option<Instant>,
    /// A failure is logged once, and that it is over.
    failing: BTreeSet<HistoryOperation>,
    damaged: Vec<Damaged>,
}

/// What was done.
#[derive(Debug, Default)]
struct Done {
    written: Vec<Arc<Hour>>,
    corrected: Vec<Arc<Correction>>,
    /// Hours and corrections that could not be written any more, since only their day is kept.
    lost: u64,
    /// How it went.
    events: Vec<Event>,
}

/// The history in a folder of a cluster, the engine that goes on from it, and how that went. What is wrong with the
/// folder stops nobody: then history is in memory, the folder is not touched, and a problem says so.
pub(super) fn open_history(
    of: Option<(&Path, &str, Retention)>,
    settings: Settings,
) -> (Option<Keeper>, Engine, Option<Event>) {
    let Some((folder, cluster, retention)) = of else {
        tracing::info!("History is kept in memory only: set data_dir to keep it.");
        return (None, Engine::new(settings), None);
    };
    let opened = |failed| Some(Event::History { operation: HistoryOperation::Open, failed });
    match Keeper::open(folder, cluster, retention, settings.clone()) {
        Ok((keeper, engine)) => (Some(keeper), engine, opened(None)),
        Err(error) => {
            tracing::error!(%error, "The history cannot be used; it is kept in memory only.");
            (None, Engine::new(settings), opened(Some(error.to_string().into())))
        }
    }
}

impl Keeper {
    /// Opens the history in `folder`, and the engine that goes on from it. Without a usable checkpoint counting begins
    /// at `settings.start`.
    pub(super) fn open(
        folder: &Path,
        cluster: &str,
        retention: Retention,
        settings: Settings,
    ) -> Result<(Self, Engine), HistoryError> {
        let archive = Arc::new(Archive::open(folder, cluster)?);
        let (checkpoints, found) = CheckpointStore::open(&folder.join("checkpoint").join(cluster))?;
        for damaged in &found.damaged {
            tracing::error!("{damaged}");
        }
        let read = found.blob.and_then(|blob| match postcard::from_bytes::<Checkpoint>(&blob) {
            Ok(checkpoint) if checkpoint.is_readable() => Some(checkpoint),
            Ok(_) => {
                let path = checkpoints.path();
                tracing::error!(path = %path.display(), "The checkpoint is of another version; counting begins anew.");
                None
            }
            Err(error) => {
                tracing::error!(%error, path = %checkpoints.path().display(), "The checkpoint cannot be read; counting begins anew.");
                None
            }
        });
        let mut engine = match read {
            Some(checkpoint) => {
                tracing::info!(at = %checkpoint.at(), since = %checkpoint.start(), "Going on from a checkpoint.");
                Engine::resume(settings, checkpoint)
            }
            None => Engine::new(settings),
        };
        engine.keep_until_written();
        Ok((
            Self {
                archive,
                checkpoints,
                retention,
                tidied: None,
                failing: BTreeSet::new(),
                damaged: Vec::new(),
            },
            engine,
        ))
    }

    /// Where readers find old hours.
    pub(super) fn archive(&self) -> Arc<Archive> {
        Arc::clone(&self.archive)
    }

    /// Keeps until `stop`; then gives itself back for a last time, unless a defect has ended it before.
    pub(super) async fn run(mut self, engine: Handle, clock: Clock, stop: CancellationToken) -> Option<Self> {
        let mut due = tokio::time::interval(EVERY);
        due.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.cancelled() => return Some(self),
                _ = due.tick() => {}
            }
            let Ok(kept) = engine.keep().await else { return Some(self) };
            let now = clock.now();
            let (back, done) = match tokio::task::spawn_blocking(move || self.keep(kept, now)).await {
                Ok(kept) => kept,
                Err(error) => {
                    tracing::error!(%error, "Keeping the history met a defect; it is kept in memory from here on.");
                    return None;
                }
            };
            self = back;
            if tell(&engine, done).await.is_err() {
                return Some(self);
            }
        }
    }

    /// One last time, from an engine that has stopped.
    pub(super) fn close(self, engine: &Engine, now: Instant) {
        let kept = Kept::of(engine, now);
        drop(self.keep(kept, now));
    }

    /// Writes what is to be written. What fails keeps nothing else from its due, but for the checkpoint, which does not
    /// hold closed hours and so waits for them.
    fn keep(mut self, kept: Kept, now: Instant) -> (Self, Done) {
        let mut done = Done::default();
        if self.write(kept.hours, &mut done) {
            let saved = self.checkpoints.save(&kept.checkpoint);
            self.went(HistoryOperation::Checkpoint, saved.err(), &mut done);
        }
        self.correct(&kept.owed, &mut done);
        self.tidy(now, &mut done);
        let damaged = self.archive.damaged();
        for file in damaged.iter().filter(|file| !self.damaged.contains(file)) {
            tracing::error!("{file}");
        }
        done.events.push(Event::HistoryDamaged(damaged.iter().map(told).collect()));
        self.damaged = damaged;
        (self, done)
    }

    /// Writes hours; whether all those are written that are nowhere else.
    fn write(&mut self, hours: Vec<Arc<Hour>>, done: &mut Done) -> bool {
        let (any, mut whole, mut failed) = (!hours.is_empty(), true, None);
        for hour in hours {
            match self.archive.write_hour(&hour) {
                Ok(()) => done.written.push(hour),
                // Of an hour as old as this only the day is kept: what came late for it is lost.
                Err(error @ HistoryError::Retired(_)) => {
                    tracing::warn!(%error, "What came late is lost.");
                    done.lost += 1;
                    done.written.push(hour);
                }
                Err(error) => {
                    // What comes on top of an hour may wait: the checkpoint is about later ones.
                    whole &= hour.partial;
                    failed.get_or_insert(error);
                }
            }
        }
        if any {
            self.went(HistoryOperation::Write, failed, done);
        }
        whole
    }

    /// Makes corrections of hours that are in the archive alone.
    fn correct(&mut self, owed: &[Arc<Correction>], done: &mut Done) {
        let mut by_hour: BTreeMap<Instant, Vec<Arc<Correction>>> = BTreeMap::new();
        for correction in owed {
            by_hour.entry(correction.hour()).or_default().push(Arc::clone(correction));
        }
        let (any, mut failed) = (!by_hour.is_empty(), None);
        for (hour, corrections) in by_hour {
            match self.archive.correct(hour, &corrections) {
                Ok(_) => done.corrected.extend(corrections),
                Err(error @ HistoryError::Retired(_)) => {
                    tracing::warn!(%error, corrections = corrections.len(), "What came late is lost.");
                    done.lost += corrections.len() as u64;
                    done.corrected.extend(corrections);
                }
                Err(error) => {
                    failed.get_or_insert(error);
                }
            }
        }
        if any {
            self.went(HistoryOperation::Correct, failed, done);
        }
    }

    fn tidy(&mut self, now: Instant, done: &mut Done) {
        // A clock that was set back is no reason to wait.
        if self.tidied.is_some_and(|at| at <= now && now.since(at) < UPKEEP) {
            return;
        }
        self.tidied = Some(now);
        match self.archive.keep_up(now, &self.retention) {
            Ok(upkeep) => {
                for (operation, chore) in
                    [(HistoryOperation::Compact, Chore::Compact), (HistoryOperation::Retain, Chore::Retain)]
                {
                    let mut failures = upkeep.failed.iter().filter(|failure| failure.chore == chore);
                    let first = failures.next().map(|failure| match failures.count() {
                        0 => failure.cause.clone(),
                        more => format!("{} (and {more} more like it)", failure.cause),
                    });
                    self.went(operation, first, done);
                }
            }
            Err(error) => self.went(HistoryOperation::Compact, Some(error), done),
        }
    }

    /// Notes how an operation went. A failure is logged when it begins, and when it is over.
    fn went(&mut self, operation: HistoryOperation, failed: Option<impl Display>, done: &mut Done) {
        let failed: Option<Arc<str>> = failed.map(|error| error.to_string().into());
        match &failed {
            Some(error) if self.failing.insert(operation) => {
                tracing::error!(operation = operation.name(), %error, "The history cannot be kept as it should.");
            }
            None if self.failing.remove(&operation) => {
                tracing::info!(operation = operation.name(), "The history is kept again.");
            }
            _ => {}
        }
        done.events.push(Event::History { operation, failed });
    }
}

/// Tells the engine what was done, and how it went.
async fn tell(engine: &Handle, done: Done) -> Result<(), HandleError> {
    engine.written(done.written).await?;
    engine.corrected(done.corrected, done.lost).await?;
    for event in done.events {
        engine.event(event).await?;
    }
    Ok(())
}

fn told(damaged: &Damaged) -> Arc<str> {
    format!(
        "{damaged}; what is in it is missing from answers, and its day is not compacted. Put it back from a backup, or \
         move it out of the folder"
    )
    .into()
}

#[cfg(test)]
mod tests;
