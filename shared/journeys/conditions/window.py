"""Which of the touchpoints that an aggregate asks for count: all, or those of a window (rules 9, 50 and 51)."""

from dataclasses import dataclass

from shared.journeys.calendar import KINDS, PERIODS, WEEKDAYS, Calendar, Period
from shared.journeys.conditions.base import View
from shared.journeys.reading import Place
from shared.journeys.telling.said import Said, Span, Telling
from shared.journeys.touchpoint import Touchpoint

WINDOWS = ("within", "during", "since")


@dataclass(frozen=True, slots=True)
class Window:
    """At most one of these is given; without any, all touchpoints count."""

    within: int | None = None  #: those that are not older than so many microseconds
    during: Period | None = None  #: those of the same calendar period as now
    entry: bool = False  #: those after the move to the stage held

    @classmethod
    def parse(cls, place: Place, fields: dict[str, Place]) -> "Window | None":
        """The window among a condition's fields."""
        given = [key for key in WINDOWS if key in fields]
        if len(given) > 1:
            place.problem(f"{' and '.join(given)} stand side by side", "give one of them at most")
            return None
        within = fields["within"].duration() if "within" in fields else None
        unit = fields["during"].choice(*PERIODS) if "during" in fields else None
        entry = "since" in fields and fields["since"].choice("entry") is not None
        return cls(within, Period(unit, place.reading.calendar) if unit else None, entry)

    @property
    def passes(self) -> bool:
        """Does time alone take touchpoints out of it?"""
        return self.within is not None or self.during is not None

    def among(self, touchpoints: list[Touchpoint], view: View) -> list[Touchpoint]:
        """Those that count at an instant looked back on; `touchpoints` are all until then."""
        if self.entry:
            return touchpoints[view.since :]
        if self.within is not None:
            return [one for one in touchpoints if one.at >= view.now - self.within]
        if self.during is not None:
            start, _ = self.during.bounds(view.now, view.moment.layout.setting.zone)
            return [one for one in touchpoints if one.at >= start]
        return touchpoints

    def asks(self) -> Said:
        """How it reads; nothing where all touchpoints count."""
        if self.within is not None:
            return Telling("within", {"span": Span(self.within)})
        if self.during is not None:
            return Telling(f"during.{self.during.unit}")
        return Telling("since.entry") if self.entry else None


def read_calendar(place: Place | None) -> Calendar:
    """What stands under a journey's `calendar:`."""
    fields = (place and place.fields(optional=["week", "months"])) or {}
    week = fields["week"].choice(*WEEKDAYS) if "week" in fields else None
    months = fields["months"].choice(*KINDS) if "months" in fields else None
    return Calendar(week or WEEKDAYS[0], months or KINDS[0])
