//! The integration tests, all in one program: one control plane serves many of them.

// `cfg(test)` always holds here; it tells clippy that helpers outside of test functions may unwrap too.
#[cfg(test)]
mod control_plane;
#[cfg(test)]
mod surroundings;
