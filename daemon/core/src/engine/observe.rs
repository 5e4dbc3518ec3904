//! Facts from the cluster, taken into the state and the ledger.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::machine::{PodState, SpaceEntry, WorkloadEntry};
use super::wake_gate::is_ready;
use super::{Action, Engine, Kind, Severity, Subject, UsageSample};
use crate::cluster::{Attribution, Namespace, Node, Pod, PodPhase, Workload, WorkloadKey, WorkloadKind};
use crate::money::{Confidence, NodePrice, PodName};
use crate::sleep::Wishes;
use crate::sleep::foreign::Foreign;
use crate::units::{Instant, Millis};

/// Samples of one node that lie this close together count as one scrape.
const ONE_SCRAPE: Millis = Millis::from_secs(30);

impl Engine {
    pub(super) fn observe_node(&mut self, node: Node, now: Instant) {
        self.ledger.node(&node, now);
        self.problems.clear_detail("nodes", "unreadable", &node.name);
        self.nodes.insert(Arc::clone(&node.uid), Arc::new(node));
    }

    pub(super) fn node_gone(&mut self, uid: &Arc<str>, at: Instant) {
        self.ledger.node_gone(uid, at);
        self.prices.remove(uid);
        if let Some(node) = self.nodes.remove(uid) {
            self.problems.forget(&format!("node {}", node.name));
        }
    }

    pub(super) fn node_priced(&mut self, uid: &Arc<str>, price: NodePrice, now: Instant) {
        let price = Arc::new(price);
        self.ledger.node_priced(uid, Arc::clone(&price), now);
        if let Some(node) = self.nodes.get(uid) {
            let object = format!("node {}", node.name);
            if price.confidence == Confidence::Default {
                let message = format!("its price is a guess: {}", price.reason);
                if self.problems.raise(&object, "default-price", "", message.clone(), now) {
                    self.out.push(Action::Announce {
                        subject: Subject::Node { name: Arc::clone(&node.name), uid: Arc::clone(uid) },
                        severity: Severity::Warning,
                        reason: "PriceUnknown",
                        note: message.into(),
                    });
                }
            } else {
                self.problems.clear(&object, "default-price");
            }
        }
        self.prices.insert(Arc::clone(uid), price);
    }

    pub(super) fn observe_namespace(&mut self, namespace: Namespace, now: Instant) {
        let name = Arc::clone(&namespace.name);
        self.problems.clear_detail("namespaces", "unreadable", &name);
        let of = self.owners.space(&namespace, &|name| self.namespace_named(name));
        let attribution = self.intern(of);
        let zone = self.settings.sleep.zone_of(&attribution.team);
        // A namespace that was deleted and made again under its name starts anew.
        let before = self.spaces.remove(&name).filter(|known| known.namespace.uid == namespace.uid);
        let known = before.is_some();
        let keys_changed = before.as_ref().is_none_or(|b| {
            b.namespace.labels != namespace.labels || b.namespace.annotations != namespace.annotations
        });
        let last_good = before.as_ref().map(|b| &b.wishes);
        let (wishes, bad) =
            Wishes::read(&namespace.annotations, &self.settings.sleep.prefix, zone, last_good);
        let wishes = wishes.with_days_off(self.settings.sleep.days_off_of(&attribution.team));
        let subject = Subject::Namespace { name: Arc::clone(&name), uid: Arc::clone(&namespace.uid) };
        self.report_bad(&format!("namespace {name}"), &subject, &bad, now);
        let mut entry = SpaceEntry {
            foreign: Foreign::read(&namespace.annotations, &namespace.labels, namespace.created),
            wishes,
            tier: self.owners.tier(&namespace),
            policies: self.policies.of_space(&namespace, &attribution.team),
            foreseen: None,
            since: before.as_ref().and_then(|b| b.since),
            was_asleep: before.as_ref().is_some_and(|b| b.was_asleep),
            commanded_by: before.as_ref().and_then(|b| b.commanded_by.clone()),
            errand: before.map(|b| b.errand).unwrap_or_default(),
            attribution,
            namespace,
        };
        entry.errand.saw(&entry.namespace.resource_version);
        self.spaces.insert(Arc::clone(&name), entry);
        if keys_changed {
            self.attribute_space_again(&name, !known, now);
        }
        self.dirty.insert(name);
    }

    pub(super) fn namespace_gone(&mut self, uid: &Arc<str>, now: Instant) {
        let found = self.spaces.values().find(|s| s.namespace.uid == *uid);
        if let Some(name) = found.map(|s| Arc::clone(&s.namespace.name)) {
            self.spaces.remove(&name);
            self.policies.look_soon(now);
            self.problems.forget(&format!("namespace {name}"));
            self.dirty.insert(name);
        }
    }

    pub(super) fn observe_workload(&mut self, workload: Workload, now: Instant) {
        let key = workload.key.clone();
        if let Some(kind) = Kind::of_workload(&key.kind) {
            let object = format!("{}/{}", key.namespace, key.name);
            self.problems.clear_detail(kind.plural(), "unreadable", &object);
        }
        if let Some(resource) = &workload.resource {
            let object = format!("{}/{}", key.namespace, key.name);
            self.problems.clear_detail(&resource.to_string(), "unreadable", &object);
        }
        let before = self.workloads.remove(&key).filter(|known| known.workload.uid == workload.uid);
        let of = self.owners.workload(&workload, &|name| self.namespace_named(name));
        let zone = self.settings.sleep.zone_of(&of.team);
        let last_good = before.as_ref().and_then(|b| b.wishes.as_deref());
        let (wishes, bad) = Wishes::read(&workload.annotations, &self.settings.sleep.prefix, zone, last_good);
        let wishes = wishes.with_days_off(self.settings.sleep.days_off_of(&of.team));
        let subject = Subject::Workload { key: key.clone(), uid: Arc::clone(&workload.uid) };
        self.report_bad(&key.to_string(), &subject, &bad, now);
        let known =
            self.read_marks(&workload, before.as_ref().and_then(|b| b.known.as_deref()), &subject, now);
        let attribution = self.intern(of);
        let new_keys = before.as_ref().is_none_or(|b| *b.attribution != *attribution);
        let up = is_ready(&workload);
        if before.is_none() {
            // New, or another one of the same name: nothing that was known holds.
            self.wakes.forget(&key);
            self.fights.remove(&key);
        }
        let marked = known.is_some();
        // A patch of ours that is under way may already show here; its outcome will still come.
        let mut entry = WorkloadEntry {
            wishes: (wishes != Wishes::default()).then(|| Box::new(wishes)),
            foreign: Foreign::read(&workload.annotations, &workload.labels, workload.created),
            // Told from what the watch shows, not from the write's answer: the answer may come after the watch has
            // shown the last pod ready, or be lost, and then nothing would end the waking.
            waking: before.as_ref().is_some_and(|b| b.waking || b.is_marked()) && !up && known.is_none(),
            slept: marked && (before.is_none() || workload.size.is_down())
                || before.as_ref().is_some_and(|b| b.slept),
            refusal: before.as_ref().and_then(|b| b.refusal.clone()),
            foreseen: None,
            errand: before.as_ref().map(|b| b.errand.clone()).unwrap_or_default(),
            known: known.map(Box::new),
            attribution,
            workload,
        };
        entry.errand.saw(&entry.workload.resource_version);
        self.count_sleep(&key, &entry, now);
        self.wakes.saw(&entry, before.is_none() && !self.is_synced(), now);
        self.workloads.insert(key.clone(), Box::new(entry));
        if new_keys {
            self.attribute_again(&key.namespace, Some(&key), before.is_none(), now);
        }
        self.dirty.insert(key.namespace);
    }

    pub(super) fn workload_gone(&mut self, uid: &Arc<str>, now: Instant) {
        let found = self.workloads.iter().find(|(_, w)| w.workload.uid == *uid).map(|(key, _)| key.clone());
        if let Some(key) = found {
            self.workloads.remove(&key);
            self.wakes.forget(&key);
            self.fights.remove(&key);
            self.ledger.awake(&key, now);
            self.problems.forget(&key.to_string());
            self.dirty.insert(key.namespace);
        }
    }

    pub(super) fn observe_pod(&mut self, pod: Pod, now: Instant) {
        self.problems.clear_detail("pods", "unreadable", &format!("{}/{}", pod.namespace, pod.name));
        let ended = (pod.phase == PodPhase::Finished).then(|| pod.ended.unwrap_or(now));
        let Some(known) = self.pods.get(&pod.uid) else {
            let host = self.host_of_synced(&pod.namespace, pod.facts.as_deref());
            self.new_pod(pod, ended, now);
            self.dirty.extend(host);
            return;
        };
        if known.ended {
            return;
        }
        // Relabelled, or taken from its workload by that: from now on others may pay.
        let moved = known.facts != pod.facts || is_adopted(&known.attribution, &pod);
        let payer = moved.then(|| {
            let facts = self.intern_facts(pod.facts);
            (self.payer_of(&pod.namespace, pod.owner, facts.as_ref()), facts)
        });
        let Some(known) = self.pods.get_mut(&pod.uid) else { return };
        if let Some((attribution, facts)) = payer {
            known.attribution = attribution;
            known.facts = facts;
        }
        let bound_now = known.node.is_none() && pod.node.is_some();
        known.node.clone_from(&pod.node);
        known.ended = ended.is_some();
        let (name, attribution) = (Arc::clone(&known.name), Arc::clone(&known.attribution));
        let Some(node) = pod.node else { return };
        if bound_now {
            let from = pod.bound.unwrap_or(now);
            self.mount(&name, &attribution, &pod.claims, from);
            self.ledger.hold(&node, Arc::clone(&name), attribution, pod.requests, from);
        } else {
            // Resized in place, perhaps; the same again changes nothing.
            self.ledger.change(&node, &name.uid, &attribution, pod.requests, now);
        }
        if let Some(at) = ended {
            self.ledger.release(&node, &name.uid, at);
            self.ledger.flat().unmount(&name.namespace, &name.uid, at);
        }
    }

    fn new_pod(&mut self, pod: Pod, ended: Option<Instant>, now: Instant) {
        let name = Arc::new(PodName {
            uid: Arc::clone(&pod.uid),
            namespace: Arc::clone(&pod.namespace),
            name: Arc::clone(&pod.name),
        });
        let facts = self.intern_facts(pod.facts);
        let attribution = self.payer_of(&pod.namespace, pod.owner, facts.as_ref());
        if let Some(node) = &pod.node {
            let from = pod.bound.unwrap_or(now);
            // What ended before anything was counted cost nothing here, or was counted by an earlier life.
            let known = self.ledger.knows(node, &pod.uid);
            if known || ended.is_none_or(|at| at > self.counted_from()) {
                self.ledger.hold(node, Arc::clone(&name), Arc::clone(&attribution), pod.requests, from);
                self.mount(&name, &attribution, &pod.claims, from);
                if known {
                    self.ledger.resize(node, &pod.uid, pod.requests, now);
                }
                if let Some(at) = ended {
                    self.ledger.release(node, &pod.uid, at);
                    self.ledger.flat().unmount(&name.namespace, &pod.uid, at);
                }
            }
        }
        self.pod_names.insert(&name);
        let state = PodState::new(name, pod.node, attribution, facts, ended.is_some());
        self.pods.insert(pod.uid, Box::new(state));
    }

    pub(super) fn pod_gone(&mut self, uid: &Arc<str>, at: Instant) {
        let Some(pod) = self.pods.remove(uid) else { return };
        if let Some(node) = pod.node.as_ref().filter(|_| !pod.ended) {
            self.ledger.release(node, uid, at);
            self.ledger.flat().unmount(&pod.name.namespace, uid, at);
        }
        self.pod_names.remove(&pod.name);
        self.deletions.remove(uid);
        // A sleeping vCluster's pods are deleted once its control plane is gone.
        if pod.facts.as_ref().is_some_and(|facts| facts.control_plane.is_some()) {
            self.dirty.insert(Arc::clone(&pod.name.namespace));
        }
    }

    pub(super) fn observe_list(&mut self, kind: Kind, uids: Vec<Arc<str>>, now: Instant) {
        let seen: BTreeSet<Arc<str>> = uids.into_iter().collect();
        self.compare_with_checkpoint(kind, &seen);
        let gone = |all: &mut dyn Iterator<Item = &Arc<str>>| -> Vec<Arc<str>> {
            all.filter(|uid| !seen.contains(*uid)).map(Arc::clone).collect()
        };
        match kind {
            Kind::Node => {
                let gone = gone(&mut self.nodes.keys());
                for uid in &gone {
                    self.node_gone(uid, now);
                }
            }
            Kind::Namespace => {
                let gone = gone(&mut self.spaces.values().map(|s| &s.namespace.uid));
                for uid in &gone {
                    self.namespace_gone(uid, now);
                }
            }
            Kind::Pod => {
                let gone = gone(&mut self.pods.keys());
                for uid in &gone {
                    self.pod_gone(uid, now);
                }
            }
            Kind::Deployment
            | Kind::StatefulSet
            | Kind::CronJob
            | Kind::DaemonSet
            | Kind::ReplicaSet
            | Kind::ReplicationController
            | Kind::Job => {
                let of_kind = self.workloads.values();
                let of_kind = of_kind.filter(|w| Kind::of_workload(&w.workload.key.kind) == Some(kind));
                let gone = gone(&mut of_kind.map(|w| &w.workload.uid));
                for uid in &gone {
                    self.workload_gone(uid, now);
                }
            }
            Kind::Volume | Kind::Claim | Kind::Service => self.observe_asset_list(kind, &seen, now),
            Kind::SleepPolicy => {
                let gone = gone(&mut self.policies.uids());
                for uid in &gone {
                    self.policy_gone(uid, now);
                }
            }
            Kind::Budget => {
                let gone = gone(&mut self.budgets.uids());
                for uid in &gone {
                    self.budget_gone(uid);
                }
                return; // nothing waits for them
            }
        }
        if self.listed.insert(kind) && self.is_synced() {
            self.end_of_gap(now);
            self.dirty.extend(self.spaces.keys().cloned());
        }
    }

    pub(super) fn watch_changed(&mut self, kind: Kind, problem: Option<Arc<str>>, now: Instant) {
        match problem {
            Some(problem) => {
                let message =
                    format!("the watch is broken and tried again: {problem}; what was seen last holds");
                self.problems.raise(kind.plural(), "watch", "", message, now);
            }
            None => self.problems.clear(kind.plural(), "watch"),
        }
    }

    /// Nothing waits for a kind that only some clusters have, and each has problems of its own.
    pub(super) fn operator_kind_changed(
        &mut self,
        resource: &str,
        object: Option<&str>,
        problem: Option<Arc<str>>,
        now: Instant,
    ) {
        match (object, problem) {
            (None, Some(problem)) => {
                self.problems.raise(resource, "watch", "", problem.to_string(), now);
            }
            (None, None) => self.problems.clear(resource, "watch"),
            (Some(object), Some(reason)) => {
                self.counters.unreadable += 1;
                let message = format!("{object} cannot be read: {reason}; what was seen of it last holds");
                self.problems.raise(resource, "unreadable", object, message, now);
            }
            (Some(object), None) => self.problems.clear_detail(resource, "unreadable", object),
        }
    }

    pub(super) fn unreadable(&mut self, kind: Kind, object: &str, reason: &str, now: Instant) {
        self.counters.unreadable += 1;
        let message = format!("{object} cannot be read: {reason}; what was seen of it last holds");
        self.problems.raise(kind.plural(), "unreadable", object, message, now);
    }

    pub(super) fn observe_usage(&mut self, samples: Vec<UsageSample>, now: Instant) {
        self.usage.problem = None;
        self.problems.clear("usage", "usage-missing");
        let mut found = Vec::with_capacity(samples.len());
        for sample in samples {
            if sample.at > now + Millis::MINUTE {
                continue; // a clock ahead of ours: not usage of a time that has been
            }
            let Some(name) = self.pod_names.get(&sample.namespace, &sample.pod) else { continue };
            let Some(pod) = self.pods.get_mut(&name.uid) else { continue };
            let Some(node) = pod.node.clone() else { continue };
            pod.measured(sample.at);
            self.usage.newest = self.usage.newest.max(Some(sample.at));
            found.push((node, Arc::clone(name), sample));
        }
        // Samples of one scrape differ by seconds from pod to pod. Taken as they are, each would cut the time of all
        // pods of its node; one instant per node and scrape keeps a pass linear.
        let mut newest: BTreeMap<Arc<str>, Instant> = BTreeMap::new();
        for (node, _, sample) in &found {
            match newest.get_mut(node) {
                Some(at) => *at = sample.at.max(*at),
                None => {
                    newest.insert(Arc::clone(node), sample.at);
                }
            }
        }
        for (node, name, sample) in found {
            let common = newest.get(&node).copied().unwrap_or(sample.at);
            let at = if common.since(sample.at) <= ONE_SCRAPE { common } else { sample.at };
            self.ledger.usage(&node, &name, at, sample.window, sample.usage);
        }
        self.check_usage(now);
    }

    pub(super) fn usage_failed(&mut self, reason: Arc<str>, now: Instant) {
        let message = format!("usage cannot be read: {reason}; requests alone count meanwhile");
        self.problems.raise("usage", "usage-missing", "", message, now);
        self.usage.problem = Some(reason);
    }

    pub(super) fn check_usage(&mut self, now: Instant) {
        let fresh_from = now - Millis(2 * self.settings.scrape_interval.0);
        self.usage.fresh_pods = self.pods.values().filter(|pod| pod.is_measured_since(fresh_from)).count();
    }

    /// The workloads of a namespace.
    pub(super) fn workloads_in(
        &self,
        space: &Arc<str>,
    ) -> impl Iterator<Item = (&WorkloadKey, &WorkloadEntry)> + use<'_> {
        let space = Arc::clone(space);
        let first =
            WorkloadKey { namespace: Arc::clone(&space), kind: WorkloadKind::Deployment, name: "".into() };
        self.workloads
            .range(first..)
            .map(|(key, entry)| (key, &**entry))
            .take_while(move |(key, _)| key.namespace == space)
    }
}

/// Whether the pod has another controller than the one that its payer names, or none any more. A Job's name is not
/// compared: its `CronJob` may stand there, and its controller never changes.
fn is_adopted(payer: &Attribution, pod: &Pod) -> bool {
    if pod.facts.as_ref().is_some_and(|facts| facts.synced.is_some()) {
        return false;
    }
    match (&payer.workload, &pod.owner) {
        (_, Some(now)) if now.kind == WorkloadKind::Job => false,
        (before, now) => before != now,
    }
}
