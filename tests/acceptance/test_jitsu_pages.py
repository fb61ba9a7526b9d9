"""What docs/sdks/jitsu.md says to paste works as it stands there."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest
from selenium.webdriver import Chrome

from services.ingest.app import App
from services.ingest.body import Receive, Scope
from tests.contract.log_backends import SqliteBackend
from tests.support.front import KEY
from tests.support.node import Node
from tests.support.pages import blocks
from tests.support.sdks import arrived, site
from tests.support.server import Served, ingest_server
from tests.support.up import shell

BLOCKS = blocks("docs/sdks/jitsu.md")
BROWSER = {"Browser, from npm", "Browser, as a script"}
PAGE = "<!doctype html><meta charset=utf-8><link rel=icon href='data:,'><title>Shop</title>"


def node_js(code: str, folder: Path) -> None:
    """Runs a module of Node's."""
    node = Node()
    node.run(node.bundle(code, folder / "shop.mjs", "--platform=node", "--format=esm", "--log-level=error"))


RUNNERS: dict[str, Callable[[str, Path], object]] = {"Node.js": node_js, "HTTP": lambda code, _: shell(code)}


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
async def test_a_block_sends_its_event(server: Served, backend: SqliteBackend, tmp_path: Path, section: str) -> None:
    """The code of a section, run as it is, sends the order."""
    RUNNERS[section](BLOCKS[section].filled(server.url, KEY), tmp_path)
    await bought(backend)


async def test_the_browser_block_from_npm(
    server: Served, backend: SqliteBackend, tmp_path: Path, node: Node, browser: Chrome
) -> None:
    """Bundled as a site would, it sends from a page of another origin, without a word on the console."""
    code = BLOCKS["Browser, from npm"].filled(server.url, KEY)
    script = node.bundle(code, tmp_path / "shop.js", "--format=esm", "--log-level=error").read_bytes()
    page = PAGE + "<script type=module src=/shop.js></script>"
    with site(page.encode(), {"/shop.js": script}) as address:
        browser.get(address)
        await bought(backend, 2)
    assert browser.get_log("browser") == []  # type: ignore[no-untyped-call] # selenium leaves this one bare


def beside(script: bytes, app: App) -> App:
    """The app behind a proxy that answers /p.js with this script."""

    async def proxy(scope: Scope, receive: Receive, send: Any) -> None:
        if scope.get("path") != "/p.js":
            await app(scope, receive, send)
            return
        headers = [(b"content-type", b"text/javascript; charset=utf-8")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": script})

    return proxy


async def test_the_browser_block_with_a_script(backend: SqliteBackend, node: Node, browser: Chrome) -> None:
    """With the package's own file at /p.js, the page of another origin sends, without a word on the console."""
    script = node.file("@jitsu/js/dist/web/p.js.txt").read_bytes()
    with ingest_server(backend.address, partial(beside, script)) as server:
        page = PAGE + BLOCKS["Browser, as a script"].filled(server.url, KEY)
        with site(page.encode(), {}) as address:
            browser.get(address)
            await bought(backend, 2)
    assert browser.get_log("browser") == []  # type: ignore[no-untyped-call] # as above
