//! The objects as the API server holds them, what people want of them, and what everybody who watches is told.

use std::collections::BTreeMap;
use std::sync::Arc;

use nightcap_core::cluster::{Namespace, Size, Workload, WorkloadKey};
use nightcap_core::engine::{Event, Outcome};
use nightcap_core::sleep::{AnnotationPatch, Original, WorkloadPatch};

use crate::support::T0;
use crate::support::scene::{cron_job, deployment, full_key, stateful_set};

/// A workload, and the size that people want it to have awake.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    pub(crate) workload: Workload,
    pub(crate) wanted: Size,
    /// Writes by daemons since it last changed by another hand or edge: more than a few are a storm.
    pub(crate) writes: u32,
}

#[derive(Debug, Default)]
pub(crate) struct Cluster {
    version: u64,
    pub(crate) namespaces: BTreeMap<Arc<str>, Namespace>,
    pub(crate) workloads: BTreeMap<WorkloadKey, Held>,
    /// All that changed, in order: each daemon reads on from where it is.
    pub(crate) log: Vec<Event>,
}

impl Cluster {
    pub(crate) fn new(spaces: u64) -> Self {
        let mut cluster = Self::default();
        for nth in 0..spaces {
            let name = if nth == 0 { "kube-system".to_owned() } else { format!("space-{nth}") };
            cluster.make(&name);
        }
        cluster
    }

    /// A namespace with two Deployments, one of them off, a StatefulSet and a CronJob.
    pub(crate) fn make(&mut self, name: &str) {
        let version = self.next();
        let namespace = Namespace {
            uid: format!("uid-{name}-{version}").into(),
            name: name.into(),
            resource_version: version,
            created: T0,
            labels: BTreeMap::new(),
            annotations: BTreeMap::new(),
            terminating: false,
        };
        self.log.push(Event::Namespace(namespace.clone()));
        self.namespaces.insert(name.into(), namespace);
        for mut workload in [
            deployment(name, "web", 3),
            deployment(name, "off", 0),
            stateful_set(name, "db", 1),
            cron_job(name, "job", false),
        ] {
            workload.uid = format!("{}-{}", workload.uid, self.version).into();
            let held = Held { wanted: workload.size, workload, writes: 0 };
            self.workloads.insert(held.workload.key.clone(), held.clone());
            self.changed(&held.workload.key);
        }
    }

    /// The namespace and all in it go.
    pub(crate) fn delete(&mut self, name: &str) {
        if let Some(namespace) = self.namespaces.remove(name) {
            self.log.push(Event::NamespaceGone { uid: namespace.uid });
        }
        let gone: Vec<_> = self.workloads.keys().filter(|key| &*key.namespace == name).cloned().collect();
        for key in gone {
            let held = self.workloads.remove(&key).unwrap();
            self.log.push(Event::WorkloadGone { uid: held.workload.uid });
        }
    }

    fn next(&mut self) -> Arc<str> {
        self.version += 1;
        self.version.to_string().into()
    }

    /// It has a new version, which everybody is told.
    fn changed(&mut self, key: &WorkloadKey) -> Arc<str> {
        let version = self.next();
        let workload = &mut self.workloads.get_mut(key).unwrap().workload;
        workload.resource_version = Arc::clone(&version);
        // Its pods are there and ready at once: what waits for pods is tested elsewhere.
        workload.ready_replicas = match workload.size {
            Size::Replicas(replicas) => replicas,
            Size::Suspended(_) | Size::Off(_) => 0,
        };
        self.log.push(Event::Workload(workload.clone()));
        version
    }

    /// A daemon's write, as the API server takes it.
    pub(crate) fn patch(&mut self, patch: &WorkloadPatch) -> Outcome {
        let Some(held) = self.workloads.get_mut(&patch.target) else { return Outcome::NotFound };
        let workload = &mut held.workload;
        if workload.resource_version != patch.resource_version || workload.uid != patch.uid {
            return Outcome::Conflict;
        }
        workload.size = patch.size.unwrap_or(workload.size);
        write(&mut workload.annotations, &patch.annotations);
        held.writes += 1;
        Outcome::Done { resource_version: self.changed(&patch.target) }
    }

    /// A daemon's write to a namespace.
    pub(crate) fn annotate(&mut self, name: &Arc<str>, uid: &str, annotations: &AnnotationPatch) -> Outcome {
        let version = self.next();
        let Some(namespace) = self.namespaces.get_mut(name).filter(|namespace| *namespace.uid == *uid) else {
            return Outcome::NotFound;
        };
        write(&mut namespace.annotations, annotations);
        namespace.resource_version = Arc::clone(&version);
        self.log.push(Event::Namespace(namespace.clone()));
        Outcome::Done { resource_version: version }
    }

    /// A person's wish on a namespace; what was written before by daemons does not count as a storm any more.
    pub(crate) fn wish(&mut self, name: &Arc<str>, key: &str, value: Option<&str>) {
        let Some(namespace) = self.namespaces.get(name) else { return };
        let uid = Arc::clone(&namespace.uid);
        let patch = AnnotationPatch::from([(full_key(key), value.map(Into::into))]);
        self.annotate(name, &uid, &patch);
        self.forgive(name);
    }

    /// Writes so far had their reason.
    pub(crate) fn forgive(&mut self, name: &str) {
        for held in self.workloads.values_mut().filter(|held| &*held.workload.key.namespace == name) {
            held.writes = 0;
        }
    }

    /// Somebody scales it. Awake, that is what is wanted from now on; asleep, sleep may keep it if it is larger.
    pub(crate) fn scale(&mut self, key: &WorkloadKey, replicas: u32) {
        let held = self.workloads.get_mut(key).unwrap();
        let Size::Replicas(_) = held.workload.size else { return };
        let (size, marked) = (Size::Replicas(replicas), is_marked(&held.workload));
        held.workload.size = size;
        held.writes = 0;
        match held.wanted {
            Size::Replicas(wanted) if marked => held.wanted = Size::Replicas(wanted.max(replicas)),
            _ => held.wanted = size,
        }
        self.changed(key);
    }

    /// Somebody writes something that is none of our business.
    pub(crate) fn touch(&mut self, key: &WorkloadKey) {
        self.changed(key);
    }

    /// What is lost, if anything: whatever happened, each workload is as people want it, or says what it was.
    pub(crate) fn lost(&self) -> Option<String> {
        self.workloads.values().find_map(|Held { workload, wanted, .. }| {
            let original = workload.annotations.get("nightcap.dev/original");
            let kept = match original {
                None => Some(workload.size),
                // One that cannot be read is lost.
                Some(text) => Original::parse(text)
                    .ok()
                    .and_then(|original| original.restored(workload.size, None))
                    .map(|restored| restored.size),
            };
            (kept != Some(*wanted)).then(|| {
                format!("{} should be {wanted} and is {}, original {original:?}", workload.key, workload.size)
            })
        })
    }
}

/// Whether it carries the marks of a sleep.
pub(crate) fn is_marked(workload: &Workload) -> bool {
    workload.annotations.contains_key("nightcap.dev/original")
}

fn write(annotations: &mut nightcap_core::cluster::Keys, patch: &AnnotationPatch) {
    for (key, value) in patch {
        match value {
            Some(value) => annotations.insert(Arc::clone(key), Arc::clone(value)),
            None => annotations.remove(key),
        };
    }
}

/// A list of everything, as a watch begins with.
pub(crate) fn listed(cluster: &Cluster) -> Vec<Event> {
    use nightcap_core::engine::Kind;
    let mut events: Vec<Event> = cluster.namespaces.values().cloned().map(Event::Namespace).collect();
    events.extend(cluster.workloads.values().map(|held| Event::Workload(held.workload.clone())));
    for kind in Kind::ALL {
        let uids = match kind {
            Kind::Namespace => cluster.namespaces.values().map(|n| Arc::clone(&n.uid)).collect(),
            _ => {
                let of_kind = |held: &&Held| Kind::of_workload(&held.workload.key.kind) == Some(kind);
                cluster.workloads.values().filter(of_kind).map(|h| Arc::clone(&h.workload.uid)).collect()
            }
        };
        events.push(Event::Listed { kind, uids });
    }
    events
}
