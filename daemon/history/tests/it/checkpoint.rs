//! The checkpoint: whole or the one before, never a part.

use std::fs;
use std::os::unix::fs::symlink;

use nightcap_history::{CheckpointStore, HistoryError};

fn opened(folder: &std::path::Path) -> (Option<Vec<u8>>, Vec<String>) {
    let (_, found) = CheckpointStore::open(folder).unwrap();
    (found.blob, found.damaged.iter().map(|damaged| damaged.reason.clone()).collect())
}

#[test]
fn what_was_saved_last_is_found() {
    let folder = crate::support::folder();
    assert_eq!(opened(folder.path()), (None, vec![]));
    for round in 0..5_u8 {
        let (mut store, _) = CheckpointStore::open(folder.path()).unwrap();
        store.save(&[round; 3]).unwrap();
        store.save(&[round + 100; 1000]).unwrap();
        assert_eq!(opened(folder.path()), (Some(vec![round + 100; 1000]), vec![]));
    }
    let mut names: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["checkpoint-a", "checkpoint-b"]);
}

#[test]
fn a_damaged_newest_gives_the_one_before_and_is_written_over_next() {
    for (breaking, reason) in [
        ("cut", "it holds 3 bytes of 6"),
        ("header", "it ends after 9 bytes, within its header"),
        ("flipped", "its checksum does not agree with its content"),
        ("generation", "its checksum does not agree with its content"),
        ("foreign", "it is no checkpoint of Nightcap"),
    ] {
        let folder = crate::support::folder();
        let (mut store, _) = CheckpointStore::open(folder.path()).unwrap();
        store.save(b"older!").unwrap();
        store.save(b"newest").unwrap();
        let path = store.path();
        let mut bytes = fs::read(&path).unwrap();
        match breaking {
            "cut" => bytes.truncate(bytes.len() - 3),
            "header" => bytes.truncate(9),
            "flipped" => *bytes.last_mut().unwrap() ^= 1,
            "generation" => bytes[12] ^= 1,
            _ => bytes = b"something else".to_vec(),
        }
        fs::write(&path, bytes).unwrap();
        assert_eq!(opened(folder.path()), (Some(b"older!".to_vec()), vec![reason.to_owned()]), "{breaking}");
        let (mut store, _) = CheckpointStore::open(folder.path()).unwrap();
        store.save(b"third!").unwrap();
        assert_eq!(opened(folder.path()), (Some(b"third!".to_vec()), vec![]), "{breaking}");
    }
}

#[test]
fn a_newer_version_is_refused() {
    let folder = crate::support::folder();
    let (mut store, _) = CheckpointStore::open(folder.path()).unwrap();
    store.save(b"x").unwrap();
    let path = store.path();
    let mut bytes = fs::read(&path).unwrap();
    bytes[8] = 9;
    fs::write(&path, &bytes).unwrap();
    let error = CheckpointStore::open(folder.path()).unwrap_err();
    assert!(matches!(error, HistoryError::Newer { found: 9, known: 1, .. }), "{error}");
    assert_eq!(fs::read(&path).unwrap(), bytes);
}

#[test]
fn a_full_device_is_told_and_the_last_one_stands() {
    let folder = crate::support::folder();
    let (mut store, _) = CheckpointStore::open(folder.path()).unwrap();
    store.save(b"kept").unwrap();
    symlink("/dev/full", folder.path().join(".writing-checkpoint-a")).unwrap();
    let error = store.save(b"lost").unwrap_err();
    assert!(error.is_disk_full(), "{error}");
    assert!(error.to_string().contains("checkpoint-a could not be written: No space left"), "{error}");
    assert_eq!(opened(folder.path()), (Some(b"kept".to_vec()), vec![]));
    store.save(b"next").unwrap();
    assert_eq!(opened(folder.path()), (Some(b"next".to_vec()), vec![]));
}
