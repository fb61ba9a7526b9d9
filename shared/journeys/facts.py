"""Facts: what a touchpoint is told to be (rule 47), for matchers to ask for."""

from collections.abc import Callable, Mapping

from shared.journeys.touchpoint import Touchpoint
from shared.touch.told import Teller

Fact = Callable[[Touchpoint, Teller], str | None]


def _origin(key: str) -> Fact:
    def fact(touchpoint: Touchpoint, teller: Teller) -> str | None:
        origin = touchpoint.telling(teller).origin
        return None if origin is None else getattr(origin, key) or None

    return fact


def _place(key: str) -> Fact:
    def fact(touchpoint: Touchpoint, teller: Teller) -> str | None:
        seen = touchpoint.record.seen
        return None if seen is None else getattr(seen, key)

    return fact


#: By the keys of a matcher. None where nothing is told.
FACTS: Mapping[str, Fact] = {
    "channel": lambda touchpoint, teller: touchpoint.telling(teller).channel,
    "kind": lambda touchpoint, teller: touchpoint.telling(teller).kind,
    "direction": lambda touchpoint, teller: touchpoint.telling(teller).direction,
    "content": lambda touchpoint, teller: touchpoint.telling(teller).content,
    "campaign": _origin("campaign"),
    "source": _origin("source"),
    "medium": _origin("medium"),
    "term": _origin("term"),
    "country": _place("country"),
    "region": _place("region"),
    "city": _place("city"),
    "device": lambda touchpoint, teller: touchpoint.device(teller).type or None,
    "system": lambda touchpoint, teller: touchpoint.device(teller).os or None,
    "browser": lambda touchpoint, teller: touchpoint.device(teller).browser or None,
}
