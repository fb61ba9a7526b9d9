"""Retention as counted member by member."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from services.metrics.analytics.kernels import retention
from services.metrics.analytics.kernels.retention import Members, Table

PERIODS = 4
PEOPLE = st.lists(st.tuples(st.integers(0, 3), st.lists(st.integers(0, 9), max_size=6)), max_size=6)


def _members(people: list[tuple[int, list[int]]], now: int) -> Members:
    cohort = np.array([cohort for cohort, _ in people], dtype=np.int64)
    return Members(np.arange(len(people)) * 3, cohort, now - cohort)


def _acts(people: list[tuple[int, list[int]]]) -> tuple[np.ndarray, np.ndarray]:
    pairs = [(number * 3, act) for number, (_, acts) in enumerate(people) for act in acts] + [(1, 5), (99, 5)]
    return np.array([pair[0] for pair in pairs]), np.array([pair[1] for pair in pairs])


def _expected(people: list[tuple[int, list[int]]], now: int, came: object) -> dict[int, list[tuple[int, int]]]:
    lines: dict[int, list[tuple[int, int]]] = {}
    for cohort in sorted({cohort for cohort, _ in people}):
        mine = [acts for other, acts in people if other == cohort]
        lines[cohort] = [
            (sum(came(cohort, acts, k) for acts in mine), len(mine)) if cohort + k < now else (0, 0)  # type: ignore[operator]
            for k in range(PERIODS)
        ]
    return lines


def _lines(table: Table) -> dict[int, list[tuple[int, int]]]:
    return {
        int(cohort): list(zip(came.tolist(), eligible.tolist(), strict=True))
        for cohort, came, eligible in zip(table.cohort, table.came, table.eligible, strict=True)
    }


@given(PEOPLE, st.integers(0, 9))
def test_n_day_counts_who_came_in_the_period(people: list[tuple[int, list[int]]], now: int) -> None:
    """0 where nobody came, and nothing to count where the period has not ended: two answers."""
    members = _members(people, now)
    returns = retention.calendar(members, *_acts(people), PERIODS)
    expected = _expected(people, now, lambda cohort, acts, k: cohort + k in acts)
    assert _lines(retention.n_day(members, returns, PERIODS)) == expected


@given(PEOPLE, st.integers(0, 9))
def test_unbounded_counts_who_came_then_or_later(people: list[tuple[int, list[int]]], now: int) -> None:
    """Later periods count as far as they are looked at and have ended."""
    members = _members(people, now)
    returns = retention.calendar(members, *_acts(people), PERIODS)

    def came(cohort: int, acts: list[int], k: int) -> bool:
        return any(cohort + later in acts for later in range(k, PERIODS) if cohort + later < now)

    assert _lines(retention.unbounded(members, returns, PERIODS)) == _expected(people, now, came)


def test_rolling_periods_begin_with_the_member() -> None:
    """Two members of one cohort who began at 0 and at 5, periods of 10: an act at 12 is in period 1 of the one and 0 of
    the other."""
    members = Members(np.array([0, 1]), np.array([7, 7]), np.array([2, 1]))
    returns = retention.rolling(members, np.array([0, 5]), np.array([0, 1, 0]), np.array([12, 12, 4]), 10, 3)
    table = retention.n_day(members, returns, 3)
    assert table.came.tolist() == [[2, 1, 0]]
    assert table.eligible.tolist() == [[2, 1, 0]]


def test_brackets_count_a_member_once_and_only_when_they_have_ended() -> None:
    """Brackets [0, 1) and [1, 3): acts in periods 1 and 2 are one; who has seen two periods end is in the first."""
    members = Members(np.array([0, 1]), np.array([0, 0]), np.array([3, 2]))
    returns = retention.calendar(members, np.array([0, 0, 1]), np.array([1, 2, 1]), 3)
    table = retention.bracket(members, returns, np.array([0, 1, 3]))
    assert table.came.tolist() == [[0, 1]]
    assert table.eligible.tolist() == [[2, 1]]
