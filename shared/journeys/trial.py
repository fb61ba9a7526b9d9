"""A definition's own examples, tried: what was expected, what came, and why."""

from typing import NamedTuple

from shared.journeys.derive import derive
from shared.journeys.engine import Journey
from shared.journeys.examples import NOWHERE, Example
from shared.journeys.explain import name, why
from shared.journeys.reading import DefinitionError, Problem
from shared.journeys.sentences import sentence
from shared.journeys.state import ABSENT


class Tried(NamedTuple):
    """One expectation of an example: at `at` (microseconds) `expected` was to be the stage, and `came` was.

    Stages are by name, `none`, or `absent`. `reason` says why it came; it is empty where it was expected.
    """

    example: str
    at: int
    expected: str
    came: str
    reason: str
    where: Problem

    @property
    def holds(self) -> bool:
        """Whether it is as expected."""
        return self.expected == self.came


def try_examples(journey: Journey, only: str | None = None, language: str = "en") -> list[Tried]:
    """Every expectation of the definition's examples, in their order; with `only`, of the example of that title.

    Reasons are in `language`.
    """
    examples = journey.definition.examples
    return [tried for one in examples if only in (None, one.title) for tried in _try(journey, one, language)]


def hold_examples(journey: Journey) -> None:
    """Raises DefinitionError if an example fails: such a definition is not published."""
    if broken := [problem_of(one) for one in try_examples(journey) if not one.holds]:
        raise DefinitionError(broken)


def problem_of(tried: Tried) -> Problem:
    """A failed expectation as a problem of the definition, where it is written."""
    message = f"the example “{tried.example}” expects {tried.expected}, and {tried.came} comes"
    return tried.where._replace(message=message, remedy=f"{tried.reason} Change the rules or the example.")


def _try(journey: Journey, example: Example, language: str) -> list[Tried]:
    zone = journey.layout.setting.zone
    history = example.history(journey.name, zone)
    due = [example.due(expected, zone) for expected in example.expect]
    moves = derive(journey, history, max(due, default=0))
    found = []
    for expected, at in zip(example.expect, due, strict=True):
        stage = next((move.target for move in reversed(moves) if move.at <= at), ABSENT)
        came = name(journey, stage) or NOWHERE
        told = None if came == expected.stage else why(journey, history, at).reason
        reason = sentence(told, journey.definition, language, zone) if told else ""
        found.append(Tried(example.title, at, expected.stage, came, reason, expected.where))
    return found
