"""`stay`, `visits` and `came_from`: how the stages were held (rules 13 and 14)."""

from dataclasses import dataclass

from shared.journeys.conditions.base import Condition, Holds, Moment, Read, Turns, View, steady
from shared.journeys.conditions.comparison import COMPARISONS, Comparison
from shared.journeys.reading import Place
from shared.journeys.state import ABSENT
from shared.journeys.telling.said import Said, Span, Telling
from shared.journeys.telling.said import Stage as Named


@dataclass(frozen=True, slots=True)
class Stay(Condition):
    """`stay: {for: D, in: S}`, one of which may be left out."""

    duration: int | None
    stage: str | None

    @classmethod
    def parse(cls, place: Place, read: Read) -> "Stay | None":
        if (fields := place.fields(optional=["for", "in"])) is None:
            return None
        if not fields:
            place.problem("it is empty", "give for:, in: or both")
            return None
        least = fields["for"].duration() if "for" in fields else None
        stage = fields["in"].stage() if "in" in fields else None
        return cls(least, stage)

    def compile(self, moment: Moment) -> bool | Holds:
        if not self._there(moment) or self.duration is None:
            return self._there(moment)
        least = self.duration
        return lambda state, touchpoint, now: now - state.entered >= least

    def turns(self, moment: Moment, truth: bool) -> bool | Turns:
        if not self._there(moment) or self.duration is None:
            return self._there(moment) is truth
        least = self.duration
        if truth:
            return lambda state, start: max(state.entered + least, start)
        return lambda state, start: None if start - state.entered >= least else start

    def _there(self, moment: Moment) -> bool:
        if self.stage is None:
            return moment.stage != ABSENT
        return moment.stage == moment.layout.stages[self.stage]

    def timed(self, negated: bool = False) -> bool:
        return self.duration is not None and not negated

    def asks(self) -> Said:
        stage = None if self.stage is None else Named(self.stage)
        if self.duration is None:
            return Telling("stay.in", {"stage": stage})
        span = Span(self.duration)
        return (
            Telling("stay", {"span": span}) if stage is None else Telling("stay.both", {"stage": stage, "span": span})
        )

    def finds(self, view: View) -> Said:
        found = view.now - view.state.entered
        if self.duration in (None, found) or not self._there(view.moment):
            return None
        return Span(found)


@dataclass(frozen=True, slots=True)
class Visits(Condition):
    """`visits: {of: S, <comparison>}`."""

    stage: str
    comparison: Comparison

    @classmethod
    def parse(cls, place: Place, read: Read) -> "Visits | None":
        if (fields := place.fields("of", optional=COMPARISONS)) is None:
            return None
        stage = fields["of"].stage() if "of" in fields else None
        comparison = Comparison.parse(place, fields)
        return cls(stage, comparison) if stage and comparison else None

    def compile(self, moment: Moment) -> bool | Holds:
        index = moment.layout.stages[self.stage]
        if (settled := self.comparison.settled) is not None:
            return settled
        holds = self.comparison.holds
        return lambda state, touchpoint, now: holds(state.visits[index])

    def turns(self, moment: Moment, truth: bool) -> bool | Turns:
        return steady(self.compile(moment), truth)

    def asks(self) -> Said:
        if self.comparison.below == 1:
            return Telling("visits.never", {"stage": Named(self.stage)})
        return Telling("visits", {"stage": Named(self.stage), "times": self.comparison.times()})

    def finds(self, view: View) -> Said:
        return Telling("times", {"n": view.state.visits[view.moment.layout.stages[self.stage]]})


@dataclass(frozen=True, slots=True)
class CameFrom(Condition):
    """`came_from: S`."""

    stage: str

    @classmethod
    def parse(cls, place: Place, read: Read) -> "CameFrom | None":
        stage = place.stage()
        return None if stage is None else cls(stage)

    def compile(self, moment: Moment) -> bool | Holds:
        stage = moment.layout.stages[self.stage]
        return lambda state, touchpoint, now: state.before == stage

    def turns(self, moment: Moment, truth: bool) -> bool | Turns:
        return steady(self.compile(moment), truth)

    def asks(self) -> Said:
        return Telling("came-from", {"stage": Named(self.stage)})

    def finds(self, view: View) -> Said:
        stages = {number: name for name, number in view.moment.layout.stages.items()}
        before = stages.get(view.state.before)
        return Telling("nowhere") if before is None else Named(before)
