//! Who pays for each pod, and from when on.

use std::sync::Arc;

use super::Engine;
use crate::cluster::{Attribution, WorkloadKey, WorkloadKind};
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
    ) -> Arc<Attribution> {
        let workload = owner.and_then(|key| self.workloads.get(key));
        if let Some(known) = workload {
            return Arc::clone(&known.attribution);
        }
        let namespace = self.spaces.get(space).map(|s| &s.namespace);
        let of = self.settings.teams.attribute(space, namespace, owner, None);
        self.intern(of)
    }

    pub(super) fn intern(&mut self, mut attribution: Attribution) -> Arc<Attribution> {
        if let Some(known) = self.attributions.get(&attribution) {
            return Arc::clone(known);
        }
        for text in [&mut attribution.team, &mut attribution.owner, &mut attribution.team_rule] {
            match self.texts.get(text) {
                Some(known) => *text = Arc::clone(known),
                None => {
                    self.texts.insert(Arc::clone(text));
                }
            }
        }
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
            let Some(owner) = self.pods.get(&uid).map(|pod| pod.attribution.workload.clone()) else {
                continue;
            };
            let owner = owner.map(|owner| self.followed(owner));
            if only.is_some() && owner.as_ref() != only {
                continue;
            }
            let attribution = self.attribution_of(space, owner.as_ref());
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

    fn attribute_workloads(&mut self, space: &Arc<str>) {
        let keys: Vec<WorkloadKey> = self.workloads_in(space).map(|(key, _)| key.clone()).collect();
        for key in keys {
            let Some(entry) = self.workloads.get(&key) else { continue };
            let namespace = self.spaces.get(space).map(|s| &s.namespace);
            let of = self.settings.teams.attribute(space, namespace, Some(&key), Some(&entry.workload));
            let attribution = self.intern(of);
            if let Some(entry) = self.workloads.get_mut(&key) {
                entry.attribution = attribution;
            }
        }
    }
}
