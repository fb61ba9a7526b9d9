"""The oracle looks at some instants only; these look at any, and at any order of arrival."""

import random
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from shared.events import SECOND
from tests import oracle
from tests.oracle.journey import move
from tests.oracle.reading import Reading
from tests.support import strategies


@st.composite
def taken(draw: st.DrawFn) -> strategies.World:
    """A journey that the page takes, and what happened."""
    world = strategies.world(draw)
    assume(not oracle.faults(world.definition))
    return world


#: From the first touchpoint on: half seconds, days and sixths, and a microsecond aside.
offsets = st.builds(
    lambda ticks, unit, aside: ticks * unit + aside,
    st.integers(0, 40),
    st.sampled_from([SECOND // 2, SECOND // 2, 10 * SECOND, 14_400 * SECOND, 86_400 * SECOND]),
    st.integers(-1, 1),
)


def first(world: strategies.World) -> int:
    """The instant of the first touchpoint."""
    return min(int(one["t"]) for one in world.history)


@settings(max_examples=400)
@given(taken(), offsets)
def test_no_timer_is_missed(world: strategies.World, offset: int) -> None:
    """At no instant is a move by time alone left to make."""
    definition, history, _, zone = world
    now = first(world) + offset
    seen = [one for one in oracle.in_order(history) if one["t"] <= now and not one["excluded"]]
    if seen:
        moves = oracle.derive(definition, history, now, zone)
        assert move(Reading(definition, zone, seen, moves, now, None)) == []


@given(taken(), offsets, offsets)
def test_moves_are_never_taken_back_by_time(world: strategies.World, one: int, other: int) -> None:
    """What is derived at an earlier instant is how what is derived at a later one begins."""
    definition, history, _, zone = world
    early, late = sorted([first(world) + one, first(world) + other])
    moves = oracle.derive(definition, history, late, zone)
    assert oracle.derive(definition, history, early, zone) == [made for made in moves if made.at <= early]


@given(taken(), st.randoms(use_true_random=False))
def test_the_order_in_which_touchpoints_are_given_does_not_matter(
    world: strategies.World, order: random.Random
) -> None:
    """A history is its touchpoints, not their order; of those with one id the one recorded first counts."""
    definition, history, now, zone = world
    firsts: list[dict[str, Any]] = oracle.in_order(history)
    shuffled = order.sample(firsts, len(firsts))
    assert oracle.derive(definition, shuffled, now, zone) == oracle.derive(definition, history, now, zone)


@given(taken(), offsets, offsets)
def test_what_was_known_is_what_those_touchpoints_come_to(world: strategies.World, one: int, other: int) -> None:
    """For an instant not after that of the knowledge, the ledger is the derivation of what was recorded."""
    definition, history, _, zone = world
    at, known_at = sorted([first(world) + one, first(world) + other])
    taken_then = [touchpoint for touchpoint in history if touchpoint["recorded"] <= known_at]
    assert oracle.known(definition, history, at, known_at, zone) == oracle.stage(definition, taken_then, at, zone)


def test_a_definition_that_goes_round_at_one_instant_is_not_followed() -> None:
    """The derivation of a definition that rule 28 refuses ends in an error, not never."""
    always = {"not": {"count": {"of": {"name": "B"}, "within": "1s", "at_least": 1}}}
    definition = {
        "journey": "round",
        "stages": [{"stage": "low", "enter": {"touchpoint": {}}}],
        "side": [
            {"stage": "left", "from": ["low", "right"], "enter": always},
            {"stage": "right", "from": ["left"], "enter": always},
        ],
    }
    touchpoint = {"id": "a", "type": "track", "name": "A", "t": 0, "recorded": 0}
    with pytest.raises(ValueError, match="goes round"):
        oracle.derive(definition, [touchpoint], SECOND)
