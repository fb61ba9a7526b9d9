"""Rules 6, 17, 47 and 56: matchers, and which touchpoint is the customer's own act."""

from typing import Any

from tests.oracle.facts import FACTS, fact
from tests.oracle.history import Touchpoint
from tests.oracle.predicates import find, listed, same, satisfies

MATCHER_KEYS = {"type", "name", "role", "properties", "context", "traits", *FACTS}
NOT_ACTIVITY = ("identify", "alias", "group", "placement")


def is_named(touchpoint: Touchpoint, names: list[str]) -> bool:
    """Whether the touchpoint has a name, and it is one of these."""
    return touchpoint["name"] is not None and any(same(touchpoint["name"], name) for name in names)


def matches(definition: dict[str, Any], matcher: dict[str, Any], touchpoint: Touchpoint) -> bool:
    """Rule 6: whether every key given holds of this touchpoint. Of a placement none does, nor does no key at all."""
    if touchpoint["type"] == "placement":
        return False
    return all(asked(definition, key, wanted, touchpoint) for key, wanted in matcher.items())


def asked(definition: dict[str, Any], key: str, wanted: Any, touchpoint: Touchpoint) -> bool:
    """Whether one key of a matcher holds of this touchpoint."""
    if key == "type":
        return touchpoint["type"] in listed(wanted)
    if key == "name":
        return is_named(touchpoint, listed(wanted))
    if key == "role":
        return any(is_named(touchpoint, definition["roles"][role]) for role in listed(wanted))
    if key in ("properties", "context"):
        return all(satisfies(find(touchpoint[key], path), wanted[path]) for path in wanted)
    if key == "traits":
        return all(satisfies(touchpoint["traits"].get(name), wanted[name]) for name in wanted)
    if key in FACTS:
        return satisfies(fact(touchpoint, key), wanted)
    raise ValueError(f"unknown key {key!r} in a matcher")


def is_activity(definition: dict[str, Any], touchpoint: Touchpoint) -> bool:
    """Rule 17: whether this is the customer's own act, in this journey."""
    if touchpoint["type"] in NOT_ACTIVITY:
        return False
    own = definition.get("activity", [{"type": ["page", "screen", "track"]}])
    excepted = definition.get("except", [])
    return any(matches(definition, matcher, touchpoint) for matcher in own) and not any(
        matches(definition, matcher, touchpoint) for matcher in excepted
    )
