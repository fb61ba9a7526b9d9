"""What docs/sdks/posthog.md says to paste works as it stands there."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from tests.contract.log_backends import SqliteBackend
from tests.support.browser import as_a_person, console
from tests.support.front import KEY
from tests.support.pages import BROWSER, Shop, blocks, node_module, python_script
from tests.support.processes import eventually
from tests.support.sdks import arrived
from tests.support.server import Served
from tests.support.up import shell

BLOCKS = blocks("docs/sdks/posthog.md")


RUNNERS: dict[str, Callable[[str, Path], object]] = {
    "Node.js": node_module,
    "Python": lambda code, _: python_script(code, "posthog-7.91"),
    "Python, before 6.0": lambda code, _: python_script(code, "posthog-3.6"),
    "HTTP": lambda code, _: shell(code),
}


async def bought(backend: SqliteBackend) -> None:
    """Ann's order is there, once."""

    async def ordered() -> bool:
        return any(record.name == "Order Completed" for record in await arrived(backend, 1))

    await eventually(ordered, within=20)
    (order,) = [record for record in await arrived(backend, 1) if record.name == "Order Completed"]
    assert (order.type, order.user) == ("track", "ann")
    assert msgspec.json.decode(order.properties)["total"] == 49.9


def test_every_block_is_run() -> None:
    """A new section of the page gets a runner here."""
    assert set(BLOCKS) == {*RUNNERS, *BROWSER}


@pytest.mark.parametrize("section", RUNNERS)
async def test_a_block_sends_its_event(server: Served, backend: SqliteBackend, tmp_path: Path, section: str) -> None:
    """The code of a section, run as it is, sends the order."""
    RUNNERS[section](BLOCKS[section].filled(server.url, KEY), tmp_path)
    await bought(backend)


@pytest.mark.parametrize("section", sorted(BROWSER))
async def test_a_block_for_browsers(server: Served, backend: SqliteBackend, shop: Shop, section: str) -> None:
    """Bundled as a site would, or beside the package's own file, it sends without a word on the console."""
    as_a_person(shop.browser)  # the SDK sends nothing otherwise
    shop.open(BLOCKS[section].filled(server.url, KEY), array="posthog-js/dist/array.js")
    await bought(backend)
    assert console(shop.browser) == []
