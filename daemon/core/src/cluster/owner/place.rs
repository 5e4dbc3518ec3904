//! The places where somebody may have written whose a thing is.

use std::sync::Arc;

use super::glob;
use super::platforms::{Form, PlatformKey, TREE_DEPTH, Written};
use crate::cluster::Keys;

/// No keys at all.
pub(super) static NOTHING: Keys = Keys::new();

/// Labels and annotations of one object.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    /// What the object is, such as `namespace`.
    pub(super) word: &'static str,
    pub(super) labels: &'a Keys,
    pub(super) annotations: &'a Keys,
}

/// A value, and where it stood.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Hit<'a> {
    pub(super) value: &'a str,
    pub(super) what: &'static str,
    pub(super) key: &'a str,
    pub(super) of: &'static str,
}

impl Hit<'_> {
    /// Such as `label team of the namespace`.
    pub(super) fn rule(&self) -> String {
        format!("{} {} of the {}", self.what, self.key, self.of)
    }
}

impl<'a> Place<'a> {
    /// The value of a label, unless it is blank.
    pub(super) fn label(&self, key: &'a str) -> Option<Hit<'a>> {
        self.hit(self.labels, "label", key)
    }

    /// The value of an annotation, unless it is blank.
    pub(super) fn annotation(&self, key: &'a str) -> Option<Hit<'a>> {
        self.hit(self.annotations, "annotation", key)
    }

    /// The first of these keys that is there, as a label or else as an annotation.
    pub(super) fn first(&self, keys: &'a [Arc<str>]) -> Option<Hit<'a>> {
        keys.iter().find_map(|key| self.label(key).or_else(|| self.annotation(key)))
    }

    /// What a platform has written here.
    pub(super) fn platform(&self, of: &PlatformKey) -> Option<Hit<'a>> {
        if of.form == Form::TreeDepth {
            return self.tree_root().filter(|(_, depth)| *depth > 0).map(|(hit, _)| hit);
        }
        let label = || self.label(of.key);
        let annotation = || self.annotation(of.key);
        match of.written {
            Written::Label => label(),
            Written::Annotation => annotation(),
            Written::Either => label().or_else(annotation),
        }
    }

    /// The namespace itself where it is the root of its tree. HNC says that of every namespace that stands alone, so
    /// it counts only where nothing else names an owner.
    pub(super) fn own_root(&self) -> Option<Hit<'a>> {
        self.tree_root().filter(|(_, depth)| *depth == 0).map(|(hit, _)| hit)
    }

    /// The ancestor that is farthest up, with its distance.
    fn tree_root(&self) -> Option<(Hit<'a>, u32)> {
        let mut root: Option<(Hit<'a>, u32)> = None;
        for (key, depth) in self.labels {
            let Some(name) = key.strip_suffix(TREE_DEPTH).filter(|name| !name.is_empty()) else { continue };
            let Ok(depth) = depth.trim().parse::<u32>() else { continue };
            if root.is_none_or(|(_, farthest)| depth > farthest) {
                root = Some((Hit { value: name, what: "label", key, of: self.word }, depth));
            }
        }
        root
    }

    fn hit(&self, keys: &'a Keys, what: &'static str, key: &'a str) -> Option<Hit<'a>> {
        let value = keys.get(key)?.trim();
        (!value.is_empty()).then_some(Hit { value, what, key, of: self.word })
    }
}

/// Whether the first of the places that has the label has a value that matches.
pub(super) fn label_matches(places: &[Place<'_>], key: &str, pattern: &str) -> bool {
    places.iter().find_map(|place| place.labels.get(key)).is_some_and(|value| glob(pattern, value))
}
