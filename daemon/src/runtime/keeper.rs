//! Keeps the history: closed hours go into the archive, what no object proves into a checkpoint, once a minute.
//!
//! Hours come first: a checkpoint is saved only when all closed hours are written, since it does not hold them. So a
//! crash at any point loses at most a minute of usage detail, and of what is requested nothing.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use nightcap_core::engine::{Engine, Settings};
use nightcap_core::money::{Checkpoint, Hour};
use nightcap_core::units::{Instant, Millis};
use nightcap_history::{Archive, CheckpointStore, HistoryError, Retention};
use tokio_util::sync::CancellationToken;

use super::handle::Kept;
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
    /// A failure is told once, and that it is over.
    failing: bool,
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
            Ok(_) => None,
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
        Ok((Self { archive, checkpoints, retention, tidied: None, failing: false }, engine))
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
            let (back, written) = match tokio::task::spawn_blocking(move || self.keep(kept, now)).await {
                Ok(kept) => kept,
                Err(error) => {
                    tracing::error!(%error, "Keeping the history met a defect; it is kept in memory from here on.");
                    return None;
                }
            };
            self = back;
            if engine.written(written).await.is_err() {
                return Some(self);
            }
        }
    }

    /// One last time, from an engine that has stopped.
    pub(super) fn close(self, engine: &Engine, now: Instant) {
        let kept = Kept::of(engine, now);
        drop(self.keep(kept, now));
    }

    /// Writes what is to be written; tells what is written now.
    fn keep(mut self, kept: Kept, now: Instant) -> (Self, Vec<Arc<Hour>>) {
        let mut written = Vec::new();
        let mut result = Ok(());
        for hour in kept.hours {
            result = self.archive.write_hour(&hour);
            match &result {
                Ok(()) => written.push(hour),
                // Of an hour as old as this only the day is kept: what came late for it is dropped.
                Err(HistoryError::Retired(_)) => {
                    written.push(hour);
                    result = Ok(());
                }
                Err(_) => break,
            }
        }
        let result = result.and_then(|()| self.checkpoints.save(&kept.checkpoint));
        let result = result.and_then(|()| self.tidy(now));
        match result {
            Err(error) if !self.failing => {
                self.failing = true;
                tracing::error!(%error, "The history cannot be written; hours are kept in memory and written later.");
            }
            Ok(()) if self.failing => {
                self.failing = false;
                tracing::info!("The history is written again.");
            }
            _ => {}
        }
        (self, written)
    }

    fn tidy(&mut self, now: Instant) -> Result<(), HistoryError> {
        if self.tidied.is_some_and(|at| now.since(at) < UPKEEP) {
            return Ok(());
        }
        let done = self.archive.keep_up(now, &self.retention)?;
        for damaged in &done.damaged {
            tracing::error!("{damaged}");
        }
        self.tidied = Some(now);
        Ok(())
    }
}
