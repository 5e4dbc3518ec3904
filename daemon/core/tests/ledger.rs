//! The ledger's promises, each worked by hand: exact seconds, any order, late facts, conservation.

mod support;

use std::sync::Arc;

use nightcap_core::money::query::{self, Dimension};
use nightcap_core::money::{Ledger, NodePrice, PodName, PodRates, Split};
use nightcap_core::units::{Instant, Millis, Rate, Resources, Window};
use proptest::prelude::*;
use support::{T0, assert_conserved, at, cost_of, ledger, node, payer, pod, price, res};

/// A quarter of a resource that costs $0.18 an hour, in pico-dollars per second: 0.18 / 4 / 3600, a whole number.
const QUARTER: i128 = 12_500_000;

fn pico(quarter_seconds: i128) -> i128 {
    quarter_seconds * QUARTER
}

#[test]
fn pod_of_seven_seconds_pays_for_seven_seconds() {
    let mut ledger = ledger();
    ledger.hold(&"n".into(), pod("job"), payer("shop"), res(1_000, 4_096), at(10));
    ledger.release(&"n".into(), "uid-job", at(17));
    let view = ledger.view(at(600));
    assert_eq!(cost_of(&view.hours, Some("job")), [pico(7), pico(7), 0]);
    assert_conserved(&view.hours);
    let total: i128 = view.hours.iter().flat_map(|h| &h.assets).map(|a| a.cost.total().0).sum();
    assert_eq!(total, 360_000_000_000 / 6, "the node's price × ten minutes");
}

#[test]
fn usage_above_the_request_is_charged_and_below_is_not() {
    let mut ledger = ledger();
    let (n, web) = ("n".into(), pod("web"));
    ledger.hold(&n, Arc::clone(&web), payer("shop"), res(1_000, 4_096), at(0));
    for minute in 1..=10 {
        // Twice the CPU requested, half the memory.
        ledger.usage(&n, &web, at(minute * 60), Millis::MINUTE, res(2_000, 2_048));
    }
    let view = ledger.view(at(600));
    assert_eq!(cost_of(&view.hours, Some("web")), [pico(2 * 600), pico(600), 0]);
    let row = &view.hours[0].allocations[0];
    let near = |a: f64, b: f64| (a - b).abs() < 1e-9;
    assert!(
        near(row.used.cpu_core_hours, 2.0 / 6.0) && near(row.requested.cpu_core_hours, 1.0 / 6.0),
        "{row:?}"
    );
    assert!(near(row.charged().cpu_core_hours, 2.0 / 6.0), "{row:?}");
    assert_conserved(&view.hours);
}

#[test]
fn sample_is_held_forward_for_two_scrapes_then_requests_count() {
    let mut ledger = ledger();
    let (n, web) = ("n".into(), pod("web"));
    ledger.hold(&n, Arc::clone(&web), payer("shop"), res(1_000, 0), at(0));
    ledger.usage(&n, &web, at(60), Millis::MINUTE, res(3_000, 0));
    // 0–60 measured, 60–180 held forward, 180–600 by the request.
    let view = ledger.view(at(600));
    assert_eq!(cost_of(&view.hours, Some("web"))[0], pico(3 * 180 + 420));
}

#[test]
fn newer_sample_replaces_what_was_held_forward() {
    let mut ledger = ledger();
    let (n, web) = ("n".into(), pod("web"));
    ledger.hold(&n, Arc::clone(&web), payer("shop"), res(0, 0), at(0));
    ledger.usage(&n, &web, at(60), Millis::MINUTE, res(1_000, 0));
    // Its stated window of 15 s would leave 60–105 to the older one; it speaks for all since the sample before.
    ledger.usage(&n, &web, at(120), Millis::from_secs(15), res(2_000, 0));
    let view = ledger.view(at(120));
    assert_eq!(cost_of(&view.hours, Some("web"))[0], pico(60 + 2 * 60));
}

#[test]
fn over_committed_node_scales_everybody_down_and_keeps_the_raw_sum() {
    let mut ledger = ledger();
    let (n, a, b) = ("n".into(), pod("a"), pod("b"));
    ledger.hold(&n, Arc::clone(&a), payer("shop"), res(1_000, 0), at(0));
    ledger.hold(&n, Arc::clone(&b), payer("shop"), res(1_000, 0), at(0));
    ledger.usage(&n, &a, at(60), Millis::MINUTE, res(6_000, 0));
    ledger.usage(&n, &b, at(60), Millis::MINUTE, res(2_000, 0));
    let view = ledger.view(at(60));
    // 6 + 2 cores charged on 4: three quarters and one quarter of the whole CPU price.
    assert_eq!(cost_of(&view.hours, Some("a"))[0], pico(4 * 60) * 3 / 4);
    assert_eq!(cost_of(&view.hours, Some("b"))[0], pico(4 * 60) / 4);
    assert_eq!(cost_of(&view.hours, None)[0], 0, "no CPU is idle");
    let asset = &view.hours[0].assets[0];
    assert!((asset.charged.cpu_core_hours - 8.0 / 60.0).abs() < 1e-12, "{asset:?}");
    assert_conserved(&view.hours);
}

#[test]
fn pod_seen_before_its_node_is_charged_from_its_begin() {
    let mut ledger = Ledger::new(T0, Split::default(), Millis::MINUTE, 1_000);
    ledger.hold(&"n".into(), pod("early"), payer("shop"), res(4_000, 16_384), at(30));
    ledger.release(&"n".into(), "uid-early", at(90));
    ledger.node(&node("n", T0), at(5));
    ledger.node_priced("uid-n", Arc::new(price(0.36)), at(5));
    let view = ledger.view(at(120));
    assert_eq!(cost_of(&view.hours, Some("early")).iter().sum::<i128>(), 360_000_000_000 / 60);
    assert_conserved(&view.hours);
}

#[test]
fn change_of_owner_is_charged_to_each_for_its_seconds() {
    let mut ledger = ledger();
    let (n, web) = ("n".into(), pod("web"));
    ledger.hold(&n, Arc::clone(&web), payer("shop"), res(1_000, 4_096), at(0));
    ledger.change(&n, "uid-web", &payer("search"), res(1_000, 4_096), at(100));
    let view = ledger.view(at(300));
    let table = query::table(&view.hours, "c", Window::new(T0, at(300)), &[Dimension::Team]);
    let teams: Vec<_> = table.groups.iter().map(|(k, g)| (k[0].to_string(), g.costs.node.cpu.0)).collect();
    assert_eq!(teams, [("search".to_owned(), pico(200)), ("shop".to_owned(), pico(100))]);
}

#[test]
fn node_costs_its_price_times_its_time_to_the_pico_dollar() {
    let mut ledger = Ledger::new(T0, Split::default(), Millis::MINUTE, 1_000);
    ledger.node(&node("n", T0), T0);
    let odd = price(0.123_456_789_012);
    ledger.node_priced("uid-n", Arc::new(odd.clone()), T0);
    ledger.hold(&"n".into(), pod("a"), payer("shop"), res(1_111, 3_333), at(7));
    for ms in [1, 999, 123_457, 3_600_000] {
        let view = ledger.view(T0 + Millis(ms));
        let total: i128 = view.hours.iter().flat_map(|h| &h.assets).map(|a| a.cost.total().0).sum();
        assert_eq!(total, i128::from(odd.hourly.0) * i128::from(ms) / 3_600_000, "{ms} ms");
        assert_conserved(&view.hours);
    }
}

#[test]
fn price_change_counts_from_its_instant() {
    let mut ledger = ledger();
    ledger.node_priced("uid-n", Arc::new(price(0.72)), at(100));
    let view = ledger.view(at(200));
    let total: i128 = view.hours[0].assets[0].cost.total().0;
    assert_eq!(total, 360_000_000_000 * 100 / 3_600 + 720_000_000_000 * 100 / 3_600);
}

#[test]
fn node_that_is_gone_costs_nothing_more_and_its_pods_neither() {
    let mut ledger = ledger();
    ledger.hold(&"n".into(), pod("web"), payer("shop"), res(1_000, 4_096), at(0));
    ledger.node_gone("uid-n", at(60));
    let view = ledger.view(at(7_200));
    assert_eq!(cost_of(&view.hours, Some("web")), [pico(60), pico(60), 0]);
    let total: i128 = view.hours.iter().flat_map(|h| &h.assets).map(|a| a.cost.total().0).sum();
    assert_eq!(total, 360_000_000_000 / 60);
}

#[test]
fn start_that_comes_after_its_time_was_settled_corrects_the_open_hour() {
    let mut ledger = ledger();
    ledger.settle(at(1_800)); // settled up to 1,500
    ledger.hold(&"n".into(), pod("late"), payer("shop"), res(1_000, 4_096), at(600));
    ledger.release(&"n".into(), "uid-late", at(900));
    let view = ledger.view(at(1_800));
    assert_eq!(cost_of(&view.hours, Some("late")), [pico(300), pico(300), 0]);
    assert!(view.hours[0].allocations[0].marks.late);
    assert_conserved(&view.hours);
}

#[test]
fn start_that_comes_after_its_hour_was_closed_is_a_row_of_that_hour() {
    let mut ledger = ledger();
    ledger.settle(at(9_000));
    ledger.hold(&"n".into(), pod("late"), payer("shop"), res(1_000, 4_096), at(600));
    ledger.release(&"n".into(), "uid-late", at(900));
    let view = ledger.view(at(9_000));
    assert_eq!(cost_of(&view.hours, Some("late")), [pico(300), pico(300), 0]);
    assert_eq!(
        ledger.late_facts(),
        2,
        "a start too early charged to the settled instant, then an end before it"
    );
    let in_first: i128 =
        view.hours[0].allocations.iter().filter(|r| r.marks.late).map(|r| r.cost.get().cpu.0).sum();
    assert_eq!((view.hours[0].start, in_first), (T0, pico(300)));
    assert_conserved(&view.hours);
}

#[test]
fn correction_never_takes_more_than_idle_has() {
    let mut ledger = ledger();
    ledger.hold(&"n".into(), pod("big"), payer("shop"), res(4_000, 16_384), at(0));
    ledger.settle(at(9_000));
    ledger.hold(&"n".into(), pod("late"), payer("shop"), res(1_000, 4_096), at(600));
    let view = ledger.view(at(9_000));
    assert_conserved(&view.hours);
    let late: i128 =
        view.hours[0].allocations.iter().filter(|r| r.marks.late).map(|r| r.cost.total().0).sum();
    assert_eq!(late, 0);
}

#[test]
fn ledger_keeps_the_newest_hours_within_its_bound() {
    let mut ledger = Ledger::new(T0, Split::default(), Millis::MINUTE, 5);
    ledger.node(&node("n", T0), T0);
    for hour in 1..=10 {
        ledger.settle(at(hour * 3_600 + 300));
    }
    let view = ledger.view(at(36_300));
    let starts: Vec<Instant> = view.hours.iter().map(|hour| hour.start).collect();
    let expected: Vec<Instant> = (5..=10).map(|hour| at(hour * 3_600)).collect();
    assert_eq!(starts, expected, "five closed hours of one row each, and the open one");
}

/// The pods of one ledger: it tells them by their address.
type Pods = Vec<Arc<PodName>>;

fn pods() -> Pods {
    (0..8).map(|nth| pod(&format!("p{nth}"))).collect()
}

/// A fact about a pod, as it may reach the ledger at any time.
#[derive(Clone, Debug)]
enum Fact {
    Hold(usize, i64, Resources),
    Release(usize, i64),
    Usage(usize, i64, Resources),
}

fn amounts() -> impl Strategy<Value = Resources> {
    (0u64..5_000, 0u64..20_000).prop_map(|(cpu, mib)| res(cpu, mib))
}

/// Pods with begin, end and samples, all within two hours.
fn facts() -> impl Strategy<Value = Vec<Fact>> {
    let one = (0i64..7_000, 0i64..3_000, amounts(), prop::collection::vec((0i64..7_200, amounts()), 0..6));
    prop::collection::vec(one, 1..8).prop_map(|pods| {
        let mut facts = Vec::new();
        for (index, (from, length, requests, samples)) in pods.into_iter().enumerate() {
            facts.push(Fact::Hold(index, from, requests));
            facts.push(Fact::Release(index, (from + length).min(7_200)));
            // Samples of a run differ: two of one instant would contradict each other.
            for (nth, (second, usage)) in samples.into_iter().enumerate() {
                let second = second - second % 16 + i64::try_from(nth).unwrap_or_default();
                if second > from && second < from + length {
                    facts.push(Fact::Usage(index, second, usage));
                }
            }
        }
        facts
    })
}

fn tell(ledger: &mut Ledger, pods: &Pods, fact: &Fact) {
    let n = "n".into();
    match *fact {
        Fact::Hold(index, from, requests) => {
            ledger.hold(&n, Arc::clone(&pods[index]), payer(["a", "b"][index % 2]), requests, at(from));
        }
        Fact::Release(index, to) => ledger.release(&n, &format!("uid-p{index}"), at(to)),
        Fact::Usage(index, second, usage) => {
            ledger.usage(&n, &pods[index], at(second), Millis::from_secs(30), usage);
        }
    }
}

fn tell_all(ledger: &mut Ledger, facts: &[Fact]) {
    let pods = pods();
    for fact in facts {
        tell(ledger, &pods, fact);
    }
}

/// Facts in an order in which each pod's begin comes first, otherwise shuffled.
fn shuffled(facts: &[Fact], keys: &[u32]) -> Vec<Fact> {
    let mut keyed: Vec<_> = facts
        .iter()
        .enumerate()
        .map(|(nth, fact)| (!matches!(fact, Fact::Hold(..)), keys[nth % keys.len()], nth, fact.clone()))
        .collect();
    keyed.sort_by_key(|(rest, key, nth, _)| (*rest, *key, *nth));
    keyed.into_iter().map(|(_, _, _, fact)| fact).collect()
}

proptest! {
    #[test]
    fn parts_equal_the_whole_for_any_facts_and_any_settling(
        facts in facts(),
        settle in prop::collection::vec(0i64..9_000, 0..5),
        end in 1i64..9_000,
    ) {
        let (mut ledger, pods) = (ledger(), pods());
        for (nth, fact) in facts.iter().enumerate() {
            tell(&mut ledger, &pods, fact);
            if let Some(&second) = settle.get(nth) {
                ledger.settle(at(second)); // some facts become late by it
            }
        }
        let view = ledger.view(at(end));
        assert_conserved(&view.hours);
    }

    #[test]
    fn order_of_arrival_changes_nothing(
        facts in facts(),
        keys in prop::collection::vec(any::<u32>(), 1..40),
        end in 1i64..9_000,
    ) {
        let (mut straight, mut mixed) = (ledger(), ledger());
        tell_all(&mut straight, &facts);
        tell_all(&mut mixed, &shuffled(&facts, &keys));
        prop_assert_eq!(straight.view(at(end)).hours, mixed.view(at(end)).hours);
    }

    #[test]
    fn settling_on_the_way_changes_no_money(facts in facts(), settle in prop::collection::vec(0i64..9_000, 0..6)) {
        let (mut once, mut often) = (ledger(), ledger());
        tell_all(&mut once, &facts);
        tell_all(&mut often, &facts);
        let mut settle = settle;
        settle.sort_unstable();
        for &second in &settle {
            often.settle(at(second));
        }
        let money = |ledger: &mut Ledger| -> Vec<_> {
            let hours = ledger.view(at(9_000)).hours;
            (0..8).map(|p| cost_of(&hours, Some(&format!("p{p}")))).chain([cost_of(&hours, None)]).collect()
        };
        prop_assert_eq!(money(&mut once), money(&mut often));
    }

    #[test]
    fn cutting_a_window_changes_no_sum(facts in facts(), cuts in prop::collection::vec(0i64..7_200_000, 0..6)) {
        let mut ledger = ledger();
        tell_all(&mut ledger, &facts);
        let hours = ledger.view(at(7_200)).hours;
        let whole = Window::new(T0, at(7_200));
        let mut edges: Vec<Instant> = cuts.into_iter().map(|ms| T0 + Millis(ms)).collect();
        edges.extend([whole.start, whole.end]);
        edges.sort_unstable();
        for by in [vec![], vec![Dimension::Team], vec![Dimension::Pod, Dimension::Node]] {
            let full = query::table(&hours, "c", whole, &by);
            let groups: i128 = full.groups.values().map(|g| g.costs.total().0).sum();
            prop_assert_eq!(groups + full.idle.total().0, full.total.0);
            prop_assert_eq!(full.total.0, 720_000_000_000i128, "the node's price × two hours");
            let parts: Vec<_> = edges
                .windows(2)
                .map(|e| query::table(&hours, "c", Window::new(e[0], e[1]), &by))
                .collect();
            let sum: i128 = parts.iter().map(|t| t.total.0).sum();
            prop_assert_eq!(sum, full.total.0);
            for (key, group) in &full.groups {
                let sum: i128 = parts.iter().filter_map(|t| t.groups.get(key)).map(|g| g.costs.total().0).sum();
                prop_assert_eq!(sum, group.costs.total().0);
            }
            for part in &parts {
                let assets = query::assets(&hours, part.window).total();
                prop_assert_eq!(assets, part.total, "rows and assets of one window");
            }
        }
    }
}

/// EKS Fargate in us-east-1: 0.04048 a vCPU and 0.004445 a GB an hour. Two pods of a node, the second for half an hour.
#[test]
fn pods_of_a_node_that_is_not_billed_pay_for_what_they_ask_and_nothing_is_idle() {
    let rates = PodRates { core: Rate(40_480_000_000), gib: Rate(4_445_000_000), system_is_free: false };
    let mut ledger = Ledger::new(T0, Split::default(), Millis::MINUTE, 1_000);
    ledger.node(&node("n", T0), T0);
    let price = NodePrice { by_pod: Some(rates), ..price(9.9) };
    ledger.node_priced("uid-n", Arc::new(price), T0);
    let (a, b) = (pod("a"), pod("b"));
    ledger.hold(&"n".into(), Arc::clone(&a), payer("x"), res(250, 512), T0);
    ledger.hold(&"n".into(), b, payer("x"), res(1_000, 2_048), at(1_800));
    // Usage above the request is not billed there.
    ledger.usage(&"n".into(), &a, at(60), Millis::MINUTE, res(4_000, 4_096));
    let view = ledger.view(at(3_600));
    assert_conserved(&view.hours);
    assert_eq!(cost_of(&view.hours, Some("a")), [10_120_000_000, 2_222_500_000, 0]);
    assert_eq!(cost_of(&view.hours, Some("b")), [20_240_000_000, 4_445_000_000, 0]);
    assert_eq!(cost_of(&view.hours, None), [0; 3]);
    assert_eq!(view.pods.iter().map(|pod| pod.hourly).sum::<Rate>(), Rate(12_342_500_000 + 49_370_000_000));
}

/// Autopilot does not bill the pods of its own system.
#[test]
fn system_pods_of_autopilot_are_free() {
    let rates = PodRates { core: Rate(44_500_000_000), gib: Rate(4_900_000_000), system_is_free: true };
    assert_eq!(rates.rates_of(res(1_000, 1_024), "kube-system"), [Rate(0); 3]);
    assert_eq!(rates.rates_of(res(1_000, 1_024), "gke-managed-cim"), [Rate(0); 3]);
    assert_eq!(
        rates.rates_of(res(1_000, 1_024), "shop"),
        [Rate(44_500_000_000), Rate(4_900_000_000), Rate(0)]
    );
}
