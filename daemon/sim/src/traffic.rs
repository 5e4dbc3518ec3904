//! How much a space's network carries at an instant: each space behaves as one of the measured machines of its kind.

use nightcap_core::units::{Instant, Millis};

use crate::activity::Activity;
use crate::rng::{hash, scale};
use crate::traffic_table::{
    AUTOMATION, AUTOMATION_RECEIVED, AUTOMATION_SLOTS, FLOOR_LASTS, INTERMITTENT, Machine, NEAR_IDLE,
    OFFICE_LIKE, USED_LASTS,
};

/// Time is cut into slots of this length, as in the measurement.
pub(crate) const SLOT: Millis = Millis::from_minutes(5);
/// Slots of an hour.
const SLOTS_AN_HOUR: u64 = 12;
/// A rank is not traced back further than this.
const LONGEST_STAY: u64 = 24;
/// Automation starts in the first hours of the day.
const NIGHT: u64 = 5 * SLOTS_AN_HOUR;

// One seed, several streams of chance: each is hashed with a salt of its own.
const MACHINE: u64 = 0x6d61_6368_696e_6531;
const WHEN: u64 = 0x7768_656e_7573_6564;
const USED: u64 = 0x7573_6564_7261_6e6b;
const FLOOR: u64 = 0x666c_6f6f_7272_6e6b;
const STAYS: u64 = 0x7374_6179_7368_6572;
const NIGHTLY: u64 = 0x6e69_6768_746c_7921;

/// Bytes a second.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) struct Flow {
    pub(crate) received: u64,
    pub(crate) sent: u64,
}

impl Flow {
    fn of(both: u64, thousandths_received: u16) -> Self {
        let received = both * u64::from(thousandths_received) / 1_000;
        Self { received, sent: both - received }
    }
}

/// The slot that `at` is in.
pub(crate) const fn slot_of(at: Instant) -> i64 {
    at.0.div_euclid(SLOT.0)
}

/// The machine that the space with this seed behaves as.
pub(crate) fn machine(activity: Activity, seed: u64) -> &'static Machine {
    let machines: &[Machine] = match activity {
        Activity::OfficeLike => &OFFICE_LIKE,
        Activity::Intermittent | Activity::Busy => &INTERMITTENT,
        Activity::NearIdle => &NEAR_IDLE,
    };
    let nth = usize::try_from(scale(hash(seed ^ MACHINE, 0), machines.len() as u64)).unwrap_or(0);
    &machines[nth.min(machines.len() - 1)]
}

/// Whether somebody uses the space in this slot while it is `level` thousandths active. Those who come in an hour use
/// it in one go, so that over many hours as many slots are used as the tables of activity say.
pub(crate) fn is_used(seed: u64, slot: i64, level: u64) -> bool {
    let slot = slot.cast_unsigned();
    let (hour, nth) = (slot / SLOTS_AN_HOUR, slot % SLOTS_AN_HOUR);
    let length = (level * SLOTS_AN_HOUR / 1_000).min(SLOTS_AN_HOUR);
    let first = scale(hash(seed ^ WHEN, hour), SLOTS_AN_HOUR - length + 1);
    (first..first + length).contains(&nth)
}

/// What the space with this seed carries in this slot. Depends on nothing else, so that it can be asked in any order.
pub(crate) fn flow(machine: &Machine, seed: u64, slot: i64, used: bool) -> Flow {
    let slot = slot.cast_unsigned();
    if used {
        Flow::of(quantile(&machine.used, rank(seed ^ USED, slot, USED_LASTS)), machine.used_received)
    } else {
        let rank = floor_rank(seed ^ FLOOR, slot, u64::from(machine.peaks_every).max(1));
        Flow::of(quantile(&machine.floor, rank), machine.floor_received)
    }
}

/// What a nightly copy of the data of the workload with this seed carries in this slot; the slot is one of its place's
/// own clocks. Most days at the same time, as automation does.
pub(crate) fn nightly(seed: u64, local_slot: i64) -> Flow {
    let slots_a_day = i64::try_from(24 * SLOTS_AN_HOUR).unwrap_or(i64::MAX);
    let (day, nth) = (local_slot.div_euclid(slots_a_day), local_slot.rem_euclid(slots_a_day));
    let first = i64::try_from(scale(hash(seed ^ NIGHTLY, 0), NIGHT)).unwrap_or(0);
    if !(first..first + AUTOMATION_SLOTS).contains(&nth) {
        return Flow::default();
    }
    let chance = hash(seed ^ NIGHTLY, (day * slots_a_day + nth).cast_unsigned());
    Flow::of(quantile(&AUTOMATION, chance), AUTOMATION_RECEIVED)
}

/// As [`rank`], but the largest ranks come by the clock, one in `peaks_every` slots: never two in a row, which would be
/// use.
fn floor_rank(seed: u64, slot: u64, peaks_every: u64) -> u64 {
    let peak = u64::MAX / peaks_every;
    let low = u64::MAX - peak;
    if slot % peaks_every == scale(hash(seed, u64::MAX), peaks_every) {
        low + scale(hash(seed, slot), peak)
    } else {
        scale(rank(seed, slot, FLOOR_LASTS), low)
    }
}

/// A number that looks random and stays the same for a while: in `lasts` of 1,000 cases the next slot has it too. So
/// neighbours are as alike as measured, and over many slots all numbers are as frequent.
fn rank(seed: u64, slot: u64, lasts: u16) -> u64 {
    let began = (0..LONGEST_STAY)
        .map(|back| slot.wrapping_sub(back))
        .find(|&slot| scale(hash(seed ^ STAYS, slot), 1_000) >= u64::from(lasts));
    hash(seed, began.unwrap_or(slot))
}

/// The value at a rank of 64 bits, between two quantiles in proportion.
fn quantile(of: &[u32; 21], rank: u64) -> u64 {
    let place = scale(rank, 20_000);
    let (nth, part) = (usize::try_from(place / 1_000).unwrap_or(0), place % 1_000);
    let (low, high) = (u64::from(of[nth]), u64::from(of[nth + 1]));
    low + (high - low) * part / 1_000
}

#[cfg(test)]
mod tests {
    use super::*;

    const GROUPS: [&[Machine]; 3] = [&OFFICE_LIKE, &INTERMITTENT, &NEAR_IDLE];

    fn sums(of: &Machine, seed: u64, used: bool) -> Vec<u64> {
        let mut sums: Vec<u64> = (0..30_000)
            .map(|slot| flow(of, seed, slot, used))
            .map(|flow| flow.received + flow.sent)
            .collect();
        sums.sort_unstable();
        sums
    }

    #[test]
    fn tables_are_in_order_so_that_nothing_underflows() {
        for machine in GROUPS.into_iter().flatten() {
            assert!(machine.used.is_sorted() && machine.floor.is_sorted(), "{machine:?}");
            assert!(machine.used_received <= 1_000 && machine.floor_received <= 1_000);
        }
        assert!(AUTOMATION.is_sorted() && AUTOMATION_RECEIVED <= 1_000);
    }

    #[test]
    fn drawn_slots_have_the_machine_s_quantiles_used_and_unused() {
        for (nth, machine) in GROUPS.into_iter().flatten().enumerate() {
            for (used, table) in [(true, &machine.used), (false, &machine.floor)] {
                let drawn = sums(machine, nth as u64, used);
                for (place, expected) in [(2, table[2]), (10, table[10]), (19, table[19])] {
                    // What lies below the quantile, give or take two hundredths of all.
                    let below = drawn.partition_point(|sum| *sum < u64::from(expected));
                    let up_to = drawn.partition_point(|sum| *sum <= u64::from(expected));
                    let wanted = drawn.len() * place / 20;
                    let slack = drawn.len() / 50;
                    assert!(
                        below <= wanted + slack && up_to + slack >= wanted,
                        "machine {nth}, used {used}: {below}..{up_to} of {} up to {expected}",
                        drawn.len()
                    );
                }
            }
        }
    }

    #[test]
    fn neighbouring_slots_are_as_alike_as_measured() {
        for lasts in [USED_LASTS, FLOOR_LASTS] {
            let ranks: Vec<u64> = (0..40_000).map(|slot| rank(11, slot, lasts)).collect();
            let same = ranks.windows(2).filter(|pair| pair[0] == pair[1]).count() * 1_000 / (ranks.len() - 1);
            assert!(same.abs_diff(usize::from(lasts)) <= 12, "{same} instead of {lasts}");
        }
    }

    #[test]
    fn as_many_slots_of_an_hour_are_used_as_its_level_says_and_in_one_go() {
        for (level, expected) in [(0, 0), (250, 3), (500, 6), (750, 9), (1_000, 12)] {
            for hour in 0..200 {
                let used: Vec<i64> =
                    (hour * 12..hour * 12 + 12).filter(|&slot| is_used(5, slot, level)).collect();
                assert_eq!(used.len(), expected, "level {level}, hour {hour}");
                assert!(used.windows(2).all(|pair| pair[1] == pair[0] + 1), "{used:?}");
            }
        }
    }

    #[test]
    fn nightly_copy_is_made_every_night_in_the_same_slots() {
        for seed in 0..50 {
            let slots: std::collections::BTreeSet<i64> = (0..30 * 288)
                .filter(|&slot| nightly(seed, slot) != Flow::default())
                .map(|slot| slot % 288)
                .collect();
            let (first, last) = (*slots.first().unwrap(), *slots.last().unwrap());
            assert_eq!((slots.len(), last - first), (5, 4), "{slots:?}");
            assert!(last < 60 + 5, "{slots:?}");
        }
    }
}
