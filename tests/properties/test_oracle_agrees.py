"""The engine and the slow oracle, which share no code, agree on everything random."""

from typing import Any

from hypothesis import assume, given, settings

from shared.journeys.compile import compile_journey
from shared.journeys.definition import DefinitionError, parse
from shared.journeys.derive import derive
from tests import oracle
from tests.support import strategies
from tests.support.journeys import from_golden, named, setting


def refused(definition: dict[str, Any]) -> bool:
    """Whether the engine refuses a definition."""
    try:
        parse(definition)
    except DefinitionError:
        return True
    return False


@settings(max_examples=200)
@given(strategies.definitions())
def test_refusals(definition: dict[str, Any]) -> None:
    """The engine refuses what the oracle refuses, and nothing else."""
    assert refused(definition) == bool(oracle.faults(definition))


@settings(max_examples=400)
@given(strategies.definitions(), strategies.histories, strategies.ends)
def test_moves(definition: dict[str, Any], history: list[dict[str, Any]], now: int) -> None:
    """Engine and oracle make the same moves."""
    assume(not oracle.faults(definition))
    journey = compile_journey(parse(definition), setting())
    expected = [(move.at, move.source, move.target, move.timer) for move in oracle.derive(definition, history, now)]
    assert named(journey, derive(journey, map(from_golden, history), now)) == expected
