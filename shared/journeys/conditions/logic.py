"""`all`, `any`, `some` and `not` (rules 16 and 48)."""

from dataclasses import dataclass

from shared.journeys.conditions.base import Condition, Holds, Moment, Read, Turns, View
from shared.journeys.conditions.joined import all_hold, any_holds, first_turn, last_turn, nth_turn, some_hold
from shared.journeys.reading import Place
from shared.journeys.telling.said import Join, Said, Telling, listed
from shared.journeys.touchpoint import Touchpoint


@dataclass(frozen=True, slots=True)
class All(Condition):
    conditions: tuple[Condition, ...]

    @classmethod
    def parse(cls, place: Place, read: Read) -> "All | None":
        conditions = _several(place, read)
        return None if conditions is None else cls(conditions)

    def compile(self, moment: Moment) -> bool | Holds:
        return all_hold([condition.compile(moment) for condition in self.conditions])

    def turns(self, moment: Moment, truth: bool) -> bool | Turns:
        turns = [condition.turns(moment, truth) for condition in self.conditions]
        return last_turn(turns) if truth else first_turn(turns)

    def timed(self, negated: bool = False) -> bool:
        return any(condition.timed(negated) for condition in self.conditions)

    def parts(self) -> tuple[Condition, ...]:
        return self.conditions

    def asks(self) -> Said:
        return Telling("all", {"of": listed([condition.asks() for condition in self.conditions], "and")})

    def tell(self, view: View) -> Said:
        return listed([condition.tell(view) for condition in self._told(view)], "and")

    def lacks(self, view: View) -> Said:
        return _lacking(self.conditions, view, "or" if view.negated else "and")

    def evidence(self, view: View) -> list[Touchpoint]:
        return _evidence(self._told(view), view)

    def _told(self, view: View) -> tuple[Condition, ...]:
        return _deciding(self.conditions, view) if view.negated else self.conditions


@dataclass(frozen=True, slots=True)
class Any(Condition):
    conditions: tuple[Condition, ...]

    @classmethod
    def parse(cls, place: Place, read: Read) -> "Any | None":
        conditions = _several(place, read)
        return None if conditions is None else cls(conditions)

    def compile(self, moment: Moment) -> bool | Holds:
        return any_holds([condition.compile(moment) for condition in self.conditions])

    def turns(self, moment: Moment, truth: bool) -> bool | Turns:
        turns = [condition.turns(moment, truth) for condition in self.conditions]
        return first_turn(turns) if truth else last_turn(turns)

    def timed(self, negated: bool = False) -> bool:
        return any(condition.timed(negated) for condition in self.conditions)

    def parts(self) -> tuple[Condition, ...]:
        return self.conditions

    def asks(self) -> Said:
        return Telling("any", {"of": listed([condition.asks() for condition in self.conditions], "or")})

    def tell(self, view: View) -> Said:
        return listed([condition.tell(view) for condition in self._told(view)], "and")

    def lacks(self, view: View) -> Said:
        return _lacking(self.conditions, view, "and" if view.negated else "or")

    def evidence(self, view: View) -> list[Touchpoint]:
        return _evidence(self._told(view), view)

    def _told(self, view: View) -> tuple[Condition, ...]:
        return self.conditions if view.negated else _deciding(self.conditions, view)


@dataclass(frozen=True, slots=True)
class Some(Condition):
    """`some: {of: […], at_least: n}`."""

    conditions: tuple[Condition, ...]
    least: int

    @classmethod
    def parse(cls, place: Place, read: Read) -> "Some | None":
        if (fields := place.fields("of", "at_least")) is None:
            return None
        conditions = _several(fields["of"], read) if "of" in fields else None
        least = fields["at_least"].whole() if "at_least" in fields else None
        if conditions is None or least is None:
            return None
        if not 1 <= least <= len(conditions):
            fields["at_least"].problem(
                f"{least} is not from 1 to {len(conditions)}", "ask for 1, or more of those listed"
            )
            return None
        return cls(conditions, least)

    def compile(self, moment: Moment) -> bool | Holds:
        return some_hold([condition.compile(moment) for condition in self.conditions], self.least)

    def turns(self, moment: Moment, truth: bool) -> bool | Turns:
        turns = [condition.turns(moment, truth) for condition in self.conditions]
        return nth_turn(turns, self.least if truth else len(turns) - self.least + 1)

    def timed(self, negated: bool = False) -> bool:
        return any(condition.timed(negated) for condition in self.conditions)

    def parts(self) -> tuple[Condition, ...]:
        return self.conditions

    def asks(self) -> Said:
        of = listed([condition.asks() for condition in self.conditions], "and")
        return Telling("some", {"n": self.least, "of": of})

    def tell(self, view: View) -> Said:
        return listed([condition.tell(view) for condition in _deciding(self.conditions, view)], "and")

    def lacks(self, view: View) -> Said:
        held = sum(view.holds(condition) for condition in self.conditions)
        missing = held - self.least + 1 if view.negated else self.least - held
        return Telling("some", {"n": missing, "of": _lacking(self.conditions, view, "and")})

    def evidence(self, view: View) -> list[Touchpoint]:
        return _evidence(_deciding(self.conditions, view), view)


@dataclass(frozen=True, slots=True)
class Not(Condition):
    condition: Condition

    @classmethod
    def parse(cls, place: Place, read: Read) -> "Not | None":
        condition = read(place)
        return None if condition is None else cls(condition)

    def compile(self, moment: Moment) -> bool | Holds:
        holds = self.condition.compile(moment)
        if isinstance(holds, bool):
            return not holds
        return lambda state, touchpoint, now: not holds(state, touchpoint, now)

    def turns(self, moment: Moment, truth: bool) -> bool | Turns:
        return self.condition.turns(moment, not truth)

    def timed(self, negated: bool = False) -> bool:
        return self.condition.timed(not negated)

    def parts(self) -> tuple[Condition, ...]:
        return (self.condition,)

    def asks(self) -> Said:
        return Telling("not", {"it": self.condition.asks()})

    def tell(self, view: View) -> Said:
        return self.condition.tell(view.negation())

    def lacks(self, view: View) -> Said:
        return self.condition.lacks(view.negation())

    def evidence(self, view: View) -> list[Touchpoint]:
        return self.condition.evidence(view.negation())


def _several(place: Place, read: Read) -> tuple[Condition, ...] | None:
    members = place.members("conditions") or []
    conditions = [condition for member in members if (condition := read(member))]
    return tuple(conditions) if members and len(conditions) == len(members) else None


def _deciding(conditions: tuple[Condition, ...], view: View) -> tuple[Condition, ...]:
    """Those that alone would do: the true ones of `any`, the false ones of a negated `all`."""
    return tuple(condition for condition in conditions if view.holds(condition) is not view.negated)


def _lacking(conditions: tuple[Condition, ...], view: View, by: Join) -> Said:
    """Those that are not yet as they are sought."""
    lacking = [condition for condition in conditions if view.holds(condition) is view.negated]
    return listed([condition.lacks(view) for condition in lacking], by)


def _evidence(conditions: tuple[Condition, ...], view: View) -> list[Touchpoint]:
    found = {id(touchpoint): touchpoint for condition in conditions for touchpoint in condition.evidence(view)}
    return sorted(found.values(), key=lambda touchpoint: (touchpoint.at, touchpoint.id))
