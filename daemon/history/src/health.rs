//! Files that were met and could not be read, whoever met them, until they are whole again or gone.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::day::{Unread, open};
use crate::layout::FileName;
use crate::{Archive, Damaged, HistoryError};

/// The files that were met.
#[derive(Debug, Default)]
pub(crate) struct Met(Mutex<BTreeMap<PathBuf, Trouble>>);

#[derive(Clone, Debug)]
struct Trouble {
    reason: String,
    /// Its bytes are those that were written, and yet it cannot be understood: only when it is gone is that over.
    for_good: bool,
}

impl Met {
    pub(crate) fn note(&self, damaged: &Damaged) {
        let trouble = Trouble { reason: damaged.reason.clone(), for_good: reads(&damaged.path) };
        let mut met = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        met.insert(damaged.path.to_path_buf(), trouble);
    }
}

impl Archive {
    /// Notes what could not be read at all, so that [`Self::damaged`] tells it.
    pub fn note(&self, error: &HistoryError) {
        if let HistoryError::Read { path, source } = error {
            let damaged = Damaged { path: path.as_path().into(), reason: source.to_string() };
            self.met.note(&damaged);
        }
    }

    /// Files that were left out of an answer or of upkeep, whichever it was, and that still are as they were. Looks at
    /// each of them again.
    pub fn damaged(&self) -> Vec<Damaged> {
        // Not held while files are read: readers note theirs meanwhile.
        let known = self.met.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let (left, over): (Vec<_>, Vec<_>) = known
            .into_iter()
            .partition(|(path, trouble)| is_there(path) && (trouble.for_good || !reads(path)));
        let mut met = self.met.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (path, _) in &over {
            met.remove(path);
        }
        drop(met);
        left.into_iter()
            .map(|(path, trouble)| Damaged { path: path.as_path().into(), reason: trouble.reason })
            .collect()
    }
}

/// Whether what was wrong there can still be wrong. What is missing of a set is a name with a star for its checksum: it
/// is missed as long as the table that decides has the set.
fn is_there(path: &Path) -> bool {
    let Some((prefix, _)) = name_of(path).split_once('*').map(|(a, b)| (a.to_owned(), b.to_owned())) else {
        return path.symlink_metadata().is_ok();
    };
    let holds = |folder: &Path| {
        fs::read_dir(folder)
            .is_ok_and(|names| names.flatten().any(|n| n.file_name().to_string_lossy().starts_with(&prefix)))
    };
    let mut parents = path.ancestors().skip(1);
    let (Some(date), Some(cluster), Some(table), Some(root)) =
        (parents.next(), parents.next(), parents.next(), parents.next())
    else {
        return false;
    };
    let decides = if name_of(table).ends_with("-daily") { "allocations-daily" } else { "allocations" };
    !holds(date) && holds(&root.join(decides).join(name_of(cluster)).join(name_of(date)))
}

/// Whether it can be read, as far as its bytes go.
fn reads(path: &Path) -> bool {
    match FileName::parse(&name_of(path)) {
        Some(name) => !matches!(open(path, name.crc), Err(Unread::Damaged(_) | Unread::Gone)),
        None => path.is_dir() && fs::read_dir(path).is_ok(),
    }
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
