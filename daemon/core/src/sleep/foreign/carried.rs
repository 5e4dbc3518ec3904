//! What one namespace or workload carries of other tools' wishes.

use std::sync::Arc;

use chrono_tz::Tz;

use super::object::{self, ForeignObject, ForeignSubject};
use super::{ForeignSleep, ForeignWish, Tool, downscaler, foreign_sleep, loft, marker, nightshift};
use crate::cluster::Keys;
use crate::schedule::CheckOptions;
use crate::units::Instant;

/// Whether somebody here reads an annotation of this key, on a namespace or a workload.
pub fn reads(key: &str) -> bool {
    downscaler::reads(key)
        || loft::reads(key)
        || nightshift::reads(key)
        || marker::reads(key)
        || key.starts_with("janitor/")
}

/// The foreign keys and objects of one namespace or workload; most have none.
#[derive(Clone, PartialEq, Debug)]
pub struct Foreign {
    keys: Keys,
    created: Instant,
    objects: Vec<Arc<ForeignObject>>,
    sleep: Option<ForeignSleep>,
}

impl Foreign {
    /// Takes the foreign keys out of an object's annotations and labels; `None` if there are none.
    pub fn read(annotations: &Keys, labels: &Keys, created: Instant) -> Option<Box<Self>> {
        let keys: Keys = annotations
            .iter()
            .filter(|(key, _)| reads(key))
            .map(|(key, value)| (Arc::clone(key), Arc::clone(value)))
            .collect();
        let sleep = foreign_sleep(annotations, labels);
        if keys.is_empty() && sleep.is_none() {
            return None;
        }
        Some(Box::new(Self { keys, created, objects: Vec::new(), sleep }))
    }

    /// The same, with objects of other tools that stand in the namespace.
    #[must_use]
    pub fn with_objects(mut self, objects: Vec<Arc<ForeignObject>>) -> Self {
        self.objects = objects;
        self
    }

    /// A namespace that has no foreign keys, but these objects.
    pub const fn of_objects(objects: Vec<Arc<ForeignObject>>, created: Instant) -> Self {
        Self { keys: Keys::new(), created, objects, sleep: None }
    }

    /// The mark of another tool's sleep on it.
    pub const fn sleep(&self) -> Option<&ForeignSleep> {
        self.sleep.as_ref()
    }

    /// Its foreign keys.
    pub const fn keys(&self) -> &Keys {
        &self.keys
    }
}

/// What `tool` reads out of a workload and its namespace.
///
/// `workload` is `None` where the namespace as a whole is asked about; its `Foreign` where the workload carries none.
pub fn foreign_wish(
    tool: Tool,
    workload: Option<(Option<&Foreign>, ForeignSubject<'_>, Instant)>,
    namespace: Option<&Foreign>,
    zone: Tz,
    now: Instant,
) -> Option<ForeignWish> {
    let none = Keys::new();
    let of_namespace = namespace.map_or(&none, |of| &of.keys);
    let own = workload.map(|(of, _, created)| (of.map_or(&none, |of| &of.keys), created));
    // A zone that a tool's own configuration names is not known here: without one its spec is an error, as it is there.
    let options = CheckOptions::default();
    match tool {
        Tool::KubeDownscaler => downscaler::py_wish(own, of_namespace, &options, now),
        Tool::GoKubeDownscaler => downscaler::go_wish(own, of_namespace, &options, now),
        Tool::Loft => loft::wish(own.map(|(keys, _)| keys), of_namespace, now),
        Tool::Nightshift => nightshift::wish(own.map(|(keys, _)| keys), of_namespace, zone, now),
        Tool::KubeGreen | Tool::Snorlax | Tool::Slumlord => {
            let subject = workload.map(|(_, subject, _)| subject);
            object::wish(namespace.map_or(&[], |of| &of.objects), tool, subject, now)
        }
        // These stand on other objects, or delete.
        Tool::Keda | Tool::KubeJanitor => None,
    }
}
