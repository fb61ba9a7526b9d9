"""Rules 25 and 27: what time alone can make true, and at which instants it could."""

from collections.abc import Iterator
from typing import Any

from tests.oracle.aggregates import AGGREGATES, BUCKETS, COUNTED, MEASURED, bucket, period
from tests.oracle.conditions import enter_of
from tests.oracle.reading import Reading
from tests.oracle.scores import STEPS, step
from tests.oracle.times import microseconds

COME_TRUE = ("at_most", "fewer_than", "exactly")
COME_FALSE = ("at_least", "more_than", "exactly")


def is_timed(condition: dict[str, Any], negated: bool = False) -> bool:
    """Rule 25: whether time alone can make the condition true; `negated` under an odd number of nots."""
    ((kind, body),) = condition.items()
    if kind in ("all", "any", "some"):
        return any(is_timed(part, negated) for part in (body["of"] if kind == "some" else body))
    if kind == "not":
        return is_timed(body, not negated)
    if kind == "quiet":
        return not negated
    if kind == "stay":
        return "for" in body and not negated
    if kind in COUNTED:
        return is_windowed(body) and any(key in body for key in (COME_FALSE if negated else COME_TRUE))
    if kind in MEASURED:
        return is_windowed(body)
    if kind == "sequence":
        return "held" in body and negated
    return kind == "trend" or (kind == "score" and "half_life" in body)


def is_windowed(body: dict[str, Any]) -> bool:
    """Whether touchpoints age out of an aggregate."""
    return "within" in body or "during" in body


def leaves(condition: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Every condition inside that is not a combination, as (kind, body)."""
    ((kind, body),) = condition.items()
    if kind in ("all", "any", "some"):
        for part in body["of"] if kind == "some" else body:
            yield from leaves(part)
    elif kind == "not":
        yield from leaves(body)
    else:
        yield kind, body


def enters(definition: dict[str, Any]) -> list[dict[str, Any]]:
    """Everything in a definition that has an `enter`: stages, side stages, the exit."""
    leaving = [definition["exit"]] if "exit" in definition else []
    return [*definition["stages"], *definition.get("side", []), *leaving]


def instants(reading: Reading, end: int) -> list[int]:
    """Every instant d, now ≤ d < end, at which some leaf could read otherwise than just before it."""
    found = {reading.now}
    for one in enters(reading.definition):
        for kind, body in leaves(enter_of(one)):
            found.update(changes(reading, kind, body))
    return sorted(instant for instant in found if reading.now <= instant < end)


def changes(reading: Reading, kind: str, body: Any) -> Iterator[int]:
    """The instants at which a leaf could change by time alone."""
    stamps = {touchpoint["t"] for touchpoint in reading.seen}
    if kind == "quiet":
        yield from (stamp + microseconds(body) for stamp in stamps)
    elif kind == "stay" and "for" in body:
        yield from (move.at + microseconds(body["for"]) for move in reading.moves)
    elif kind == "sequence" and "held" in body:
        yield from (stamp + microseconds(body["held"]) + 1 for stamp in stamps)
    elif kind == "score" and "half_life" in body:
        length = step(body)
        yield from ((stamp // length + steps) * length for stamp in stamps for steps in range(1, STEPS + 1))
    elif kind == "trend":
        length = bucket(body)
        yield from ((stamp // length + buckets) * length for stamp in stamps for buckets in (BUCKETS, 2 * BUCKETS))
    elif kind in AGGREGATES and "during" in body:
        yield from (period(reading.definition, reading.zone, body, stamp)[1] for stamp in stamps)
    elif kind in COUNTED and "within" in body:
        yield from (stamp + microseconds(body["within"]) + 1 for stamp in stamps)
    elif kind in MEASURED and "within" in body:
        yield from ((stamp // bucket(body) + BUCKETS) * bucket(body) for stamp in stamps)
