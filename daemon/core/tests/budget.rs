//! Budgets in the engine: what hours cost goes into their books once, and their status is written when it has changed.

use std::sync::Arc;

use nightcap_core::advice::budget::{BudgetObject, HourPayers, HourSum, RawBudget, Selector};
use nightcap_core::cluster::{Keys, Namespace, Pod, PodPhase};
use nightcap_core::engine::{
    Action, ActionId, BudgetReport, BudgetView, Engine, Event, FixedCost, Kind, Outcome, Settings, Snapshot,
    Subject,
};
use nightcap_core::money::query::{self, Dimension};
use nightcap_core::units::{Instant, Millis, PicoUsd, Rate, Window};
use proptest::prelude::*;

mod support;
use support::{T0, at, node, price, res};

const MINUTE: i64 = 60;
const HOUR: i64 = 3_600;

fn namespace(name: &str, team: &str) -> Event {
    Event::Namespace(Namespace {
        uid: format!("ns-{name}").into(),
        name: name.into(),
        resource_version: "1".into(),
        created: T0,
        labels: [("team".into(), team.into())].into(),
        annotations: Keys::new(),
        terminating: false,
    })
}

fn pod(namespace: &str, name: &str, cores: u64, from: i64, to: Option<i64>) -> Event {
    Event::Pod(Pod {
        uid: format!("pod-{name}").into(),
        namespace: namespace.into(),
        name: name.into(),
        node: Some("n".into()),
        owner: None,
        requests: res(cores * 1_000, 1_024),
        bound: Some(at(from)),
        ended: to.map(at),
        phase: if to.is_some() { PodPhase::Finished } else { PodPhase::Running },
        ready: true,
        claims: Vec::new(),
        facts: None,
    })
}

fn raw(team: &str, amount: &str) -> RawBudget {
    RawBudget {
        amount: amount.to_owned(),
        period: "week".to_owned(),
        teams: vec![team.to_owned()],
        ..RawBudget::default()
    }
}

fn budget(name: &str, generation: i64, raw: &RawBudget) -> Event {
    let spec = raw.read().map_err(|error| error.to_string().into());
    let uid = format!("uid-{name}").into();
    Event::Budget(Box::new(BudgetObject { uid, name: name.into(), generation, spec }))
}

/// A node at $0.36 an hour, two namespaces of one team and one of another, everything listed.
fn engine() -> Engine {
    let fixed = vec![FixedCost { name: "support".into(), hourly: Rate(10_000_000_000) }];
    let mut engine = Engine::new(Settings { fixed, ..Settings::new(T0) });
    engine.apply(Event::Node(node("n", T0)), T0);
    engine.apply(Event::NodePriced { uid: "uid-n".into(), price: price(0.36) }, T0);
    for (name, team) in [("shop-dev", "shop"), ("shop-test", "shop"), ("lab", "data")] {
        engine.apply(namespace(name, team), T0);
    }
    for kind in Kind::ALL {
        let uids: &[&str] = match kind {
            Kind::Node => &["uid-n"],
            Kind::Namespace => &["ns-shop-dev", "ns-shop-test", "ns-lab"],
            _ => &[],
        };
        engine.apply(Event::Listed { kind, uids: uids.iter().map(|&uid| uid.into()).collect() }, T0);
    }
    engine
}

/// Ticks each minute from one second to another; what was written on budgets, each answered at once.
fn run(engine: &mut Engine, from: i64, to: i64) -> Vec<(i64, Arc<str>, BudgetReport)> {
    let mut written = Vec::new();
    for minute in from / MINUTE..to / MINUTE {
        let now = at(minute * MINUTE);
        for action in engine.tick(now) {
            if let Action::BudgetStatus { id, name, report, .. } = action {
                written.push((minute, name, *report));
                answer(engine, id, Outcome::Done { resource_version: "2".into() }, now);
            }
        }
    }
    written
}

fn answer(engine: &mut Engine, id: ActionId, outcome: Outcome, now: Instant) {
    engine.apply(Event::Ended { id, target: None, outcome }, now);
}

fn only(snapshot: &Snapshot) -> &BudgetView {
    assert_eq!(snapshot.budgets.len(), 1);
    &snapshot.budgets[0]
}

/// What the query says that a team cost.
fn asked(snapshot: &Snapshot, window: Window, team: &str) -> PicoUsd {
    let table = query::table(&snapshot.hours, &snapshot.cluster, window, &[Dimension::Team]);
    table.groups.iter().filter(|(key, _)| *key[0] == *team).map(|(_, group)| group.costs.total()).sum()
}

#[test]
fn what_is_spent_is_what_the_query_says_over_several_namespaces() {
    let mut engine = engine();
    engine.apply(budget("shop", 1, &raw("shop", "5")), T0);
    engine.apply(pod("shop-dev", "a", 1, 0, None), T0);
    engine.apply(pod("shop-test", "b", 1, 1_000, Some(3 * HOUR + 17)), at(3 * HOUR + 20));
    engine.apply(pod("lab", "c", 1, 0, None), T0);
    for minutes in [0, 7, 61, 200, 3_000] {
        run(&mut engine, 0, minutes * MINUTE);
        let now = at(minutes * MINUTE);
        let snapshot = engine.snapshot(now);
        let status = &only(&snapshot).status;
        assert_eq!(status.spent, asked(&snapshot, Window::new(T0, now), "shop"), "{minutes}");
        assert_eq!((status.matched.spaces, status.matched.workloads), (usize::from(minutes > 0) * 2, 0));
    }
}

#[test]
fn a_budget_that_comes_later_knows_the_hours_that_are_kept() {
    let mut engine = engine();
    engine.apply(pod("shop-dev", "a", 2, 0, None), T0);
    run(&mut engine, 0, 5 * HOUR);
    engine.apply(budget("shop", 1, &raw("shop", "5")), at(5 * HOUR));
    run(&mut engine, 5 * HOUR, 6 * HOUR);
    let now = at(6 * HOUR);
    let snapshot = engine.snapshot(now);
    assert_eq!(only(&snapshot).status.spent, asked(&snapshot, Window::new(T0, now), "shop"));
    // What earlier lives counted comes from history; what is known already stays.
    let hours = [-30, -20, 1].map(|hour| HourSum {
        start: T0 + Millis::from_hours(hour),
        whole: PicoUsd(7),
        before: PicoUsd(0),
    });
    let before = only(&snapshot).status.spent;
    engine.apply(Event::BudgetHistory { uid: "uid-shop".into(), hours: hours.to_vec() }, now);
    // The week began on Monday, the day before T0.
    assert_eq!(only(&engine.snapshot(now)).status.spent, before + PicoUsd(7));
}

#[test]
fn a_fact_that_comes_late_changes_its_hour_once() {
    let mut engine = engine();
    engine.apply(budget("shop", 1, &raw("shop", "5")), T0);
    run(&mut engine, 0, 3 * HOUR);
    assert_eq!(only(&engine.snapshot(at(3 * HOUR))).status.spent, PicoUsd(0));
    engine.apply(pod("shop-dev", "late", 4, HOUR, Some(HOUR + 1_800)), at(3 * HOUR));
    run(&mut engine, 3 * HOUR, 4 * HOUR);
    let now = at(4 * HOUR);
    let snapshot = engine.snapshot(now);
    let spent = only(&snapshot).status.spent;
    assert!(spent > PicoUsd(0));
    assert_eq!(spent, asked(&snapshot, Window::new(T0, now), "shop"));
}

#[test]
fn lines_that_no_team_pays_can_have_a_budget_too() {
    let mut engine = engine();
    engine.apply(budget("support", 1, &raw("__shared__", "5")), T0);
    run(&mut engine, 0, 10 * HOUR);
    assert_eq!(only(&engine.snapshot(at(10 * HOUR))).status.spent, PicoUsd(100_000_000_000));
}

#[test]
fn a_status_is_written_when_it_says_something_new_and_not_for_every_cent() {
    let mut engine = engine();
    engine.apply(budget("shop", 1, &raw("shop", "1000")), T0);
    engine.apply(pod("shop-dev", "a", 1, 0, None), T0);
    let written = run(&mut engine, 0, 24 * HOUR);
    assert!(written.len() < 12, "{} writes in a day", written.len());
    // The same object again, as the watch shows it after each write, is nothing new.
    engine.apply(budget("shop", 1, &raw("shop", "1000")), at(24 * HOUR));
    let again = run(&mut engine, 24 * HOUR, 24 * HOUR + 10 * MINUTE);
    assert_eq!(again.len(), 0);
    // A new amount is written soon, with the version that it is about.
    engine.apply(budget("shop", 2, &raw("shop", "1")), at(24 * HOUR + 10 * MINUTE));
    let written = run(&mut engine, 24 * HOUR + 10 * MINUTE, 24 * HOUR + 12 * MINUTE);
    let [(_, name, report)] = written.as_slice() else { panic!("{written:?}") };
    let status = report.status.as_ref().unwrap();
    assert_eq!((&**name, report.generation, report.problem.clone()), ("shop", 2, None));
    assert_eq!(status.reached, [50, 80, 100]);
    assert_eq!(status.forecast.breach.map(|at| at.hour() < T0 + Millis::DAY), Some(true));
}

#[test]
fn a_status_that_was_not_written_is_written_with_the_next_look() {
    let mut engine = engine();
    engine.apply(budget("shop", 1, &raw("shop", "1000")), T0);
    let written = |actions: Vec<Action>| {
        actions.into_iter().find_map(|action| match action {
            Action::BudgetStatus { id, .. } => Some(id),
            _ => None,
        })
    };
    let id = written(engine.tick(at(MINUTE))).unwrap();
    answer(&mut engine, id, Outcome::Refused { reason: "403: no right".into() }, at(MINUTE));
    let problems = engine.snapshot(at(MINUTE)).problems;
    let told: Vec<_> = problems.iter().map(|problem| (&*problem.object, problem.reason)).collect();
    assert_eq!(told, [("budget shop", "write-failed")]);
    assert_eq!(written(engine.tick(at(2 * MINUTE))), None, "not at once");
    let id = written(engine.tick(at(6 * MINUTE))).unwrap();
    answer(&mut engine, id, Outcome::Done { resource_version: "2".into() }, at(6 * MINUTE));
    assert_eq!(engine.snapshot(at(7 * MINUTE)).problems, []);
    assert_eq!(engine.snapshot(at(7 * MINUTE)).in_flight, 0);
}

#[test]
fn what_cannot_be_understood_hurts_only_its_own_budget_and_the_last_good_holds() {
    let mut engine = engine();
    engine.apply(pod("shop-dev", "a", 1, 0, None), T0);
    engine.apply(budget("shop", 1, &raw("shop", "5")), T0);
    engine.apply(budget("other", 1, &raw("data", "7")), T0);
    run(&mut engine, 0, HOUR);
    engine.apply(budget("shop", 2, &raw("shop", "abc")), at(HOUR));
    engine.apply(budget("never", 1, &raw("shop", "-1")), at(HOUR));
    let actions = engine.tick(at(HOUR + MINUTE));
    let reason = "amount: \"abc\" is no positive amount of dollars: write e.g. \"1500\" or \"499.50\"";
    let told: Vec<_> = actions
        .iter()
        .filter_map(|action| match action {
            Action::Announce { subject: Subject::Budget { name, .. }, reason, note, .. } => {
                Some((&**name, *reason, &**note))
            }
            _ => None,
        })
        .collect();
    let of_never = "amount: \"-1\" is no positive amount of dollars: write e.g. \"1500\" or \"499.50\"";
    assert_eq!(told, [("shop", "BadBudget", reason), ("never", "BadBudget", of_never)]);
    let reports: Vec<_> = actions
        .iter()
        .filter_map(|action| match action {
            Action::BudgetStatus { name, report, .. } => {
                Some((&**name, report.generation, report.problem.as_deref(), report.status.is_some()))
            }
            _ => None,
        })
        .collect();
    assert_eq!(reports, [("never", 1, Some(of_never), false), ("shop", 2, Some(reason), true)]);
    let snapshot = engine.snapshot(at(HOUR + MINUTE));
    let views: Vec<_> = snapshot
        .budgets
        .iter()
        .map(|view| (&*view.name, view.spec.amount, view.problem.as_deref()))
        .collect();
    let usd = |dollars: i128| PicoUsd(dollars * 1_000_000_000_000);
    assert_eq!(views, [("other", usd(7), None), ("shop", usd(5), Some(reason))]);
    assert_eq!(snapshot.problems.len(), 2);
    // Mended, or gone: nothing is left of it.
    engine.apply(budget("shop", 3, &raw("shop", "6")), at(HOUR + MINUTE));
    engine.apply(Event::BudgetGone { uid: "uid-never".into() }, at(HOUR + MINUTE));
    let snapshot = engine.snapshot(at(HOUR + MINUTE));
    assert_eq!((snapshot.problems.len(), snapshot.budgets[1].spec.amount), (0, usd(6)));
    // A list that does not show the others ends them.
    engine.apply(Event::Listed { kind: Kind::Budget, uids: vec!["uid-shop".into()] }, at(HOUR + MINUTE));
    assert_eq!(only(&engine.snapshot(at(HOUR + MINUTE))).name, "shop".into());
}

#[test]
fn nothing_waits_for_budgets() {
    assert!(!Kind::ALL.contains(&Kind::Budget));
    let engine = engine();
    assert!(engine.is_synced());
}

proptest! {
    /// In a zone whose midnight lies inside an hour of UTC, the part before it is what the query says.
    #[test]
    fn the_part_before_midnight_is_the_querys(
        pods in prop::collection::vec((0i64..24 * HOUR, 1i64..9 * HOUR, 1u64..4), 1..12),
    ) {
        let mut engine = engine();
        for (nth, (from, length, cores)) in pods.iter().enumerate() {
            engine.apply(pod("shop-dev", &format!("p{nth}"), *cores, *from, Some(from + length)), T0);
        }
        let snapshot = engine.snapshot(at(40 * HOUR));
        let selector = Selector { teams: vec!["shop".into()], ..Selector::default() };
        for hour in &snapshot.hours {
            let sum = HourPayers::of(hour).sum(&selector, chrono_tz::Tz::Asia__Kolkata);
            let whole = Window::new(hour.start, hour.start.next_hour());
            prop_assert_eq!(sum.whole, asked(&snapshot, whole, "shop"));
            // Midnight in Kolkata is at half past six in the evening.
            let is_cut = hour.start.0.rem_euclid(86_400_000) == 18 * 3_600_000;
            let before = Window::new(hour.start, hour.start + Millis::from_minutes(30));
            let expected = if is_cut { asked(&snapshot, before, "shop") } else { PicoUsd(0) };
            prop_assert_eq!(sum.before, expected);
        }
    }
}
