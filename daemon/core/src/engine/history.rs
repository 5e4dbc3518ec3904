//! How the history is doing: what was written when, what fails.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Engine;
use crate::units::Instant;

/// What problems of the history are about.
const OBJECT: &str = "history";

/// Something that is done to the history.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum HistoryOperation {
    /// The folder is opened, at the start.
    Open,
    /// A closed hour is written.
    Write,
    /// A late fact corrects an hour that is nowhere else.
    Correct,
    /// A checkpoint is saved.
    Checkpoint,
    /// The hours of a day become one file.
    Compact,
    /// What is too old is deleted.
    Retain,
    /// Hours are read.
    Read,
}

impl HistoryOperation {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Open, Self::Write, Self::Correct, Self::Checkpoint, Self::Compact, Self::Retain, Self::Read];

    /// Its name in metric labels.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Write => "write",
            Self::Correct => "correct",
            Self::Checkpoint => "checkpoint",
            Self::Compact => "compact",
            Self::Retain => "retain",
            Self::Read => "read",
        }
    }

    /// What is told of a failure, before its cause.
    const fn failure(self) -> &'static str {
        match self {
            Self::Open => {
                "the history cannot be opened, and is kept in memory only until the daemon is started anew"
            }
            Self::Write => {
                "closed hours cannot be written; they are kept in memory, and it is tried again every minute"
            }
            Self::Correct => {
                "an hour cannot be corrected; the correction is kept, and it is tried again every minute"
            }
            Self::Checkpoint => {
                "the checkpoint cannot be saved; the last one stands, and it is tried again every minute"
            }
            Self::Compact => "a day cannot be compacted; its hours stand, and it is tried again every hour",
            Self::Retain => "what is too old cannot be deleted; it is tried again every hour",
            Self::Read => "hours cannot be read",
        }
    }
}

/// How the history is doing.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct HistoryHealth {
    /// How often each operation failed since the daemon started.
    pub failures: BTreeMap<HistoryOperation, u64>,
    /// When each was done last; without a history, nothing was.
    pub done: BTreeMap<HistoryOperation, Instant>,
    /// Corrections that were lost: their hours are kept by the day only, or nowhere.
    pub late_lost: u64,
}

impl Engine {
    pub(super) fn history_went(
        &mut self,
        operation: HistoryOperation,
        failed: Option<Arc<str>>,
        now: Instant,
    ) {
        match failed {
            None => {
                self.history.done.insert(operation, now);
                self.problems.clear_detail(OBJECT, "history", operation.name());
            }
            Some(cause) => {
                *self.history.failures.entry(operation).or_default() += 1;
                let message = format!("{}: {cause}", operation.failure());
                self.problems.raise(OBJECT, "history", operation.name(), message, now);
            }
        }
    }

    /// Each file is a problem until it is whole again, or gone.
    pub(super) fn history_damaged(&mut self, files: &[Arc<str>], now: Instant) {
        let details: Vec<&str> = files.iter().map(|file| &**file).collect();
        self.problems.keep(OBJECT, "history-damaged", &details);
        for file in details {
            if self.problems.raise(OBJECT, "history-damaged", file, file.to_owned(), now) {
                *self.history.failures.entry(HistoryOperation::Read).or_default() += 1;
            }
        }
    }
}
