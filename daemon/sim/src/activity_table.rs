//! Five tables of 168 numbers: how active real machines and real developers are in each hour of the week.
//!
//! The first number is Monday 00:00-01:00 on the local clock; each line is a day.
//!
//! # Where they come from
//!
//! * Machines: GWA-T-12 Bitbrains, trace "rnd" (500 virtual machines, July to September 2013), by Bitbrains IT
//!   Services; see Shen, van Beek and Iosup, *Statistical characterization of business-critical workloads hosted in
//!   cloud datacenters*, `CCGrid` 2015. Only the sums below are kept, of 250 of the machines; the trace itself is not
//!   part of this project.
//! * Developers: 9,079 commits by 54 developers since 2022 in ten public projects under the Apache-2.0 licence. Only
//!   the counts below are kept.
//!
//! # How they were derived
//!
//! Time is cut into slots of 300 s, slot 0 being Monday 2013-07-01 00:00 in Europe/Amsterdam. A slot of a machine is
//! *used* when its network traffic (received and sent) is above both 2,000 B/s and three times the machine's July
//! median over nights (22-06) and weekends, with at least two of three neighbouring slots above it; slots of the day
//! that are used on 75 % of all days or more, weekends too, and are at most 3 h a day in all, count as automation and
//! are left out. A machine is near-idle when less than 0.5 % of its slots are used, busy above 50 %, office-like when
//! at least 60 % of its use falls on Monday to Friday 07-20, else intermittent. The number of an hour of the week is
//! the mean over all machines of the group and all weeks: used slots in that hour / slots in that hour, times 1,000,
//! rounded. The three days that were not recorded (31 July, 31 August, 30 September) are left out.
//!
//! A commit counts for the hour of the week of its author time in its own time zone offset; the counts are divided by
//! their sum, times 100,000, rounded.

/// Thousandths of the hour in which an office-like machine was used.
#[rustfmt::skip]
pub(crate) const OFFICE_LIKE: [u16; 168] = [
    19, 14, 9, 12, 14, 14, 19, 64, 79, 124, 141, 163, 144, 156, 165, 177, 165, 116, 78, 48, 44, 46, 35, 35,
    27, 18, 15, 18, 15, 9, 16, 53, 89, 140, 173, 176, 152, 175, 167, 177, 178, 128, 91, 50, 48, 46, 37, 30,
    26, 20, 13, 16, 16, 10, 16, 54, 91, 144, 163, 195, 160, 165, 157, 173, 164, 124, 78, 49, 40, 43, 37, 28,
    25, 21, 12, 13, 18, 10, 18, 52, 92, 143, 156, 184, 161, 184, 154, 177, 177, 126, 85, 56, 47, 55, 39, 29,
    24, 14, 8, 10, 14, 8, 17, 49, 84, 133, 150, 164, 148, 154, 133, 148, 137, 103, 63, 53, 32, 29, 20, 19,
    22, 15, 9, 13, 14, 8, 8, 8, 17, 17, 14, 14, 17, 14, 11, 15, 20, 25, 23, 12, 17, 15, 12, 8,
    11, 10, 11, 8, 17, 6, 7, 9, 13, 15, 15, 16, 15, 16, 12, 15, 27, 31, 28, 21, 27, 34, 22, 20
,
];

/// Thousandths of the hour in which an intermittently used machine was used.
#[rustfmt::skip]
pub(crate) const INTERMITTENT: [u16; 168] = [
    91, 98, 110, 125, 106, 95, 93, 91, 88, 114, 142, 150, 140, 149, 154, 153, 149, 149, 131, 124, 149, 129, 126, 129,
    130, 134, 136, 154, 139, 123, 111, 109, 108, 134, 139, 140, 146, 161, 148, 166, 178, 170, 142, 122, 152, 142, 131, 117,
    113, 114, 120, 138, 120, 101, 95, 101, 111, 132, 130, 126, 112, 132, 149, 147, 141, 142, 116, 109, 156, 142, 126, 133,
    113, 131, 140, 154, 145, 128, 115, 123, 119, 130, 135, 157, 165, 166, 155, 148, 161, 147, 129, 116, 145, 149, 131, 131,
    130, 145, 143, 164, 135, 119, 105, 100, 93, 129, 142, 171, 153, 157, 158, 171, 156, 155, 156, 149, 156, 152, 138, 135,
    143, 151, 156, 184, 164, 133, 112, 112, 106, 93, 96, 103, 101, 93, 97, 102, 94, 96, 97, 100, 111, 90, 93, 87,
    97, 109, 133, 143, 130, 115, 111, 105, 101, 102, 105, 104, 103, 103, 110, 111, 105, 103, 99, 98, 119, 116, 100, 101
,
];

/// Thousandths of the hour in which a nearly always idle machine was used.
#[rustfmt::skip]
pub(crate) const NEAR_IDLE: [u16; 168] = [
    1, 0, 3, 2, 1, 1, 0, 1, 1, 1, 1, 2, 3, 1, 2, 2, 2, 1, 1, 1, 0, 0, 1, 1,
    0, 1, 3, 3, 1, 0, 2, 5, 2, 2, 5, 3, 1, 3, 3, 3, 2, 0, 0, 0, 1, 0, 2, 1,
    1, 1, 2, 1, 0, 1, 0, 1, 1, 0, 1, 1, 1, 1, 2, 2, 2, 2, 1, 0, 0, 1, 1, 1,
    2, 1, 2, 2, 2, 0, 0, 1, 0, 1, 1, 3, 1, 2, 3, 4, 4, 2, 1, 1, 0, 0, 1, 1,
    0, 0, 2, 1, 0, 0, 0, 2, 0, 1, 1, 1, 0, 1, 2, 2, 0, 1, 0, 0, 0, 0, 0, 1,
    0, 0, 2, 2, 1, 0, 0, 2, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0,
    1, 1, 6, 2, 2, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1
,
];

/// Thousandths of the hour in which a busy machine was used.
#[rustfmt::skip]
pub(crate) const BUSY: [u16; 168] = [
    473, 509, 470, 473, 468, 463, 506, 614, 644, 636, 669, 700, 724, 734, 764, 751, 733, 676, 659, 637, 646, 634, 621, 653,
    532, 526, 507, 505, 494, 481, 544, 655, 672, 682, 668, 683, 669, 697, 652, 713, 729, 670, 662, 673, 661, 644, 619, 632,
    576, 573, 546, 558, 517, 535, 582, 685, 697, 707, 703, 714, 697, 741, 749, 744, 742, 716, 653, 642, 669, 615, 543, 590,
    471, 480, 486, 502, 478, 482, 550, 655, 670, 712, 715, 739, 719, 740, 741, 734, 770, 672, 638, 658, 652, 679, 683, 734,
    607, 603, 576, 587, 562, 561, 619, 712, 706, 744, 747, 762, 772, 748, 728, 771, 735, 699, 660, 614, 597, 603, 584, 672,
    547, 534, 529, 541, 537, 536, 492, 520, 561, 567, 613, 565, 579, 561, 580, 537, 547, 520, 536, 529, 537, 513, 502, 591,
    513, 500, 499, 502, 497, 493, 496, 511, 554, 563, 583, 614, 611, 573, 609, 577, 589, 524, 551, 511, 536, 544, 573, 601
,
];

/// Of 100,000 commits, those made in this hour of the week, by their authors' clocks.
#[rustfmt::skip]
pub(crate) const COMMITS: [u16; 168] = [
    11, 55, 22, 44, 22, 33, 99, 231, 551, 1454, 1619, 1983, 1355, 1366, 1795, 1674, 1443, 1333, 947, 716, 628, 485, 419, 430,
    209, 55, 33, 33, 77, 88, 132, 253, 815, 1575, 2071, 2016, 1344, 1696, 1773, 1663, 1619, 1278, 881, 374, 374, 242, 319, 176,
    187, 121, 66, 77, 55, 55, 99, 363, 628, 1608, 2071, 1883, 1586, 1718, 2104, 2005, 1597, 1355, 683, 507, 374, 253, 297, 419,
    143, 99, 33, 22, 66, 99, 154, 529, 727, 1762, 1983, 2082, 1322, 1784, 1806, 1674, 1817, 1201, 903, 595, 463, 363, 286, 198,
    132, 44, 22, 22, 0, 88, 143, 330, 507, 1685, 2060, 1839, 1685, 1630, 1751, 1707, 1641, 925, 661, 275, 242, 165, 242, 132,
    88, 121, 44, 0, 22, 33, 33, 22, 66, 99, 132, 99, 77, 110, 88, 77, 44, 99, 66, 132, 110, 88, 66, 55,
    77, 22, 22, 11, 0, 0, 11, 11, 55, 44, 66, 110, 121, 143, 110, 66, 198, 154, 176, 143, 154, 231, 242, 88,
];
