"""Rules 8 to 16 and 48 to 55: what is true now, read from the whole history every time."""

from typing import Any

from tests.oracle.aggregates import AGGREGATES, aggregate, compare, trend
from tests.oracle.matching import is_activity, matches
from tests.oracle.predicates import listed, satisfies
from tests.oracle.reading import Reading
from tests.oracle.scores import score
from tests.oracle.sequences import sequence
from tests.oracle.times import microseconds


def enter_of(one: dict[str, Any]) -> dict[str, Any]:
    """Rule 55: the `enter` of a stage, side stage or exit, as it is in a branch."""
    if "persona" in one:
        return {"all": [one["enter"], {"persona": one["persona"]}]}
    enter: dict[str, Any] = one["enter"]
    return enter


def is_quiet(reading: Reading, duration: str) -> bool:
    """Rule 12."""
    acts = [one["t"] for one in reading.seen if is_activity(reading.definition, one)]
    return bool(acts) and reading.now - max(acts) >= microseconds(duration)


def has_stayed(reading: Reading, body: dict[str, Any]) -> bool:
    """Rule 13; without `for` it only says which stage is held."""
    if not reading.moves:
        return False
    if "in" in body and reading.stage != body["in"]:
        return False
    return "for" not in body or reading.now - reading.moves[-1].at >= microseconds(body["for"])


def has_traits(reading: Reading, wanted: dict[str, Any]) -> bool:
    """Rule 15."""
    held = reading.traits()
    return all(satisfies(held.get(name), predicate) for name, predicate in wanted.items())


def persona(reading: Reading) -> str | None:
    """Rule 55: the customer's persona now."""
    for one in reading.definition.get("personas", []):
        if has_traits(reading, one["when"]):
            return str(one["persona"])
    return None


def holds(condition: dict[str, Any], reading: Reading) -> bool:
    """Whether a condition is true now."""
    ((kind, body),) = condition.items()
    if kind == "all":
        return all(holds(part, reading) for part in body)
    if kind == "any":
        return any(holds(part, reading) for part in body)
    if kind == "some":
        return sum(holds(part, reading) for part in body["of"]) >= int(body["at_least"])
    if kind == "not":
        return not holds(body, reading)
    if kind == "touchpoint":
        return reading.touchpoint is not None and matches(reading.definition, body, reading.touchpoint)
    if kind in AGGREGATES:
        return aggregate(reading, kind, body)
    if kind == "trend":
        return trend(reading, body)
    if kind == "sequence":
        return sequence(reading, body)
    if kind == "score":
        return score(reading, body)
    if kind == "quiet":
        return is_quiet(reading, body)
    if kind == "stay":
        return has_stayed(reading, body)
    if kind == "visits":
        return compare(len([move for move in reading.moves if move.target == body["of"]]), body)
    if kind == "came_from":
        return bool(reading.moves) and reading.moves[-1].source == body
    if kind == "trait":
        return has_traits(reading, body)
    if kind == "persona":
        return persona(reading) in listed(body)
    raise ValueError(f"unknown condition {kind!r}")
