//! Everything that is known of what things cost: the picture of now, and the history behind it.

use std::ops::Deref;
use std::sync::Arc;

use nightcap_core::engine::Snapshot;
use nightcap_core::money::Hour;
use nightcap_core::money::query::{self, AssetBuilder, AssetTable, Needs};
use nightcap_core::units::{Instant, Window};
use nightcap_history::{Archive, Field, HistoryError};

/// A picture with the history behind it. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Records {
    snapshot: Arc<Snapshot>,
    archive: Option<Arc<Archive>>,
}

/// The picture is what most readers want.
impl Deref for Records {
    type Target = Snapshot;
    fn deref(&self) -> &Snapshot {
        &self.snapshot
    }
}

impl Records {
    /// A picture, with the hours before it where they are kept.
    pub const fn new(snapshot: Arc<Snapshot>, archive: Option<Arc<Archive>>) -> Self {
        Self { snapshot, archive }
    }

    /// The picture alone.
    pub const fn snapshot(&self) -> &Arc<Snapshot> {
        &self.snapshot
    }

    /// Whether hours are kept beyond what is in memory.
    pub const fn has_history(&self) -> bool {
        self.archive.is_some()
    }

    /// Gives every hour of a window to `each`, old ones out of the history and merged as far as `needs` allow. Blocks
    /// on files. Files that cannot be read are left out, and told in the answer and in the daemon's problems.
    pub fn each_hour<E: From<HistoryError>>(
        &self,
        window: Window,
        needs: &Needs,
        mut each: impl FnMut(&Hour) -> Result<(), E>,
    ) -> Result<Vec<String>, E> {
        let mut left_out = Vec::new();
        let from = self.in_memory_from();
        let before = window.intersect(Window::new(Instant(i64::MIN), from));
        if let Some(archive) = self.archive.as_ref().filter(|_| window.start < from && !before.is_empty()) {
            let noted = |error: HistoryError| {
                archive.note(&error);
                error
            };
            let mut hours = archive.hours(before, needs).map_err(noted)?;
            for hour in &mut hours {
                each(&hour.map_err(noted)?)?;
            }
            left_out.extend(hours.damaged().map(ToString::to_string));
        }
        for hour in query::touched(&self.snapshot.hours, window) {
            // What came late for an hour in the history stands beside it until it is one with it.
            if hour.start >= from || hour.partial || self.archive.is_none() {
                each(hour)?;
            }
        }
        for file in &left_out {
            tracing::warn!("{file}");
        }
        Ok(left_out)
    }

    /// The hours of a window, all at once: for questions whose answer is small.
    pub fn hours_of(&self, window: Window, needs: &Needs) -> Result<Vec<Arc<Hour>>, HistoryError> {
        let mut hours = Vec::new();
        self.each_hour(window, needs, |hour| {
            hours.push(Arc::new(hour.clone()));
            Ok::<(), HistoryError>(())
        })?;
        Ok(hours)
    }

    /// What assets cost in a window.
    pub fn assets(&self, window: Window) -> Result<AssetTable, HistoryError> {
        let needs = [Field::Node, Field::Asset, Field::Price, Field::Namespace, Field::Team, Field::Owner];
        let needs = needs.into_iter().fold(Needs::nothing(), Needs::with).in_steps(vec![window]);
        let mut builder = AssetBuilder::new(window);
        self.each_hour(window, &needs, |hour| {
            builder.add(hour);
            Ok::<(), HistoryError>(())
        })?;
        Ok(builder.finish())
    }

    /// From here on all hours are in memory.
    fn in_memory_from(&self) -> Instant {
        let whole = self.snapshot.hours.iter().find(|hour| !hour.partial);
        whole.map_or(self.snapshot.at, |hour| hour.start)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use nightcap_core::engine::{Engine, Settings};
    use nightcap_core::units::Millis;

    use super::*;
    use crate::test_cluster::start;

    #[test]
    fn what_cannot_be_read_at_all_is_refused_and_told_until_it_can() {
        let folder = tempfile::tempdir().unwrap();
        let archive = Arc::new(Archive::open(folder.path(), "test").unwrap());
        archive.write_hour(&Hour::new(start())).unwrap();
        let now = start() + Millis::DAY;
        let snapshot = Engine::new(Settings { cluster: "test".into(), ..Settings::new(now) }).snapshot(now);
        let records = Records::new(Arc::new(snapshot), Some(Arc::clone(&archive)));
        let window = Window::new(start(), now);
        assert_eq!(records.hours_of(window, &Needs::nothing()).unwrap().len(), 0);
        let table = folder.path().join("allocations").join("cluster=test");
        let aside = folder.path().join("aside");
        fs::rename(&table, &aside).unwrap();
        fs::write(&table, "a file").unwrap();
        let error = records.hours_of(window, &Needs::nothing()).unwrap_err();
        assert!(matches!(&error, HistoryError::Read { path, .. } if *path == table), "{error}");
        for _ in 0..2 {
            let damaged = archive.damaged();
            assert_eq!(damaged.iter().map(|damaged| &*damaged.path).collect::<Vec<_>>(), [&*table]);
        }
        fs::remove_file(&table).unwrap();
        fs::rename(&aside, &table).unwrap();
        assert_eq!(archive.damaged(), []);
        assert_eq!(records.hours_of(window, &Needs::nothing()).unwrap().len(), 0);
    }
}
