"""Rules 3 and 4: which touchpoints of one customer count, and in what order."""

from collections.abc import Iterable
from typing import Any

Touchpoint = dict[str, Any]
Place = tuple[int, bytes]


def place(touchpoint: Touchpoint) -> Place:
    """Rule 3: where a touchpoint stands in a history."""
    return touchpoint["t"], touchpoint["id"].encode()


def once(touchpoints: Iterable[Touchpoint]) -> list[Touchpoint]:
    """Rule 4: of the touchpoints of one customer with one id, only the one that was received first."""
    kept: dict[str, Touchpoint] = {}
    for touchpoint in sorted(touchpoints, key=lambda one: (one["recorded"], one["t"])):
        kept.setdefault(touchpoint["id"], touchpoint)
    return list(kept.values())


def in_order(touchpoints: Iterable[Touchpoint]) -> list[Touchpoint]:
    """One customer's history: each id once, ordered by time and id."""
    return sorted(once(touchpoints), key=place)
