"""A score's bounded state tells the same as adding up the whole history, and it turns exactly when it says."""

from fractions import Fraction
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.events import SECOND
from shared.journeys.conditions.base import Moment
from shared.journeys.conditions.marks import FADED
from shared.journeys.derive import history
from shared.journeys.state import NONE
from shared.journeys.touchpoint import Touchpoint
from tests.support.journeys import START, journey, touchpoint

points = st.sampled_from([-2, -0.5, 0, 0.001, 1, 1.5, 3])

entries = st.lists(
    st.fixed_dictionaries(
        {"name": st.sampled_from("AB"), "points": points}, optional={"cap": st.sampled_from([0.5, 2])}
    ),
    min_size=1,
    max_size=3,
)
happenings = st.lists(st.tuples(st.integers(0, 8), st.sampled_from("ABX")), min_size=1, max_size=9)
comparisons = st.tuples(
    st.sampled_from(["at_least", "at_most", "more_than", "fewer_than"]),
    st.sampled_from([-1, -0.5, 0, 0.210224, 0.5, 1, 1.681792, 2, 3]),
)

#: Four steps of a second each, and steps that are not whole seconds.
HALF_LIVES = {"4s": SECOND, "3s": 3 * SECOND // 4, None: None}


def test_what_is_left_of_a_point() -> None:
    """2^(−k/4) in millionths, half-even: as near as its fourth power is to that of the halves beside it."""
    for k, left in enumerate(FADED):
        exact = Fraction(10**24, 2**k)
        assert Fraction(2 * left - 1, 2) ** 4 <= exact <= Fraction(2 * left + 1, 2) ** 4
        if exact in (Fraction(2 * left - 1, 2) ** 4, Fraction(2 * left + 1, 2) ** 4):
            assert left % 2 == 0


def total(given: list[dict[str, Any]], told: list[Touchpoint], step: int | None, now: int) -> Fraction:
    """Rule 54, without traits."""
    score = Fraction(0)
    for entry in given:
        sum_ = Fraction(0)
        for one in told:
            if one.name == entry["name"] and one.at <= now:
                k = 0 if step is None else now // step - one.at // step
                sum_ += Fraction(str(entry["points"])) * (Fraction(FADED[k], 10**6) if k < len(FADED) else 0)
        cap = Fraction(str(entry.get("cap", 10**9)))
        score += max(-cap, min(cap, sum_))
    return score


def compare(amount: Fraction, comparison: tuple[str, float]) -> bool:
    """Whether the comparison holds."""
    key, bound = comparison[0], Fraction(str(comparison[1]))
    return {
        "at_least": amount >= bound,
        "at_most": amount <= bound,
        "more_than": amount > bound,
        "fewer_than": amount < bound,
    }[key]


def written(entry: dict[str, Any]) -> str:
    """An entry as a definition has it."""
    cap = f", cap: {entry['cap']}" if "cap" in entry else ""
    return f"{{touchpoint: {{name: {entry['name']}}}, points: {entry['points']}{cap}}}"


@settings(max_examples=300, deadline=None)
@given(entries, happenings, comparisons, st.sampled_from(list(HALF_LIVES)))
def test_as_brute_force(
    given: list[dict[str, Any]], happened: list[tuple[int, str]], comparison: tuple[str, float], half_life: str | None
) -> None:
    """At every instant it is what the history says, and the next turn is the first instant at which that is so."""
    of = ", ".join(map(written, given))
    fading = f", half_life: {half_life}" if half_life else ""
    made = journey(
        f"stages: [{{stage: s, enter: {{score: {{of: [{of}], {comparison[0]}: {comparison[1]}{fading}}}}}}}]"
    )
    told = history(
        [touchpoint(START + at * SECOND, f"{n:02}", name=name) for n, (at, name) in enumerate(happened)], 1 << 60
    )
    condition, moment = made.definition.stages[0].enter, Moment(made.layout, NONE)
    holds, step, state = condition.compile(moment), HALF_LIVES[half_life], made.start()
    assert callable(holds)
    for one in told:
        made.touch(state, one)
    last = told[-1].at
    edges = [last] if step is None else [last, *(edge * step for edge in range(last // step + 1, last // step + 44))]
    truths = [compare(total(given, told, step, now), comparison) for now in edges]
    for now, truth in zip(edges, truths, strict=True):
        assert holds(state, None, now) is truth
        assert holds(state, None, now + 1) is truth
    for wanted in (True, False):
        turns = condition.turns(moment, wanted)
        assert callable(turns)
        for number, start in enumerate(edges):
            later = [now for now, truth in zip(edges[number:], truths[number:], strict=True) if truth is wanted]
            assert turns(state, start) == (later[0] if later else None)
