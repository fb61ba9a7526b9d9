"""Each real part is what it says, and does here what the other tests rely on."""

import http.server
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from selenium.webdriver import Chrome

from tests.support.browser import console
from tests.support.kafka import Kafka
from tests.support.need import need
from tests.support.node import Node
from tests.support.postgres import Postgres
from tests.support.processes import Processes, eventually, wait_until
from tests.support.prometheus import Prometheus


class Page(http.server.BaseHTTPRequestHandler):
    """Answers every GET with one metric or, to a browser, a titled page."""

    def do_GET(self) -> None:
        """Serve."""
        metrics = self.path == "/metrics"
        body = b"answer 42\n" if metrics else b"<title>A page</title><script>console.error('heard')</script>"
        self.send_response(200)
        self.send_header("Content-Type", "text/plain" if metrics else "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def site() -> Iterator[str]:
    """The host:port of a small web server."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


async def create_topic(bootstrap: str, topic: str, replicas: int) -> None:
    """Make a topic of one partition."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(topic, num_partitions=1, replication_factor=replicas)])
    finally:
        await admin.close()


async def produce(bootstrap: str, topic: str, value: bytes) -> None:
    """Append one record, acknowledged by every replica in sync."""
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", compression_type="lz4")
    await producer.start()
    try:
        await producer.send_and_wait(topic, value)
    finally:
        await producer.stop()


async def first_value(bootstrap: str, topic: str) -> bytes | None:
    """The value of the topic's first record."""
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    try:
        record = await consumer.getone()
        value: bytes | None = record.value
        return value
    finally:
        await consumer.stop()


async def test_kafka_carries_a_record(kafka: str, topic_prefix: str) -> None:
    """What is produced to the session's Kafka is consumed from it."""
    topic = topic_prefix + "greetings"
    await create_topic(kafka, topic, replicas=1)
    await produce(kafka, topic, b"hello")
    assert await first_value(kafka, topic) == b"hello"


async def test_a_cluster_outlives_a_killed_node(start_kafka: Callable[..., Kafka], topic_prefix: str) -> None:
    """A record acknowledged by three nodes is read after one is killed, and the killed node comes back."""
    cluster = start_kafka(nodes=3)
    topic = topic_prefix + "greetings"
    await create_topic(cluster.bootstrap, topic, replicas=3)
    await produce(cluster.bootstrap, topic, b"hello")
    cluster.nodes[0].kill()
    assert not cluster.nodes[0].running
    assert await first_value(cluster.bootstrap, topic) == b"hello"
    cluster.nodes[0].start()
    assert all(node.running for node in cluster.nodes)


async def test_postgres_gives_each_test_an_empty_database(postgres: Postgres, database: str) -> None:
    """The test's database answers, holds no tables, and is not the server's own."""
    connection = await asyncpg.connect(database)
    try:
        assert await connection.fetchval("SELECT current_database()") == database.rpartition("/")[2]
        tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
        assert await connection.fetchval(tables) == 0
    finally:
        await connection.close()
    assert database != postgres.dsn()


def test_postgres_keeps_what_was_committed_when_killed(start_postgres: Callable[..., Postgres]) -> None:
    """A committed row is there after the server and all its backends were killed."""
    server = start_postgres()
    server.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    server.kill()
    server.start()
    assert server.execute("SELECT answer FROM kept") == "42"


async def test_a_paused_postgres_answers_when_resumed(start_postgres: Callable[..., Postgres]) -> None:
    """A stopped server times a client out; resumed, it serves the same connection again."""
    server = start_postgres()
    connection = await asyncpg.connect(server.dsn())
    try:
        server.pause()
        with pytest.raises((TimeoutError, OSError)):
            await asyncpg.connect(server.dsn(), timeout=0.3)
        server.resume()
        assert await connection.fetchval("SELECT 1") == 1
    finally:
        await connection.close()


def test_prometheus_scrapes_its_target(start_prometheus: Callable[..., Prometheus], site: str) -> None:
    """A target's metric can be queried within seconds, under its job's name."""
    prometheus = start_prometheus({"site": [site]})
    wait_until(lambda: prometheus.value('answer{job="site"}') == 42)


def test_chromium_opens_a_page(browser: Chrome, site: str) -> None:
    """The browser shows a local page and keeps what the page wrote to its console."""
    browser.get(f"http://{site}/")
    assert browser.title == "A page"
    assert any("heard" in entry["message"] for entry in console(browser))


def test_node_has_the_locked_sdks(node: Node, tmp_path: Path) -> None:
    """Node.js loads Segment's server SDK, and the browser SDK is bundled into one script."""
    script = "console.log(typeof require('@segment/analytics-node').Analytics)"
    assert node.run("-e", script).strip() == "function"
    page = f"{node.browser_sdk('segment').read_text()}; console.log(typeof Segment.AnalyticsBrowser.load)"
    (tmp_path / "page.cjs").write_text(page)
    assert node.run(tmp_path / "page.cjs").strip() == "function"


def test_a_process_is_watched_and_always_ended(processes: Processes) -> None:
    """A child's output can be waited for; paused it still runs; killed it is gone."""
    child = processes.start(sys.executable, "-c", "import time; print('up on 1234'); time.sleep(60)")
    assert child.wait_for(r"^up on (\d+)$")[1] == "1234"
    child.pause()
    assert child.running
    child.kill()
    assert child.wait() == -9


def test_a_child_that_ends_early_is_reported_with_its_output(processes: Processes) -> None:
    """Waiting for a line of a child that died fails at once and says what the child said."""
    child = processes.start(sys.executable, "-c", "raise SystemExit('no configuration')")
    with pytest.raises(AssertionError, match="no configuration"):
        child.wait_for("ready")


async def test_eventually_gives_up_with_what_it_saw() -> None:
    """A condition that never comes true fails by name of its last value."""
    with pytest.raises(AssertionError, match="last seen: 0"):
        await eventually(lambda: 0, within=0.1)


@pytest.mark.parametrize(("ci", "ending"), [("", pytest.skip.Exception), ("true", pytest.fail.Exception)])
def test_a_missing_part_skips_locally_and_fails_in_ci(
    monkeypatch: pytest.MonkeyPatch, ci: str, ending: type[BaseException]
) -> None:
    """The same missing part skips on a developer's machine and fails where everything is required."""
    monkeypatch.setenv("CI", ci)
    monkeypatch.delenv("REQUIRE_ALL_PARTS", raising=False)
    # Another ending than the expected one would skip this test, too.
    endings = (pytest.skip.Exception, pytest.fail.Exception)
    with pytest.raises(endings, match="a unicorn is missing: catch one") as ended:
        need("a unicorn", None, "catch one")
    assert ended.type is ending
