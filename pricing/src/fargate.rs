//! What EKS Fargate provisions for a pod, and so bills.

use nightcap_core::units::{Bytes, Cpu};

/// Added to a pod's memory for the kubelet, kube-proxy and containerd.
const OVERHEAD: Bytes = Bytes(256 << 20);
const GIB: u64 = 1 << 30;
const HALF: u64 = GIB / 2;

/// The sizes sold: vCPU in thousandths; least memory, most memory, and step, in halves of a GB.
const SIZES: [(u64, u64, u64, u64); 7] = [
    (250, 1, 4, 1),
    (500, 2, 8, 2),
    (1_000, 4, 16, 2),
    (2_000, 8, 32, 2),
    (4_000, 16, 60, 2),
    (8_000, 32, 120, 8),
    (16_000, 64, 240, 16),
];

/// A size of Fargate.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct FargateSize {
    /// vCPU.
    pub cpu: Cpu,
    /// Memory; Fargate's GB is 2^30 bytes.
    pub memory: Bytes,
}

impl FargateSize {
    /// The smallest size that holds what a pod requests. `None` if there is none so large.
    ///
    /// `cpu` and `memory` are the larger of the sum over its containers and the largest of its init containers.
    pub fn for_requests(cpu: Cpu, memory: Bytes) -> Option<Self> {
        let memory = memory.0.checked_add(OVERHEAD.0)?;
        SIZES.into_iter().find_map(|(milli, least, most, step)| {
            let size = Cpu::from_millis(milli);
            if size < cpu {
                return None;
            }
            // 0.25 vCPU comes with 0.5, 1 or 2 GB, not with 1.5.
            let allowed = (least..=most)
                .step_by(usize::try_from(step).ok()?)
                .filter(|halves| (milli, *halves) != (250, 3));
            let halves = allowed.into_iter().find(|halves| halves * HALF >= memory)?;
            Some(Self { cpu: size, memory: Bytes(halves * HALF) })
        })
    }

    /// Reads the annotation `CapacityProvisioned`, such as `0.25vCPU 0.5GB`.
    pub fn parse(annotation: &str) -> Option<Self> {
        let (cpu, memory) = annotation.trim().split_once(char::is_whitespace)?;
        let thousandths = |text: &str| crate::csv_text::decimal(text, 3);
        let cpu = thousandths(cpu.strip_suffix("vCPU")?)?;
        let memory = thousandths(memory.trim().strip_suffix("GB")?)?;
        let bytes = u128::from(memory) * u128::from(GIB) / 1_000;
        Some(Self { cpu: Cpu::from_millis(cpu), memory: Bytes(u64::try_from(bytes).ok()?) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size(milli: u64, halves: u64) -> FargateSize {
        FargateSize { cpu: Cpu::from_millis(milli), memory: Bytes(halves * HALF) }
    }

    #[test]
    fn requests_are_rounded_up_to_a_size_that_is_sold() {
        let mib = |mib: u64| Bytes(mib << 20);
        for (milli, memory, expected) in [
            (0, mib(0), Some(size(250, 1))),
            (250, mib(256), Some(size(250, 1))),
            (250, mib(257), Some(size(250, 2))),
            // 1 GiB and the overhead need 1.25 GB: of 0.25 vCPU the next is 2 GB.
            (250, mib(1_024), Some(size(250, 4))),
            (250, mib(1_792), Some(size(250, 4))),
            (250, mib(2_048), Some(size(500, 6))),
            (251, mib(100), Some(size(500, 2))),
            (1_000, mib(8_192), Some(size(2_000, 18))),
            (4_000, mib(30 * 1_024), Some(size(8_000, 64))),
            (8_000, mib(17 * 1_024), Some(size(8_000, 40))),
            (16_000, mib(100 * 1_024), Some(size(16_000, 208))),
            (16_001, mib(1), None),
            (250, mib(120 * 1_024), None),
            (250, Bytes(u64::MAX), None),
        ] {
            assert_eq!(
                FargateSize::for_requests(Cpu::from_millis(milli), memory),
                expected,
                "{milli} {memory:?}"
            );
        }
    }

    #[test]
    fn the_annotation_is_read() {
        for (text, expected) in [
            ("0.25vCPU 0.5GB", Some(size(250, 1))),
            ("4vCPU 30GB", Some(size(4_000, 60))),
            (" 16vCPU 120GB ", Some(size(16_000, 240))),
            ("0.25vCPU", None),
            ("0.25 0.5", None),
            ("xvCPU 1GB", None),
            ("-1vCPU 1GB", None),
            ("", None),
        ] {
            assert_eq!(FargateSize::parse(text), expected, "{text}");
        }
    }
}
