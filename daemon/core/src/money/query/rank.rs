//! The costliest groups, and the rest as one.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::group::Group;
use super::table::Others;

/// Keeps the `top` costliest groups, of equally costly ones the first by name, and sums up the rest.
pub(super) fn top(groups: &mut BTreeMap<Vec<Arc<str>>, Group>, top: usize) -> Option<Others> {
    if groups.len() <= top {
        return None;
    }
    let mut ranked: Vec<_> = std::mem::take(groups).into_iter().collect();
    // Stable: names stay in order where costs are equal.
    ranked.sort_by_key(|(_, group)| std::cmp::Reverse(group.costs.total()));
    let rest = ranked.split_off(top);
    groups.extend(ranked);
    let count = rest.len();
    let group = rest.into_iter().fold(Group::default(), |mut sum, (_, group)| {
        sum.absorb(group);
        sum
    });
    Some(Others { count, group })
}
