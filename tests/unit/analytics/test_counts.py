"""Who stands where and by what they differ, against going through each customer's history one by one."""

import json
from collections import Counter
from typing import Any, NamedTuple

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from services.metrics.analytics import counts, traits
from services.metrics.analytics.columns import MISSING, Columns
from services.metrics.analytics.counts import Standing
from services.metrics.analytics.kernels.stays import Moves
from services.metrics.analytics.traits import Valued
from shared.journeys.definition import parse

CUSTOMERS, STAGES = 3, 2

PERSONAS = parse(
    {
        "journey": "shop",
        "stages": [{"stage": "visitor", "enter": {"touchpoint": {}}}],
        "personas": [
            {"persona": "owner", "when": {"role": ["Owner", "founder"]}},
            {"persona": "team", "when": {"size": {"at_least": 10}, "role": {"exists": True}}},
            {"persona": "nobody", "when": {"role": {"exists": False}}},
        ],
    }
).personas


class Told(NamedTuple):
    """What a customer tells of themselves at an instant; None: a touchpoint that tells nothing."""

    owner: int
    at: int
    traits: dict[str, Any] | None


VALUES = st.sampled_from([None, "owner", " Owner", "sales", True, 1, 1.0, 12, [1], {"a": 1}])
TOLD = st.lists(
    st.builds(
        Told,
        st.integers(0, CUSTOMERS - 1),
        st.integers(0, 5),
        st.none() | st.dictionaries(st.sampled_from(["role", "size"]), VALUES),
    ),
    max_size=10,
).map(lambda all_: sorted(all_, key=lambda one: one[:2]))


def _columns(told: list[Told]) -> Columns:
    words = list(dict.fromkeys(json.dumps(one.traits) for one in told if one.traits is not None))
    codes = [MISSING if one.traits is None else words.index(json.dumps(one.traits)) for one in told]
    return Columns(
        np.arange(CUSTOMERS),
        np.array([one.owner for one in told], dtype=np.int64),
        np.array([one.at for one in told], dtype=np.int64),
        {"traits": np.array(codes, dtype=np.int32)},
        {"traits": tuple(words)},
    )


def _held(told: list[Told], owner: int, until: int) -> dict[str, Any]:
    """A customer's traits at an instant: the later wins, null takes away."""
    held: dict[str, Any] = {}
    for one in told:
        if one.owner == owner and one.at <= until:
            held |= one.traits or {}
    return {name: value for name, value in held.items() if value is not None}


def _persona(held: dict[str, Any]) -> str | None:
    role, size = held.get("role"), held.get("size")
    if isinstance(role, str) and role.strip().lower() in ("owner", "founder"):
        return "owner"
    if role is not None and isinstance(size, int | float) and not isinstance(size, bool) and size >= 10:
        return "team"
    return "nobody" if role is None else None


def _each(found: Valued) -> list[Any]:
    return [None if code < 0 else found.values[code] for code in found.codes.tolist()]


@given(TOLD, st.integers(-1, 6))
def test_traits_and_personas_are_those_that_the_history_up_to_an_instant_gives(told: list[Told], until: int) -> None:
    """Each customer's, one by one."""
    columns, held = _columns(told), [_held(told, owner, until) for owner in range(CUSTOMERS)]
    for name in ("role", "size"):
        assert _each(traits.trait(columns, name, until)) == [one.get(name) for one in held]
    assert _each(traits.persona(columns, PERSONAS, until)) == [_persona(one) for one in held]


def test_values_as_they_are_told() -> None:
    """1 and 1.0 are one number; a flag is a word; lists and objects are nothing to count by."""
    values = [1, 1.0, 1.5, True, "x", [1], {}]
    found = traits.words(Valued(np.arange(-1, len(values)), values))
    assert _each(found) == [None, "1", "1", "1.5", "true", "x", None, None]


MOVES = st.lists(
    st.tuples(st.integers(0, CUSTOMERS - 1), st.integers(0, 5), st.integers(-1, STAGES - 1)), max_size=10
).map(lambda all_: sorted(all_, key=lambda one: one[:2]))


def _moves(moves: list[tuple[int, int, int]]) -> Moves:
    table = np.array(moves, dtype=np.int64).reshape(len(moves), 3)
    return Moves(table[:, 0], table[:, 1], np.full(len(moves), -2), table[:, 2])


@given(MOVES, st.integers(-1, 6))
def test_everybody_stands_where_the_last_move_led(moves: list[tuple[int, int, int]], until: int) -> None:
    """Up to an instant; who has made none is not there."""
    last = {owner: (stage, at) for owner, at, stage in moves if at <= until}
    found = counts.standing(_moves(moves), until)
    assert (
        dict(zip(found.owner.tolist(), zip(found.stage.tolist(), found.since.tolist(), strict=True), strict=True))
        == last
    )


WORDS = ("a", "b", "c")
PEOPLE = st.lists(
    st.tuples(st.integers(-1, STAGES - 1), st.integers(-1, len(WORDS) - 1), st.integers(-1, len(WORDS) - 1)), max_size=9
)


def _valued(codes: list[int]) -> Valued:
    return Valued(np.array(codes, dtype=np.int64), WORDS)


@given(PEOPLE, PEOPLE)
def test_cells_count_everybody_once_by_their_values(
    first: list[tuple[int, int, int]], second: list[tuple[int, int, int]]
) -> None:
    """At two instants, with the same names at both; and whoever has a value is who is counted under it."""
    names, groups = [], []
    for dimension in (1, 2):
        codes, words = counts.named([_valued([one[dimension] for one in people]) for people in (first, second)])
        groups.append(codes)
        names.append(words)
    for point, people in enumerate((first, second)):
        stage = np.array([one[0] for one in people], dtype=np.int64)
        who = Standing(np.arange(len(people)), stage, stage)
        found = counts.cells(who, [codes[point] for codes in groups], names, STAGES)
        by_hand = Counter(((*(WORDS[code] if code >= 0 else "unknown" for code in one[1:]),), one[0]) for one in people)
        assert (
            Counter(
                {
                    (cell.values, stage if stage < STAGES else -1): n
                    for cell in found
                    for stage, n in enumerate(cell.stages)
                    if n
                }
            )
            == by_hand
        )
        for word in (*WORDS, "unknown", "other"):
            mine = counts.having(_valued([one[1] for one in people]), word)
            assert mine.tolist() == [(WORDS[one[1]] if one[1] >= 0 else "unknown") == word for one in people]
