//! Retention, and what is left of a day whose hours are gone.

use nightcap_core::units::{Millis, Window};
use nightcap_history::{HistoryError, Needs, Retention};

use crate::support::{archive_of, day, files, hour_at, read, some_hours, totals};

const SHORT: Retention = Retention { hourly: Millis::from_hours(48), daily: Millis::from_hours(120) };

#[test]
fn hours_go_first_then_days() {
    let hours = some_hours(41, 0, 48);
    let (folder, archive) = archive_of(&hours);
    let root = folder.path().join("history");
    let whole = Window::new(hour_at(0), hour_at(48));
    let steps = Needs::nothing().in_steps(vec![day(0), day(1)]);
    let sums = |first: usize| totals(&hours[first..]);
    for (now, kept, first) in [(50, 48, 0), (72, 24, 0), (96, 0, 0), (144, 0, 24), (168, 0, 48)] {
        archive.keep_up(hour_at(now), &SHORT).unwrap();
        assert_eq!(archive.kept(whole).unwrap().len(), kept, "at {now}");
        let found = read(&archive, whole, &steps);
        assert_eq!(totals(found.iter().map(|hour| &**hour)), sums(first), "at {now}");
    }
    let left: Vec<_> = files(&root).into_keys().map(|path| path.file_name().unwrap().to_owned()).collect();
    assert_eq!(left, [".lock-test", "nightcap-history.json"]);
}

#[test]
fn a_day_whose_hours_are_gone_is_cut_by_time_and_says_so() {
    let hours = some_hours(42, 0, 24);
    let (_folder, archive) = archive_of(&hours);
    archive.keep_up(hour_at(24 + 48), &SHORT).unwrap();
    let parts = [(0, 5), (5, 6), (6, 23), (23, 24)].map(|(from, to)| Window::new(hour_at(from), hour_at(to)));
    let mut sums = [0; 4];
    for part in parts {
        let mut stream = archive.hours(part, &Needs::by(&[])).unwrap();
        let found: Vec<_> = stream.by_ref().map(Result::unwrap).collect();
        assert!(stream.is_coarse());
        for (sum, part) in sums.iter_mut().zip(totals(&found)) {
            *sum += part;
        }
    }
    assert_eq!(sums, totals(&hours), "parts that cover the day add up to it");
    let mut whole = archive.hours(day(0), &Needs::everything()).unwrap();
    assert_eq!(totals(&whole.by_ref().map(Result::unwrap).collect::<Vec<_>>()), totals(&hours));
    assert!(!whole.is_coarse());
    assert!(matches!(archive.write_hour(&hours[3]), Err(HistoryError::Retired(at)) if at == hour_at(3)));
}

#[test]
fn the_day_at_hand_is_left_alone() {
    let hours = some_hours(43, 0, 25);
    let (folder, archive) = archive_of(&hours);
    let before = files(&folder.path().join("history"));
    assert_eq!(archive.keep_up(hour_at(25), &Retention::default()).unwrap(), Default::default());
    assert_eq!(files(&folder.path().join("history")), before);
    assert_eq!(
        archive.size_bytes().unwrap(),
        before.values().map(|bytes| bytes.len() as u64).sum::<u64>() - 12
    );
}
