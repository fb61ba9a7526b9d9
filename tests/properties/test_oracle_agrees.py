"""The engine and the slow oracle, which share no code, agree on everything random."""

from hypothesis import assume, given, note, settings

from shared.journeys.compile import compile_journey
from shared.journeys.conditions import CONDITIONS
from shared.journeys.definition import DefinitionError, parse
from shared.journeys.derive import derive
from tests import oracle
from tests.support import strategies
from tests.support.constructs import Data
from tests.support.journeys import from_golden, named, setting


def refused(definition: Data) -> bool:
    """Whether the engine refuses a definition."""
    try:
        parse(definition)
    except DefinitionError:
        return True
    return False


def kinds(condition: Data) -> set[str]:
    """The kinds of condition in one."""
    ((kind, body),) = condition.items()
    parts = [body] if kind == "not" else body["of"] if kind == "some" else body if kind in ("all", "any") else []
    return {kind}.union(*map(kinds, parts))


def test_every_construct_is_drawn() -> None:
    """Whoever adds a condition adds it to the random journeys, too."""
    drawn = set[str]()

    @settings(max_examples=200, database=None, derandomize=True)
    @given(strategies.definitions())
    def collect(definition: Data) -> None:
        for one in [*definition["stages"], *definition.get("side", [])]:
            drawn.update(kinds(one["enter"]))

    collect()
    assert drawn == set(CONDITIONS)


@settings(max_examples=200)
@given(strategies.definitions())
def test_refusals(definition: Data) -> None:
    """The engine refuses what the oracle refuses, and nothing else."""
    assert refused(definition) == bool(oracle.faults(definition))


@settings(max_examples=400)
@given(strategies.worlds())
def test_moves(world: strategies.World) -> None:
    """Engine and oracle make the same moves."""
    note(f"{world}")
    definition, history, now, zone = world
    assume(not oracle.faults(definition))
    journey = compile_journey(parse(definition), setting(zone))
    moves = oracle.derive(definition, history, now, zone)
    expected = [(move.at, move.source, move.target, move.timer) for move in moves]
    assert named(journey, derive(journey, map(from_golden, history), now)) == expected
