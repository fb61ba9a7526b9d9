"""How long stages are held, as it is told (docs/definitions.md, section 7)."""

from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np

from services.metrics.analytics.columns import Ints, Mask
from services.metrics.analytics.kernels import stays
from services.metrics.analytics.kernels.stays import Moves, Stays
from services.metrics.analytics.members import spread
from services.metrics.analytics.periods import labels
from shared.journeys.calendar import Period


@dataclass(frozen=True)
class Point:
    """So long after the entry (µs), of `at_risk` who had stayed until then some left, and this share is still there."""

    after: int
    at_risk: int
    left: int
    share: float
    low: float
    high: float


@dataclass(frozen=True)
class Told:
    """The stays in a stage; times in microseconds. `survival_median` counts the open ones, too; None: not reached."""

    stage: int
    completed: int
    mean: float | None
    quantiles: list[float | None]  #: the median, p75 and p90 of those completed
    open: int
    survival_median: int | None
    curve: list[Point]


@dataclass(frozen=True)
class Velocity:
    """The stays completed in a period, and their median length in microseconds."""

    stage: int
    label: str
    start: int
    ended: bool
    completed: int
    median: float | None


def all_stays(moves: Moves, now: int) -> Stays:
    """Every stay; the last of each customer is open until `now`, or until the last move if that is later."""
    return stays.stays(moves, max(now, int(moves.at.max())) if len(moves.at) else now)


def some(found: Stays, mask: Mask) -> Stays:
    """Some of them."""
    owner, stage, began, length = (part[mask] for part in (found.owner, found.stage, found.began, found.length))
    return Stays(owner, stage, began, length, found.ended[mask], found.to[mask])


def told(found: Stays, stages: Sequence[int], points: int) -> list[Told]:
    """Each of these stages; its curve is thinned to so many points."""
    return [_told(some(found, found.stage == stage), stage, points) for stage in stages]


def velocity(found: Stays, stages: Sequence[int], period: Period, zone: ZoneInfo, now: int) -> list[Velocity]:
    """Of completed stays, for each stage and each period from the first in which any of them ended to the last."""
    found = some(found, found.ended)
    if not len(found.owner):
        return []
    whole = spread(period, left := found.began + found.length, zone)
    number, names = whole.of(left), labels(whole, period, zone)
    lines = []
    for stage in stages:
        mine = found.stage == stage
        order = np.argsort(number[mine], kind="stable")
        parts = np.split(found.length[mine][order], np.cumsum(np.bincount(number[mine], minlength=len(whole)))[:-1])
        for place, lengths in enumerate(parts):
            start, end = int(whole.starts[place]), int(whole.starts[place + 1])
            median = float(np.median(lengths)) if len(lengths) else None
            lines.append(Velocity(stage, names[place], start, end <= now, len(lengths), median))
    return lines


def _told(mine: Stays, stage: int, points: int) -> Told:
    completed: Ints = mine.length[mine.ended]
    curve = stays.survival(mine.length, mine.ended)
    kept = _thinned(len(curve.time), points)
    columns = (curve.time, curve.at_risk, curve.left, curve.share, curve.low, curve.high)
    return Told(
        stage,
        len(completed),
        float(completed.mean()) if len(completed) else None,
        stays.quantiles(completed),
        len(mine.length) - len(completed),
        curve.median,
        [Point(*line) for line in zip(*(column[kept].tolist() for column in columns), strict=True)],
    )


def _thinned(count: int, most: int) -> Ints:
    """At most so many places out of `count`, evenly spread, the first and the last among them."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(np.int64)) if count else np.arange(0)
