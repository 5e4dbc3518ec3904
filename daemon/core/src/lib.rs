//! The whole domain of Nightcap, pure: no I/O, no clock, no randomness.
//!
//! The folders are floors: an upper one uses a lower one, never the reverse.
//! `engine` → `advice` → `sleep` → `money` → `schedule` → `cluster` → `units`.

pub mod advice;
pub mod cluster;
pub mod engine;
pub mod money;
pub mod schedule;
pub mod sleep;
pub mod units;
