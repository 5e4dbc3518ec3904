//! The shapes of `/api/v1`: what the daemon answers and what its clients (command line, page) read.
//!
//! Names are `snake_case` and carry their unit; instants are RFC 3339 in UTC; money is in US dollars, as JSON numbers
//! with all their decimals ([`Money`]), so that parts add up to the whole to the last digit. New fields may be added;
//! those that are here keep name and meaning.

mod act;
mod budgets;
mod cost;
mod error;
mod money;
mod nodes;
mod policies;
mod problems;
mod savings;
mod spaces;
mod status;
mod window;

pub use act::{Act, ActReport, KeepAwakeRequest, SleepRequest, WakeRequest};
pub use budgets::{BudgetForecast, BudgetJump, BudgetList, BudgetMatched, BudgetReport, BudgetSelector};
pub use cost::{CostReport, CostRow, CostStep, RowKind};
pub use error::{ErrorBody, ErrorReport};
pub use money::{Money, NotMoney};
pub use nodes::{NodeList, NodeReport, PriceReport};
pub use policies::{PolicyList, PolicyReport};
pub use problems::{ProblemList, ProblemReport};
pub use savings::{SavingsReport, SavingsRow};
pub use spaces::{NextReport, SpaceDetail, SpaceList, SpaceReport, WishReport, WorkloadReport};
pub use status::{ConfidenceShare, CountersReport, Counts, Status, UsageReport};
pub use window::WindowReport;

/// Names of groups and the like, in the order of their keys.
pub type Labels = std::collections::BTreeMap<String, String>;

/// The only currency there is.
pub const CURRENCY: &str = "USD";
