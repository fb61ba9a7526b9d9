"""Every journey that comes with Milepost moves its golden customers as experts say, by the engine and by the oracle."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from shared.journeys import templates
from shared.journeys.compile import compile_journey
from shared.journeys.derive import derive
from shared.journeys.roles import known
from tests import oracle
from tests.golden.cases import BASE, Definition, ExpectedMove, File, Touchpoint
from tests.golden.reading import instant, keys, parse
from tests.support.journeys import from_golden, named

FOLDER = Path(__file__).parent / "templates"


@dataclass(frozen=True)
class Customer:
    """A customer of a template: what they did, and every move they make until `now`."""

    template: str
    name: str
    touchpoints: list[Touchpoint]
    now: int
    moves: list[ExpectedMove]


def customers(template: str) -> list[Customer]:
    """The golden customers of a template."""
    content = keys(parse((FOLDER / f"{template}.yaml").read_text("utf-8")), {"customers"}, set(), "the file")
    file = File(instant(BASE, 0), "UTC", {})
    found = []
    for one in content["customers"]:
        keys(one, {"name", "touchpoints", "now", "moves"}, set(), "a customer")
        touchpoints, now, moves = file.touchpoints(one["touchpoints"]), file.time(one["now"]), file.moves(one["moves"])
        found.append(Customer(template, one["name"], touchpoints, now, moves))
    return found


def definition(template: str) -> Definition:
    """A template as the oracle takes it: with every role bound."""
    content: Definition = parse(templates.text(template))
    roles = {role: list(names) for role, names in known().items()}
    return content | {"roles": roles | content.get("roles", {})}


def expected(customer: Customer) -> list[tuple[int, str | None, str | None, bool]]:
    """The moves in a form in which the engine's and the oracle's are compared with them."""
    return [(move.at, move.source, move.target, move.timer) for move in customer.moves]


CUSTOMERS = [customer for path in sorted(FOLDER.glob("*.yaml")) for customer in customers(path.stem)]
every_customer = pytest.mark.parametrize("customer", CUSTOMERS, ids=lambda one: f"{one.template}: {one.name}")


@every_customer
def test_engine(customer: Customer) -> None:
    """The engine makes exactly the moves given."""
    journey = compile_journey(templates.load(customer.template))
    assert named(journey, derive(journey, map(from_golden, customer.touchpoints), customer.now)) == expected(customer)


@every_customer
def test_oracle(customer: Customer) -> None:
    """The oracle makes exactly the moves given."""
    moves = oracle.derive(definition(customer.template), customer.touchpoints, customer.now)
    assert [(move.at, move.source, move.target, move.timer) for move in moves] == expected(customer)


@pytest.mark.parametrize("template", templates.names())
def test_customers_reach_every_stage(template: str) -> None:
    """Each template has golden customers, and among them they enter every stage."""
    journey = compile_journey(templates.load(template))
    entered = {move.target for customer in CUSTOMERS if customer.template == template for move in customer.moves}
    assert set(journey.stages) <= entered
