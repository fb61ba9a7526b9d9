"""`count`, `distinct` and `sum` of touchpoints, ever or within a window (rules 9 to 11)."""

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from shared.journeys import duration
from shared.journeys.conditions.base import Condition, Holds, Moment, Read, Turns, View, steady
from shared.journeys.conditions.comparison import COMPARISONS, Comparison
from shared.journeys.conditions.slots import BUCKETS, MILLION, Amount, Kept, Stamps, Values, added, digest
from shared.journeys.matcher import Matcher, value_at
from shared.journeys.reading import Place
from shared.journeys.state import State
from shared.journeys.touchpoint import Touchpoint

#: The most items that one condition may keep.
MOST = 1000


@dataclass(frozen=True, slots=True)
class Aggregate(Condition):
    """An amount taken from matching touchpoints and compared. `path` leads to the property; a count has none."""

    of: Matcher
    path: str
    within: int | None
    comparison: Comparison

    unit: ClassVar[int] = 1
    needs: ClassVar[tuple[str, ...]] = ("of", "property")

    @classmethod
    def parse(cls, place: Place, read: Read) -> Self | None:
        fields = place.fields(*cls.needs, optional=["within", *COMPARISONS])
        if fields is None:
            return None
        of = Matcher.parse(fields["of"]) if "of" in fields else None
        path = fields["property"].text("the path of a property") if "property" in fields else ""
        within = fields["within"].duration() if "within" in fields else None
        comparison = Comparison.parse(place, fields, cls.unit)
        if of is None or path is None or comparison is None:
            return None
        made = cls(of, path, within, comparison)
        if isinstance(made.kept(), Stamps | Values) and (within or path) and comparison.bound > MOST:
            place.problem(f"it compares with more than {MOST:,}", f"compare with {MOST:,} at most")
        return made

    @abstractmethod
    def kept(self) -> Kept:
        """What the state keeps for it."""

    @abstractmethod
    def found(self, view: View) -> str:
        """The amount at an instant looked back on, and of what."""

    def slot(self) -> tuple[Kept, int]:
        return self.kept(), self.comparison.bound

    def timed(self, negated: bool = False) -> bool:
        bound = self.comparison.low if negated else self.comparison.below
        return self.within is not None and bound is not None

    def evidence(self, view: View) -> list[Touchpoint]:
        matching = self.of.among(view.history)
        return [t for t in matching if self.within is None or t.at >= view.now - self.within]

    def say(self, view: View) -> str:
        window = "" if self.within is None else f" within {duration.spell(self.within)}"
        return f"{self.found(view)}{window} {view.asked(self.comparison.said)}"


class Counted(Aggregate):
    """Counts items by their times. Those in a window only grow fewer as time passes."""

    __slots__ = ()

    def compile(self, moment: Moment) -> bool | Holds:
        if (settled := self.comparison.settled) is not None:
            return settled
        index = moment.layout.slots[self.kept()]
        low, below = self.comparison.low or 0, self.comparison.below
        if self.within is not None:
            return _in_window(low, below, self.within, self._stamps(index))
        count: Callable[[Any], int] = len if isinstance(self.kept(), Values) else int
        if below is None:
            return lambda state, touchpoint, now: count(state.slots[index]) >= low
        return lambda state, touchpoint, now: low <= count(state.slots[index]) < below

    def turns(self, moment: Moment, truth: bool) -> bool | Turns:
        if self.within is None or self.comparison.settled is not None:
            return steady(self.compile(moment), truth)
        stamps = self._stamps(moment.layout.slots[self.kept()])
        low, below = self.comparison.low or 0, self.comparison.below
        if truth:
            return _rises(low, below, self.within, stamps)
        return _falls(low, below, self.within, stamps)

    def _stamps(self, index: int) -> Callable[[State], Sequence[int]]:
        if isinstance(self.kept(), Values):
            return lambda state: list(state.slots[index].values())

        def stamps(state: State) -> Sequence[int]:
            found: list[int] = state.slots[index]
            return found

        return stamps


class Count(Counted):
    """`count: {of, within, <comparison>}`."""

    __slots__ = ()
    needs: ClassVar[tuple[str, ...]] = ("of",)

    def kept(self) -> Kept:
        return Stamps(self.of, self.within)

    def found(self, view: View) -> str:
        return f"{len(self.evidence(view)):,} × {self.of.said}"


class Distinct(Counted):
    """`distinct: {of, property, within, <comparison>}`."""

    __slots__ = ()

    def kept(self) -> Kept:
        return Values(self.of, self.within, self.path)

    def found(self, view: View) -> str:
        values = {digest(value_at(t.properties, self.path)) for t in self.evidence(view)}
        return f"{len(values - {None}):,} different {self.path} of {self.of.said}"


class Sum(Aggregate):
    """`sum: {of, property, within, <comparison>}`. As time passes it may fall and, with refunds, rise."""

    __slots__ = ()
    unit: ClassVar[int] = MILLION

    def kept(self) -> Amount:
        return Amount(self.of, self.within, self.path)

    def slot(self) -> tuple[Kept, int]:
        return self.kept(), BUCKETS if self.within else 1

    def compile(self, moment: Moment) -> Holds:
        index = moment.layout.slots[self.kept()]
        holds = self.comparison.holds
        if self.within is None:
            return lambda state, touchpoint, now: holds(int(state.slots[index]))
        width = self.kept().width
        return lambda state, touchpoint, now: holds(_total(state.slots[index], now // width))

    def turns(self, moment: Moment, truth: bool) -> bool | Turns:
        holds = self.compile(moment)
        if self.within is None:
            return steady(holds, truth)
        index, width = moment.layout.slots[self.kept()], self.kept().width

        def turns(state: State, start: int) -> int | None:
            if holds(state, None, start) is truth:
                return start
            for bucket in state.slots[index]:
                left: int = (bucket + BUCKETS) * width
                if left > start and holds(state, None, left) is truth:
                    return left
            return None

        return turns

    def timed(self, negated: bool = False) -> bool:
        return self.within is not None

    def evidence(self, view: View) -> list[Touchpoint]:
        matching = self.of.among(view.history)
        if self.within is None:
            return matching
        width = self.kept().width
        return [t for t in matching if view.now // width - t.at // width < BUCKETS]

    def found(self, view: View) -> str:
        total = sum(added(t, None, self.path) for t in self.evidence(view))
        return f"{total / MILLION:,} as the sum of {self.path} of {self.of.said}"


def _total(buckets: dict[int, int | str], now: int) -> int:
    return sum(int(amount) for bucket, amount in buckets.items() if now - bucket < BUCKETS)


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
