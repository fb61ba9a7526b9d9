"""How touchpoints are read, case by case; and that no row of the tables is without one."""

from typing import Any

import msgspec
import pytest

from shared.events import Record
from shared.journeys.roles import known
from shared.touch.agent import Bots, Devices
from shared.touch.tables import CATEGORIES, Tables, load
from shared.touch.told import Teller, Told
from tests.golden.touch import cases

CHANNELS, KINDS, AGENTS = list(cases.channels()), list(cases.kinds()), list(cases.agents())


@pytest.fixture(scope="module")
def tables() -> Tables:
    """Our own tables."""
    return load(None, known())


@pytest.fixture(scope="module")
def teller(tables: Tables) -> Teller:
    """Reads with them."""
    return Teller(tables)


@pytest.fixture(scope="module")
def devices(tables: Tables) -> Devices:
    """Reads user agents."""
    return Devices(Bots(tables))


def tell(teller: Teller, type: str, name: str | None, parts: dict[str, dict[str, Any]], own: list[str]) -> Told:
    """What is told of a touchpoint with these parts."""
    properties, traits, context = (
        msgspec.Raw(msgspec.json.encode(parts.get(part, {}))) for part in ("properties", "traits", "context")
    )
    record = Record(1, "m", type, 0, 0, "u", name=name, properties=properties, traits=traits, context=context)
    return teller.tell(record, own)


@pytest.mark.parametrize("case", CHANNELS, ids=lambda case: f"{case.channel}-{case.context or case.properties}"[:90])
def test_channel(teller: Teller, case: cases.Came) -> None:
    """The channel and the origin are those of the case."""
    told = tell(teller, "page", None, {"context": case.context, "properties": case.properties}, case.own)
    assert told.channel == case.channel
    assert {key: getattr(told.origin, key) for key in case.origin} == case.origin


@pytest.mark.parametrize(
    "case", KINDS, ids=lambda case: f"{case.type}-{case.name}-{sorted(case.told.items(), key=str)}"[:90]
)
def test_kind(teller: Teller, case: cases.Touch) -> None:
    """Kind, direction, content and what was heard are those of the case."""
    told = tell(teller, case.type, case.name, case.parts, [])
    assert {key: getattr(told, key) for key in case.told} == case.told


@pytest.mark.parametrize("case", AGENTS, ids=lambda case: case.agent[:60])
def test_agent(devices: Devices, case: cases.Agent) -> None:
    """The device is that of the case."""
    device = devices.read(case.agent)
    assert {key: getattr(device, key) for key in case.told} == case.told


def test_every_value_of_the_tables_has_a_case(tables: Tables) -> None:
    """Whoever adds a channel, kind, direction, content, click id or category of sources shows what it is for."""
    assert {row.value for row in tables.channels} | {"unassigned", None} == {case.channel for case in CHANNELS}
    for named in ("kind", "direction", "content"):
        rows = {row.value for row in getattr(tables, f"{named}s")}
        assert rows - {case.told.get(named) for case in KINDS} == set(), named
    links = " ".join(str(case.context) + str(case.properties) for case in CHANNELS).lower()
    few = {"mc_eid", "vero_id", "ml_subscriber", "igshid", "vmcid", "ransiteid"}  # twins of others of their sender
    assert {click for click in tables.clicks if f"{click}=" not in links and f"'{click}'" not in links} == few
    assert {source.category for source in tables.hosts.values()} == set(CATEGORIES)
