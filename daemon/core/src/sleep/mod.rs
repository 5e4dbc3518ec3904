//! Sleep: who wishes what, which wish wins, and the one patch that follows from it.

mod command;
mod decision;
pub mod foreign;
mod foreign_place;
mod gitops;
mod mark;
mod patch;
mod plan;
pub mod policy;
mod protect;
mod settings;
mod upcoming;
mod vcluster;
pub mod wake_order;
mod wishes;

pub use command::{Command, CommandError, WAKE_LASTS};
pub use decision::{Decision, Levels, Wish, decide, next_sleep, next_wake};
pub use foreign_place::ForeignLevels;
pub use gitops::{GitOpsOwner, is_gitops_key};
pub use mark::{Freed, Mark, MarkError, Original, Restored};
pub use patch::{AnnotationPatch, WorkloadPatch};
pub use plan::{Asked, Known, Step, resume_paused, step};
pub(crate) use plan::{MAY_LOSE_DATA, restore};
pub use protect::{DEFAULT_PROTECTED, is_protected, protected_by};
pub use settings::{Mode, SleepSettings};
pub use upcoming::{Upcoming, upcoming};
pub use vcluster::{is_control_plane, is_pause_key, is_paused};
pub use wishes::{AsleepUntil, BadValue, Spec, Wishes};
