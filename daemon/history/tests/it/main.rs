//! The archive on real files: one binary, since it links polars.
#![expect(clippy::unwrap_used, reason = "a helper that fails fails its test")]

mod checkpoint;
mod crash;
mod damage;
mod law;
mod layout;
mod support;
mod upkeep;
