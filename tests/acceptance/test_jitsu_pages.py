"""What docs/sdks/jitsu.md says to paste works as it stands there."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from services.ingest.app import App
from services.ingest.body import Receive, Scope
from tests.contract.log_backends import SqliteBackend
from tests.support.browser import console
from tests.support.front import KEY
from tests.support.node import Node
from tests.support.pages import BROWSER, Shop, blocks, bought, node_module
from tests.support.server import Served, ingest_server
from tests.support.up import shell

BLOCKS = blocks("docs/sdks/jitsu.md")
RUNNERS: dict[str, Callable[[str, Path], object]] = {"Node.js": node_module, "HTTP": lambda code, _: shell(code)}


def test_every_block_is_run() -> None:
    """A new section of the page gets a runner here."""
    assert set(BLOCKS) == set(RUNNERS) | BROWSER


@pytest.mark.parametrize("section", RUNNERS)
async def test_a_block_sends_its_event(server: Served, backend: SqliteBackend, tmp_path: Path, section: str) -> None:
    """The code of a section, run as it is, sends the order."""
    RUNNERS[section](BLOCKS[section].filled(server.url, KEY), tmp_path)
    await bought(backend)


async def test_the_browser_block_from_npm(server: Served, backend: SqliteBackend, shop: Shop) -> None:
    """Bundled as a site would, it sends from a page of another origin, without a word on the console."""
    shop.open(BLOCKS["Browser, from npm"].filled(server.url, KEY))
    await bought(backend, 2)
    assert console(shop.browser) == []


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


async def test_the_browser_block_with_a_script(backend: SqliteBackend, node: Node, shop: Shop) -> None:
    """With the package's own file at /p.js, the page of another origin sends, without a word on the console."""
    script = node.file("@jitsu/js/dist/web/p.js.txt").read_bytes()
    with ingest_server(backend.address, partial(beside, script)) as server:
        shop.open(BLOCKS["Browser, as a script"].filled(server.url, KEY))
        await bought(backend, 2)
    assert console(shop.browser) == []
