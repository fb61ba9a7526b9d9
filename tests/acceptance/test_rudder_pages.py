"""What docs/sdks/rudderstack.md says to paste works as it stands there."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from selenium.webdriver import Chrome

from tests.contract.log_backends import SqliteBackend
from tests.support.front import KEY
from tests.support.node import Node
from tests.support.pages import blocks
from tests.support.processes import run
from tests.support.sdks import arrived, site
from tests.support.senders import older_python
from tests.support.server import Served, ingest_server

BLOCKS = blocks("docs/sdks/rudderstack.md")
BROWSER = {"Browser, from npm", "Browser, as a script"}
PAGE = "<!doctype html><meta charset=utf-8><link rel=icon href='data:,'><title>Shop</title>"


def python(code: str, lock: str) -> None:
    """Runs a script with the SDK of a lock."""
    run(sys.executable, "-c", code, env={"PYTHONPATH": str(older_python(lock))})


RUNNERS: dict[str, Callable[[str], object]] = {
    "Node.js": lambda code: Node().run("-e", code),
    "Python": lambda code: python(code, "rudder-2.1"),
    "Python, before 2.0": lambda code: python(code, "rudder-1.0"),
}


@pytest.fixture
def backend(tmp_path: Path) -> SqliteBackend:
    """The server's log."""
    return SqliteBackend(tmp_path / "log.db")


@pytest.fixture
def server(backend: SqliteBackend) -> Iterator[Served]:
    """A running server."""
    with ingest_server(backend.address) as running:
        yield running


async def bought(backend: SqliteBackend, events: int = 1) -> None:
    """Ann's order is there, the last of so many events."""
    records = await arrived(backend, events)
    assert len(records) == events
    (order,) = [record for record in records if record.type == "track"]
    assert (order.user, order.name) == ("ann", "Order Completed")
    assert msgspec.json.decode(order.properties) == {"total": 49.9}


def test_every_block_is_run() -> None:
    """A new section of the page gets a runner here."""
    assert set(BLOCKS) == set(RUNNERS) | BROWSER


@pytest.mark.parametrize("section", RUNNERS)
async def test_a_block_sends_its_event(server: Served, backend: SqliteBackend, section: str) -> None:
    """The code of a section, run as it is, sends the order."""
    RUNNERS[section](BLOCKS[section].filled(server.url, KEY))
    await bought(backend)


@pytest.mark.parametrize("section", sorted(BROWSER))
async def test_a_block_for_browsers(
    server: Served, backend: SqliteBackend, tmp_path: Path, node: Node, browser: Chrome, section: str
) -> None:
    """Bundled as a site would, or beside the package's own file, it sends from a page of another origin, without a
    word on the console."""
    code = BLOCKS[section].filled(server.url, KEY)
    if BLOCKS[section].language == "js":
        files = {"/shop.js": node.bundle(code, tmp_path / "shop.js", "--log-level=error").read_bytes()}
        page = PAGE + "<script src=/shop.js></script>"
    else:
        umd = "@rudderstack/analytics-js/dist/npm/modern/bundled/umd/index.js"
        files = {"/rudderstack.js": node.file(umd).read_bytes()}
        page = PAGE + code
    with site(page.encode(), files) as address:
        browser.get(address)
        await bought(backend, 2)
    assert browser.get_log("browser") == []  # type: ignore[no-untyped-call] # selenium leaves this one bare
