//! Whose a thing is: the first rule that matches decides, and the answer says which it was.

mod attribution;
mod facts;
mod glob;
mod keys;
mod place;
mod platforms;
mod resolver;
mod rules;
mod tier;
mod user_map;

pub use attribution::{Attribution, OwnerKind, UNOWNED};
pub use facts::OwnerFacts;
pub(crate) use glob::glob;
pub use keys::{OwnerKeys, differs_by_pod};
pub use resolver::{Namespaces, Resolver};
pub use rules::{DEFAULT_LABELS, TeamRule, TeamRules};
pub use tier::Tier;
pub use user_map::UserMap;

#[cfg(test)]
mod tests;
