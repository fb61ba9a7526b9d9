"""Rules 7, 45 and 46: what is asked of one value."""

from fractions import Fraction
from typing import Any

from tests.oracle.text import fold
from tests.oracle.times import written_instant

ORDER_KEYS = ("at_least", "at_most", "more_than", "fewer_than")
TEXT_KEYS = ("starts_with", "ends_with", "contains")
PREDICATE_KEYS = {"equals", "in", "exists", "not", *ORDER_KEYS, *TEXT_KEYS}


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


def identity(value: object) -> tuple[str, Any] | None:
    """Rule 10: what tells a value from others; None for what is no value."""
    if isinstance(value, bool):
        return "bool", value
    if is_number(value):
        return "number", value
    return ("text", fold(value)) if isinstance(value, str) else None


def satisfies(value: Any, predicate: Any) -> bool:
    """Whether a predicate holds. A `value` of None does not exist."""
    if isinstance(predicate, list):
        return any(same(value, wanted) for wanted in predicate)
    if not isinstance(predicate, dict):
        return same(value, predicate)
    return all(satisfies_one(value, key, wanted) for key, wanted in predicate.items())


def satisfies_one(value: Any, key: str, wanted: Any) -> bool:
    """Whether a value satisfies one key of a predicate."""
    if key == "exists":
        return (value is not None) is wanted
    if key == "not":
        return not satisfies(value, wanted)
    if value is None:
        return False
    if key == "equals":
        return same(value, wanted)
    if key == "in":
        return any(same(value, one) for one in wanted)
    if key in TEXT_KEYS:
        return isinstance(value, str) and any(has(fold(value), key, fold(one)) for one in listed(wanted))
    if key in ORDER_KEYS:
        return is_in_order(value, key, wanted)
    raise ValueError(f"unknown key {key!r} in a predicate")


def has(value: str, key: str, part: str) -> bool:
    """Rule 46: whether one folded text has another where it is asked for."""
    if key == "starts_with":
        return value.startswith(part)
    return value.endswith(part) if key == "ends_with" else part in value


def is_in_order(value: Any, key: str, wanted: Any) -> bool:
    """Whether a comparison holds: between numbers, or between instants (rule 45)."""
    if isinstance(wanted, str):
        given, limit = written_instant(value) if isinstance(value, str) else None, written_instant(wanted)
        if given is None or limit is None:
            return False
    elif is_number(value):
        given, limit = value, wanted
    else:
        return False
    return compared(given, key, limit)


def compared(number: float | Fraction, comparison: str, limit: float | Fraction) -> bool:
    """Whether one number compares with another as it should."""
    return {
        "at_least": number >= limit,
        "at_most": number <= limit,
        "more_than": number > limit,
        "fewer_than": number < limit,
        "exactly": number == limit,
    }[comparison]
