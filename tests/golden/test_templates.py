"""Customers whose way through a built-in journey was worked out by hand: tests/golden/journeys/<template>/."""

from pathlib import Path
from typing import Any

import pytest

from shared.journeys import templates
from shared.journeys.compile import compile_journey
from shared.journeys.derive import derive
from tests.golden.reading import instant, keys, parse, touchpoint
from tests.support.journeys import START, from_golden, named

FOLDER = Path(__file__).parent / "journeys"


def told(written: list[Any]) -> tuple[int, str | None, str, bool]:
    """A move of a file: [at, from, to, touchpoint | timer]."""
    at, source, target, cause = written
    assert cause in ("touchpoint", "timer")
    return instant(at, START), None if source == "absent" else source, target, cause == "timer"


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*/*.yaml")), ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_customer(path: Path) -> None:
    """The customer's moves are those that the file tells."""
    case = keys(parse(path.read_text("utf-8")), {"customer", "touchpoints", "now", "moves"}, set(), path.name)
    journey = compile_journey(templates.load(path.parent.name))
    touchpoints = [from_golden(touchpoint(one, START, "somebody")) for one in case["touchpoints"]]
    moves = derive(journey, touchpoints, instant(case["now"], START))
    assert named(journey, moves) == [told(move) for move in case["moves"]]


def test_every_template_has_customers() -> None:
    """No built-in journey is without its golden customers."""
    assert sorted({path.parent.name for path in FOLDER.glob("*/*.yaml")}) == templates.names()
