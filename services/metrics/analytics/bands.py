"""Touchpoints per stage and per journey, against how many are expected (docs/definitions.md, 28)."""

from dataclasses import dataclass

import numpy as np

from services.metrics.analytics.columns import Columns, Ints, Mask
from services.metrics.analytics.kernels.stays import Moves, Stays
from services.metrics.analytics.stays import all_stays
from shared.journeys.definition import Definition

#: Stands for the whole journey where a stage's number would.
WHOLE = -3


@dataclass(frozen=True)
class Spans:
    """Times in a stage, or in the whole journey: whose, from when, with how many touchpoints, how they stand.

    `done` are those who moved on (converted), `open` those who may still; the others left otherwise.
    """

    stage: int
    owner: Ints
    began: Ints
    count: Ints
    done: Mask
    open: Mask

    def of(self, mask: Mask) -> "Spans":
        """Some of them."""
        parts = (self.owner[mask], self.began[mask], self.count[mask])
        return Spans(self.stage, *parts, self.done[mask], self.open[mask])


@dataclass(frozen=True)
class Band:
    """From `low` to `high` touchpoints, both inclusive; `defined` by the definition, else by those who moved on."""

    low: float
    high: float
    defined: bool


@dataclass(frozen=True)
class Told:
    """Who moved on, with how many touchpoints; and where those stand who may still."""

    stage: int
    done: int
    median: float | None
    band: Band | None
    below: int
    within: int
    above: int


def spans(columns: Columns, moves: Moves, definition: Definition, now: int) -> list[Spans]:
    """Of every stage and, last, of the whole journey."""
    found = all_stays(moves, now)
    first = columns.after(found.owner, found.began - 1)
    # The touchpoint that ends a stay belongs to the next one.
    last = columns.after(found.owner, np.where(found.ended, found.began + found.length - 1, np.iinfo(np.int64).max))
    on = found.ended & (found.stage < found.to) & (found.to < definition.ordered)
    parts = []
    for stage in range(len(definition.stages)):
        mine = found.stage == stage
        count = (last - first)[mine]
        parts.append(Spans(stage, found.owner[mine], found.began[mine], count, on[mine], ~found.ended[mine]))
    return [*parts, _whole(columns, found, definition)]


def band(of: Spans, definition: Definition) -> Band | None:
    """What the definition expects, else what the middle 80% of those who moved on had; None if nobody has."""
    expected = None if of.stage == WHOLE else definition.stages[of.stage].expected
    if expected is not None:
        return Band(*expected, defined=True)
    if not of.done.any():
        return None
    low, high = np.quantile(of.count[of.done], (0.1, 0.9))
    return Band(float(low), float(high), defined=False)


def told(of: Spans, expected: Band | None) -> Told:
    """Those who moved on, and those who may still against a band."""
    done, here = of.count[of.done], of.count[of.open]
    median = float(np.median(done)) if len(done) else None
    if expected is None:
        return Told(of.stage, len(done), median, None, 0, 0, 0)
    below, above = int((here < expected.low).sum()), int((here > expected.high).sum())
    return Told(of.stage, len(done), median, expected, below, len(here) - below - above, above)


def _whole(columns: Columns, found: Stays, definition: Definition) -> Spans:
    """From the first entry into a stage to the first into the last one that means converted, with its touchpoint."""
    inside = np.flatnonzero(found.stage >= 0)
    owner, place = np.unique(found.owner[inside], return_index=True)
    began = found.began[inside[place]]
    goals = [
        number for number, stage in enumerate(definition.stages[: definition.ordered]) if stage.means == "converted"
    ]
    reached = np.flatnonzero(found.stage == (goals[-1] if goals else WHOLE))
    who, first = np.unique(found.owner[reached], return_index=True)
    until = np.full(len(owner), np.iinfo(np.int64).max)
    done = np.isin(owner, who)
    until[done] = found.began[reached[first]]
    count = columns.after(owner, until) - columns.after(owner, began - 1)
    return Spans(WHOLE, owner, began, count, done, ~done)
