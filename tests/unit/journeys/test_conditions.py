"""What conditions keep, and when they turn."""

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.events import SECOND
from shared.journeys.conditions.amounts import carried
from shared.journeys.conditions.base import Condition, Moment
from shared.journeys.conditions.slots import digest
from shared.journeys.engine import Journey, State
from tests.support import strategies
from tests.support.journeys import from_golden, journey, touchpoint


def entering(condition: str) -> Journey:
    """A journey of one stage, `a`, with this `enter`."""
    return journey(f"stages: [{{stage: a, enter: {condition}}}]")


def total(*amounts: float) -> Any:
    """What a sum without a window keeps of these amounts."""
    summing = entering("{sum: {of: {}, property: p, at_least: 1000000000}}")
    state = summing.start()
    for number, amount in enumerate(amounts):
        summing.touch(state, touchpoint(number, str(number), properties={"p": amount}))
    return state.slots[0]


@pytest.mark.parametrize(
    ("amounts", "millionths"),
    [
        ((0.1, 0.2), 300_000),
        ((0.0000005,), 0),
        ((0.0000015,), 2),
        ((0.0000025,), 2),
        ((-0.0000015,), -2),
        ((19.99, -19.99), 0),
        ((5, 1e3, -2.5), 1_002_500_000),
        ((2**60, 2**60), str(2**61 * 10**6)),
        ((2**60, -(2**60)), 0),
        ((10**400, 1), 10**6),
        ((1e300, 1), str(10**306 + 10**6)),
    ],
)
def test_sum(amounts: tuple[float, ...], millionths: int | str) -> None:
    """A sum adds whole millionths, of whatever size."""
    assert total(*amounts) == millionths


@given(st.integers(-(2**80), 2**80))
def test_carried(amount: int) -> None:
    """msgpack carries any amount."""
    assert int(msgspec.msgpack.decode(msgspec.msgpack.encode(carried(amount)))) == amount


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (1, 1.0, True),
        (1, "1", False),
        (1, True, False),
        (True, "true", False),
        ("A  b", "a B", True),
        (2**70, 2.0**70, True),
        (0.1, 0.10000000000000002, False),
        (0, -0.0, True),
    ],
)
def test_digest(one: Any, other: Any, same: bool) -> None:
    """Values are different exactly as rule 10 has it."""
    assert (digest(one) == digest(other)) is same


@pytest.mark.parametrize("value", [None, [], {}, [1]])
def test_what_is_no_value(value: Any) -> None:
    """Null, objects and lists are no values."""
    assert digest(value) is None


def test_equal_aggregates_share_a_slot() -> None:
    """What two conditions count alike is kept once, as far as the more demanding of them needs."""
    shared = journey("""
stages:
  - {stage: a, enter: {count: {of: {name: X}, within: 7d, at_least: 2}}}
  - {stage: b, enter: {any: [{count: {of: {name: x}, within: 7d, exactly: 4}}, {count: {of: {name: X}, at_least: 2}}]}}
""")
    assert shared.layout.bounds == (5, 2)


def test_traits_are_cut() -> None:
    """Of traits only those asked for are kept, texts folded and cut, objects and lists as the mere fact."""
    asking = entering("{all: [{trait: {a: Pro}}, {trait: {b: {exists: true}, c: {at_least: 5}, d: 1}}]}")
    state = asking.start()
    given = {"a": " PRO ", "b": {"x": 1}, "c": 2**70, "d": "y" * 1000, "e": 5}
    asking.touch(state, touchpoint(0, "1", "identify", traits=given))
    assert state.traits == {"a": "pro", "b": [], "c": float(2**70), "d": "y" * 64}
    asking.touch(state, touchpoint(1, "2", "identify", traits={"a": None, "b": None}))
    assert state.traits == {"c": float(2**70), "d": "y" * 64}


def met(journey: Journey, condition: Condition, state: State, now: int) -> bool:
    """Whether a condition holds at an instant without a touchpoint."""
    holds = condition.compile(Moment(journey.layout, state.stage))
    return holds if isinstance(holds, bool) else holds(state, None, now)


@settings(max_examples=200)
@given(strategies.worlds(), st.booleans(), st.data())
def test_turns(world: strategies.World, truth: bool, data: st.DataObject) -> None:
    """A condition turns at the earliest instant at which it reads so: there, and never before."""
    journey = world.journey()
    state = journey.start()
    touchpoints = sorted(map(from_golden, world.history), key=lambda one: (one.at, one.id))
    for one in touchpoints:
        journey.touch(state, one)
    start = state.at
    for condition in journey.definition.conditions():
        turns = condition.turns(Moment(journey.layout, state.stage), truth)
        at = turns(state, start) if callable(turns) else start if turns else None
        if at is not None:
            assert met(journey, condition, state, at) is truth
        until = start + 200 * SECOND if at is None else at
        before = data.draw(st.integers(start, max(start, until - 1)))
        if before < until:
            assert met(journey, condition, state, before) is not truth
