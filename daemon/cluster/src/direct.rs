//! Without a daemon: look once, act once.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::apps::v1::{DaemonSet, Deployment, ReplicaSet, StatefulSet};
use k8s_openapi::api::batch::v1::{CronJob, Job};
use k8s_openapi::api::core::v1::{self, ReplicationController};
use kube::Api;
use kube::api::{DynamicObject, ListParams};
use kube::core::{DeserializeGuard, NamespaceResourceScope};
use kube::discovery::{ApiGroup, Discovery, Scope};
use nightcap_core::cluster::{Namespace, OperatorKinds, Resource, Workload};
use nightcap_core::engine::{Action, ActionId, Event, Outcome};
use nightcap_core::units::Millis;
use serde::de::DeserializeOwned;

use crate::act::{delete_pod, write_namespace, write_workload};
use crate::convert::{self, Reader, Served, SlimDefinition, object_name};
use crate::watch::{Watched, api_resource};
use crate::{Cluster, ClusterError, KeepKeys, Unreadable};

/// Objects of a page.
const PAGE: u32 = 200;
/// How long one request may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// So often a write is tried that may work later. Nobody comes after this process to try again.
const TRIES: usize = 4;
/// The pause between two tries, where the API server asks for none, and the longest that is granted.
const PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// What is in a namespace, or in all.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Listing {
    /// The namespaces.
    pub namespaces: Vec<Namespace>,
    /// Their workloads that can be put to sleep.
    pub workloads: Vec<Workload>,
    /// What is there and cannot be read.
    pub unreadable: Vec<Unreadable>,
}

impl Cluster {
    /// Reads one namespace with its workloads, or all of them. One namespace needs no rights beyond it.
    /// Operators' objects are among them as far as `kinds` says how they are turned off, and they may be listed.
    pub async fn list(
        &self,
        namespace: Option<&str>,
        keep: &KeepKeys,
        kinds: &OperatorKinds,
    ) -> Result<Listing, ClusterError> {
        let mut found = Found { reader: Reader::new(keep.clone()), listing: Listing::default() };
        let namespaces = Api::<DeserializeGuard<v1::Namespace>>::all(self.client.clone());
        match namespace {
            Some(name) => {
                let object = namespaces.get(name).await?;
                found.listing.namespaces = found.take([object], convert::namespace);
            }
            None => {
                let all = pages(&namespaces).await?;
                found.listing.namespaces = found.take(all, convert::namespace);
            }
        }
        self.list_workloads::<Deployment>(namespace, &mut found).await?;
        self.list_workloads::<StatefulSet>(namespace, &mut found).await?;
        self.list_workloads::<CronJob>(namespace, &mut found).await?;
        self.list_workloads::<DaemonSet>(namespace, &mut found).await?;
        self.list_workloads::<ReplicaSet>(namespace, &mut found).await?;
        self.list_workloads::<ReplicationController>(namespace, &mut found).await?;
        self.list_workloads::<Job>(namespace, &mut found).await?;
        self.list_operators(namespace, kinds, &mut found).await?;
        Ok(found.listing)
    }

    /// What of operators' objects may not be listed is told of, and keeps nothing else from its due.
    async fn list_operators(
        &self,
        namespace: Option<&str>,
        kinds: &OperatorKinds,
        found: &mut Found,
    ) -> Result<(), ClusterError> {
        for Served { kind, resource, replicas } in served_kinds(self, kinds, found).await? {
            let Some(kind) = kinds.switch_of(&resource.group, &kind, replicas.as_deref()) else { continue };
            let asked = api_resource(&resource, &kind.kind);
            let api = match namespace {
                Some(namespace) => Api::namespaced_with(self.client.clone(), namespace, &asked),
                None => Api::<DeserializeGuard<DynamicObject>>::all_with(self.client.clone(), &asked),
            };
            match pages(&api).await {
                Ok(objects) => {
                    let resource = Arc::new(resource);
                    let read = |object: &DynamicObject, reader: &mut Reader| {
                        convert::operator_object(object, &kind, &resource, reader)
                    };
                    let workloads = found.take(objects, read);
                    found.listing.workloads.extend(workloads);
                }
                Err(error) => found.leave_out(&resource.to_string(), &error),
            }
        }
        Ok(())
    }

    /// What counts as a workload is what the watches say.
    async fn list_workloads<K>(&self, namespace: Option<&str>, found: &mut Found) -> Result<(), ClusterError>
    where
        K: Watched + kube::Resource<Scope = NamespaceResourceScope>,
    {
        let mut objects = pages(&self.api::<K>(namespace)).await?;
        // One that cannot be read is told of: nobody knows whether it would count.
        objects.retain(|object| object.0.as_ref().map_or(true, K::is_recorded));
        for event in found.take(objects, K::seen) {
            if let Event::Workload(workload) = event {
                found.listing.workloads.push(workload);
            }
        }
        Ok(())
    }

    /// Does these actions, in order, and returns how each ended. What may work later is tried a few times.
    /// Announcements are left out: who acts by hand knows.
    pub async fn apply(&self, actions: &[Action]) -> Vec<(ActionId, Outcome)> {
        let mut outcomes = Vec::with_capacity(actions.len());
        for action in actions {
            if let Some(outcome) = self.apply_one(action).await {
                outcomes.push(outcome);
            }
        }
        outcomes
    }

    async fn apply_one(&self, action: &Action) -> Option<(ActionId, Outcome)> {
        let mut tries = 0;
        loop {
            tries += 1;
            let (id, outcome) = match action {
                Action::Workload { id, patch } => (*id, write_workload(self, patch, PATIENCE).await),
                Action::Namespace { id, name, uid, annotations } => {
                    (*id, write_namespace(self, name, uid, annotations, PATIENCE).await)
                }
                Action::DeletePod { id, namespace, name, uid, .. } => {
                    (*id, delete_pod(self, namespace, name, uid, PATIENCE).await)
                }
                // Who acts by hand acts on spaces; a daemon tells of budgets and policies.
                Action::BudgetStatus { .. } | Action::PolicyStatus { .. } | Action::Announce { .. } => {
                    return None;
                }
            };
            match outcome {
                Outcome::Retry { after, .. } if tries < TRIES => tokio::time::sleep(pause(after)).await,
                outcome => return Some((id, outcome)),
            }
        }
    }

    fn api<K>(&self, namespace: Option<&str>) -> Api<DeserializeGuard<K>>
    where
        K: kube::Resource<DynamicType = (), Scope = NamespaceResourceScope>,
    {
        match namespace {
            Some(namespace) => Api::namespaced(self.client.clone(), namespace),
            None => Api::all(self.client.clone()),
        }
    }
}

fn pause(asked: Option<Millis>) -> Duration {
    let asked = asked.map(|millis| Duration::from_millis(millis.0.unsigned_abs()));
    asked.map_or(PAUSE, |asked| asked.min(LONGEST_PAUSE))
}

async fn pages<K>(api: &Api<DeserializeGuard<K>>) -> Result<Vec<DeserializeGuard<K>>, ClusterError>
where
    K: kube::Resource + DeserializeOwned + Clone + Debug,
{
    let mut all = Vec::new();
    let mut params = ListParams::default().limit(PAGE);
    loop {
        let page = api.list(&params).await?;
        all.extend(page.items);
        match page.metadata.continue_.filter(|token| !token.is_empty()) {
            Some(token) => params = params.continue_token(&token),
            None => return Ok(all),
        }
    }
}

/// The kinds that the cluster has. Who may not read the definitions, as most people may not, still learns from discovery which
/// of those known by name are served; where the size of others stands is not to be had there.
async fn served_kinds(
    cluster: &Cluster,
    kinds: &OperatorKinds,
    found: &mut Found,
) -> Result<Vec<Served>, ClusterError> {
    let definitions = Api::<DeserializeGuard<SlimDefinition>>::all(cluster.client.clone());
    match pages(&definitions).await {
        Ok(all) => {
            let readable = all.iter().filter_map(|definition| definition.0.as_ref().ok());
            Ok(readable.filter_map(convert::served).collect())
        }
        Err(ClusterError::Answered { code: 403, message }) => {
            found.leave_out(
                "customresourcedefinitions.apiextensions.k8s.io",
                &ClusterError::Answered { code: 403, message },
            );
            let groups = kinds.groups();
            let groups: Vec<&str> = groups.iter().map(|group| &**group).collect();
            let discovery = Discovery::new(cluster.client.clone()).filter(&groups).run_aggregated().await?;
            let all = discovery.groups().flat_map(ApiGroup::recommended_resources);
            let namespaced = all.filter(|(_, capabilities)| capabilities.scope == Scope::Namespaced);
            let served = namespaced.map(|(resource, _)| Served {
                kind: resource.kind,
                resource: Resource {
                    group: resource.group.into(),
                    version: resource.version.into(),
                    plural: resource.plural.into(),
                },
                replicas: None,
            });
            Ok(served.collect())
        }
        Err(error) => Err(error),
    }
}

struct Found {
    reader: Reader,
    listing: Listing,
}

impl Found {
    /// Objects that are not in the listing, and why.
    fn leave_out(&mut self, object: &str, error: &ClusterError) {
        let (object, reason) = (object.into(), error.to_string().into());
        self.listing.unreadable.push(Unreadable { object, reason });
    }

    /// The records of what can be read; the rest is noted down.
    fn take<K, R>(
        &mut self,
        objects: impl IntoIterator<Item = DeserializeGuard<K>>,
        read: impl Fn(&K, &mut Reader) -> Result<R, Unreadable>,
    ) -> Vec<R> {
        let mut records = Vec::new();
        for object in objects {
            let record = match &object.0 {
                Ok(object) => read(object, &mut self.reader),
                Err(invalid) => Err(Unreadable {
                    object: object_name(&invalid.metadata),
                    reason: invalid.error.as_str().into(),
                }),
            };
            match record {
                Ok(record) => records.push(record),
                Err(unreadable) => self.listing.unreadable.push(unreadable),
            }
        }
        records
    }
}

#[cfg(test)]
mod tests {
    use nightcap_core::cluster::{Size, WorkloadKind};
    use nightcap_core::engine::{Severity, Subject};
    use nightcap_core::sleep::WorkloadPatch;
    use serde_json::{Value, json};

    use super::*;
    use crate::server::{Answer, cluster, scripted};

    fn meta(name: &str) -> Value {
        json!({
            "uid": format!("uid-{name}"), "namespace": "pay", "name": name, "resourceVersion": "1",
            "creationTimestamp": "2026-03-01T00:00:00Z",
        })
    }

    fn workload(name: &str, replicas: i32) -> Value {
        json!({ "metadata": meta(name), "spec": { "replicas": replicas, "selector": {}, "template": {} } })
    }

    fn list(items: &[Value], token: &str) -> Answer {
        Answer::json(200, &json!({ "metadata": { "continue": token }, "items": items }))
    }

    fn named(listing: &Listing) -> Vec<String> {
        listing.workloads.iter().map(|w| format!("{} at {}", w.key, w.size)).collect()
    }

    #[tokio::test]
    async fn one_namespace_is_read_with_its_workloads() {
        let namespace = json!({ "metadata": {
            "uid": "ns-1", "name": "pay", "resourceVersion": "1", "creationTimestamp": "2026-03-01T00:00:00Z",
        } });
        let job = json!({ "metadata": meta("nightly"), "spec": { "schedule": "@daily", "jobTemplate": {} } });
        let mut owned = workload("api-5d8f", 3);
        owned["metadata"]["ownerReferences"] = json!([{ "apiVersion": "apps/v1", "kind": "Deployment", "name": "api", "uid": "d", "controller": true }]);
        let once = json!({ "metadata": meta("once"), "spec": { "template": {} } });
        let mut ended = once.clone();
        ended["status"] = json!({ "conditions": [{ "type": "Complete", "status": "True" }] });
        let rollouts = json!({
            "metadata": { "name": "rollouts.argoproj.io" },
            "spec": {
                "group": "argoproj.io", "scope": "Namespaced",
                "names": { "kind": "Rollout", "plural": "rollouts" },
                "versions": [{ "name": "v1alpha1", "served": true, "storage": true }],
            },
            "status": { "conditions": [{ "type": "Established", "status": "True" }] },
        });
        let rollout = json!({ "metadata": meta("canary"), "spec": { "replicas": 2 } });
        let (cluster, log) = cluster(move |asked| match asked.line.as_str() {
            "GET /api/v1/namespaces/pay" => Answer::json(200, &namespace),
            line if line.contains("continue=more") => list(&[workload("web", 2)], ""),
            line if line.contains("/deployments") => list(&[workload("api", 3), workload("odd", -1)], "more"),
            line if line.contains("/statefulsets") => list(&[workload("db", 1)], ""),
            line if line.contains("/cronjobs") => list(std::slice::from_ref(&job), ""),
            line if line.contains("/replicasets") => list(&[workload("old", 2), owned.clone()], ""),
            line if line.contains("/customresourcedefinitions") => list(std::slice::from_ref(&rollouts), ""),
            line if line.contains("/rollouts") => list(std::slice::from_ref(&rollout), ""),
            line if line.contains("/jobs") => list(&[once.clone(), ended.clone()], ""),
            _ => list(&[], ""),
        });
        let listing =
            cluster.list(Some("pay"), &KeepKeys::default(), &OperatorKinds::default()).await.unwrap();
        assert_eq!(listing.namespaces.iter().map(|n| &*n.uid).collect::<Vec<_>>(), ["ns-1"]);
        assert_eq!(
            named(&listing),
            [
                "Deployment pay/api at 3 replicas",
                "Deployment pay/web at 2 replicas",
                "StatefulSet pay/db at 1 replicas",
                "CronJob pay/nightly at not suspended",
                "ReplicaSet pay/old at 2 replicas",
                "Job pay/once at not suspended",
                "Rollout.argoproj.io pay/canary at not switched off",
            ]
        );
        let unreadable =
            Unreadable { object: "pay/odd".into(), reason: "spec.replicas: -1 is negative".into() };
        assert_eq!(listing.unreadable, [unreadable]);
        assert_eq!(
            log.lines(),
            [
                "GET /api/v1/namespaces/pay",
                "GET /apis/apps/v1/namespaces/pay/deployments?&limit=200",
                "GET /apis/apps/v1/namespaces/pay/deployments?&limit=200&continue=more",
                "GET /apis/apps/v1/namespaces/pay/statefulsets?&limit=200",
                "GET /apis/batch/v1/namespaces/pay/cronjobs?&limit=200",
                "GET /apis/apps/v1/namespaces/pay/daemonsets?&limit=200",
                "GET /apis/apps/v1/namespaces/pay/replicasets?&limit=200",
                "GET /api/v1/namespaces/pay/replicationcontrollers?&limit=200",
                "GET /apis/batch/v1/namespaces/pay/jobs?&limit=200",
                "GET /apis/apiextensions.k8s.io/v1/customresourcedefinitions?&limit=200",
                "GET /apis/argoproj.io/v1alpha1/namespaces/pay/rollouts?&limit=200",
            ]
        );
    }

    #[tokio::test]
    async fn who_may_not_read_definitions_learns_from_discovery_what_is_served() {
        let namespace = json!({ "metadata": {
            "uid": "ns-1", "name": "pay", "resourceVersion": "1", "creationTimestamp": "2026-03-01T00:00:00Z",
        } });
        let groups = json!({
            "kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {},
            "items": [{
                "metadata": { "name": "argoproj.io" },
                "versions": [{
                    "version": "v1alpha1", "freshness": "Current",
                    "resources": [{
                        "resource": "rollouts", "scope": "Namespaced", "singularResource": "rollout",
                        "responseKind": { "group": "argoproj.io", "version": "v1alpha1", "kind": "Rollout" },
                        "verbs": ["get", "list", "patch", "watch"],
                    }],
                }],
            }],
        });
        let rollout = json!({ "metadata": meta("canary"), "spec": { "replicas": 2 } });
        let (cluster, _) = cluster(move |asked| match asked.line.as_str() {
            "GET /api/v1/namespaces/pay" => Answer::json(200, &namespace),
            line if line.contains("/customresourcedefinitions") => Answer::failure(403, "no"),
            line if line.contains("/rollouts") => list(std::slice::from_ref(&rollout), ""),
            "GET /apis" => Answer::json(200, &groups),
            _ => list(&[], ""),
        });
        let listing =
            cluster.list(Some("pay"), &KeepKeys::default(), &OperatorKinds::default()).await.unwrap();
        assert_eq!(named(&listing), ["Rollout.argoproj.io pay/canary at not switched off"]);
        let left_out = Unreadable {
            object: "customresourcedefinitions.apiextensions.k8s.io".into(),
            reason: "the API server answers 403: no".into(),
        };
        assert_eq!(listing.unreadable, [left_out]);
    }

    #[tokio::test]
    async fn missing_namespace_is_an_error_that_says_so() {
        let (cluster, _) = scripted([Answer::failure(404, "namespaces \"pay\" not found")]);
        let error =
            cluster.list(Some("pay"), &KeepKeys::default(), &OperatorKinds::default()).await.unwrap_err();
        assert!(error.is_not_found());
        assert_eq!(error.to_string(), "the API server answers 404: namespaces \"pay\" not found");
    }

    fn action(id: u64) -> Action {
        let target = nightcap_core::cluster::WorkloadKey {
            namespace: "pay".into(),
            kind: WorkloadKind::Deployment,
            name: format!("api-{id}").into(),
        };
        let patch = WorkloadPatch {
            target,
            resource: None,
            uid: "u-1".into(),
            resource_version: "1".into(),
            size: Some(Size::Replicas(0)),
            fields: [].into(),
            annotations: [].into(),
            skip_runs_until: None,
        };
        Action::Workload { id: ActionId(id), patch }
    }

    #[tokio::test(start_paused = true)]
    async fn actions_are_done_in_order_and_tried_again_where_that_may_help() {
        let (cluster, log) = scripted([
            Answer { status: 429, retry_after: Some("3"), body: "later".into() },
            Answer::version("2"),
            Answer::failure(409, "modified"),
        ]);
        let announcement = Action::Announce {
            subject: Subject::Namespace { name: "pay".into(), uid: "ns-1".into() },
            severity: Severity::Normal,
            reason: "Asleep",
            note: "pay is asleep.".into(),
        };
        let began = tokio::time::Instant::now();
        let outcomes = cluster.apply(&[action(1), announcement, action(2)]).await;
        let wanted =
            [(ActionId(1), Outcome::Done { resource_version: "2".into() }), (ActionId(2), Outcome::Conflict)];
        assert_eq!(outcomes, wanted);
        assert_eq!(began.elapsed(), Duration::from_secs(3), "as long as the API server asked for");
        let path = "PATCH /apis/apps/v1/namespaces/pay/deployments";
        let names: Vec<String> = log.lines().iter().map(|line| line.replace(path, "")).collect();
        let query = "?fieldManager=nightcap";
        assert_eq!(names, [format!("/api-1{query}"), format!("/api-1{query}"), format!("/api-2{query}")]);
    }

    #[tokio::test(start_paused = true)]
    async fn patience_has_an_end() {
        let (cluster, log) = cluster(|_| Answer::failure(503, "down"));
        let outcome = Outcome::Retry { reason: "503: down".into(), after: None };
        assert_eq!(cluster.apply(&[action(1)]).await, [(ActionId(1), outcome)]);
        assert_eq!(log.lines().len(), TRIES);
    }
}
