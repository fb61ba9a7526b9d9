"""The engine decides every golden case as the semantics page does."""

import pytest

from shared.journeys.compile import compile_journey
from shared.journeys.definition import DefinitionError, parse
from shared.journeys.derive import derive
from shared.touch.text import fold
from tests.golden import cases
from tests.support.journeys import from_golden, named, setting, teller

CASES = cases.load()


def of(kind: type) -> pytest.MarkDecorator:
    """The cases of one kind."""
    return pytest.mark.parametrize(
        "case", [pytest.param(case, id=case.id) for case in CASES if type(case.body) is kind]
    )


@of(cases.Moves)
def test_moves(case: cases.Case) -> None:
    """The engine makes exactly the moves that the page gives."""
    body = case.body
    assert isinstance(body, cases.Moves)
    journey = compile_journey(parse(body.definition), setting(body.zone))
    moves = derive(journey, map(from_golden, body.touchpoints), body.now)
    expected = [(move.at, move.source, move.target, move.timer) for move in body.moves]
    assert named(journey, moves) == expected


@of(cases.StageNow)
def test_stage(case: cases.Case) -> None:
    """The engine leads to the stage that the page gives."""
    body = case.body
    assert isinstance(body, cases.StageNow)
    journey = compile_journey(parse(body.definition), setting(body.zone))
    moves = named(journey, derive(journey, map(from_golden, body.touchpoints), body.now))
    assert (moves[-1][2] if moves else None) == body.stage


@of(cases.Text)
def test_text(case: cases.Case) -> None:
    """Two texts are the same exactly where the page says so."""
    body = case.body
    assert isinstance(body, cases.Text)
    assert (fold(body.left) == fold(body.right)) is body.same


@of(cases.Refused)
def test_refused(case: cases.Case) -> None:
    """What the page refuses is refused."""
    body = case.body
    assert isinstance(body, cases.Refused)
    with pytest.raises(DefinitionError):
        parse(body.definition, teller())
