"""What docs/sdks/segment.md says to paste works as it stands there."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.contract.log_backends import SqliteBackend
from tests.support.browser import console
from tests.support.front import KEY
from tests.support.node import Node
from tests.support.pages import BROWSER, Shop, blocks, bought, python_script
from tests.support.processes import run
from tests.support.senders import GO, go_compiler, java_machine
from tests.support.server import Served
from tests.support.up import shell

BLOCKS = blocks("docs/sdks/segment.md")
#: Nothing here can run these.
MOBILE = {"iOS and macOS", "Android and Kotlin", "React Native"}


def node_js(code: str, folder: Path) -> None:
    """Runs a module of Node's."""
    node = Node()
    alias = "--alias:analytics-node=analytics-node-6"
    node.run(node.bundle(code, folder / "shop.cjs", "--platform=node", "--log-level=error", alias))


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
    "Python": lambda code, _: python_script(code),
    "Python, before 2.0": lambda code, _: python_script(code, "segment-1.4"),
    "Go": go,
    "Java": java,
    "HTTP": lambda code, _: shell(code),
    "Pixel": pixel,
}


def test_every_block_is_run_or_known_not_to() -> None:
    """A new section of the page gets a runner here."""
    assert set(BLOCKS) == set(RUNNERS) | BROWSER | MOBILE


@pytest.mark.timeout(600)  # the first run builds the SDK
@pytest.mark.parametrize("section", RUNNERS)
async def test_a_block_sends_its_event(server: Served, backend: SqliteBackend, tmp_path: Path, section: str) -> None:
    """The code of a section, run as it is, sends the order."""
    RUNNERS[section](BLOCKS[section].filled(server.url, KEY), tmp_path)
    await bought(backend)


@pytest.mark.parametrize("section", sorted(BROWSER))
async def test_a_block_for_browsers(server: Served, backend: SqliteBackend, shop: Shop, section: str) -> None:
    """Bundled as a site would, or beside the package's own file, it sends without a word on the console."""
    shop.open(BLOCKS[section].filled(server.url, KEY), standalone="@segment/analytics-next/dist/umd/standalone.js")
    await bought(backend, 2)
    assert console(shop.browser) == []


@pytest.mark.parametrize("section", sorted(MOBILE))
def test_a_mobile_block_names_host_and_key(section: str) -> None:
    """What cannot run here has the host and the key, the host with the path that the SDKs do not add."""
    code = BLOCKS[section].code
    assert code.count("track.shop.example/v1") == 2
    assert "WRITE_KEY" in code
