"""Rules 6, 7 and 17: matchers, predicates, and which touchpoint is the customer's own act."""

from typing import Any

from tests.oracle.history import Touchpoint
from tests.oracle.text import fold

MATCHER_KEYS = {"type", "name", "role", "properties", "context", "traits"}
PREDICATE_KEYS = {"equals", "in", "exists", "at_least", "at_most", "more_than", "fewer_than"}
NOT_ACTIVITY = ("identify", "alias", "group")


def is_number(value: object) -> bool:
    """Whether a JSON value is a number; true and false are not."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def listed(value: Any) -> list[Any]:
    """What may be given as one or as a list, as a list."""
    return value if isinstance(value, list) else [value]


def find(values: object, path: str) -> Any:
    """The value at a path that steps into objects by dots; None where there is nothing."""
    for step in path.split("."):
        if not isinstance(values, dict) or step not in values:
            return None
        values = values[step]
    return values


def same(value: object, wanted: object) -> bool:
    """Whether two JSON values are equal by rule 7."""
    if isinstance(value, bool) or isinstance(wanted, bool):
        return isinstance(value, bool) and isinstance(wanted, bool) and value == wanted
    if is_number(value) and is_number(wanted):
        return value == wanted
    if isinstance(value, str) and isinstance(wanted, str):
        return fold(value) == fold(wanted)
    return False


def satisfies(value: Any, predicate: Any) -> bool:
    """Rule 7. A `value` of None does not exist."""
    if isinstance(predicate, list):
        return any(same(value, wanted) for wanted in predicate)
    if not isinstance(predicate, dict):
        return same(value, predicate)
    if value is None:
        return predicate == {"exists": False}
    return all(satisfies_one(value, key, wanted) for key, wanted in predicate.items())


def satisfies_one(value: Any, key: str, wanted: Any) -> bool:
    """Whether a value that exists satisfies one key of a predicate."""
    if key == "exists":
        return wanted is True
    if key == "equals":
        return same(value, wanted)
    if key == "in":
        return any(same(value, one) for one in wanted)
    if not is_number(value):
        return False
    if key == "at_least":
        return bool(value >= wanted)
    if key == "at_most":
        return bool(value <= wanted)
    if key == "more_than":
        return bool(value > wanted)
    if key == "fewer_than":
        return bool(value < wanted)
    raise ValueError(f"unknown key {key!r} in a predicate")


def is_named(touchpoint: Touchpoint, names: list[str]) -> bool:
    """Whether the touchpoint has a name, and it is one of these."""
    return touchpoint["name"] is not None and any(same(touchpoint["name"], name) for name in names)


def matches(definition: dict[str, Any], matcher: dict[str, Any], touchpoint: Touchpoint) -> bool:
    """Rule 6: whether every key given holds of this touchpoint."""
    for key, wanted in matcher.items():
        if key == "type":
            held = touchpoint["type"] in listed(wanted)
        elif key == "name":
            held = is_named(touchpoint, listed(wanted))
        elif key == "role":
            held = any(is_named(touchpoint, definition["roles"][role]) for role in listed(wanted))
        elif key in ("properties", "context"):
            held = all(satisfies(find(touchpoint[key], path), wanted[path]) for path in wanted)
        elif key == "traits":
            held = all(satisfies(touchpoint["traits"].get(name), wanted[name]) for name in wanted)
        else:
            raise ValueError(f"unknown key {key!r} in a matcher")
        if not held:
            return False
    return True


def is_activity(definition: dict[str, Any], touchpoint: Touchpoint) -> bool:
    """Rule 17: whether this is the customer's own act, in this journey."""
    if touchpoint["type"] in NOT_ACTIVITY:
        return False
    own = definition.get("activity", [{"type": ["page", "screen", "track"]}])
    excepted = definition.get("except", [])
    return any(matches(definition, matcher, touchpoint) for matcher in own) and not any(
        matches(definition, matcher, touchpoint) for matcher in excepted
    )
