//! What Nightcap writes on an object it puts to sleep: the mark, and what the object was before.
//!
//! Both are annotations of the object itself, written in the same patch that turns it down, so that no crash can
//! part them and any daemon, freshly installed, can wake what another put to sleep.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::cluster::Size;
use crate::units::Instant;

/// The value of the `asleep` annotation.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Mark {
    /// Since when it sleeps.
    pub since: Instant,
    /// Why, readable alone.
    pub why: Arc<str>,
    /// Which wish it follows, such as `namespace uptime`.
    pub policy: Arc<str>,
    /// Who put it to sleep: `nightcap`, or the person whose wish it was.
    pub by: Arc<str>,
}

/// The value of the `original` annotation: the size before sleep.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Original {
    /// `spec.replicas` of what has replicas.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replicas: Option<u32>,
    /// `spec.suspend` of what is suspended instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspended: Option<bool>,
}

/// A mark or original that cannot be read.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[error("{value:?} is no {what}: {reason}")]
pub struct MarkError {
    what: &'static str,
    value: String,
    reason: String,
}

impl Mark {
    /// Reads the annotation.
    pub fn parse(value: &str) -> Result<Self, MarkError> {
        parse("mark of sleep", value)
    }

    /// The annotation's text.
    pub fn to_json(&self) -> Arc<str> {
        json(self)
    }
}

impl Original {
    /// The size as an original.
    pub const fn of(size: Size) -> Self {
        match size {
            Size::Replicas(n) => Self { replicas: Some(n), suspended: None },
            Size::Suspended(s) => Self { replicas: None, suspended: Some(s) },
        }
    }

    /// Reads the annotation.
    pub fn parse(value: &str) -> Result<Self, MarkError> {
        let read: Self = parse("original", value)?;
        match (read.replicas, read.suspended) {
            (Some(_), None) | (None, Some(_)) => Ok(read),
            _ => Err(MarkError {
                what: "original",
                value: value.to_owned(),
                reason: "it must hold either replicas or suspended".to_owned(),
            }),
        }
    }

    /// The annotation's text.
    pub fn to_json(self) -> Arc<str> {
        json(&self)
    }

    /// The size to wake to, for an object whose knob is of the same kind as `now`.
    ///
    /// The larger of the saved and the present size: whoever scaled a sleeping object up by hand meant it, and what
    /// was saved is never given up for less.
    pub fn restored(self, now: Size) -> Option<Size> {
        match (now, self.replicas, self.suspended) {
            (Size::Replicas(present), Some(saved), _) => Some(Size::Replicas(saved.max(present))),
            (Size::Suspended(present), _, Some(saved)) => Some(Size::Suspended(saved && present)),
            _ => None,
        }
    }
}

fn parse<T: for<'de> Deserialize<'de>>(what: &'static str, value: &str) -> Result<T, MarkError> {
    serde_json::from_str(value).map_err(|error| MarkError {
        what,
        value: value.chars().take(200).collect(),
        reason: error.to_string(),
    })
}

fn json(value: &impl Serialize) -> Arc<str> {
    // Neither type has a map with non-string keys or a failing Serialize, the only ways this can fail.
    serde_json::to_string(value).unwrap_or_default().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn original_is_written_and_read_back() {
        for (size, text) in
            [(Size::Replicas(3), r#"{"replicas":3}"#), (Size::Suspended(false), r#"{"suspended":false}"#)]
        {
            assert_eq!(&*Original::of(size).to_json(), text);
            assert_eq!(Original::parse(text), Ok(Original::of(size)));
        }
    }

    #[test]
    fn broken_original_names_its_value() {
        for text in ["", "3", "{}", r#"{"replicas":-1}"#, r#"{"replicas":1,"suspended":true}"#] {
            let error = Original::parse(text).unwrap_err().to_string();
            assert!(error.contains(&format!("{text:?}")), "{error}");
        }
    }

    #[test]
    fn waking_never_makes_smaller() {
        let three = Original::of(Size::Replicas(3));
        assert_eq!(three.restored(Size::Replicas(0)), Some(Size::Replicas(3)));
        assert_eq!(three.restored(Size::Replicas(1)), Some(Size::Replicas(3)));
        assert_eq!(three.restored(Size::Replicas(5)), Some(Size::Replicas(5)));
        assert_eq!(three.restored(Size::Suspended(true)), None);
        let running = Original::of(Size::Suspended(false));
        assert_eq!(running.restored(Size::Suspended(true)), Some(Size::Suspended(false)));
        let suspended = Original::of(Size::Suspended(true));
        assert_eq!(suspended.restored(Size::Suspended(true)), Some(Size::Suspended(true)));
    }

    #[test]
    fn mark_is_json_with_its_four_fields() {
        let mark = Mark {
            since: Instant(1_772_352_000_000),
            why: "uptime ended".into(),
            policy: "namespace uptime".into(),
            by: "nightcap".into(),
        };
        let text = r#"{"since":"2026-03-01T08:00:00Z","why":"uptime ended","policy":"namespace uptime","by":"nightcap"}"#;
        assert_eq!(&*mark.to_json(), text);
        assert_eq!(Mark::parse(text), Ok(mark));
    }
}
