//! What Nightcap writes on an object it puts to sleep: the mark, and what the object was before.
//!
//! Both are annotations of the object itself, written in the same patch that turns it down, so that no crash can
//! part them and any daemon, freshly installed, can wake what another put to sleep.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use thiserror::Error;

use crate::cluster::{Fields, Size, Switch};
use crate::units::{Bytes, Cpu, Gpu, Instant, Resources};

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
    /// What its pods requested, where its size does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub freed: Option<Freed>,
}

/// Requests that ended with a sleep.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Freed {
    /// CPU in thousandths of a core.
    pub cpu_millicores: u64,
    /// Memory in bytes.
    pub memory_bytes: u64,
    /// GPUs in thousandths.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub gpu_thousandths: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_zero(value: &u64) -> bool {
    *value == 0
}

impl From<Resources> for Freed {
    fn from(requests: Resources) -> Self {
        Self {
            cpu_millicores: requests.cpu.0 / 1_000_000,
            memory_bytes: requests.memory.0,
            gpu_thousandths: requests.gpu.0,
        }
    }
}

impl From<Freed> for Resources {
    fn from(freed: Freed) -> Self {
        Self {
            cpu: Cpu::from_millis(freed.cpu_millicores),
            memory: Bytes(freed.memory_bytes),
            gpu: Gpu(freed.gpu_thousandths),
        }
    }
}

/// The value of the `original` annotation: the size before sleep.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Original {
    /// `spec.replicas` of what has replicas.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replicas: Option<u32>,
    /// `spec.suspend` of what is suspended instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspended: Option<bool>,
    /// Of what has a switch of its own: the values it changes, by their JSON pointers, as they were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fields: Option<Fields>,
}

/// A size to wake to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Restored {
    /// The size.
    pub size: Size,
    /// What a switch writes for it.
    pub fields: Fields,
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
    /// What is saved of an object that falls asleep again: somebody has turned it on in its sleep, or scaled it up. The
    /// larger of what was saved and what is there is what waking restores.
    pub fn again(restored: &Restored, switch: Option<&Switch>) -> Self {
        let mut saved = Self::of(restored.size, switch);
        if let Some(fields) = &mut saved.fields {
            fields.extend(restored.fields.iter().map(|(at, value)| (Arc::clone(at), value.clone())));
        }
        saved
    }

    /// The size as an original; `switch` is what a size of [`Size::Off`] stands for.
    pub fn of(size: Size, switch: Option<&Switch>) -> Self {
        match size {
            Size::Replicas(n) => Self { replicas: Some(n), ..Self::default() },
            Size::Suspended(s) => Self { suspended: Some(s), ..Self::default() },
            Size::Off(_) => {
                let now = switch.map(|switch| switch.now.clone());
                Self { fields: Some(now.unwrap_or_default()), ..Self::default() }
            }
        }
    }

    /// Reads the annotation.
    pub fn parse(value: &str) -> Result<Self, MarkError> {
        let read: Self = parse("original", value)?;
        match (read.replicas, read.suspended, &read.fields) {
            (Some(_), None, None) | (None, Some(_), None) | (None, None, Some(_)) => Ok(read),
            _ => Err(MarkError {
                what: "original",
                value: value.to_owned(),
                reason: "it must hold one of replicas, suspended and fields".to_owned(),
            }),
        }
    }

    /// The annotation's text.
    pub fn to_json(&self) -> Arc<str> {
        json(self)
    }

    /// The size to wake to, for an object whose knob is of the same kind as `now`.
    ///
    /// The larger of the saved and the present size: whoever scaled a sleeping object up by hand meant it, and what
    /// was saved is never given up for less. Who turned a switch on again by hand has chosen its values, too; of numbers
    /// the larger one is taken.
    ///
    /// Of saved fields only those count that the switch changes: an annotation, which many may write, is no way to have
    /// anything else of an object changed. And only where what turned it off still stands: what somebody has written
    /// there since is theirs.
    pub fn restored(&self, now: Size, switch: Option<&Switch>) -> Option<Restored> {
        let plain = |size| Restored { size, fields: Fields::new() };
        match (now, self.replicas, self.suspended, &self.fields) {
            (Size::Replicas(present), Some(saved), ..) => Some(plain(Size::Replicas(saved.max(present)))),
            (Size::Suspended(present), _, Some(saved), _) => Some(plain(Size::Suspended(saved && present))),
            (Size::Off(true), .., Some(fields)) => {
                let fields = fields
                    .iter()
                    .filter(|(at, value)| switch.is_some_and(|s| s.restores(at, value) && s.is_off_at(at)));
                let fields = fields.map(|(at, value)| (Arc::clone(at), value.clone())).collect();
                Some(Restored { size: Size::Off(false), fields })
            }
            (Size::Off(false), .., Some(fields)) => {
                let fields = fields.iter().filter(|(at, value)| {
                    switch.is_some_and(|s| s.off.contains_key(*at) && is_larger(value, s.now.get(*at)))
                });
                let fields = fields.map(|(at, value)| (Arc::clone(at), value.clone())).collect();
                Some(Restored { size: now, fields })
            }
            _ => None,
        }
    }
}

fn is_larger(saved: &Value, present: Option<&Value>) -> bool {
    saved.as_u64().zip(present.and_then(Value::as_u64)).is_some_and(|(saved, present)| saved > present)
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
            assert_eq!(&*Original::of(size, None).to_json(), text);
            assert_eq!(Original::parse(text), Ok(Original::of(size, None)));
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
        let restored = |of: &Original, size| of.restored(size, None).map(|restored| restored.size);
        let three = Original::of(Size::Replicas(3), None);
        assert_eq!(restored(&three, Size::Replicas(0)), Some(Size::Replicas(3)));
        assert_eq!(restored(&three, Size::Replicas(1)), Some(Size::Replicas(3)));
        assert_eq!(restored(&three, Size::Replicas(5)), Some(Size::Replicas(5)));
        assert_eq!(restored(&three, Size::Suspended(true)), None);
        let running = Original::of(Size::Suspended(false), None);
        assert_eq!(restored(&running, Size::Suspended(true)), Some(Size::Suspended(false)));
        let suspended = Original::of(Size::Suspended(true), None);
        assert_eq!(restored(&suspended, Size::Suspended(true)), Some(Size::Suspended(true)));
    }

    fn fields<const N: usize>(of: [(&str, serde_json::Value); N]) -> Fields {
        of.into_iter().map(|(at, value)| (at.into(), value)).collect()
    }

    #[test]
    fn switch_is_turned_back_to_what_it_was_and_nothing_else_is_written() {
        let off = fields([("/spec/suspend", true.into()), ("/spec/pause/why", "sleep".into())]);
        let now = fields([("/spec/suspend", false.into()), ("/spec/pause", ().into())]);
        let switch = Switch { off: off.clone(), now: now.clone() };
        let original = Original::of(Size::Off(false), Some(&switch));
        let switch = Switch { off: off.clone(), now: off };
        let text = r#"{"fields":{"/spec/pause":null,"/spec/suspend":false}}"#;
        assert_eq!(&*original.to_json(), text);
        assert_eq!(Original::parse(text).as_ref(), Ok(&original));
        let back = Some(Restored { size: Size::Off(false), fields: now.clone() });
        assert_eq!(original.restored(Size::Off(true), Some(&switch)), back);

        // Who may write annotations only must not have the rest of the object written in this way.
        let mut more = original.clone();
        let forged = fields([
            ("/spec/serviceAccountName", "admin".into()),
            ("/spec", "gone".into()),
            ("/spec/susp", ().into()),
        ]);
        more.fields.as_mut().unwrap().extend(forged);
        assert_eq!(more.restored(Size::Off(true), Some(&switch)), back);
        // Turned on again by hand: its values are chosen by who did.
        let as_is = Some(Restored { size: Size::Off(false), fields: Fields::new() });
        assert_eq!(original.restored(Size::Off(false), Some(&switch)), as_is);
    }

    #[test]
    fn mark_is_json_with_its_four_fields() {
        let mark = Mark {
            since: Instant(1_772_352_000_000),
            why: "uptime ended".into(),
            policy: "namespace uptime".into(),
            by: "nightcap".into(),
            freed: None,
        };
        let text = r#"{"since":"2026-03-01T08:00:00Z","why":"uptime ended","policy":"namespace uptime","by":"nightcap"}"#;
        assert_eq!(&*mark.to_json(), text);
        assert_eq!(Mark::parse(text), Ok(mark));
    }

    #[test]
    fn mark_tells_what_was_freed_where_no_size_does() {
        let requests = Resources { cpu: Cpu::from_millis(250), memory: Bytes(1 << 20), gpu: Gpu(0) };
        let mark = Mark {
            since: Instant(0),
            why: "w".into(),
            policy: "p".into(),
            by: "b".into(),
            freed: Some(requests.into()),
        };
        let text = mark.to_json();
        assert!(text.ends_with(r#""freed":{"cpu_millicores":250,"memory_bytes":1048576}}"#), "{text}");
        let read = Mark::parse(&text).unwrap().freed.map(Resources::from);
        assert_eq!(read, Some(requests));
    }
}
