"""What the page refuses in a definition as a whole (rules 28, 50 and 55), and mistyped keys anywhere in one."""

from collections.abc import Iterator
from typing import Any

from tests.oracle.aggregates import COMPARISONS
from tests.oracle.conditions import enter_of
from tests.oracle.journey import NONE, ordered_stages, side_stages
from tests.oracle.periods import WEEKDAYS
from tests.oracle.shapes import leaf_faults, matcher_faults, persona_faults, predicate_faults, shape_faults, unknown
from tests.oracle.timers import enters, is_timed, leaves

ABOUT = {"title", "means", "owner", "notes", "planned", "expected"}
JOURNEY_KEYS = {"journey", "activity", "except", "roles", "personas", "calendar", "stages", "side", "exit"}
JOURNEY_KEYS |= {"title", "conversions", "examples"}
STAGE_KEYS = {"stage", "from", "persona", "enter", *ABOUT}
SIDE_KEYS = {*STAGE_KEYS, "return"}
EXIT_KEYS = {"from", "enter"}


def faults(definition: dict[str, Any]) -> list[str]:
    """Everything for which the definition is refused, one sentence each; empty when it is taken."""
    found = list(key_faults(definition))
    for one in enters(definition):
        found += shape_faults(one["enter"])
    if not found:
        for one in enters(definition):
            for kind, body in leaves(one["enter"]):
                found += leaf_faults(definition, kind, body)
    if not found and goes_round(definition):
        found.append("time alone can lead from a stage back to itself")
    return found


def key_faults(definition: dict[str, Any]) -> Iterator[str]:
    """Mistyped keys outside conditions, and stages and personas that are named but not listed."""
    yield from unknown(definition, JOURNEY_KEYS, "the journey")
    for one in definition["stages"]:
        yield from unknown(one, STAGE_KEYS, "a stage")
    for one in definition.get("side", []):
        yield from unknown(one, SIDE_KEYS, "a side stage")
        if "return" in one and one["return"] not in (
            {"on": "activity", "to": "highest"},
            {"on": "activity", "to": "previous"},
        ):
            yield f"{one['return']!r} is not a return"
    if "exit" in definition:
        yield from unknown(definition["exit"], EXIT_KEYS, "the exit")
    for matcher in [*definition.get("activity", []), *definition.get("except", [])]:
        yield from matcher_faults(definition, matcher)
    names = [*ordered_stages(definition), *side_stages(definition)]
    if len(set(names)) < len(names) or NONE in names:
        yield "a stage's name is taken twice, or is none"
    for one in enters(definition):
        yield from (f"no stage {name!r}" for name in one.get("from", []) if name not in [*names, NONE])
        yield from persona_faults(definition, one.get("persona", []))
    yield from calendar_faults(definition.get("calendar", {}))
    personas = [one["persona"] for one in definition.get("personas", [])]
    if len(set(personas)) < len(personas):
        yield "a persona's name is taken twice"
    for one in definition.get("personas", []):
        for predicate in one["when"].values():
            yield from predicate_faults(predicate)


def calendar_faults(calendar: dict[str, Any]) -> Iterator[str]:
    """Rule 50."""
    yield from unknown(calendar, {"week", "months"}, "the calendar")
    if calendar.get("week", "monday") not in WEEKDAYS:
        yield f"no day {calendar['week']!r}"
    if calendar.get("months", "gregorian") not in ("gregorian", "jalali"):
        yield f"no months {calendar['months']!r}"


def goes_round(definition: dict[str, Any]) -> bool:
    """Rule 28: whether timed moves can lead from a stage back to itself."""
    names = [NONE, *ordered_stages(definition), *side_stages(definition)]
    reached = {name: set(timed_moves(definition, name)) for name in names}
    for _ in names:
        for name in names:
            reached[name] = reached[name].union(*[reached[one] for one in reached[name]])
    return any(name in reached[name] for name in names)


def timed_moves(definition: dict[str, Any], here: str) -> Iterator[str]:
    """Where rules 20 and 21 could lead from here without a touchpoint."""

    def can_be_made(one: dict[str, Any]) -> bool:
        return is_timed(enter_of(one)) and fixed(enter_of(one), here) is not False

    order = ordered_stages(definition)
    for one in definition["stages"]:
        is_above = here == NONE or (here in order and order.index(one["stage"]) > order.index(here))
        is_open = here in one["from"] if "from" in one else is_above
        if can_be_made(one) and one["stage"] != here and is_open:
            yield one["stage"]
    for one in definition.get("side", []):
        if can_be_made(one) and one["stage"] != here and here in one["from"]:
            yield one["stage"]
    leaving = definition.get("exit")
    if leaving and here != NONE and here in leaving["from"] and can_be_made(leaving):
        yield NONE


def fixed(condition: dict[str, Any], here: str) -> bool | None:
    """Rule 28: what a condition reads in this stage whenever there is no touchpoint; None if that may change."""
    ((kind, body),) = condition.items()
    if kind in ("all", "any"):
        parts = [fixed(part, here) for part in body]
        settles = kind == "any"
        return settles if settles in parts else None if None in parts else not settles
    if kind == "some":
        parts = [fixed(part, here) for part in body["of"]]
        if parts.count(True) >= body["at_least"]:
            return True
        return None if len(parts) - parts.count(False) >= body["at_least"] else False
    if kind == "not":
        inside = fixed(body, here)
        return None if inside is None else not inside
    if kind == "touchpoint":
        return False
    if kind == "stay" and body.get("in", here) != here:
        return False
    if kind == "stay" and "for" not in body:
        return True
    if kind in ("count", "distinct", "visits"):
        return {("fewer_than", 0): False, ("at_least", 0): True}.get(compared(body))
    return None


def compared(body: dict[str, Any]) -> tuple[str, Any]:
    """The one comparison in the body of a condition, and its limit."""
    (comparison,) = [key for key in COMPARISONS if key in body]
    return comparison, body[comparison]
