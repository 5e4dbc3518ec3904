//! An amount cut into whole parts in proportion to weights, by largest remainder: the parts add up to the amount.

/// `amount` in proportion to `weights`. What flooring leaves goes, one each, to the largest remainders, of equal ones to
/// the first. Weights below zero (a correction can make them so) count as zero. `None` without weight.
pub(super) fn spread(amount: i128, weights: &[i128]) -> Option<Vec<i128>> {
    let widest = weights.iter().copied().max().filter(|&widest| widest > 0)?;
    let count = i128::try_from(weights.len()).ok()?;
    // So that amount × weight and the sum of weights fit 126 bits. Weights lose their last binary digits only where
    // sums of money are beyond all that exist.
    let bits = |value: i128| 128 - value.unsigned_abs().leading_zeros();
    let over = (bits(amount) + bits(widest) + bits(count)).saturating_sub(126);
    let weight = |weight: i128| weight.max(0) >> over;
    let all: i128 = weights.iter().map(|&w| weight(w)).sum();
    if all == 0 {
        return None;
    }
    let sign = if amount < 0 { -1 } else { 1 };
    let amount = amount.checked_abs()?;
    let mut parts = Vec::with_capacity(weights.len());
    let mut remainders = Vec::with_capacity(weights.len());
    let mut left = amount;
    for (nth, &w) in weights.iter().enumerate() {
        let product = amount * weight(w);
        let part = product / all;
        left -= part;
        parts.push(part);
        remainders.push((product % all, nth));
    }
    if left > 0 {
        remainders.sort_unstable_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
        for &(_, nth) in remainders.iter().take(usize::try_from(left).unwrap_or(usize::MAX)) {
            parts[nth] += 1;
        }
    }
    for part in &mut parts {
        *part *= sign;
    }
    Some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_left_goes_to_the_largest_remainders() {
        assert_eq!(spread(100, &[1, 0, 3]), Some(vec![25, 0, 75]));
        assert_eq!(spread(10, &[1, 1, 1]), Some(vec![4, 3, 3]));
        assert_eq!(spread(10, &[2, 3, 2]), Some(vec![3, 4, 3]));
        assert_eq!(spread(-10, &[2, 3, 2]), Some(vec![-3, -4, -3]));
        assert_eq!(spread(0, &[2, 3]), Some(vec![0, 0]));
        assert_eq!(spread(10, &[0, -4]), None);
        assert_eq!(spread(10, &[]), None);
    }

    proptest! {
        #[test]
        fn parts_add_up_and_nobody_pays_for_nothing(
            amount in -(1i128 << 90)..1 << 90,
            weights in prop::collection::vec(-5i128..1 << 90, 0..20),
        ) {
            if let Some(parts) = spread(amount, &weights) {
                prop_assert_eq!(parts.iter().sum::<i128>(), amount);
                for (part, weight) in parts.iter().zip(&weights) {
                    prop_assert!(part.signum() * amount.signum() >= 0);
                    prop_assert!(*weight > 0 || *part == 0);
                }
            }
        }

        #[test]
        fn order_changes_a_part_by_one_at_most(
            amount in 0i128..1 << 60,
            weights in prop::collection::vec(0i128..1 << 60, 1..10),
        ) {
            let mut turned = weights.clone();
            turned.reverse();
            if let (Some(parts), Some(mut other)) = (spread(amount, &weights), spread(amount, &turned)) {
                other.reverse();
                prop_assert!(parts.iter().zip(&other).all(|(a, b)| (a - b).abs() <= 1));
            }
        }
    }
}
