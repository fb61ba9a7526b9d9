"""What counts keep of the touchpoints they count: never more than their comparison can tell apart."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from shared.journeys.conditions.base import Slot
from shared.journeys.conditions.window import Window
from shared.journeys.matcher import Matcher, value_at
from shared.journeys.setting import Setting
from shared.journeys.touchpoint import Touchpoint
from shared.touch.text import fold

Update = Callable[[list[Any], Touchpoint], None]

#: JSON may spell out integers beyond every floating-point number; those are no amounts.
LARGEST = 10**308


@dataclass(frozen=True, slots=True)
class Kept(Slot):
    """Of the touchpoints in the window that match `of`. Of a calendar period's, only while it lasts."""

    of: Matcher
    window: Window

    def may(self, type: str, name: str | None) -> bool:
        return self.of.may(type, name)

    def matchers(self) -> tuple[Matcher, ...]:
        return (self.of,)

    @property
    def resets(self) -> bool:
        return self.window.entry


@dataclass(frozen=True, slots=True)
class Stamps(Kept):
    """Within a window: the times of the latest touchpoints. In a period: its end, and their number; else that alone."""

    def empty(self) -> int | list[int]:
        return [] if self.window.passes else 0

    def numbers(self, bound: int) -> int:
        return 2 if self.window.within is None else bound

    def update(self, index: int, bound: int, setting: Setting) -> Update:
        test, during, zone = self.of.compile(setting.teller), self.window.during, setting.zone

        def number(slots: list[Any], touchpoint: Touchpoint) -> None:
            if slots[index] < bound and (test is None or test(touchpoint)):
                slots[index] += 1

        def latest(slots: list[Any], touchpoint: Touchpoint) -> None:
            if test is None or test(touchpoint):
                stamps = slots[index]
                stamps.append(touchpoint.at)
                if len(stamps) > bound:
                    del stamps[0]

        if during is None:
            return number if self.window.within is None else latest
        period = during

        def in_period(slots: list[Any], touchpoint: Touchpoint) -> None:
            if test is None or test(touchpoint):
                if not (kept := slots[index]) or kept[0] <= touchpoint.at:
                    slots[index] = [period.bounds(touchpoint.at, zone)[1], 1]
                elif kept[1] < bound:
                    kept[1] += 1

        return in_period

    def number(self, kept: Any) -> int:
        """How many there are as long as none leave."""
        if self.window.during is None:
            return int(kept)
        return kept[1] if kept else 0

    def end(self, kept: list[int]) -> int | None:
        """When those of a period leave."""
        return kept[0] if kept else None


@dataclass(frozen=True, slots=True)
class Values(Kept):
    """The latest different values of a property, as digests; with each when it was last seen, or its period's end."""

    path: str

    def empty(self) -> dict[bytes, int]:
        return {}

    def numbers(self, bound: int) -> int:
        return 2 * bound

    def update(self, index: int, bound: int, setting: Setting) -> Update:
        test, path, sliding = self.of.compile(setting.teller), self.path, self.window.within is not None
        during, zone = self.window.during, setting.zone

        def latest(slots: list[Any], touchpoint: Touchpoint) -> None:
            if test is not None and not test(touchpoint):
                return
            if (value := digest(value_at(touchpoint.properties, path))) is None:
                return
            stamps: dict[bytes, int] = slots[index]
            stamp = touchpoint.at
            if during is not None:
                if (end := self.end(stamps)) is None or end <= stamp:
                    stamps.clear()
                    end = during.bounds(stamp, zone)[1]
                stamp = end
            if not sliding and len(stamps) >= bound:
                return
            stamps.pop(value, None)
            stamps[value] = stamp
            if len(stamps) > bound:
                del stamps[next(iter(stamps))]

        return latest

    def number(self, kept: dict[bytes, int]) -> int:
        """How many there are as long as none leave."""
        return len(kept)

    def end(self, kept: dict[bytes, int]) -> int | None:
        """When those of a period leave."""
        return next(iter(kept.values()), None)


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
