//! The archive on real files: one binary, since it links polars.

mod checkpoint;
mod crash;
mod damage;
mod law;
mod layout;
mod support;
mod upkeep;
