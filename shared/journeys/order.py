"""Which stages can be entered from where, and in what order they are tried (rules 20 and 21)."""

from collections.abc import Iterator

from shared.journeys.conditions.base import Condition
from shared.journeys.conditions.logic import All
from shared.journeys.model import Definition, Stage
from shared.journeys.state import ABSENT, NONE

#: Where to, by number, and on what condition.
Candidate = tuple[int, Condition]

#: Stands for a stage's number: the way back from a side stage.
RETURN = -3
ALWAYS = All(())


def moves(definition: Definition, stage: int, active: bool) -> list[Candidate]:
    """The moves out of a stage at a touchpoint, an activity or not; the first that applies is the one made."""
    found = list(candidates(definition, stage))
    if active and stage == ABSENT:
        return [*found, (NONE, ALWAYS)]
    if active and stage >= 0 and definition.stages[stage].back is not None:
        # Rule 21 d comes after the return, which always leads somewhere.
        return [*((target, enter) for target, enter in found if target != NONE), (RETURN, ALWAYS)]
    return found


def candidates(definition: Definition, stage: int) -> Iterator[Candidate]:
    """The moves out of a stage by an `enter`; the first that applies first."""
    side = range(len(definition.stages) - 1, definition.ordered - 1, -1)
    aside = [(number, definition.stages[number]) for number in side if number != stage]
    named = "none" if stage < 0 else definition.stages[stage].name
    if stage < definition.ordered:
        yield from upward(definition, stage)
    yield from ((number, other.enter) for number, other in aside if _names(other, named))
    highest = stage if stage < definition.ordered else definition.ordered
    for number in range(highest - 1, -1, -1):
        if _names(definition.stages[number], named):
            yield number, definition.stages[number].enter
    if definition.exit is not None and stage not in (ABSENT, NONE) and named in definition.exit.origins:
        yield NONE, definition.exit.enter


def upward(definition: Definition, base: int) -> Iterator[Candidate]:
    """The moves up from an ordered stage, `none` or absence, the highest first."""
    named = "none" if base < 0 else definition.stages[base].name
    for number in range(definition.ordered - 1, max(base, NONE), -1):
        stage = definition.stages[number]
        if stage.origins is None or named in stage.origins:
            yield number, stage.enter


def _names(stage: Stage, origin: str) -> bool:
    return stage.origins is not None and origin in stage.origins
