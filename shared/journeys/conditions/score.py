"""`score: {of, traits, half_life, <comparison>}`: points for what a customer does and is (rule 54)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from shared.journeys.conditions.base import Condition, Holds, Moment, Read, Turns, View, steady
from shared.journeys.conditions.comparison import COMPARISONS, Comparison
from shared.journeys.conditions.marks import FADED, MILLION, Marks
from shared.journeys.conditions.trait import Trait
from shared.journeys.matcher import Matcher
from shared.journeys.reading import Place, shown
from shared.journeys.state import State
from shared.journeys.telling.said import Said, Span, Telling, listed
from shared.journeys.touchpoint import Touchpoint

#: Points are whole thousandths, what is left of them whole millionths: a score is in these.
THOUSAND = 1000
UNIT = THOUSAND * MILLION

_KEYS = [key for key in COMPARISONS if key != "exactly"]

#: So many entries of either kind at most; a step is such a part of the half-life.
MOST, STEPS = 20, 4


class Entry(NamedTuple):
    """What one kind of touchpoint adds: `points` each, in all not beyond `cap`; both in thousandths."""

    marks: Marks
    points: int
    cap: int | None

    def asks(self) -> Said:
        cap = None if self.cap is None else Telling("cap", {"points": Decimal(self.cap) / THOUSAND})
        return _points_for("points", self.points, {"of": self.marks.of.asks(), "cap": cap})

    def amount(self, left: int) -> int:
        """Of so many touchpoints, in millionths."""
        amount = self.points * left
        return amount if self.cap is None else max(-self.cap * MILLION, min(self.cap * MILLION, amount))


@dataclass(frozen=True, slots=True)
class Score(Condition):
    """`step` is a quarter of the half-life, in µs; None where nothing fades."""

    entries: tuple[Entry, ...]
    traits: tuple[tuple[Trait, int], ...]
    step: int | None
    comparison: Comparison

    @classmethod
    def parse(cls, place: Place, read: Read) -> "Score | None":
        found = len(place.reading.problems)
        if (fields := place.fields(optional=["of", "traits", "half_life", *_KEYS])) is None:
            return None
        half_life = fields["half_life"].duration() if "half_life" in fields else None
        step = None if half_life is None else -(-half_life // STEPS)
        entries = [_entry(member, step) for member in _members(fields.get("of"))]
        traits = [_trait(member, read) for member in _members(fields.get("traits"))]
        if not ("of" in fields or "traits" in fields):
            place.problem("it gives no points", "list some under of: or traits:")
        comparison = Comparison.parse(place, fields, UNIT, _KEYS)
        if comparison is None or len(place.reading.problems) > found:
            return None
        return cls(tuple(one for one in entries if one), tuple(one for one in traits if one), step, comparison)

    def parts(self) -> tuple[Condition, ...]:
        return tuple(trait for trait, _ in self.traits)

    def slots(self) -> tuple[tuple[Marks, int], ...]:
        return tuple((entry.marks, 1 if self.step is None else len(FADED)) for entry in self.entries)

    def compile(self, moment: Moment) -> Holds:
        faded, lasting, holds = self._faded(moment), self._lasting(moment), self.comparison.holds
        return lambda state, touchpoint, now: holds(sum(faded(state, now)) + lasting(state, now))

    def turns(self, moment: Moment, truth: bool) -> bool | Turns:
        if (step := self.step) is None:
            return steady(self.compile(moment), truth)
        faded, lasting, holds = self._faded(moment), self._lasting(moment), self.comparison.holds
        indexes = [moment.layout.slots[entry.marks] for entry in self.entries]

        def turns(state: State, start: int) -> int | None:
            """It changes at the edges of steps only, and no more once everything has faded.

            Until then what speaks for the customer only falls and what speaks against only rises: between two edges
            the score is never beyond the sums of the one at the first and of the other at the last.
            """
            fixed = lasting(state, start)
            up, down = faded(state, start)
            if holds(up + down + fixed) is truth:
                return start
            if holds(up + fixed) is not truth and holds(down + fixed) is not truth:
                return None
            at: dict[int, tuple[int, int]] = {}

            def possible(first: int, last: int) -> bool:
                for edge in (first, last):
                    if edge not in at:
                        at[edge] = faded(state, edge * step)
                (most, low), (least, high) = at[first], at[last]
                return holds(most + high + fixed) is truth or holds(least + low + fixed) is truth

            newest = max(next(reversed(kept)) for index in indexes if (kept := state.slots[index]))
            edge = _first(start // step + 1, newest + len(FADED), possible)
            return None if edge is None else edge * step

        return turns

    def timed(self, negated: bool = False) -> bool:
        return self.step is not None

    def asks(self) -> Said:
        entries = [entry.asks() for entry in self.entries]
        entries += [_points_for("points.trait", points, {"it": trait.asks()}) for trait, points in self.traits]
        fading = None if self.step is None else Telling("fading", {"span": Span(self.step * STEPS)})
        told = {"amount": self.comparison.amount(), "entries": listed(entries, "and"), "fading": fading}
        return Telling("score", told)

    def finds(self, view: View) -> Said:
        return Decimal(self._total(view)) / UNIT

    def evidence(self, view: View) -> list[Touchpoint]:
        found = {id(one): one for entry in self.entries for one in self._adding(entry, view)}
        for trait, _ in self.traits:
            if view.holds(trait):
                found |= {id(one): one for one in trait.evidence(view)}
        return sorted(found.values(), key=lambda one: (one.at, one.id))

    def _adding(self, entry: Entry, view: View) -> list[Touchpoint]:
        matching = entry.marks.of.among(view.history, view.teller)
        if self.step is None:
            return matching
        return [one for one in matching if view.now // self.step - one.at // self.step < len(FADED)]

    def _faded(self, moment: Moment) -> Callable[[State, int], tuple[int, int]]:
        """What touchpoints add and what they take away."""
        entries = [(entry, moment.layout.slots[entry.marks]) for entry in self.entries]

        def faded(state: State, now: int) -> tuple[int, int]:
            up = down = 0
            for entry, index in entries:
                amount = entry.amount(entry.marks.left(state.slots[index], now))
                if amount > 0:
                    up += amount
                else:
                    down += amount
            return up, down

        return faded

    def _lasting(self, moment: Moment) -> Callable[[State, int], int]:
        """What traits add."""
        traits = [(trait.compile(moment), points * MILLION) for trait, points in self.traits]

        def lasting(state: State, now: int) -> int:
            return sum(points for holds, points in traits if holds is True or (holds and holds(state, None, now)))

        return lasting

    def _total(self, view: View) -> int:
        return sum(self._faded(view.moment)(view.state, view.now)) + self._lasting(view.moment)(view.state, view.now)


def _first(start: int, end: int, possible: Callable[[int, int], bool]) -> int | None:
    """The first number from `start` to `end` that is possible; a range that is not possible has none."""
    if start > end or not possible(start, end):
        return None
    if start == end:
        return start
    middle = (start + end) // 2
    found = _first(start, middle, possible)
    return _first(middle + 1, end, possible) if found is None else found


def _points_for(key: str, points: int, told: Mapping[str, Said]) -> Said:
    whole, part = divmod(points, THOUSAND)
    if part:
        return Telling(f"{key}.part", {**told, "points": Decimal(points) / THOUSAND})
    return Telling(key, {**told, "n": whole})


def _members(place: Place | None) -> list[Place]:
    members = (place and place.members("entries")) or []
    if place is not None and len(members) > MOST:
        place.problem(f"it has {len(members)} entries, and {MOST} are allowed", "leave out those that add least")
    return members


def _entry(place: Place, step: int | None) -> Entry | None:
    if (fields := place.fields("touchpoint", "points", optional=["cap"])) is None:
        return None
    of = Matcher.parse(fields["touchpoint"]) if "touchpoint" in fields else None
    points = _points(fields["points"]) if "points" in fields else None
    cap = _points(fields["cap"]) if "cap" in fields else None
    if cap is not None and cap <= 0:
        fields["cap"].problem(
            f"{shown(fields['cap'].value)} is no cap", "write a number above 0, for points below 0, too"
        )
    return None if of is None or points is None else Entry(Marks(of, step), points, cap)


def _trait(place: Place, read: Read) -> tuple[Trait, int] | None:
    if (fields := place.fields("trait", "points")) is None:
        return None
    trait = Trait.parse(fields["trait"], read) if "trait" in fields else None
    points = _points(fields["points"]) if "points" in fields else None
    return None if trait is None or points is None else (trait, points)


def _points(place: Place) -> int | None:
    """A decimal number in thousandths."""
    if (number := place.number()) is None:
        return None
    thousandths = Decimal(str(number)) * THOUSAND
    if thousandths != int(thousandths):
        place.problem(f"{shown(number)} has more than three places", "round it to thousandths")
        return None
    return int(thousandths)
