//! The history of a daemon on real files: what fails is told and mended by itself, and a restart forgets nothing.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use nightcap_core::advice::budget::{BudgetObject, BudgetStatus, RawBudget};
use nightcap_core::cluster::{CapacityType, Keys, Namespace, Pod};
use nightcap_core::engine::{Engine, Event, HistoryOperation, Kind, Settings};
use nightcap_core::money::Confidence;
use nightcap_core::money::query::Needs;
use nightcap_core::units::{Instant, Millis, PicoUsd, Window};
use nightcap_history::Retention;
use tempfile::TempDir;

use super::super::recall;
use super::{Keeper, Kept, open_history};
use crate::records::Records;
use crate::test_cluster::{node, pod, price, size, start};

const CLUSTER: &str = "test";

fn at(minutes: i64) -> Instant {
    start() + Millis::from_minutes(minutes)
}

/// A daemon without its tasks: an engine and the keeper of its history, and the cluster they see.
struct Life {
    engine: Engine,
    keeper: Option<Keeper>,
    pods: Vec<Pod>,
    now: i64,
}

impl Life {
    fn begin(folder: &Path, now: i64, pods: Vec<Pod>, retention: Retention) -> Self {
        let settings = Settings { cluster: CLUSTER.into(), ..Settings::new(at(now)) };
        let (keeper, engine, opened) = open_history(Some((folder, CLUSTER, retention)), settings);
        let mut life = Self { engine, keeper, pods, now };
        life.engine.apply(opened.unwrap(), at(now));
        life.list();
        life
    }

    fn list(&mut self) {
        let now = at(self.now);
        self.engine.apply(Event::Node(node("n1", size(64_000, 256, 0), CapacityType::OnDemand)), now);
        self.engine.apply(price("n1", 1_920_000, Confidence::List), now);
        self.engine.apply(
            Event::Namespace(Namespace {
                uid: "uid-shop".into(),
                name: "shop".into(),
                resource_version: "1".into(),
                created: start(),
                labels: [("team".into(), "commerce".into())].into(),
                annotations: Keys::new(),
                terminating: false,
            }),
            now,
        );
        for pod in self.pods.clone() {
            self.engine.apply(Event::Pod(pod), now);
        }
        for kind in Kind::ALL {
            let uids = match kind {
                Kind::Node => vec!["uid-n1".into()],
                Kind::Namespace => vec!["uid-shop".into()],
                Kind::Pod => self.pods.iter().map(|pod| Arc::clone(&pod.uid)).collect(),
                _ => Vec::new(),
            };
            self.engine.apply(Event::Listed { kind, uids }, now);
        }
    }

    /// Lets time pass, with a look at everything each `step` minutes; keeps nothing.
    fn run(&mut self, minutes: i64, step: i64) {
        let until = self.now + minutes;
        while self.now < until {
            self.now = (self.now + step).min(until);
            self.engine.tick(at(self.now));
            self.recall();
        }
    }

    fn keep(&mut self) {
        let kept = Kept::of(&self.engine, at(self.now));
        let (keeper, done) = self.keeper.take().unwrap().keep(kept, at(self.now));
        self.keeper = Some(keeper);
        self.engine.written(&done.written);
        self.engine.corrected(&done.corrected, done.lost);
        for event in done.events {
            self.engine.apply(event, at(self.now));
        }
        self.recall();
    }

    fn recall(&mut self) {
        let asked = self.engine.forgotten();
        if let Some(keeper) = self.keeper.as_ref().filter(|_| !asked.is_empty()) {
            for event in recall::read(&keeper.archive, &asked) {
                self.engine.apply(event, at(self.now));
            }
        }
    }

    /// Dies, and is there again after some minutes.
    fn restart(self, folder: &Path, down: i64) -> Self {
        self.restarted(folder, down, Retention::default())
    }

    fn restarted(self, folder: &Path, down: i64, retention: Retention) -> Self {
        let Self { now, pods, keeper, .. } = self;
        drop(keeper); // and its lock
        Self::begin(folder, now + down, pods, retention)
    }

    fn problems(&mut self) -> Vec<(String, String)> {
        let problems = self.engine.snapshot(at(self.now)).problems;
        problems
            .iter()
            .filter(|problem| &*problem.object == "history")
            .map(|problem| (problem.reason.to_owned(), problem.message.to_string()))
            .collect()
    }

    fn failures(&mut self, of: HistoryOperation) -> u64 {
        self.engine.snapshot(at(self.now)).history.failures.get(&of).copied().unwrap_or_default()
    }

    fn records(&mut self) -> Records {
        let snapshot = Arc::new(self.engine.snapshot(at(self.now)));
        Records::new(snapshot, self.keeper.as_ref().map(Keeper::archive))
    }

    /// What the team and idle cost in a window, and whether some of it came late.
    fn cost(&mut self, window: Window) -> (PicoUsd, PicoUsd, bool) {
        let mut sums = (PicoUsd(0), PicoUsd(0), false);
        let hours = self.records().hours_of(window, &Needs::everything()).unwrap();
        for hour in hours {
            for row in &hour.allocations {
                sums.0 += row.cost.total();
                sums.2 |= row.marks.late;
            }
            sums.1 += hour.assets.iter().map(|row| row.idle.total()).sum();
        }
        sums
    }
}

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn web(name: &str, hours: (i64, Option<i64>)) -> Pod {
    pod(("shop", name, "n1"), None, size(1_000, 4, 0), hours)
}

fn hours(from: i64, to: i64) -> Window {
    Window::new(at(from * 60), at(to * 60))
}

/// Files below a folder whose path holds a text.
fn files(folder: &Path, part: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files(&path, part));
        } else if path.to_string_lossy().contains(part) {
            found.push(path);
        }
    }
    found
}

/// A file system of that many KiB, where this user may mount one.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(at: &Path, kib: u32) -> Option<Self> {
        fs::create_dir_all(at).unwrap();
        let size = format!("size={kib}k");
        let mount =
            Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(at).output().ok()?;
        mount.status.success().then(|| Self(at.to_owned()))
    }

    fn grow(&self, kib: u32) {
        let size = format!("remount,size={kib}k");
        assert!(Command::new("mount").args(["-o", &size]).arg(&self.0).status().unwrap().success());
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).status();
    }
}

#[test]
fn a_full_disk_is_a_problem_until_there_is_room_and_nothing_is_lost() {
    let folder = folder();
    let Some(disk) = SmallDisk::mount(&folder.path().join("disk"), 160) else {
        eprintln!("no disk can be mounted here: the test of what stands in the way of an hour stands for it");
        return;
    };
    let root = disk.0.join("data");
    let mut life = Life::begin(&root, 0, vec![web("a", (0, None))], Retention::default());
    for _ in 0..12 {
        life.run(60, 10);
        life.keep();
    }
    let problems = life.problems();
    let [(reason, message)] = problems.as_slice() else { panic!("{problems:?}") };
    assert_eq!(reason, "history");
    assert!(message.contains(&root.display().to_string()), "{message}");
    assert!(message.contains("free space on the volume"), "{message}");
    let failed = life.failures(HistoryOperation::Write) + life.failures(HistoryOperation::Checkpoint);
    assert!(failed > 0);
    let before = life.cost(hours(0, 11));
    disk.grow(8_192);
    life.run(1, 1);
    life.keep();
    assert_eq!(life.problems(), []);
    assert_eq!(life.failures(HistoryOperation::Write) + life.failures(HistoryOperation::Checkpoint), failed);
    assert_eq!(life.cost(hours(0, 11)), before);
    let mut life = life.restart(&root, 1);
    assert_eq!(life.cost(hours(0, 11)), before, "and all of it is in the files");
    drop(life);
}

#[test]
fn what_stands_in_the_way_of_an_hour_is_named_and_holds_back_the_checkpoint() {
    let folder = folder();
    let mut life = Life::begin(folder.path(), 0, vec![web("a", (0, None))], Retention::default());
    life.run(50, 10);
    life.keep();
    let checkpoints = || files(folder.path(), "checkpoint-").len();
    assert_eq!(checkpoints(), 1);
    // A file has the name of the folder of the table.
    let table = folder.path().join("assets");
    fs::write(&table, "in the way").unwrap();
    life.run(20, 10);
    for tries in 1..=2 {
        life.keep();
        let problems = life.problems();
        let [(reason, message)] = problems.as_slice() else { panic!("{problems:?}") };
        assert_eq!(reason, "history");
        assert!(message.starts_with("closed hours cannot be written; they are kept in memory"), "{message}");
        assert!(message.contains(&table.display().to_string()), "{message}");
        assert_eq!(life.failures(HistoryOperation::Write), tries);
        // It does not hold the hour: after a crash the one from before goes on.
        assert_eq!(checkpoints(), 1);
    }
    let before = life.cost(hours(0, 1));
    fs::remove_file(&table).unwrap();
    life.keep();
    assert_eq!((life.problems(), checkpoints()), (vec![], 2));
    let snapshot = life.engine.snapshot(at(life.now));
    assert_eq!(snapshot.history.done[&HistoryOperation::Write], at(70));
    assert_eq!(snapshot.history.done[&HistoryOperation::Checkpoint], at(70));
    assert_eq!(life.restart(folder.path(), 1).cost(hours(0, 1)), before);
}

#[test]
fn a_checkpoint_that_cannot_be_saved_is_a_problem_and_the_last_one_stands() {
    let folder = folder();
    let mut life = Life::begin(folder.path(), 0, vec![web("a", (0, None))], Retention::default());
    life.run(10, 10);
    life.keep();
    let saved = files(folder.path(), "checkpoint-");
    let [good] = saved.as_slice() else { panic!("{saved:?}") };
    let other = good.with_file_name("checkpoint-a");
    assert_ne!(*good, other);
    fs::create_dir_all(other.join("in the way")).unwrap();
    let bytes = fs::read(good).unwrap();
    life.run(10, 10);
    life.keep();
    let problems = life.problems();
    let [(_, message)] = problems.as_slice() else { panic!("{problems:?}") };
    assert!(message.starts_with("the checkpoint cannot be saved; the last one stands"), "{message}");
    assert!(message.contains(&other.display().to_string()), "{message}");
    assert_eq!((fs::read(good).unwrap(), life.failures(HistoryOperation::Checkpoint)), (bytes, 1));
    fs::remove_dir_all(&other).unwrap();
    life.keep();
    assert_eq!(life.problems(), []);
}

#[test]
fn a_folder_that_cannot_be_used_is_a_problem_and_stays_as_it_is() {
    let folder = folder();
    let mark = folder.path().join("nightcap-history.json");
    for (text, told) in [
        (r#"{"format":99}"#, "was written by a newer Nightcap (format 99"),
        ("half", "does not say which format the history has"),
    ] {
        fs::write(&mark, text).unwrap();
        let mut life = Life::begin(folder.path(), 0, vec![web("a", (0, None))], Retention::default());
        life.run(120, 10);
        assert!(life.keeper.is_none());
        let problems = life.problems();
        let [(reason, message)] = problems.as_slice() else { panic!("{problems:?}") };
        assert_eq!(reason, "history");
        assert!(message.starts_with("the history cannot be opened, and is kept in memory only"), "{message}");
        assert!(
            message.contains(told) && message.contains(&folder.path().display().to_string()),
            "{message}"
        );
        assert_eq!(life.failures(HistoryOperation::Open), 1);
        assert_eq!(fs::read_to_string(&mark).unwrap(), text);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing was made in it");
        assert!(life.cost(hours(0, 2)).0 > PicoUsd(0), "money is counted all the same");
    }
}

#[test]
fn a_corrupt_file_is_a_problem_until_it_is_mended() {
    let folder = folder();
    let mut life = Life::begin(folder.path(), 0, vec![web("a", (0, None))], Retention::default());
    life.run(200, 10);
    life.keep();
    let mut life = life.restart(folder.path(), 1);
    life.run(10, 10);
    let whole = life.cost(hours(0, 3));
    life.keep();
    assert_eq!(life.problems(), []);
    let path = files(folder.path(), "allocations")
        .into_iter()
        .find(|p| p.to_string_lossy().contains("h01."))
        .unwrap();
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    // Whoever reads meets it, and the next minute tells it.
    assert!(life.cost(hours(0, 3)).0 < whole.0);
    for _ in 0..2 {
        life.keep();
        let problems = life.problems();
        let [(reason, message)] = problems.as_slice() else { panic!("{problems:?}") };
        assert_eq!(reason, "history-damaged");
        assert!(message.starts_with(&format!("{} was left out: its ", path.display())), "{message}");
        assert!(message.contains("Put it back from a backup"), "{message}");
        assert_eq!(life.failures(HistoryOperation::Read), 1, "told once, counted once");
    }
    fs::write(&path, &bytes).unwrap();
    life.keep();
    assert_eq!(life.problems(), []);
    assert_eq!(life.cost(hours(0, 3)), whole);
}

#[test]
fn a_fact_that_comes_late_for_an_hour_in_the_files_is_one_with_it_also_after_a_crash() {
    let folder = folder();
    let mut life = Life::begin(folder.path(), 0, vec![web("a", (0, None))], Retention::default());
    life.run(200, 10);
    life.keep();
    let mut life = life.restart(folder.path(), 1);
    life.engine.apply(budget("commerce"), at(life.now));
    life.run(9, 3);
    let before = life.cost(hours(0, 3));
    // Two hours of a pod that nobody knew of.
    life.engine.apply(Event::Pod(web("late", (1, Some(3)))), at(life.now));
    let kept = Kept::of(&life.engine, at(life.now));
    assert_eq!(kept.owed.len(), 2);
    life.keep();
    assert_eq!(life.engine.owed(), []);
    let after = life.cost(hours(0, 3));
    let hour = PicoUsd(before.0.0 / 3);
    assert!((after.0 - before.0 - hour - hour).0.abs() < 10, "{before:?} {after:?}");
    assert_eq!((after.0 + after.1, after.2), (before.0 + before.1, true), "taken from idle, and marked");
    let spent = |life: &mut Life| status(life).spent;
    assert!(spent(&mut life) >= after.0, "budgets know it too");
    // It crashes before the checkpoint that knows of it: the one from before owes it still.
    let (keeper, done) = life.keeper.take().unwrap().keep(kept, at(life.now));
    assert_eq!(done.corrected.len(), 2);
    life.keeper = Some(keeper);
    life.pods.push(web("late", (1, Some(3))));
    let mut life = life.restart(folder.path(), 1);
    life.run(6, 3);
    life.keep();
    assert_eq!(life.engine.owed(), []);
    assert_eq!(life.cost(hours(0, 3)), after);
}

#[test]
fn what_comes_too_late_for_the_files_is_counted() {
    let folder = folder();
    let short = Retention { hourly: Millis::DAY, daily: Millis(30 * Millis::DAY.0) };
    let mut life = Life::begin(folder.path(), 0, vec![web("a", (0, None))], short);
    life.run(27 * 60, 30);
    life.keep();
    let mut life = life.restarted(folder.path(), 1, short);
    life.run(48 * 60, 30);
    life.keep();
    let before = life.cost(hours(0, 24));
    life.engine.apply(Event::Pod(web("late", (1, Some(2)))), at(life.now));
    assert!(!life.engine.owed().is_empty());
    life.keep();
    assert_eq!(life.engine.owed(), []);
    let history = life.engine.snapshot(at(life.now)).history;
    assert!(history.late_lost >= 1, "{history:?}");
    assert_eq!((life.cost(hours(0, 24)), life.problems()), (before, vec![]));
}

fn budget(team: &str) -> Event {
    let raw = RawBudget {
        amount: "500".to_owned(),
        period: "month".to_owned(),
        // Half an hour off: local midnight lies inside an hour.
        time_zone: Some("Asia/Kolkata".to_owned()),
        teams: vec![team.to_owned()],
        ..RawBudget::default()
    };
    let spec = raw.read().map_err(|error| error.to_string().into());
    Event::Budget(Box::new(BudgetObject { uid: "b".into(), name: "b".into(), generation: 1, spec }))
}

fn status(life: &mut Life) -> BudgetStatus {
    let snapshot = life.engine.snapshot(at(life.now));
    assert_eq!(snapshot.budgets.len(), 1);
    snapshot.budgets[0].status.clone()
}

#[test]
fn a_budget_knows_after_a_restart_what_it_knew_before() {
    let folder = folder();
    // By day there is more than by night; on the third day something jumps.
    let mut pods = vec![web("a", (0, None))];
    for day in 0..9 {
        for nth in 0..if day == 2 { 6 } else { 2 } {
            pods.push(web(&format!("day-{day}-{nth}"), (day * 24 + 8, Some(day * 24 + 18))));
        }
    }
    let mut life = Life::begin(folder.path(), 0, Vec::new(), Retention::default());
    life.engine.apply(budget("commerce"), at(0));
    for hour in 0..9 * 24 {
        for pod in &pods {
            let bound = pod.bound.unwrap() == at(hour * 60);
            if bound || pod.ended == Some(at(hour * 60)) {
                let seen = if bound {
                    Pod { ended: None, phase: nightcap_core::cluster::PodPhase::Running, ..pod.clone() }
                } else {
                    pod.clone()
                };
                life.engine.apply(Event::Pod(seen), at(life.now));
            }
        }
        life.run(60, 20);
        if hour % 24 == 23 {
            life.keep();
        }
    }
    life.run(10, 5);
    life.keep();
    let before = status(&mut life);
    assert!(before.forecast.reason.contains("week") || before.pace_percent.is_some(), "{before:?}");
    assert!(before.spent > PicoUsd(0));
    let now = life.now;
    let running: Vec<Pod> = pods.into_iter().filter(|pod| pod.ended.is_none()).collect();
    life.pods = running;
    let mut life = life.restart(folder.path(), 0);
    life.engine.apply(budget("commerce"), at(now));
    // Nothing is read in the engine's own time; before the answer it knows of the last hours at most.
    assert!(status(&mut life).spent < before.spent);
    life.recall();
    // Whom it matches is looked up with the next look at it.
    let matched = before.matched.clone();
    assert_eq!(BudgetStatus { matched, ..status(&mut life) }, before);
    // A budget that comes now, for the first time, knows the same.
    let Event::Budget(mut other) = budget("comm*") else { panic!() };
    other.uid = "other".into();
    life.engine.apply(Event::BudgetGone { uid: "b".into() }, at(now));
    life.engine.apply(Event::Budget(other), at(now));
    life.recall();
    let other = status(&mut life);
    assert_eq!((other.spent, other.forecast), (before.spent, before.forecast));
    let asked = life.cost(Window::new(start(), at(now)));
    assert_eq!(other.spent, asked.0, "all of the month is in it");
}
