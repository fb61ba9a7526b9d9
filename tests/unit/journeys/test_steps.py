"""Sequences and scores: what is kept of a customer stays small and whole, and what is shown for it."""

import msgspec

from shared.events import SECOND
from shared.journeys.engine import Journey
from shared.journeys.explain import why
from shared.journeys.state import State
from tests.support.journeys import START, journey, touchpoint

PACK, UNPACK = msgspec.msgpack.Encoder().encode, msgspec.msgpack.Decoder(State).decode

BY_SKU = "stages: [{stage: s, enter: {sequence: {steps: [{name: A}, {name: B}, {name: C}], by: sku, held: 1d}}}]"
FADING = """
stages:
  - stage: s
    enter:
      score:
        of: [{touchpoint: {name: A}, points: 2, cap: 5}, {touchpoint: {name: B}, points: 0.5}]
        traits: [{trait: {plan: pro}, points: 1}]
        half_life: 4s
        at_least: 3.5
"""
EQUAL = """
stages:
  - {stage: a, enter: {score: {of: [{touchpoint: {name: A}, points: 1}], at_least: 3}}}
  - {stage: b, enter: {score: {of: [{touchpoint: {name: A}, points: 2, cap: 9}], at_least: 8}}}
  - {stage: c, enter: {sequence: {steps: [{name: A}, {name: B}], held: 1d}}}
  - {stage: d, enter: {not: {sequence: {steps: [{name: A}, {name: B}], held: 2d}}}}
"""


def fold(made: Journey, n: int) -> State:
    """The state after so many touchpoints, a second apart, packed and unpacked on the way."""
    state = made.start()
    for number in range(n):
        name = "ABC"[number % 3]
        made.touch(
            state, touchpoint(START + number * SECOND, f"{number:05}", name=name, properties={"sku": number // 2})
        )
        if number % 50 == 0:
            state = UNPACK(PACK(state))
    return state


def test_a_sequence_by_a_property_stays_small() -> None:
    """Of thousands of values a hundred are followed, and the state that went through a store is the same."""
    made = journey(BY_SKU)
    state = fold(made, 3_000)
    (kept,) = state.slots
    assert len(kept) == 100 + 1
    assert UNPACK(PACK(state)).slots == state.slots
    assert len(PACK(state)) < 4_000


def test_a_score_stays_small() -> None:
    """Only steps of which something is left are kept."""
    state = fold(journey(FADING), 3_000)
    assert [len(kept) for kept in state.slots] == [14, 14]
    assert max(state.slots[0]) - min(state.slots[0]) < 40


def test_a_copy_of_the_state_is_of_its_own() -> None:
    """What is folded into a copy is not in the state that it was made of."""
    for text in (BY_SKU, FADING, BY_SKU.replace("by: sku, ", "")):
        made = journey(text)
        state = fold(made, 100)
        before = PACK(state)
        copy = made.copy(state)
        for number, name in enumerate("ABCABC"):
            made.touch(copy, touchpoint(START + 200 * SECOND, f"{number}", name=name, properties={"sku": 49}))
        assert PACK(state) == before
        assert PACK(copy) != before


def test_equal_parts_are_kept_once() -> None:
    """Two scores and two sequences that look at the same share what they keep."""
    made = journey(EQUAL)
    assert len(made.layout.slots) == 2


def test_what_a_score_is_made_of() -> None:
    """Why shows the touchpoints that still add something, and the one that told of the trait."""
    made = journey(FADING)
    told = [
        touchpoint(START - 100 * SECOND, "old", name="A"),
        touchpoint(START, "i", "identify", traits={"plan": "pro"}),
        touchpoint(START + 1, "a", name="A"),
        touchpoint(START + 2, "b", name="B"),
        touchpoint(START + 3, "x", name="X"),
    ]
    found = why(made, told, START + 3)
    assert (found.stage, found.since) == ("s", START + 2)
    assert [one.id for one in found.evidence] == ["i", "a", "b"]
