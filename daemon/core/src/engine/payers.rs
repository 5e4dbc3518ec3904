//! Who pays for each pod, and from when on.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Engine;
use crate::cluster::{Attribution, MappedNamespace, Namespace, OwnerFacts, WorkloadKey, WorkloadKind};
use crate::units::Instant;

impl Engine {
    /// The `CronJob` of a Job, where one of that name is there: the controller names a Job `<cronjob>-<number>`.
    pub(super) fn followed(&self, owner: WorkloadKey) -> WorkloadKey {
        if owner.kind != WorkloadKind::Job {
            return owner;
        }
        let Some((name, number)) = owner.name.rsplit_once('-') else { return owner };
        if number.is_empty() || !number.bytes().all(|b| b.is_ascii_digit()) {
            return owner;
        }
        let above = WorkloadKey {
            namespace: Arc::clone(&owner.namespace),
            kind: WorkloadKind::CronJob,
            name: name.into(),
        };
        if self.workloads.contains_key(&above) { above } else { owner }
    }

    pub(super) fn attribution_of(
        &mut self,
        space: &Arc<str>,
        owner: Option<&WorkloadKey>,
        facts: Option<&OwnerFacts>,
    ) -> Arc<Attribution> {
        let workload = owner.and_then(|key| self.workloads.get(key));
        if let (Some(known), None) = (workload, facts) {
            return Arc::clone(&known.attribution);
        }
        let owner = owner.map(|key| (key, workload.map(|entry| &entry.workload)));
        let of = self.owners.pod(space, owner, facts, &|name| self.namespace_named(name));
        self.intern(of)
    }

    /// Who pays for a pod by what its object says.
    pub(super) fn payer_of(
        &mut self,
        space: &Arc<str>,
        owner: Option<WorkloadKey>,
        facts: Option<&Arc<OwnerFacts>>,
    ) -> Arc<Attribution> {
        // What owns a synced pod on the host, a Service, says nothing.
        let owner = owner.filter(|_| !is_synced(facts)).map(|owner| self.followed(owner));
        self.attribution_of(space, owner.as_ref(), facts.map(|facts| &**facts))
    }

    pub(super) fn namespace_named(&self, name: &str) -> Option<&Namespace> {
        self.spaces.get(name).map(|space| &space.namespace)
    }

    /// The shared copy of what a pod tells of whose it is.
    pub(super) fn intern_facts(&mut self, facts: Option<Arc<OwnerFacts>>) -> Option<Arc<OwnerFacts>> {
        let facts = facts?;
        if let Some(known) = self.facts.get(&facts) {
            return Some(Arc::clone(known));
        }
        self.facts.insert(Arc::clone(&facts));
        Some(facts)
    }

    pub(super) fn intern(&mut self, mut attribution: Attribution) -> Arc<Attribution> {
        if let Some(known) = self.attributions.get(&attribution) {
            return Arc::clone(known);
        }
        let Attribution { space, vcluster, virtual_namespace, team, team_rule, owner, owner_rule, .. } =
            &mut attribution;
        let texts = [space, team, team_rule, owner, owner_rule];
        for text in texts.into_iter().chain(vcluster).chain(virtual_namespace) {
            share(&mut self.texts, text);
        }
        share(&mut self.label_sets, &mut attribution.labels);
        let new = Arc::new(attribution);
        self.attributions.insert(Arc::clone(&new));
        new
    }

    /// Keys of a namespace or workload changed: from `now` on others may pay for its pods. When the object was not
    /// known before (`first`), its pods were only seen too early, and it counts for them from their begin.
    pub(super) fn attribute_again(
        &mut self,
        space: &Arc<str>,
        only: Option<&WorkloadKey>,
        first: bool,
        now: Instant,
    ) {
        if only.is_none() {
            self.attribute_workloads(space);
            self.keep_assets_of(space, first, now);
        }
        let pods: Vec<Arc<str>> = self.pod_names.of(space).map(|pod| Arc::clone(&pod.uid)).collect();
        for uid in pods {
            let Some(pod) = self.pods.get(&uid) else { continue };
            let (owner, facts) = (pod.attribution.workload.clone(), pod.facts.clone());
            let owner = owner.filter(|_| !is_synced(facts.as_ref())).map(|owner| self.followed(owner));
            if only.is_some() && owner.as_ref() != only {
                continue;
            }
            let attribution = self.attribution_of(space, owner.as_ref(), facts.as_deref());
            let Some(pod) = self.pods.get_mut(&uid).filter(|pod| pod.attribution != attribution) else {
                continue;
            };
            let before = std::mem::replace(&mut pod.attribution, Arc::clone(&attribution));
            let (node, ended) = (pod.node.clone(), pod.ended);
            let Some(node) = node else { continue };
            if first {
                self.ledger.amend(&node, &uid, &before, &attribution);
                self.ledger.flat().amend(space, &uid, &before, &attribution);
            } else if !ended {
                self.ledger.reassign(&node, &uid, &attribution, now);
                self.ledger.flat().repay(space, &uid, &attribution, now);
            }
        }
    }

    /// Keys of a namespace changed: what is in it is attributed again, and what is in the namespaces that a vCluster
    /// of it has made.
    pub(super) fn attribute_space_again(&mut self, space: &Arc<str>, first: bool, now: Instant) {
        self.attribute_again(space, None, first, now);
        let made = self.spaces.values().filter(|entry| {
            MappedNamespace::read(&entry.namespace).is_some_and(|of| of.vcluster.namespace == *space)
        });
        let made: Vec<Arc<str>> = made.map(|entry| Arc::clone(&entry.namespace.name)).collect();
        for name in made {
            let Some(entry) = self.spaces.get(&name) else { continue };
            let of = self.owners.space(&entry.namespace, &|name| self.namespace_named(name));
            let attribution = self.intern(of);
            if let Some(entry) = self.spaces.get_mut(&name) {
                entry.policies = self.policies.of_space(&entry.namespace, &attribution.team);
                entry.attribution = attribution;
            }
            self.attribute_again(&name, None, first, now);
        }
    }

    fn attribute_workloads(&mut self, space: &Arc<str>) {
        let keys: Vec<WorkloadKey> = self.workloads_in(space).map(|(key, _)| key.clone()).collect();
        for key in keys {
            let Some(entry) = self.workloads.get(&key) else { continue };
            let of = self.owners.workload(&entry.workload, &|name| self.namespace_named(name));
            let attribution = self.intern(of);
            if let Some(entry) = self.workloads.get_mut(&key) {
                entry.attribution = attribution;
            }
        }
    }
}

fn is_synced(facts: Option<&Arc<OwnerFacts>>) -> bool {
    facts.is_some_and(|facts| facts.synced.is_some())
}

/// Puts the shared copy in the place of an own one.
fn share<T: Ord + ?Sized>(known: &mut BTreeSet<Arc<T>>, own: &mut Arc<T>) {
    match known.get(own) {
        Some(shared) => *own = Arc::clone(shared),
        None => {
            known.insert(Arc::clone(own));
        }
    }
}
