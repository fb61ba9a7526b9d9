"""Who comes to stages and who leaves them (docs/definitions.md, 9): new, leaving, back, skipped and looped."""

from dataclasses import dataclass

import numpy as np

from services.metrics.analytics.columns import Ints, Mask
from services.metrics.analytics.kernels.stays import Moves


@dataclass(frozen=True)
class Marked:
    """Of each move what it is. Of one into no stage (`none`, absent) nothing but `leaving` can hold.

    `new`: the first entry of this customer into this stage. `back`: any later one. `skipped`: an entry upward past an
    ordered stage that had not been entered before. `joined`: the first entry into any stage. `leaving`: out of one.
    """

    new: Mask
    back: Mask
    skipped: Mask
    joined: Mask
    leaving: Mask


def marked(moves: Moves, ordered: int) -> Marked:
    """What each move is; the stages below `ordered` are in order, those from it on stand beside them."""
    count = len(moves.owner)
    into = moves.target >= 0
    first = _first(moves, into)
    new = np.zeros(count, dtype=np.bool_)
    new[first] = True
    joined = np.zeros(count, dtype=np.bool_)
    joined[first[_heads(moves.owner[first])]] = True
    return Marked(new, into & ~new, _skipped(moves, new, ordered), joined, moves.source >= 0)


def customers(moves: Moves, wanted: Mask, stage: Ints, period: Ints, shape: tuple[int, int], least: int = 1) -> Ints:
    """How many customers have `least` or more of these moves, by period and stage; `period` is −1 for moves in none."""
    inside = wanted & (period >= 0) & (period < shape[0])
    key = (moves.owner[inside] * shape[0] + period[inside]) * shape[1] + stage[inside]
    found, times = np.unique(key, return_counts=True)
    cell = found[times >= least] % (shape[0] * shape[1])
    return np.bincount(cell, minlength=shape[0] * shape[1]).reshape(shape)


def entries(wanted: Mask, stage: Ints, period: Ints, shape: tuple[int, int]) -> Ints:
    """How many of these moves there are, by period and stage."""
    inside = wanted & (period >= 0) & (period < shape[0])
    cell = period[inside] * shape[1] + stage[inside]
    return np.bincount(cell, minlength=shape[0] * shape[1]).reshape(shape)


def _first(moves: Moves, into: Mask) -> Ints:
    """The rows at which somebody enters a stage for the first time, in order."""
    rows = np.flatnonzero(into)
    width = int(moves.target.max()) + 1 if len(rows) else 1
    _, first = np.unique(moves.owner[rows] * width + moves.target[rows], return_index=True)
    return np.sort(rows[first])


def _heads(owner: Ints) -> Mask:
    heads = np.ones(len(owner), dtype=np.bool_)
    heads[1:] = owner[1:] != owner[:-1]
    return heads


def _skipped(moves: Moves, new: Mask, ordered: int) -> Mask:
    """Entries into an ordered stage past another one, from the last place in the order, before that was entered."""
    count = len(moves.owner)
    skipped = np.zeros(count, dtype=np.bool_)
    if not count:
        return skipped
    rows = np.arange(count)
    head = np.maximum.accumulate(np.where(_heads(moves.owner), rows, 0))
    # The last place in the order before each move: a stage beside the order is none. −1 is before the first.
    last = np.maximum.accumulate(np.where(moves.target < ordered, rows, -1))
    before = np.where(rows > head, last[np.maximum(rows - 1, 0)], -1)
    base = np.where(before >= head, np.maximum(moves.target[np.maximum(before, 0)], -1), -1)
    upward = (moves.target < ordered) & (moves.target > base + 1)
    for stage in range(ordered):
        past = upward & (base < stage) & (stage < moves.target)
        if past.any():
            entered = np.cumsum(new & (moves.target == stage))
            # Entered by this customer: more often by now than before their first move.
            since = entered - np.where(head > 0, entered[np.maximum(head - 1, 0)], 0)
            skipped |= past & (since == 0)
    return skipped
