"""Funnels (docs/definitions.md, section 3): how far each customer came along the steps, and when.

Every row that may begin the funnel is followed at once: from the row of one step the next is looked up in a table of
the first match at or after each row. The earliest match leads furthest, since a window only closes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.metrics.analytics.columns import Columns, Ints, Mask, first_of, following

Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Reached:
    """The best path of each customer who began: `owner`, the number of steps, and the row of each step (−1: none)."""

    owner: Ints
    depth: Ints
    rows: Rows  # one line a customer, one column a step


def ordered(
    columns: Columns,
    steps: Sequence[Mask],
    window: int | None,
    begin: Mask,
    optional: Sequence[bool] = (),
    without: Mask | None = None,
    strict: bool = False,
    first: bool = False,
    opened: bool = False,
) -> Reached:
    """One step after another (11 to 17).

    `window` is in microseconds from step 1; None: for ever. Only rows of `begin` may be the first. `optional` says
    which steps may be missing. With `without`, such a row strictly between the first and a later one breaks the path.
    `strict`: each step is the very next row. `first`: only a customer's first occurrence may begin. `opened`: who has
    no step 1 may begin at a later one.
    """
    may = list(optional) or [False] * len(steps)
    found = _followed(columns, steps, window, begin, may, without, strict, 0)
    reached = _best(columns, found, first)
    if not opened:
        return reached
    parts = [reached]
    known = np.zeros(len(columns.customers), dtype=np.bool_)
    known[reached.owner] = True
    for late in range(1, len(steps)):
        later = begin & ~known[columns.owner]
        part = _best(columns, _followed(columns, steps, window, later, may, without, strict, late), first)
        known[part.owner] = True
        parts.append(part)
    return _joined(parts)


def any_order(columns: Columns, steps: Sequence[Mask], window: int | None, begin: Mask) -> Reached:
    """Whichever step comes first begins; then any others, each by a row of its own, within the window (14)."""
    matched = np.stack(list(steps)) if steps else np.zeros((0, len(columns)), dtype=np.bool_)
    start = np.flatnonzero(matched.any(axis=0) & begin)
    ends = window_end(columns, start, window)
    nexts = [following(step) for step in steps]
    candidate = np.stack([table[start] for table in nexts], axis=1) if len(steps) else np.zeros((len(start), 0), int)
    rows = np.where(candidate < ends[:, None], candidate, -1)
    shared = matched.sum(axis=0) > 1
    for line in np.flatnonzero(_doubled(rows, shared)):
        rows[line] = _apart(matched, int(start[line]), int(ends[line]))
    depth = (rows >= 0).sum(axis=1)
    # The row that begins is one of them by construction: the first match of its own step.
    return _best(columns, (start, depth, rows), first=False)


def _followed(
    columns: Columns,
    steps: Sequence[Mask],
    window: int | None,
    begin: Mask,
    optional: Sequence[bool],
    without: Mask | None,
    strict: bool,
    late: int,
) -> tuple[Ints, Ints, Rows]:
    """Each row that begins at step `late`, how many steps were reached, and by which rows."""
    start = np.flatnonzero(steps[late] & begin)
    rows = np.full((len(start), len(steps)), -1, dtype=np.int64)
    rows[:, late] = start
    ends = window_end(columns, start, window)
    broken = following(without)[start + 1] if without is not None else np.full(len(start), len(columns))
    last, alive, depth = start.copy(), np.ones(len(start), dtype=np.bool_), np.full(len(start), late + 1)
    for number in range(late + 1, len(steps)):
        if optional[number]:
            continue
        if strict:
            after = last + 1
            there = np.append(steps[number], False)[np.minimum(after, len(columns))]
            found = np.where(there, after, len(columns))
        else:
            found = following(steps[number])[last + 1]
        alive &= (found < ends) & (found <= broken)
        rows[alive, number] = found[alive]
        last = np.where(alive, found, last)
        depth[alive] = number + 1
    _fill(columns, steps, optional, rows, ends, broken, late)
    return start, depth, rows


def _fill(
    columns: Columns, steps: Sequence[Mask], optional: Sequence[bool], rows: Rows, ends: Ints, broken: Ints, late: int
) -> None:
    """The optional steps, where they lie between their neighbours."""
    for number in range(late + 1, len(steps)):
        if not optional[number]:
            continue
        before = rows[:, :number].max(axis=1)
        after = np.where(rows[:, number + 1 :] >= 0, rows[:, number + 1 :], len(columns))
        bound = after.min(axis=1) if after.shape[1] else np.full(len(rows), len(columns))
        found = following(steps[number])[before + 1]
        there = (found < bound) & (found < ends) & (found <= broken)
        rows[there, number] = found[there]


def window_end(columns: Columns, start: Ints, window: int | None) -> Ints:
    """One past the last row of each start's customer, or of its window."""
    ends: Ints = columns.starts[columns.owner[start] + 1] if len(start) else start
    if window is None:
        return ends
    # Rows of one customer are in the order of time: the window's end is found among them by halving.
    low, high = start.copy(), ends.copy()
    closes = columns.at[start] + window
    while (open_ := low < high).any():
        middle = (low + high) // 2
        inside = open_ & (columns.at[np.minimum(middle, len(columns) - 1)] <= closes)
        low = np.where(inside, middle + 1, low)
        high = np.where(open_ & ~inside, middle, high)
    return low


def _best(columns: Columns, found: tuple[Ints, Ints, Rows], first: bool) -> Reached:
    start, depth, rows = found
    owner = columns.owner[start]
    best = first_of(owner, start) if first else first_of(owner, -depth, start)
    return Reached(owner[best], depth[best], rows[best])


def _joined(parts: Sequence[Reached]) -> Reached:
    owner = np.concatenate([part.owner for part in parts])
    order = np.argsort(owner, kind="stable")
    depth = np.concatenate([part.depth for part in parts])
    return Reached(owner[order], depth[order], np.concatenate([part.rows for part in parts])[order])


def _doubled(rows: Rows, shared: Mask) -> Mask:
    """Where one row may stand for two steps."""
    if not shared.any() or not len(rows):
        return np.zeros(len(rows), dtype=np.bool_)
    doubled: Mask = np.logical_or.reduce((rows >= 0) & shared[np.maximum(rows, 0)], axis=1)
    return doubled


def _apart(matched: NDArray[np.bool_], start: int, end: int) -> Rows:
    """The most steps that rows of their own can stand for, by the earliest such rows.

    Rows are taken in their order, each if it can be given a step by moving others to other steps (Kuhn's augmenting
    paths): the sets of rows that can be given steps are a matroid, so what is taken first stays right.
    """
    held: dict[int, int] = {}  # step → row

    def give(row: int, tried: set[int]) -> bool:
        for step in np.flatnonzero(matched[:, row]).tolist():
            if step not in tried:
                tried.add(step)
                if step not in held or give(held[step], tried):
                    held[step] = row
                    return True
        return False

    for row in (start + np.flatnonzero(matched[:, start:end].any(axis=0))).tolist():
        if len(held) < len(matched):
            give(row, set())
    return np.array([held.get(step, -1) for step in range(len(matched))], dtype=np.int64)
