"""What the aggregates keep of the touchpoints they count: never more than their comparison can tell apart."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Any

from shared.journeys.conditions.base import Slot
from shared.journeys.matcher import Matcher, Reads, value_at
from shared.journeys.setting import Setting
from shared.journeys.touchpoint import Touchpoint
from shared.touch.text import fold

Update = Callable[[list[Any], Touchpoint], None]

#: A sum's window is kept in this many buckets; amounts are whole millionths.
BUCKETS, MILLION = 30, 1_000_000

#: JSON may spell out integers beyond every floating-point number; those are no amounts.
LARGEST = 10**308

_MILLIONTH = Decimal("0.000001")
_EXACT = Context(prec=400, rounding=ROUND_HALF_EVEN)


@dataclass(frozen=True, slots=True)
class Kept(Slot):
    """Of the touchpoints that match `of`; `within` a window, in microseconds, or ever."""

    of: Matcher
    within: int | None

    def may(self, type: str, name: str | None) -> bool:
        return self.of.may(type, name)

    def matchers(self) -> tuple[Matcher, ...]:
        return (self.of,)


@dataclass(frozen=True, slots=True)
class Stamps(Kept):
    """Ever: the number of touchpoints, up to the bound. Within a window: the times of the latest."""

    def empty(self) -> int | list[int]:
        return 0 if self.within is None else []

    def update(self, index: int, bound: int, setting: Setting) -> Update:
        test = self.of.compile()

        def number(slots: list[Any], touchpoint: Touchpoint) -> None:
            if slots[index] < bound and (test is None or test(touchpoint)):
                slots[index] += 1

        def latest(slots: list[Any], touchpoint: Touchpoint) -> None:
            if test is None or test(touchpoint):
                stamps = slots[index]
                stamps.append(touchpoint.at)
                if len(stamps) > bound:
                    del stamps[0]

        return number if self.within is None else latest


@dataclass(frozen=True, slots=True)
class Values(Kept):
    """The latest different values of a property, as digests, and when each was last seen."""

    path: str

    def empty(self) -> dict[bytes, int]:
        return {}

    def update(self, index: int, bound: int, setting: Setting) -> Update:
        test, path, ever = self.of.compile(), self.path, self.within is None

        def latest(slots: list[Any], touchpoint: Touchpoint) -> None:
            if test is not None and not test(touchpoint):
                return
            if (value := digest(value_at(touchpoint.properties, path))) is None:
                return
            stamps: dict[bytes, int] = slots[index]
            if ever and len(stamps) >= bound:
                return
            stamps.pop(value, None)
            stamps[value] = touchpoint.at
            if len(stamps) > bound:
                del stamps[next(iter(stamps))]

        return latest


@dataclass(frozen=True, slots=True)
class Amount(Kept):
    """The sum of a property in millionths: ever, or by buckets of a thirtieth of the window."""

    path: str

    @property
    def width(self) -> int:
        """A bucket's width in microseconds."""
        return -(-(self.within or BUCKETS) // BUCKETS)

    def empty(self) -> int | dict[int, int]:
        return 0 if self.within is None else {}

    def update(self, index: int, bound: int, setting: Setting) -> Update:
        test, path, width = self.of.compile(), self.path, self.width

        def total(slots: list[Any], touchpoint: Touchpoint) -> None:
            if amount := added(touchpoint, test, path):
                slots[index] = carried(int(slots[index]) + amount)

        def buckets(slots: list[Any], touchpoint: Touchpoint) -> None:
            if amount := added(touchpoint, test, path):
                kept: dict[int, int | str] = slots[index]
                bucket = touchpoint.at // width
                kept[bucket] = carried(int(kept.get(bucket, 0)) + amount)
                while (oldest := next(iter(kept))) <= bucket - BUCKETS:
                    del kept[oldest]

        return total if self.within is None else buckets


def added(touchpoint: Touchpoint, test: Reads | None, path: str) -> int:
    """What a touchpoint adds to a sum, in millionths."""
    if test is not None and not test(touchpoint):
        return 0
    value = value_at(touchpoint.properties, path)
    if type(value) is int:
        return value * MILLION if abs(value) < LARGEST else 0
    if type(value) is not float:
        return 0
    return int(_EXACT.scaleb(_EXACT.quantize(Decimal(repr(value)), _MILLIONTH), 6))


def carried(amount: int) -> int | str:
    """An amount as msgpack carries it: what is beyond 64 bits as text."""
    return amount if -(2**63) <= amount < 2**63 else str(amount)


def digest(value: Any) -> bytes | None:
    """What two equal values share (rule 10), in eight bytes; None of what is no value."""
    if isinstance(value, str):
        told = "t" + fold(value)
    elif isinstance(value, bool):
        told = f"b{value}"
    elif isinstance(value, int):
        told = f"n{value}"
    elif isinstance(value, float):
        told = f"n{int(value) if value.is_integer() else value!r}"
    else:
        return None
    return hashlib.blake2b(told.encode("utf-8", "surrogatepass"), digest_size=8).digest()
