"""`persona: <name or list>`: the customer's persona now, the first whose traits they have (rule 55)."""

from dataclasses import dataclass

from shared.journeys.conditions.base import Condition, Holds, Moment, Read, Turns, View, steady
from shared.journeys.conditions.trait import Trait
from shared.journeys.reading import Place, nearest, shown
from shared.journeys.state import State
from shared.journeys.telling.said import Quoted, Said, Telling, listed
from shared.journeys.touchpoint import Touchpoint


@dataclass(frozen=True, slots=True)
class Persona(Condition):
    """`listed` are the journey's personas in their order, up to the last of `names`, and what makes a customer one."""

    names: tuple[str, ...]
    listed: tuple[tuple[str, Trait], ...]

    @classmethod
    def parse(cls, place: Place, read: Read) -> "Persona | None":
        known = place.reading.personas
        names = [name for member in place.one_or_more("personas") or [] if (name := _name(member))]
        if not names:
            return None
        last = max(list(known).index(name) for name in names)
        return cls(tuple(names), tuple(list(known.items())[: last + 1]))

    def compile(self, moment: Moment) -> bool | Holds:
        tests = [(name in self.names, when.compile(moment)) for name, when in self.listed]

        def holds(state: State, touchpoint: Touchpoint | None, now: int) -> bool:
            for wanted, met in tests:
                if met is True or (met is not False and met(state, touchpoint, now)):
                    return wanted
            return False

        return holds

    def turns(self, moment: Moment, truth: bool) -> bool | Turns:
        return steady(self.compile(moment), truth)

    def parts(self) -> tuple[Condition, ...]:
        return tuple(when for _, when in self.listed)

    def asks(self) -> Said:
        return Telling("persona", {"names": listed([Quoted(name) for name in self.names], "or")})

    def finds(self, view: View) -> Said:
        found = self._first(view)
        return Quoted(found[0]) if found else Telling("nowhere")

    def evidence(self, view: View) -> list[Touchpoint]:
        if (found := self._first(view)) is not None:
            return found[1].evidence(view)
        seen = {id(t): t for _, when in self.listed for t in when.evidence(view)}
        return sorted(seen.values(), key=lambda t: (t.at, t.id))

    def _first(self, view: View) -> tuple[str, Trait] | None:
        return next(((name, when) for name, when in self.listed if view.holds(when)), None)


def _name(place: Place) -> str | None:
    known = place.reading.personas
    if isinstance(place.value, str) and place.value in known:
        return place.value
    remedy = nearest(str(place.value), known) if known else "list the journey's personas under personas:"
    place.problem(f"there is no persona {shown(place.value)}", remedy)
    return None
