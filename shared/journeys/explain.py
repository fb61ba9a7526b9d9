"""Why a customer stands where they do: `derive` once more, watched at work."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import NamedTuple

from shared.events import PLACEMENT
from shared.journeys.conditions.base import Condition, Moment, View
from shared.journeys.conditions.touchpoint import seen
from shared.journeys.derive import history
from shared.journeys.engine import Journey
from shared.journeys.order import RETURN, Candidate, candidates, moves, upward
from shared.journeys.state import ABSENT, NONE, Move, State
from shared.journeys.telling.said import Instant, Quoted, Said, Stage, Telling
from shared.journeys.touchpoint import Touchpoint
from shared.placement import Placement, placed
from shared.touch.text import fold


class Next(NamedTuple):
    """The timer move that is next if nothing else happens: when, to which stage, and why then."""

    at: int
    stage: str
    reason: Said


class Toward(NamedTuple):
    """A stage above the one held, or that a side stage leads back to, and what is missing for it."""

    stage: str
    lacks: Said


@dataclass(frozen=True, slots=True)
class Why:
    """Where a customer stands, and why.

    `stage` is `none` for activity without a stage and None for absent; `since` is when they came there, by `move`, at
    `touchpoint` or by time alone. `reason` tells what decided, with the values that met it, and `evidence` holds
    the touchpoints that these values come from. `toward` are the stages that may come next, the nearest first.
    """

    stage: str | None
    since: int | None
    move: Move | None
    touchpoint: Touchpoint | None
    reason: Said
    evidence: list[Touchpoint]
    next: Next | None
    toward: list[Toward]


class _Step(NamedTuple):
    """A move that was made, and the state as it was read for it."""

    move: Move
    read: State
    touchpoint: Touchpoint | None
    since: int  #: how much of the history came before the move to the stage left


def why(journey: Journey, touchpoints: Iterable[Touchpoint], now: int) -> Why:
    """Why the customer of these touchpoints, in any order, stands at `now` where they do."""
    told = history(touchpoints, now)
    state, step, since = journey.start(), None, 0
    for number, touchpoint in enumerate(told):
        if (due := _timers(journey, state, touchpoint.at - 1, number, since)) is not None:
            step, since = due, number
        before = journey.copy(state)
        if (move := journey.touch(state, touchpoint)) is not None:
            step = _Step(move, _as_read(journey, before, state, touchpoint), touchpoint, since)
            since = number + 1
    if (due := _timers(journey, state, now, len(told), since)) is not None:
        step, since = due, len(told)
    here = View(Moment(journey.layout, state.stage), state, None, now, told, since=since)
    ahead = (_next(journey, here), _toward(journey, here))
    if step is None:
        return Why(None, None, None, None, Telling("inactive" if told else "unknown"), told[-1:], *ahead)
    at = step.move.at
    until = _until(told, at, step.touchpoint)
    view = View(_moment(journey, step), step.read, step.touchpoint, at, until, since=step.since)
    reason, evidence = _reason(journey, step, view)
    return Why(name(journey, state.stage), at, step.move, step.touchpoint, reason, evidence, *ahead)


def name(journey: Journey, stage: int) -> str | None:
    """A stage's name by its number: `none`, and None for absent."""
    if stage == ABSENT:
        return None
    return "none" if stage == NONE else journey.stages[stage]


def _timers(journey: Journey, state: State, until: int, number: int, since: int) -> _Step | None:
    """Makes the timer moves due by then, after so many touchpoints; gives the last."""
    step = None
    before = journey.copy(state)
    while (move := journey.step(state, until)) is not None:
        step = _Step(move, before, None, since)
        before, since = journey.copy(state), number
    return step


def _as_read(journey: Journey, before: State, after: State, touchpoint: Touchpoint) -> State:
    """What a touchpoint adds is there when conditions are read; the stage is still the one before (rule 19)."""
    read = journey.copy(after)
    read.slots = journey.copy(before).slots
    journey.add(read.slots, touchpoint)
    read.stage, read.entered, read.before = before.stage, before.entered, before.before
    read.base, read.highest, read.visits = before.base, before.highest, before.visits
    return read


def _moment(journey: Journey, step: _Step) -> Moment:
    if (touchpoint := step.touchpoint) is None:
        return Moment(journey.layout, step.read.stage)
    folded = None if touchpoint.name is None else fold(touchpoint.name)
    return Moment(journey.layout, step.read.stage, touchpoint.type, folded, journey.active(touchpoint))


def _until(told: list[Touchpoint], at: int, last: Touchpoint | None) -> list[Touchpoint]:
    """The history at a move: of one instant's touchpoints only those up to the one that made it."""
    return [t for t in told if t.at < at or (t.at == at and (last is None or t.id <= last.id))]


def _reason(journey: Journey, step: _Step, view: View) -> tuple[Said, list[Touchpoint]]:
    definition, source = journey.definition, step.move.source
    if (placement := _placement(journey, step.touchpoint)) is not None:
        return _placed(placement), view.history[-1:]
    if step.touchpoint is None:
        tried = [(target, enter) for target, enter in candidates(definition, source) if enter.timed()]
    else:
        tried = moves(definition, source, view.moment.active)
    target, enter = _decided(tried, view)
    if target == RETURN:
        return _return(journey, step, view)
    if source == ABSENT and target == NONE and step.touchpoint is not None:
        return Telling("first", {"touchpoint": seen(step.touchpoint)}), [step.touchpoint]
    return _entered(journey, "left" if target == NONE else "entered", target, enter, view), enter.evidence(view)


def _entered(journey: Journey, key: str, target: int, enter: Condition, view: View) -> Telling:
    told = {} if target == NONE else {"stage": Stage(journey.stages[target])}
    return Telling(key, {**told, "it": enter.tell(view)})


def _placement(journey: Journey, touchpoint: Touchpoint | None) -> Placement | None:
    """What a placement in this journey says."""
    if touchpoint is None or touchpoint.type != PLACEMENT:
        return None
    found = placed(touchpoint.properties)
    return found if found is not None and found.journey == journey.name else None


def _placed(placement: Placement) -> Said:
    why = Telling("placed.why", {"why": Quoted(placement.why)}) if placement.why else None
    told = {"stage": Stage(placement.stage), "why": why}
    return Telling("placed", {**told, "by": Quoted(placement.by)}) if placement.by else Telling("placed.hand", told)


def _return(journey: Journey, step: _Step, view: View) -> tuple[Said, list[Touchpoint]]:
    definition, source, touchpoint = journey.definition, step.move.source, step.touchpoint
    assert touchpoint is not None  # noqa: S101 — time alone never returns
    to_highest = definition.stages[source].back == "highest"
    base = step.read.highest if to_highest else step.read.base
    stages = {"source": _stage(journey, source), "base": _stage(journey, base)}
    told = Telling("back.highest" if to_highest else "back.previous", {**stages, "touchpoint": seen(touchpoint)})
    if step.move.target == base:
        return told, [touchpoint]
    target, enter = _decided(upward(definition, base), view)
    on: dict[str, Said] = {"back": told, "stage": _stage(journey, target), "it": enter.tell(view)}
    return Telling("back.on", on), enter.evidence(view)


def _stage(journey: Journey, number: int) -> Stage:
    return Stage(name(journey, number) or "none")


def _decided(tried: Iterable[Candidate], view: View) -> Candidate:
    return next((target, enter) for target, enter in tried if view.holds(enter))


def _next(journey: Journey, here: View) -> Next | None:
    if (due := here.state.due) is None or (move := journey.step(journey.copy(here.state), due)) is None:
        return None
    tried = [one for one in candidates(journey.definition, move.source) if one[1].timed()]
    then = replace(here, now=due)
    target, enter = _decided(tried, then)
    told = {"at": Instant(due), "stage": _stage(journey, target), "it": enter.tell(then)}
    return Next(due, name(journey, target) or "", Telling("next.out" if target == NONE else "next", told))


def _toward(journey: Journey, here: View) -> list[Toward]:
    """Rule 20 a, the nearest stage first; from a side stage rule 21 b and c."""
    definition, stage = journey.definition, here.state.stage
    lowest = NONE if stage >= definition.ordered else stage
    above = [(target, enter) for target, enter in candidates(definition, stage) if lowest < target < definition.ordered]
    found = [Toward(journey.stages[target], _lacks(enter, here)) for target, enter in reversed(above)]
    if stage >= 0 and (back := definition.stages[stage].back) is not None:
        base = here.state.highest if back == "highest" else here.state.base
        found.insert(0, Toward(name(journey, base) or "none", Telling("toward.return")))
    return found


def _lacks(enter: Condition, here: View) -> Said:
    return Telling("toward.ready") if here.holds(enter) else enter.lacks(here)
