//! The integration tests, all in one program: one control plane serves many of them.

// `cfg(test)` always holds here; it tells clippy that helpers outside of test functions may unwrap too.
#[cfg(test)]
mod acts;
#[cfg(test)]
mod assets;
#[cfg(test)]
mod bill;
#[cfg(test)]
mod budget;
#[cfg(test)]
mod control_plane;
#[cfg(test)]
mod crash;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod forward;
mod kinds;
#[cfg(test)]
mod lease;
#[cfg(test)]
mod opencost_clients;
#[cfg(test)]
mod operator_kinds;
#[cfg(test)]
mod policy;
#[cfg(test)]
mod prometheus;
#[cfg(test)]
mod restart;
#[cfg(test)]
mod sleep;
#[cfg(test)]
mod stage;
#[cfg(test)]
mod surroundings;
#[cfg(test)]
mod vcluster;
