"""What the page refuses in a definition (rules 9, 16 and 28), and mistyped keys anywhere in one."""

from collections.abc import Iterator
from typing import Any

from tests.oracle.conditions import COMPARISONS
from tests.oracle.journey import NONE, ordered_stages, side_stages
from tests.oracle.matching import MATCHER_KEYS, PREDICATE_KEYS, is_number, listed
from tests.oracle.timers import enters, is_timed, leaves
from tests.oracle.times import microseconds

JOURNEY_KEYS = {"journey", "title", "activity", "except", "roles", "stages", "side", "exit"}
STAGE_KEYS = {"stage", "title", "means", "from", "enter"}
SIDE_KEYS = {"stage", "title", "means", "from", "enter", "return"}
EXIT_KEYS = {"from", "enter"}
BODY_KEYS = {
    "count": {"of", "within", *COMPARISONS},
    "distinct": {"of", "property", "within", *COMPARISONS},
    "sum": {"of", "property", "within", *COMPARISONS},
    "visits": {"of", *COMPARISONS},
    "stay": {"for", "in"},
}
PLAIN = {"touchpoint", "quiet", "came_from", "trait"}


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


def unknown(given: dict[str, Any], allowed: set[str], where: str) -> Iterator[str]:
    """A sentence for every key that is not one of those allowed."""
    yield from (f"unknown key {key!r} in {where}" for key in given if key not in allowed)


def key_faults(definition: dict[str, Any]) -> Iterator[str]:
    """Mistyped keys outside conditions, and stages that are named but not listed."""
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


def shape_faults(condition: dict[str, Any]) -> Iterator[str]:
    """Conditions that are not one known key, and combinations of nothing."""
    if len(condition) != 1:
        yield f"a condition has one key, not {sorted(condition)}"
        return
    ((kind, body),) = condition.items()
    if kind in ("all", "any"):
        if not body:
            yield f"{kind} needs at least one condition"
        for part in body:
            yield from shape_faults(part)
    elif kind == "not":
        yield from shape_faults(body)
    elif kind not in BODY_KEYS and kind not in PLAIN:
        yield f"unknown condition {kind!r}"


def leaf_faults(definition: dict[str, Any], kind: str, body: Any) -> Iterator[str]:
    """What is wrong with one condition that is not a combination."""
    if kind in BODY_KEYS:
        yield from unknown(body, BODY_KEYS[kind], kind)
        durations = [body[key] for key in ("within", "for") if key in body]
    else:
        durations = [body] if kind == "quiet" else []
    for duration in durations:
        try:
            microseconds(duration)
        except ValueError as refusal:
            yield str(refusal)
    if kind in ("count", "distinct", "sum", "visits"):
        limits = [body[key] for key in COMPARISONS if key in body]
        if len(limits) != 1:
            yield f"{kind} needs exactly one comparison"
        if not all(is_number(limit) and (kind == "sum" or isinstance(limit, int)) for limit in limits):
            yield f"{kind} compares with a number, and only sum with a fraction"
    if kind in ("count", "distinct", "sum"):
        yield from matcher_faults(definition, body["of"])
    if kind == "touchpoint":
        yield from matcher_faults(definition, body)
    if kind == "trait":
        for predicate in body.values():
            yield from predicate_faults(predicate)


def matcher_faults(definition: dict[str, Any], matcher: dict[str, Any]) -> Iterator[str]:
    """Mistyped keys in a matcher, and roles that nothing is bound to."""
    yield from unknown(matcher, MATCHER_KEYS, "a matcher")
    for role in listed(matcher.get("role", [])):
        if role not in definition.get("roles", {}):
            yield f"no role {role!r}"
    for key in ("properties", "context", "traits"):
        for predicate in matcher.get(key, {}).values():
            yield from predicate_faults(predicate)


def predicate_faults(predicate: Any) -> Iterator[str]:
    """Mistyped keys in a predicate."""
    if isinstance(predicate, dict):
        yield from unknown(predicate, PREDICATE_KEYS, "a predicate")


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
        return is_timed(one["enter"]) and fixed(one["enter"], here) is not False

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
