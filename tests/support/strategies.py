"""Random definitions and histories, small enough that equal stamps, window edges and duplicates are common.

Definitions are plain data as YAML gives them, touchpoints are dicts as the golden cases have them, so that the engine
and the oracle can each read them in their own way.
"""

from typing import Any

from hypothesis import assume
from hypothesis import strategies as st

from shared.events import SECOND
from shared.journeys.compile import compile_journey
from shared.journeys.definition import DefinitionError, parse
from shared.journeys.engine import Journey
from tests.support.journeys import START, setting

Data = dict[str, Any]

TEXTS = ["a", "A ", "b", "كي", "کی", "\u06f1", "1"]
NAMES = ["View", "view", "Buy", "خريد", "خرید"]
ORDERED = ["one", "two", "three"]
SIDE = ["left", "right"]
IDS = ["1", "10", "2", "é", "z", *map(str, range(20, 50))]
ROLES = {"look": ["View"], "buy": ["BUY", "خرید"]}

scalars = st.sampled_from([*TEXTS, 0, 1, 1.0, 2, 2.5, -1, 0.1, 0.2, 0.0000005, 0.0000015, True, False])
values = st.one_of(scalars, st.none(), st.sampled_from([[], ["a"], {}, {"a": 1}]))
numbers = st.sampled_from([-1, 0, 1, 2, 2.5, 0.3, 0.000001])
durations = st.sampled_from(["1s", "2s", "3s", "1m"])
types = st.sampled_from(["track", "page", "track", "identify", "screen", "group", "alias"])

clauses = st.fixed_dictionaries(
    {},
    optional={
        "equals": scalars,
        "in": st.lists(scalars, min_size=1, max_size=3),
        "exists": st.booleans(),
        "at_least": numbers,
        "at_most": numbers,
        "more_than": numbers,
        "fewer_than": numbers,
    },
).filter(bool)
predicates = st.one_of(scalars, st.lists(scalars, min_size=1, max_size=2), clauses)


def some(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """One, or a list of one or two."""
    return st.one_of(strategy, st.lists(strategy, min_size=1, max_size=2))


simple = st.sampled_from([{"name": "View"}, {"name": "Buy"}, {"role": "buy"}, {"type": ["page", "track"]}, {}])
matchers: st.SearchStrategy[Data] = st.one_of(
    simple,
    simple,
    st.fixed_dictionaries(
        {},
        optional={
            "type": some(types),
            "name": some(st.sampled_from(NAMES)),
            "role": some(st.sampled_from(list(ROLES))),
            "properties": st.dictionaries(st.sampled_from(["p", "o.q", "p.q"]), predicates, min_size=1, max_size=2),
            "context": st.dictionaries(st.just("c.d"), predicates, min_size=1),
            "traits": st.dictionaries(st.sampled_from(["k", "l"]), predicates, min_size=1, max_size=2),
        },
    ),
)


@st.composite
def compared(draw: st.DrawFn, /, amounts: st.SearchStrategy[Any], **fields: st.SearchStrategy[Any]) -> Data:
    """A mapping of these fields, those that draw None left out, and of one comparison."""
    drawn = {key: draw(strategy) for key, strategy in fields.items()}
    comparison = draw(st.sampled_from(["at_least", "at_most", "more_than", "fewer_than", "exactly"]))
    return {**{key: value for key, value in drawn.items() if value is not None}, comparison: draw(amounts)}


def conditions(stages: list[str]) -> st.SearchStrategy[Data]:
    """Every construct that an `enter` can have."""
    few = st.integers(0, 3)
    held = st.sampled_from([*stages, "none"])
    within = st.one_of(st.none(), durations)
    path = st.sampled_from(["p", "o.q"])
    leaves: st.SearchStrategy[Data] = st.one_of(
        matchers.map(lambda matcher: {"touchpoint": matcher}),
        compared(few, of=matchers, within=within).map(lambda inner: {"count": inner}),
        compared(few, of=matchers, within=within, property=path).map(lambda inner: {"distinct": inner}),
        compared(numbers, of=matchers, within=within, property=path).map(lambda inner: {"sum": inner}),
        durations.map(lambda duration: {"quiet": duration}),
        st.fixed_dictionaries({"for": durations}, optional={"in": held}).map(lambda inner: {"stay": inner}),
        held.map(lambda stage: {"stay": {"in": stage}}),
        compared(few, of=held).map(lambda inner: {"visits": inner}),
        held.map(lambda stage: {"came_from": stage}),
        st.dictionaries(st.sampled_from(["k", "l"]), predicates, min_size=1, max_size=2).map(
            lambda inner: {"trait": inner}
        ),
    )
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.lists(inner, min_size=1, max_size=3).map(lambda several: {"all": several}),
            st.lists(inner, min_size=1, max_size=3).map(lambda several: {"any": several}),
            inner.map(lambda one: {"not": one}),
        ),
        max_leaves=4,
    )


@st.composite
def definitions(draw: st.DrawFn) -> Data:
    """A journey of up to three ordered and two side stages; it may be one in which time alone goes round."""
    ordered = ORDERED[: draw(st.integers(1, 3))]
    side = SIDE[: draw(st.integers(0, 2))]
    enters = conditions([*ordered, *side])
    origins = st.lists(st.sampled_from([*ordered, *side, "none"]), min_size=1, max_size=2)
    made: Data = {"journey": "random", "roles": ROLES, "stages": [], "side": []}
    for name in ordered:
        stage = {"stage": name, "enter": draw(enters)}
        if draw(st.booleans()):
            stage["from"] = draw(origins)
        made["stages"].append(stage)
    for name in side:
        stage = {"stage": name, "enter": draw(enters), "from": draw(origins)}
        if draw(st.booleans()):
            stage["return"] = {"on": "activity", "to": draw(st.sampled_from(["previous", "highest"]))}
        made["side"].append(stage)
    if not side:
        del made["side"]
    if draw(st.booleans()):
        made["exit"] = {"from": draw(origins), "enter": draw(enters)}
    for key in ("activity", "except"):
        if draw(st.integers(0, 3)) == 0:
            made[key] = draw(st.lists(matchers, min_size=1, max_size=2))
    return made


instants = st.builds(
    lambda ticks, aside: START + ticks * SECOND // 2 + aside,
    st.integers(0, 16),
    st.sampled_from([0, 0, 0, -1, 1, 33_334]),
)


@st.composite
def touchpoints(draw: st.DrawFn) -> Data:
    """One touchpoint; its id may well be another's."""
    type = draw(types)
    at = draw(instants)
    return {
        "id": draw(st.sampled_from(IDS)),
        "type": type,
        "name": draw(st.sampled_from([*NAMES, None])) if type in ("track", "page", "screen") else None,
        "t": at,
        "recorded": at + draw(st.integers(0, 3)) * SECOND,
        "user": "somebody",
        "anonymous": None,
        "previous": "other" if type == "alias" else None,
        "excluded": draw(st.integers(0, 9)) == 0,
        "properties": draw(st.fixed_dictionaries({}, optional={"p": values, "o": st.just({"q": 1})})),
        "context": draw(st.fixed_dictionaries({}, optional={"c": st.just({"d": "a"})})),
        "traits": draw(st.fixed_dictionaries({}, optional={"k": values, "l": values}))
        if type in ("identify", "group")
        else {},
    }


histories: st.SearchStrategy[list[Data]] = st.lists(touchpoints(), min_size=2, max_size=12)

#: Mostly after every timer, now and then in the middle of things.
ends = st.one_of(
    st.just(START + 300 * SECOND), instants, st.integers(0, 40).map(lambda ticks: START + ticks * SECOND // 4)
)


def compiled(definition: Data) -> Journey:
    """The journey, unless time alone goes round in it: then another example is drawn."""
    try:
        return compile_journey(parse(definition), setting())
    except DefinitionError:
        assume(False)
        raise
