"""Rules 8 to 16: what is true now, read from the whole history every time."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from tests.oracle.history import Touchpoint
from tests.oracle.matching import find, is_activity, is_number, matches, satisfies
from tests.oracle.text import fold
from tests.oracle.times import microseconds

COMPARISONS = ("at_least", "at_most", "more_than", "fewer_than", "exactly")
BUCKETS = 30
MILLION = 1_000_000


@dataclass(frozen=True)
class Move:
    """One move: effective at (µs), from which stage (None for absent), to which, and whether by timer."""

    at: int
    source: str | None
    target: str
    timer: bool


@dataclass(frozen=True)
class Reading:
    """What a condition can see at one instant, before the move that is being decided.

    `seen` is the history up to now in order, this touchpoint included; `touchpoint` is None when time alone
    is the reason for reading.
    """

    definition: dict[str, Any]
    seen: list[Touchpoint]
    moves: list[Move]
    now: int
    touchpoint: Touchpoint | None

    @property
    def stage(self) -> str | None:
        """The stage held now, None for absent."""
        return self.moves[-1].target if self.moves else None


def compare(number: int | Fraction, body: dict[str, Any]) -> bool:
    """Whether the number satisfies the one comparison given in the body of a condition."""
    (comparison,) = [key for key in COMPARISONS if key in body]
    limit = Fraction(str(body[comparison]))
    return {
        "at_least": number >= limit,
        "at_most": number <= limit,
        "more_than": number > limit,
        "fewer_than": number < limit,
        "exactly": number == limit,
    }[comparison]


def bucket(body: dict[str, Any]) -> int:
    """Rule 11: the length of a windowed sum's buckets, in µs, rounded up."""
    return -(-microseconds(body["within"]) // BUCKETS)


def aggregated(reading: Reading, body: dict[str, Any]) -> list[Touchpoint]:
    """The touchpoints that a count or a distinct looks at: matching, and no older than the window."""
    return [
        touchpoint
        for touchpoint in reading.seen
        if matches(reading.definition, body["of"], touchpoint)
        and ("within" not in body or touchpoint["t"] >= reading.now - microseconds(body["within"]))
    ]


def distinct(reading: Reading, body: dict[str, Any]) -> int:
    """Rule 10: how many different values the property had."""
    values: set[tuple[str, Any]] = set()
    for touchpoint in aggregated(reading, body):
        value = find(touchpoint["properties"], body["property"])
        if isinstance(value, bool):
            values.add(("bool", value))
        elif is_number(value):
            values.add(("number", value))
        elif isinstance(value, str):
            values.add(("text", fold(value)))
    return len(values)


def millionths(value: Any) -> int:
    """A number as written, rounded half-even to millionths."""
    return round(Fraction(str(value)) * MILLION)


def total(reading: Reading, body: dict[str, Any]) -> Fraction:
    """Rule 11: the sum of the property, in whole or in those buckets that the window still covers."""
    millions = 0
    for touchpoint in reading.seen:
        if not matches(reading.definition, body["of"], touchpoint):
            continue
        if "within" in body:
            length = bucket(body)
            if reading.now // length - touchpoint["t"] // length >= BUCKETS:
                continue
        value = find(touchpoint["properties"], body["property"])
        if is_number(value):
            millions += millionths(value)
    return Fraction(millions, MILLION)


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


def traits(reading: Reading) -> dict[str, Any]:
    """Rule 15: the customer's traits now."""
    known: dict[str, Any] = {}
    for touchpoint in reading.seen:
        if touchpoint["type"] == "identify":
            known |= touchpoint["traits"]
    return known


def holds(condition: dict[str, Any], reading: Reading) -> bool:
    """Whether a condition is true now."""
    ((kind, body),) = condition.items()
    if kind == "all":
        return all(holds(part, reading) for part in body)
    if kind == "any":
        return any(holds(part, reading) for part in body)
    if kind == "not":
        return not holds(body, reading)
    if kind == "touchpoint":
        return reading.touchpoint is not None and matches(reading.definition, body, reading.touchpoint)
    if kind == "count":
        return compare(len(aggregated(reading, body)), body)
    if kind == "distinct":
        return compare(distinct(reading, body), body)
    if kind == "sum":
        return compare(total(reading, body), body)
    if kind == "quiet":
        return is_quiet(reading, body)
    if kind == "stay":
        return has_stayed(reading, body)
    if kind == "visits":
        return compare(len([move for move in reading.moves if move.target == body["of"]]), body)
    if kind == "came_from":
        return bool(reading.moves) and reading.moves[-1].source == body
    if kind == "trait":
        held = traits(reading)
        return all(satisfies(held.get(name), predicate) for name, predicate in body.items())
    raise ValueError(f"unknown condition {kind!r}")
