//! Budgets: what a team, an owner or a space may cost in a week or a month, what it has cost, and what to expect.
//!
//! A [`BudgetBook`] takes each closed hour once and keeps eight weeks of hourly sums; months of rows are never read
//! again. From it follow the [`Norm`] of each hour of the week, and from both what [`assess`] says.

mod book;
mod forecast;
mod jump;
mod norm;
mod period;
mod spec;
mod spend;
mod status;

#[cfg(test)]
mod tests;

pub use book::{BudgetBook, HOURS_KEPT};
pub use forecast::{Confidence, Forecast};
pub use jump::{Jump, JumpSpan};
pub use norm::{Norm, Slot};
pub use period::{Period, WeekStart};
pub use spec::{BudgetError, BudgetObject, BudgetSpec, DEFAULT_MARKS, RawBudget, Selector};
pub use spend::{HourPayers, HourSum, needs};
pub use status::{BudgetStatus, Matched, Past, assess};
