"""Funnels as they are told: how many reached each step, how fast, and after what the others stayed away."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from services.metrics.analytics.breakdown import Groups
from services.metrics.analytics.columns import MISSING, Codes, Columns, Ints, Mask
from services.metrics.analytics.intervals import Share, share
from services.metrics.analytics.kernels import funnel
from services.metrics.analytics.kernels.funnel import Reached
from services.metrics.analytics.kernels.stays import Moves
from services.metrics.analytics.movements import People

#: Names of last touchpoints that are told of those who stayed away.
NAMED = 10

#: Stands in `stage` for a row that is no move.
NO_MOVE = -9

Order = Literal["ordered", "strict", "any"]


@dataclass(frozen=True)
class Asked:
    """A funnel over the rows of columns; times in microseconds. See `kernels.funnel.ordered`."""

    steps: Sequence[Mask]
    optional: Sequence[bool]
    window: int | None
    begin: Mask
    without: Mask | None = None
    order: Order = "ordered"
    first: bool = False
    opened: bool = False


@dataclass(frozen=True)
class Step:
    """Of a step: who reached it, their shares of those at the first and at the last required step, and the times.

    Times are medians in microseconds, from the step before (of those who had it) and from the first. `lost` went no
    further; `lost_after` names their last touchpoints.
    """

    customers: int
    of_first: Share
    of_previous: Share
    from_previous: float | None
    from_first: float | None
    lost: int
    lost_after: list[tuple[str, int]]


@dataclass(frozen=True)
class Told:
    """All steps; customers who began and whose window is still open without their having reached the end."""

    steps: list[Step]
    open_windows: int


def with_moves(touchpoints: Columns, moves: Moves) -> Columns:
    """Touchpoints and moves in one order: a move comes after all touchpoints of its instant. `stage` is its target."""
    order = np.lexsort(
        (
            np.append(np.zeros(len(touchpoints), dtype=np.int8), np.ones(len(moves.at), dtype=np.int8)),
            np.append(touchpoints.at, moves.at),
            np.append(touchpoints.owner, moves.owner),
        )
    )
    none = np.full(len(moves.at), MISSING, dtype=np.int32)
    codes: dict[str, Codes] = {name: np.append(column, none)[order] for name, column in touchpoints.codes.items()}
    # `none` is a stage, too: it is told apart from what is no move.
    codes["stage"] = np.append(np.full(len(touchpoints), NO_MOVE, dtype=np.int32), moves.target.astype(np.int32))[order]
    owner, at = np.append(touchpoints.owner, moves.owner)[order], np.append(touchpoints.at, moves.at)[order]
    return Columns(touchpoints.customers, owner, at, codes, touchpoints.words)


def reached(columns: Columns, asked: Asked) -> Reached:
    """How far each customer came."""
    if asked.order == "any":
        return funnel.any_order(columns, asked.steps, asked.window, asked.begin)
    return funnel.ordered(
        columns,
        asked.steps,
        asked.window,
        asked.begin,
        asked.optional,
        asked.without,
        strict=asked.order == "strict",
        first=asked.first,
        opened=asked.opened,
    )


def told(columns: Columns, asked: Asked, found: Reached, now: int) -> Told:
    """What is said of those found."""
    order = asked.order
    steps = [_step(columns, asked, found, number) for number in range(len(asked.steps))]
    ends = found.depth < len(asked.steps)
    still = 0
    if asked.window is not None and len(found.owner):
        still = int((ends & (columns.at[began(columns, found)] + asked.window >= now)).sum())
    elif asked.window is None:
        still = int(ends.sum())
    return Told(steps if order != "any" else _by_number(found, steps), still)


def behind(columns: Columns, asked: Asked, found: Reached, number: int, lost: bool) -> People:
    """Whose the numbers of a step are: of those who reached it, or of those who went no further; when they did."""
    optional = bool(asked.optional) and asked.optional[number]
    if lost:
        wanted = (found.depth == number + 1) & (not optional and number < len(asked.steps) - 1)
    elif asked.order == "any":
        wanted = found.depth > number
    else:
        wanted = (found.rows[:, number] >= 0) & (optional | (found.depth > number))
    rows = found.rows[wanted]
    if asked.order == "any":  # the k-th of the steps that came, whichever
        rows = np.sort(np.where(rows < 0, len(columns), rows), axis=1)
    at = columns.at[rows[:, number]] if len(rows) else np.zeros(0, dtype=np.int64)
    return People(found.owner[wanted], at, np.ones(len(rows), dtype=np.int64))


def began(columns: Columns, found: Reached) -> Ints:
    """The row of the first step that each customer has."""
    return np.where(found.rows >= 0, found.rows, len(columns)).min(axis=1) if len(found.rows) else found.owner


def by_group(found: Reached, groups: Groups) -> list[tuple[str, Reached]]:
    """The same for each group; `groups` has one for each of those found."""
    return [
        (name, Reached(found.owner[mine], found.depth[mine], found.rows[mine]))
        for number, name in enumerate(groups.names)
        for mine in [groups.group == number]
    ]


def _step(columns: Columns, asked: Asked, found: Reached, number: int) -> Step:
    optional = asked.optional[number] if asked.optional else False
    has = found.rows[:, number] >= 0
    at = has if optional else has & (found.depth > number) if asked.order != "any" else has
    required = [step for step in range(number) if not (asked.optional and asked.optional[step])]
    first, previous = int((found.rows[:, 0] >= 0).sum()), int((found.depth > 0).sum())
    if required:
        previous = int((found.rows[:, required[-1]] >= 0).sum())
    count = int(at.sum())
    lost = np.zeros(len(has), dtype=np.bool_) if optional else (found.depth == number + 1)
    last = number == len(asked.steps) - 1
    return Step(
        count,
        share(count, max(first, count)),
        share(count, max(previous, count)),
        _median(columns, found, required[-1] if required else None, number),
        _median(columns, found, 0 if number else None, number),
        0 if last else int(lost.sum()),
        [] if last else _after(columns, asked, found, lost),
    )


def _median(columns: Columns, found: Reached, source: int | None, target: int) -> float | None:
    if source is None:
        return None
    both = (found.rows[:, source] >= 0) & (found.rows[:, target] >= 0)
    gaps: Ints = columns.at[found.rows[both, target]] - columns.at[found.rows[both, source]]
    return float(np.median(gaps)) if len(gaps) else None


def _after(columns: Columns, asked: Asked, found: Reached, lost: Mask) -> list[tuple[str, int]]:
    """The names of the last touchpoints that those lost had within the window, the most frequent first (18)."""
    if not lost.any() or "name" not in columns.codes:
        return []
    start = np.where(found.rows[lost] >= 0, found.rows[lost], len(columns)).min(axis=1)
    last = funnel.window_end(columns, start, asked.window) - 1
    names, count = np.unique(columns.codes["name"][last], return_counts=True)
    order = np.argsort(-count, kind="stable")[:NAMED]
    words = columns.words["name"]
    return [("" if names[i] < 0 else words[names[i]], int(count[i])) for i in order]


def _by_number(found: Reached, steps: list[Step]) -> list[Step]:
    """In any order the k-th line is of those who had k of the steps, whichever (14)."""
    began = len(found.owner)
    numbers = [int((found.depth > number).sum()) for number in range(len(steps))]
    return [
        Step(
            count,
            share(count, began),
            share(count, numbers[number - 1] if number else began),
            None,
            None,
            count - numbers[number + 1] if number + 1 < len(steps) else 0,
            [],
        )
        for number, count in enumerate(numbers)
    ]
