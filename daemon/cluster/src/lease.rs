//! Who acts where several daemons run: the holder of a Lease, as client-go's leader election keeps one.
//!
//! Clocks of machines differ, so nobody reads another's time: a Lease is taken over when this daemon itself has seen nothing
//! change on it for as long as it says that it lasts. Who holds it steps down a while before others may take it.

use std::time::Duration;

use k8s_openapi::api::coordination::v1::Lease;
use kube::Api;
use kube::api::PostParams;
use nightcap_core::engine::Event;
use nightcap_core::units::Instant;
use serde_json::json;
use tokio::time;
use tokio_util::sync::CancellationToken;

use crate::{Cluster, ClusterError, Now, Sink};

/// How long a Lease lasts without being renewed: so long nobody acts after its holder has died.
const LASTS: Duration = Duration::from_secs(15);
/// How often it is renewed, or looked at.
const RENEW: Duration = Duration::from_secs(5);
/// Who could not renew it for so long steps down, some time before others may take it.
const STEP_DOWN: Duration = Duration::from_secs(10);

/// Which Lease, and as whom.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LeaseSettings {
    /// The namespace in which it lies.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Who this daemon is; no other may say the same.
    pub identity: String,
}

/// The Lease as it was last seen to change.
#[derive(Debug)]
struct Seen {
    holder: String,
    version: String,
    lasts: Duration,
    at: time::Instant,
}

impl Seen {
    fn is_over(&self, now: time::Instant) -> bool {
        self.holder.is_empty() || now.duration_since(self.at) >= self.lasts
    }
}

/// Stands for the Lease until `stop`, and tells the engine whenever it leads or does not lead any more. On stopping the Lease
/// is given back, so that the next one need not wait.
pub async fn lead(
    cluster: &Cluster,
    settings: &LeaseSettings,
    now: &Now,
    sink: &Sink,
    stop: &CancellationToken,
) {
    let mut election = Election {
        api: Api::namespaced(cluster.client.clone(), &settings.namespace),
        settings,
        seen: None,
        renewed: None,
        failed: false,
    };
    let mut leads = false;
    let mut interval = time::interval(RENEW);
    interval.set_missed_tick_behavior(time::MissedTickBehavior::Delay);
    while stop.run_until_cancelled(interval.tick()).await.is_some() {
        // One that hangs must not keep this daemon in the belief that it leads.
        let tried = time::timeout(RENEW, election.stand(now())).await;
        election.note(tried.unwrap_or_else(|_| Err(ClusterError::Unreachable("no answer".to_owned()))));
        let holds = election.holds(time::Instant::now());
        if holds != leads {
            leads = holds;
            let lease = format!("{}/{}", settings.namespace, settings.name);
            tracing::info!(
                lease,
                identity = settings.identity,
                "{}",
                if leads { "Leads." } else { "Leads no more." }
            );
            sink(Event::Leads(leads)).await;
        }
    }
    if leads {
        election.give_back(now()).await;
    }
}

struct Election<'a> {
    api: Api<Lease>,
    settings: &'a LeaseSettings,
    seen: Option<Seen>,
    /// When it was last made or renewed by this daemon; `None` while another holds it.
    renewed: Option<time::Instant>,
    failed: bool,
}

impl Election<'_> {
    fn holds(&self, now: time::Instant) -> bool {
        self.renewed.is_some_and(|renewed| now.duration_since(renewed) < STEP_DOWN)
    }

    /// One try to have it, or to go on having it.
    async fn stand(&mut self, now: Instant) -> Result<(), ClusterError> {
        // What is renewed holds from before it was asked for.
        let began = time::Instant::now();
        let lease = match self.api.get(&self.settings.name).await {
            Ok(lease) => lease,
            Err(kube::Error::Api(status)) if status.code == 404 => {
                let made = self.record(None, &self.settings.identity, now)?;
                return self.settle(self.api.create(&PostParams::default(), &made).await, began);
            }
            Err(error) => return Err(error.into()),
        };
        self.look(&lease, began);
        let free = self.seen.as_ref().is_none_or(|seen| seen.is_over(began));
        let is_ours = self.seen.as_ref().is_some_and(|seen| seen.holder == self.settings.identity);
        if !free && !is_ours {
            self.renewed = None;
            return Ok(());
        }
        let wanted = self.record(Some(&lease), &self.settings.identity, now)?;
        // With the version that was read: of two that take it at once, one is told of a conflict.
        let replaced = self.api.replace(&self.settings.name, &PostParams::default(), &wanted).await;
        self.settle(replaced, began)
    }

    fn look(&mut self, lease: &Lease, now: time::Instant) {
        let version = lease.metadata.resource_version.clone().unwrap_or_default();
        if self.seen.as_ref().is_some_and(|seen| seen.version == version) {
            return;
        }
        let spec = lease.spec.clone().unwrap_or_default();
        let seconds = spec.lease_duration_seconds.and_then(|seconds| u64::try_from(seconds).ok());
        self.seen = Some(Seen {
            holder: spec.holder_identity.unwrap_or_default(),
            version,
            lasts: seconds.map_or(LASTS, Duration::from_secs),
            at: now,
        });
    }

    fn settle(&mut self, answer: kube::Result<Lease>, began: time::Instant) -> Result<(), ClusterError> {
        match answer {
            Ok(lease) => {
                self.look(&lease, began);
                self.renewed = Some(began);
                Ok(())
            }
            // Another was quicker; the next look tells who.
            Err(kube::Error::Api(status)) if status.code == 409 => {
                self.renewed = None;
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The Lease with this holder, as it is to be written.
    fn record(&self, before: Option<&Lease>, holder: &str, now: Instant) -> Result<Lease, ClusterError> {
        let spec = before.and_then(|lease| lease.spec.as_ref());
        let is_ours = spec.and_then(|spec| spec.holder_identity.as_deref()) == Some(holder);
        let changes = spec.and_then(|spec| spec.lease_transitions).unwrap_or(0);
        let time = micro_time(now);
        let acquired = spec.and_then(|spec| spec.acquire_time.clone()).filter(|_| is_ours);
        let acquired = serde_json::to_value(acquired).ok().filter(|value| !value.is_null());
        let lease = json!({
            "metadata": {
                "name": self.settings.name,
                "namespace": self.settings.namespace,
                "resourceVersion": before.and_then(|lease| lease.metadata.resource_version.clone()),
            },
            "spec": {
                "holderIdentity": holder,
                "leaseDurationSeconds": if holder.is_empty() { 1 } else { LASTS.as_secs() },
                "acquireTime": acquired.unwrap_or_else(|| time.clone().into()),
                "renewTime": time,
                "leaseTransitions": changes + i32::from(before.is_some() && !is_ours),
            },
        });
        serde_json::from_value(lease).map_err(|error| ClusterError::Unreachable(error.to_string()))
    }

    /// So that the next one need not wait until it is over. If that fails, it waits.
    async fn give_back(&self, now: Instant) {
        let given = async {
            let lease = self.api.get(&self.settings.name).await?;
            let holder = lease.spec.as_ref().and_then(|spec| spec.holder_identity.as_deref());
            if holder == Some(&self.settings.identity) {
                let free = self.record(Some(&lease), "", now)?;
                self.api.replace(&self.settings.name, &PostParams::default(), &free).await?;
            }
            Ok::<(), ClusterError>(())
        };
        if !matches!(time::timeout(RENEW, given).await, Ok(Ok(()))) {
            tracing::warn!("The lease could not be given back; another daemon acts once it is over.");
        }
    }

    /// Says once that the Lease cannot be reached, and once that it can again.
    fn note(&mut self, tried: Result<(), ClusterError>) {
        let failed = tried.is_err();
        if let Err(error) = tried
            && !self.failed
        {
            tracing::warn!(%error, lease = self.settings.name, "The lease cannot be had; nothing is put to sleep or woken by who does not hold it.");
        } else if self.failed && !failed {
            tracing::info!(lease = self.settings.name, "The lease can be had again.");
        }
        self.failed = failed;
    }
}

/// Kubernetes' `MicroTime`: RFC 3339 in UTC with six decimals.
fn micro_time(at: Instant) -> String {
    let text = at.to_rfc3339();
    let seconds = text.split(['.', 'Z', '+']).next().unwrap_or_default();
    format!("{seconds}.{:03}000Z", at.0.rem_euclid(1_000))
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::server::{Answer, scripted};

    fn lease(holder: &str, version: &str) -> serde_json::Value {
        json!({
            "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
            "metadata": { "name": "nightcap", "namespace": "tools", "resourceVersion": version },
            "spec": { "holderIdentity": holder, "leaseDurationSeconds": 15, "leaseTransitions": 3 },
        })
    }

    fn settings() -> LeaseSettings {
        LeaseSettings { namespace: "tools".to_owned(), name: "nightcap".to_owned(), identity: "b".to_owned() }
    }

    /// What the engine is told, and what was asked, while time passes in which the API server answers so.
    async fn told(answers: impl IntoIterator<Item = Answer>, time: Duration) -> (Vec<bool>, Vec<String>) {
        let (cluster, log) = scripted(answers);
        let told = Arc::new(Mutex::new(Vec::new()));
        let sink: Sink = {
            let told = Arc::clone(&told);
            Arc::new(move |event| {
                if let Event::Leads(leads) = event {
                    told.lock().unwrap().push(leads);
                }
                Box::pin(async {})
            })
        };
        let now: Now = Arc::new(|| Instant(1_772_539_200_250));
        let stop = CancellationToken::new();
        let settings = settings();
        let _ = time::timeout(time, lead(&cluster, &settings, &now, &sink, &stop)).await;
        let told = told.lock().unwrap().clone();
        (told, log.lines())
    }

    const GET: &str = "GET /apis/coordination.k8s.io/v1/namespaces/tools/leases/nightcap";
    const PUT: &str = "PUT /apis/coordination.k8s.io/v1/namespaces/tools/leases/nightcap?";

    #[tokio::test(start_paused = true)]
    async fn first_one_makes_the_lease_and_leads() {
        let answers = [Answer::failure(404, "none"), Answer::json(201, &lease("b", "1"))];
        let (told, asked) = told(answers, Duration::from_secs(1)).await;
        assert_eq!(told, [true]);
        let post = "POST /apis/coordination.k8s.io/v1/namespaces/tools/leases?";
        assert_eq!(asked, [GET, post]);
    }

    #[tokio::test(start_paused = true)]
    async fn other_ones_lease_is_taken_only_when_nothing_changed_for_as_long_as_it_lasts() {
        let mut answers: Vec<_> = (1..4).map(|_| Answer::json(200, &lease("a", "7"))).collect();
        answers.push(Answer::json(200, &lease("a", "8"))); // renewed in the last moment
        answers.extend((0..3).map(|_| Answer::json(200, &lease("a", "8"))));
        answers.push(Answer::json(200, &lease("b", "9")));
        let (told, asked) = told(answers, Duration::from_secs(31)).await;
        assert_eq!(told, [true]);
        assert_eq!(asked, [GET, GET, GET, GET, GET, GET, GET, PUT]);
    }

    #[tokio::test(start_paused = true)]
    async fn of_two_that_take_it_at_once_one_stands_back() {
        let answers = [Answer::json(200, &lease("", "7")), Answer::failure(409, "newer")];
        assert_eq!(
            told(answers, Duration::from_secs(1)).await,
            (Vec::new(), vec![GET.to_owned(), PUT.to_owned()])
        );
    }

    #[tokio::test(start_paused = true)]
    async fn who_cannot_renew_it_steps_down_before_others_may_take_it() {
        let mut answers = vec![Answer::json(200, &lease("", "7")), Answer::json(200, &lease("b", "8"))];
        answers.extend((0..3).map(|_| Answer::failure(500, "etcd is away")));
        let (told, _) = told(answers, Duration::from_secs(11)).await;
        assert_eq!(told, [true, false]);
    }

    #[test]
    fn times_have_six_decimals() {
        assert_eq!(micro_time(Instant(1_772_539_200_250)), "2026-03-03T12:00:00.250000Z");
        assert_eq!(micro_time(Instant(1_772_539_200_000)), "2026-03-03T12:00:00.000000Z");
    }
}
