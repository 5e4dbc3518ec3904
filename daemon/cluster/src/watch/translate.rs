//! From what a watch delivers to events of the core: pure, one item at a time.

use std::marker::PhantomData;
use std::sync::Arc;

use kube::Resource;
use kube::core::DeserializeGuard;
use kube::runtime::watcher;
use nightcap_core::engine::Event;
use nightcap_core::units::Instant;

use super::kinds::Watched;
use crate::convert::{Classes, Reader, Unreadable, object_name};
use crate::{ClusterError, KeepKeys};

/// One item of a watch.
pub(super) type Item<K> = Result<watcher::Event<DeserializeGuard<K>>, watcher::Error>;

/// What has to be remembered from item to item.
#[derive(Debug)]
pub(super) struct Translator<K> {
    reader: Reader,
    /// UIDs of the list that is being delivered.
    listed: Vec<Arc<str>>,
    /// Whether the core has been told a whole list.
    is_listed: bool,
    broken: bool,
    kind: PhantomData<fn() -> K>,
}

impl<K: Watched> Translator<K> {
    pub(super) fn new(keep: KeepKeys) -> Self {
        let reader = Reader::new(keep);
        Self { reader, listed: Vec::new(), is_listed: false, broken: false, kind: PhantomData }
    }

    /// What is known of the storage classes, for volumes told from now on.
    pub(super) fn learn(&mut self, classes: Arc<Classes>) {
        self.reader.classes = classes;
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
                if !is_recorded(&object) {
                    return self.well().into_iter().collect();
                }
                // Also what cannot be read is there: its last good state is kept.
                self.listed.extend(object.meta().uid.as_deref().map(Arc::from));
                let event = self.seen(object);
                self.healthy(event)
            }
            Ok(watcher::Event::InitDone) => {
                let uids = std::mem::take(&mut self.listed);
                self.is_listed = true;
                self.healthy(Event::Listed { kind: K::KIND, uids })
            }
            Ok(watcher::Event::Apply(object)) => {
                // It may have been one of those that are recorded.
                let event = if is_recorded(&object) { self.seen(object) } else { Self::gone(&object, now) };
                self.healthy(event)
            }
            Ok(watcher::Event::Delete(object)) => {
                let event = Self::gone(&object, now);
                self.healthy(event)
            }
            Err(error) => self.failed(error),
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

    fn failed(&mut self, error: watcher::Error) -> Vec<Event> {
        if is_too_old(&error) {
            return Vec::new();
        }
        // Who may not list these kinds has a cluster all the same: it is told an empty list, and what is missing.
        let forgone = K::OPTIONAL && !self.is_listed && is_forbidden(&error);
        self.is_listed |= forgone;
        if std::mem::replace(&mut self.broken, true) && !forgone {
            return Vec::new();
        }
        let mut problem = words(error);
        if forgone {
            problem.push_str("; none of them is ");
            problem.push_str(K::FORGONE);
            problem.push_str(" until list and watch are allowed");
        }
        tracing::warn!(kind = K::KIND.plural(), %problem, "The watch is broken and tried again.");
        let problem = Event::Watch { kind: K::KIND, problem: Some(problem.into()) };
        let nothing = forgone.then_some(Event::Listed { kind: K::KIND, uids: Vec::new() });
        [problem].into_iter().chain(nothing).collect()
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

/// What cannot be read may well be one of those that are recorded.
fn is_recorded<K: Watched>(object: &DeserializeGuard<K>) -> bool {
    object.0.as_ref().map_or(true, Watched::is_recorded)
}

/// 403 Forbidden, to a list or to a watch that is to begin with one.
fn is_forbidden(error: &watcher::Error) -> bool {
    matches!(
        error,
        watcher::Error::InitialListFailed(kube::Error::Api(status))
        | watcher::Error::WatchStartFailed(kube::Error::Api(status)) if status.code == 403
    )
}

/// 410 Gone: the place in the history where the watch stood is forgotten. It lists anew; nothing is wrong.
pub(super) fn is_too_old(error: &watcher::Error) -> bool {
    matches!(
        error,
        watcher::Error::WatchError(status)
        | watcher::Error::InitialListFailed(kube::Error::Api(status))
        | watcher::Error::WatchStartFailed(kube::Error::Api(status))
        | watcher::Error::WatchFailed(kube::Error::Api(status)) if status.code == 410
    )
}

pub(super) fn words(error: watcher::Error) -> String {
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
