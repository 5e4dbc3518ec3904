#!/usr/bin/env python3
"""Derives the tables of src/traffic_table.rs from measured traffic and prints them. Needs no library.

    daemon/sim/scripts/traffic_table.py FOLDER

FOLDER holds three tables of machines, one line a machine and slot of 300 s (slot 0 is a Monday 00:00 on local clocks):

    raw.csv.gz                 vm,slot,…,rx_Bps,tx_Bps (the last two columns): bytes received and sent a second
    activity_intervals.csv.gz  vm,start_slot,end_slot: half-open intervals in which the machine was used
    vm_groups.csv              vm,group,…,net_threshold_Bps,…,masked_periodic_slots_per_day

What a used slot is, and the groups, are described in src/activity_table.rs. Only quantiles leave this script.
"""

import collections
import csv
import gzip
import pathlib
import sys

DAY = 288
STEPS = 20
# Thresholds were taken from these slots; later a machine may have another floor.
FIRST_MONTH = 31 * DAY
# A machine with fewer used slots than this takes those of its whole group.
FEW = 50


def read(folder):
    raw = collections.defaultdict(dict)
    with gzip.open(folder / "raw.csv.gz", "rt") as lines:
        next(lines)
        for line in lines:
            fields = line.strip().split(",")
            raw[int(fields[0])][int(fields[1])] = (int(fields[-2]), int(fields[-1]))
    used = collections.defaultdict(set)
    with gzip.open(folder / "activity_intervals.csv.gz", "rt") as lines:
        next(lines)
        for line in lines:
            vm, start, end = map(int, line.split(","))
            used[vm].update(range(start, end))
    with open(folder / "vm_groups.csv") as lines:
        groups = {int(row["vm"]): row for row in csv.DictReader(lines)}
    return raw, used, groups


def at(ordered, thousandths):
    return ordered[(len(ordered) - 1) * thousandths // 1000]


def quantiles(samples):
    """21 of them: every twentieth, and 99 % instead of the maximum."""
    ordered = sorted(samples)
    return [at(ordered, 1000 * step // STEPS) for step in range(STEPS)] + [at(ordered, 990)]


def received(samples):
    both = sum(rx + tx for rx, tx in samples)
    return round(1000 * sum(rx for rx, _ in samples) / both) if both else 500


def persistence(of, slots):
    """Thousandths: how much a slot's rank among its like tells of the next one's."""
    order = sorted(slots, key=lambda slot: (sum(of[slot]), slot))
    rank = {slot: place / len(order) for place, slot in enumerate(order)}
    pairs = [(rank[slot], rank[slot + 1]) for slot in rank if slot + 1 in rank]
    if len(pairs) < FEW:
        return None
    mean = [sum(side) / len(pairs) for side in zip(*pairs)]
    both = sum((a - mean[0]) * (b - mean[1]) for a, b in pairs)
    spread = [sum((pair[n] - mean[n]) ** 2 for pair in pairs) for n in (0, 1)]
    return 1000 * both / (spread[0] * spread[1]) ** 0.5


def peaks_every(of, slots, threshold):
    """Unused slots above the threshold stand alone: how far apart they may stand and still be as many."""
    share = sum(sum(of[slot]) > threshold for slot in slots) / len(slots)
    return next(every for every in (12, 3) if share <= 1 / every)


def fixed_slots(of, threshold):
    """Slots of the day in which there is traffic on three days of four, if they are few enough to be automation."""
    days, busy = collections.Counter(), collections.Counter()
    for slot, both in of.items():
        days[slot % DAY] += 1
        busy[slot % DAY] += sum(both) > threshold
    found = [slot for slot in range(DAY) if busy[slot] >= 0.75 * days[slot]]
    return found if len(found) <= DAY // 8 else []


def weighed(machines, thousandths):
    """A quantile over machines of which each weighs the same, however many slots it has."""
    pool = sorted((value, 1 / len(values)) for values in machines if values for value in values)
    goal = sum(weight for _, weight in pool) * thousandths / 1000
    for value, weight in pool:
        goal -= weight
        if goal <= 0:
            return value
    return pool[-1][0]


def row(numbers):
    return "[" + ", ".join(f"{number:_}" for number in numbers) + "]"


def main(folder):
    raw, used, groups = read(pathlib.Path(folder))
    names = [
        ("office_like", "OFFICE_LIKE", "office-like"),
        ("intermittent", "INTERMITTENT", "intermittently used"),
        ("near_always_idle", "NEAR_IDLE", "nearly always idle"),
    ]
    lasting = {"used": [], "floor": []}
    for group, name, words in names:
        machines = []
        members = [vm for vm in raw if groups[vm]["group"] == group]
        all_used = [raw[vm][slot] for vm in members for slot in raw[vm] if slot in used[vm]]
        for vm in members:
            in_use = [slot for slot in raw[vm] if slot in used[vm]]
            floor = [slot for slot in raw[vm] if slot not in used[vm] and slot < FIRST_MONTH]
            lasting["used"].append(persistence(raw[vm], in_use))
            lasting["floor"].append(persistence(raw[vm], floor))
            peaks = peaks_every(raw[vm], floor, float(groups[vm]["net_threshold_Bps"]))
            in_use = [raw[vm][slot] for slot in in_use]
            in_use = in_use if len(in_use) >= FEW else all_used
            machines.append((in_use, [raw[vm][slot] for slot in floor], peaks))
        machines.sort(key=lambda machine: quantiles(map(sum, machine[0]))[STEPS // 2])
        constant(f"The {words} machines, by their median while used.", name, f"[Machine; {len(machines)}]", "[", True)
        for in_use, floor, peaks in machines:
            print(f"    Machine {{ used_received: {received(in_use)}, floor_received: {received(floor)}, peaks_every: {peaks},")
            print(f"        used: {row(quantiles(map(sum, in_use)))},")
            print(f"        floor: {row(quantiles(map(sum, floor)))} }},")
        print("];")
        for kind, of in (("used", 0), ("floor", 1)):
            sums = [[sum(both) for both in machine[of]] for machine in machines]
            print(f"{name} {kind}: median {weighed(sums, 500)}, p95 {weighed(sums, 950)}", file=sys.stderr)
    for kind, words in (("used", "used"), ("floor", "unused")):
        values = sorted(value for value in lasting[kind] if value is not None)
        doc = f"Rank correlation of two neighbouring {words} slots, in thousandths: the median of {len(values)} machines."
        constant(doc, f"{kind.upper()}_LASTS", "u16", f"{round(at(values, 500))};")
    automation = {vm: fixed_slots(raw[vm], float(groups[vm]["net_threshold_Bps"])) for vm in raw}
    samples = [raw[vm][slot] for vm, found in automation.items() for slot in raw[vm] if slot % DAY in found]
    constant("Traffic in the fixed slots of automation.", "AUTOMATION", "[u32; 21]", f"{row(quantiles(map(sum, samples)))};", True)
    constant("Thousandths of it that were received.", "AUTOMATION_RECEIVED", "u16", f"{received(samples)};")
    masked = sorted(n for n in (int(group["masked_periodic_slots_per_day"]) for group in groups.values()) if n)
    doc = f"Slots a day that automation takes: the median of the {len(masked)} of {len(groups)} machines that have any."
    constant(doc, "AUTOMATION_SLOTS", "i64", f"{at(masked, 500)};")


def constant(doc, name, kind, value, wide=False):
    print(f"\n/// {doc}")
    if wide:
        print("#[rustfmt::skip]")
    print(f"pub(crate) const {name}: {kind} = {value}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
