"""`sequence: {steps, within, without, by, since, held}`: touchpoints one after the other (rule 53)."""

from dataclasses import dataclass

from shared.journeys.conditions.base import Condition, Holds, Moment, Read, Turns, View, beside, steady
from shared.journeys.conditions.chains import FOLLOWED, Chains, completed, furthest, latest
from shared.journeys.conditions.touchpoint import seen
from shared.journeys.matcher import Matcher
from shared.journeys.reading import Place
from shared.journeys.state import State
from shared.journeys.telling.said import Instant, Said, Span, Telling, Term, listed
from shared.journeys.touchpoint import Touchpoint

#: A sequence is at most so long.
MOST_STEPS = 10


@dataclass(frozen=True, slots=True)
class Sequence(Condition):
    """`chains` are the touchpoints followed; `held` is how long it is true after the last of them, None for ever."""

    chains: Chains
    held: int | None

    @classmethod
    def parse(cls, place: Place, read: Read) -> "Sequence | None":
        fields = place.fields("steps", optional=["within", "without", "by", "since", "held"])
        if fields is None:
            return None
        steps = _steps(fields["steps"]) if "steps" in fields else None
        without = _matchers(fields["without"].one_or_more("matchers")) if "without" in fields else ()
        within = fields["within"].duration() if "within" in fields else None
        by = fields["by"].text("the path of a property") if "by" in fields else None
        since = "since" in fields and fields["since"].choice("entry") is not None
        held = fields["held"].duration() if "held" in fields else None
        if steps is None:
            return None
        return cls(Chains(steps, within, without, by, since, held is not None), held)

    def slot(self) -> tuple[Chains, int]:
        return self.chains, 1 if self.chains.by is None else FOLLOWED

    def compile(self, moment: Moment) -> Holds:
        index, held = moment.layout.slots[self.chains], self.held
        if held is None:
            return lambda state, touchpoint, now: state.slots[index] is True

        def holds(state: State, touchpoint: Touchpoint | None, now: int) -> bool:
            done = latest(state.slots[index])
            return done is not None and now - done <= held

        return holds

    def turns(self, moment: Moment, truth: bool) -> bool | Turns:
        holds, index, held = self.compile(moment), moment.layout.slots[self.chains], self.held
        if truth or held is None:
            return steady(holds, truth)

        def falls(state: State, start: int) -> int | None:
            done = latest(state.slots[index])
            return start if done is None else max(start, done + held + 1)

        return falls

    def timed(self, negated: bool = False) -> bool:
        return self.held is not None and negated

    def asks(self) -> Said:
        chains, held = self.chains, self.held
        return Telling(
            "sequence",
            {
                "steps": listed([step.asks() for step in chains.steps], "then"),
                "within": None if chains.within is None else Telling("sequence.within", {"span": Span(chains.within)}),
                "by": None if chains.by is None else Telling("sequence.by", {"path": Term(chains.by)}),
                "without": _without([matcher.asks() for matcher in chains.without]),
                "since": Telling("sequence.since") if chains.since else None,
                "held": None if held is None else Telling("sequence.held", {"span": Span(held)}),
            },
        )

    def finds(self, view: View) -> Said:
        found = [seen(touchpoint) for touchpoint in self.evidence(view)]
        return listed(found, "then") or Telling("times", {"n": 0})

    def lacks(self, view: View) -> Said:
        if view.negated:
            return Condition.lacks(self, view)
        chains = self.chains
        done, start = furthest(chains, view.state.slots[view.moment.layout.slots[chains]], view.now)
        until = None if start is None or chains.within is None else Instant(start + chains.within)
        by = None if until is None else Telling("sequence.until", {"at": until})
        told = {"done": done, "n": len(chains.steps), "of": chains.steps[done].asks(), "by": by}
        return beside(self.asks(), Telling("sequence.more", told))

    def evidence(self, view: View) -> list[Touchpoint]:
        history = view.history[view.since :] if self.chains.since else view.history
        return completed(self.chains, history, view.moment.layout.setting)


def _without(matchers: list[Said]) -> Said:
    return Telling("sequence.without", {"of": listed(matchers, "or")}) if matchers else None


def _steps(place: Place) -> tuple[Matcher, ...] | None:
    members = place.members("matchers")
    if members is None:
        return None
    if not 2 <= len(members) <= MOST_STEPS:
        said = f"it has {len(members)} step{'' if len(members) == 1 else 's'}, and from 2 to {MOST_STEPS} are allowed"
        place.problem(said, "list what comes one after the other")
        return None
    steps = _matchers(members)
    return steps if len(steps) == len(members) else None


def _matchers(places: list[Place] | None) -> tuple[Matcher, ...]:
    return tuple(matcher for place in places or () if (matcher := Matcher.parse(place)))
