"""`touchpoint: <matcher>`: true at a touchpoint that matches, and at no other instant (rule 8)."""

from dataclasses import dataclass

from shared.journeys.conditions.base import Condition, Holds, Moment, Read, Turns, View
from shared.journeys.matcher import Matcher
from shared.journeys.reading import Place
from shared.journeys.telling.said import Quoted, Said, Telling
from shared.journeys.touchpoint import Touchpoint


@dataclass(frozen=True, slots=True)
class Match(Condition):
    matcher: Matcher

    @classmethod
    def parse(cls, place: Place, read: Read) -> "Match | None":
        matcher = Matcher.parse(place)
        return None if matcher is None else cls(matcher)

    def compile(self, moment: Moment) -> bool | Holds:
        if moment.type is None or not self.matcher.may(moment.type, moment.name):
            return False
        if (test := self.matcher.compile(moment.layout.setting.teller)) is None:
            return True
        return lambda state, touchpoint, now: touchpoint is not None and test(touchpoint)

    def turns(self, moment: Moment, truth: bool) -> bool | Turns:
        return not truth

    def asks(self) -> Said:
        return Telling("touchpoint", {"of": self.matcher.asks()})

    def finds(self, view: View) -> Said:
        return None if view.touchpoint is None else seen(view.touchpoint)

    def evidence(self, view: View) -> list[Touchpoint]:
        return [view.touchpoint] if view.touchpoint and view.holds(self) else []


def seen(touchpoint: Touchpoint) -> Said:
    """A touchpoint by its type and name."""
    kind = Telling(f"type.{touchpoint.type}")
    name = touchpoint.name
    return kind if name is None else Telling("seen", {"what": kind, "name": Quoted(name)})
