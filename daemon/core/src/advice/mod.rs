//! Advice: what the money means, and what to expect of it. Reads rows; decides nothing.

pub mod budget;
