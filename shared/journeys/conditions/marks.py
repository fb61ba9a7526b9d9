"""What an entry of a score keeps: how many touchpoints matched, and how long ago."""

from dataclasses import dataclass
from typing import Any

from shared.journeys.conditions.base import Slot
from shared.journeys.conditions.slots import Update
from shared.journeys.matcher import Matcher
from shared.journeys.setting import Setting
from shared.journeys.touchpoint import Touchpoint

MILLION = 1_000_000

#: What is left of a point after so many steps of a quarter of its half-life, in millionths: 2^(−k/4).
FADED = (
    *(1_000_000, 840_896, 707_107, 594_604, 500_000, 420_448, 353_553, 297_302, 250_000, 210_224),
    *(176_777, 148_651, 125_000, 105_112, 88_388, 74_325, 62_500, 52_556, 44_194, 37_163),
    *(31_250, 26_278, 22_097, 18_581, 15_625, 13_139, 11_049, 9_291, 7_812, 6_570),
    *(5_524, 4_645, 3_906, 3_285, 2_762, 2_323, 1_953, 1_642, 1_381, 1_161),
)


@dataclass(frozen=True, slots=True)
class Marks(Slot):
    """The number of touchpoints that match `of`: ever, or by steps of `step` µs, as long as they add anything."""

    of: Matcher
    step: int | None

    def empty(self) -> int | dict[int, int]:
        return 0 if self.step is None else {}

    def matchers(self) -> tuple[Matcher, ...]:
        return (self.of,)

    def may(self, type: str, name: str | None) -> bool:
        return self.of.may(type, name)

    def numbers(self, bound: int) -> int:
        return 1 if self.step is None else 2 * bound

    def update(self, index: int, bound: int, setting: Setting) -> Update:
        test, step = self.of.compile(setting.teller), self.step

        def ever(slots: list[Any], touchpoint: Touchpoint) -> None:
            if test is None or test(touchpoint):
                slots[index] += 1

        def by_step(slots: list[Any], touchpoint: Touchpoint) -> None:
            if test is None or test(touchpoint):
                kept: dict[int, int] = slots[index]
                now = touchpoint.at // (step or 1)
                kept[now] = kept.get(now, 0) + 1
                while (oldest := next(iter(kept))) <= now - bound:
                    del kept[oldest]

        return ever if step is None else by_step

    def left(self, kept: Any, now: int) -> int:
        """How many there are at an instant, in millionths: those that have faded count for less."""
        if self.step is None:
            return int(kept) * MILLION
        at = now // self.step
        return sum(number * FADED[at - then] for then, number in kept.items() if at - then < len(FADED))
