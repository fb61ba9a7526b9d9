"""A sequence's bounded state tells the same as trying every choice of touchpoints."""

from itertools import combinations
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from shared.events import SECOND
from shared.journeys.conditions.base import Moment
from shared.journeys.derive import history
from shared.journeys.explain import why
from shared.journeys.state import NONE
from shared.journeys.touchpoint import Touchpoint
from tests.support.journeys import START, journey, touchpoint

NAMES = "ABCX"

Body = dict[str, Any]


@st.composite
def bodies(draw: st.DrawFn) -> Body:
    """A sequence; its steps may be the same, and `without` may be one of them."""
    body: Body = {"steps": draw(st.lists(st.sampled_from(NAMES[:3]), min_size=2, max_size=4))}
    if draw(st.booleans()):
        body["within"] = draw(st.integers(1, 4))
    if draw(st.booleans()):
        body["without"] = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=2, unique=True))
    if draw(st.booleans()):
        body["by"] = "p"
    return body


happenings = st.lists(
    st.tuples(st.integers(0, 8), st.sampled_from(NAMES), st.sampled_from([None, 1, 1.0, "a", " A"])),
    min_size=2,
    max_size=9,
)


def written(body: Body) -> str:
    """The stage `done`, entered as soon as the sequence is complete."""
    steps = ", ".join(f"{{name: {name}}}" for name in body["steps"])
    fields = [f"steps: [{steps}]"]
    fields += [f"{key}: {body[key]}s" for key in ("within", "held") if key in body]
    fields += [
        f"without: [{', '.join(f'{{name: {one}}}' for one in body[key])}]" for key in ("without",) if key in body
    ]
    fields += ["by: p"] if "by" in body else []
    return f"stages: [{{stage: done, enter: {{sequence: {{{', '.join(fields)}}}}}}}]"


def is_one(body: Body, chosen: tuple[int, ...], told: list[Touchpoint]) -> bool:
    """Rule 53, of touchpoints chosen by number."""
    chain = [told[number] for number in chosen]
    if [one.name for one in chain] != body["steps"]:
        return False
    if "within" in body and chain[-1].at - chain[0].at > body["within"] * SECOND:
        return False
    between = told[chosen[0] + 1 : chosen[-1]]
    if "by" in body:
        values = {spelt(one) for one in chain}
        if len(values) > 1 or None in values:
            return False
        between = [one for one in between if spelt(one) in values]
    return not any(one.name in body.get("without", ()) for one in between)


def spelt(one: Touchpoint) -> str | None:
    """What two values share that are the same by rule 10."""
    value = one.properties.get("p")
    return None if value is None else str(value).strip().lower() if isinstance(value, str) else f"n{float(value)}"


@settings(max_examples=400)
@given(bodies(), happenings)
@example({"steps": ["A", "A", "A"]}, [(0, "A", None), (0, "A", None), (0, "A", None)])
@example({"steps": ["A", "B"], "without": ["A"]}, [(0, "A", None), (1, "A", None), (2, "B", None)])
@example({"steps": ["A", "B", "A"], "without": ["A"]}, [(0, "A", None), (1, "B", None), (2, "A", None)])
def test_as_brute_force(body: Body, given: list[tuple[int, str, Any]]) -> None:
    """It is first true at the first touchpoint that ends any choice of steps, and *why* shows such a choice."""
    made, told = journey(written(body)), read(given)
    found = choices(body, told)
    state, first = made.start(), None
    for number, one in enumerate(told):
        move = made.touch(state, one)
        if first is None and move is not None and move.target == 0:
            first = number
    assert first == min((chosen[-1] for chosen in found), default=None)
    if first is not None:
        evidence = why(made, told, told[first].at).evidence
        numbers = tuple(told.index(one) for one in evidence)
        assert is_one(body, numbers, told)
        assert evidence[-1] is told[first]


@settings(max_examples=200)
@given(bodies(), happenings, st.integers(1, 4))
def test_held(body: Body, given: list[tuple[int, str, Any]], held: int) -> None:
    """With `held` it is true as long as the latest last step of any choice is not older, and turns just after that."""
    body = body | {"held": held}
    made, told = journey(written(body)), read(given)
    condition, moment = made.definition.stages[0].enter, Moment(made.layout, NONE)
    holds, falls = condition.compile(moment), condition.turns(moment, False)
    assert callable(holds)
    assert callable(falls)
    ends, state = [told[chosen[-1]].at for chosen in choices(body, told)], made.start()
    for number, one in enumerate(told):
        made.touch(state, one)
        if number + 1 < len(told) and told[number + 1].at == one.at:
            continue
        latest = max((at for at in ends if at <= one.at), default=None)
        last = None if latest is None else latest + held * SECOND
        for now in range(one.at, one.at + 6 * SECOND, SECOND // 2):
            assert holds(state, None, now) is (last is not None and now <= last)
            assert falls(state, now) == (now if last is None else max(now, last + 1))


def read(given: list[tuple[int, str, Any]]) -> list[Touchpoint]:
    """What happened, in order."""
    touchpoints = [
        touchpoint(START + at * SECOND, f"{number:02}", name=name, properties={"p": value})
        for number, (at, name, value) in enumerate(given)
    ]
    return history(touchpoints, START + 10 * SECOND)


def choices(body: Body, told: list[Touchpoint]) -> list[tuple[int, ...]]:
    """Every choice of touchpoints, by number, that is the sequence."""
    return [chosen for chosen in combinations(range(len(told)), len(body["steps"])) if is_one(body, chosen, told)]
