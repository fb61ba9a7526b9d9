"""The fixtures of the whole suite: real services, started when a test first asks and always stopped.

Servers of the `session` are shared: make your own database or topics in them, and never stop or pause them.
A test that hurts a server starts its own with `start_kafka` or `start_postgres`.
"""

import os
import signal
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

import hypothesis
import pytest
from selenium.webdriver import Chrome

from tests.support.browser import chromium, window
from tests.support.kafka import Kafka
from tests.support.node import Node
from tests.support.postgres import Postgres
from tests.support.processes import Processes
from tests.support.prometheus import Prometheus


def pytest_configure() -> None:
    """Settings that hold for every test."""
    # A machine shared with servers has no steady speed to hold an example to. CI repeats what it did before:
    # a submission is judged by its own faults, not by a new example's luck.
    steady = os.environ.get("CI") == "true"
    hypothesis.settings.register_profile("milepost", deadline=None, derandomize=steady, print_blob=True)
    hypothesis.settings.load_profile("milepost")
    # `kill` and `timeout` end the run through its teardown, so that no server is left behind.
    signal.signal(signal.SIGTERM, lambda *_: pytest.exit("terminated", returncode=143))


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Processes]:
    """Starts child processes, `processes.milepost(...)` among them; what is left at the end is killed."""
    folder = tmp_path / "processes"
    folder.mkdir()
    with Processes(folder) as started:
        yield started


@pytest.fixture(scope="session")
def kafka_server() -> Iterator[Kafka]:
    """The session's one-node Kafka."""
    with Kafka() as server:
        yield server


@pytest.fixture(scope="session")
def kafka(kafka_server: Kafka) -> str:
    """The bootstrap address of the session's Kafka."""
    return kafka_server.bootstrap


@pytest.fixture
def topic_prefix() -> str:
    """A prefix of topics and groups that no other test uses; it ends with a dot."""
    return f"test-{uuid.uuid4().hex[:12]}."


@pytest.fixture
def start_kafka() -> Iterator[Callable[..., Kafka]]:
    """`start_kafka(nodes=1)`: a Kafka of the test's own, to kill, pause and wipe."""
    with ExitStack() as started:
        yield lambda nodes=1: started.enter_context(Kafka(nodes))


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """The session's PostgreSQL."""
    with Postgres() as server:
        yield server


@pytest.fixture
def database(postgres: Postgres) -> Iterator[str]:
    """The address (postgresql://…) of an empty database of the test's own, dropped afterwards."""
    dsn = postgres.create_database()
    yield dsn
    postgres.drop_database(dsn)


@pytest.fixture
def start_postgres() -> Iterator[Callable[..., Postgres]]:
    """`start_postgres(settings="")`: a PostgreSQL of the test's own, to kill and pause."""
    with ExitStack() as started:
        yield lambda settings="": started.enter_context(Postgres(settings))


@pytest.fixture
def start_prometheus() -> Iterator[Callable[..., Prometheus]]:
    """`start_prometheus({job: ["host:port"]}, rules=[...])`: a Prometheus that scrapes those."""
    with ExitStack() as started:

        def start(targets: Mapping[str, Sequence[str]], rules: Sequence[Path] = ()) -> Prometheus:
            return started.enter_context(Prometheus(targets, rules))

        yield start


@pytest.fixture(scope="module")
def started_chromium() -> Iterator[Chrome]:
    """The module's headless Chromium."""
    with chromium() as driver:
        yield driver


@pytest.fixture
def browser(started_chromium: Chrome) -> Iterator[Chrome]:
    """A window of a headless Chromium with an empty profile."""
    with window(started_chromium) as driver:
        yield driver


@pytest.fixture(scope="session")
def node() -> Node:
    """Node.js with the locked tracking SDKs."""
    return Node()
