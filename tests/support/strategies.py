"""Random definitions and histories, small enough that equal stamps, window edges and duplicates are common.

Definitions are plain data as YAML gives them, touchpoints are dicts as the golden cases have them, so that the engine
and the oracle can each read them in their own way.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import yaml
from hypothesis import assume
from hypothesis import strategies as st

from shared.events import DAY, SECOND
from shared.journeys.compile import compile_journey
from shared.journeys.definition import DefinitionError, parse
from shared.journeys.engine import Journey
from tests.support.constructs import (
    CONTEXTS,
    NAMES,
    PERSONAS,
    ROLES,
    SEEN,
    TYPES,
    VALUES,
    Data,
    chance,
    condition,
    focus,
    matcher,
    number,
    pick,
    several,
    traits,
)
from tests.support.journeys import START, setting

ORDERED = ["one", "two", "three"]
SIDE = ["left", "right"]
IDS = ["1", "10", "2", "é", "z", *map(str, range(20, 50))]
JOURNEY = "random"


def definition(draw: st.DrawFn) -> Data:
    """A journey, often one that shows each turn of one condition."""
    return journey(draw) if chance(draw, 3) else probe(draw)


def about(draw: st.DrawFn) -> Data:
    """What a journey has beside its stages."""
    made: Data = {"journey": JOURNEY, "roles": ROLES}
    made["personas"] = [{"persona": name, "when": traits(draw)} for name in PERSONAS]
    for key in ("activity", "except"):
        if chance(draw, 6):
            made[key] = several(draw, 2, lambda: matcher(draw))
    if chance(draw, 2):
        made["calendar"] = {"week": pick(draw, ["saturday", "monday", "thursday"])}
        made["calendar"] |= {"months": "jalali"} if chance(draw, 2) else {}
    return made


def probe(draw: st.DrawFn) -> Data:
    """A journey whose one stage is entered when a condition comes true, and left when it is false, or the other way.

    Either way round, the one move is made by time, too, if the condition is timed; the other at touchpoints only, since
    time alone must not go round.
    """
    asked = condition(draw, ["one", "left", "none"]) if chance(draw, 3) else focus(draw)
    turns = [asked, {"all": [{"touchpoint": {}}, {"not": asked}]}]
    if chance(draw, 2):
        turns = [{"all": [{"touchpoint": {}}, asked]}, {"not": asked}]
    return {
        **about(draw),
        "stages": [{"stage": "one", "from": ["none", "left"], "enter": turns[0]}],
        "side": [{"stage": "left", "from": ["one"], "enter": turns[1]}],
    }


def journey(draw: st.DrawFn) -> Data:
    """A journey of up to three ordered and two side stages; it may be one in which time alone goes round."""
    ordered = ORDERED[: pick(draw, [1, 2, 2, 3])]
    side = SIDE[: number(draw, 0, 2)]
    stages = [*ordered, *side, "none"]

    def entered(one: Data, is_bound: bool) -> Data:
        one["enter"] = condition(draw, stages)
        if is_bound or chance(draw, 2):
            one["from"] = several(draw, 2, lambda: pick(draw, stages))
        if "stage" in one and chance(draw, 6):
            one["persona"] = pick(draw, [*PERSONAS, PERSONAS])
        return one

    made = about(draw)
    made["stages"] = [entered({"stage": name}, is_bound=False) for name in ordered]
    if side:
        made["side"] = [entered({"stage": name}, is_bound=True) for name in side]
    for one in made.get("side", []):
        if chance(draw, 2):
            one["return"] = {"on": "activity", "to": pick(draw, ["previous", "highest"])}
    if chance(draw, 2):
        made["exit"] = entered({}, is_bound=True)
    return made


#: Half seconds or quarters of days, and now and then something else, so that windows, periods and half-lives are met.
HALVES = [number * SECOND // 2 for number in range(17)]
QUARTERS = [number * DAY // 4 for number in range(17)]
FAR = [-DAY, DAY // 2, DAY, 2 * DAY, 3 * DAY, 7 * DAY, 31 * DAY]
ASIDE = [0, 0, 0, 0, 0, -1, 1, 33_334]


def instant(draw: st.DrawFn, start: int, ticks: Sequence[int] = HALVES) -> int:
    """An instant at or not long after another: mostly after one of these ticks."""
    return int(start + pick(draw, FAR if chance(draw, 8) else ticks) + pick(draw, ASIDE))


def some_values(draw: st.DrawFn, names: list[str]) -> Data:
    """Some of these names, each with a value."""
    return {name: pick(draw, VALUES) for name in names if not chance(draw, 3)}


def touchpoint(draw: st.DrawFn, start: int = START, ticks: Sequence[int] = HALVES) -> Data:
    """One touchpoint around this instant; its id may well be another's."""
    type = pick(draw, [*TYPES, "track", "track", "identify", *TYPES, "track", "track", "identify", "placement"])
    at = instant(draw, start, ticks)
    is_placement = type == "placement"
    return {
        "id": pick(draw, IDS),
        "type": type,
        "name": pick(draw, [*NAMES, "View", "Buy", None]) if type in ("track", "page", "screen") else None,
        "t": at,
        "recorded": at + number(draw, 0, 3) * SECOND,
        "user": "somebody",
        "anonymous": None,
        "previous": "other" if type == "alias" else None,
        "excluded": chance(draw, 10),
        "journey": pick(draw, [JOURNEY, JOURNEY, JOURNEY, "other"]) if is_placement else None,
        "stage": pick(draw, [*ORDERED, *SIDE, "none", "gone"]) if is_placement else None,
        "properties": some_values(draw, ["p"]) | ({"o": {"q": 1}} if chance(draw, 2) else {}),
        "context": pick(draw, CONTEXTS),
        "seen": pick(draw, SEEN),
        "traits": some_values(draw, ["k", "l"]) if type in ("identify", "group") else {},
    }


def act(draw: st.DrawFn, start: int, ticks: Sequence[int]) -> Data:
    """A touchpoint that most conditions look at."""
    plain = {"type": "track", "name": pick(draw, ["View", "Buy"]), "properties": {"p": pick(draw, [1, 1, 2, 3])}}
    return {**touchpoint(draw, start, ticks), **plain, "previous": None, "traits": {}, "journey": None, "stage": None}


class World(NamedTuple):
    """One customer of one journey: what happened, in which zone the project is, and when somebody asks."""

    definition: Data
    history: list[Data]
    now: int
    zone: str

    def journey(self) -> Journey:
        """The journey, unless it is refused: then another example is drawn."""
        return compiled(self.definition, self.zone)


#: Zones, and seconds from START to instants at which one of their days, and maybe more, begins.
PLACES = [
    ("UTC", 0),  # a year
    ("UTC", 79 * 86_400),  # a Solar Hijri year
    ("Asia/Tehran", 79 * 86_400 - 12_600),
    ("Asia/Tehran", 2 * 86_400 - 12_600),  # a Saturday
    ("Asia/Beirut", 86 * 86_400 + 22 * 3600),  # a day without a midnight
    ("America/Havana", 304 * 86_400 + 5 * 3600),  # the second midnight of a day
]


def world(draw: st.DrawFn) -> World:
    """A journey and a history at the edge of calendar periods, looked at mostly after every timer."""
    zone, seconds = pick(draw, PLACES)
    ticks = pick(draw, [HALVES, HALVES[:9], HALVES[:5], QUARTERS])
    start = START + seconds * SECOND - pick(draw, ticks)
    happens = act if chance(draw, 3) else touchpoint
    history = several(draw, 14, lambda: happens(draw, start, ticks), least=2)
    quarter = start + number(draw, 0, 40) * SECOND // 4
    now = pick(draw, [start + 400 * DAY, start + 300 * SECOND, quarter, instant(draw, start, ticks)])
    return World(definition(draw), history, now, zone)


definitions = st.composite(definition)
touchpoints = st.composite(touchpoint)
worlds = st.composite(world)


class Plain(yaml.SafeDumper):
    """Writes a definition as a marketer would: without references to what stands elsewhere."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def written(definition: Data) -> str:
    """A definition as YAML."""
    return yaml.dump(definition, Dumper=Plain, allow_unicode=True)


def compiled(definition: Data, zone: str = "UTC") -> Journey:
    """The journey, unless it is refused: then another example is drawn."""
    try:
        return compile_journey(parse(definition), setting(zone))
    except DefinitionError:
        assume(False)
        raise
