//! Idle cost spread over those who cost something, where asked: by resource, to the last digit.

use nightcap_core::money::ByResource;
use nightcap_core::money::query::Table;
use nightcap_core::units::PicoUsd;

use super::error::Refusal;
use super::params::Params;

/// How idle cost is spread. Never without being asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Sharing {
    /// Each resource's in proportion to what a group pays for that resource.
    Weighted,
    /// The same for each group.
    Even,
}

impl Sharing {
    /// Reads the parameter; a bare `true` is `weighted`, as for `OpenCost`.
    pub(super) fn read(params: &mut Params, name: &'static str) -> Result<Option<Self>, Refusal> {
        let Some(value) = params.take(name) else { return Ok(None) };
        match value.to_ascii_lowercase().trim_matches('_') {
            "true" | "t" | "1" | "weighted" => Ok(Some(Self::Weighted)),
            "even" => Ok(Some(Self::Even)),
            "false" | "f" | "0" | "none" => Ok(None),
            _ => {
                Err(Refusal::bad("bad-value", format!("{name} is none of weighted, even and none"))
                    .value(&value))
            }
        }
    }
}

/// Adds to every group its part of each resource's idle cost, and returns these parts in the order of the groups.
/// What nobody can be charged for, since nobody used the resource, stays idle.
pub(super) fn share_idle(table: &mut Table, sharing: Sharing) -> Vec<ByResource> {
    let idle = table.idle.to_array();
    let mut left = idle;
    let mut parts = vec![[PicoUsd(0); 3]; table.groups.len()];
    for nth in 0..idle.len() {
        let costs = table.groups.values().map(|group| group.cost.to_array()[nth].0);
        let weights: Vec<i128> = match sharing {
            Sharing::Weighted => costs.collect(),
            Sharing::Even => costs.map(|_| 1).collect(),
        };
        let Some(shares) = proportional(idle[nth].0, &weights) else { continue };
        for (part, share) in parts.iter_mut().zip(shares) {
            part[nth] = PicoUsd(share);
        }
        left[nth] = PicoUsd(0);
    }
    let parts: Vec<ByResource> = parts.into_iter().map(ByResource::from_array).collect();
    for (group, &part) in table.groups.values_mut().zip(&parts) {
        group.cost += part;
    }
    table.idle = ByResource::from_array(left);
    parts
}

/// `amount` cut in proportion to `weights`, cumulatively, so that the parts add up to it. `None` without weights.
fn proportional(amount: i128, weights: &[i128]) -> Option<Vec<i128>> {
    // A correction can make a group negative within a short window: it gets no part then.
    let weight = |w: &i128| (*w).max(0);
    let all: i128 = weights.iter().map(weight).sum();
    if all == 0 {
        return None;
    }
    let (mut seen, mut given) = (0, 0);
    let parts = weights.iter().map(|w| {
        seen += weight(w);
        let until = scaled(amount, seen, all);
        let part = until - given;
        given = until;
        part
    });
    Some(parts.collect())
}

/// `amount` × `part` / `whole`, rounded down, without overflow for sums of money that exist.
fn scaled(amount: i128, part: i128, whole: i128) -> i128 {
    match amount.checked_mul(part) {
        Some(product) => product.div_euclid(whole),
        // Beyond 10^38: a millionth of a pico-dollar more or less does not matter to sums of that size, but the last
        // part must still end at the whole.
        None if part == whole => amount,
        None => amount / whole * part + (amount % whole).saturating_mul(part) / whole,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn idle_goes_where_cost_is() {
        assert_eq!(proportional(100, &[1, 0, 3]), Some(vec![25, 0, 75]));
        assert_eq!(proportional(10, &[1, 1, 1]), Some(vec![3, 3, 4]));
        assert_eq!(proportional(10, &[0, -4]), None);
        assert_eq!(proportional(10, &[]), None);
    }

    proptest! {
        #[test]
        fn parts_add_up(amount in 0i128..1 << 90, weights in prop::collection::vec(-5i128..1 << 90, 0..20)) {
            if let Some(parts) = proportional(amount, &weights) {
                prop_assert_eq!(parts.iter().sum::<i128>(), amount);
                prop_assert!(parts.iter().all(|&part| part >= 0), "{:?}", parts);
            }
        }
    }
}
