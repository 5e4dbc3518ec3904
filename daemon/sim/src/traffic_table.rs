//! How much real machines received and sent: quantiles over slots of five minutes, in bytes a second.
//!
//! # Where they come from
//!
//! GWA-T-12 Bitbrains, trace "rnd" (July to September 2013), by Bitbrains IT Services; see Shen, van Beek and Iosup,
//! *Statistical characterization of business-critical workloads hosted in cloud datacenters*, `CCGrid` 2015. Only the
//! numbers below are kept, of 25 of the machines; the trace itself is not part of this project.
//!
//! # How they were derived
//!
//! By `daemon/sim/scripts/traffic_table.py`, which prints all that is below. `activity_table.rs` says what a used slot
//! is and what the groups are; it takes from the network whether a machine is used, this file how much it is then.
//! For each machine the sums of received and sent bytes are sorted, apart for used and for unused slots. The numbers of
//! a line are the quantiles 0, 5, 10, … 95 % and, in place of the maximum, 99 %. A machine with fewer than 50 used
//! slots takes those of its whole group. Unused slots are those of July, from which the thresholds are: in later months
//! one machine's floor is another. Thousandths received are those of all its bytes.
//!
//! An unused slot above the machine's threshold has no such neighbour, or it would count as used: most are jobs by the
//! clock. `peaks_every` says how many slots apart they are at least: 12, or 3 where more than one unused slot in twelve
//! is above.
//!
//! None of the 25 machines is busy by the rule; busy spaces take the machines that are used intermittently.
//!
//! Automation are slots of the day with traffic above the machine's threshold on three days of four, where they are at
//! most three hours a day.
//!
//! There is no table by hours: how much a used slot carries hardly depends on them. Its mean rank among the machine's
//! used slots is between 0.44 (07-08) and 0.53 (14-15) in every hour of the day, that of an unused one between 0.47
//! and 0.54. The week's shape is all in *whether* a slot is used.

/// One machine: bytes a second, received and sent together.
#[derive(Debug)]
pub(crate) struct Machine {
    /// Thousandths received of what it carried in used slots.
    pub(crate) used_received: u16,
    /// And in unused ones.
    pub(crate) floor_received: u16,
    /// One unused slot in so many has the largest numbers, alone among smaller ones.
    pub(crate) peaks_every: u16,
    /// Quantiles over the used slots.
    pub(crate) used: [u32; 21],
    /// Quantiles over the unused slots: what it carries when nobody is there.
    pub(crate) floor: [u32; 21],
}

/// The office-like machines, by their median while used.
#[rustfmt::skip]
pub(crate) const OFFICE_LIKE: [Machine; 12] = [
    Machine { used_received: 490, floor_received: 560, peaks_every: 12,
        used: [2_047, 2_525, 3_071, 3_754, 4_437, 4_983, 5_666, 6_484, 7_372, 8_464, 9_420, 10_717, 12_423, 14_608, 16_792, 20_411, 26_623, 40_960, 194_560, 11_526_758, 12_218_299],
        floor: [0, 0, 0, 136, 136, 136, 136, 136, 136, 136, 272, 340, 340, 477, 477, 477, 477, 477, 477, 614, 1_092] },
    Machine { used_received: 149, floor_received: 43, peaks_every: 12,
        used: [2_047, 2_798, 3_617, 4_504, 5_324, 6_348, 7_440, 8_601, 9_625, 11_059, 12_697, 14_881, 17_475, 20_411, 24_507, 29_081, 35_975, 44_577, 57_343, 85_947, 290_406],
        floor: [0, 0, 0, 0, 0, 0, 0, 68, 68, 68, 68, 68, 136, 204, 204, 272, 477, 545, 681, 3_686, 10_512] },
    Machine { used_received: 598, floor_received: 737, peaks_every: 12,
        used: [2_047, 2_388, 3_139, 4_846, 6_758, 9_147, 11_536, 14_608, 17_339, 20_206, 23_824, 29_149, 35_361, 44_714, 57_070, 78_847, 95_709, 102_057, 115_233, 207_393, 1_063_935],
        floor: [0, 0, 0, 0, 0, 0, 68, 68, 68, 68, 136, 136, 204, 204, 272, 340, 477, 614, 818, 1_297, 3_345] },
    Machine { used_received: 465, floor_received: 311, peaks_every: 12,
        used: [2_047, 2_321, 2_730, 3_344, 4_778, 7_372, 11_741, 14_950, 19_251, 26_828, 33_245, 43_894, 51_677, 70_382, 95_027, 125_200, 178_243, 229_648, 286_310, 854_834, 1_458_926],
        floor: [0, 0, 0, 0, 0, 0, 68, 68, 68, 136, 204, 204, 272, 272, 273, 341, 477, 613, 750, 955, 2_252] },
    Machine { used_received: 306, floor_received: 458, peaks_every: 12,
        used: [2_320, 3_071, 4_709, 5_666, 5_938, 6_212, 6_553, 10_990, 17_202, 27_374, 34_064, 39_798, 47_308, 55_636, 69_836, 77_618, 84_376, 91_203, 98_303, 102_262, 109_226],
        floor: [136, 408, 408, 408, 477, 477, 546, 614, 682, 750, 750, 818, 818, 886, 886, 886, 955, 955, 955, 1_091, 45_806] },
    Machine { used_received: 132, floor_received: 374, peaks_every: 3,
        used: [2_047, 2_389, 2_866, 3_753, 6_825, 11_809, 18_636, 24_166, 31_948, 42_052, 56_797, 65_399, 79_598, 91_477, 102_399, 123_425, 146_431, 175_649, 217_702, 294_911, 499_574],
        floor: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 341, 818, 2_115, 2_184, 2_184, 2_389, 2_389, 3_002, 14_628] },
    Machine { used_received: 162, floor_received: 423, peaks_every: 12,
        used: [50_721, 56_319, 61_166, 65_603, 72_088, 78_848, 83_489, 88_677, 94_889, 99_668, 106_153, 115_804, 124_586, 138_375, 157_013, 177_902, 196_812, 229_375, 280_985, 467_011, 12_443_989],
        floor: [4_982, 14_540, 14_881, 15_018, 15_154, 15_359, 15_564, 16_588, 16_929, 17_066, 17_203, 17_339, 17_407, 17_475, 17_544, 17_680, 17_816, 17_885, 18_022, 30_105, 58_230] },
    Machine { used_received: 385, floor_received: 992, peaks_every: 12,
        used: [15_564, 27_237, 44_304, 75_775, 112_707, 143_905, 189_644, 225_825, 267_263, 300_919, 324_948, 339_626, 377_104, 416_904, 451_173, 480_391, 530_226, 604_569, 666_077, 791_073, 901_802],
        floor: [0, 0, 0, 0, 68, 4_505, 4_505, 4_573, 4_573, 4_573, 4_641, 4_641, 4_642, 4_642, 4_710, 4_710, 4_710, 4_778, 4_778, 4_846, 4_983] },
    Machine { used_received: 371, floor_received: 981, peaks_every: 12,
        used: [21_913, 37_067, 62_805, 96_529, 197_973, 233_402, 278_869, 305_220, 322_627, 353_143, 379_835, 411_511, 444_551, 479_504, 514_593, 539_511, 575_828, 645_119, 687_444, 960_784, 1_216_238],
        floor: [0, 0, 0, 0, 4_437, 4_505, 4_505, 4_573, 4_573, 4_573, 4_573, 4_642, 4_642, 4_642, 4_710, 4_710, 4_778, 4_846, 4_914, 6_484, 6_690] },
    Machine { used_received: 50, floor_received: 826, peaks_every: 12,
        used: [2_320, 7_645, 15_632, 101_102, 169_437, 250_197, 359_900, 431_718, 486_808, 546_474, 644_027, 726_493, 776_600, 798_309, 811_212, 821_179, 833_603, 851_011, 863_572, 882_833, 902_211],
        floor: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0] },
    Machine { used_received: 991, floor_received: 988, peaks_every: 12,
        used: [747_451, 757_076, 764_177, 779_946, 789_093, 806_229, 821_861, 834_081, 854_971, 869_239, 876_133, 898_525, 923_101, 949_179, 976_212, 1_021_268, 1_117_593, 1_608_362, 1_753_360, 1_814_049, 3_117_192],
        floor: [174_898, 201_317, 206_916, 211_558, 216_541, 222_207, 227_668, 234_358, 241_322, 249_855, 261_050, 273_066, 288_085, 305_151, 309_656, 309_656, 310_886, 333_550, 369_936, 452_471, 658_090] },
    Machine { used_received: 871, floor_received: 979, peaks_every: 12,
        used: [5_957, 710_518, 1_096_840, 1_506_849, 2_359_022, 3_140_676, 4_184_267, 4_759_073, 5_308_279, 5_761_774, 6_362_657, 6_777_923, 7_176_669, 7_841_450, 8_314_197, 8_703_658, 9_172_172, 9_696_733, 13_937_936, 19_207_850, 31_478_237],
        floor: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0] },
];

/// The intermittently used machines, by their median while used.
#[rustfmt::skip]
pub(crate) const INTERMITTENT: [Machine; 7] = [
    Machine { used_received: 501, floor_received: 502, peaks_every: 12,
        used: [2_048, 3_002, 4_232, 4_368, 4_436, 4_504, 4_504, 4_573, 4_642, 4_642, 4_710, 4_710, 4_778, 4_914, 5_460, 8_738, 15_018, 31_197, 46_284, 61_576, 392_122],
        floor: [0, 408, 408, 408, 408, 408, 408, 408, 408, 408, 408, 408, 546, 546, 546, 546, 546, 614, 682, 750, 4_504] },
    Machine { used_received: 799, floor_received: 961, peaks_every: 12,
        used: [2_047, 2_184, 2_252, 2_320, 2_388, 2_525, 2_798, 3_139, 3_754, 4_368, 4_983, 6_006, 7_031, 8_805, 10_853, 13_926, 17_543, 25_326, 67_924, 105_676, 113_186],
        floor: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 68, 68, 136, 136, 204, 341, 545, 954, 2_047, 105_198] },
    Machine { used_received: 952, floor_received: 868, peaks_every: 12,
        used: [3_139, 3_754, 4_641, 5_256, 7_236, 8_327, 10_171, 14_267, 23_482, 61_303, 96_392, 257_706, 358_536, 373_281, 481_689, 745_744, 1_038_403, 1_503_435, 2_362_162, 3_599_222, 5_288_344],
        floor: [477, 1_024, 1_024, 1_024, 1_024, 1_024, 1_024, 1_024, 1_024, 1_024, 1_024, 1_024, 1_024, 1_024, 1_024, 1_092, 1_364, 1_501, 1_569, 2_388, 117_896] },
    Machine { used_received: 831, floor_received: 542, peaks_every: 12,
        used: [7_986, 9_761, 11_536, 13_448, 15_700, 17_612, 20_138, 26_350, 37_068, 57_616, 108_816, 203_638, 290_064, 434_380, 595_762, 820_633, 1_091_037, 1_519_751, 1_918_360, 3_480_780, 5_951_487],
        floor: [0, 0, 0, 0, 136, 273, 545, 682, 818, 1_091, 1_296, 1_433, 1_705, 1_978, 2_252, 2_661, 3_139, 3_754, 4_778, 6_621, 11_399] },
    Machine { used_received: 496, floor_received: 500, peaks_every: 12,
        used: [2_048, 39_799, 68_197, 88_405, 102_877, 116_053, 128_341, 137_215, 145_748, 155_374, 165_341, 175_581, 183_227, 194_013, 204_390, 216_268, 232_788, 249_582, 269_721, 298_597, 361_266],
        floor: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0] },
    Machine { used_received: 978, floor_received: 821, peaks_every: 12,
        used: [3_139, 8_873, 13_720, 38_160, 95_436, 95_641, 95_982, 97_348, 190_600, 316_757, 730_657, 824_865, 826_845, 829_030, 984_131, 1_662_428, 2_384_349, 3_627_076, 4_704_460, 5_806_557, 8_144_554],
        floor: [0, 0, 0, 0, 887, 1_023, 1_024, 1_024, 1_024, 1_024, 1_024, 1_024, 1_024, 1_024, 1_024, 1_092, 1_160, 1_296, 1_501, 1_638, 5_119] },
    Machine { used_received: 354, floor_received: 452, peaks_every: 12,
        used: [506_196, 543_879, 594_533, 649_693, 724_240, 822_135, 967_606, 1_157_665, 1_393_185, 1_576_208, 1_803_331, 2_072_371, 2_215_731, 2_683_494, 3_361_313, 4_769_041, 9_886_106, 21_706_205, 32_515_414, 44_017_800, 58_873_446],
        floor: [4_164, 14_062, 14_130, 14_266, 14_335, 16_451, 30_573, 58_299, 59_937, 65_398, 105_266, 184_388, 252_996, 259_549, 264_669, 275_865, 279_892, 304_263, 320_102, 370_824, 508_268] },
];

/// The nearly always idle machines, by their median while used.
#[rustfmt::skip]
pub(crate) const NEAR_IDLE: [Machine; 6] = [
    Machine { used_received: 194, floor_received: 739, peaks_every: 12,
        used: [2_047, 2_115, 2_183, 2_252, 2_320, 2_388, 2_457, 2_457, 2_593, 2_798, 2_935, 3_072, 3_208, 4_232, 4_461, 4_914, 5_256, 6_280, 9_147, 10_307, 44_782],
        floor: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 272, 1_501] },
    Machine { used_received: 415, floor_received: 795, peaks_every: 12,
        used: [2_047, 2_183, 2_320, 2_457, 2_730, 3_072, 4_026, 4_461, 5_870, 9_351, 18_636, 25_326, 30_036, 51_131, 86_766, 100_829, 105_676, 137_966, 194_423, 285_012, 749_431],
        floor: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0] },
    Machine { used_received: 415, floor_received: 632, peaks_every: 12,
        used: [2_047, 2_183, 2_320, 2_457, 2_730, 3_072, 4_026, 4_461, 5_870, 9_351, 18_636, 25_326, 30_036, 51_131, 86_766, 100_829, 105_676, 137_966, 194_423, 285_012, 749_431],
        floor: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0] },
    Machine { used_received: 415, floor_received: 954, peaks_every: 12,
        used: [2_047, 2_183, 2_320, 2_457, 2_730, 3_072, 4_026, 4_461, 5_870, 9_351, 18_636, 25_326, 30_036, 51_131, 86_766, 100_829, 105_676, 137_966, 194_423, 285_012, 749_431],
        floor: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 68] },
    Machine { used_received: 415, floor_received: 686, peaks_every: 12,
        used: [2_047, 2_183, 2_320, 2_457, 2_730, 3_072, 4_026, 4_461, 5_870, 9_351, 18_636, 25_326, 30_036, 51_131, 86_766, 100_829, 105_676, 137_966, 194_423, 285_012, 749_431],
        floor: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 68, 68, 68, 68, 136, 136, 136, 204, 272, 477] },
    Machine { used_received: 415, floor_received: 885, peaks_every: 12,
        used: [14_745, 18_636, 21_299, 26_282, 28_193, 34_474, 47_581, 57_480, 76_389, 90_453, 97_211, 103_697, 105_676, 108_953, 137_966, 176_741, 194_423, 223_777, 285_012, 549_545, 800_972],
        floor: [0, 0, 68, 4_437, 4_505, 4_573, 4_573, 4_641, 4_641, 4_709, 4_710, 4_710, 4_778, 4_778, 4_778, 4_846, 4_846, 4_914, 4_982, 5_188, 46_762] },
];

/// Rank correlation of two neighbouring used slots, in thousandths: the median of 19 machines.
pub(crate) const USED_LASTS: u16 = 524;

/// Rank correlation of two neighbouring unused slots, in thousandths: the median of 25 machines.
pub(crate) const FLOOR_LASTS: u16 = 670;

/// Traffic in the fixed slots of automation.
#[rustfmt::skip]
pub(crate) const AUTOMATION: [u32; 21] = [0, 546, 886, 955, 7_645, 11_605, 23_209, 37_409, 42_188, 50_994, 58_163, 63_828, 68_539, 71_406, 74_137, 77_209, 85_947, 93_046, 106_291, 1_121_006, 1_244_569];

/// Thousandths of it that were received.
pub(crate) const AUTOMATION_RECEIVED: u16 = 113;

/// Slots a day that automation takes: the median of the 22 of 250 machines that have any.
pub(crate) const AUTOMATION_SLOTS: i64 = 5;
