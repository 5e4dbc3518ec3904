//! The `nightcap` binary.

fn main() {}
