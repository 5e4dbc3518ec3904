//! Ports on the loopback interface that nobody else takes.
//!
//! A port that the kernel hands out for `:0` may be gone again before the program listens on it: the kernel also takes it for
//! outgoing connections, and an API server that is to come back on its port would find it occupied. So ports are taken from
//! below the ephemeral range, and a file lock keeps other test processes away from them for as long as the value lives.

use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicU16, Ordering};

use anyhow::Context;

/// Linux hands out ports from 32768 for outgoing connections; registered services rarely lie in this stretch.
const FIRST: u16 = 21_000;
const COUNT: u16 = 9_000;

/// One reserved port. Free for others when dropped.
#[derive(Debug)]
pub(crate) struct Port {
    number: u16,
    _lock: File,
}

impl Port {
    /// Reserves a port on which nobody listens.
    pub(crate) fn reserve() -> anyhow::Result<Self> {
        // Processes begin at different places, so that they seldom try each other's ports.
        static NEXT: AtomicU16 = AtomicU16::new(0);
        let folder = std::env::temp_dir().join("nightcap-test-ports");
        fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
        let start = u16::try_from(u64::from(std::process::id()) * 37 % u64::from(COUNT))?;
        for _ in 0..COUNT {
            let step = NEXT.fetch_add(1, Ordering::Relaxed) % COUNT;
            let number = FIRST + (start + step) % COUNT;
            // A lock file of another user cannot be opened: that port is not ours to take.
            let Ok(lock) = File::create(folder.join(number.to_string())) else { continue };
            if lock.try_lock().is_ok() && TcpListener::bind((Ipv4Addr::LOCALHOST, number)).is_ok() {
                return Ok(Self { number, _lock: lock });
            }
        }
        anyhow::bail!("no free port between {FIRST} and {}", FIRST + COUNT)
    }

    pub(crate) fn number(&self) -> u16 {
        self.number
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wait;

    #[tokio::test]
    async fn a_reserved_port_is_free_to_listen_on_and_given_out_once() {
        let ports: Vec<Port> = (0..20).map(|_| Port::reserve().unwrap()).collect();
        let mut numbers: Vec<u16> = ports.iter().map(Port::number).collect();
        for number in &numbers {
            // A process that another test starts in this very moment has the listener of `reserve` until it runs its program.
            let free = wait::until("the port to be free", wait::PATIENCE, async || {
                Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, *number)).map(drop)?)
            });
            free.await.unwrap();
        }
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), 20);
    }
}
