//! `DaemonSets`. They have no size: to turn one down, its pods are told to run on nodes that do not exist.

use std::collections::BTreeMap;
use std::sync::Arc;

use k8s_openapi::api::apps::v1::DaemonSet;
use nightcap_core::cluster::{Fields, Size, Switch, Workload, WorkloadKind};
use serde_json::Value;

use super::workload::{Parts, count, workload};
use super::{ReadError, Reader, Unreadable, meta};

/// A label that no node has. Not of the configured prefix: a sleeping `DaemonSet` must be woken under any.
const NO_NODE: (&str, &str) = ("nightcap.dev/asleep", "true");
const SELECTOR: &str = "/spec/template/spec/nodeSelector";

/// The record of a `DaemonSet`.
pub(crate) fn daemon_set(object: &DaemonSet, reader: &mut Reader) -> Result<Workload, Unreadable> {
    read(object, reader).map_err(|error| meta::unreadable(&object.metadata, &error))
}

fn read(object: &DaemonSet, reader: &mut Reader) -> Result<Workload, ReadError> {
    let template = object.spec.template.spec.as_ref();
    let selector = template.and_then(|template| template.node_selector.as_ref());
    let status = object.status.as_ref();
    let wanted = status.map_or(0, |status| status.desired_number_scheduled);
    let parts = Parts {
        size: Size::Off(is_off(selector)),
        switch: Some(switch(selector)),
        ready: status.map(|status| status.number_ready),
        wanted: Some(count("status.desiredNumberScheduled", wanted)?),
        template,
        rolling_out: rolling_out(object),
        ..Parts::of(WorkloadKind::DaemonSet)
    };
    workload(&object.metadata, parts, reader)
}

type Selector = BTreeMap<String, String>;

fn is_off(selector: Option<&Selector>) -> bool {
    selector.and_then(|selector| selector.get(NO_NODE.0)).is_some_and(|value| value == NO_NODE.1)
}

fn switch(selector: Option<&Selector>) -> Switch {
    let label: Arc<str> = format!("{SELECTOR}/{}", NO_NODE.0.replace('/', "~1")).into();
    let off = Fields::from([(Arc::clone(&label), NO_NODE.1.into())]);
    let now = match selector {
        None => Fields::from([(SELECTOR.into(), Value::Null)]),
        Some(selector) => {
            let value = selector.get(NO_NODE.0).map_or(Value::Null, |value| value.as_str().into());
            Fields::from([(label, value)])
        }
    };
    Switch { off, now }
}

/// Whether pods of an older template are still being replaced; with `OnDelete` a person decides when, and a rollout
/// that waits for pods on nodes that are down must not keep a space awake: only what the controller has not seen, or
/// is in the middle of, counts.
fn rolling_out(object: &DaemonSet) -> bool {
    let Some(status) = &object.status else { return false };
    if status.observed_generation.unwrap_or(0) < object.metadata.generation.unwrap_or(0) {
        return true;
    }
    let by_hand = object.spec.update_strategy.as_ref().and_then(|strategy| strategy.type_.as_deref())
        == Some("OnDelete");
    !by_hand && status.updated_number_scheduled.unwrap_or(0) < status.current_number_scheduled
}
