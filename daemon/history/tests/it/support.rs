//! Random hours, and what they add up to.

use std::collections::BTreeMap;
use std::sync::Arc;

use nightcap_core::cluster::{
    Attribution, CapacityType, NodeFacts, OwnerKind, Provider, WorkloadKey, WorkloadKind,
};
use nightcap_core::money::{
    AllocationRow, AssetKind, AssetRow, ByResource, Confidence, FlatAsset, FlatRow, Holder, Hour, Marks,
    NodeName, NodePrice, PodName, PodRates, PriceSource, ResourceHours, SavedRow, UsageHours,
};
use nightcap_core::units::{Instant, Millis, PicoUsd, Rate, Window};
use nightcap_history::{Archive, Needs};

/// Sunday, 1 March 2026, 00:00 UTC.
pub(crate) const DAY_ONE: Instant = Instant(1_772_323_200_000);

pub(crate) fn hour_at(nth: i64) -> Instant {
    DAY_ONE + Millis::from_hours(nth)
}

pub(crate) fn day(nth: i64) -> Window {
    Window::new(hour_at(nth * 24), hour_at(nth * 24 + 24))
}

/// A small deterministic source of numbers (`SplitMix64`).
#[derive(Clone, Debug)]
pub(crate) struct Numbers(pub(crate) u64);

impl Numbers {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn one_in(&mut self, bound: u64) -> bool {
        self.below(bound) == 0
    }

    /// A number that sums without rounding, so that sums may be compared for equality.
    fn amount(&mut self) -> f64 {
        f64::from(u32::try_from(self.below(4_000)).unwrap()) / 8.0
    }

    fn pico(&mut self) -> PicoUsd {
        PicoUsd(i128::from(self.below(40_000_000_000)))
    }

    fn money(&mut self) -> ByResource {
        ByResource {
            cpu: self.pico(),
            memory: self.pico(),
            gpu: if self.one_in(4) { self.pico() } else { PicoUsd(0) },
        }
    }

    fn hours(&mut self) -> ResourceHours {
        ResourceHours {
            cpu_core_hours: self.amount(),
            memory_byte_hours: self.amount(),
            gpu_hours: self.amount(),
        }
    }

    fn usage(&mut self) -> UsageHours {
        UsageHours { cpu_core_hours: self.amount(), memory_byte_hours: self.amount() }
    }

    fn marks(&mut self) -> Marks {
        Marks { late: self.one_in(8), backfilled: self.one_in(8) }
    }

    fn within(&mut self, hour: Instant) -> Window {
        if self.one_in(2) {
            return Window::new(hour, hour + Millis::HOUR);
        }
        let start = i64::try_from(self.below(3_600_000)).unwrap();
        let length = i64::try_from(self.below(3_600_001)).unwrap().min(3_600_000 - start);
        Window::new(hour + Millis(start), hour + Millis(start + length))
    }
}

/// Hours of a made-up cluster.
#[derive(Debug)]
pub(crate) struct Cluster {
    pub(crate) numbers: Numbers,
    nodes: Vec<Arc<NodeName>>,
    payers: Vec<Arc<Attribution>>,
    prices: Vec<Option<Arc<NodePrice>>>,
}

impl Cluster {
    pub(crate) fn new(seed: u64) -> Self {
        let mut numbers = Numbers(seed);
        let nodes = (0..4)
            .map(|nth| {
                Arc::new(NodeName {
                    uid: format!("node-uid-{nth}").into(),
                    name: format!("node-{}", nth / 2).into(),
                    provider_id: if nth == 0 { "".into() } else { format!("aws:///eu/i-{nth}").into() },
                    facts: NodeFacts {
                        provider: if nth == 0 { Provider::Unknown } else { Provider::Aws },
                        region: "eu-central-1".into(),
                        zone: "eu-central-1a".into(),
                        instance_type: "m5.xlarge".into(),
                        capacity_type: if nth == 1 { CapacityType::Spot } else { CapacityType::OnDemand },
                        arch: "amd64".into(),
                        os: "linux".into(),
                        labels: if nth == 3 {
                            [("pool".into(), "gpu".into())].into()
                        } else {
                            BTreeMap::new()
                        },
                    },
                })
            })
            .collect();
        let payers = (0..9).map(|nth| Arc::new(payer(&mut numbers, nth))).collect();
        let price = |confidence, hourly| {
            Some(Arc::new(NodePrice {
                hourly: Rate(hourly),
                confidence,
                source: PriceSource { id: "karpenter-aws".into(), date: "2026-01-01".into() },
                reason: "list price of m5.xlarge".into(),
                by_pod: (hourly == 1)
                    .then_some(PodRates { core: Rate(40_480_000_000), gib: Rate(4_445_000_000) }),
            }))
        };
        let prices = vec![
            price(Confidence::List, 192_000_000_000),
            price(Confidence::Exact, 150_000_000_001),
            price(Confidence::Default, 1),
            None,
        ];
        Self { numbers, nodes, payers, prices }
    }

    /// A random hour. The parts of each node add up to its cost, as the ledger sees to.
    pub(crate) fn hour(&mut self, start: Instant) -> Hour {
        let mut hour = Hour::new(start);
        for nth in 0..self.nodes.len() {
            let node = Arc::clone(&self.nodes[nth]);
            let numbers = &mut self.numbers;
            let mut cost = numbers.money();
            let idle = cost;
            for _ in 0..numbers.below(6) {
                let pod = numbers.below(12);
                let of = usize::try_from(numbers.below(self.payers.len() as u64)).unwrap();
                let share = numbers.money();
                cost += share;
                hour.allocations.push(AllocationRow {
                    holder: Arc::new(Holder {
                        node: Arc::clone(&node),
                        pod: Arc::new(PodName {
                            uid: format!("pod-uid-{pod}").into(),
                            namespace: Arc::clone(&self.payers[of].namespace),
                            name: format!("pod-{}", pod / 2).into(),
                        }),
                        attribution: Arc::clone(&self.payers[of]),
                    }),
                    window: numbers.within(start),
                    cost: share.into(),
                    requested: numbers.hours(),
                    used: numbers.usage(),
                    above: numbers.usage(),
                    marks: numbers.marks(),
                });
            }
            let price = usize::try_from(numbers.below(self.prices.len() as u64)).unwrap();
            hour.assets.push(AssetRow {
                node,
                price: self.prices[price].clone(),
                window: Window::new(start, start + Millis::HOUR),
                cost,
                idle,
                capacity: numbers.hours(),
                charged: numbers.hours(),
                marks: Marks::default(),
            });
        }
        for kind in AssetKind::ALL {
            if self.numbers.one_in(2) {
                let row = self.flat(kind, start);
                hour.flat.push(row);
            }
        }
        for nth in 0..self.numbers.below(3) {
            let of = usize::try_from(nth).unwrap();
            hour.saved.push(SavedRow {
                attribution: Arc::clone(&self.payers[of]),
                policy: "nights".into(),
                window: Window::new(start, start + Millis::HOUR),
                saved: self.numbers.money(),
                freed: self.numbers.hours(),
            });
        }
        hour
    }

    fn flat(&mut self, kind: AssetKind, start: Instant) -> FlatRow {
        let numbers = &mut self.numbers;
        let of = usize::try_from(numbers.below(self.payers.len() as u64)).unwrap();
        let price = usize::try_from(numbers.below(self.prices.len() as u64)).unwrap();
        let overhead = kind == AssetKind::ControlPlane;
        FlatRow {
            asset: Arc::new(FlatAsset {
                kind,
                uid: format!("{}-uid", kind.name()).into(),
                name: format!("{}-1", kind.name()).into(),
                provider_id: "vol-1".into(),
                class: if kind == AssetKind::Volume { "gp3".into() } else { "".into() },
                claim: ("shop".into(), "data".into()),
            }),
            price: self.prices[price].clone(),
            attribution: if overhead {
                Arc::new(Attribution::line("__overhead__"))
            } else {
                Arc::clone(&self.payers[of])
            },
            pod: numbers.one_in(2).then(|| {
                Arc::new(PodName { uid: "pod-uid-1".into(), namespace: "shop".into(), name: "pod-0".into() })
            }),
            window: numbers.within(start),
            cost: numbers.pico(),
            amount: numbers.amount(),
            marks: numbers.marks(),
        }
    }
}

fn payer(numbers: &mut Numbers, nth: usize) -> Attribution {
    let namespace: Arc<str> = format!("namespace-{}", nth / 2).into();
    let vcluster = (nth % 3 == 0).then(|| Arc::from(format!("{namespace}/vc")));
    Attribution {
        space: vcluster.clone().unwrap_or_else(|| Arc::clone(&namespace)),
        workload: (nth % 4 != 0).then(|| WorkloadKey {
            namespace: Arc::clone(&namespace),
            kind: if nth % 2 == 0 { WorkloadKind::Deployment } else { WorkloadKind::Other("Rollout".into()) },
            name: format!("workload-{}", nth / 2).into(),
        }),
        virtual_namespace: vcluster.is_some().then(|| "default".into()),
        vcluster,
        team: format!("team-{}", numbers.below(3)).into(),
        team_rule: "label team of the namespace".into(),
        owner: format!("owner-{}", numbers.below(3)).into(),
        owner_kind: if nth % 2 == 0 { OwnerKind::User } else { OwnerKind::Unknown },
        owner_rule: "no rule matched".into(),
        labels: Arc::new(if nth % 3 == 1 {
            BTreeMap::from([
                ("app".into(), format!("app \"{}\"", nth % 2).into()),
                ("tier".into(), format!("tier-{nth}").into()),
            ])
        } else {
            BTreeMap::new()
        }),
        namespace,
    }
}

/// `count` hours from the `first` on.
pub(crate) fn some_hours(seed: u64, first: i64, count: i64) -> Vec<Hour> {
    let mut cluster = Cluster::new(seed);
    (first..first + count).map(|nth| cluster.hour(hour_at(nth))).collect()
}

/// A folder of its own: in memory where there is such a place, since these tests sync thousands of files.
pub(crate) fn folder() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

/// An archive in a folder of its own, with these hours in it.
pub(crate) fn archive_of(hours: &[Hour]) -> (tempfile::TempDir, Archive) {
    let folder = folder();
    let archive = Archive::open(&folder.path().join("history"), "test").unwrap();
    for hour in hours {
        archive.write_hour(hour).unwrap();
    }
    (folder, archive)
}

/// What comes out of a window, in order; the archive may be damaged nowhere.
pub(crate) fn read(archive: &Archive, window: Window, needs: &Needs) -> Vec<Arc<Hour>> {
    let mut stream = archive.hours(window, needs).unwrap();
    let hours = stream.by_ref().map(|hour| Arc::new(hour.unwrap())).collect();
    assert_eq!(stream.damaged().collect::<Vec<_>>(), Vec::<&nightcap_history::Damaged>::new());
    hours
}

/// The hours of a window as they were written, rows in a fixed order.
pub(crate) fn verbatim(archive: &Archive, window: Window) -> Vec<Hour> {
    let mut stream = archive.verbatim(window).unwrap();
    let hours: Vec<_> = stream.by_ref().map(|hour| sorted(hour.unwrap())).collect();
    assert_eq!(stream.damaged().collect::<Vec<_>>(), Vec::<&nightcap_history::Damaged>::new());
    hours
}

/// The rows of an hour in a fixed order.
pub(crate) fn sorted(mut hour: Hour) -> Hour {
    hour.allocations.sort_by_cached_key(|row| format!("{row:?}"));
    hour.assets.sort_by_cached_key(|row| format!("{row:?}"));
    hour.flat.sort_by_cached_key(|row| format!("{row:?}"));
    hour.saved.sort_by_cached_key(|row| format!("{row:?}"));
    hour
}

/// Everything that was paid or saved in these hours, in pico-dollars: pods, idle, flat, saved.
pub(crate) fn totals<'a>(hours: impl IntoIterator<Item = &'a Hour>) -> [i128; 4] {
    let mut sums = [0; 4];
    for hour in hours {
        sums[0] += hour.allocations.iter().map(|row| row.cost.total().0).sum::<i128>();
        sums[1] += hour.assets.iter().map(|row| row.idle.total().0).sum::<i128>();
        sums[2] += hour.flat.iter().map(|row| row.cost.0).sum::<i128>();
        sums[3] += hour.saved.iter().map(|row| row.saved.total().0).sum::<i128>();
    }
    sums
}

/// All files below a folder with their bytes.
pub(crate) fn files(folder: &std::path::Path) -> BTreeMap<std::path::PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.append(&mut files(&path));
        } else {
            found.insert(path.clone(), std::fs::read(&path).unwrap());
        }
    }
    found
}
