//! The one law: an answer out of the archive is the answer over the hours that were put in, to the pico-dollar.

use std::collections::BTreeMap;
use std::sync::Arc;

use nightcap_core::money::query::{self, Dimension};
use nightcap_core::money::savings_query::{SavedBy, savings};
use nightcap_core::money::{FlatRow, Hour};
use nightcap_core::units::{Instant, Millis, Window};
use nightcap_history::{Field, Needs, Retention};
use proptest::prelude::*;

use crate::support::{archive_of, day, hour_at, read, some_hours, sorted, verbatim};

/// Days of random hours.
const DAYS: i64 = 2;

fn dimensions() -> impl Strategy<Value = Vec<Dimension>> {
    let all: Vec<Dimension> = Dimension::NAMES.iter().map(|(_, dimension)| dimension.clone()).collect();
    proptest::sample::subsequence(all, 0..4)
}

fn windows() -> impl Strategy<Value = (Window, Vec<Window>)> {
    let whole_hours = (0..DAYS * 24, 1..DAYS * 24).prop_map(|(start, length)| (start * 60, length * 60));
    let days = (0..DAYS, 1..=DAYS).prop_map(|(start, length)| (start * 1440, length * 1440));
    let minutes = (-100..DAYS * 1440, 1..DAYS * 1440);
    let steps = prop_oneof![Just(0), Just(30), Just(60), Just(90), Just(360), Just(1440), Just(2000)];
    (prop_oneof![whole_hours, days, minutes], steps).prop_map(|((start, length), step)| {
        let start = hour_at(0) + Millis::from_minutes(start);
        let window = Window::new(start, start + Millis::from_minutes(length));
        (window, if step == 0 { vec![window] } else { window.steps(Millis::from_minutes(step)).collect() })
    })
}

/// What flat rows add up to in a window, by kind, payer and whether a pod is named.
fn flat_sums(hours: &[Arc<Hour>], window: Window, needs: &Needs) -> BTreeMap<String, i128> {
    let mut sums = BTreeMap::new();
    for row in hours.iter().flat_map(|hour| &hour.flat) {
        let cost = cut(row, window);
        if cost != 0 {
            let of = &row.attribution;
            let team = if needs.has(Field::Team) { &*of.team } else { "" };
            let app = of.labels.get("app").map_or("", |app| &**app);
            let line = if of.namespace.starts_with("__") { &*of.namespace } else { "" };
            let key = format!(
                "{:?} {team} {app} {line} {} {:?} {:?}",
                row.asset.kind,
                row.pod.is_some(),
                row.marks,
                row.price.as_ref().map(|price| price.confidence)
            );
            *sums.entry(key).or_default() += cost;
        }
    }
    sums
}

fn cut(row: &FlatRow, window: Window) -> i128 {
    if row.window.is_empty() {
        let inside = window.start <= row.window.start && row.window.start < window.end;
        return if inside { row.cost.0 } else { 0 };
    }
    let part = row.window.intersect(window);
    if part.is_empty() {
        return 0;
    }
    let up_to = |at: Instant| {
        row.cost.0 * i128::from(at.since(row.window.start).0) / i128::from(row.window.length().0)
    };
    up_to(part.end) - up_to(part.start)
}

fn compare(stored: &[Arc<Hour>], kept: &[Arc<Hour>], window: Window, by: &[Dimension], needs: &Needs) {
    let (stored_table, kept_table) =
        (query::table(stored, "test", window, by), query::table(kept, "test", window, by));
    let groups = |table: &query::Table| -> BTreeMap<_, _> {
        let of = |group: &query::Group| {
            let hours = (group.requested, group.used, group.charged);
            // Cut rows have shares that are no dyadic numbers: their sums depend on the order.
            let hours = (!group.prorated).then_some(hours);
            (group.window, group.costs, group.prorated, group.late, hours.map(|hours| format!("{hours:?}")))
        };
        table.groups.iter().map(|(key, group)| (key.clone(), of(group))).collect()
    };
    assert_eq!(groups(&stored_table), groups(&kept_table), "{window:?} by {by:?}");
    let rest = |table: &query::Table| {
        let confidences: BTreeMap<_, _> =
            table.by_confidence.iter().filter(|(_, cost)| cost.0 != 0).map(|(&c, &cost)| (c, cost)).collect();
        // What their rows have in common is told only as far as it was asked for.
        let lines: Vec<_> = table
            .lines
            .iter()
            .map(|line| (Arc::clone(&line.name), line.node.clone(), line.group.window, line.group.costs))
            .collect();
        (lines, table.total, confidences, table.saved, table.prorated, table.open)
    };
    assert_eq!(rest(&stored_table), rest(&kept_table), "{window:?} by {by:?}");
    assert_eq!(flat_sums(stored, window, needs), flat_sums(kept, window, needs), "{window:?} by {by:?}");
    let saved = |hours: &[Arc<Hour>]| {
        let table = savings(hours, "test", window, &[SavedBy::Team, SavedBy::Workload, SavedBy::Policy]);
        let groups: Vec<_> = table.groups.iter().map(|(key, group)| (key.clone(), group.saved)).collect();
        let asleep: f64 = table.groups.values().map(|group| group.asleep_hours).sum();
        (groups, table.saved, (asleep * 1e6).round())
    };
    assert_eq!(saved(stored), saved(kept));
}

fn arcs(hours: &[Hour]) -> Vec<Arc<Hour>> {
    hours.iter().cloned().map(Arc::new).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn answers_are_the_same_as_over_the_hours_themselves(
        seed in any::<u64>(),
        compacted_after in 0..DAYS + 2,
        again in proptest::collection::vec(0..DAYS * 24, 0..3),
        questions in proptest::collection::vec((windows(), dimensions()), 4),
    ) {
        let mut hours = some_hours(seed, 0, DAYS * 24);
        let (_folder, archive) = archive_of(&hours);
        archive.keep_up(hour_at(compacted_after * 24), &Retention::default()).unwrap();
        // Hours that are written again, some of them into a day that is compacted already.
        for nth in again {
            let later = some_hours(seed + 1, nth, 1).remove(0);
            archive.write_hour(&later).unwrap();
            hours[usize::try_from(nth).unwrap()] = later;
        }
        let kept = arcs(&hours);
        for ((window, steps), by) in questions {
            let needs = Needs::by(&by).with(Field::Namespace).with(Field::Team).with_label("app").in_steps(steps.clone());
            let stored = read(&archive, window, &needs);
            for step in steps {
                compare(&stored, &kept, step, &by, &needs);
            }
            if by.contains(&Dimension::Node) {
                let needs = Needs::nothing().with(Field::Node).with(Field::Price).in_steps(vec![window]);
                let stored = read(&archive, window, &needs);
                let [stored, kept] = [&stored, &kept].map(|hours| {
                    let assets = query::assets(hours, window);
                    assets.nodes.into_iter().map(|a| (a.node, a.window, a.cost, a.idle)).collect::<Vec<_>>()
                });
                prop_assert_eq!(stored, kept);
            }
        }
    }
}

#[test]
fn hours_come_back_as_they_were_written() {
    let hours = some_hours(7, 0, 30);
    let (_folder, archive) = archive_of(&hours);
    let window = Window::new(hour_at(0), hour_at(30));
    let expected: Vec<_> = hours.into_iter().map(sorted).collect();
    assert_eq!(verbatim(&archive, window), expected);
    archive.keep_up(hour_at(60), &Retention::default()).unwrap();
    assert_eq!(verbatim(&archive, window), expected);
    assert_eq!(verbatim(&archive, Window::new(hour_at(24), hour_at(30))), expected[24..]);
}

#[test]
fn an_hour_without_rows_is_an_hour_all_the_same() {
    let (_folder, archive) = archive_of(&[Hour::new(hour_at(3)), Hour::new(hour_at(4))]);
    assert_eq!(archive.kept(day(0)).unwrap(), [hour_at(3), hour_at(4)].into());
    assert_eq!(read(&archive, day(0), &Needs::everything()), Vec::<Arc<Hour>>::new());
}

#[test]
fn a_day_of_a_coarse_question_is_few_rows() {
    let hours = some_hours(11, 0, 24);
    let (_folder, archive) = archive_of(&hours);
    archive.keep_up(hour_at(48), &Retention::default()).unwrap();
    let answer = read(&archive, day(0), &Needs::nothing());
    let rows: usize = answer.iter().map(|hour| hour.allocations.len()).sum();
    // By confidence (four, one of them none) and marks (four).
    assert!(rows <= 16, "{rows} rows");
    assert_eq!(crate::support::totals(answer.iter().map(|hour| &**hour)), crate::support::totals(&hours));
}
