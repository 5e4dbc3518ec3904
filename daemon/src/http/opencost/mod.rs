//! `OpenCost`'s API under its own names: `/allocation`, `/allocation/summary`, `/assets`.
//!
//! Field names, row names and the envelope are `OpenCost`'s (opencost/opencost `core/pkg/opencost/allocation_json.go`).
//! Better than there: amounts carry all their decimals, so with `includeIdle=true` the rows add up to `/assets` of the
//! same window exactly, and a parameter that is not understood is an error with its value.

pub(super) mod allocation;
mod asset;
pub(super) mod assets;
mod compat;
mod csv;
mod old_filters;
mod parts;
mod properties;
mod query;
mod row;
mod rows;
mod stream;
pub(super) mod summary;
mod summary_row;

use serde::Serialize;

/// An answer in `OpenCost`'s envelope.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub(super) struct Envelope<T> {
    code: u16,
    status: &'static str,
    data: T,
    /// What a reader should know before relying on the numbers.
    #[serde(skip_serializing_if = "Option::is_none")]
    warning: Option<String>,
}

impl<T> Envelope<T> {
    fn new(data: T, warnings: &[String]) -> Self {
        let warning = (!warnings.is_empty()).then(|| warnings.join("; "));
        Self { code: 200, status: "success", data, warning }
    }
}
