//! The HTTP server: probes, metrics, `OpenCost`'s API, our own, and the built-in page. Everything is read from one
//! immutable snapshot.

mod access;
mod big;
mod error;
mod layers;
mod openapi;
mod opencost;
mod params;
mod probes;
mod routes;
mod scrape;
mod share;
mod state;
mod v1;

#[cfg(test)]
mod tests;

pub use access::{Access, AccessError, OpenAccess, User, Verb};
pub use openapi::openapi;
pub use routes::router;
pub use state::AppState;

use v1::warnings_of_window as v1_warnings;
