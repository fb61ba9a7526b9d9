"""Who comes back (docs/definitions.md, section 4): cohorts, and how many of each came in the periods after."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.metrics.analytics.columns import Ints, distinct


@dataclass(frozen=True)
class Members:
    """Who is looked at: each customer once, with the number of their cohort and of periods that have ended for them.

    Periods are counted from the member's own first one, number 0.
    """

    owner: Ints
    cohort: Ints
    ended: Ints


@dataclass(frozen=True)
class Returns:
    """Who came in which of their periods, each pair once: places in `Members`, and the period's number."""

    member: Ints
    period: Ints


@dataclass(frozen=True)
class Table:
    """A line for each cohort: which, how many members, and for each period how many came of how many could have.

    A cell of which nobody's period has ended has `eligible` 0: not reached yet, which is not nobody.
    """

    cohort: Ints
    size: Ints
    came: Ints
    eligible: Ints


def calendar(members: Members, owner: Ints, period: Ints, periods: int) -> Returns:
    """Returns by calendar: `period` numbers that of each act, from the same origin as the members' cohorts."""
    return _returns(members, members.cohort, owner, period, 1, periods)


def rolling(members: Members, start: Ints, owner: Ints, at: Ints, width: int, periods: int) -> Returns:
    """Returns by each member's own periods of `width` microseconds from their `start`; `at` is when each act was."""
    return _returns(members, start, owner, at, width, periods)


def n_day(members: Members, returns: Returns, periods: int) -> Table:
    """Came in period k."""
    return _table(members, returns.member, returns.period, periods)


def unbounded(members: Members, returns: Returns, periods: int) -> Table:
    """Came in period k or any later one that has ended."""
    last = np.full(len(members.owner), -1, dtype=np.int64)
    counted = returns.period < members.ended[returns.member]
    np.maximum.at(last, returns.member[counted], returns.period[counted])
    lengths = np.minimum(last + 1, periods)
    member = np.repeat(np.arange(len(last)), lengths)
    begins = np.cumsum(lengths) - lengths
    return _table(members, member, np.arange(len(member)) - begins[member], periods)


def bracket(members: Members, returns: Returns, edges: NDArray[np.int64]) -> Table:
    """Came in one of the periods of each bracket; bracket i is from edges[i] to just before edges[i + 1]."""
    counted = returns.period < members.ended[returns.member]
    member, period = returns.member[counted], returns.period[counted]
    place = np.searchsorted(edges, period, side="right") - 1
    inside = (place >= 0) & (place < len(edges) - 1)
    ended = np.searchsorted(edges[1:], members.ended, side="right")
    pairs = distinct(member[inside] * len(edges) + place[inside])
    whole = Members(members.owner, members.cohort, ended)
    return _table(whole, pairs // len(edges), pairs % len(edges), len(edges) - 1)


def _returns(members: Members, origin: Ints, owner: Ints, when: Ints, width: int, periods: int) -> Returns:
    order = np.argsort(members.owner)
    place = np.searchsorted(members.owner[order], owner)
    known = place < len(order)
    known[known] = members.owner[order][place[known]] == owner[known]
    member = order[place[known]]
    period = (when[known] - origin[member]) // width
    within = (period >= 0) & (period < periods)
    pairs = distinct(member[within] * periods + period[within])
    return Returns(pairs // periods, pairs % periods)


def _table(members: Members, member: Ints, period: Ints, periods: int) -> Table:
    cohorts, line = np.unique(members.cohort, return_inverse=True)
    shape = len(cohorts), periods
    ended = np.minimum(np.maximum(members.ended, 0), periods)
    by_ended = np.zeros((len(cohorts), periods + 1), dtype=np.int64)
    np.add.at(by_ended, (line, ended), 1)
    # Whoever has seen d periods end could have come in each of the first d.
    eligible = np.cumsum(by_ended[:, ::-1], axis=1)[:, ::-1][:, 1:]
    counted = period < ended[member]
    came = np.zeros(shape, dtype=np.int64)
    np.add.at(came, (line[member[counted]], period[counted]), 1)
    return Table(cohorts, np.bincount(line, minlength=len(cohorts)), came, eligible)
