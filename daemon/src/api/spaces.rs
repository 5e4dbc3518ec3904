//! `GET /api/v1/spaces` and `/api/v1/spaces/{name}`: who sleeps, why, and what that is worth.

use nightcap_core::cluster::{OwnerKind, Tier};
use nightcap_core::sleep::Mode;
use nightcap_core::units::Instant;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Money, ProblemReport};

/// All spaces.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct SpaceList {
    /// The instant of the picture.
    #[schema(value_type = String, format = DateTime)]
    pub at: Instant,
    /// How far Nightcap is trusted: `observe`, `ask` or `act`.
    #[schema(value_type = String, example = "observe")]
    pub mode: Mode,
    /// By name.
    pub spaces: Vec<SpaceReport>,
}

/// One space with everything that is known of its sleep: what `explain` shows.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct SpaceDetail {
    /// The instant of the picture.
    #[schema(value_type = String, format = DateTime)]
    pub at: Instant,
    /// How far Nightcap is trusted: `observe`, `ask` or `act`.
    #[schema(value_type = String, example = "observe")]
    pub mode: Mode,
    /// The space.
    pub space: SpaceReport,
    /// Every wish that was considered, first the strongest.
    pub wishes: Vec<WishReport>,
    /// Its workloads that can sleep.
    pub workloads: Vec<WorkloadReport>,
    /// What about it needs a person.
    pub problems: Vec<ProblemReport>,
}

/// A space as it is now.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct SpaceReport {
    /// Name of the namespace.
    pub name: String,
    /// Team, or `unowned`.
    pub team: String,
    /// What the team is to whoever named it: `team`, `project`, `tenant`, or `unknown` for `unowned`.
    #[schema(value_type = String, example = "team")]
    pub team_kind: OwnerKind,
    /// Which rule named the team.
    pub team_rule: String,
    /// Owner, or `unowned`.
    pub owner: String,
    /// `user`, `team`, `project` or `tenant`; `unknown` where a label or annotation does not say.
    #[schema(value_type = String, example = "user")]
    pub owner_kind: OwnerKind,
    /// Which rule named the owner.
    pub owner_rule: String,
    /// `critical`, `production`, `staging` or `dev`, if its label names one.
    #[schema(value_type = Option<String>, example = "staging")]
    pub tier: Option<Tier>,
    /// `asleep`, `awake`, `waking` (sizes restored, pods not ready) or `falling` (not all asleep yet).
    pub state: String,
    /// Since when it sleeps, or is awake after a sleep; `null` if not known.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub since: Option<Instant>,
    /// Whether it is to sleep now, in this mode.
    pub should_sleep: bool,
    /// Whether the strongest wish says sleep, whatever the mode.
    pub wished_asleep: bool,
    /// Where the deciding wish stands, such as `namespace uptime`; `no wish` if there is none.
    pub policy: String,
    /// One sentence that says why.
    pub why: String,
    /// The next instant at which this may be otherwise.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub next_change: Option<Instant>,
    /// What happens next, as far as wishes tell that are written now.
    pub next: Option<NextReport>,
    /// What its pods cost per hour now.
    pub hourly_cost: Money,
    /// What it would cost per hour more if it were awake.
    pub hourly_saving: Money,
    /// What it would save per hour if it slept as it should: the forecast of observe mode.
    pub hourly_would_save: Money,
    /// Its workloads that can sleep.
    pub workloads: usize,
    /// Those that Nightcap has put to sleep.
    pub workloads_asleep: usize,
    /// Running pods that nothing Nightcap can scale owns.
    pub bare_pods: usize,
}

/// What happens next.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct NextReport {
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: Instant,
    /// Whether it is to sleep from then on; in mode `observe`, whether that is wished.
    pub asleep: bool,
    /// Where the wish stands that will decide.
    pub policy: String,
    /// One sentence.
    pub why: String,
}

/// One wish of the chain.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[expect(clippy::struct_excessive_bools, reason = "each is a question of its own that a reader asks")]
pub struct WishReport {
    /// Where it stands, such as `namespace uptime`.
    pub source: String,
    /// The value, as written.
    pub value: String,
    /// Whether it wishes sleep now.
    pub asleep: bool,
    /// One sentence.
    pub why: String,
    /// When it will wish otherwise, or end.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub until: Option<Instant>,
    /// Whether the mode lets it act.
    pub counts: bool,
    /// Whether it is the one that decides; where nothing may be done, the one that would.
    pub won: bool,
    /// It wishes that nothing is done: neither put to sleep nor woken.
    pub hands_off: bool,
    /// Who is said to have written it, of `keep-awake-until` and `asleep-until`.
    pub by: Option<String>,
    /// What a reader should know of its value.
    pub warnings: Vec<String>,
}

/// A workload as it is now.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct WorkloadReport {
    /// Its kind, such as `Deployment`; an operator's with its group, such as `Rollout.argoproj.io`.
    pub kind: String,
    /// Name.
    pub name: String,
    /// `spec.replicas` now; `null` for what has none.
    pub replicas: Option<u32>,
    /// `spec.suspend` now; `null` for what has none.
    pub suspended: Option<bool>,
    /// Whether a kind that has neither is turned off by other means; `null` for what has one of them.
    pub switched_off: Option<bool>,
    /// Pods that are ready.
    pub ready_replicas: u32,
    /// Whether Nightcap has put it to sleep.
    pub asleep: bool,
    /// Since when it sleeps.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub asleep_since: Option<Instant>,
    /// Why it was put to sleep.
    pub asleep_why: Option<String>,
    /// Which wish that followed.
    pub asleep_policy: Option<String>,
    /// Who put it to sleep: `nightcap`, or the person whose wish it was.
    pub asleep_by: Option<String>,
    /// Replicas it wakes to.
    pub original_replicas: Option<u32>,
    /// `spec.suspend` it wakes to.
    pub original_suspended: Option<bool>,
    /// Whether it is to sleep now, in this mode.
    pub should_sleep: bool,
    /// Where the deciding wish stands.
    pub policy: String,
    /// One sentence that says why.
    pub why: String,
    /// The next instant at which this may be otherwise.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub next_change: Option<Instant>,
    /// What happens next, as far as wishes tell that are written now.
    pub next: Option<NextReport>,
    /// Every wish that was considered, first the strongest; `null` where these are its space's.
    pub wishes: Option<Vec<WishReport>>,
    /// Why it cannot be put to sleep although it should be.
    pub refusal: Option<String>,
    /// Its volumes whose data ends with its pods: `emptyDir` on disk, generic ephemeral ones.
    #[serde(default)]
    pub local_volumes: Vec<String>,
    /// What it costs per hour awake, by its requests: saved while it sleeps.
    pub hourly_cost: Money,
}
