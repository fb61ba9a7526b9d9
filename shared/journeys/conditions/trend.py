"""`trend: {of, property, within, <comparison>}`: this window against the last (rule 52)."""

from dataclasses import dataclass
from decimal import Decimal

from shared.journeys.conditions.amounts import BUCKETS, MILLION, TOTAL, Amounts, decimal
from shared.journeys.conditions.base import Condition, Holds, Moment, Read, Turns, View
from shared.journeys.conditions.comparison import INEXACT, Comparison
from shared.journeys.conditions.window import Window
from shared.journeys.matcher import Matcher
from shared.journeys.reading import Place
from shared.journeys.state import State
from shared.journeys.telling.said import Said, Span, Telling, Term
from shared.journeys.touchpoint import Touchpoint


@dataclass(frozen=True, slots=True)
class Trend(Condition):
    """`path` leads to the property that is added up; without one the touchpoints are counted."""

    of: Matcher
    path: str
    within: int
    comparison: Comparison

    @classmethod
    def parse(cls, place: Place, read: Read) -> "Trend | None":
        if (fields := place.fields("of", "within", optional=["property", *INEXACT])) is None:
            return None
        of = Matcher.parse(fields["of"]) if "of" in fields else None
        path = fields["property"].text("the path of a property") if "property" in fields else ""
        within = fields["within"].duration() if "within" in fields else None
        comparison = Comparison.parse(place, fields, MILLION, INEXACT)
        if of is None or path is None or within is None or comparison is None:
            return None
        return cls(of, path, within, comparison)

    def kept(self) -> Amounts:
        """What the state keeps for it."""
        return Amounts(self.of, Window(self.within), self.path, TOTAL, windows=2)

    def slot(self) -> tuple[Amounts, int]:
        return self.kept(), self.kept().items

    def compile(self, moment: Moment) -> Holds:
        index, width, divided = moment.layout.slots[self.kept()], self.kept().width, self.comparison.divided()

        def holds(state: State, touchpoint: Touchpoint | None, now: int) -> bool:
            this, last = _windows(state.slots[index], now // width)
            return last > 0 and divided(this, last)

        return holds

    def turns(self, moment: Moment, truth: bool) -> bool | Turns:
        index, width, divided = moment.layout.slots[self.kept()], self.kept().width, self.comparison.divided()

        def turns(state: State, start: int) -> int | None:
            kept: dict[int, int | str] = state.slots[index]
            now = start // width
            this, last = _windows(kept, now)
            if (last > 0 and divided(this, last)) is truth:
                return start
            changes: dict[int, list[int]] = {}
            for bucket, amount in kept.items():
                if now < (aged := bucket + BUCKETS):
                    changes.setdefault(aged, [0, 0])[0] += int(amount)
                if now < (gone := bucket + 2 * BUCKETS):
                    changes.setdefault(gone, [0, 0])[1] += int(amount)
            for then in sorted(changes):
                leaves, ends = changes[then]
                this, last = this - leaves, last + leaves - ends
                if (last > 0 and divided(this, last)) is truth:
                    return then * width
            return None

        return turns

    def timed(self, negated: bool = False) -> bool:
        return True

    def evidence(self, view: View) -> list[Touchpoint]:
        return self.kept().among(self.of.among(view.history, view.teller), view.now)

    def asks(self) -> Said:
        told = {"of": self.of.asks(), "span": Span(self.within), "amount": self.comparison.amount()}
        if not self.path:
            return Telling("trend.often", told)
        return Telling("trend", {**told, "measure": Telling("measure.sum", {"property": Term(self.path)})})

    def finds(self, view: View) -> Said:
        this, last = self._amounts(view)
        return Telling("trend.found", {"this": this, "last": last})

    def _amounts(self, view: View) -> tuple[Decimal, Decimal]:
        """What this window and the last came to."""
        width, amounts = self.kept().width, [0, 0]
        for one in self.evidence(view):
            amounts[(view.now // width - one.at // width) // BUCKETS] += int(self.kept().told([one]) or 0)
        return decimal(amounts[0]), decimal(amounts[1])


def _windows(kept: dict[int, int | str], now: int) -> tuple[int, int]:
    """What the buckets of this window and of the last come to, now being a bucket's number."""
    this = last = 0
    for bucket, amount in kept.items():
        if now - bucket < BUCKETS:
            this += int(amount)
        elif now - bucket < 2 * BUCKETS:
            last += int(amount)
    return this, last
