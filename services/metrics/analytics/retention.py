"""Retention as it is told: cohorts, and how many of each came back in the periods after."""

from dataclasses import dataclass, replace
from typing import Literal
from zoneinfo import ZoneInfo

import numpy as np

from services.metrics.analytics.breakdown import Groups
from services.metrics.analytics.columns import Columns, Ints, Mask
from services.metrics.analytics.intervals import Share, share
from services.metrics.analytics.kernels import retention
from services.metrics.analytics.kernels.retention import Members, Returns, Table
from services.metrics.analytics.members import changes, spread
from services.metrics.analytics.periods import Periods, labels
from shared.events import DAY
from shared.journeys.calendar import Period

#: How long a member's own periods are, by their unit (21).
ROLLING = {"day": DAY, "week": 7 * DAY, "month": 30 * DAY}

Mode = Literal["calendar", "rolling"]
Measure = Literal["n-day", "unbounded", "bracket"]


@dataclass(frozen=True)
class Asked:
    """Whose return is looked at in which periods: `count` of them, or brackets between `edges`."""

    period: Period
    zone: ZoneInfo
    mode: Mode = "calendar"
    measure: Measure = "n-day"
    count: int = 12
    edges: tuple[int, ...] = ()


@dataclass(frozen=True)
class Found:
    """Members, with the cohorts' periods and what each member came back in."""

    members: Members
    cohorts: Periods
    returns: Returns


@dataclass(frozen=True)
class Cell:
    """How many came of those who could have. `share` has None of nobody: not reached yet.

    `partial` cells count only those members whose period has ended.
    """

    came: Share
    partial: bool


@dataclass(frozen=True)
class Cohort:
    """Who began in a period, which begins at `start`."""

    label: str
    start: int
    size: int
    cells: list[Cell]


@dataclass(frozen=True)
class Told:
    """Each cohort that has members, and all of them together."""

    size: int
    cells: list[Cell]
    cohorts: list[Cohort]


def found(columns: Columns, owner: Ints, start: Ints, back: Mask, asked: Asked, now: int) -> Found:
    """Members begin at `start`, each owner once; `back` are the rows that are returns. What is known ends at `now`."""
    none = np.zeros(0, dtype=np.int64)
    if not len(owner):
        return Found(Members(none, none, none), Periods(none), Returns(none, none))
    whole = spread(asked.period, np.append(start, now), asked.zone)
    cohort = whole.of(start)
    # What came before the start is no return, though it may lie in the same period.
    since = np.full(len(columns.customers) + 1, np.iinfo(np.int64).max)
    since[owner] = start
    rows = np.flatnonzero(back & (columns.at >= since[columns.owner]))
    came, at = columns.owner[rows], columns.at[rows]
    if asked.mode == "calendar":
        members, number = Members(owner, cohort, whole.of(np.array([now])) - cohort), whole.of(at)
        once = changes(came, number)  # rows are sorted by owner and time: most repeat the one before
        returns = retention.calendar(members, came[once], number[once], len(whole) + 1)
    else:
        width = ROLLING[asked.period.unit]
        members, number = Members(owner, cohort, (now - start) // width), (at - since[came]) // width
        once = changes(came, number)
        most = max(1, int(members.ended.max()) + 1)
        returns = retention.rolling(members, start, came[once], at[once], width, most)
    return Found(members, whole, returns)


def part(found: Found, groups: Groups, number: int) -> Found:
    """The members of one group."""
    mine = groups.group == number
    places = np.cumsum(mine) - 1
    members = Members(found.members.owner[mine], found.members.cohort[mine], found.members.ended[mine])
    kept = mine[found.returns.member]
    returns = Returns(places[found.returns.member[kept]], found.returns.period[kept])
    return Found(members, found.cohorts, returns)


def told(found: Found, asked: Asked) -> Told:
    """Each cohort's line, and all cohorts in one."""
    table = _table(found, asked)
    names = labels(found.cohorts, asked.period, asked.zone)
    cohorts = [
        Cohort(names[number], int(found.cohorts.starts[number]), int(size), _cells(table, line))
        for line, (number, size) in enumerate(zip(table.cohort.tolist(), table.size, strict=True))
    ]
    members = replace(found.members, cohort=np.zeros_like(found.members.cohort))
    one = _table(replace(found, members=members), asked)
    return Told(len(members.owner), _cells(one, 0) if cohorts else [], cohorts)


def _table(found: Found, asked: Asked) -> Table:
    if asked.measure == "bracket":
        return retention.bracket(found.members, found.returns, np.array(asked.edges))
    table = retention.n_day if asked.measure == "n-day" else retention.unbounded
    return table(found.members, found.returns, asked.count)


def _cells(table: Table, line: int) -> list[Cell]:
    size = int(table.size[line])
    return [
        Cell(share(int(came), int(eligible)), int(eligible) < size)
        for came, eligible in zip(table.came[line], table.eligible[line], strict=True)
    ]
