//! The engine's state as an immutable snapshot.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::machine::{SpaceEntry, WorkloadEntry};
use super::snapshot::SpaceState;
use super::space_costs::{SpaceCost, SpaceCosts};
use super::{Engine, Kind, NodeView, Snapshot, SpaceView, WorkloadView};
use crate::cluster::{Size, WorkloadKey};
use crate::money::ClusterPrice;
use crate::sleep::Decision;
use crate::units::{Instant, Rate};

impl Engine {
    /// Everything as it is at `now`.
    pub fn snapshot(&mut self, now: Instant) -> Snapshot {
        let mut costs = SpaceCosts::new(self.workloads.keys());
        let view = self.ledger.view_with(now, |pods| costs.add(pods));
        let nodes = self.node_views(now);
        let spaces = self.space_views(&costs.by_name(), now);
        let budgets = self.budget_views(&view.hours, now);
        let counters = super::Counters { late_facts: self.ledger.late_facts(), ..self.counters };
        let history = super::HistoryHealth { late_lost: self.ledger.late_lost(), ..self.history.clone() };
        Snapshot {
            at: now,
            cluster: Arc::clone(&self.settings.cluster),
            mode: self.settings.mode,
            start: self.settings.start,
            settled: view.settled,
            leads: self.leads,
            synced: self.is_synced(),
            missing: Kind::ALL.into_iter().filter(|kind| !self.listed.contains(kind)).collect(),
            hours: view.hours,
            nodes,
            pods: view.pods,
            flat: view.flat,
            spaces,
            policies: self.policy_views(),
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

    fn space_views(&self, costs: &BTreeMap<Arc<str>, SpaceCost>, now: Instant) -> Vec<SpaceView> {
        let price = self.ledger.cluster_price();
        self.spaces
            .iter()
            .filter_map(|(name, space)| {
                let cost = costs.get(name).copied().unwrap_or_default();
                self.space_view(name, space, cost, price, now)
            })
            .collect()
    }

    fn space_view(
        &self,
        name: &Arc<str>,
        space: &SpaceEntry,
        SpaceCost { hourly, bare_pods }: SpaceCost,
        price: ClusterPrice,
        now: Instant,
    ) -> Option<SpaceView> {
        let (decision, wishes) = self.decide_space(name, now)?;
        let mut workloads = Vec::new();
        let (mut saving, mut would_save) = (Rate(0), Rate(0));
        let (mut asleep, mut up, mut falling, mut waking) = (0, 0, false, false);
        let left = self.left_to_others(name);
        for (key, entry) in self.workloads_in(name) {
            let apart = self.decide_apart(key, entry, now);
            let (own, own_wishes) = match apart {
                Some((own, wishes)) => (own, Some(wishes)),
                None => (decision.clone(), None),
            };
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
            let own_next = entry.foreseen.as_ref().and_then(|foreseen| foreseen.1.clone());
            let of_space = || space.foreseen.as_ref().and_then(|foreseen| foreseen.1.clone());
            workloads.push(WorkloadView {
                upcoming: if own == decision { of_space() } else { own_next },
                wishes: own_wishes,
                ..workload_view(key, entry, own, hourly)
            });
        }
        let state = match (asleep > 0, up > 0) {
            (true, false) if !waking => SpaceState::Asleep,
            _ if waking => SpaceState::Waking,
            _ if falling => SpaceState::Falling,
            _ => SpaceState::Awake,
        };
        let of = &space.attribution;
        let upcoming = space.foreseen.as_ref().and_then(|foreseen| foreseen.1.clone());
        Some(SpaceView {
            upcoming,
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

fn workload_view(key: &WorkloadKey, entry: &WorkloadEntry, decision: Decision, hourly: Rate) -> WorkloadView {
    WorkloadView {
        key: key.clone(),
        size: entry.workload.size,
        ready_replicas: entry.workload.ready_replicas,
        mark: entry.mark().cloned(),
        original: entry.original().cloned(),
        decision,
        wishes: None,
        upcoming: None,
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
