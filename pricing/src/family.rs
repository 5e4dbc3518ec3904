//! Families of instance types: which part of a name is the family, and whether its sizes cost in proportion.

use std::borrow::Cow;

use nightcap_core::cluster::Provider;

/// The family in a type's name: `m5` of `m5.xlarge`, `Dsv3` of `Standard_D4s_v3`, `n2-standard` of `n2-standard-8`.
///
/// The whole name where the naming of its provider is not known.
pub(crate) fn family(provider: Provider, instance_type: &str) -> Cow<'_, str> {
    match provider {
        Provider::Aws | Provider::Unknown => {
            instance_type.split_once('.').map_or(instance_type, |(family, _)| family).into()
        }
        Provider::Gcp => {
            // c3-standard-8-lssd: the size is in the middle, and what follows it is a family of its own.
            let is_size = |part: &str| part.starts_with(|c: char| c.is_ascii_digit());
            let parts = instance_type.split('-').enumerate().filter(|(at, part)| *at == 0 || !is_size(part));
            parts.map(|(_, part)| part).collect::<Vec<_>>().join("-").into()
        }
        Provider::Azure => {
            let name = instance_type.strip_prefix("Standard_").unwrap_or(instance_type);
            let letters = name.trim_start_matches(|c: char| c.is_ascii_alphabetic());
            let rest = letters.trim_start_matches(|c: char| c.is_ascii_digit() || c == '-');
            let series = name.strip_suffix(letters).unwrap_or(name);
            format!("{series}{}", rest.replace('_', "")).into()
        }
    }
}

/// Whether this size costs in proportion to its family's.
///
/// Bare metal does not (the source has some at dedicated tenancy, 6 to 10 % more), nor do Azure's sizes with some of
/// their CPUs switched off (`E16-8s_v3` costs as much as `E16s_v3`).
pub(crate) fn is_proportional(provider: Provider, instance_type: &str) -> bool {
    match provider {
        Provider::Azure => !instance_type.contains('-'),
        _ => !instance_type.contains("metal"),
    }
}

/// A GCP type put together from cores and memory.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct CustomType<'a> {
    /// `n2` of `n2-custom-4-8192`, `n1` of `custom-4-8192`.
    pub(crate) series: &'a str,
    /// Billed cores.
    pub(crate) vcpus: f64,
    /// Memory.
    pub(crate) memory_gib: f64,
}

/// Reads `[SERIES-]custom-VCPUS-MIB[-ext]`, or `e2-custom-{micro,small,medium}-MIB`, whose two cores are shared.
pub(crate) fn custom_type(instance_type: &str) -> Option<CustomType<'_>> {
    let (series, rest) = match instance_type.strip_prefix("custom-") {
        Some(rest) => ("n1", rest),
        None => instance_type.split_once("-custom-")?,
    };
    let (size, memory) = rest.strip_suffix("-ext").unwrap_or(rest).split_once('-')?;
    let vcpus = match size {
        "micro" => 0.25,
        "small" => 0.5,
        "medium" => 1.0,
        number => f64::from(number.parse::<u16>().ok()?),
    };
    let memory_gib = f64::from(memory.parse::<u32>().ok()?) / 1024.0;
    Some(CustomType { series, vcpus, memory_gib })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_naming_has_its_families() {
        use Provider::{Aws, Azure, Gcp, Unknown};
        for (provider, name, expected, proportional) in [
            (Aws, "m5.xlarge", "m5", true),
            (Aws, "u-6tb1.112xlarge", "u-6tb1", true),
            (Aws, "m5.metal", "m5", false),
            (Aws, "c8gn.metal-48xl", "c8gn", false),
            (Azure, "Standard_D4s_v3", "Dsv3", true),
            (Azure, "Standard_D16lds_v5", "Dldsv5", true),
            (Azure, "Standard_E16-8s_v3", "Esv3", false),
            (Azure, "Standard_NC96ads_A100_v4", "NCadsA100v4", true),
            (Azure, "Standard_B1ms", "Bms", true),
            (Gcp, "n2-standard-4", "n2-standard", true),
            (Gcp, "c3-standard-8-lssd", "c3-standard-lssd", true),
            (Gcp, "c3-standard-192-metal", "c3-standard-metal", false),
            (Gcp, "a2-highgpu-1g", "a2-highgpu", true),
            (Gcp, "e2-micro", "e2-micro", true),
            (Gcp, "n2-custom-4-8192", "n2-custom", true),
            (Unknown, "m1.large", "m1", true),
            (Unknown, "box", "box", true),
            (Unknown, "", "", true),
        ] {
            assert_eq!(family(provider, name), expected, "{name}");
            assert_eq!(is_proportional(provider, name), proportional, "{name}");
        }
    }

    #[test]
    fn a_custom_type_tells_its_shape() {
        let shape = |series, vcpus, memory_gib| Some(CustomType { series, vcpus, memory_gib });
        for (name, expected) in [
            ("custom-4-30720-ext", shape("n1", 4.0, 30.0)),
            ("n2-custom-8-16384", shape("n2", 8.0, 16.0)),
            ("e2-custom-small-2048", shape("e2", 0.5, 2.0)),
            ("n2-standard-4", None),
            ("custom-4", None),
            ("custom-four-1024", None),
            ("n2-custom--1-1024", None),
        ] {
            assert_eq!(custom_type(name), expected, "{name}");
        }
    }
}
