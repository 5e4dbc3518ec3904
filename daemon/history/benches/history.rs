//! Questions over 30 days × 10,000 pods, the size of a pod's day, and the memory that takes.
//!
//! `make bench`; figures and how to read them are in docs/benchmarks.md. With `--test`, as `cargo test` runs it, a small
//! cluster and two days only, to see that it runs. The archive is written by a process of its own, so that its memory
//! is not counted with that of the questions.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant as Monotonic};

use nightcap_core::cluster::{
    Attribution, CapacityType, NodeFacts, OwnerKind, Provider, WorkloadKey, WorkloadKind,
};
use nightcap_core::money::query::{self, Dimension};
use nightcap_core::money::{
    AllocationRow, AssetRow, ByResource, Confidence, Holder, Hour, Marks, NodeName, NodePrice, PodName,
    PriceSource, ResourceHours, UsageHours,
};
use nightcap_core::units::{Instant, Millis, PicoUsd, Rate, Window};
use nightcap_history::{Archive, Field, Needs, Retention};

/// Sunday, 1 March 2026, 00:00 UTC.
const START: Instant = Instant(1_772_323_200_000);
/// Times each question is asked; the median is shown.
const TIMES: usize = 7;
const PODS_A_NODE: usize = 30;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let (days, pods) =
        if arguments.iter().any(|argument| argument == "--test") { (2, 300) } else { (30, 10_000) };
    if let Some(at) = arguments.iter().position(|argument| argument == "--write") {
        return write(Path::new(&arguments[at + 1]), days, pods);
    }
    let folder = tempfile::tempdir().expect("there is a folder for temporary files");
    let root = folder.path().join("history");
    let mut writer = Command::new(&arguments[0]);
    writer.arg("--write").arg(&root).args(arguments.iter().filter(|argument| *argument == "--test"));
    assert!(writer.status().expect("this program can be run").success());
    ask(&root, days, pods);
}

/// A memory figure of this process in MiB, such as `VmHWM`.
fn memory(of: &str) -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with(of)).unwrap_or_default();
    let kib: f64 = line.split_whitespace().nth(1).and_then(|kib| kib.parse().ok()).unwrap_or(0.0);
    kib / 1024.0
}

fn write(root: &Path, days: usize, pods: usize) {
    let archive = Archive::open(root, "bench").expect("the folder can be written");
    let cluster = Cluster::new(pods);
    let before = memory("VmRSS");
    let mut hours = Vec::new();
    let began = Monotonic::now();
    let mut upkeep = Vec::new();
    for day in 0..days {
        for nth in 0..24 {
            let hour = cluster.hour(day * 24 + nth);
            let began = Monotonic::now();
            archive.write_hour(&hour).expect("there is room");
            hours.push(began.elapsed());
        }
        let now = START + Millis::from_hours(i64::try_from(day).unwrap_or(0) * 24 + 27);
        let began = Monotonic::now();
        let done = archive.keep_up(now, &Retention::default()).expect("there is room");
        assert_eq!(done.compacted_days, 1);
        upkeep.push(began.elapsed());
    }
    let bytes = archive.size_bytes().expect("it can be listed") as f64;
    println!("{days} days of {pods} pods, written in {:.0} s", began.elapsed().as_secs_f64());
    println!("  write an hour          {:>8.0} ms", ms(median(hours)));
    println!("  compact a day          {:>8.0} ms", ms(median(upkeep)));
    println!("  size of a pod's day    {:>8.0} B", bytes / (days * pods) as f64);
    println!("  size of all            {:>8.0} MiB", bytes / f64::from(1 << 20));
    println!("  memory before, at most {before:>8.0} {:>8.0} MiB", memory("VmHWM"));
}

fn ask(root: &Path, days: usize, pods: usize) {
    let archive = Archive::open_read_only(root, "bench").expect("it was just written");
    let window = Window::new(START, START + Millis::from_hours(i64::try_from(days).unwrap_or(0) * 24));
    let half_past = Window::new(window.start + Millis::from_minutes(30), window.end);
    let in_steps = |needs: Needs, step: Millis| needs.in_steps(window.steps(step).collect());
    let label = Needs::nothing().with_label("app");
    println!("{days} days × {pods} pods: first, median of {TIMES}; memory of the process so far at most");
    println!("  nothing asked yet     {:>19} {:>8.0} MiB", "", memory("VmHWM"));
    let mut totals = Vec::new();
    for (name, window, needs, by) in [
        ("by team", window, Needs::by(&[Dimension::Team]), vec![Dimension::Team]),
        ("by space", window, Needs::by(&[Dimension::Space]), vec![Dimension::Space]),
        ("by team and space", window, Needs::by(&[Dimension::Team, Dimension::Space]), vec![Dimension::Team]),
        ("by label", window, label, vec![]),
        ("by node", window, Needs::by(&[Dimension::Node]), vec![Dimension::Node]),
        ("by pod", window, Needs::by(&[Dimension::Pod]), vec![Dimension::Pod]),
        (
            "by team, daily",
            window,
            in_steps(Needs::by(&[Dimension::Team]), Millis::DAY),
            vec![Dimension::Team],
        ),
        ("by team, cut", half_past, Needs::by(&[Dimension::Team]), vec![Dimension::Team]),
        (
            "by team, hourly",
            window,
            in_steps(Needs::by(&[Dimension::Team]), Millis::HOUR),
            vec![Dimension::Team],
        ),
        ("all there is, a day", Window::new(window.start, START + Millis::DAY), Needs::everything(), vec![]),
        (
            "hours of a day",
            Window::new(window.start, START + Millis::DAY),
            {
                let needs = Needs::everything().with(Field::Node);
                needs.in_steps(window.steps(Millis::HOUR).collect())
            },
            vec![],
        ),
    ] {
        let mut times = Vec::new();
        let mut total = PicoUsd(0);
        for _ in 0..TIMES {
            let began = Monotonic::now();
            total = PicoUsd(0);
            let mut groups = 0;
            for hour in archive.hours(window, &needs).expect("it can be listed") {
                let hours = [Arc::new(hour.expect("it can be read"))];
                let table = query::table(&hours, "bench", window, &by);
                total += table.total.total();
                groups += table.groups.len();
            }
            assert!(groups > 0);
            times.push(began.elapsed());
        }
        let first = times[0];
        println!(
            "  {name:<20} {:>8.0} {:>8.0} ms {:>8.0} MiB",
            ms(first),
            ms(median(times)),
            memory("VmHWM")
        );
        if window.length() == Millis::from_hours(i64::try_from(days).unwrap_or(0) * 24) {
            totals.push(total);
        }
    }
    assert!(totals.iter().all(|total| *total == totals[0]), "every grouping adds up to the same");
    println!("  memory at the end     {:>19} {:>8.0} MiB", "", memory("VmRSS"));
}

/// Pods that live for three days on average, in 200 namespaces of 20 teams.
struct Cluster {
    nodes: Vec<Arc<NodeName>>,
    payers: Vec<Arc<Attribution>>,
    pods: usize,
    price: Arc<NodePrice>,
}

impl Cluster {
    fn new(pods: usize) -> Self {
        let nodes = (0..pods.div_ceil(PODS_A_NODE))
            .map(|nth| {
                Arc::new(NodeName {
                    uid: uid(1, nth as u64).into(),
                    name: format!("ip-10-0-{}-{}.eu-central-1.compute.internal", nth / 250, nth % 250).into(),
                    provider_id: format!("aws:///eu-central-1a/i-{:017x}", mixed(nth as u64)).into(),
                    facts: NodeFacts {
                        provider: Provider::Aws,
                        region: "eu-central-1".into(),
                        zone: "eu-central-1a".into(),
                        instance_type: "m7i.4xlarge".into(),
                        capacity_type: CapacityType::OnDemand,
                        arch: "amd64".into(),
                        os: "linux".into(),
                        labels: nightcap_core::cluster::Keys::new(),
                    },
                })
            })
            .collect();
        let payers = (0..2_000.min(pods)).map(|nth| Arc::new(payer(nth))).collect();
        let price = Arc::new(NodePrice {
            hourly: Rate(806_400_000_000),
            confidence: Confidence::List,
            source: PriceSource { id: "karpenter-aws".into(), date: "2026-01-01".into() },
            reason: "list price of m7i.4xlarge in eu-central-1".into(),
            by_pod: None,
        });
        Self { nodes, payers, pods, price }
    }

    fn hour(&self, nth: usize) -> Hour {
        let start = START + Millis::from_hours(i64::try_from(nth).unwrap_or(0));
        let window = Window::new(start, start + Millis::HOUR);
        let mut hour = Hour::new(start);
        let mut spent = vec![ByResource::default(); self.nodes.len()];
        // Working hours are busy, nights are not.
        let busy = if (7..18).contains(&(nth % 24)) { 0.7 } else { 0.15 };
        for place in 0..self.pods {
            let place64 = place as u64;
            // A pod is replaced every 72 hours; which hour that is differs from place to place.
            let life = (nth as u64 + mixed(place64) % 72) / 72;
            let of = &self.payers[place % self.payers.len()];
            let node = place / PODS_A_NODE;
            let noise =
                |salt: u64| mixed(place64 * 1_000 + nth as u64 + salt * 77_777_777) as f64 / u64::MAX as f64;
            let (cores, bytes) = (
                0.25 * f64::from(1 + (place % 4) as u32),
                256.0 * f64::from(1 << 20) * (1 + place % 8) as f64,
            );
            let used = UsageHours {
                cpu_core_hours: cores * (busy + 0.6 * noise(1)),
                memory_byte_hours: bytes * (0.5 + 0.4 * noise(2)),
            };
            let above =
                UsageHours { cpu_core_hours: (used.cpu_core_hours - cores).max(0.0), memory_byte_hours: 0.0 };
            #[expect(clippy::cast_possible_truncation, reason = "some cents")]
            let cost = ByResource {
                cpu: PicoUsd(((cores + above.cpu_core_hours) * 30e9) as i128),
                memory: PicoUsd((bytes * 4.0) as i128),
                gpu: PicoUsd(0),
            };
            spent[node] += cost;
            hour.allocations.push(AllocationRow {
                holder: Arc::new(Holder {
                    node: Arc::clone(&self.nodes[node]),
                    pod: Arc::new(PodName {
                        uid: uid(2 + life, place64).into(),
                        namespace: Arc::clone(&of.namespace),
                        name: format!(
                            "{}-{:09x}-{:05x}",
                            of.workload.as_ref().map_or("bare", |workload| &workload.name),
                            mixed((place % self.payers.len()) as u64) >> 28,
                            mixed(place64 * 131 + life) >> 44
                        )
                        .into(),
                    }),
                    attribution: Arc::clone(of),
                }),
                window,
                cost: cost.into(),
                requested: ResourceHours { cpu_core_hours: cores, memory_byte_hours: bytes, gpu_hours: 0.0 },
                used,
                above,
                marks: Marks::default(),
            });
        }
        for (node, spent) in self.nodes.iter().zip(spent) {
            let whole = ByResource {
                cpu: PicoUsd(540_000_000_000),
                memory: PicoUsd(266_400_000_000),
                gpu: PicoUsd(0),
            };
            hour.assets.push(AssetRow {
                node: Arc::clone(node),
                price: Some(Arc::clone(&self.price)),
                window,
                cost: whole,
                idle: whole - spent,
                capacity: ResourceHours {
                    cpu_core_hours: 16.0,
                    memory_byte_hours: 64.0 * f64::from(1 << 30),
                    gpu_hours: 0.0,
                },
                charged: ResourceHours {
                    cpu_core_hours: spent.cpu.usd(),
                    memory_byte_hours: spent.memory.usd(),
                    gpu_hours: 0.0,
                },
                marks: Marks::default(),
            });
        }
        hour
    }
}

fn payer(nth: usize) -> Attribution {
    let namespace: Arc<str> = format!("team-{}-space-{}", nth % 20, nth % 200).into();
    Attribution {
        space: Arc::clone(&namespace),
        vcluster: None,
        virtual_namespace: None,
        workload: Some(WorkloadKey {
            namespace: Arc::clone(&namespace),
            kind: WorkloadKind::Deployment,
            name: format!("service-{nth}").into(),
        }),
        team: format!("team-{}", nth % 20).into(),
        team_rule: "label team of the namespace".into(),
        owner: format!("person-{}@example.com", nth % 200).into(),
        owner_kind: OwnerKind::User,
        owner_rule: "annotation owner of the namespace".into(),
        labels: Arc::new(
            [("app".into(), format!("service-{nth}").into()), ("tier".into(), "backend".into())].into(),
        ),
        namespace,
    }
}

/// As random as Kubernetes' own, and as hard to compress.
fn uid(kind: u64, nth: u64) -> String {
    let (a, b) = (mixed(nth * 64 + kind), mixed(nth * 64 + kind + (1 << 40)));
    format!(
        "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
        a >> 32,
        (a >> 16) & 0xffff,
        a & 0xfff,
        b >> 48,
        b & 0xffff_ffff_ffff
    )
}

/// `SplitMix64` of a number.
fn mixed(of: u64) -> u64 {
    let mut z = of.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
