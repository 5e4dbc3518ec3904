//! The house of ARCHITECTURE.md, held: which crate may use which, and which floor of the core looks at which.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

/// What each crate of the workspace may depend on, of the workspace and of what is walled in.
const ALLOWED: [(&str, &[&str]); 7] = [
    ("nightcap-core", &[]),
    ("nightcap-pricing", &["nightcap-core", "reqwest", "tokio"]),
    ("nightcap-cluster", &["nightcap-core", "kube", "k8s-openapi", "tokio"]),
    ("nightcap-history", &["nightcap-core", "polars", "polars-io"]),
    ("nightcap-sim", &["nightcap-core"]),
    (
        "nightcap",
        &[
            "nightcap-core",
            "nightcap-pricing",
            "nightcap-cluster",
            "nightcap-history",
            "nightcap-sim",
            "tokio",
            "reqwest",
            "axum",
        ],
    ),
    ("nightcap-tests", &["nightcap-core", "kube", "k8s-openapi", "tokio", "reqwest"]),
];

/// Crates that are walled in: whoever uses one must be allowed to above.
const WALLED: [&str; 8] = ["kube", "k8s-openapi", "polars", "polars-io", "tokio", "reqwest", "axum", "hyper"];

/// The floors of the core, lowest first. A file may use its own floor and those below.
const FLOORS: [&str; 7] = ["units", "cluster", "schedule", "money", "sleep", "advice", "engine"];

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

#[test]
fn crates_depend_only_on_what_lies_below() {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(workspace())
        .output()
        .unwrap();
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let allowed: BTreeMap<&str, &[&str]> = ALLOWED.into_iter().collect();
    let mut wrong = Vec::new();
    let mut seen = BTreeSet::new();
    for package in metadata["packages"].as_array().unwrap() {
        let name = package["name"].as_str().unwrap();
        seen.insert(name.to_owned());
        let may = allowed.get(name).unwrap_or_else(|| panic!("{name} is new: say here what it may use"));
        for dependency in package["dependencies"].as_array().unwrap() {
            if dependency["kind"] == "dev" {
                continue;
            }
            let on = dependency["name"].as_str().unwrap();
            let matters = on.starts_with("nightcap") || WALLED.contains(&on);
            if matters && !may.contains(&on) {
                wrong.push(format!("{name} uses {on}"));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
    assert_eq!(seen, ALLOWED.iter().map(|(name, _)| (*name).to_owned()).collect());
}

#[test]
fn floors_of_the_core_only_look_down() {
    let source = workspace().join("daemon/core/src");
    let mut wrong = Vec::new();
    for (level, floor) in FLOORS.iter().enumerate() {
        for file in rust_files(&source.join(floor)) {
            let text = std::fs::read_to_string(&file).unwrap();
            for above in &FLOORS[level + 1..] {
                if text.contains(&format!("crate::{above}::")) || text.contains(&format!("crate::{{{above}"))
                {
                    wrong.push(format!("{} uses {above}", file.strip_prefix(&source).unwrap().display()));
                }
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn every_folder_of_the_core_is_a_floor() {
    let folders: BTreeSet<String> = std::fs::read_dir(workspace().join("daemon/core/src"))
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    let floors: BTreeSet<String> = FLOORS.iter().map(|&floor| floor.to_owned()).collect();
    assert_eq!(folders.difference(&floors).collect::<Vec<_>>(), Vec::<&String>::new());
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    entries
        .map(|entry| entry.expect("a folder of the tree can be listed").path())
        .flat_map(|path| {
            if path.is_dir() {
                rust_files(&path)
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                vec![path]
            } else {
                Vec::new()
            }
        })
        .collect()
}
