//! Budgets: what is written, as the core reads it.

use nightcap_core::advice::budget::BudgetObject;

use super::{ReadError, Unreadable, meta};
use crate::crd::Budget;

/// The record of a budget. What it says may be beyond understanding: that is told with it, not instead of it.
pub(crate) fn budget(object: &Budget) -> Result<BudgetObject, Unreadable> {
    read(object).map_err(|error| meta::unreadable(&object.metadata, &error))
}

fn read(object: &Budget) -> Result<BudgetObject, ReadError> {
    Ok(BudgetObject {
        uid: meta::uid(&object.metadata)?,
        name: meta::name(&object.metadata)?.into(),
        generation: object.metadata.generation.unwrap_or_default(),
        spec: object.spec.raw().read().map_err(|error| error.to_string().into()),
    })
}
