"""What the tests of tracking SDKs share: a server over a log of its own, which can be told to refuse for a while, and
pages of another origin."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from selenium.webdriver import Chrome

from tests.contract.log_backends import SqliteBackend
from tests.support.node import Node
from tests.support.pages import Shop
from tests.support.sdks import Moody
from tests.support.server import Served, ingest_server


@pytest.fixture
def backend(tmp_path: Path) -> SqliteBackend:
    """The server's log."""
    return SqliteBackend(tmp_path / "log.db")


@pytest.fixture
def moody() -> Moody:
    """What goes around the server."""
    return Moody()


@pytest.fixture
def server(backend: SqliteBackend, moody: Moody) -> Iterator[Served]:
    """A running server."""
    with ingest_server(backend.address, moody.around) as running:
        yield running


@pytest.fixture
def shop(browser: Chrome, node: Node, tmp_path: Path) -> Iterator[Shop]:
    """Opens pages with code of the documentation."""
    with ExitStack() as opened:
        yield Shop(browser, node, tmp_path, opened)
