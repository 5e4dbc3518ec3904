//! Which workload inside a vCluster a synced pod belongs to.

use std::sync::Arc;

use serde::Deserialize;

use super::keys::{OWNER_REFERENCES, OWNER_SET_KIND};
use crate::cluster::{Keys, WorkloadKind};

/// Labels with the hash that is part of a `ReplicaSet`'s name, and what makes such `ReplicaSets`.
const HASHES: [(&str, &str); 2] =
    [("pod-template-hash", "Deployment"), ("rollouts-pod-template-hash", "Rollout")];
/// The letters and digits that Kubernetes makes hashes and random endings of.
const RANDOM: &str = "bcdfghjklmnpqrstvwxz2456789";
/// The most that a hash of a pod template has of them.
const LONGEST_HASH: usize = 10;
/// How many a pod's name ends in.
const POD_ENDING: usize = 5;

#[derive(Debug, Deserialize)]
struct Reference {
    kind: String,
    name: String,
    #[serde(default)]
    controller: Option<bool>,
}

/// The lines of `vcluster.loft.sh/labels`: a key, `=`, the value as JSON. A line that is none is left out.
pub(super) fn lines(text: &str) -> Vec<(&str, String)> {
    let line = |line: &'_ str| -> Option<(usize, String)> {
        let at = line.find('=')?;
        Some((at, serde_json::from_str(&line[at + 1..]).ok()?))
    };
    text.lines().filter_map(|text| line(text).map(|(at, value)| (text[..at].trim(), value))).collect()
}

/// The workload of a pod; the object itself where it has none. `lines` are its virtual labels, where they are known.
pub(super) fn of(
    annotations: &Keys,
    lines: Option<&[(&str, String)]>,
    name: Option<Arc<str>>,
) -> Option<(WorkloadKind, Arc<str>)> {
    let references = annotations.get(OWNER_REFERENCES);
    let references = references.and_then(|text| serde_json::from_str::<Vec<Reference>>(text).ok());
    let controller = references.iter().flatten().find(|owner| owner.controller == Some(true));
    if let Some(owner) = controller {
        return Some(followed(&owner.kind, &owner.name, lines));
    }
    let name = name?;
    // Before 0.16 only the owner's kind is known, its name stands in that of its pod.
    let kind = annotations.get(OWNER_SET_KIND).filter(|_| references.is_none());
    let by_kind = kind.and_then(|kind| match &**kind {
        "ReplicaSet" => Some(followed("ReplicaSet", without_ending(&name, POD_ENDING)?, lines)),
        "DaemonSet" => Some((WorkloadKind::DaemonSet, without_ending(&name, POD_ENDING)?.into())),
        "StatefulSet" => Some((WorkloadKind::StatefulSet, without_ordinal(&name)?.into())),
        _ => None,
    });
    Some(by_kind.unwrap_or_else(|| (WorkloadKind::from_name("Pod"), name)))
}

/// The owner, from a `ReplicaSet` on to what made it.
fn followed(kind: &str, name: &str, lines: Option<&[(&str, String)]>) -> (WorkloadKind, Arc<str>) {
    let as_it_is = || (WorkloadKind::from_name(kind), name.into());
    if kind != "ReplicaSet" {
        return as_it_is();
    }
    // Where the labels are not known, the shape of the name has to do.
    let Some(lines) = lines else {
        let stem = name.rsplit_once('-').filter(|(stem, hash)| {
            !stem.is_empty() && (1..=LONGEST_HASH).contains(&hash.len()) && is_random(hash)
        });
        return stem.map_or_else(as_it_is, |(stem, _)| (WorkloadKind::Deployment, stem.into()));
    };
    let above = HASHES.into_iter().find_map(|(label, above)| {
        let (_, hash) = lines.iter().find(|(key, _)| *key == label)?;
        let stem = name.strip_suffix(hash.as_str())?.strip_suffix('-')?;
        (!stem.is_empty()).then(|| (WorkloadKind::from_name(above), stem.into()))
    });
    above.unwrap_or_else(as_it_is)
}

fn without_ending(name: &str, length: usize) -> Option<&str> {
    let (stem, ending) = name.rsplit_once('-')?;
    (!stem.is_empty() && ending.len() == length && is_random(ending)).then_some(stem)
}

fn without_ordinal(name: &str) -> Option<&str> {
    let (stem, ordinal) = name.rsplit_once('-')?;
    let is_number = !ordinal.is_empty() && ordinal.bytes().all(|byte| byte.is_ascii_digit());
    (!stem.is_empty() && is_number).then_some(stem)
}

fn is_random(text: &str) -> bool {
    text.chars().all(|c| RANDOM.contains(c))
}
