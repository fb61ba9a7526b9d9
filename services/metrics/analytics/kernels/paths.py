"""What follows what (docs/definitions.md, sections 5 and 6): visits, directly-follows counts, variants, loops."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.metrics.analytics.columns import Codes, Ints, Mask

Floats = NDArray[np.float64]

#: A variant is cut after so many steps.
LONGEST = 20


def visits(owner: Ints, at: Ints, gap: int) -> Ints:
    """The number of each act's visit, counted over all customers; a gap of exactly `gap` does not end one (25)."""
    begins = np.ones(len(owner), dtype=np.int64)
    begins[1:] = (owner[1:] != owner[:-1]) | (at[1:] - at[:-1] > gap)
    return np.cumsum(begins) - 1


@dataclass(frozen=True)
class Follows:
    """That `second` comes directly after `first`: how often, and the gaps' median and mean in microseconds."""

    first: Ints
    second: Ints
    count: Ints
    median: Floats
    mean: Floats


def follows(group: Ints, at: Ints, code: Codes, most: int) -> Follows:
    """The `most` frequent pairs within groups (a customer, or a visit), whose rows lie together in order.

    The most frequent first; among equally frequent ones those of the smaller codes.
    """
    same = group[1:] == group[:-1]
    width = int(code.max()) + 1 if len(code) else 1
    # Numbers of 16 bits are sorted many times faster than longer ones.
    kind = np.uint16 if width * width <= 1 << 16 else np.int64
    pair = code[:-1][same].astype(kind) * kind(width) + code[1:][same].astype(kind)
    order = np.argsort(pair, kind="stable")
    ordered, gaps = pair[order], (at[1:] - at[:-1])[same][order]
    begins = (
        np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1])) if len(ordered) else np.zeros(0, dtype=np.int64)
    )
    count = np.diff(np.append(begins, len(ordered)))
    chosen = np.argsort(-count, kind="stable")[:most]
    slices = [gaps[begins[i] : begins[i] + count[i]] for i in chosen]
    pairs = ordered[begins[chosen]].astype(np.int64)
    median = np.array([np.median(one) for one in slices], dtype=np.float64)
    mean = np.array([one.mean() for one in slices], dtype=np.float64)
    return Follows(pairs // width, pairs % width, count[chosen], median, mean)


@dataclass(frozen=True)
class Variants:
    """Whole sequences, the most frequent first: their codes, cut after LONGEST, and how many groups have each."""

    codes: list[tuple[int, ...]]
    cut: list[bool]
    count: list[int]


def variants(group: Ints, code: Codes, most: int) -> Variants:
    """The `most` frequent sequences; among equally frequent ones the one with the smaller codes first."""
    if not len(group):
        return Variants([], [], [])
    table = beginning(group, code, LONGEST + 1)
    table[:, LONGEST] = table[:, LONGEST] >= 0  # there is more
    lines, count = np.unique(table, axis=0, return_counts=True)
    order = np.argsort(-count, kind="stable")[:most]
    codes = [tuple(int(one) for one in lines[i, :LONGEST] if one >= 0) for i in order]
    return Variants(codes, [bool(lines[i, LONGEST]) for i in order], [int(count[i]) for i in order])


def around(group: Ints, code: Codes, pivot: int, steps: int, *, after: bool) -> Ints:
    """What comes 1 … `steps` after each group's first `pivot` (or before its last), a line for each group that has one.

    −1 where the group has ended (or not begun).
    """
    hits = np.flatnonzero(code == pivot)
    if not len(hits):
        return np.zeros((0, steps), dtype=np.int64)
    _, firsts = np.unique(group[hits] if after else group[hits][::-1], return_index=True)
    rows = hits[firsts] if after else hits[::-1][firsts]
    reach = rows[:, None] + (np.arange(1, steps + 1) if after else -np.arange(1, steps + 1))
    there = (reach >= 0) & (reach < len(code))
    safe = np.clip(reach, 0, len(code) - 1)
    there &= group[safe] == group[rows][:, None]
    return np.where(there, code[safe], -1).astype(np.int64)


def beginning(group: Ints, code: Codes, steps: int) -> Ints:
    """The first `steps` codes of each group, a line for each; −1 where the group has ended."""
    begins = np.flatnonzero(np.append(True, group[1:] != group[:-1])) if len(group) else group
    length = np.diff(np.append(begins, len(group)))
    place = np.arange(len(group)) - np.repeat(begins, length)
    table = np.full((len(begins), steps), -1, dtype=np.int64)
    inside = place < steps
    table[np.repeat(np.arange(len(begins)), length)[inside], place[inside]] = code[inside]
    return table


def loops(group: Ints, code: Codes) -> tuple[Ints, Ints]:
    """Codes that come again in a group with another between, and in how many groups each does (27)."""
    changed: Mask = np.append(True, (group[1:] != group[:-1]) | (code[1:] != code[:-1])) if len(group) else group > 0
    runs_group, runs_code = group[changed], code[changed].astype(np.int64)
    width = int(runs_code.max()) + 1 if len(runs_code) else 1
    pair, count = np.unique(runs_group * width + runs_code, return_counts=True)
    again = pair[count > 1] % width
    return np.unique(again, return_counts=True)
