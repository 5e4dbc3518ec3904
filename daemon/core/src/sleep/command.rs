//! What a person's command writes: annotations of the namespace, the same that `kubectl annotate` can write.

use std::sync::Arc;

use thiserror::Error;

use super::wishes::OVERRIDE_BY;
use super::{AnnotationPatch, Levels, SleepSettings, next_sleep, next_wake};
use crate::units::{Instant, Millis};

/// How long a wake lasts where no schedule says when the space sleeps next.
pub const WAKE_LASTS: Millis = Millis::from_hours(2);

/// What a person asks for, by command line, page or API.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Command {
    /// Put a space to sleep until its next scheduled wake, else until somebody wakes it.
    Sleep {
        /// The namespace.
        namespace: Arc<str>,
        /// An end of the person's own choice instead.
        until: Option<Instant>,
        /// Who asks.
        by: Arc<str>,
    },
    /// Wake a space until its next scheduled sleep, else for [`WAKE_LASTS`].
    Wake {
        /// The namespace.
        namespace: Arc<str>,
        /// Who asks.
        by: Arc<str>,
    },
    /// Keep a space awake until an instant.
    KeepAwake {
        /// The namespace.
        namespace: Arc<str>,
        /// The end.
        until: Instant,
        /// Who asks.
        by: Arc<str>,
    },
}

/// Why a command is not carried out.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum CommandError {
    /// There is no such space.
    #[error("there is no namespace {0:?} in this cluster")]
    NoSuchSpace(Arc<str>),
    /// The space is one of those that are never put to sleep.
    #[error("{namespace} is never put to sleep: it is protected by the pattern {pattern:?}")]
    Protected {
        /// The namespace.
        namespace: Arc<str>,
        /// What protects it.
        pattern: String,
    },
}

impl Command {
    /// The namespace it is about.
    pub const fn namespace(&self) -> &Arc<str> {
        match self {
            Self::Sleep { namespace, .. }
            | Self::Wake { namespace, .. }
            | Self::KeepAwake { namespace, .. } => namespace,
        }
    }

    /// Who asks.
    pub const fn by(&self) -> &Arc<str> {
        match self {
            Self::Sleep { by, .. } | Self::Wake { by, .. } | Self::KeepAwake { by, .. } => by,
        }
    }

    /// The annotations it writes on the namespace. The two overrides never stand side by side.
    pub fn annotations(
        &self,
        levels: Levels<'_>,
        settings: &SleepSettings,
        now: Instant,
    ) -> Result<AnnotationPatch, CommandError> {
        if let (Self::Sleep { namespace, .. }, Some(pattern)) = (self, levels.protected) {
            let (namespace, pattern) = (Arc::clone(namespace), pattern.to_owned());
            return Err(CommandError::Protected { namespace, pattern });
        }
        let (keep_awake, asleep) = match self {
            Self::Sleep { until, .. } => {
                let end = until.or_else(|| next_wake(levels, now));
                (None, Some(end.map_or_else(|| "manual".to_owned(), Instant::to_rfc3339)))
            }
            Self::Wake { .. } => {
                let end = next_sleep(levels, now).unwrap_or(now + WAKE_LASTS);
                (Some(end.to_rfc3339()), None)
            }
            Self::KeepAwake { until, .. } => (Some(until.to_rfc3339()), None),
        };
        Ok(AnnotationPatch::from([
            (settings.key("keep-awake-until"), keep_awake.map(Into::into)),
            (settings.key("asleep-until"), asleep.map(Into::into)),
            (settings.key(OVERRIDE_BY), Some(Arc::clone(self.by()))),
        ]))
    }
}
