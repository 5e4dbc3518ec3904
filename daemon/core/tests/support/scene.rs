//! An engine with a small API server in front of it: applies the engine's patches to its objects, as the real one
//! does, and shows the result to the engine as a watch would.

use std::collections::BTreeMap;
use std::sync::Arc;

use nightcap_core::cluster::{Namespace, Size, Workload, WorkloadKey, WorkloadKind};
use nightcap_core::engine::{Action, ActionId, Engine, Event, Kind, Outcome, Settings};
use nightcap_core::sleep::policy::PolicyReport;
use nightcap_core::sleep::{Mode, WorkloadPatch};
use nightcap_core::units::Instant;

use super::{T0, res};

pub struct Scene {
    pub engine: Engine,
    pub now: Instant,
    pub namespaces: BTreeMap<Arc<str>, Namespace>,
    pub workloads: BTreeMap<WorkloadKey, Workload>,
    /// Announcements, as `reason: note`.
    pub announced: Vec<String>,
    /// Every patch that was asked for.
    pub patches: Vec<WorkloadPatch>,
    /// Every status of a policy that was written.
    pub statuses: Vec<(Arc<str>, PolicyReport)>,
    /// Pods that were deleted.
    pub deleted: Vec<String>,
    /// Pods of what is woken are not ready before [`Scene::ready`] says so.
    pub slow: bool,
    version: u64,
}

/// One of our keys by its name, or any other that is written in full.
pub fn full_key(key: &str) -> Arc<str> {
    if key.contains('/') { key.into() } else { format!("nightcap.dev/{key}").into() }
}

pub fn deployment(namespace: &str, name: &str, replicas: u32) -> Workload {
    Workload {
        key: WorkloadKey { namespace: namespace.into(), kind: WorkloadKind::Deployment, name: name.into() },
        uid: format!("uid-{namespace}-{name}").into(),
        resource_version: "1".into(),
        created: T0,
        size: Size::Replicas(replicas),
        ready_replicas: replicas,
        wanted_pods: None,
        switch: None,
        pod_requests: res(500, 512),
        labels: BTreeMap::new(),
        annotations: BTreeMap::new(),
        deletes_claims_when_scaled: false,
        rolling_out: false,
        running: false,
        local_volumes: Vec::new(),
        controller: None,
        resource: None,
        governs: None,
    }
}

pub fn stateful_set(namespace: &str, name: &str, replicas: u32) -> Workload {
    let mut workload = deployment(namespace, name, replicas);
    workload.key.kind = WorkloadKind::StatefulSet;
    workload
}

pub fn cron_job(namespace: &str, name: &str, suspended: bool) -> Workload {
    let mut workload = deployment(namespace, name, 0);
    workload.key.kind = WorkloadKind::CronJob;
    workload.size = Size::Suspended(suspended);
    workload
}

impl Scene {
    pub fn new(mode: Mode, now: Instant) -> Self {
        let mut settings = Settings::new(T0);
        settings.mode = mode;
        Self::with(settings, now)
    }

    pub fn with(settings: Settings, now: Instant) -> Self {
        let mut engine = Engine::new(settings);
        for kind in Kind::ALL {
            engine.apply(Event::Listed { kind, uids: Vec::new() }, now);
        }
        Self {
            engine,
            now,
            namespaces: BTreeMap::new(),
            workloads: BTreeMap::new(),
            announced: Vec::new(),
            patches: Vec::new(),
            statuses: Vec::new(),
            deleted: Vec::new(),
            slow: false,
            version: 100,
        }
    }

    /// The same cluster, seen by a daemon that was just started.
    pub fn restarted(self, mode: Mode) -> Self {
        let mut settings = Settings::new(T0);
        settings.mode = mode;
        let mut next = Self::new(mode, self.now);
        next.engine = Engine::new(settings);
        next.version = self.version;
        next.slow = self.slow;
        for namespace in self.namespaces.values() {
            next.engine.apply(Event::Namespace(namespace.clone()), next.now);
        }
        for workload in self.workloads.values() {
            next.engine.apply(Event::Workload(workload.clone()), next.now);
        }
        let uids = next.engine.known_uids();
        for kind in Kind::ALL {
            next.engine.apply(Event::Listed { kind, uids: uids.clone() }, next.now);
        }
        next.namespaces = self.namespaces;
        next.workloads = self.workloads;
        next
    }

    pub fn namespace(&mut self, name: &str, annotations: &[(&str, &str)]) {
        self.version += 1;
        let namespace = Namespace {
            uid: format!("uid-{name}").into(),
            name: name.into(),
            resource_version: self.version.to_string().into(),
            created: T0,
            labels: BTreeMap::new(),
            annotations: annotations.iter().map(|&(k, v)| (full_key(k), v.into())).collect(),
            terminating: false,
        };
        self.namespaces.insert(name.into(), namespace.clone());
        self.engine.apply(Event::Namespace(namespace), self.now);
    }

    /// Sets or removes one annotation, as `kubectl annotate` does.
    pub fn annotate(&mut self, name: &str, key: &str, value: Option<&str>) {
        self.version += 1;
        let namespace = self.namespaces.get_mut(name).unwrap();
        let key = full_key(key);
        match value {
            Some(value) => namespace.annotations.insert(key, value.into()),
            None => namespace.annotations.remove(&key),
        };
        namespace.resource_version = self.version.to_string().into();
        self.engine.apply(Event::Namespace(namespace.clone()), self.now);
    }

    /// Puts or replaces a workload, as a person or a controller does.
    pub fn put(&mut self, mut workload: Workload) {
        self.version += 1;
        workload.resource_version = self.version.to_string().into();
        self.workloads.insert(workload.key.clone(), workload.clone());
        self.engine.apply(Event::Workload(workload), self.now);
    }

    /// All pods of a workload are ready.
    pub fn ready(&mut self, namespace: &str, name: &str) {
        let mut workload = self.find(namespace, name).clone();
        if let Size::Replicas(replicas) = workload.size {
            workload.ready_replicas = replicas;
        }
        self.put(workload);
    }

    /// Somebody else gives it another size.
    pub fn scale(&mut self, namespace: &str, name: &str, replicas: u32) {
        let mut workload = self.find(namespace, name).clone();
        workload.size = Size::Replicas(replicas);
        self.put(workload);
    }

    /// Ticks at `now` and does what the engine asks until it asks for nothing more.
    pub fn settle(&mut self, now: Instant) {
        self.now = now;
        for _ in 0..20 {
            let actions = self.engine.tick(now);
            if actions.iter().all(|action| matches!(action, Action::Announce { .. })) {
                self.announce(actions);
                return;
            }
            for action in actions {
                self.perform(action);
            }
        }
        panic!("the engine never comes to rest");
    }

    /// What the engine asks for at `now`, without anybody doing it.
    pub fn ask(&mut self, now: Instant) -> Vec<Action> {
        self.now = now;
        self.engine.tick(now)
    }

    fn announce(&mut self, actions: Vec<Action>) {
        for action in actions {
            if let Action::Announce { reason, note, .. } = action {
                self.announced.push(format!("{reason}: {note}"));
            }
        }
    }

    pub fn perform(&mut self, action: Action) {
        match action {
            Action::Workload { id, patch } => {
                self.patches.push(patch.clone());
                let outcome = self.patch(&patch);
                self.ended(id, outcome);
            }
            Action::Namespace { id, name, annotations, .. } => {
                self.version += 1;
                let namespace = self.namespaces.get_mut(&name).unwrap();
                for (key, value) in annotations {
                    match value {
                        Some(value) => namespace.annotations.insert(key, value),
                        None => namespace.annotations.remove(&key),
                    };
                }
                namespace.resource_version = self.version.to_string().into();
                let namespace = namespace.clone();
                let resource_version = Arc::clone(&namespace.resource_version);
                self.engine.apply(Event::Namespace(namespace), self.now);
                self.ended(id, Outcome::Done { resource_version });
            }
            Action::PolicyStatus { id, name, report, .. } => {
                self.statuses.push((name, *report));
                self.ended(id, Outcome::Done { resource_version: "1".into() });
            }
            Action::DeletePod { id, namespace, name, uid, vcluster } => {
                self.deleted.push(format!("{namespace}/{name} of {vcluster}"));
                self.ended(id, Outcome::Done { resource_version: "0".into() });
                self.engine.apply(Event::PodGone { uid, at: self.now }, self.now);
            }
            // A scene has no budgets.
            Action::BudgetStatus { .. } => {}
            announcement @ Action::Announce { .. } => self.announce(vec![announcement]),
        }
    }

    pub fn workload(&self, namespace: &str, name: &str) -> &Workload {
        let named = |key: &&WorkloadKey| *key.namespace == *namespace && *key.name == *name;
        &self.workloads[self.workloads.keys().find(named).unwrap()]
    }

    pub fn ended(&mut self, id: ActionId, outcome: Outcome) {
        self.engine.apply(Event::Ended { id, target: None, outcome }, self.now);
    }

    fn patch(&mut self, patch: &WorkloadPatch) -> Outcome {
        let Some(workload) = self.workloads.get_mut(&patch.target) else { return Outcome::NotFound };
        if workload.resource_version != patch.resource_version || workload.uid != patch.uid {
            return Outcome::Conflict;
        }
        self.version += 1;
        workload.size = patch.size.unwrap_or(workload.size);
        if self.slow && patch.size.is_some() {
            workload.ready_replicas = 0;
        }
        if let Some(switch) = &mut workload.switch {
            let switch = Arc::make_mut(switch);
            switch.now.extend(patch.fields.iter().map(|(at, value)| (Arc::clone(at), value.clone())));
        }
        for (key, value) in &patch.annotations {
            match value {
                Some(value) => workload.annotations.insert(Arc::clone(key), Arc::clone(value)),
                None => workload.annotations.remove(key),
            };
        }
        workload.resource_version = self.version.to_string().into();
        let workload = workload.clone();
        let resource_version = Arc::clone(&workload.resource_version);
        self.engine.apply(Event::Workload(workload), self.now);
        Outcome::Done { resource_version }
    }

    pub fn size(&self, namespace: &str, name: &str) -> Size {
        self.find(namespace, name).size
    }

    pub fn find(&self, namespace: &str, name: &str) -> &Workload {
        self.workloads.values().find(|w| *w.key.namespace == *namespace && *w.key.name == *name).unwrap()
    }

    pub fn annotation(&self, namespace: &str, name: &str, key: &str) -> Option<&str> {
        self.find(namespace, name).annotations.get(format!("nightcap.dev/{key}").as_str()).map(|v| &**v)
    }
}
