"""Rules 25 and 27: what time alone can make true, and at which instants it could."""

from collections.abc import Iterator
from typing import Any

from tests.oracle.conditions import BUCKETS, Move, bucket
from tests.oracle.history import Touchpoint
from tests.oracle.times import microseconds

COME_TRUE = ("at_most", "fewer_than", "exactly")
COME_FALSE = ("at_least", "more_than", "exactly")


def is_timed(condition: dict[str, Any], negated: bool = False) -> bool:
    """Rule 25: whether time alone can make the condition true; `negated` under an odd number of nots."""
    ((kind, body),) = condition.items()
    if kind in ("all", "any"):
        return any(is_timed(part, negated) for part in body)
    if kind == "not":
        return is_timed(body, not negated)
    if kind == "quiet":
        return not negated
    if kind == "stay":
        return "for" in body and not negated
    if kind == "sum":
        return "within" in body
    if kind in ("count", "distinct"):
        return "within" in body and any(key in body for key in (COME_FALSE if negated else COME_TRUE))
    return False


def leaves(condition: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Every condition inside that is not a combination, as (kind, body)."""
    ((kind, body),) = condition.items()
    if kind in ("all", "any"):
        for part in body:
            yield from leaves(part)
    elif kind == "not":
        yield from leaves(body)
    else:
        yield kind, body


def enters(definition: dict[str, Any]) -> list[dict[str, Any]]:
    """Everything in a definition that has an `enter`: stages, side stages, the exit."""
    leaving = [definition["exit"]] if "exit" in definition else []
    return [*definition["stages"], *definition.get("side", []), *leaving]


def instants(definition: dict[str, Any], seen: list[Touchpoint], moves: list[Move], start: int, end: int) -> list[int]:
    """Every instant d, start ≤ d < end, at which some leaf could read otherwise than just before it."""
    stamps = [touchpoint["t"] for touchpoint in seen]
    found = {start}
    for one in enters(definition):
        for kind, body in leaves(one["enter"]):
            if kind == "quiet":
                found |= {stamp + microseconds(body) for stamp in stamps}
            elif kind == "stay" and "for" in body:
                found |= {move.at + microseconds(body["for"]) for move in moves}
            elif kind in ("count", "distinct") and "within" in body:
                found |= {stamp + microseconds(body["within"]) + 1 for stamp in stamps}
            elif kind == "sum" and "within" in body:
                length = bucket(body)
                found |= {(stamp // length + BUCKETS) * length for stamp in stamps}
    return sorted(instant for instant in found if start <= instant < end)
