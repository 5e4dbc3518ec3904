//! Settings and small worlds.

use nightcap_core::cluster::{Keys, Provider, WorkloadKey, WorkloadKind};
use nightcap_core::engine::{Engine, Settings};
use nightcap_core::sleep::Mode;
use nightcap_core::units::{Bytes, Cpu, Gpu, Instant, Millis, Resources};
use nightcap_sim::activity::Activity;
use nightcap_sim::spec::{ClassSpec, PoolKind, PoolSpec, SpaceSpec, WorkloadShape, WorkloadSpec, WorldSpec};

/// Monday 2026-03-02 00:00 UTC.
pub(crate) const MONDAY: Instant = Instant(1_772_409_600_000);

pub(crate) fn engine(mode: Mode, scrape_interval: Millis) -> Engine {
    let mut settings = Settings::new(MONDAY);
    settings.mode = mode;
    settings.scrape_interval = scrape_interval;
    settings.keep_rows = 10_000_000;
    Engine::new(settings)
}

pub(crate) fn hours(hours: i64) -> Instant {
    MONDAY + Millis::from_hours(hours)
}

pub(crate) fn amount(millicores: u64, mib: u64) -> Resources {
    Resources { cpu: Cpu::from_millis(millicores), memory: Bytes::from_mib(mib), gpu: Gpu(0) }
}

pub(crate) fn key(namespace: &str, kind: WorkloadKind, name: &str) -> WorkloadKey {
    WorkloadKey { namespace: namespace.into(), kind, name: name.into() }
}

/// A space of one owner with these annotations.
pub(crate) fn space(name: &str, annotations: &[(&str, &str)], workloads: Vec<WorkloadSpec>) -> SpaceSpec {
    SpaceSpec {
        name: name.into(),
        labels: Keys::from([("team".into(), "shop".into())]),
        annotations: annotations.iter().map(|&(key, value)| (key.into(), value.into())).collect(),
        activity: Activity::OfficeLike,
        zone: chrono_tz::Tz::UTC,
        visits_a_week: 0,
        workloads,
        unmounted: Vec::new(),
        balancers: Vec::new(),
    }
}

pub(crate) fn web(replicas: u32, requests: Resources) -> WorkloadSpec {
    WorkloadSpec::new("web", WorkloadShape::Deployment { replicas }, requests)
}

pub(crate) fn gp3() -> ClassSpec {
    ClassSpec {
        name: "gp3".into(),
        provider: Provider::Aws,
        region: "eu-central-1".into(),
        driver: "ebs.csi.aws.com".into(),
        parameters: Keys::from([("type".into(), "gp3".into())]),
    }
}

/// One pool of machines with four cores, and these spaces.
pub(crate) fn world(min: usize, max: usize, spaces: Vec<SpaceSpec>) -> WorldSpec {
    WorldSpec {
        prefix: "nightcap.dev".into(),
        pools: vec![PoolSpec {
            name: "general".into(),
            kind: PoolKind::General,
            provider: Provider::Aws,
            region: "eu-central-1".into(),
            zones: vec!["eu-central-1a".into(), "eu-central-1b".into()],
            instance_type: "m6i.xlarge".into(),
            capacity: amount(4_000, 16_384),
            min,
            max,
        }],
        daemons: Vec::new(),
        spaces,
        classes: vec![gp3()],
        released: Vec::new(),
        scrape_interval: Millis::MINUTE,
        counts_traffic: true,
        rollout_every: None,
        spot_lasts: None,
    }
}
