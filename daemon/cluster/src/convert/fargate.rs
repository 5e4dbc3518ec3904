//! What EKS Fargate has set aside for a pod, and bills: its requests rounded up to a size that is sold.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use nightcap_core::units::{Bytes, Cpu, Gpu, Resources};

/// Written by Fargate on each of its pods, such as `0.25vCPU 0.5GB`; a GB is 2^30 bytes there.
const PROVISIONED: &str = "CapacityProvisioned";

/// How Fargate calls its nodes.
const NODE: &str = "fargate-";

/// What the pod is billed for; `None` for pods on other nodes, where the annotation is whatever somebody wrote there,
/// and for a text that is none of these.
pub(super) fn provisioned(meta: &ObjectMeta, node: Option<&str>) -> Option<Resources> {
    node.filter(|node| node.starts_with(NODE))?;
    let text = meta.annotations.as_ref()?.get(PROVISIONED)?;
    let (cpu, memory) = text.trim().split_once(' ')?;
    let cpu = thousandths(cpu.trim().strip_suffix("vCPU")?)?;
    let memory = thousandths(memory.trim().strip_suffix("GB")?)?;
    Some(Resources {
        cpu: Cpu::from_millis(cpu),
        memory: Bytes(u64::try_from((u128::from(memory) << 30) / 1_000).ok()?),
        gpu: Gpu(0),
    })
}

/// A decimal number with at most three digits after its point, in thousandths.
fn thousandths(text: &str) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let is_number = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || fraction.len() > 3 || !is_number(whole) || !is_number(fraction) {
        return None;
    }
    format!("{whole}{fraction:0<3}").parse().ok().filter(|&number| number < 1_000_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<(u64, u64)> {
        let annotations = Some([(PROVISIONED.to_owned(), text.to_owned())].into());
        let meta = ObjectMeta { annotations, ..ObjectMeta::default() };
        assert_eq!(provisioned(&meta, Some("ip-10-0-1-2.ec2.internal")), None);
        let of = provisioned(&meta, Some("fargate-ip-10-0-1-2.us-west-2.compute.internal"))?;
        Some((of.cpu.0 / 1_000_000, of.memory.0 >> 20))
    }

    #[test]
    fn sizes_of_fargate_are_read_and_other_texts_are_not() {
        for (text, expected) in [
            ("0.25vCPU 0.5GB", Some((250, 512))),
            ("1vCPU 2GB", Some((1_000, 2_048))),
            ("16vCPU 120GB", Some((16_000, 122_880))),
            ("", None),
            ("1vCPU", None),
            ("one vCPU 2GB", None),
            ("1vCPU -2GB", None),
            ("1.23456vCPU 2GB", None),
            ("99999999999999999999vCPU 2GB", None),
        ] {
            assert_eq!(read(text), expected, "{text:?}");
        }
    }
}
