"""What docs/sdks/segment.md says to paste works as it stands there."""

import re
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import msgspec
import pytest
from selenium.webdriver import Chrome

from tests.contract.log_backends import SqliteBackend
from tests.support.front import KEY
from tests.support.node import Node
from tests.support.pages import blocks
from tests.support.processes import run
from tests.support.sdks import arrived, site
from tests.support.senders import GO, go_compiler, java_machine, older_python
from tests.support.server import Served, ingest_server
from tests.support.up import shell

BLOCKS = blocks("docs/sdks/segment.md")
#: Nothing here can run these.
MOBILE = {"iOS and macOS", "Android and Kotlin", "React Native"}
BROWSER = {"Browser, from npm", "Browser, as a script"}
PAGE = "<!doctype html><link rel=icon href='data:,'>"


def node_js(code: str, folder: Path) -> None:
    """Runs a module of Node's."""
    node = Node()
    alias = "--alias:analytics-node=analytics-node-6"
    node.run(node.bundle(code, folder / "shop.cjs", "--platform=node", "--log-level=error", alias))


def python(code: str, *, lock: str = "") -> None:
    """Runs a script with the newest SDK, or that of a lock."""
    run(sys.executable, "-c", code, env={"PYTHONPATH": str(older_python(lock))} if lock else {})


def go(code: str, folder: Path) -> None:
    """Runs a program with the locked SDK."""
    for name in ("go.mod", "go.sum"):
        shutil.copy(GO / name, folder)
    (folder / "main.go").write_text(code)
    run(go_compiler(), "run", ".", cwd=folder)


def java(code: str, folder: Path) -> None:
    """Runs a class from its source."""
    (folder / "Shop.java").write_text(code)
    run(*java_machine("segment"), folder / "Shop.java")


def pixel(code: str, _: Path) -> None:
    """Runs a script that prints an image, and looks at the image."""
    (address,) = re.findall(r'src="([^"]+)"', shell(code))
    image = httpx.get(address)
    assert image.headers["content-type"] == "image/gif"
    assert image.content.startswith(b"GIF89a")


RUNNERS: dict[str, Callable[[str, Path], object]] = {
    "Node.js": node_js,
    "Node.js, before 2022": node_js,
    "Python": lambda code, _: python(code),
    "Python, before 2.0": lambda code, _: python(code, lock="segment-1.4"),
    "Go": go,
    "Java": java,
    "HTTP": lambda code, _: shell(code),
    "Pixel": pixel,
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
    assert (order.user, order.name, msgspec.json.decode(order.properties)) == (
        "ann",
        "Order Completed",
        {"total": 49.9},
    )


def test_every_block_is_run_or_known_not_to() -> None:
    """A new section of the page gets a runner here."""
    assert set(BLOCKS) == set(RUNNERS) | BROWSER | MOBILE


@pytest.mark.timeout(600)  # the first run builds the SDK
@pytest.mark.parametrize("section", RUNNERS)
async def test_a_block_sends_its_event(server: Served, backend: SqliteBackend, tmp_path: Path, section: str) -> None:
    """The code of a section, run as it is, sends the order."""
    RUNNERS[section](BLOCKS[section].filled(server.url, KEY), tmp_path)
    await bought(backend)


async def test_the_browser_block_from_npm(
    server: Served, backend: SqliteBackend, tmp_path: Path, node: Node, browser: Chrome
) -> None:
    """Bundled as a site would, it sends from a page of another origin."""
    code = BLOCKS["Browser, from npm"].filled(server.url, KEY)
    script = node.bundle(code, tmp_path / "shop.js", "--log-level=error").read_bytes()
    with site(
        b"<!doctype html><link rel=icon href='data:,'><script src=/shop.js></script>", {"/shop.js": script}
    ) as page:
        browser.get(page)
        await bought(backend, 2)
    assert browser.get_log("browser") == []  # type: ignore[no-untyped-call] # selenium leaves this one bare


async def test_the_browser_block_with_a_script(
    server: Served, backend: SqliteBackend, node: Node, browser: Chrome
) -> None:
    """The lines in a page of another origin, with the package's own file, send what was called before it came."""
    code = PAGE + BLOCKS["Browser, as a script"].filled(server.url, KEY)
    script = node.file("@segment/analytics-next/dist/umd/standalone.js").read_bytes()
    with site(code.encode(), {"/standalone.js": script}) as page:
        browser.get(page)
        await bought(backend, 2)
    assert browser.get_log("browser") == []  # type: ignore[no-untyped-call] # as above


@pytest.mark.parametrize("section", sorted(MOBILE))
def test_a_mobile_block_names_host_and_key(section: str) -> None:
    """What cannot run here has the host and the key, the host with the path that the SDKs do not add."""
    code = BLOCKS[section].code
    assert code.count("track.shop.example/v1") == 2
    assert "WRITE_KEY" in code
