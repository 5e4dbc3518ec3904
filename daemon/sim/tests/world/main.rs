//! The world as the engine meets it: repeatable, never over-committed, and nothing in it is lost.

mod assets;
mod common;
mod conflicts;
mod demo;
mod life;
mod money;
mod repeat;
mod sleep;
mod soak;
mod traffic;
