"""Retention and activity as they are told, against counting customer by customer in local calendar periods."""

from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from services.metrics.analytics import active, breakdown, retention
from services.metrics.analytics.columns import Columns
from services.metrics.analytics.members import firsts
from shared.events import DAY
from shared.journeys.calendar import Calendar, Period

ZONES = ("Asia/Tehran", "Europe/Berlin", "UTC")
FIRST = 19_800 * DAY  # 2024-03-18: around Nowruz, and the last Sunday of March
HOUR = DAY // 24
COUNT = 4


class Case(NamedTuple):
    """Acts (whose, when, whether it is a return), a calendar, a zone, and when all this is asked."""

    acts: list[tuple[int, int, bool]]
    period: Period
    zone: ZoneInfo
    now: int


CASES = st.builds(
    Case,
    st.lists(
        st.tuples(st.integers(0, 3), st.integers(0, 40 * 24).map(lambda hour: FIRST + hour * HOUR), st.booleans()),
        min_size=1,
        max_size=14,
    ).map(sorted),
    st.builds(
        Period,
        st.sampled_from(["day", "week", "month"]),
        st.builds(Calendar, st.sampled_from(["monday", "saturday"]), st.sampled_from(["gregorian", "jalali"])),
    ),
    st.sampled_from(ZONES).map(ZoneInfo),
    st.integers(0, 80 * 24).map(lambda hour: FIRST + hour * HOUR),
)


def _columns(case: Case) -> Columns:
    owner, at, _ = (np.array(column, dtype=np.int64) for column in zip(*case.acts, strict=True))
    return Columns(np.arange(4) + 100, owner, at)


def _found(case: Case, asked: retention.Asked) -> retention.Found:
    made = _columns(case)
    back = np.array([act[2] for act in case.acts])
    return retention.found(made, *firsts(made.owner, made.at), back, asked, case.now)


def _spans(case: Case, start: int, mode: str) -> list[tuple[int, int]]:
    """The periods 0 … of somebody who begins at `start`, many enough to reach now."""
    width = retention.ROLLING[case.period.unit]
    if mode == "rolling":
        return [(start + k * width, start + (k + 1) * width) for k in range(90)]
    spans = [case.period.bounds(start, case.zone)]
    while len(spans) < 130:
        spans.append(case.period.bounds(spans[-1][1], case.zone))
    return spans


def _expected(case: Case, mode: str, groups: list[tuple[int, int]], unbounded: bool) -> dict[int, list[object]]:
    """By the start of the cohort's period, the numbers of each group of periods: (came, of), whether it is partial."""
    cohorts: dict[int, list[object]] = {}
    starts = {who: min(at for other, at, _ in case.acts if other == who) for who, _, _ in case.acts}
    for cohort in sorted({case.period.bounds(at, case.zone)[0] for at in starts.values()}):
        members = [(who, at) for who, at in starts.items() if case.period.bounds(at, case.zone)[0] == cohort]
        line: list[object] = []
        for low, high in groups:
            came = reached = 0
            for who, start in members:
                spans = _spans(case, start, mode)
                if spans[high - 1][1] > case.now:
                    continue
                reached += 1
                last = max(k for k, span in enumerate(spans) if span[1] <= case.now) + 1 if unbounded else high
                inside = [(max(start, a), b) for a, b in spans[low:last]]
                came += any(a <= at < b for other, at, back in case.acts if other == who and back for a, b in inside)
            line.append(((came, reached), reached < len(members)))
        cohorts[cohort] = line
    return cohorts


def _told(case: Case, asked: retention.Asked) -> dict[int, list[object]]:
    told = retention.told(_found(case, asked), asked)
    return {
        cohort.start: [((cell.came.part, cell.came.whole), cell.partial) for cell in cohort.cells]
        for cohort in told.cohorts
    }


@given(CASES, st.sampled_from(["calendar", "rolling"]), st.booleans())
def test_cohorts_are_those_counted_one_by_one(case: Case, mode: retention.Mode, unbounded: bool) -> None:
    """By calendar and from each one's own start; in the period, or then or later."""
    asked = retention.Asked(case.period, case.zone, mode, "unbounded" if unbounded else "n-day", COUNT)
    groups = [(k, k + 1) for k in range(COUNT)]
    assert _told(case, asked) == _expected(case, mode, groups, unbounded)


@given(CASES, st.sampled_from(["calendar", "rolling"]))
def test_brackets_are_those_counted_one_by_one(case: Case, mode: retention.Mode) -> None:
    """A bracket has ended when its last period has."""
    asked = retention.Asked(case.period, case.zone, mode, "bracket", edges=(0, 1, 3))
    assert _told(case, asked) == _expected(case, mode, [(0, 1), (1, 3)], unbounded=False)


@given(CASES, st.lists(st.integers(-1, 1), min_size=4, max_size=4))
def test_groups_of_members_add_up(case: Case, values: list[int]) -> None:
    """Each cell of all is the sum of the groups' cells."""
    asked = retention.Asked(case.period, case.zone, count=COUNT)
    found = _found(case, asked)
    groups = breakdown.groups(np.array(values)[found.members.owner], ("a", "b"))
    parts = [retention.told(retention.part(found, groups, number), asked) for number in range(len(groups.names))]
    whole = retention.told(found, asked)
    for number, cell in enumerate(whole.cells):
        cells = [part.cells[number].came for part in parts]
        assert (sum(one.part for one in cells), sum(one.whole for one in cells)) == cell.came[:2]
    assert sum(part.size for part in parts) == whole.size


@given(CASES)
def test_activity_is_that_counted_one_by_one(case: Case) -> None:
    """New, kept and resurrected; days are counted in the project's zone, those of the period that have begun."""
    made = _columns(case)
    found = active.presence(made.owner, made.at, case.period, case.zone, case.now)
    days = Period("day", case.period.calendar)
    for one in active.told(found, None, None, None, case.now):
        start, end = case.period.bounds(one.start, case.zone)
        before = case.period.bounds(start - 1, case.zone)[0]
        here = {who for who, at, _ in case.acts if start <= at < end}
        earlier = {who for who, at, _ in case.acts if at < start}
        last = {who for who, at, _ in case.acts if before <= at < start}
        pairs = {(who, days.bounds(at, case.zone)[0]) for who, at, _ in case.acts if start <= at < end}
        begun = {days.bounds(at, case.zone)[0] for at in range(start, min(end, case.now + 1), HOUR)}
        assert (one.start, one.ended) == (start, end <= case.now)
        assert (one.active, one.new) == (len(here), len(here - earlier))
        assert (one.kept, one.resurrected) == (len(here & last), len((here & earlier) - last))
        assert one.days == (len(pairs) / len(here) if here else None)
        assert one.daily == (len(pairs) / len(begun) if begun else None)
