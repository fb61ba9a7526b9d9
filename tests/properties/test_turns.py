"""When conditions turn while only time passes, and what is kept of traits, against the plain way of finding it out."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from shared.journeys.compile import compile_journey
from shared.journeys.conditions.base import Holds, Turns
from shared.journeys.conditions.joined import first_turn, last_turn, nth_turn, some_hold
from shared.journeys.conditions.trait import Trait
from shared.journeys.definition import parse
from shared.journeys.predicates import Predicate
from shared.journeys.reading import Place, Reading
from shared.touch.text import fold
from tests.support.journeys import journey, setting, touchpoint

STATE = journey("stages: [{stage: a, enter: {touchpoint: {}}}]").start()
LAST = 12

#: When something is true, from instant 0 to LAST; from there on it stays as it was at LAST.
lives = st.lists(st.booleans(), min_size=LAST + 1, max_size=LAST + 1)
settled = st.one_of(st.booleans(), lives)


def turns(life: bool | list[bool], truth: bool) -> bool | Turns:
    """When it turns so, as a condition tells it."""
    if isinstance(life, bool):
        return life is truth

    def turn(state: Any, start: int) -> int | None:
        if start >= LAST:
            return start if life[LAST] is truth else None
        return next((at for at in range(start, LAST + 1) if life[at] is truth), None)

    return turn


def true_at(life: bool | list[bool], at: int) -> bool:
    """Whether it is true at an instant."""
    return life if isinstance(life, bool) else life[min(at, LAST)]


def told(turn: bool | Turns, start: int) -> int | None:
    """What a turn comes to."""
    if isinstance(turn, bool):
        return start if turn else None
    return turn(STATE, start)


@given(st.lists(settled, min_size=1, max_size=5), st.integers(1, 5), st.booleans(), st.integers(0, LAST + 2))
def test_so_many_have_turned(listed: list[bool | list[bool]], least: int, truth: bool, start: int) -> None:
    """The first instant at which at least so many are so; one and all of them are what they always were."""
    least = min(least, len(listed))

    def enough(at: int, number: int) -> bool:
        return sum(true_at(life, at) is truth for life in listed) >= number

    def first(number: int) -> int | None:
        return next((at for at in range(start, max(start, LAST) + 1) if enough(at, number)), None)

    found = [turns(life, truth) for life in listed]
    assert told(nth_turn(found, least), start) == first(least)
    assert told(first_turn(found), start) == first(1)
    assert told(last_turn(found), start) == first(len(listed))


def always(truth: bool) -> Holds:
    """A condition that is found out to be so."""
    return lambda state, touchpoint, now: truth


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=6), st.integers(1, 6))
def test_so_many_hold(listed: list[tuple[bool, bool]], least: int) -> None:
    """Whether what they say is known beforehand or found out."""
    least = min(least, len(listed))
    holds = some_hold([truth if known else always(truth) for known, truth in listed], least)
    found = holds if isinstance(holds, bool) else holds(STATE, None, 0)
    assert found is (sum(truth for _, truth in listed) >= least)


texts = st.text("aAb ي2۲\u200c", max_size=6)
operands = st.one_of(texts.filter(fold), st.sampled_from(["2026-03-21", "b" * 70, "a" * 64]))
clauses = st.one_of(
    st.fixed_dictionaries({"starts_with": operands}),
    st.fixed_dictionaries({"ends_with": st.lists(operands, min_size=1, max_size=2)}),
    st.fixed_dictionaries({"contains": operands}),
    st.fixed_dictionaries({"equals": st.one_of(operands, st.integers(0, 2), st.booleans())}),
    st.fixed_dictionaries({"exists": st.booleans()}),
    st.fixed_dictionaries({"at_least": st.one_of(st.integers(0, 2), st.just("2026-03-21"))}),
)
predicates = st.recursive(clauses, lambda inner: st.fixed_dictionaries({"not": inner}), max_leaves=2)
values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(0, 3),
    texts,
    st.just([]),
    st.sampled_from(["2026-03-21T00:00:00Z", "2026-03-20", "a" * 200, "A" * 64, "b" * 69 + "B", "x" * 100 + "a"]),
)


@given(
    st.lists(st.tuples(st.sampled_from("pq"), predicates), min_size=1, max_size=4),
    st.lists(st.dictionaries(st.sampled_from("pqr"), values), max_size=4),
)
def test_what_is_kept_of_traits_is_enough(asked: list[tuple[str, Any]], told: list[dict[str, Any]]) -> None:
    """Every predicate says of what is kept what it says of the trait as it was last sent."""
    conditions: list[Any] = [{"trait": {name: predicate}} for name, predicate in asked]
    definition = parse({"journey": "test", "stages": [{"stage": "a", "enter": {"any": conditions}}]})
    made = compile_journey(definition, setting())
    state = made.start()
    for number, traits in enumerate(told):
        made.touch(state, touchpoint(number, str(number), "identify", traits=traits))
    latest = {name: value for traits in told for name, value in traits.items()}
    leaves = made.definition.stages[0].enter.parts()
    for (name, written), leaf in zip(asked, leaves, strict=True):
        predicate = Predicate.parse(Place(written, Reading({})))
        assert predicate is not None
        assert isinstance(leaf, Trait)
        holds = leaf.compile(None)  # type: ignore[arg-type]  # a trait is read alike at every moment
        assert not isinstance(holds, bool)
        assert holds(state, None, 0) is predicate.compile()(latest.get(name)), (name, written, latest)
    assert all(not isinstance(kept, str) or len(kept) <= 71 for kept in state.traits.values())
