"""Who a question looks at: their own acts, from when on, and by what they differ."""

from zoneinfo import ZoneInfo

import numpy as np

from services.metrics.analytics import breakdown
from services.metrics.analytics.breakdown import Groups, Moment
from services.metrics.analytics.columns import MISSING, Columns, Ints, Mask, first_of
from services.metrics.analytics.kernels.stays import Moves
from services.metrics.analytics.periods import Periods, labels, periods
from services.metrics.analytics.selecting import selected
from services.metrics.errors import invalid
from shared.journeys.calendar import Period
from shared.journeys.matcher import Matcher

#: What is somebody's own act where no journey says so (rule 17).
OPEN = Matcher(types=("page", "screen", "track"))

#: The dimension that is no fact of a touchpoint: the period of the first one.
COHORT = "cohort"


def acts(columns: Columns, wanted: Matcher | None = None) -> Mask:
    """The rows that match, those that are acts if nothing is asked."""
    return selected(columns, OPEN if wanted is None else wanted)


def firsts(owner: Ints, at: Ints) -> tuple[Ints, Ints]:
    """Each owner once, and when they first come; rows in any order."""
    rows = first_of(owner, at)
    return owner[rows], at[rows]


def changes(owner: Ints, number: Ints) -> Mask:
    """Where another owner or another number begins."""
    changes = np.ones(len(owner), dtype=np.bool_)
    changes[1:] = (owner[1:] != owner[:-1]) | (number[1:] != number[:-1])
    return changes


def entries(moves: Moves, stage: int) -> tuple[Ints, Ints]:
    """Whose and when the entries into a stage are."""
    into = moves.target == stage
    return moves.owner[into], moves.at[into]


def within(at: Ints, since: int | None, until: int | None) -> Mask:
    """Which instants lie in a period whose ends are inclusive; None is no end."""
    mask = np.ones(len(at), dtype=np.bool_)
    if since is not None:
        mask &= at >= since
    if until is not None:
        mask &= at <= until
    return mask


def spread(period: Period, at: Ints, zone: ZoneInfo) -> Periods:
    """The periods that these instants, at least one, lie in. Raises Refused if they are too many."""
    try:
        return periods(period, int(at.min()), int(at.max()), zone)
    except ValueError as error:
        raise invalid("period", str(error)) from None


def grouped(columns: Columns, by: str, moment: Moment, owner: Ints, at: Ints, period: Period, zone: ZoneInfo) -> Groups:
    """The group of each member (whose, and from when on they are looked at); only what members have is a group."""
    if by == COHORT:
        return _cohorts(columns, owner, period, zone)
    if moment == "entered":
        codes = breakdown.entered(columns, by, owner, at)
    else:
        codes = (breakdown.acquired if moment == "acquired" else breakdown.latest)(columns, by)[owner]
    return breakdown.groups(codes, tuple(columns.words[by]))


def _cohorts(columns: Columns, owner: Ints, period: Period, zone: ZoneInfo) -> Groups:
    """By the period of their first touchpoint; of whom none counts (but who was placed by hand) it is not known."""
    starts = columns.starts
    known = starts[owner + 1] > starts[owner]
    first = columns.at[starts[owner[known]]]
    codes = np.full(len(owner), MISSING, dtype=np.int64)
    if not len(first):
        return breakdown.groups(codes, ())
    of = spread(period, first, zone)
    codes[known] = of.of(first)
    return breakdown.groups(codes, labels(of, period, zone))
