//! Runs: `CronJobs` by the clock, Jobs by hand.

use nightcap_core::cluster::{Size, WorkloadKey, WorkloadKind};
use nightcap_core::units::{Instant, Millis};

use super::World;
use super::agenda::Happening;
use crate::spec::WorkloadShape;

impl World {
    /// Plans the next run of a `CronJob`.
    pub(super) fn plan_cron(&mut self, id: u64, at: Instant) {
        if let Some((every, offset)) = self.cron_of(id) {
            self.agenda.add(due_before(at, every, offset) + every, Happening::CronDue(id));
        }
    }

    pub(super) fn cron_due(&mut self, id: u64, at: Instant) {
        self.plan_cron(id, at);
        if self.owners.get(&id).is_some_and(|owner| owner.object.size == Size::Suspended(false)) {
            self.run_cron(id, at, at);
        }
    }

    /// Resumed: of the runs missed since the last one, the newest is made up for, as Kubernetes does.
    pub(super) fn cron_resumed(&mut self, id: u64, at: Instant) {
        let Some((every, offset)) = self.cron_of(id) else { return };
        let due = due_before(at, every, offset);
        if self.owners.get(&id).is_some_and(|owner| owner.last_run < due) {
            self.run_cron(id, due, at);
        }
    }

    fn run_cron(&mut self, id: u64, due: Instant, at: Instant) {
        let Some(owner) = self.owners.get_mut(&id) else { return };
        let WorkloadShape::CronJob { lasts, .. } = owner.spec.shape else { return };
        owner.last_run = due;
        // The controller names a Job by the minute it was due.
        let minute = due.0.div_euclid(Millis::MINUTE.0);
        let job = format!("{}-{minute}", owner.object.key.name);
        self.run(id, &job, lasts, at);
    }

    /// Plans the next Job that somebody starts by hand.
    pub(super) fn plan_job(&mut self, id: u64, at: Instant) {
        let Some(owner) = self.owners.get(&id) else { return };
        let WorkloadShape::Jobs { a_week, .. } = owner.spec.shape else { return };
        // About a quarter of the tries fall into working hours.
        let tries = i64::try_from(a_week.saturating_mul(4)).unwrap_or(i64::MAX).max(1);
        let mean = 7 * Millis::DAY.0 / tries;
        let wait = self.rng.between(mean / 4, mean * 7 / 4).max(1_000);
        self.agenda.add(at + Millis(wait), Happening::JobDue(id));
    }

    pub(super) fn job_due(&mut self, id: u64, at: Instant) {
        self.plan_job(id, at);
        let Some(owner) = self.owners.get(&id) else { return };
        let WorkloadShape::Jobs { lasts, .. } = owner.spec.shape else { return };
        let key = owner.object.key.clone();
        if self.is_office_hour(&key.namespace, at) && !self.is_asleep(&key.namespace) {
            let job = format!("{}-{}", key.name, self.rng.suffix(5));
            self.run(id, &job, lasts, at);
        }
    }

    fn run(&mut self, id: u64, job: &str, (shortest, longest): (Millis, Millis), at: Instant) {
        let Some(owner) = self.owners.get(&id) else { return };
        let namespace = std::sync::Arc::clone(&owner.object.key.namespace);
        let controller = WorkloadKey { namespace, kind: WorkloadKind::Job, name: job.into() };
        let name = format!("{job}-{}", self.rng.suffix(5)).into();
        let lasts = Millis(self.rng.between(shortest.0, longest.0).max(1_000));
        self.add_pod(id, name, Some(controller), Some(lasts), at);
    }

    fn cron_of(&self, id: u64) -> Option<(Millis, Millis)> {
        match self.owners.get(&id)?.spec.shape {
            WorkloadShape::CronJob { every, offset, .. } if every.0 > 0 => Some((every, offset)),
            _ => None,
        }
    }
}

/// The newest due instant that is not after `at`.
fn due_before(at: Instant, every: Millis, offset: Millis) -> Instant {
    Instant((at.0 - offset.0).div_euclid(every.0) * every.0 + offset.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn due_instants_are_whole_multiples_plus_the_offset() {
        let (every, offset) = (Millis(100), Millis(30));
        for (at, due) in [(129, 30), (130, 130), (131, 130), (29, -70)] {
            assert_eq!(due_before(Instant(at), every, offset), Instant(due), "{at}");
        }
    }
}
