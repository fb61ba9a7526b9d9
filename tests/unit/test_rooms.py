"""What is added to a room is put to use and tested: the README's table names these tests."""

import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from types import ModuleType

import pytest

from services import commands
from services.cli import COMMANDS
from services.ingest import protocols
from services.ingest.protocols.all import PROTOCOLS
from shared.journeys import conditions
from shared.journeys.conditions import CONDITIONS
from shared.journeys.conditions.base import Condition
from tests.golden import cases
from tests.support.processes import ROOT


def modules(package: ModuleType) -> Iterator[ModuleType]:
    """Every module of a package."""
    for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        yield importlib.import_module(found.name)


def conditions_in(part: object) -> Iterator[str]:
    """The keys of a definition, wherever they stand."""
    if isinstance(part, dict):
        for key, inner in part.items():
            yield str(key)
            yield from conditions_in(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from conditions_in(inner)


def test_every_condition_is_registered() -> None:
    """Each condition of shared/journeys/conditions can be written in a definition."""
    written = {
        kind
        for module in modules(conditions)
        for kind in vars(module).values()
        if inspect.isclass(kind) and issubclass(kind, Condition) and not inspect.isabstract(kind)
    }
    assert written == set(CONDITIONS.values())


@pytest.mark.parametrize("name", CONDITIONS)
def test_every_condition_has_a_golden_case(name: str) -> None:
    """Each condition stands in the definition of a golden case that expects moves or a stage."""
    definitions = [case.body.definition for case in cases.load() if isinstance(case.body, cases.Moves | cases.StageNow)]
    assert any(name in conditions_in(definition) for definition in definitions)


@pytest.mark.parametrize("room", ["log", "store"])
def test_every_adapter_is_chosen_and_under_contract(room: str) -> None:
    """Each adapter of the log and the store (a module that opens one) is chosen in the runtime, and opened by the
    contract suite of its room."""
    modules = (ROOT / "shared" / room).glob("*.py")
    adapters = [path.stem for path in modules if re.search(r"^async def open(_\w+)?\(", path.read_text(), re.MULTILINE)]
    assert len(adapters) >= 2
    for file in ("shared/runtime.py", f"tests/contract/{room}_backends.py"):
        text = (ROOT / file).read_text()
        for adapter in adapters:
            imported = rf"from shared\.{room}(\.{adapter} import | import .*\b{adapter}\b)"
            assert re.search(imported, text), f"{file} does not know {adapter}"


def test_every_command_is_listed() -> None:
    """Each command of a room in services/commands is known to the command line, and each there exists."""
    made = {
        command: module.__name__.rpartition(".")[2]
        for module in modules(commands)
        for command in getattr(module, "COMMANDS", {})
    }
    assert made == {command: room for command, (room, _) in COMMANDS.items()}


def test_every_protocol_is_served() -> None:
    """Each protocol of ingest (a module with a PROTOCOL) is offered the paths, under a name of its own."""
    made = [module.PROTOCOL for module in modules(protocols) if hasattr(module, "PROTOCOL")]
    assert set(made) == set(PROTOCOLS)
    assert len({protocol.name for protocol in made}) == len(PROTOCOLS)
