"""Folding, in whatever cuts, is `derive`; due times are exact; states stay small."""

from itertools import product
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.events import DAY, SECOND
from shared.journeys.derive import derive, history
from shared.journeys.engine import Journey, Move, State
from shared.journeys.explain import name, why
from shared.journeys.sentences import sentence
from shared.journeys.telling import LANGUAGES
from tests.support import strategies
from tests.support.journeys import from_golden, touchpoint

FOREVER = 4_000_000 * DAY

#: All that random definitions ask for.
TRAITS = ["k", "l"]


def packed(state: State) -> State:
    """A state once written and read."""
    return msgspec.msgpack.decode(msgspec.msgpack.encode(state), type=State)


@settings(max_examples=200)
@given(strategies.worlds(), st.data())
def test_any_cut(world: strategies.World, data: st.DataObject) -> None:
    """Copied, written and read, or looked at ahead of time between any two touchpoints, a fold comes to the same."""
    journey, now = world.journey(), world.now
    touchpoints = list(map(from_golden, world.history))
    state, moves = journey.start(), list[Move]()
    for one in history(touchpoints, now):
        match data.draw(st.integers(0, 3)):
            case 0:
                kept, state = state, journey.copy(state)
                journey.touch(kept, one)
            case 1:
                assert packed(state) == state
                state = packed(state)
            case 2:
                journey.advance(journey.copy(state), FOREVER)
        between = data.draw(st.integers(state.at, max(state.at, one.at - 1)))
        if between < one.at:
            moves += journey.advance(state, between)
        moves += journey.advance(state, one.at - 1)
        move = journey.touch(state, one)
        moves += [move] if move else []
    assert moves + journey.advance(state, now) == derive(journey, touchpoints, now)


@settings(max_examples=200)
@given(strategies.worlds())
def test_due_is_exact(world: strategies.World) -> None:
    """A state is due exactly when its next timer move is made, and never before its last instant."""
    journey = world.journey()
    state = journey.start()
    for one in history(map(from_golden, world.history), FOREVER):
        journey.advance(state, one.at - 1)
        journey.touch(state, one)
        due, ahead = journey.due(state), journey.copy(state)
        if due is None:
            assert journey.advance(ahead, FOREVER) == []
        else:
            assert due >= state.at
            assert journey.advance(ahead, due - 1) == []
            assert journey.advance(ahead, due)[0].at == due


@settings(max_examples=200)
@given(strategies.worlds())
def test_why_is_derive(world: strategies.World) -> None:
    """*Why* tells of the very move that `derive` makes last, and of the timer that is next."""
    journey, now = world.journey(), world.now
    touchpoints = [from_golden(one) for one in world.history]
    told = why(journey, touchpoints, now)
    moves = derive(journey, touchpoints, now)
    assert told.move == (moves[-1] if moves else None)
    assert told.stage == (name(journey, moves[-1].target) if moves else None)
    tellings = [told.reason, *(one.lacks for one in told.toward), *([told.next.reason] if told.next else [])]
    for telling, language in product(tellings, LANGUAGES):
        assert sentence(telling, journey.definition, language).endswith(".")
    assert all(one.at <= (told.since or now) for one in told.evidence)
    later = derive(journey, history(touchpoints, now), FOREVER)[len(moves) :]
    due = (later[0].at, name(journey, later[0].target)) if later else None
    assert (told.next and (told.next.at, told.next.stage)) == due


def limit(journey: Journey) -> int:
    """What a state may weigh in bytes: numbers take 9 of them, an item in a slot 20, a trait is cut to 64 letters."""
    fixed = 12 + len(journey.stages)
    items = sum(journey.layout.bounds)
    return 9 * fixed + 20 * items + 80 * len(TRAITS)


@settings(max_examples=50)
@given(strategies.definitions())
def test_states_stay_small(definition: dict[str, Any]) -> None:
    """However many touchpoints there are, and however large, a state weighs no more than its definition allows."""
    journey = strategies.compiled(definition)
    state = journey.start()
    for number in range(300):
        at = number * SECOND // 50
        value: Any = number if number % 3 else "x" * 10_000 + str(number)
        parts = {"properties": {"p": value, "o": {"q": number / 7}}, "traits": {"k": value, "l": [value]}}
        kind, event = [("track", "Buy"), ("track", "View"), ("identify", None), ("page", None)][number % 4]
        journey.advance(state, at - 1)
        journey.touch(state, touchpoint(at, f"{number:04}", kind, event, **parts))
    assert len(msgspec.msgpack.encode(state)) <= limit(journey)
