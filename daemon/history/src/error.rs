//! What can go wrong with files, said with the path, the cause and what to do.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use nightcap_core::units::Instant;
use thiserror::Error;

/// Why the archive could not do what was asked. What was there before is untouched.
#[derive(Debug, Error)]
pub enum HistoryError {
    /// It was written by a newer Nightcap.
    #[error(
        "{path} was written by a newer Nightcap (format {found}, this version knows up to {known}): \
         use that version, or another folder; nothing was changed"
    )]
    Newer {
        /// The history folder or the file.
        path: PathBuf,
        /// The format found there.
        found: u32,
        /// The newest format this version knows.
        known: u32,
    },
    /// The file that names the format cannot be understood.
    #[error(
        "{path} does not say which format the history has ({reason}): restore it, or move the folder away to begin \
         a new history; nothing was changed"
    )]
    Unmarked {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// There is no history in the folder, and it was opened for reading only.
    #[error("there is no history in {0}: give the folder that `nightcap run --data-dir` writes to")]
    Absent(PathBuf),
    /// The folder was opened for reading only.
    #[error("the history in {0} was opened for reading only")]
    ReadOnly(PathBuf),
    /// The hour is so old that only its day is kept: what is known of it then stands.
    #[error("the hour of {0} is kept by the day only: it cannot be written again")]
    Retired(Instant),
    /// Another process writes to the same history.
    #[error("another process writes the history in {0}: give each daemon a folder of its own")]
    Locked(PathBuf),
    /// Writing failed: nothing of it is read, and the caller tries again with what it holds.
    #[error("{path} could not be written: {source}{}", advice(.source))]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// A file or folder cannot be read at all.
    #[error("{path} could not be read: {source}")]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// A table could not be put into Parquet.
    #[error("the table could not be written as Parquet: {0}")]
    Encode(String),
    /// A file is no Parquet file, or not one with these columns.
    #[error("the Parquet file could not be read: {0}")]
    Decode(String),
}

impl HistoryError {
    /// Whether the disk, or the share of it that is granted, is full.
    pub fn is_disk_full(&self) -> bool {
        matches!(self, Self::Write { source, .. }
            if matches!(source.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded))
    }

    pub(crate) fn write(path: &Path, source: io::Error) -> Self {
        Self::Write { path: path.to_owned(), source }
    }

    pub(crate) fn read(path: &Path, source: io::Error) -> Self {
        Self::Read { path: path.to_owned(), source }
    }
}

fn advice(source: &io::Error) -> &'static str {
    match source.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "; free space on the volume, make it larger, or shorten `history` retention. Nothing is lost meanwhile: the \
             hours are kept and written later"
        }
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            "; make the folder writable for the daemon, or give another `--data-dir`"
        }
        _ => "",
    }
}

/// A file that was left out of an answer. It stays where it is.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Damaged {
    /// The file.
    pub path: Arc<Path>,
    /// What is wrong with it.
    pub reason: String,
}

impl std::fmt::Display for Damaged {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} was left out: {}", self.path.display(), self.reason)
    }
}
