"""Aggregates are what the touchpoints that count come to, and turn at the first instant at which they do."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.events import DAY, SECOND
from shared.journeys.calendar import Calendar, Period
from shared.journeys.conditions.aggregate import Aggregate, Count, Distinct
from shared.journeys.conditions.base import Condition, Layout, Moment
from shared.journeys.conditions.comparison import COMPARISONS, Comparison
from shared.journeys.conditions.reckoned import Average, Greatest, Least, Sum
from shared.journeys.conditions.trend import Trend
from shared.journeys.conditions.window import Window
from shared.journeys.matcher import Matcher
from shared.journeys.reading import Place, Reading
from shared.journeys.state import NONE, State
from tests.support.journeys import setting, touchpoint

#: An instant, and a value or none.
Given = tuple[int, int | float | None]

ZONE = ZoneInfo("America/Sao_Paulo")
#: 2017-10-12, three days before one that has no midnight in that zone.
SPRING = 17_451 * DAY
HOUR = 3600 * SECOND
LAYOUT = setting(ZONE.key)
EVERYTHING = Matcher()

KINDS: list[type[Aggregate]] = [Count, Distinct, Sum, Average, Least, Greatest]
values = st.sampled_from([None, -1, 0, 0.5, 1, 2, 3, 0.000001, 2**62, -(2**62)])
numbers = st.sampled_from([-1, 0, 0.3333333, 0.5, 1, 1.5, 2, 3, 10**12])


def compared(key: str, number: float, unit: int) -> Comparison:
    """A comparison."""
    place = Place({key: number}, Reading({}))
    comparison = Comparison.parse(place, place.fields(optional=COMPARISONS) or {}, unit)
    assert comparison is not None
    return comparison


@st.composite
def aggregates(draw: st.DrawFn, kind: type[Aggregate], windows: st.SearchStrategy[Window]) -> Aggregate:
    """An aggregate of whatever happens."""
    number = draw(st.integers(0, 3)) if kind.unit == 1 else draw(numbers)
    comparison = compared(draw(st.sampled_from(COMPARISONS)), number, kind.unit)
    return kind(EVERYTHING, "" if kind is Count else "p", draw(windows), comparison)


def histories(instants: st.SearchStrategy[int]) -> st.SearchStrategy[list[Given]]:
    """Touchpoints in their order."""
    return st.lists(st.tuples(instants, values), max_size=8).map(lambda given: sorted(given, key=lambda one: one[0]))


def folded(condition: Condition, history: list[Given]) -> tuple[Moment, State]:
    """What a condition keeps of a history, once written and read."""
    ((slot, bound),) = condition.slots()
    layout = Layout({}, {slot: 0}, (bound,), LAYOUT)
    slots = [slot.empty()]
    update = slot.update(0, bound, LAYOUT)
    for number, (at, value) in enumerate(history):
        update(slots, touchpoint(at, str(number), properties={"p": value}))
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(slots)) == slots
    return Moment(layout, NONE), State(NONE, 0, NONE, NONE, NONE, [0], None, 0, slots, {}, None)


def reads(condition: Condition, moment: Moment, state: State, now: int) -> bool:
    """Whether a condition holds."""
    holds = condition.compile(moment)
    return holds if isinstance(holds, bool) else holds(state, None, now)


def turn(condition: Condition, moment: Moment, state: State, start: int, truth: bool) -> int | None:
    """When a condition turns."""
    turns = condition.turns(moment, truth)
    return turns(state, start) if callable(turns) else start if turns else None


def millionths(value: float) -> int:
    """A value, rounded."""
    return round(Fraction(str(value)) * 1_000_000)


def says(comparison: Comparison, amount: Fraction) -> bool:
    """What a comparison says of an amount in no unit."""
    return {
        "at_least": amount >= comparison.number,
        "at_most": amount <= comparison.number,
        "more_than": amount > comparison.number,
        "fewer_than": amount < comparison.number,
        "exactly": amount == comparison.number,
    }[comparison.key]


def expected(aggregate: Aggregate, counting: list[Given]) -> bool:
    """What an aggregate is by the page, of the touchpoints that count."""
    found = [value for _, value in counting if value is not None]
    rounded = [Fraction(millionths(value), 1_000_000) for value in found]
    if isinstance(aggregate, Count):
        return says(aggregate.comparison, Fraction(len(counting)))
    if isinstance(aggregate, Distinct):
        return says(aggregate.comparison, Fraction(len(set(found))))
    if isinstance(aggregate, Sum):
        return says(aggregate.comparison, sum(rounded, Fraction(0)))
    if not rounded:
        return False
    if isinstance(aggregate, Average):
        return says(aggregate.comparison, sum(rounded) / Fraction(len(rounded)))
    return says(aggregate.comparison, min(rounded) if isinstance(aggregate, Least) else max(rounded))


def bucketed(history: list[Given], within: int, now: int, windows_ago: int = 0) -> list[Given]:
    """Those in the 30 buckets up to now's, or in 30 before these."""
    width = -(-within // 30)
    ages = range(30 * windows_ago, 30 * windows_ago + 30)
    return [one for one in history if now // width - one[0] // width in ages]


def exact(condition: Condition, moment: Moment, state: State, start: int, truth: bool, instants: range) -> None:
    """Hold a condition's turn to be the first of these instants at which it reads so."""
    at = turn(condition, moment, state, start, truth)
    first = next((now for now in instants if reads(condition, moment, state, now) is truth), None)
    assert at == first


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=60)
@given(st.data(), histories(st.integers(-50, 50)), st.integers(0, 60), st.booleans())
def test_sliding(kind: type[Aggregate], data: st.DataObject, history: list[Given], later: int, truth: bool) -> None:
    """Within a window count those that are young enough, by whole buckets where amounts are put together."""
    windows = st.sampled_from([1, 29, 45, 60]).map(lambda within: Window(within=within))
    aggregate = data.draw(aggregates(kind, windows))
    moment, state = folded(aggregate, history)
    start = max([at for at, _ in history], default=0)
    within = aggregate.window.within or 0
    now = start + later
    counting = [one for one in history if one[0] >= now - within]
    if aggregate.unit > 1:
        counting = bucketed(history, within, now)
    assert reads(aggregate, moment, state, now) is expected(aggregate, counting)
    exact(aggregate, moment, state, start, truth, range(start, start + 200))


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=60)
@given(st.data(), histories(st.integers(-50, 50)), st.booleans())
def test_ever(kind: type[Aggregate], data: st.DataObject, history: list[Given], truth: bool) -> None:
    """Without a window all count, and time changes nothing."""
    aggregate = data.draw(aggregates(kind, st.sampled_from([Window(), Window(entry=True)])))
    moment, state = folded(aggregate, history)
    assert reads(aggregate, moment, state, 50) is expected(aggregate, history)
    assert turn(aggregate, moment, state, 50, truth) == (50 if expected(aggregate, history) is truth else None)


def local(at: int) -> date:
    """The day of an instant in the zone."""
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at)).astimezone(ZONE).date()


DAYS: dict[str, Callable[[date], Any]] = {
    "day": lambda day: day,
    "week": lambda day: day - timedelta(days=day.weekday()),
    "month": lambda day: (day.year, day.month),
}


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=120)
@given(
    st.data(),
    st.sampled_from(list(DAYS)),
    histories(st.integers(0, 8 * 24).map(lambda hours: SPRING + hours * HOUR)),
    st.integers(0, 20 * 24),
    st.booleans(),
)
def test_during(
    kind: type[Aggregate], data: st.DataObject, unit: str, history: list[Given], later: int, truth: bool
) -> None:
    """During a calendar period count those of the same period, of a day without a midnight, too."""
    aggregate = data.draw(aggregates(kind, st.just(Window(during=Period(unit, Calendar())))))
    moment, state = folded(aggregate, history)
    start = max([at for at, _ in history], default=SPRING)
    same = DAYS[unit]
    for now in (start, start + later * HOUR):
        counting = [one for one in history if same(local(one[0])) == same(local(now))]
        assert reads(aggregate, moment, state, now) is expected(aggregate, counting)
    exact(aggregate, moment, state, start, truth, range(start, start + 30 * DAY, HOUR))


@settings(max_examples=300)
@given(
    st.sampled_from(["", "p"]),
    st.sampled_from([1, 29, 45, 60]),
    st.sampled_from(COMPARISONS[:-1]),
    numbers,
    histories(st.integers(-100, 50)),
    st.integers(0, 60),
    st.booleans(),
)
def test_trend(path: str, within: int, key: str, number: float, history: list[Given], later: int, truth: bool) -> None:
    """A trend divides what the buckets of this window come to by what those of the last one did."""
    trend = Trend(EVERYTHING, path, within, compared(key, number, 1_000_000))
    moment, state = folded(trend, history)
    start = max([at for at, _ in history], default=0)
    now = start + later
    this, last = (
        sum(Fraction(1) if not path else Fraction(millionths(value or 0), 1_000_000) for _, value in counting)
        for counting in (bucketed(history, within, now), bucketed(history, within, now, 1))
    )
    assert reads(trend, moment, state, now) is (last > 0 and says(trend.comparison, this / Fraction(last)))
    exact(trend, moment, state, start, truth, range(start, start + 300))
