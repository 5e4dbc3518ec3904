//! The engine's state as an immutable snapshot.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::machine::{SpaceEntry, WorkloadEntry};
use super::snapshot::SpaceState;
use super::{Engine, Kind, NodeView, Snapshot, SpaceView, WorkloadView};
use crate::cluster::{Size, WorkloadKey, WorkloadKind};
use crate::money::{ClusterPrice, HeldPod};
use crate::sleep::Decision;
use crate::units::{Instant, Rate};

impl Engine {
    /// Everything as it is at `now`.
    pub fn snapshot(&mut self, now: Instant) -> Snapshot {
        let view = self.ledger.view(now);
        let nodes = self.node_views(now);
        let spaces = self.space_views(&view.pods, now);
        let budgets = self.budget_views(&view.hours, now);
        let counters = super::Counters { late_facts: self.ledger.late_facts(), ..self.counters };
        let history = super::HistoryHealth { late_lost: self.ledger.late_lost(), ..self.history.clone() };
        Snapshot {
            at: now,
            cluster: Arc::clone(&self.settings.cluster),
            mode: self.settings.mode,
            start: self.settings.start,
            settled: view.settled,
            synced: self.is_synced(),
            missing: Kind::ALL.into_iter().filter(|kind| !self.listed.contains(kind)).collect(),
            hours: view.hours,
            nodes,
            pods: view.pods,
            flat: view.flat,
            spaces,
            budgets,
            problems: self.problems.all(),
            usage: self.usage.clone(),
            history,
            in_flight: self.targets.len(),
            counters,
        }
    }

    fn node_views(&self, now: Instant) -> Vec<NodeView> {
        let mut views = Vec::with_capacity(self.nodes.len());
        self.ledger.nodes_at(now, |uid, rates, price, pods| {
            if let Some(node) = self.nodes.get(uid) {
                views.push(NodeView { node: Arc::clone(node), price: price.map(Arc::clone), rates, pods });
            }
        });
        views.sort_by(|a, b| a.node.name.cmp(&b.node.name));
        views
    }

    fn space_views(&self, pods: &[HeldPod], now: Instant) -> Vec<SpaceView> {
        let costs = costs_of_spaces(pods, &self.operators_objects());
        let price = self.ledger.cluster_price();
        self.spaces
            .iter()
            .filter_map(|(name, space)| {
                let (hourly, bare_pods) = costs.get(&**name).copied().unwrap_or_default();
                self.space_view(name, space, hourly, bare_pods, price, now)
            })
            .collect()
    }

    /// Operators' objects, as owner references name them: namespace, kind, name.
    fn operators_objects(&self) -> BTreeSet<(&str, &str, &str)> {
        let theirs = self.workloads.keys().filter(|key| matches!(key.kind, WorkloadKind::Other(_)));
        theirs.map(|key| (&*key.namespace, key.kind.plain(), &*key.name)).collect()
    }

    fn space_view(
        &self,
        name: &Arc<str>,
        space: &SpaceEntry,
        hourly: Rate,
        bare_pods: usize,
        price: ClusterPrice,
        now: Instant,
    ) -> Option<SpaceView> {
        let (decision, wishes) = self.decide_space(name, now)?;
        let mut workloads = Vec::new();
        let (mut saving, mut would_save) = (Rate(0), Rate(0));
        let (mut asleep, mut up, mut falling, mut waking) = (0, 0, false, false);
        let left = self.left_to_others(name);
        for (key, entry) in self.workloads_in(name) {
            let own = self.decide_within(&decision, key, entry, now)?;
            let hourly = worth(entry, price);
            if entry.is_asleep() {
                asleep += 1;
                saving += hourly;
            } else if own.asleep && own.hands_off && entry.workload.size.is_down() {
                // By another tool's hand, to whose credit the saving goes.
                asleep += 1;
            } else if !entry.workload.size.is_down() && !left.contains(key) {
                up += 1;
                if own.wished && entry.refusal.is_none() {
                    would_save += hourly;
                }
                falling |= own.asleep && !own.hands_off && entry.refusal.is_none();
            }
            waking |= entry.waking || entry.is_marked() && !own.asleep && !own.hands_off;
            workloads.push(workload_view(key, entry, own, hourly));
        }
        let state = match (asleep > 0, up > 0) {
            (true, false) if !waking => SpaceState::Asleep,
            _ if waking => SpaceState::Waking,
            _ if falling => SpaceState::Falling,
            _ => SpaceState::Awake,
        };
        let of = &space.attribution;
        Some(SpaceView {
            name: Arc::clone(name),
            team: Arc::clone(&of.team),
            team_kind: of.team_kind,
            team_rule: Arc::clone(&of.team_rule),
            owner: Arc::clone(&of.owner),
            owner_kind: of.owner_kind,
            owner_rule: Arc::clone(&of.owner_rule),
            tier: space.tier,
            state,
            since: space.since,
            decision,
            wishes,
            workloads,
            hourly,
            saving,
            would_save,
            bare_pods,
        })
    }
}

/// What the pods of each space cost per hour, and how many of them nothing can turn down.
fn costs_of_spaces<'a>(
    pods: &'a [HeldPod],
    operators: &BTreeSet<(&str, &str, &str)>,
) -> BTreeMap<&'a str, (Rate, usize)> {
    // By the address of the name first: pods of a space share it, so that names are compared once for a space and not
    // for every pod. The order of the map does not matter to sums of whole numbers.
    let mut by_address: HashMap<*const u8, (&str, Rate, usize)> = HashMap::new();
    for pod in pods {
        let of = &pod.holder.attribution;
        let space: &str = &of.namespace;
        let (_, hourly, bare) = by_address.entry(space.as_ptr()).or_insert((space, Rate(0), 0));
        *hourly += pod.hourly;
        // A workload inside a vCluster is none that Nightcap can turn down from outside.
        let scalable = of.virtual_namespace.is_none()
            && of.workload.as_ref().is_some_and(|of| is_scalable(of, operators));
        *bare += usize::from(!scalable);
    }
    let mut spaces: BTreeMap<&str, (Rate, usize)> = BTreeMap::new();
    for (space, hourly, bare) in by_address.into_values() {
        let sum = spaces.entry(space).or_default();
        sum.0 += hourly;
        sum.1 += bare;
    }
    spaces
}

fn workload_view(key: &WorkloadKey, entry: &WorkloadEntry, decision: Decision, hourly: Rate) -> WorkloadView {
    WorkloadView {
        key: key.clone(),
        size: entry.workload.size,
        ready_replicas: entry.workload.ready_replicas,
        mark: entry.mark().cloned(),
        original: entry.original().cloned(),
        decision,
        refusal: entry.refusal.clone(),
        local_volumes: entry.workload.local_volumes.clone(),
        hourly,
    }
}

/// What a workload costs per hour by its requests: as it is, or as it was before it fell asleep.
fn worth(entry: &WorkloadEntry, price: ClusterPrice) -> Rate {
    let workload = &entry.workload;
    let restored = entry.original().and_then(|o| o.restored(workload.size, workload.switch.as_deref()));
    match restored.map_or(workload.size, |restored| restored.size) {
        Size::Replicas(replicas) => price.rate_of(workload.pod_requests.times(u64::from(replicas))),
        Size::Off(_) => match entry.mark().and_then(|mark| mark.freed) {
            Some(freed) => price.rate_of(freed.into()),
            None => price.rate_of(workload.pod_requests.times(workload.wanted_pods.unwrap_or(0).into())),
        },
        // What a CronJob's runs hold is counted with their pods; between runs it holds nothing.
        Size::Suspended(_) => Rate(0),
    }
}

/// Whether Nightcap can turn the pod's owner down.
fn is_scalable(key: &WorkloadKey, operators: &BTreeSet<(&str, &str, &str)>) -> bool {
    !matches!(key.kind, WorkloadKind::Other(_))
        || operators.contains(&(&*key.namespace, key.kind.plain(), &*key.name))
}
