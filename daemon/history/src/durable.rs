//! Files that are there whole or not at all: written aside, synced, then renamed into place.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use crate::HistoryError;

/// What is being written carries this prefix; readers of tables skip names with a leading dot.
pub(crate) const ASIDE: &str = ".writing-";

/// Puts `bytes` under `folder/name` so that a crash at any point leaves the old content or the new, never a part.
pub(crate) fn write(folder: &Path, name: &str, bytes: &[u8]) -> Result<(), HistoryError> {
    let aside = folder.join(format!("{ASIDE}{name}"));
    let written = (|| {
        let mut file = File::create(&aside)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&aside, folder.join(name))?;
        sync(folder)
    })();
    written.map_err(|source| {
        // Frees what a full disk has already given; if that fails too, the next open sweeps it.
        let _ = fs::remove_file(&aside);
        HistoryError::write(&folder.join(name), source)
    })
}

/// Makes names in `folder` durable.
pub(crate) fn sync(folder: &Path) -> std::io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Makes `folder` and what leads to it.
pub(crate) fn make_folder(folder: &Path) -> Result<(), HistoryError> {
    if folder.is_dir() {
        return Ok(());
    }
    let made = fs::create_dir_all(folder).and_then(|()| folder.parent().map_or(Ok(()), sync));
    made.map_err(|source| HistoryError::write(folder, source))
}
