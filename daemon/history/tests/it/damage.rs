//! Broken files, strange folders and full disks: said clearly, nothing lost, the rest goes on.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use nightcap_core::units::Window;
use nightcap_history::{Archive, HistoryError, Needs, Retention};

use crate::support::{archive_of, day, files, hour_at, read, some_hours, sorted, totals};

fn file_of(root: &Path, table: &str, prefix: &str) -> PathBuf {
    let table = format!("/{table}/");
    let of = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        path.to_string_lossy().contains(&table) && name.starts_with(prefix)
    };
    files(root).into_keys().find(of).unwrap()
}

/// What the archive tells of a window, and what it complains of.
fn told(archive: &Archive, window: Window) -> (Vec<nightcap_core::money::Hour>, Vec<(PathBuf, String)>) {
    let mut stream = archive.verbatim(window).unwrap();
    let hours = stream.by_ref().map(|hour| sorted(hour.unwrap())).collect();
    let damaged =
        stream.damaged().map(|damaged| (damaged.path.to_path_buf(), damaged.reason.clone())).collect();
    (hours, damaged)
}

#[test]
fn a_broken_file_is_left_out_and_the_rest_is_read() {
    let hours = some_hours(21, 0, 4);
    for breaking in ["cut", "flipped", "emptied", "replaced"] {
        let (folder, archive) = archive_of(&hours);
        let path = file_of(&folder.path().join("history"), "allocations", "h02");
        let mut bytes = fs::read(&path).unwrap();
        let length = bytes.len();
        match breaking {
            "cut" => bytes.truncate(length / 2),
            "flipped" => bytes[length / 3] ^= 1,
            "emptied" => bytes.clear(),
            _ => bytes = b"not Parquet at all".to_vec(),
        }
        fs::write(&path, &bytes).unwrap();
        let (found, damaged) = told(&archive, day(0));
        let expected: Vec<_> = [0, 1, 3].map(|nth: usize| sorted(hours[nth].clone())).into();
        assert_eq!(found, expected, "{breaking}");
        let reason = format!("its {} bytes do not agree with the checksum in its name", bytes.len());
        assert_eq!(damaged, [(path.clone(), reason)], "{breaking}");
        assert_eq!(fs::read(&path).unwrap(), bytes, "a broken file stays as it is");
        // Written again, the hour is there again.
        archive.write_hour(&hours[2]).unwrap();
        let all: Vec<_> = hours.iter().cloned().map(sorted).collect();
        assert_eq!(told(&archive, day(0)), (all, vec![]), "{breaking}");
    }
}

#[test]
fn a_file_that_is_no_parquet_though_its_checksum_fits_is_left_out() {
    let hours = some_hours(22, 0, 2);
    let (folder, archive) = archive_of(&hours);
    let root = folder.path().join("history");
    for (table, rest) in [("assets", 2), ("allocations", 1)] {
        let path = file_of(&root, table, "h01");
        let bytes = &fs::read(&path).unwrap()[..200];
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let stem = &name[..name.len() - "00000000.parquet".len()];
        let forged = path.with_file_name(format!("{stem}{:08x}.parquet", crc32fast::hash(bytes)));
        fs::remove_file(&path).unwrap();
        fs::write(&forged, bytes).unwrap();
        let (found, damaged) = told(&archive, day(0));
        assert_eq!(found.len(), rest);
        assert!(
            damaged.iter().any(|(path, reason)| *path == forged && reason.contains("Parquet")),
            "{damaged:?}"
        );
    }
}

#[test]
fn a_day_with_a_broken_file_is_not_compacted_and_nothing_of_it_deleted() {
    let hours = some_hours(23, 0, 24);
    let (folder, archive) = archive_of(&hours);
    let root = folder.path().join("history");
    let path = file_of(&root, "assets", "h11");
    fs::write(&path, b"half").unwrap();
    let before = files(&root);
    let done = archive.keep_up(hour_at(400 * 24), &Retention::default()).unwrap();
    assert_eq!((done.compacted_days, done.retired_days, done.damaged.len()), (0, 0, 1));
    assert_eq!(files(&root), before);
}

#[test]
fn a_broken_compacted_day_falls_back_to_the_day_as_a_whole() {
    let hours = some_hours(24, 0, 24);
    let (folder, archive) = archive_of(&hours);
    archive.keep_up(hour_at(48), &Retention::default()).unwrap();
    let path = file_of(&folder.path().join("history"), "allocations", "d");
    fs::write(&path, b"half").unwrap();
    let mut stream = archive.hours(day(0), &Needs::nothing().in_steps(vec![day(0)])).unwrap();
    let found: Vec<_> = stream.by_ref().map(Result::unwrap).collect();
    assert_eq!(totals(&found), totals(&hours));
    let mut stream = archive.verbatim(day(0)).unwrap();
    let found: Vec<_> = stream.by_ref().map(Result::unwrap).collect();
    assert_eq!(totals(&found), totals(&hours));
    assert!(stream.is_coarse());
}

#[test]
fn a_missing_file_of_a_set_is_told() {
    let hours = some_hours(25, 0, 2);
    let (folder, archive) = archive_of(&hours);
    let path = file_of(&folder.path().join("history"), "savings", "h00");
    fs::remove_file(&path).unwrap();
    let (found, damaged) = told(&archive, day(0));
    let mut expected: Vec<_> = hours.into_iter().map(sorted).collect();
    expected[0].saved.clear();
    assert_eq!(found, expected);
    assert_eq!(damaged, [(path.with_file_name("h00.g000001.*.parquet"), "it is not there".to_owned())]);
}

#[test]
fn a_foreign_file_is_told_and_left_alone() {
    let hours = some_hours(26, 0, 2);
    let (folder, archive) = archive_of(&hours);
    let root = folder.path().join("history");
    let foreign = file_of(&root, "allocations", "h00").with_file_name("part-0.parquet");
    fs::write(&foreign, b"?").unwrap();
    let (found, damaged) = told(&archive, day(0));
    assert_eq!(found, hours.into_iter().map(sorted).collect::<Vec<_>>());
    assert_eq!(damaged, [(foreign.clone(), "it is no file of Nightcap's: move it elsewhere".to_owned())]);
    archive.keep_up(hour_at(100 * 24), &Retention::default()).unwrap();
    assert!(foreign.exists());
}

#[test]
fn a_history_of_a_newer_version_is_refused_and_not_touched() {
    let (folder, archive) = archive_of(&some_hours(27, 0, 1));
    drop(archive);
    let root = folder.path().join("history");
    fs::write(root.join("nightcap-history.json"), br#"{"format":2,"else":true}"#).unwrap();
    let before = files(&root);
    let message = format!(
        "{} was written by a newer Nightcap (format 2, this version knows up to 1): use that version, or another \
         folder; nothing was changed",
        root.display()
    );
    for opened in [Archive::open(&root, "test"), Archive::open_read_only(&root, "test")] {
        assert_eq!(opened.unwrap_err().to_string(), message);
    }
    assert_eq!(Archive::clusters(&root).unwrap_err().to_string(), message);
    fs::write(root.join("nightcap-history.json"), b"{").unwrap();
    let error = Archive::open(&root, "test").unwrap_err();
    assert!(error.to_string().contains("does not say which format the history has"), "{error}");
    fs::write(root.join("nightcap-history.json"), br#"{"format":2,"else":true}"#).unwrap();
    assert_eq!(files(&root), before);
}

#[test]
fn one_process_writes_and_readers_write_nothing() {
    let (folder, archive) = archive_of(&some_hours(28, 0, 1));
    let root = folder.path().join("history");
    assert!(matches!(Archive::open(&root, "test"), Err(HistoryError::Locked(path)) if path == root));
    // Another cluster in the same folder is another history.
    let other = Archive::open(&root, "arn:aws:eks/other").unwrap();
    other.write_hour(&some_hours(29, 0, 1)[0]).unwrap();
    assert_eq!(Archive::clusters(&root).unwrap(), ["arn:aws:eks/other", "test"]);
    let reader = Archive::open_read_only(&root, "test").unwrap();
    let hour = some_hours(28, 1, 1).remove(0);
    assert!(matches!(reader.write_hour(&hour), Err(HistoryError::ReadOnly(path)) if path == root));
    assert!(reader.keep_up(hour_at(99), &Retention::default()).is_err());
    drop(archive);
    Archive::open(&root, "test").unwrap();
    let nowhere = folder.path().join("nowhere");
    assert!(matches!(Archive::open_read_only(&nowhere, "test"), Err(HistoryError::Absent(_))));
    assert!(!nowhere.exists());
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
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).status();
    }
}

#[test]
fn a_full_disk_loses_nothing_and_the_hour_is_written_once_there_is_room() {
    let folder = crate::support::folder();
    let Some(disk) = SmallDisk::mount(&folder.path().join("disk"), 512) else {
        eprintln!("no disk can be mounted here: the checkpoint's test of a full device stands for it");
        return;
    };
    let root = disk.0.join("history");
    let archive = Archive::open(&root, "test").unwrap();
    let hours = some_hours(30, 0, 48);
    let mut written = Vec::new();
    let mut failed = None;
    for hour in &hours {
        match archive.write_hour(hour) {
            Ok(()) => written.push(hour.clone()),
            Err(error) => {
                failed = Some((hour, error));
                break;
            }
        }
    }
    let (hour, error) = failed.expect("the disk is too small for two days");
    assert!(error.is_disk_full(), "{error}");
    let text = error.to_string();
    assert!(text.starts_with(&root.display().to_string()) && text.contains("Nothing is lost"), "{text}");
    let found = read(&archive, Window::new(hour_at(0), hour_at(48)), &Needs::everything());
    assert_eq!(totals(found.iter().map(|hour| &**hour)), totals(&written));
    let bigger = Command::new("mount").args(["-o", "remount,size=4096k"]).arg(&disk.0).status().unwrap();
    assert!(bigger.success());
    archive.write_hour(hour).unwrap();
    written.push(hour.clone());
    let found = read(&archive, Window::new(hour_at(0), hour_at(48)), &Needs::everything());
    assert_eq!(totals(found.iter().map(|hour| &**hour)), totals(&written));
    drop(archive);
}
