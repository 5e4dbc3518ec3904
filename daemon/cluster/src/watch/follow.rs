//! Follows one watch, from item to item.

use std::time::Duration;

use futures::{Stream, StreamExt};
use kube::runtime::watcher;

use super::kinds::Watched;
use super::translate::{Item, Translator};
use crate::{Now, Sink};

/// A broken watch fails again at least this often (longest pause, with its jitter, and the time to connect). So if it
/// is silent for longer it is well, only nothing has changed: in a quiet cluster that can last for hours.
pub(super) const SILENT_IS_WELL: Duration = Duration::from_mins(2);

/// Why a watch is not followed any more.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum End {
    /// It has ended by itself.
    OfStream,
    /// The API server does not know, or does not allow, lists as streams.
    NoStreamedLists,
    /// The API server does not know a kind that a cluster may not have.
    NotServed,
}

/// Passes on what follows from each item, until the stream ends.
pub(super) async fn follow<K: Watched>(
    stream: impl Stream<Item = Item<K>>,
    translator: &mut Translator<K>,
    now: &Now,
    sink: &Sink,
) -> End {
    let mut stream = std::pin::pin!(stream);
    loop {
        let item = if translator.is_broken() {
            match tokio::time::timeout(SILENT_IS_WELL, stream.next()).await {
                Ok(item) => item,
                Err(_) => {
                    if let Some(event) = translator.well() {
                        sink(event).await;
                    }
                    continue;
                }
            }
        } else {
            stream.next().await
        };
        let Some(item) = item else { return End::OfStream };
        if refuses_streamed_lists(&item) {
            return End::NoStreamedLists;
        }
        if K::CUSTOM && is_not_served(&item) {
            return End::NotServed;
        }
        for event in translator.events(item, now()) {
            sink(event).await;
        }
    }
}

/// An API server without the feature calls `sendInitialEvents` invalid. A watch that goes on from a version states no
/// such thing, so no other watch is refused like this.
pub(super) fn refuses_streamed_lists<K>(item: &Item<K>) -> bool {
    let Err(watcher::Error::WatchStartFailed(kube::Error::Api(status))) = item else { return false };
    matches!(status.code, 400 | 422) && status.message.contains("sendInitialEvents")
}

/// 404: there is no such kind, or no more.
fn is_not_served<K>(item: &Item<K>) -> bool {
    matches!(
        item,
        Err(watcher::Error::InitialListFailed(kube::Error::Api(status))
            | watcher::Error::WatchStartFailed(kube::Error::Api(status))) if status.code == 404
    )
}
