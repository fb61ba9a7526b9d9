"""The oracle looks at some instants only; these look at any, and at any order of arrival."""

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import oracle
from tests.oracle.journey import move
from tests.oracle.reading import Reading

SECOND = 1_000_000
STAGES = ["none", "low", "high", "left", "right"]

names = st.sampled_from(["A", "B", "C"])
durations = st.integers(1, 9).map(lambda seconds: f"{seconds}s")
comparisons = st.tuples(
    st.sampled_from(["at_least", "at_most", "more_than", "fewer_than", "exactly"]), st.integers(0, 3)
).map(lambda pair: dict([pair]))
matchers: st.SearchStrategy[dict[str, Any]] = st.one_of(st.just({}), names.map(lambda name: {"name": name}))
windows: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.just({}), durations.map(lambda duration: {"within": duration})
)
stages = st.sampled_from(STAGES)


def aggregate(kind: str, **more: str) -> st.SearchStrategy[dict[str, Any]]:
    """A count, distinct or sum of anything, in a window or not."""
    parts = st.tuples(matchers, windows, comparisons)
    return parts.map(lambda part: {kind: {"of": part[0], **part[1], **part[2], **more}})


leaves = st.one_of(
    matchers.map(lambda matcher: {"touchpoint": matcher}),
    aggregate("count"),
    aggregate("distinct", property="v"),
    aggregate("sum", property="v"),
    durations.map(lambda duration: {"quiet": duration}),
    st.tuples(durations, stages).map(lambda pair: {"stay": {"for": pair[0], "in": pair[1]}}),
    durations.map(lambda duration: {"stay": {"for": duration}}),
    st.tuples(stages, comparisons).map(lambda pair: {"visits": {"of": pair[0], **pair[1]}}),
    stages.map(lambda stage: {"came_from": stage}),
)
conditions = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=2).map(lambda parts: {"all": parts}),
        st.lists(inner, min_size=1, max_size=2).map(lambda parts: {"any": parts}),
        inner.map(lambda part: {"not": part}),
    ),
    max_leaves=3,
)
sources = st.lists(stages, min_size=1, max_size=3, unique=True)
returns = st.sampled_from(["highest", "previous"]).map(lambda to: {"return": {"on": "activity", "to": to}})


@st.composite
def definitions(draw: st.DrawFn) -> dict[str, Any]:
    """A journey of two ordered stages, two side stages and an exit, taken by the page."""
    definition: dict[str, Any] = {"journey": "any", "except": [{"name": "C"}], "stages": [], "side": []}
    for name in ("low", "high"):
        limited = {"from": draw(sources)} if draw(st.booleans()) else {}
        definition["stages"].append({"stage": name, "enter": draw(conditions), **limited})
    for name in ("left", "right"):
        back = draw(returns) if draw(st.booleans()) else {}
        definition["side"].append({"stage": name, "from": draw(sources), "enter": draw(conditions), **back})
    definition["exit"] = {"from": draw(sources), "enter": draw(conditions)}
    return definition


touchpoints = st.builds(
    lambda number, type_, name, t, arrived, v: {
        "id": f"{number}",
        "type": type_,
        "name": name,
        "t": t,
        "recorded": arrived,
        "user": "somebody",
        "anonymous": None,
        "previous": None,
        "properties": {"v": v},
        "context": {},
        "traits": {},
    },
    st.integers(0, 9),
    st.sampled_from(["track", "page", "identify"]),
    names,
    st.integers(-3, 12).map(lambda second: second * SECOND),
    st.integers(-3 * SECOND, 25 * SECOND),
    st.integers(-2, 3),
)
histories = st.lists(touchpoints, max_size=8, unique_by=lambda one: one["recorded"])
taken = definitions().filter(lambda definition: not oracle.faults(definition))
instants = st.tuples(st.integers(-3, 25), st.integers(-1, 1)).map(lambda pair: pair[0] * SECOND + pair[1])


@settings(max_examples=400)
@given(taken, histories, st.one_of(instants, st.integers(-3 * SECOND, 25 * SECOND)))
def test_no_timer_is_missed(definition: dict[str, Any], history: list[dict[str, Any]], now: int) -> None:
    """At no instant is a move by time alone left to make."""
    seen = [one for one in oracle.in_order(history) if one["t"] <= now]
    if seen:
        assert move(Reading(definition, "UTC", seen, oracle.derive(definition, history, now), now, None)) == []


@given(taken, histories, instants, instants)
def test_moves_are_never_taken_back_by_time(
    definition: dict[str, Any], history: list[dict[str, Any]], one: int, other: int
) -> None:
    """What is derived at an earlier instant is how what is derived at a later one begins."""
    early, late = sorted([one, other])
    moves = oracle.derive(definition, history, late)
    assert oracle.derive(definition, history, early) == [made for made in moves if made.at <= early]


@given(taken, histories, st.randoms(use_true_random=False))
def test_the_order_in_which_touchpoints_are_given_does_not_matter(
    definition: dict[str, Any], history: list[dict[str, Any]], order: random.Random
) -> None:
    """A history is its touchpoints, not their order."""
    shuffled = order.sample(history, len(history))
    assert oracle.derive(definition, shuffled, 25 * SECOND) == oracle.derive(definition, history, 25 * SECOND)


@given(taken, histories, instants, instants)
def test_what_was_known_is_what_those_touchpoints_come_to(
    definition: dict[str, Any], history: list[dict[str, Any]], one: int, other: int
) -> None:
    """For an instant not after that of the knowledge, the ledger is the derivation of what was recorded."""
    at, known_at = sorted([one, other])
    taken_then = [touchpoint for touchpoint in history if touchpoint["recorded"] <= known_at]
    assert oracle.known(definition, history, at, known_at) == oracle.stage(definition, taken_then, at)


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
