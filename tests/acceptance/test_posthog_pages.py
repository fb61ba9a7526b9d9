"""What docs/sdks/posthog.md says to paste works as it stands there."""

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
from tests.support.processes import eventually, run
from tests.support.sdks import arrived, site
from tests.support.senders import older_python
from tests.support.server import Served, ingest_server
from tests.support.up import shell

BLOCKS = blocks("docs/sdks/posthog.md")
PAGE = "<!doctype html><meta charset=utf-8><link rel=icon href='data:,'><title>Shop</title>"
#: As a person's browser has it: the SDK sends nothing of one that a program drives.
AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
DRIVEN_BY_NOBODY = "Object.defineProperty(Navigator.prototype, 'webdriver', { get: () => false });"


def node_js(code: str, folder: Path) -> None:
    """Runs a module of Node's."""
    node = Node()
    node.run(node.bundle(code, folder / "shop.mjs", "--platform=node", "--format=esm", "--log-level=error"))


def python(code: str, lock: str) -> None:
    """Runs a script with the SDK of a lock."""
    run(sys.executable, "-c", code, env={"PYTHONPATH": str(older_python(lock))})


RUNNERS: dict[str, Callable[[str, Path], object]] = {
    "Node.js": node_js,
    "Python": lambda code, _: python(code, "posthog-7.91"),
    "Python, before 6.0": lambda code, _: python(code, "posthog-3.6"),
    "HTTP": lambda code, _: shell(code),
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
    assert set(BLOCKS) == {*RUNNERS, "Browser, from npm", "Browser, as a script"}


@pytest.mark.parametrize("section", RUNNERS)
async def test_a_block_sends_its_event(server: Served, backend: SqliteBackend, tmp_path: Path, section: str) -> None:
    """The code of a section, run as it is, sends the order."""
    RUNNERS[section](BLOCKS[section].filled(server.url, KEY), tmp_path)
    await bought(backend)


@pytest.mark.parametrize("section", ["Browser, from npm", "Browser, as a script"])
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
        files = {"/array.js": node.file("posthog-js/dist/array.js").read_bytes()}
        page = PAGE + code
    browser.execute_cdp_cmd("Network.setUserAgentOverride", {"userAgent": AGENT})
    browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": DRIVEN_BY_NOBODY})
    with site(page.encode(), files) as address:
        browser.get(address)
        await bought(backend)
    assert browser.get_log("browser") == []  # type: ignore[no-untyped-call] # selenium leaves this one bare
