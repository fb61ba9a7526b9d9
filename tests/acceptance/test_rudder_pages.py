"""What docs/sdks/rudderstack.md says to paste works as it stands there."""

from collections.abc import Callable

import pytest

from tests.contract.log_backends import SqliteBackend
from tests.support.browser import console
from tests.support.front import KEY
from tests.support.node import Node
from tests.support.pages import BROWSER, Shop, blocks, bought, python_script
from tests.support.server import Served

BLOCKS = blocks("docs/sdks/rudderstack.md")
RUNNERS: dict[str, Callable[[str], object]] = {
    "Node.js": lambda code: Node().run("-e", code),
    "Python": lambda code: python_script(code, "rudder-2.1"),
    "Python, before 2.0": lambda code: python_script(code, "rudder-1.0"),
}


def test_every_block_is_run() -> None:
    """A new section of the page gets a runner here."""
    assert set(BLOCKS) == set(RUNNERS) | BROWSER


@pytest.mark.parametrize("section", RUNNERS)
async def test_a_block_sends_its_event(server: Served, backend: SqliteBackend, section: str) -> None:
    """The code of a section, run as it is, sends the order."""
    RUNNERS[section](BLOCKS[section].filled(server.url, KEY))
    await bought(backend)


@pytest.mark.parametrize("section", sorted(BROWSER))
async def test_a_block_for_browsers(server: Served, backend: SqliteBackend, shop: Shop, section: str) -> None:
    """Bundled as a site would, or beside the package's own file, it sends without a word on the console."""
    shop.open(
        BLOCKS[section].filled(server.url, KEY),
        rudderstack="@rudderstack/analytics-js/dist/npm/modern/bundled/umd/index.js",
    )
    await bought(backend, 2)
    assert console(shop.browser) == []
