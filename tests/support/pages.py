"""The code on a page of documentation, and how to run it as it is written there."""

import re
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import msgspec
from selenium.webdriver import Chrome

from tests.contract.log_backends import SqliteBackend
from tests.support.node import Node
from tests.support.processes import ROOT, run
from tests.support.sdks import PAGE, arrived, site
from tests.support.senders import python_packages

#: What stands for the reader's own server and write key on every page.
HOST, KEY = "https://track.shop.example", "WRITE_KEY"
#: The sections for browsers, each page's.
BROWSER = {"Browser, from npm", "Browser, as a script"}


class Block(NamedTuple):
    """A block of code and the heading that it stands under."""

    section: str
    language: str
    code: str

    def filled(self, url: str, key: str) -> str:
        """The code with a server's own address and write key in it. Raises AssertionError if it names neither."""
        assert HOST in self.code
        assert KEY in self.code
        return self.code.replace(HOST, url).replace(KEY, key)


def every_block(page: str) -> list[Block]:
    """The blocks of a page (its path from the root of the project), in their order."""
    text, heading = (ROOT / page).read_text(), ""
    found = list[Block]()
    # Blocks first, so that a comment in one is no heading.
    for language, code, title in re.findall(r"^```(\w+)\n(.*?)^```$|^#+ ([^\n]+)$", text, re.MULTILINE | re.DOTALL):
        if title:
            heading = title
        else:
            found.append(Block(heading, language, code))
    return found


def blocks(page: str) -> dict[str, Block]:
    """The same by their sections, each of which has at most one."""
    every = every_block(page)
    found = {block.section: block for block in every}
    assert len(found) == len(every), f"{page}: a section has two blocks of code"
    return found


def python_script(code: str, lock: str = "") -> None:
    """Runs it with the SDK of this environment, or that of a lock."""
    run(sys.executable, "-c", code, env=python_packages(lock))


def node_module(code: str, folder: Path, *options: str) -> None:
    """Runs an ECMAScript module."""
    node = Node()
    node.run(node.bundle(code, folder / "shop.mjs", "--platform=node", "--format=esm", "--log-level=error", *options))


class Shop:
    """Opens pages of another origin than the server's in a browser."""

    def __init__(self, browser: Chrome, node: Node, folder: Path, opened: ExitStack) -> None:
        self.browser, self._node, self._folder, self._opened = browser, node, folder, opened

    def open(self, code: str, **files: str) -> None:
        """A page with the code of a section for browsers: HTML as it is, a module bundled as a site would.

        `files` are scripts of the locked packages that lie beside the page, by their names without .js.
        """
        scripts = {f"/{name}.js": self._node.file(path).read_bytes() for name, path in files.items()}
        if not code.startswith("<"):
            bundle = self._node.bundle(code, self._folder / "shop.js", "--format=esm", "--log-level=error")
            scripts["/shop.js"] = bundle.read_bytes()
            code = "<script type=module src=/shop.js></script>"
        self.browser.get(self._opened.enter_context(site((PAGE + code).encode(), scripts)))


async def bought(backend: SqliteBackend, events: int = 1) -> None:
    """Ann's order is there, the only track among so many events."""
    records = await arrived(backend, events)
    assert len(records) == events
    (order,) = [record for record in records if record.type == "track"]
    assert (order.user, order.name) == ("ann", "Order Completed")
    assert msgspec.json.decode(order.properties) == {"total": 49.9}
