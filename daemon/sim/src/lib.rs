//! A whole Kubernetes cluster in memory, on the same events and actions as the real one.
//!
//! [`World`] takes the engine's [actions](nightcap_core::engine::Action) and gives
//! [events](nightcap_core::engine::Event). It is deterministic: the same spec, seed and calls give the same events, to
//! the byte. [`demo`] describes an internal platform, [`scale`] clusters of any size, and [`history`] drives a world
//! and an engine through simulated time as fast as the machine can; [`ByCores`] prices it.

pub mod activity;
mod activity_table;
mod by_cores;
pub mod demo;
pub mod history;
mod rng;
pub mod scale;
pub mod spec;
mod traffic;
mod traffic_table;
mod world;

pub use by_cores::ByCores;
pub use world::World;
