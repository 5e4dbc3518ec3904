//! Data folders that do not outlive their process for long.
//!
//! A folder goes when its value is dropped. A process that was killed cannot do that, so whoever makes the next folder removes
//! those whose owner is gone: an owner holds a file lock inside, and the kernel releases it with the process.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::Context;
use tempfile::TempDir;

const PREFIX: &str = "nightcap-test-run-";

/// A temporary folder with its owner's lock.
#[derive(Debug)]
pub(crate) struct Folder {
    folder: TempDir,
    _lock: File,
}

impl Folder {
    /// Makes one, and removes those left behind by processes that were killed.
    pub(crate) fn create() -> anyhow::Result<Self> {
        Self::create_in(&std::env::temp_dir())
    }

    fn create_in(parent: &Path) -> anyhow::Result<Self> {
        // Held while a folder has no lock of its own yet, else another process could sweep it away.
        let making = File::create(parent.join("nightcap-test-run.lock"))?;
        making.lock()?;
        for entry in fs::read_dir(parent)?.flatten() {
            if entry.file_name().to_string_lossy().starts_with(PREFIX) {
                sweep(&entry.path());
            }
        }
        let folder = tempfile::Builder::new()
            .prefix(PREFIX)
            .tempdir_in(parent)
            .with_context(|| format!("cannot create a data folder in {}", parent.display()))?;
        let lock = File::create(folder.path().join("lock"))?;
        lock.lock()?;
        Ok(Self { folder, _lock: lock })
    }

    /// The path of something inside.
    pub(crate) fn join(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

/// Removes a folder whose owner is gone. What cannot be removed (another user's) is not ours to worry about.
fn sweep(folder: &Path) {
    let abandoned = File::open(folder.join("lock")).is_ok_and(|lock| lock.try_lock().is_ok());
    if abandoned {
        let _ = fs::remove_dir_all(folder);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_goes_with_its_value_and_an_abandoned_one_with_the_next() {
        let parent = tempfile::tempdir().unwrap();
        let abandoned = parent.path().join("nightcap-test-run-abandoned");
        fs::create_dir(&abandoned).unwrap();
        fs::write(abandoned.join("lock"), "").unwrap();
        let first = Folder::create_in(parent.path()).unwrap();
        let second = Folder::create_in(parent.path()).unwrap();
        assert!(!abandoned.exists());
        assert!(first.join("lock").exists() && second.join("lock").exists());
        let path = first.join("");
        drop(first);
        assert!(!path.exists());
    }
}
