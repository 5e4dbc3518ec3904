//! The one place that reads the time.

use std::time::Instant as Monotonic;

use nightcap_core::units::{Instant, Millis};

/// Where `now` comes from: the wall clock, or a simulated one that runs faster.
#[derive(Debug, Clone)]
pub struct Clock {
    started: Monotonic,
    origin: Option<Instant>,
    speed: u32,
}

impl Clock {
    /// The machine's clock.
    pub fn system() -> Self {
        Self { started: Monotonic::now(), origin: None, speed: 1 }
    }

    /// A clock that shows `origin` now and runs `speed` times as fast as the machine's.
    pub fn simulated(origin: Instant, speed: u32) -> Self {
        Self { started: Monotonic::now(), origin: Some(origin), speed: speed.max(1) }
    }

    /// What time it is.
    pub fn now(&self) -> Instant {
        match self.origin {
            Some(origin) => {
                let elapsed = self.started.elapsed().as_millis() * u128::from(self.speed);
                origin + Millis(i64::try_from(elapsed).unwrap_or(i64::MAX))
            }
            None => {
                #[expect(clippy::disallowed_methods, reason = "this is the clock")]
                let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
                // A machine whose clock stands before 1970 has no time worth counting.
                Instant(since_epoch.map_or(0, |d| i64::try_from(d.as_millis()).unwrap_or(i64::MAX)))
            }
        }
    }

    /// How long to wait, by the machine, until this clock shows `at`.
    pub fn until(&self, at: Instant) -> std::time::Duration {
        let millis = at.since(self.now()).0.max(0).unsigned_abs();
        std::time::Duration::from_millis(millis / u64::from(self.speed))
    }

    /// How many times as fast as the machine's it runs.
    pub const fn speed(&self) -> u32 {
        self.speed
    }
}
