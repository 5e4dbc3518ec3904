//! Does what the engine wants: each action one write (a waking `CronJob`: two), a bounded number at a time.

mod announce;
mod patch;
mod perform;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use nightcap_core::cluster::WorkloadKey;
use nightcap_core::engine::{Action, ActionId, Event};
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;

use crate::{Cluster, Now, Sink};
use announce::Announcer;
pub(crate) use perform::{delete_pod, write_budget, write_namespace, write_policy, write_workload};

/// Announcements wait in a queue of this length; more than that at once nobody reads, and a lost one is no harm.
const ANNOUNCEMENTS_WAITING: usize = 1_000;
/// Announcements are written so many at a time, beside the writes that matter.
const ANNOUNCEMENTS_AT_A_TIME: usize = 2;

/// How actions are done.
#[derive(Clone, Debug)]
pub struct ActSettings {
    /// How many writes are under way at a time.
    pub concurrency: usize,
    /// How long a write may take.
    pub timeout: Duration,
    /// Who publishes Kubernetes Events: the name of the daemon's pod, or of its machine.
    pub instance: Arc<str>,
}

impl Default for ActSettings {
    fn default() -> Self {
        Self { concurrency: 16, timeout: Duration::from_secs(10), instance: "nightcap".into() }
    }
}

/// Takes actions and does them, without ever making who gives them wait. Cheap to clone.
#[derive(Clone)]
pub struct Performer {
    cluster: Cluster,
    timeout: Duration,
    sink: Sink,
    writes: Arc<Semaphore>,
    announcements: Arc<Semaphore>,
    announcer: Arc<Announcer>,
    now: Now,
    writing: TaskTracker,
    announcing: TaskTracker,
}

impl std::fmt::Debug for Performer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Performer").field("cluster", &self.cluster).finish_non_exhaustive()
    }
}

impl Performer {
    /// A performer that writes to `cluster` and tells `sink` how each write ended.
    pub fn new(cluster: Cluster, settings: &ActSettings, now: Now, sink: Sink) -> Self {
        Self {
            cluster,
            timeout: settings.timeout,
            sink,
            writes: Arc::new(Semaphore::new(settings.concurrency.max(1))),
            announcements: Arc::new(Semaphore::new(ANNOUNCEMENTS_AT_A_TIME)),
            announcer: Arc::new(Announcer::new(&settings.instance)),
            now,
            writing: TaskTracker::new(),
            announcing: TaskTracker::new(),
        }
    }

    /// Queues an action and returns at once. Actions start in the order they were given. Must be called on a tokio
    /// runtime.
    pub fn perform(&self, action: Action) {
        match action {
            Action::Workload { id, patch } => {
                let this = self.clone();
                let target = Some(patch.target.clone());
                self.write(
                    id,
                    target,
                    async move { write_workload(&this.cluster, &patch, this.timeout).await },
                );
            }
            Action::Namespace { id, name, uid, annotations } => {
                let this = self.clone();
                self.write(id, None, async move {
                    write_namespace(&this.cluster, &name, &uid, &annotations, this.timeout).await
                });
            }
            Action::DeletePod { id, namespace, name, uid, .. } => {
                let this = self.clone();
                self.write(id, None, async move {
                    delete_pod(&this.cluster, &namespace, &name, &uid, this.timeout).await
                });
            }
            Action::BudgetStatus { id, name, uid, report } => {
                let this = self.clone();
                self.write(id, None, async move {
                    write_budget(&this.cluster, &name, &uid, &report, this.timeout).await
                });
            }
            Action::PolicyStatus { id, name, uid, report } => {
                let this = self.clone();
                self.write(id, None, async move {
                    write_policy(&this.cluster, &name, &uid, &report, this.timeout).await
                });
            }
            Action::Announce { subject, severity, reason, note } => {
                let Some(call) = self.announcer.call(&subject, severity, reason, &note, (self.now)()) else {
                    return;
                };
                if self.announcing.len() >= ANNOUNCEMENTS_WAITING {
                    tracing::debug!(reason, %note, "Too many Kubernetes Events at once; this one is dropped.");
                    return;
                }
                let this = self.clone();
                self.announcing.spawn(async move {
                    let Ok(_turn) = this.announcements.acquire().await else { return };
                    match this.cluster.call(&call, this.timeout).await {
                        Ok(reply) if reply.status.is_success() => {}
                        Ok(reply) => {
                            tracing::debug!(reason, error = reply.words(), "A Kubernetes Event is refused.");
                        }
                        Err(error) => tracing::debug!(reason, ?error, "A Kubernetes Event is lost."),
                    }
                });
            }
        }
    }

    /// How many writes are waiting or under way.
    pub fn under_way(&self) -> usize {
        self.writing.len()
    }

    /// Drops what has not begun and waits for what has: at most one timeout. Nothing is lost by it: what was not
    /// done is found undone by whoever looks next.
    pub async fn finish(&self) {
        self.writes.close();
        self.announcements.close();
        for tasks in [&self.writing, &self.announcing] {
            tasks.close();
            tasks.wait().await;
        }
    }

    fn write(
        &self,
        id: ActionId,
        target: Option<WorkloadKey>,
        write: impl Future<Output = nightcap_core::engine::Outcome> + Send + 'static,
    ) {
        let this = self.clone();
        self.writing.spawn(async move {
            let outcome = {
                let Ok(_turn) = this.writes.acquire().await else { return };
                write.await
            };
            (this.sink)(Event::Ended { id, target, outcome }).await;
        });
    }
}
