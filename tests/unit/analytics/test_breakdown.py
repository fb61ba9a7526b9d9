"""What customers are broken down by, as found one by one; shares with their intervals; periods of many instants."""

from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.proportion import proportion_confint

from services.metrics.analytics import breakdown, selecting
from services.metrics.analytics.columns import MISSING, Columns
from services.metrics.analytics.intervals import share
from services.metrics.analytics.periods import periods
from services.metrics.errors import Refused
from shared.events import DAY
from shared.journeys.calendar import PERIODS, Calendar, Period
from tests.unit.analytics.brute import NAMES, Act, columns, histories, of


def _with_missing(acts: list[Act]) -> Columns:
    """The columns of these acts, where the name x stands for a missing value."""
    made = columns(acts)
    codes = np.where(made.has("name", "x"), MISSING, made.codes["name"]).astype(np.int32)
    return Columns(made.customers, made.owner, made.at, {"name": codes}, made.words)


def _code(acts: list[Act]) -> int:
    return NAMES.index(acts[0].name) if acts else MISSING


@given(histories(), st.integers(-1, 13))
def test_first_last_and_then(acts: list[Act], at: int) -> None:
    """Acquired is the first value given, latest the last up to an instant, entered the last at an instant."""
    made = _with_missing(acts)
    given_ = [[act for _, act in of(acts, owner) if act.name != "x"] for owner in range(3)]
    assert breakdown.acquired(made, "name").tolist() == [_code(mine) for mine in given_]
    until = [[act for act in mine if act.at <= at][::-1] for mine in given_]
    assert breakdown.latest(made, "name", at).tolist() == [_code(mine) for mine in until]
    then = breakdown.entered(made, "name", np.arange(3), np.full(3, at))
    assert then.tolist() == [_code(mine) for mine in until]


@given(st.lists(st.integers(-1, 80), max_size=300))
def test_groups_add_up(codes: list[int]) -> None:
    """Everybody is in one group; no named group is smaller than what the rest has of one value."""
    words = tuple(f"w{number}" for number in range(81))
    found = breakdown.groups(np.array(codes, dtype=np.int64), words)
    sizes = {name: int((found.group == number).sum()) for number, name in enumerate(found.names)}
    assert sum(sizes.values()) == len(codes)
    assert sizes.get("unknown", 0) == codes.count(-1)
    named = {name: size for name, size in sizes.items() if name.startswith("w")}
    assert len(named) <= breakdown.NAMED
    assert all(size == codes.count(int(name[1:])) for name, size in named.items())
    rest = [codes.count(code) for code in set(codes) - {-1} if f"w{code}" not in named]
    assert not rest or max(rest) <= min(named.values())


@given(st.integers(0, 999), st.integers(1, 999))
def test_the_interval_is_that_of_another_library(part: int, whole: int) -> None:
    """Wilson's score interval; a group of a thousand needs none."""
    part = min(part, whole)
    low, high = proportion_confint(part, whole, method="wilson")
    found = share(part, whole)
    assert found.low == pytest.approx(low, abs=1e-9)
    assert found.high == pytest.approx(high, abs=1e-9)
    assert share(part, 1000).low is None
    assert share(0, 0).share is None


@given(
    st.sampled_from(PERIODS),
    st.sampled_from(["gregorian", "jalali"]),
    st.sampled_from(["Asia/Tehran", "Europe/Berlin", "UTC"]),
    st.lists(st.integers(18_000 * DAY, 18_900 * DAY), min_size=1, max_size=5),
)
def test_instants_lie_in_the_periods_that_the_calendar_says(unit: str, months: str, zone: str, at: list[int]) -> None:
    """By the journeys' own calendar, one by one."""
    period, where = Period(unit, Calendar(months=months)), ZoneInfo(zone)
    found = periods(period, min(at), max(at), where)
    for one, number in zip(at, found.of(np.array(at)).tolist(), strict=True):
        assert (found.starts[number], found.starts[number + 1]) == period.bounds(one, where)


def test_a_matcher_selects_rows_by_type_name_and_fact() -> None:
    """Names compare as in journeys; a predicate on a fact is tried on each of its values, and on none."""
    made = columns([Act(0, 0, "a"), Act(0, 1, "b"), Act(1, 2, "a")])
    codes = {**made.codes, "type": np.zeros(3, dtype=np.int32), "channel": np.array([0, -1, 1], dtype=np.int32)}
    words = {**made.words, "type": ("track",), "channel": ("direct", "email")}
    made = Columns(made.customers, made.owner, made.at, codes, words)

    def rows(asked: object) -> list[int]:
        return np.flatnonzero(selecting.selected(made, selecting.matcher(asked, "steps[0]"))).tolist()

    assert rows({"name": " A "}) == [0, 2]
    assert rows({"type": "page"}) == []
    assert rows({"channel": "email"}) == [2]
    assert rows({"name": ["a", "b"], "channel": {"exists": False}}) == [1]
    with pytest.raises(Refused, match="cannot be asked here"):
        rows({"properties": {"plan": "pro"}})
    with pytest.raises(Refused, match="unknown key 'nam'"):
        rows({"nam": "a"})
