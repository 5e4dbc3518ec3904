//! The demo: an internal platform of eight teams with some forty spaces on a cluster of two dozen machines at most.

mod assets;
mod stacks;

use assets::{classes, furnish, released};
use chrono_tz::Tz;
use nightcap_core::cluster::{Keys, Provider};
use nightcap_core::units::{Bytes, Cpu, Gpu, Millis, Resources};
use stacks::{
    amount, bare, ci, deployment, edge, load_test, notebooks, pipelines, preview, qa, relevance, stack,
    stateful, warehouse,
};

use crate::activity::Activity;
use crate::rng::Rng;
use crate::spec::{DaemonSpec, Place, PoolKind, PoolSpec, SpaceSpec, WorkloadSpec, WorldSpec};

const PREFIX: &str = "nightcap.dev";
const REGION: &str = "eu-central-1";
const BERLIN: Tz = Tz::Europe__Berlin;
const LISBON: Tz = Tz::Europe__Lisbon;
const NEW_YORK: Tz = Tz::America__New_York;
const KOLKATA: Tz = Tz::Asia__Kolkata;

/// The whole platform. The seed decides the numbers of the preview spaces; what happens is decided by the world's.
pub fn platform(seed: u64) -> WorldSpec {
    WorldSpec {
        prefix: PREFIX.into(),
        pools: pools(),
        daemons: [
            ("kube-system", "aws-node", 25, 64),
            ("kube-system", "kube-proxy", 50, 64),
            ("kube-system", "ebs-csi-node", 30, 96),
            ("monitoring", "node-exporter", 20, 48),
        ]
        .map(|(namespace, name, cpu, memory)| DaemonSpec {
            namespace: namespace.into(),
            name: name.into(),
            requests: amount(cpu, memory),
        })
        .to_vec(),
        spaces: spaces(&mut Rng::new(seed)),
        classes: classes(),
        released: released(),
        scrape_interval: Millis::MINUTE,
        counts_traffic: true,
        rollout_every: Some(Millis(4 * Millis::DAY.0)),
        spot_lasts: Some(Millis(6 * Millis::DAY.0)),
    }
}

fn pools() -> Vec<PoolSpec> {
    [
        ("general-m6i", PoolKind::General, "m6i.xlarge", 4, 16, 3, 8),
        ("general-m7i", PoolKind::General, "m7i.xlarge", 4, 16, 1, 4),
        ("compute-c6i", PoolKind::General, "c6i.xlarge", 4, 8, 1, 4),
        ("memory-r6i", PoolKind::General, "r6i.xlarge", 4, 32, 0, 2),
        ("spot-m6i", PoolKind::Spot, "m6i.xlarge", 4, 16, 1, 6),
        ("gpu-g4dn", PoolKind::Gpu, "g4dn.xlarge", 4, 16, 0, 2),
        ("edge-box", PoolKind::Edge, "edge-box", 4, 8, 1, 1),
    ]
    .map(|(name, kind, instance_type, cores, gib, min, max)| {
        let edge = kind == PoolKind::Edge;
        PoolSpec {
            name: name.into(),
            kind,
            provider: if edge { Provider::Unknown } else { Provider::Aws },
            region: if edge { "" } else { REGION }.into(),
            zones: if edge {
                Vec::new()
            } else {
                ["a", "b", "c"].map(|letter| format!("{REGION}{letter}").into()).to_vec()
            },
            instance_type: instance_type.into(),
            capacity: Resources {
                cpu: Cpu::from_cores(cores),
                memory: Bytes::from_gib(gib),
                gpu: Gpu::from_devices(u64::from(kind == PoolKind::Gpu)),
            },
            min,
            max,
        }
    })
    .to_vec()
}

/// A space of a team that owns it as a whole.
fn space(name: &str, team: &str, activity: Activity, zone: Tz, workloads: Vec<WorkloadSpec>) -> SpaceSpec {
    let mut labels = Keys::from([("kubernetes.io/metadata.name".into(), name.into())]);
    if !team.is_empty() {
        labels.insert("team".into(), team.into());
        labels.insert("owner".into(), format!("{team}-engineers").into());
    }
    SpaceSpec {
        name: name.into(),
        labels,
        annotations: Keys::new(),
        activity,
        zone,
        visits_a_week: 0,
        workloads,
        unmounted: Vec::new(),
        balancers: Vec::new(),
    }
}

impl SpaceSpec {
    fn wish(mut self, name: &str, value: &str) -> Self {
        self.annotations.insert(format!("{PREFIX}/{name}").into(), value.into());
        self
    }

    fn visited(self, visits_a_week: u64) -> Self {
        Self { visits_a_week, ..self }
    }
}

fn spaces(rng: &mut Rng) -> Vec<SpaceSpec> {
    use Activity::{Busy, Intermittent, NearIdle, OfficeLike};
    let mut all = system();
    for (team, zone, uptime, worker) in [
        ("payments", BERLIN, Some("Mon-Fri 08:00-19:00 Europe/Berlin"), 350),
        ("search", BERLIN, Some("Mon-Fri 07:30-18:30 Europe/Berlin"), 900),
        ("checkout", NEW_YORK, Some("Mon-Fri 08:00-18:00 America/New_York"), 400),
        ("identity", LISBON, None, 250),
        ("notifications", KOLKATA, Some("Mon-Sat 09:00-19:00 Asia/Kolkata"), 300),
    ] {
        let dev = space(&format!("{team}-dev"), team, OfficeLike, zone, stack(1, worker)).visited(12);
        all.push(match uptime {
            Some(uptime) => dev.wish("uptime", uptime),
            None => dev,
        });
        all.push(space(&format!("{team}-staging"), team, Intermittent, zone, stack(2, worker)).visited(8));
    }
    for (team, zone, previews) in [("payments", BERLIN, 3), ("search", BERLIN, 2), ("checkout", NEW_YORK, 3)]
    {
        for _ in 0..previews {
            let name = format!("{team}-pr-{}", rng.between(1_100, 1_900));
            if all.iter().any(|known| *known.name == *name) {
                continue;
            }
            // Half a day is enough for a preview; who needs it later wakes it.
            let uptime = format!("Mon-Fri 10:00-15:00 {zone}");
            all.push(space(&name, team, OfficeLike, zone, preview()).wish("uptime", &uptime).visited(14));
        }
    }
    let night = "22:00-06:00 Europe/Lisbon, Sat-Sun 00:00-24:00 Europe/Lisbon";
    wish_on(&mut all, "identity-staging", "downtime", night);
    wish_on(&mut all, "search-staging", "downtime", "Sat-Sun 00:00-24:00 Europe/Berlin");
    wish_on(&mut all, "payments-staging", "exclude", "true");
    all.extend([
        space("identity-load", "identity", NearIdle, LISBON, load_test()).wish("uptime", "never").visited(4),
        space("data-pipelines", "data-platform", Busy, BERLIN, pipelines()),
        space("data-notebooks", "data-platform", OfficeLike, BERLIN, notebooks())
            .wish("uptime", "Mon-Fri 08:00-20:00 Europe/Berlin")
            .visited(6),
        space("data-warehouse-dev", "data-platform", Intermittent, BERLIN, warehouse())
            .wish("uptime", "Mon-Fri 09:00-17:00 Europe/Berlin")
            .visited(5),
        space("platform-ci", "platform", Busy, BERLIN, ci()),
        space("platform-sandbox", "platform", OfficeLike, BERLIN, preview())
            // Written in a hurry: 18 is no time. It is reported, and the space stays awake.
            .wish("uptime", "Mon-Fri 08:00-18 Europe/Berlin"),
        space("platform-edge", "platform", Intermittent, BERLIN, edge()),
        space("platform-docs", "platform", NearIdle, BERLIN, vec![deployment("docs", 1, 100, 192)])
            .wish("downtime", "Mon-Fri 20:00-07:00 Europe/Berlin, Sat-Sun 00:00-24:00 Europe/Berlin")
            .visited(2),
        space("qa-end-to-end", "qa", OfficeLike, BERLIN, qa())
            .wish("uptime", "Mon-Fri 06:00-22:00 Europe/Berlin")
            .visited(3),
        space("qa-manual", "qa", OfficeLike, KOLKATA, stack(1, 300))
            .wish("uptime", "Mon-Fri 10:00-18:00 Asia/Kolkata")
            .visited(8),
        space("search-relevance", "search", Intermittent, BERLIN, relevance())
            .wish("uptime", "Mon-Fri 07:00-21:00 Europe/Berlin")
            .visited(6),
        space("notifications-sandbox", "notifications", OfficeLike, KOLKATA, stack(1, 250))
            .wish("uptime", "Mon-Fri 11:00-16:00 Asia/Kolkata")
            .visited(10),
        space("checkout-perf", "checkout", NearIdle, NEW_YORK, load_test())
            .wish("uptime", "Tue 09:00-12:00 America/New_York, Thu 09:00-12:00 America/New_York")
            .visited(3),
        space("hackday-archive", "", NearIdle, BERLIN, preview()),
        space("test-do-not-delete", "", NearIdle, BERLIN, stack(1, 200)),
        space("tmp-migration", "", NearIdle, LISBON, vec![deployment("shell", 1, 250, 512), bare("debug")]),
    ]);
    furnish(&mut all);
    all
}

fn wish_on(all: &mut [SpaceSpec], space: &str, name: &str, value: &str) {
    for found in all.iter_mut().filter(|found| *found.name == *space) {
        found.annotations.insert(format!("{PREFIX}/{name}").into(), value.into());
    }
}

/// What the cluster itself needs. Protected by name.
fn system() -> Vec<SpaceSpec> {
    vec![
        space(
            "kube-system",
            "platform",
            Activity::Busy,
            Tz::UTC,
            vec![
                deployment("coredns", 2, 100, 70).at(Place::OnDemand),
                deployment("metrics-server", 2, 100, 200).at(Place::OnDemand),
                deployment("cluster-autoscaler", 1, 100, 300).at(Place::OnDemand),
                deployment("ebs-csi-controller", 2, 60, 240).at(Place::OnDemand),
            ],
        ),
        space(
            "ingress-nginx",
            "platform",
            Activity::Busy,
            Tz::UTC,
            vec![deployment("ingress-nginx-controller", 2, 200, 256).at(Place::OnDemand)],
        ),
        space(
            "monitoring",
            "platform",
            Activity::Busy,
            Tz::UTC,
            vec![stateful("prometheus", 1, 500, 3_072), deployment("grafana", 1, 100, 256)],
        )
        .wish("exclude", "true"),
    ]
}
