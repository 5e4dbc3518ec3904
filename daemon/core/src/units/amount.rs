//! Amounts of the three resources a node is shared by.

use std::ops::{Add, AddAssign, Sub};

use serde::{Deserialize, Serialize};

macro_rules! amount {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub u64);

        impl Add for $name {
            type Output = Self;
            fn add(self, rhs: Self) -> Self {
                Self(self.0.saturating_add(rhs.0))
            }
        }

        impl Sub for $name {
            type Output = Self;
            /// Saturates at zero: an amount is never negative.
            fn sub(self, rhs: Self) -> Self {
                Self(self.0.saturating_sub(rhs.0))
            }
        }

        impl AddAssign for $name {
            fn add_assign(&mut self, rhs: Self) {
                *self = *self + rhs;
            }
        }

        impl std::iter::Sum for $name {
            fn sum<I: Iterator<Item = Self>>(iter: I) -> Self {
                iter.fold(Self(0), Add::add)
            }
        }
    };
}

amount! {
    /// CPU in nanocores: the unit of the metrics API, so that no sample is rounded.
    Cpu
}
amount! {
    /// Memory in bytes.
    Bytes
}
amount! {
    /// GPUs in thousandths, so that a slice of a shared device is a whole number.
    Gpu
}

impl Cpu {
    /// From thousandths of a core, the unit of most requests.
    pub const fn from_millis(millicores: u64) -> Self {
        Self(millicores * 1_000_000)
    }

    /// From whole cores.
    pub const fn from_cores(cores: u64) -> Self {
        Self(cores * 1_000_000_000)
    }

    /// In cores, for display.
    pub fn cores(self) -> f64 {
        self.0 as f64 / 1e9
    }
}

impl Bytes {
    /// From mebibytes (2^20 bytes).
    pub const fn from_mib(mib: u64) -> Self {
        Self(mib << 20)
    }

    /// From gibibytes (2^30 bytes).
    pub const fn from_gib(gib: u64) -> Self {
        Self(gib << 30)
    }

    /// In gibibytes, for display.
    pub fn gib(self) -> f64 {
        self.0 as f64 / f64::from(1u32 << 30)
    }
}

impl Gpu {
    /// From whole devices.
    pub const fn from_devices(devices: u64) -> Self {
        Self(devices * 1_000)
    }

    /// In devices, for display.
    pub fn devices(self) -> f64 {
        self.0 as f64 / 1e3
    }
}

/// One of the resources a node's price is split over.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Resource {
    /// CPU time.
    Cpu,
    /// Memory.
    Memory,
    /// GPUs.
    Gpu,
}

impl Resource {
    /// All of them, in the order every table shows them.
    pub const ALL: [Self; 3] = [Self::Cpu, Self::Memory, Self::Gpu];
}

/// An amount of each resource: a request, a usage or a capacity.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug, Serialize, Deserialize)]
pub struct Resources {
    /// CPU in nanocores.
    pub cpu: Cpu,
    /// Memory in bytes.
    pub memory: Bytes,
    /// GPUs in thousandths.
    pub gpu: Gpu,
}

impl Resources {
    /// The larger of the two, resource by resource.
    #[must_use]
    pub fn max(self, other: Self) -> Self {
        Self {
            cpu: self.cpu.max(other.cpu),
            memory: self.memory.max(other.memory),
            gpu: self.gpu.max(other.gpu),
        }
    }

    /// The bare number of one resource, in that resource's unit.
    pub const fn get(self, resource: Resource) -> u64 {
        match resource {
            Resource::Cpu => self.cpu.0,
            Resource::Memory => self.memory.0,
            Resource::Gpu => self.gpu.0,
        }
    }

    /// `count` times this amount.
    #[must_use]
    pub const fn times(self, count: u64) -> Self {
        Self {
            cpu: Cpu(self.cpu.0.saturating_mul(count)),
            memory: Bytes(self.memory.0.saturating_mul(count)),
            gpu: Gpu(self.gpu.0.saturating_mul(count)),
        }
    }
}

impl Add for Resources {
    type Output = Self;
    fn add(self, rhs: Self) -> Self {
        Self { cpu: self.cpu + rhs.cpu, memory: self.memory + rhs.memory, gpu: self.gpu + rhs.gpu }
    }
}

impl AddAssign for Resources {
    fn add_assign(&mut self, rhs: Self) {
        *self = *self + rhs;
    }
}

impl std::iter::Sum for Resources {
    fn sum<I: Iterator<Item = Self>>(iter: I) -> Self {
        iter.fold(Self::default(), Add::add)
    }
}
