//! People: they come while developers are at work, and wake what sleeps.

use std::sync::Arc;

use nightcap_core::engine::{Event, Kind};
use nightcap_core::units::{Instant, Millis};

use super::World;
use super::agenda::Happening;
use crate::activity::{commits, hour_of_week};

/// An hour with fewer of 100,000 commits than this is no office hour.
const OFFICE_HOUR: u16 = 600;

impl World {
    /// Whether the people of this space are at work.
    pub(super) fn is_office_hour(&self, space: &str, at: Instant) -> bool {
        self.spaces.get(space).is_some_and(|s| commits(hour_of_week(at, s.spec.zone)) >= OFFICE_HOUR)
    }

    /// Whether one of the space's workloads carries the mark of sleep.
    pub(super) fn is_asleep(&self, space: &str) -> bool {
        let mark = format!("{}/asleep", self.prefix);
        let Some(space) = self.spaces.get(space) else { return false };
        let mut owners = space.owners.iter().filter_map(|id| self.owners.get(id));
        owners.any(|owner| owner.object.annotations.contains_key(mark.as_str()))
    }

    /// An hour begins: draws who will come in it.
    pub(super) fn hour(&mut self, at: Instant) {
        self.agenda.add(at.next_hour(), Happening::Hour);
        let mut coming: Vec<(Instant, Arc<str>)> = Vec::new();
        for (name, space) in &self.spaces {
            let often = space.spec.visits_a_week;
            if often == 0 {
                continue;
            }
            let share = u64::from(commits(hour_of_week(at, space.spec.zone)));
            if self.rng.below(100_000) < often * share {
                let minute = self.rng.between(0, Millis::HOUR.0 - 1);
                coming.push((at + Millis(minute), Arc::clone(name)));
            }
        }
        for (at, name) in coming {
            self.agenda.add(at, Happening::Visit(name));
        }
    }

    /// Somebody comes, and wakes the space for some hours if it sleeps.
    pub(super) fn visit(&mut self, name: &Arc<str>, at: Instant) {
        if !self.is_asleep(name) {
            return;
        }
        let stays = Millis::from_hours(self.rng.between(1, 4));
        let until = Instant((at + stays).0.div_euclid(Millis::MINUTE.0) * Millis::MINUTE.0);
        let keys = [("keep-awake-until", Some(until.to_rfc3339())), ("asleep-until", None)];
        for (key, value) in keys {
            let key = format!("{}/{key}", self.prefix);
            self.write_annotation(name, &key, value.as_deref());
        }
        self.touch_space(name, at);
    }

    /// Writes or removes one annotation of a namespace. `false` if there is no such namespace.
    pub(super) fn write_annotation(&mut self, name: &str, key: &str, value: Option<&str>) -> bool {
        let Some(space) = self.spaces.get_mut(name) else { return false };
        match value {
            Some(value) => space.object.annotations.insert(key.into(), value.into()),
            None => space.object.annotations.remove(key),
        };
        true
    }

    /// The namespace has changed: a new version, and the watch shows it.
    pub(super) fn touch_space(&mut self, name: &str, at: Instant) -> Option<Arc<str>> {
        let version = self.new_version();
        let space = self.spaces.get_mut(name)?;
        space.object.resource_version = Arc::clone(&version);
        let object = space.object.clone();
        self.show(Kind::Namespace, Event::Namespace(object), at);
        Some(version)
    }
}
