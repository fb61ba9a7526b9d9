"""`sum`, `average`, `least` and `greatest` of a property, ever or within a window (rules 11 and 49 to 51)."""

from abc import abstractmethod
from bisect import bisect_right
from collections.abc import Callable
from decimal import Decimal
from itertools import compress
from operator import not_
from typing import Any, ClassVar

from shared.journeys.conditions.aggregate import Aggregate
from shared.journeys.conditions.amounts import GREATEST, LEAST, MEAN, MILLION, TOTAL, Amounts, Tally, decimal
from shared.journeys.conditions.base import Condition, Holds, Moment, Turns, View, steady
from shared.journeys.state import State
from shared.journeys.telling.said import Said, Telling
from shared.journeys.touchpoint import Touchpoint


class Reckoned(Aggregate):
    """Puts amounts together. As time passes it may rise as well as fall: a refund, too, leaves the window."""

    __slots__ = ()
    unit: ClassVar[int] = MILLION

    @property
    @abstractmethod
    def tally(self) -> Tally:
        """How its amounts come to one."""

    @abstractmethod
    def test(self) -> Callable[[Any], bool]:
        """The comparison with a tally."""

    @abstractmethod
    def amount(self, tally: Any) -> Decimal | None:
        """A tally as it is told; None where there is nothing to compare."""

    def kept(self) -> Amounts:
        return Amounts(self.of, self.window, self.path, self.tally)

    def slot(self) -> tuple[Amounts, int]:
        return self.kept(), self.kept().items

    def compile(self, moment: Moment) -> Holds:
        index, reading, test = moment.layout.slots[self.kept()], self.kept().reading(), self.test()
        if not self.window.passes:
            return lambda state, touchpoint, now: test(state.slots[index])
        return lambda state, touchpoint, now: test(reading(state.slots[index], now))

    def turns(self, moment: Moment, truth: bool) -> bool | Turns:
        holds = self.compile(moment)
        if not self.window.passes:
            return steady(holds, truth)
        index, later, test = moment.layout.slots[self.kept()], self.kept().later(), self.test()

        def turns(state: State, start: int) -> int | None:
            if holds(state, None, start) is truth:
                return start
            instants, tallies = later(state.slots[index])
            past = bisect_right(instants, start)
            found = map(test, tallies[past:])
            return next(compress(instants[past:], found if truth else map(not_, found)), None)

        return turns

    def timed(self, negated: bool = False) -> bool:
        return self.window.passes

    def evidence(self, view: View) -> list[Touchpoint]:
        if self.window.within is None:
            return Aggregate.evidence(self, view)
        return self.kept().among(self.of.among(view.history, view.teller), view.now)

    def finds(self, view: View) -> Said:
        amount = self.amount(self.kept().told(self.evidence(view)))
        return Telling("nothing") if amount is None else amount


class Sum(Reckoned):
    """`sum: {of, property, <window>, <comparison>}`."""

    __slots__ = ()
    tally = TOTAL
    measure: ClassVar[str] = "sum"

    def test(self) -> Callable[[Any], bool]:
        holds = self.comparison.whole()
        return lambda tally: holds(int(tally or 0))

    def amount(self, tally: Any) -> Decimal:
        return decimal(int(tally or 0))

    def lacks(self, view: View) -> Said:
        low, found = self.comparison.low, int(self.kept().told(self.evidence(view)) or 0)
        if view.negated or self.comparison.key != "at_least" or low is None or found >= low:
            return Condition.lacks(self, view)
        amounts = {"found": decimal(found), "wanted": decimal(low), "more": decimal(low - found)}
        return Telling("amount.more", {**self.told(), **amounts, "by": self.until(view)})


class Average(Reckoned):
    """`average: {of, property, <window>, <comparison>}`."""

    __slots__ = ()
    tally = MEAN
    measure: ClassVar[str] = "average"

    def test(self) -> Callable[[Any], bool]:
        divided = self.comparison.divided()
        return lambda tally: tally is not None and divided(int(tally[0]), tally[1] * MILLION)

    def amount(self, tally: Any) -> Decimal | None:
        return None if tally is None else decimal(int(tally[0]), tally[1])


class Extreme(Reckoned):
    """One of the values themselves."""

    __slots__ = ()

    def test(self) -> Callable[[Any], bool]:
        holds = self.comparison.whole()
        return lambda tally: tally is not None and holds(int(tally))

    def amount(self, tally: Any) -> Decimal | None:
        return None if tally is None else decimal(int(tally))


class Least(Extreme):
    """`least: {of, property, <window>, <comparison>}`."""

    __slots__ = ()
    tally = LEAST
    measure: ClassVar[str] = "least"


class Greatest(Extreme):
    """`greatest: {of, property, <window>, <comparison>}`."""

    __slots__ = ()
    tally = GREATEST
    measure: ClassVar[str] = "greatest"
