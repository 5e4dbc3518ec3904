//! What the demo's spaces consist of.

use nightcap_core::units::{Bytes, Cpu, Gpu, Millis, Resources};

use crate::spec::{Place, WorkloadShape, WorkloadSpec};

pub(super) fn stack(replicas: u32, worker: u64) -> Vec<WorkloadSpec> {
    vec![
        deployment("api", replicas, 300, 512),
        deployment("web", replicas, 150, 256),
        deployment("worker", replicas, worker, 768),
        deployment("cache", 1, 100, 384),
        stateful("postgres", 1, 400, 1_024),
        cron("cleanup", Millis::HOUR, 7, (8, 40), amount(100, 128)),
    ]
}

pub(super) fn preview() -> Vec<WorkloadSpec> {
    vec![deployment("api", 1, 200, 384), deployment("web", 1, 100, 192), stateful("postgres", 1, 200, 512)]
}

pub(super) fn load_test() -> Vec<WorkloadSpec> {
    vec![deployment("generator", 4, 700, 512), deployment("target", 2, 500, 1_024)]
}

pub(super) fn relevance() -> Vec<WorkloadSpec> {
    vec![
        stateful("index", 2, 800, 6_144),
        deployment("ranker", 2, 600, 2_048),
        deployment("judge-ui", 1, 100, 256),
        cron("reindex", Millis(6 * Millis::HOUR.0), 40, (900, 3_000), amount(1_200, 3_072)),
    ]
}

pub(super) fn pipelines() -> Vec<WorkloadSpec> {
    vec![
        deployment("scheduler", 1, 300, 1_024).at(Place::OnDemand),
        deployment("api", 2, 200, 512),
        stateful("postgres", 1, 500, 2_048),
        cron("ingest", Millis::from_minutes(15), 2, (90, 420), amount(500, 1_024)),
        cron("aggregate", Millis::HOUR, 20, (240, 1_500), amount(1_000, 2_048)),
        cron("nightly-export", Millis::DAY, 150, (1_800, 5_400), amount(1_500, 4_096)),
    ]
}

pub(super) fn notebooks() -> Vec<WorkloadSpec> {
    let gpu = Resources { gpu: Gpu::from_devices(1), ..amount(3_000, 12_288) };
    let pull = (Millis::from_secs(60), Millis::from_secs(170));
    vec![
        deployment("hub", 1, 200, 512),
        WorkloadSpec::new("notebook-gpu", WorkloadShape::Deployment { replicas: 1 }, gpu)
            .at(Place::Gpu)
            .starting_in(pull.0, pull.1),
        deployment("notebook-small", 3, 500, 2_048).starting_in(pull.0, pull.1),
        WorkloadSpec::new(
            "training",
            WorkloadShape::Jobs { a_week: 10, lasts: (Millis::from_minutes(6), Millis::from_minutes(50)) },
            amount(2_000, 6_144),
        ),
    ]
}

pub(super) fn warehouse() -> Vec<WorkloadSpec> {
    vec![
        // Scaling it down would delete its volumes, so it is never put to sleep.
        WorkloadSpec::new(
            "clickhouse",
            WorkloadShape::StatefulSet { replicas: 2, deletes_claims: true },
            amount(1_000, 6_144),
        )
        .at(Place::OnDemand),
        deployment("query-ui", 1, 150, 384),
    ]
}

pub(super) fn ci() -> Vec<WorkloadSpec> {
    vec![
        deployment("controller", 1, 250, 768).at(Place::OnDemand),
        deployment("build-cache", 1, 300, 2_048),
        cron("build", Millis::from_minutes(15), 1, (40, 380), amount(1_000, 1_536)),
        cron("lint", Millis::from_minutes(20), 4, (7, 60), amount(500, 512)),
    ]
}

pub(super) fn edge() -> Vec<WorkloadSpec> {
    vec![
        deployment("gateway", 1, 500, 1_024).at(Place::Edge),
        deployment("mirror", 1, 250, 512).at(Place::Edge),
    ]
}

pub(super) fn qa() -> Vec<WorkloadSpec> {
    vec![
        deployment("browser-pool", 3, 600, 1_536),
        deployment("reports", 1, 100, 256),
        cron("smoke", Millis::from_minutes(30), 3, (30, 240), amount(400, 768)),
        cron("regression", Millis::DAY, 90, (2_400, 6_000), amount(1_500, 3_072)),
    ]
}

pub(super) fn amount(millicores: u64, mib: u64) -> Resources {
    Resources { cpu: Cpu::from_millis(millicores), memory: Bytes::from_mib(mib), gpu: Gpu(0) }
}

pub(super) fn deployment(name: &str, replicas: u32, millicores: u64, mib: u64) -> WorkloadSpec {
    WorkloadSpec::new(name, WorkloadShape::Deployment { replicas }, amount(millicores, mib))
}

pub(super) fn stateful(name: &str, replicas: u32, millicores: u64, mib: u64) -> WorkloadSpec {
    let shape = WorkloadShape::StatefulSet { replicas, deletes_claims: false };
    WorkloadSpec::new(name, shape, amount(millicores, mib)).at(Place::OnDemand)
}

pub(super) fn bare(name: &str) -> WorkloadSpec {
    WorkloadSpec::new(name, WorkloadShape::BarePod, amount(100, 256))
}

pub(super) fn cron(
    name: &str,
    every: Millis,
    minute: i64,
    seconds: (i64, i64),
    requests: Resources,
) -> WorkloadSpec {
    let shape = WorkloadShape::CronJob {
        every,
        offset: Millis::from_minutes(minute),
        lasts: (Millis::from_secs(seconds.0), Millis::from_secs(seconds.1)),
    };
    WorkloadSpec::new(name, shape, requests)
}
