//! A node's price split over its resources, and a resource's price shared by who holds it.

use serde::{Deserialize, Serialize};

use crate::units::{Rate, Resource, Resources};

/// The price of a node per hour, by resource: all its CPU, all its memory, all its GPUs.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug, Serialize, Deserialize)]
pub struct ResourceRates {
    /// For all CPU.
    pub cpu: Rate,
    /// For all memory.
    pub memory: Rate,
    /// For all GPUs.
    pub gpu: Rate,
}

impl ResourceRates {
    /// One of them.
    pub const fn get(self, resource: Resource) -> Rate {
        match resource {
            Resource::Cpu => self.cpu,
            Resource::Memory => self.memory,
            Resource::Gpu => self.gpu,
        }
    }

    /// The node's whole price.
    pub fn total(self) -> Rate {
        self.cpu + self.memory + self.gpu
    }
}

/// What a core, a GiB of memory and a GPU are worth beside each other.
///
/// In any unit that is the same for all three: only the ratios count, a node costs what it costs. Whole numbers, so that no float decides money.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Split {
    /// Worth of one core.
    pub cpu_core: u32,
    /// Worth of one GiB of memory.
    pub ram_gib: u32,
    /// Worth of one GPU.
    pub gpu: u32,
}

impl Default for Split {
    /// OpenCost's ratio: the quotients of its default prices 0.031611, 0.95 and 0.004237 (opencost/opencost
    /// `configs/default.json`).
    fn default() -> Self {
        Self::per_gib(7_460_703, 224_215_247)
    }
}

impl Split {
    /// AWS's ratio for split cost allocation of EKS: one vCPU is worth nine GB of memory; with accelerators a GPU is
    /// worth 9, a vCPU 0.9 and a GB 0.1, so that a GPU is worth ninety GB.
    pub const AWS: Self = Self::per_gib(9_000_000, 90_000_000);

    /// By what a core and a GPU are worth in millionths of a GiB.
    pub const fn per_gib(cpu_core: u32, gpu: u32) -> Self {
        Self { cpu_core, ram_gib: 1_000_000, gpu }
    }

    /// By what a core, a GiB and a GPU cost per hour; none if one of them costs nothing, since all others would then
    /// pay for it.
    pub fn by_rates(cpu_core: Rate, ram_gib: Rate, gpu: Rate) -> Option<Self> {
        let rates = [cpu_core.0, ram_gib.0, gpu.0];
        if rates.contains(&0) {
            return None;
        }
        // Without their common factor, rates as people write them fit, and nothing is rounded.
        let factor = rates.into_iter().fold(0, gcd);
        let rates = rates.map(|rate| u128::from(rate / factor));
        let most = rates.into_iter().max()?;
        let fits = u128::from(u32::MAX);
        let [cpu_core, ram_gib, gpu] = rates.map(|rate| {
            let rate = if most > fits { (rate * fits / most).max(1) } else { rate };
            u32::try_from(rate).unwrap_or(u32::MAX)
        });
        Some(Self { cpu_core, ram_gib, gpu })
    }

    /// Splits `hourly` over `capacity`. The parts add up to `hourly` exactly; what rounding leaves goes to CPU.
    /// A node that offers nothing yet (a machine still joining) counts as one of CPU alone.
    pub fn rates(self, hourly: Rate, capacity: Resources) -> ResourceRates {
        // Exact for whole millicores and KiB, which is what nodes report.
        let cpu = (u128::from(capacity.cpu.0 / 1_000_000) * u128::from(self.cpu_core)) << 20;
        let memory = u128::from(capacity.memory.0 >> 10) * u128::from(self.ram_gib) * 1_000;
        let gpu = (u128::from(capacity.gpu.0) * u128::from(self.gpu)) << 20;
        let total = cpu + memory + gpu;
        if total == 0 {
            return ResourceRates { cpu: hourly, ..ResourceRates::default() };
        }
        // Down to 64 bits, so that weight × rate fits 128.
        let excess = (u128::BITS - total.leading_zeros()).saturating_sub(u64::BITS);
        let part = |weight: u128| part(hourly, weight >> excess, total >> excess);
        let (memory, gpu) = (part(memory), part(gpu));
        ResourceRates { cpu: hourly - memory - gpu, memory, gpu }
    }
}

/// The greatest common divisor; of nothing and a number, the number.
fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// `rate` × `part` / `whole`, rounded down.
fn part(rate: Rate, part: u128, whole: u128) -> Rate {
    // part ≤ whole, so the quotient is at most the rate and fits.
    Rate(u64::try_from(u128::from(rate.0) * part / whole).unwrap_or(rate.0))
}

/// What `charge` of a resource costs per hour on a node where all charges together are `sum`.
///
/// The whole resource costs `rate`; where more is charged than there is, everybody is scaled down alike. Rounded
/// down; what that leaves is idle's.
pub(super) fn share(rate: Rate, charge: u64, sum: u128, capacity: u64) -> Rate {
    if charge == 0 || rate.0 == 0 {
        return Rate(0);
    }
    let whole = sum.max(u128::from(capacity));
    // The common case in 64 bits: a 128-bit division is several times slower, and a pass makes millions of these.
    if let (Ok(whole), Some(product)) = (u64::try_from(whole), rate.0.checked_mul(charge)) {
        return Rate(product / whole);
    }
    part(rate, u128::from(charge), whole)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::{Bytes, Cpu, Gpu};
    use proptest::prelude::*;

    fn capacity(cores: u64, gib: u64, gpus: u64) -> Resources {
        Resources { cpu: Cpu::from_cores(cores), memory: Bytes::from_gib(gib), gpu: Gpu::from_devices(gpus) }
    }

    fn usd(rates: ResourceRates, cores: f64, gib: f64) -> (f64, f64) {
        (rates.cpu.usd_per_hour() / cores, rates.memory.usd_per_hour() / gib)
    }

    /// The worked nodes of OpenCost's ratio method: 4 vCPU, 16 GiB at $0.192; 8 vCPU, 61 GiB, 1 GPU at $3.06.
    #[test]
    fn default_split_is_opencosts_ratio() {
        let rates = Split::default().rates(Rate(192_000_000_000), capacity(4, 16, 0));
        let (cpu, memory) = usd(rates, 4.0, 16.0);
        assert!(
            (cpu - 0.031_247_101_464).abs() < 1e-8 && (memory - 0.004_188_224_634).abs() < 1e-8,
            "{rates:?}"
        );
        let rates = Split::default().rates(Rate(3_060_000_000_000), capacity(8, 61, 1));
        let (cpu, memory) = usd(rates, 8.0, 61.0);
        assert!(
            (cpu - 0.066_192_213_338).abs() < 1e-8 && (memory - 0.008_872_114_388).abs() < 1e-8,
            "{rates:?}"
        );
        assert!((rates.gpu.usd_per_hour() - 1.989_263_315_644).abs() < 1e-7, "{rates:?}");
    }

    /// AWS's own example: $1 an hour, 4 vCPU, 16 GB → 0.17308 a vCPU, 0.019231 a GB.
    #[test]
    fn aws_split_is_nine_to_one() {
        let rates = Split::AWS.rates(Rate(1_000_000_000_000), capacity(4, 16, 0));
        let (cpu, memory) = usd(rates, 4.0, 16.0);
        assert!((cpu - 0.173_077).abs() < 1e-6 && (memory - 0.019_231).abs() < 1e-6, "{rates:?}");
    }

    /// AWS's own example: $10 an hour, 8 GPUs, 64 vCPUs, 488 GB → 0.504484 a GPU, 0.0504484 a vCPU, 0.00560538 a GB.
    #[test]
    fn aws_split_values_accelerators_ten_times_a_core() {
        let rates = Split::AWS.rates(Rate(10_000_000_000_000), capacity(64, 488, 8));
        let (cpu, memory) = usd(rates, 64.0, 488.0);
        assert!((cpu - 0.050_448_4).abs() < 1e-7 && (memory - 0.005_605_38).abs() < 1e-8, "{rates:?}");
        assert!((rates.gpu.usd_per_hour() / 8.0 - 0.504_484).abs() < 1e-6, "{rates:?}");
    }

    const MICRO: u64 = 1_000_000;

    /// Rates of 0.03, 0.005 and 1.2 $ against nodes whose own prices are higher, lower and just the same.
    #[test]
    fn own_rates_decide_the_division_and_never_the_price() {
        let split =
            Split::by_rates(Rate(30_000 * MICRO), Rate(5_000 * MICRO), Rate(1_200_000 * MICRO)).unwrap();
        assert_eq!(split, Split { cpu_core: 6, ram_gib: 1, gpu: 240 });
        for (what, hourly, capacity, [cpu, memory, gpu]) in [
            // 4 × 0.03 + 16 × 0.005 = 0.20: three fifths and two fifths.
            ("at the rates", 200_000, capacity(4, 16, 0), [120_000, 80_000, 0]),
            ("dearer than the rates", 500_000, capacity(4, 16, 0), [300_000, 200_000, 0]),
            ("cheaper than the rates", 50_000, capacity(4, 16, 0), [30_000, 20_000, 0]),
            // 8 × 0.03 + 32 × 0.005 + 2 × 1.2 = 2.80: 3, 2 and 30 of 35 parts.
            ("with GPUs", 3_500_000, capacity(8, 32, 2), [300_000, 200_000, 3_000_000]),
            ("with GPUs, on spot", 700_000, capacity(8, 32, 2), [60_000, 40_000, 600_000]),
            ("GPUs alone", 700_000, capacity(0, 0, 2), [0, 0, 700_000]),
            ("free", 0, capacity(4, 16, 1), [0, 0, 0]),
        ] {
            let expected = ResourceRates {
                cpu: Rate(cpu * MICRO),
                memory: Rate(memory * MICRO),
                gpu: Rate(gpu * MICRO),
            };
            assert_eq!(split.rates(Rate(hourly * MICRO), capacity), expected, "{what}");
        }
    }

    #[test]
    fn rates_keep_their_ratios() {
        // As written by people: exactly.
        let opencost =
            Split::by_rates(Rate(31_611 * MICRO), Rate(4_237 * MICRO), Rate(950_000 * MICRO)).unwrap();
        assert_eq!(opencost, Split { cpu_core: 31_611, ram_gib: 4_237, gpu: 950_000 });
        // To the last pico-dollar: as near as 32 bits allow, and what is there never comes to nothing.
        let odd = Split::by_rates(Rate(999_999_999_999_999), Rate(1), Rate(500_000_000_000_000)).unwrap();
        assert_eq!(odd, Split { cpu_core: u32::MAX, ram_gib: 1, gpu: 2_147_483_647 });
        for rates in [[0, 1, 1], [1, 0, 1], [1, 1, 0], [0, 0, 0]] {
            let [cpu, ram, gpu] = rates.map(Rate);
            assert_eq!(Split::by_rates(cpu, ram, gpu), None, "{rates:?}");
        }
    }

    #[test]
    fn node_without_capacity_is_all_cpu() {
        let rates = Split::default().rates(Rate(5), Resources::default());
        assert_eq!(rates, ResourceRates { cpu: Rate(5), ..ResourceRates::default() });
    }

    proptest! {
        #[test]
        fn parts_add_up_to_the_price(
            price in 0u64..=u64::MAX >> 1,
            cpu in 0u64..1_000_000_000_000_000,
            memory in 0u64..1 << 50,
            gpu in 0u64..100_000,
        ) {
            let capacity = Resources { cpu: Cpu(cpu), memory: Bytes(memory), gpu: Gpu(gpu) };
            let most = Split { cpu_core: u32::MAX, ram_gib: u32::MAX, gpu: u32::MAX };
            for split in [Split::default(), Split::AWS, most, Split { ram_gib: 1, ..most }] {
                prop_assert_eq!(split.rates(Rate(price), capacity).total(), Rate(price));
            }
        }

        #[test]
        fn shares_never_exceed_the_rate(
            rate in 0u64..1_000_000_000_000_000,
            capacity in 0u64..1 << 50,
            charges in prop::collection::vec(0u64..1 << 50, 0..20),
        ) {
            let sum: u128 = charges.iter().map(|&c| u128::from(c)).sum();
            let shared: u128 = charges.iter().map(|&c| u128::from(share(Rate(rate), c, sum, capacity).0)).sum();
            prop_assert!(shared <= u128::from(rate));
        }
    }
}
