//! A clock that is set: back by an hour, forward by a day, back across the edge of an hour. No amount goes below zero,
//! nothing is counted twice, and the hours add up to what the nodes cost.

use std::collections::BTreeMap;
use std::sync::Arc;

use nightcap_core::advice::budget::{BudgetObject, RawBudget};
use nightcap_core::engine::{
    Egress, Engine, Event, FixedCost, Kind, Settings, Snapshot, TrafficSample, UsageSample,
};
use nightcap_core::money::{Confidence, EgressPrices, Hour, PriceSource};
use nightcap_core::units::{Bytes, Cpu, Instant, Millis, PicoUsd, Rate, Resources, Window};
use proptest::prelude::*;

mod support;
use support::{T0, assert_conserved, at, node, price};

const MINUTE: i64 = 60;
const HOUR: i64 = 3_600;
const DAY: i64 = 86_400;

fn pod(name: &str, from: i64, to: Option<i64>) -> Event {
    Event::Pod(support::shop_pod(name, from, to))
}

/// A node at $0.36 an hour and $0.01 for support, a pod of a core and a GiB, and a budget of both.
fn engine() -> Engine {
    let fixed = vec![FixedCost { name: "support".into(), hourly: Rate(10_000_000_000) }];
    let mut engine = Engine::new(Settings { fixed, ..Settings::new(T0) });
    engine.keep_until_written();
    engine.apply(Event::Node(node("n", T0)), T0);
    engine.apply(Event::NodePriced { uid: "uid-n".into(), price: price(0.36) }, T0);
    engine.apply(pod("stays", 0, None), T0);
    let cent = PicoUsd(10_000_000_000);
    let source = PriceSource { id: "test".into(), date: "".into() };
    let egress =
        EgressPrices { zone: cent, region: cent, internet: cent, confidence: Confidence::List, source };
    engine.apply(Event::EgressPriced(egress), T0);
    let raw = RawBudget {
        amount: "100".to_owned(),
        period: "week".to_owned(),
        namespaces: vec!["*".to_owned()],
        ..RawBudget::default()
    };
    let spec = raw.read().map_err(|error| error.to_string().into());
    engine.apply(
        Event::Budget(Box::new(BudgetObject { uid: "b".into(), name: "b".into(), generation: 1, spec })),
        T0,
    );
    for kind in Kind::ALL {
        let uids: &[&str] = match kind {
            Kind::Node => &["uid-n"],
            Kind::Pod => &["pod-stays"],
            _ => &[],
        };
        engine.apply(Event::Listed { kind, uids: uids.iter().map(|&uid| uid.into()).collect() }, T0);
    }
    engine
}

/// What a scrape tells at an instant of the clock: half a core above what is asked for, and a MiB to the internet.
fn scrape(engine: &mut Engine, now: i64) {
    let usage = Resources { cpu: Cpu::from_millis(1_500), ..Resources::default() };
    let (namespace, pod, window) = (Arc::from("shop"), Arc::from("stays"), Millis::MINUTE);
    let sample =
        UsageSample { namespace: Arc::clone(&namespace), pod: Arc::clone(&pod), at: at(now), window, usage };
    engine.apply(Event::Usage(vec![sample]), at(now));
    let egress = Some(Egress { internet: Bytes::from_mib(1), ..Egress::default() });
    let (received, sent) = (Bytes(0), Bytes::from_mib(1));
    let sample = TrafficSample { namespace, pod, at: at(now), window, received, sent, egress };
    engine.apply(Event::Traffic(vec![sample]), at(now));
}

/// All hours that are closed, as they were written last; and no hour is ever written with another node's time in it.
#[derive(Default)]
struct Written(BTreeMap<Instant, Arc<Hour>>);

impl Written {
    fn take(&mut self, engine: &mut Engine) {
        let hours = engine.unwritten();
        assert!(hours.iter().all(|hour| !hour.partial));
        engine.written(&hours);
        self.0.extend(hours.into_iter().map(|hour| (hour.start, hour)));
    }
}

/// Runs the clock from one second to another, a minute at a time.
fn run(engine: &mut Engine, from: i64, to: i64, written: &mut Written) {
    for minute in from / MINUTE..=to / MINUTE {
        let now = minute * MINUTE;
        scrape(engine, now);
        engine.tick(at(now));
        written.take(engine);
        check(&engine.snapshot(at(now)));
    }
}

/// What holds at any time, whatever the clock did.
fn check(picture: &Snapshot) {
    assert_conserved(&picture.hours);
    let mut held: BTreeMap<_, Vec<Window>> = BTreeMap::new();
    for hour in &picture.hours {
        let mut nodes = Vec::new();
        for asset in hour.assets.iter().filter(|asset| !asset.marks.late) {
            assert!(asset.cost.to_array().iter().all(|cost| cost.0 >= 0), "{asset:?}");
            nodes.push((&asset.node.uid, asset.window));
        }
        let count = nodes.len();
        nodes.dedup_by_key(|(uid, _)| Arc::clone(uid));
        assert_eq!(nodes.len(), count, "a node is twice in the hour {}", hour.start);
        for row in hour.allocations.iter().filter(|row| !row.marks.late) {
            assert!(row.cost.total() >= PicoUsd(0), "{row:?}");
            held.entry(Arc::clone(&row.holder.pod.uid)).or_default().push(row.window);
        }
        assert!(hour.flat.iter().all(|row| row.cost >= PicoUsd(0)), "{:?}", hour.flat);
    }
    for (pod, windows) in held {
        for pair in windows.windows(2) {
            assert!(pair[0].end <= pair[1].start, "{pod} is charged twice: {pair:?}");
        }
    }
    let budget = &picture.budgets[0].status;
    assert!(budget.spent >= PicoUsd(0) && budget.forecast.low >= budget.spent, "{budget:?}");
}

/// What the closed hours cost: nodes, fixed sums, traffic.
fn sums(written: &Written) -> (i128, i128, i128) {
    let hours = written.0.values();
    let node: i128 = hours.clone().flat_map(|hour| &hour.assets).map(|row| row.cost.total().0).sum();
    let of = |network: bool| -> i128 {
        let rows = written.0.values().flat_map(|hour| &hour.flat);
        let of_kind = rows.filter(|row| (row.asset.kind.name() == "network") == network);
        of_kind.map(|row| row.cost.0).sum()
    };
    (node, of(false), of(true))
}

#[test]
fn back_by_an_hour() {
    let (mut engine, mut written) = (engine(), Written::default());
    run(&mut engine, 0, 3 * HOUR, &mut written);
    // The hour is lived again: what it costs was counted already, but for what its traffic adds.
    run(&mut engine, 2 * HOUR, 5 * HOUR + 10 * MINUTE, &mut written);
    let hours: Vec<_> = written.0.keys().copied().collect();
    assert_eq!(hours, [0, 1, 2, 3, 4].map(|hour| at(hour * HOUR)));
    let (node, fixed, _) = sums(&written);
    assert_eq!((node, fixed), (5 * 360_000_000_000, 5 * 10_000_000_000));
    // The week began on Monday, the day before T0; nothing else is missing.
    assert_eq!(engine.snapshot(at(5 * HOUR + 10 * MINUTE)).budgets[0].status.missing_hours, 24);
}

#[test]
fn forward_by_a_day_and_back_again() {
    let (mut engine, mut written) = (engine(), Written::default());
    run(&mut engine, 0, 2 * HOUR, &mut written);
    run(&mut engine, 2 * HOUR + DAY, 2 * HOUR + DAY + 30 * MINUTE, &mut written);
    let day = sums(&written);
    assert_eq!(
        (day.0, day.1),
        (26 * 360_000_000_000, 26 * 10_000_000_000),
        "the day counts as it seemed to be"
    );
    // Set right again: the day that was counted ahead is not counted once more when it comes.
    engine.apply(pod("new", 3 * HOUR, Some(3 * HOUR + 600)), at(3 * HOUR + 601));
    run(&mut engine, 2 * HOUR + 30 * MINUTE, 4 * HOUR, &mut written);
    run(&mut engine, 4 * HOUR, DAY + 4 * HOUR + 10 * MINUTE, &mut written);
    let (node, fixed, _) = sums(&written);
    assert_eq!((node, fixed), (28 * 360_000_000_000, 28 * 10_000_000_000));
    let hours: Vec<_> = written.0.values().cloned().collect();
    let new: f64 = hours
        .iter()
        .flat_map(|hour| &hour.allocations)
        .filter(|row| *row.holder.pod.name == *"new")
        .map(|row| row.requested.cpu_core_hours * 3_600.0)
        .sum();
    assert!(
        (new - 600.0).abs() < 1e-6,
        "a pod of the time that was counted ahead pays for its ten minutes, as a correction: {new}"
    );
}

#[test]
fn back_across_the_edge_of_an_hour() {
    let (mut engine, mut written) = (engine(), Written::default());
    // The first hour is closed at 01:05; the clock goes back to 00:57.
    run(&mut engine, 0, HOUR + 6 * MINUTE, &mut written);
    let before = sums(&written);
    engine.apply(pod("new", HOUR - 3 * MINUTE, None), at(HOUR - 3 * MINUTE));
    run(&mut engine, HOUR - 3 * MINUTE, 3 * HOUR + 10 * MINUTE, &mut written);
    assert_eq!(before.0, 360_000_000_000);
    let (node, fixed, _) = sums(&written);
    assert_eq!((node, fixed), (3 * 360_000_000_000, 3 * 10_000_000_000));
    let held: f64 = written
        .0
        .values()
        .flat_map(|hour| &hour.allocations)
        .filter(|row| *row.holder.pod.name == *"new")
        .map(|row| row.requested.cpu_core_hours * 60.0)
        .sum();
    assert!((held - 123.0).abs() < 1e-6, "from 00:57 to 03:00: {held}");
}

proptest! {
    /// Whatever the clock does, an hour costs what its node costs, and is written with all of it.
    #[test]
    fn any_steps(steps in prop::collection::vec((-2 * HOUR..DAY, 1i64..90), 1..5)) {
        let (mut engine, mut written) = (engine(), Written::default());
        let mut clock = 0;
        for (step, minutes) in steps {
            clock = (clock + step).max(0);
            run(&mut engine, clock, clock + minutes * MINUTE, &mut written);
            clock += minutes * MINUTE;
        }
        for hour in written.0.values() {
            let node: i128 = hour.assets.iter().map(|row| row.cost.total().0).sum();
            prop_assert_eq!(node, 360_000_000_000, "{}", hour.start);
            let fixed: i128 =
                hour.flat.iter().filter(|row| row.asset.kind.name() == "fixed").map(|row| row.cost.0).sum();
            prop_assert_eq!(fixed, 10_000_000_000, "{}", hour.start);
        }
        let starts: Vec<_> = written.0.keys().map(|start| start.0).collect();
        prop_assert!(starts.windows(2).all(|pair| pair[1] - pair[0] == Millis::HOUR.0), "{:?}", starts);
    }
}
