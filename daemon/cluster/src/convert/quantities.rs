//! Resource lists: names and quantities, as requests, capacities and usages carry them.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use nightcap_core::units::{Resources, parse_bytes, parse_cpu, parse_gpu};

use super::ReadError;

/// GPU resources that are not called `<vendor>/gpu`.
const OTHER_GPUS: [&str; 3] = ["nvidia.com/gpu.shared", "gpu.intel.com/i915", "gpu.intel.com/xe"];

/// A list of quantities as the three resources money is split over. `field` says where the list stands.
pub(super) fn resources(
    list: Option<&BTreeMap<String, Quantity>>,
    field: impl Fn() -> String,
) -> Result<Resources, ReadError> {
    resources_of(
        list.into_iter().flatten().map(|(name, quantity)| (name.as_str(), quantity.0.as_str())),
        field,
    )
}

/// Names and texts as the three resources money is split over. What is none of them is left out.
pub(crate) fn resources_of<'a>(
    list: impl Iterator<Item = (&'a str, &'a str)>,
    field: impl Fn() -> String,
) -> Result<Resources, ReadError> {
    let mut sum = Resources::default();
    for (name, text) in list {
        let read = match name {
            "cpu" => parse_cpu(text).map(|cpu| sum.cpu = cpu),
            "memory" => parse_bytes(text).map(|memory| sum.memory = memory),
            name if is_gpu(name) => parse_gpu(text).map(|gpu| sum.gpu += gpu),
            _ => Ok(()),
        };
        read.map_err(|source| ReadError::Quantity { field: format!("{}.{name}", field()), source })?;
    }
    Ok(sum)
}

fn is_gpu(name: &str) -> bool {
    name.ends_with("/gpu") || OTHER_GPUS.contains(&name)
}
