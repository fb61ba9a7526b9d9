"""`quiet: D`: the last activity is at least D old (rule 12)."""

from dataclasses import dataclass

from shared.journeys.conditions.base import Condition, Holds, Moment, Read, Turns, View
from shared.journeys.reading import Place
from shared.journeys.state import State
from shared.journeys.telling.said import Said, Span, Telling
from shared.journeys.touchpoint import Touchpoint


@dataclass(frozen=True, slots=True)
class Quiet(Condition):
    duration: int

    @classmethod
    def parse(cls, place: Place, read: Read) -> "Quiet | None":
        found = place.duration()
        return None if found is None else cls(found)

    def compile(self, moment: Moment) -> bool | Holds:
        if moment.active:
            return False
        least = self.duration

        def holds(state: State, touchpoint: Touchpoint | None, now: int) -> bool:
            return state.active is not None and now - state.active >= least

        return holds

    def turns(self, moment: Moment, truth: bool) -> bool | Turns:
        least = self.duration

        def rises(state: State, start: int) -> int | None:
            return None if (active := state.active) is None else due if (due := active + least) > start else start

        def falls(state: State, start: int) -> int | None:
            return None if state.active is not None and start - state.active >= least else start

        return rises if truth else falls

    def timed(self, negated: bool = False) -> bool:
        return not negated

    def asks(self) -> Said:
        return Telling("quiet", {"span": Span(self.duration)})

    def finds(self, view: View) -> Said:
        if view.state.active is None or (found := view.now - view.state.active) == self.duration:
            return None
        return Telling("quiet.found", {"span": Span(found)})

    def evidence(self, view: View) -> list[Touchpoint]:
        return [touchpoint for touchpoint in view.history if touchpoint.at == view.state.active][-1:]
