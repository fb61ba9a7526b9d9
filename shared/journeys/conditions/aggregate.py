"""`count` and `distinct` of touchpoints, ever or in a window (rules 9, 10, 50 and 51); what all aggregates share."""

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from shared.journeys.conditions.base import Condition, Holds, Moment, Read, Turns, View, steady
from shared.journeys.conditions.comparison import COMPARISONS, Comparison
from shared.journeys.conditions.slots import Kept, Stamps, Values, digest
from shared.journeys.conditions.window import WINDOWS, Window
from shared.journeys.matcher import Matcher, value_at
from shared.journeys.reading import Place
from shared.journeys.state import State
from shared.journeys.telling.said import Instant, Said, Telling, Term
from shared.journeys.touchpoint import Touchpoint

#: The most items that one condition may keep.
MOST = 1000


@dataclass(frozen=True, slots=True)
class Aggregate(Condition):
    """An amount taken from matching touchpoints and compared. `path` leads to the property; a count has none."""

    of: Matcher
    path: str
    window: Window
    comparison: Comparison

    unit: ClassVar[int] = 1
    needs: ClassVar[tuple[str, ...]] = ("of", "property")
    measure: ClassVar[str] = "count"

    @classmethod
    def parse(cls, place: Place, read: Read) -> Self | None:
        fields = place.fields(*cls.needs, optional=[*WINDOWS, *COMPARISONS])
        if fields is None:
            return None
        of = Matcher.parse(fields["of"]) if "of" in fields else None
        path = fields["property"].text("the path of a property") if "property" in fields else ""
        window = Window.parse(place, fields)
        comparison = Comparison.parse(place, fields, cls.unit)
        if of is None or path is None or window is None or comparison is None:
            return None
        made = cls(of, path, window, comparison)
        if isinstance(made.kept(), Stamps | Values) and (window.within or path) and comparison.number > MOST:
            number = comparison.number.numerator
            place.problem(f"it compares with {number:,}, and {MOST:,} are kept", f"compare with {MOST:,} at most")
        return made

    @abstractmethod
    def kept(self) -> Kept:
        """What the state keeps for it."""

    def evidence(self, view: View) -> list[Touchpoint]:
        return self.of.among(self.window.among(view.history, view), view.teller)

    def asks(self) -> Said:
        return Telling("amount", {**self.told(), "amount": self.comparison.amount()})

    def until(self, view: View) -> Said:
        """When those found begin to count no more, as far as it is known beforehand."""
        if self.window.during is None:
            return None
        _, end = self.window.during.bounds(view.now, view.moment.layout.setting.zone)
        return Telling("by", {"at": Instant(end)})

    def told(self) -> dict[str, Said]:
        """What its sentences tell of, but the comparison."""
        measure = Telling(f"measure.{self.measure}", {"property": Term(self.path)})
        return {"measure": measure, "of": self.of.asks(), "window": self.window.asks()}


class Counted(Aggregate):
    """Counts items by their times. Those in a window only grow fewer as time passes."""

    __slots__ = ()

    @abstractmethod
    def kept(self) -> Stamps | Values: ...

    def slot(self) -> tuple[Kept, int]:
        return self.kept(), self.comparison.bound

    def timed(self, negated: bool = False) -> bool:
        bound = self.comparison.low if negated else self.comparison.below
        return self.window.passes and bound is not None

    def compile(self, moment: Moment) -> bool | Holds:
        if (settled := self.comparison.settled) is not None:
            return settled
        kept = self.kept()
        index, number, end = moment.layout.slots[kept], kept.number, kept.end
        low, below = self.comparison.low or 0, self.comparison.below
        if self.window.within is not None:
            return _in_window(low, below, self.window.within, self._stamps(index))
        if self.window.during is not None:
            holds, none = self.comparison.holds, self.comparison.holds(0)

            def in_period(state: State, touchpoint: Touchpoint | None, now: int) -> bool:
                left = end(state.slots[index])
                return none if left is None or left <= now else holds(number(state.slots[index]))

            return in_period
        count: Callable[[Any], int] = len if isinstance(kept, Values) else int
        if below is None:
            return lambda state, touchpoint, now: count(state.slots[index]) >= low
        return lambda state, touchpoint, now: low <= count(state.slots[index]) < below

    def turns(self, moment: Moment, truth: bool) -> bool | Turns:
        if not self.window.passes or self.comparison.settled is not None:
            return steady(self.compile(moment), truth)
        kept = self.kept()
        index, end = moment.layout.slots[kept], kept.end
        if self.window.within is not None:
            low, below = self.comparison.low or 0, self.comparison.below
            turning = _rises if truth else _falls
            return turning(low, below, self.window.within, self._stamps(index))
        holds, none = self.compile(moment), self.comparison.holds(0)

        def turns(state: State, start: int) -> int | None:
            if isinstance(holds, bool) or holds(state, None, start) is truth:
                return start
            return end(state.slots[index]) if none is truth else None

        return turns

    def lacks(self, view: View) -> Said:
        low, found = self.comparison.low, self.number(view)
        if view.negated or low is None or found >= low:
            return Condition.lacks(self, view)
        return self.more(found, low, self.until(view))

    @abstractmethod
    def number(self, view: View) -> int:
        """How many are found at an instant looked back on."""

    @abstractmethod
    def more(self, found: int, low: int, until: Said) -> Said:
        """How many are still missing, and when those found begin to count no more."""

    def until(self, view: View) -> Said:
        if (within := self.window.within) is None:
            return Aggregate.until(self, view)
        index = view.moment.layout.slots[self.kept()]
        left = [stamp for stamp in self._stamps(index)(view.state) if stamp >= view.now - within]
        return Telling("by", {"at": Instant(left[0] + within)}) if left else None

    def _stamps(self, index: int) -> Callable[[State], Sequence[int]]:
        if isinstance(self.kept(), Values):
            return lambda state: list(state.slots[index].values())

        def stamps(state: State) -> Sequence[int]:
            found: list[int] = state.slots[index]
            return found

        return stamps


class Count(Counted):
    """`count: {of, <window>, <comparison>}`."""

    __slots__ = ()
    needs: ClassVar[tuple[str, ...]] = ("of",)

    def kept(self) -> Stamps:
        return Stamps(self.of, self.window)

    def asks(self) -> Said:
        told = {"of": self.of.asks(), "window": self.window.asks()}
        if self.comparison.below == 1:
            return Telling("count.never", told)
        return Telling("count", {**told, "times": self.comparison.times()})

    def finds(self, view: View) -> Said:
        return Telling("times", {"n": self.number(view)})

    def number(self, view: View) -> int:
        return len(self.evidence(view))

    def more(self, found: int, low: int, until: Said) -> Said:
        told = {"of": self.of.asks(), "window": self.window.asks(), "by": until}
        return Telling("count.more", {**told, "found": found, "n": low, "more": low - found})


class Distinct(Counted):
    """`distinct: {of, property, <window>, <comparison>}`."""

    __slots__ = ()
    measure: ClassVar[str] = "distinct"

    def kept(self) -> Values:
        return Values(self.of, self.window, self.path)

    def finds(self, view: View) -> Said:
        return self.number(view)

    def number(self, view: View) -> int:
        return len({digest(value_at(t.properties, self.path)) for t in self.evidence(view)} - {None})

    def more(self, found: int, low: int, until: Said) -> Said:
        told = self.told()
        return Telling("amount.more", {**told, "found": found, "wanted": low, "more": low - found, "by": until})


def _in_window(low: int, below: int | None, within: int, stamps: Callable[[State], Sequence[int]]) -> Holds:
    def at_least(state: State, touchpoint: Touchpoint | None, now: int) -> bool:
        found = stamps(state)
        return len(found) >= low and found[-low] >= now - within

    def fewer(state: State, touchpoint: Touchpoint | None, now: int) -> bool:
        found = stamps(state)
        return len(found) < most or found[-most] < now - within

    if below is None:
        return at_least
    most = below
    if not low:
        return fewer
    return lambda state, touchpoint, now: at_least(state, None, now) and fewer(state, None, now)


def _rises(low: int, below: int | None, within: int, stamps: Callable[[State], Sequence[int]]) -> Turns:
    """At once, or as soon as enough have left the window, if enough are then left in it."""

    def turns(state: State, start: int) -> int | None:
        found = stamps(state)
        if below is not None and len(found) >= below and found[-below] >= start - within:
            start = found[-below] + within + 1
        if low and (len(found) < low or found[-low] < start - within):
            return None
        return start

    return turns


def _falls(low: int, below: int | None, within: int, stamps: Callable[[State], Sequence[int]]) -> Turns:
    """At once, or as soon as too few are left in the window."""

    def turns(state: State, start: int) -> int | None:
        found = stamps(state)
        if low and (len(found) < low or found[-low] < start - within):
            return start
        if below is not None and len(found) >= below and found[-below] >= start - within:
            return start
        return found[-low] + within + 1 if low else None

    return turns
