//! A crash at any point between two steps of a write counts nothing twice and loses nothing.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use nightcap_core::money::{AssetKind, FlatAsset, FlatRow, Hour};
use nightcap_core::units::{PicoUsd, Window};
use nightcap_history::{Archive, Retention, Upkeep};

use crate::support::{archive_of, day, files, hour_at, read, some_hours, sorted, totals, verbatim};

/// The order files come in: hours before days; savings, assets, allocations.
fn place(path: &Path) -> (bool, usize) {
    let text = path.to_string_lossy();
    let table = ["savings", "assets", "allocations"].iter().position(|table| text.contains(table));
    (text.contains("-daily"), table.unwrap_or(0))
}

fn put_back(folder: &Path, content: &BTreeMap<PathBuf, Vec<u8>>) {
    for path in files(folder).into_keys() {
        fs::remove_file(path).unwrap();
    }
    for (path, bytes) in content {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

/// All that can be on disk between `before` and `after`: new files come one by one, then old ones go one by one.
fn states(
    before: &BTreeMap<PathBuf, Vec<u8>>,
    after: &BTreeMap<PathBuf, Vec<u8>>,
) -> Vec<BTreeMap<PathBuf, Vec<u8>>> {
    let mut new: Vec<_> = after.keys().filter(|path| !before.contains_key(*path)).collect();
    new.sort_by_key(|path| place(path));
    let mut states = vec![before.clone()];
    let mut now = before.clone();
    for path in new {
        let mut half = now.clone();
        let name = path.file_name().unwrap().to_string_lossy();
        let bytes = &after[path];
        half.insert(path.with_file_name(format!(".writing-{name}")), bytes[..bytes.len() / 2].to_vec());
        states.push(half);
        now.insert(path.clone(), bytes.clone());
        states.push(now.clone());
    }
    let old: Vec<_> = before.keys().filter(|path| !after.contains_key(*path)).cloned().collect();
    for (nth, path) in old.iter().enumerate() {
        now.remove(path);
        // Each of the old files alone, too: they may go in any order.
        let mut others = now.clone();
        others.extend(old[..nth].iter().map(|path| (path.clone(), before[path].clone())));
        states.push(others);
        states.push(now.clone());
    }
    states
}

#[test]
fn compaction_can_stop_anywhere() {
    let hours = some_hours(3, 16, 10);
    let (folder, archive) = archive_of(&hours);
    let root = folder.path().join("history");
    let before = files(&root);
    let done = archive.keep_up(hour_at(26), &Retention::default()).unwrap();
    assert_eq!((done.compacted_days, done.damaged), (1, vec![]));
    let after = files(&root);
    let expected: Vec<_> = hours.iter().cloned().map(sorted).collect();
    let window = Window::new(hour_at(16), hour_at(26));
    let states = states(&before, &after);
    assert!(states.len() > 50, "{} states", states.len());
    for (nth, state) in states.iter().enumerate() {
        put_back(&root, state);
        assert_eq!(verbatim(&archive, window), expected, "state {nth}");
        let all = read(&archive, window, &nightcap_history::Needs::nothing());
        assert_eq!(totals(all.iter().map(|hour| &**hour)), totals(&hours), "state {nth}");
        if nth % 10 == 0 {
            archive.keep_up(hour_at(26), &Retention::default()).unwrap();
            let recovered: Vec<_> = files(&root).into_keys().collect();
            assert_eq!(recovered.len(), after.len(), "state {nth} leaves something behind: {recovered:?}");
            assert_eq!(verbatim(&archive, window), expected, "state {nth}");
        }
    }
}

#[test]
fn writing_an_hour_again_can_stop_anywhere() {
    let hours = some_hours(4, 0, 3);
    let mut later = hours.clone();
    later[1] = some_hours(5, 1, 1).remove(0);
    let (folder, archive) = archive_of(&hours);
    let root = folder.path().join("history");
    let before = files(&root);
    archive.write_hour(&later[1]).unwrap();
    let after = files(&root);
    let [old, new] = [hours, later].map(|hours| hours.into_iter().map(sorted).collect::<Vec<_>>());
    for state in states(&before, &after) {
        put_back(&root, &state);
        let found = verbatim(&archive, day(0));
        assert!(found == old || found == new, "neither the hour as it was nor as it is");
    }
}

#[test]
fn rows_that_come_late_into_a_compacted_day_are_compacted_again() {
    let mut hours = some_hours(6, 0, 24);
    let (folder, archive) = archive_of(&hours);
    let root = folder.path().join("history");
    archive.keep_up(hour_at(30), &Retention::default()).unwrap();
    let once = files(&root).len();
    hours[5] = some_hours(7, 5, 1).remove(0);
    archive.write_hour(&hours[5]).unwrap();
    let expected: Vec<_> = hours.iter().cloned().map(sorted).collect();
    assert_eq!(verbatim(&archive, day(0)), expected);
    let done = archive.keep_up(hour_at(30), &Retention::default()).unwrap();
    assert_eq!(done.compacted_days, 1);
    assert_eq!(files(&root).len(), once);
    assert_eq!(verbatim(&archive, day(0)), expected);
    assert_eq!(archive.keep_up(hour_at(31), &Retention::default()).unwrap(), Upkeep::default());
}

#[test]
fn reading_goes_on_while_it_is_written_and_compacted() {
    let hours = some_hours(8, 12, 24);
    let (folder, archive) = archive_of(&hours);
    let root = folder.path().join("history");
    let window = Window::new(hour_at(12), hour_at(36));
    let expected = totals(&hours);
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for round in 0..4 {
                for hour in hours.iter().skip(round).step_by(9) {
                    archive.write_hour(hour).unwrap();
                }
                archive.keep_up(hour_at(72), &Retention::default()).unwrap();
            }
        });
        let reader = Archive::open_read_only(&root, "test").unwrap();
        let mut reads = 0;
        while !writer.is_finished() || reads < 3 {
            let needs = if reads % 2 == 0 {
                nightcap_history::Needs::nothing()
            } else {
                nightcap_history::Needs::everything()
            };
            let found = read(&reader, window, &needs);
            assert_eq!(totals(found.iter().map(|hour| &**hour)), expected);
            reads += 1;
        }
    });
}

#[test]
fn what_comes_on_top_of_an_hour_is_added_once() {
    let hours = some_hours(9, 0, 24);
    let (folder, archive) = archive_of(&hours);
    let mut more = Hour { partial: true, ..some_hours(10, 7, 1).remove(0) };
    more.assets.truncate(1);
    let mut expected = hours.clone();
    expected[7].allocations.extend(more.allocations.clone());
    expected[7].assets.extend(more.assets.clone());
    expected[7].flat.extend(more.flat.clone());
    expected[7].saved.extend(more.saved.clone());
    let expected: Vec<_> = expected.into_iter().map(sorted).collect();
    archive.write_hour(&more).unwrap();
    assert_eq!(verbatim(&archive, day(0)), expected);
    archive.keep_up(hour_at(30), &Retention::default()).unwrap();
    archive.write_hour(&more).unwrap();
    assert_eq!(verbatim(&archive, day(0)), expected, "written once more, it is added no more");
    // Nothing takes the place of an hour that cannot be read.
    archive.keep_up(hour_at(30), &Retention::default()).unwrap();
    let daily = |path: &&PathBuf| place(path).0;
    for path in files(&folder.path().join("history")).keys().filter(|path| !daily(path)) {
        if path.extension().is_some_and(|extension| extension == "parquet") {
            fs::write(path, b"half").unwrap();
        }
    }
    let before = files(&folder.path().join("history"));
    let error = archive.write_hour(&more).unwrap_err();
    assert!(error.to_string().contains("do not agree with the checksum"), "{error}");
    assert_eq!(files(&folder.path().join("history")), before);
}

#[test]
fn traffic_that_was_handed_over_before_a_crash_is_not_counted_twice() {
    let hours = some_hours(9, 0, 24);
    let traffic = |bytes: u32| {
        let mut row = hours[7].flat[0].clone();
        let asset = FlatAsset { kind: AssetKind::Network, uid: "internet".into(), ..(*row.asset).clone() };
        row.asset = Arc::new(asset);
        row.marks.late = false;
        row.amount = f64::from(bytes);
        row.cost = PicoUsd(i128::from(bytes) * 1_000);
        row
    };
    let more = |row: FlatRow| Hour { partial: true, flat: vec![row], ..Hour::new(hours[7].start) };
    let (_folder, archive) = archive_of(&hours);
    let with = |row: FlatRow| {
        let mut expected = hours.clone();
        expected[7].flat.push(row);
        expected.into_iter().map(sorted).collect::<Vec<_>>()
    };
    archive.write_hour(&more(traffic(12))).unwrap();
    assert_eq!(verbatim(&archive, day(0)), with(traffic(12)));
    // The checkpoint is from before some of it came, and then some more came.
    archive.write_hour(&more(traffic(10))).unwrap();
    assert_eq!(verbatim(&archive, day(0)), with(traffic(12)));
    archive.write_hour(&more(traffic(15))).unwrap();
    assert_eq!(verbatim(&archive, day(0)), with(traffic(15)));
}
