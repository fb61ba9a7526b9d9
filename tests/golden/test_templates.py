"""Customers whose way through a built-in journey was worked out by hand: tests/golden/journeys/<template>/."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from shared.journeys import templates
from shared.journeys.compile import compile_journey
from shared.journeys.derive import derive
from shared.journeys.roles import known
from tests import oracle
from tests.golden.cases import Definition, Touchpoint
from tests.golden.reading import instant, keys, parse, touchpoint
from tests.support.journeys import START, NamedMove, from_golden, named, setting

FOLDER = Path(__file__).parent / "journeys"


@dataclass(frozen=True)
class Customer:
    """What somebody did, and every move that they make until `now`."""

    template: str
    name: str
    touchpoints: list[Touchpoint]
    now: int
    moves: list[NamedMove]


def read(path: Path) -> Customer:
    """The customer of a file."""
    case = keys(parse(path.read_text("utf-8")), {"customer", "touchpoints", "now", "moves"}, set(), path.name)
    touchpoints = [touchpoint(one, START, "somebody") for one in case["touchpoints"]]
    return Customer(
        path.parent.name, path.stem, touchpoints, instant(case["now"], START), [told(move) for move in case["moves"]]
    )


def told(written: list[Any]) -> NamedMove:
    """A move of a file: [at, from, to, touchpoint | timer]."""
    at, source, target, cause = written
    assert cause in ("touchpoint", "timer")
    return instant(at, START), None if source == "absent" else source, target, cause == "timer"


def definition(template: str) -> Definition:
    """A template as the oracle takes it: with every role bound."""
    content: Definition = parse(templates.text(template))
    return content | {"roles": {role: list(names) for role, names in known().items()} | content.get("roles", {})}


CUSTOMERS = [read(path) for path in sorted(FOLDER.glob("*/*.yaml"))]
every_customer = pytest.mark.parametrize("customer", CUSTOMERS, ids=lambda one: f"{one.template}-{one.name}")


@every_customer
def test_engine(customer: Customer) -> None:
    """The engine makes exactly the moves that the file tells."""
    journey = compile_journey(templates.load(customer.template), setting())
    assert named(journey, derive(journey, map(from_golden, customer.touchpoints), customer.now)) == customer.moves


@every_customer
def test_oracle(customer: Customer) -> None:
    """The oracle makes exactly the moves that the file tells."""
    moves = oracle.derive(definition(customer.template), customer.touchpoints, customer.now)
    assert [(move.at, move.source, move.target, move.timer) for move in moves] == customer.moves


@pytest.mark.parametrize("template", templates.names())
def test_customers_reach_every_stage(template: str) -> None:
    """Every built-in journey has golden customers, and among them they enter each of its stages."""
    entered = {target for customer in CUSTOMERS if customer.template == template for _, _, target, _ in customer.moves}
    assert {stage.name for stage in templates.load(template).stages} <= entered
