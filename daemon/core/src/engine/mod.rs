//! The one state machine: events in, actions out, an immutable snapshot to read.

mod action;
mod asset_state;
mod assets;
mod budgets;
mod deciding;
mod errand;
mod event;
mod fight;
mod governed;
mod history;
mod machine;
mod marks;
mod names;
mod observe;
mod payers;
mod perform;
mod picture;
mod policies;
mod problems;
mod recall;
mod resume;
mod settings;
mod snapshot;
mod space_costs;
mod vclusters;
mod wake_gate;

pub use action::{Action, ActionId, Severity, Subject};
pub use event::{Egress, Event, Kind, Outcome, TrafficSample, UsageSample};
pub use history::{HistoryHealth, HistoryOperation};
pub use machine::Engine;
pub use recall::BudgetPast;
pub use settings::{FixedCost, Settings};
pub use snapshot::{
    BudgetReport, BudgetView, Counters, NodeView, PolicyView, Problem, Snapshot, SpaceState, SpaceView,
    UsageHealth, WorkloadView,
};
