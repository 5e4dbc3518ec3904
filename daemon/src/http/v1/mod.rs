//! `/api/v1`: the snapshot, as the shapes of [`crate::api`].

pub(super) mod act;
pub(super) mod budgets;
pub(super) mod cost;
pub(super) mod export;
pub(super) mod picture;
pub(super) mod policies;
pub(super) mod savings;
pub(super) mod spaces;
mod warnings;

pub(super) use warnings::of_window as warnings_of_window;
