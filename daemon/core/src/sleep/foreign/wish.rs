//! The common shape of what another tool's key asks for at one instant.

use std::sync::Arc;

use serde::Serialize;

use super::Tool;
use crate::units::Instant;

/// What is asked for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ask {
    /// Down.
    Sleep,
    /// Up.
    Awake,
    /// As it is: neither put to sleep nor woken.
    LeaveAlone,
    /// Nothing at this time: whoever comes next decides.
    Nothing,
}

/// What another tool's key, or object, asks for at one instant.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct ForeignWish {
    /// As which tool reads it.
    pub tool: Tool,
    /// What it asks for.
    pub ask: Ask,
    /// How many replicas it wants while down; mostly none.
    pub replicas: u32,
    /// The key, or the kind and name of the object, that decided.
    pub key: Arc<str>,
    /// Its value, as written.
    pub value: Arc<str>,
    /// One sentence.
    pub why: Arc<str>,
    /// When it asks for something else: strictly later. `None` if it never does by itself.
    pub until: Option<Instant>,
    /// What a reader should know: values that cannot be read, or that another tool reads otherwise.
    pub warnings: Vec<Arc<str>>,
}

/// What decided at one instant, before it is known when that changes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Reading {
    pub(super) ask: Ask,
    pub(super) key: Arc<str>,
    pub(super) value: Arc<str>,
    pub(super) why: String,
}

impl Reading {
    pub(super) fn new(ask: Ask, key: &str, value: &str, why: impl Into<String>) -> Self {
        Self { ask, key: key.into(), value: value.into(), why: why.into() }
    }
}

/// How many edges are looked at for one that changes something: two specs may change at once and cancel out, and a
/// year of daily edges is far beyond any real one.
const MOST_EDGES: usize = 1_000;

/// The first edge strictly after `after` at which `state` is not what it is at `after`.
pub(super) fn next_change<T: PartialEq>(
    after: Instant,
    state: impl Fn(Instant) -> T,
    next_edge: impl Fn(Instant) -> Option<Instant>,
) -> Option<Instant> {
    let now = state(after);
    let mut at = after;
    for _ in 0..MOST_EDGES {
        at = next_edge(at).filter(|next| *next > at)?;
        if state(at) != now {
            return Some(at);
        }
    }
    None
}
