//! From what a watch delivers to events of the core: pure, one item at a time.

use std::marker::PhantomData;
use std::sync::Arc;

use kube::Resource;
use kube::core::DeserializeGuard;
use kube::runtime::watcher;
use nightcap_core::engine::Event;
use nightcap_core::units::Instant;

use super::kinds::Watched;
use crate::convert::{Reader, Unreadable, object_name};
use crate::{ClusterError, KeepKeys};

/// One item of a watch.
pub(super) type Item<K> = Result<watcher::Event<DeserializeGuard<K>>, watcher::Error>;

/// What has to be remembered from item to item.
#[derive(Debug)]
pub(super) struct Translator<K> {
    reader: Reader,
    /// UIDs of the list that is being delivered.
    listed: Vec<Arc<str>>,
    broken: bool,
    kind: PhantomData<fn() -> K>,
}

impl<K: Watched> Translator<K> {
    pub(super) fn new(keep: KeepKeys) -> Self {
        Self { reader: Reader::new(keep), listed: Vec::new(), broken: false, kind: PhantomData }
    }

    /// Whether the last that was told is that the watch is broken.
    pub(super) const fn is_broken(&self) -> bool {
        self.broken
    }

    /// The events that follow from an item, in order.
    pub(super) fn events(&mut self, item: Item<K>, now: Instant) -> Vec<Event> {
        match item {
            // A list begins before anything has come of it: no sign of health yet.
            Ok(watcher::Event::Init) => {
                self.listed.clear();
                Vec::new()
            }
            Ok(watcher::Event::InitApply(object)) => {
                // Also what cannot be read is there: its last good state is kept.
                self.listed.extend(object.meta().uid.as_deref().map(Arc::from));
                let event = self.seen(object);
                self.healthy(event)
            }
            Ok(watcher::Event::InitDone) => {
                let uids = std::mem::take(&mut self.listed);
                self.healthy(Event::Listed { kind: K::KIND, uids })
            }
            Ok(watcher::Event::Apply(object)) => {
                let event = self.seen(object);
                self.healthy(event)
            }
            Ok(watcher::Event::Delete(object)) => {
                let event = Self::gone(&object, now);
                self.healthy(event)
            }
            Err(error) => self.failed(error).into_iter().collect(),
        }
    }

    /// The watch is taken to be well again.
    pub(super) fn well(&mut self) -> Option<Event> {
        std::mem::take(&mut self.broken).then_some(Event::Watch { kind: K::KIND, problem: None })
    }

    /// The cluster does not have the kind: there are none, and nothing is wrong with that.
    pub(super) fn not_served(&mut self) -> Vec<Event> {
        self.listed.clear();
        self.healthy(Event::Listed { kind: K::KIND, uids: Vec::new() })
    }

    fn healthy(&mut self, event: Event) -> Vec<Event> {
        self.well().into_iter().chain([event]).collect()
    }

    fn failed(&mut self, error: watcher::Error) -> Option<Event> {
        if is_too_old(&error) || std::mem::replace(&mut self.broken, true) {
            return None;
        }
        let problem = words(error);
        tracing::warn!(kind = K::KIND.plural(), %problem, "The watch is broken and tried again.");
        Some(Event::Watch { kind: K::KIND, problem: Some(problem.into()) })
    }

    fn seen(&mut self, object: DeserializeGuard<K>) -> Event {
        let read = match object.0 {
            Ok(object) => object.seen(&mut self.reader),
            Err(invalid) => Err(Unreadable {
                object: object_name(&invalid.metadata),
                reason: format!("it is no {}: {}", K::kind(&()), invalid.error).into(),
            }),
        };
        read.unwrap_or_else(|Unreadable { object, reason }| {
            tracing::warn!(kind = K::KIND.plural(), %object, %reason, "An object cannot be read.");
            Event::Unreadable { kind: K::KIND, object, reason }
        })
    }

    fn gone(object: &DeserializeGuard<K>, now: Instant) -> Event {
        let uid = object.meta().uid.as_deref().unwrap_or_default().into();
        let at = object.0.as_ref().map_or(now, |object| object.ended(now));
        K::gone(uid, at)
    }
}

/// 410 Gone: the place in the history where the watch stood is forgotten. It lists anew; nothing is wrong.
fn is_too_old(error: &watcher::Error) -> bool {
    matches!(
        error,
        watcher::Error::WatchError(status)
        | watcher::Error::InitialListFailed(kube::Error::Api(status))
        | watcher::Error::WatchStartFailed(kube::Error::Api(status))
        | watcher::Error::WatchFailed(kube::Error::Api(status)) if status.code == 410
    )
}

fn words(error: watcher::Error) -> String {
    match error {
        watcher::Error::InitialListFailed(error)
        | watcher::Error::WatchStartFailed(error)
        | watcher::Error::WatchFailed(error) => ClusterError::from(error).to_string(),
        watcher::Error::WatchError(status) => {
            ClusterError::Answered { code: status.code, message: status.message.clone() }.to_string()
        }
        error @ watcher::Error::NoResourceVersion => error.to_string(),
    }
}
