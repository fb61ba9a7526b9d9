"""Every event that was answered 200 is found on the log, whatever happens to the broker, the disk or the process.

A real ingest with a spool on a real Kafka. A record may be on the log twice (the stager counts it once); what was
acknowledged is never missing. How long reconnecting took is logged.
"""

import asyncio
import logging
import os
import re
import shutil
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import asyncpg
import httpx
import msgspec
import pytest
from prometheus_client.parser import text_string_to_metric_families as families

from shared.events import decode
from tests.contract.log_backends import KafkaBackend, flat
from tests.support.kafka import Kafka
from tests.support.load import Load
from tests.support.need import need
from tests.support.processes import Process, Processes, eventually, free_port

_logger = logging.getLogger(__name__)


@pytest.fixture(scope="module")
def broker() -> Iterator[Kafka]:
    """This file's Kafka, which every test leaves running."""
    with Kafka() as kafka:
        yield kafka


class Shop:
    """An ingest with a spool, over a topic and a database of its own."""

    def __init__(self, processes: Processes, kafka: Kafka, dsn: str, topic: str, spool: Path, **more: str) -> None:
        self.processes, self.kafka = processes, kafka
        self.topic = KafkaBackend(kafka.bootstrap, topic)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = {
            "MILEPOST_KAFKA": kafka.bootstrap,
            "MILEPOST_DATABASE": dsn,
            "MILEPOST_TOPIC": topic,
            "MILEPOST_PARTITIONS": "4",
            "MILEPOST_SPOOL": str(spool),
            "MILEPOST_SPOOL_AFTER": "0.5",
            **more,
        }
        self.command("setup")
        self.key = next(word for word in self.command("keys", "create", "test").split() if word.startswith("wk_"))
        self.load = Load(self.url, self.key)

    def command(self, *arguments: str) -> str:
        """A command run to its end."""
        done = self.processes.milepost(*arguments, env=self.environment)
        assert done.wait(60) == 0, done.output()
        return done.output()

    def ingest(self, **more: str) -> Process:
        """The front door, always on the same port."""
        started = self.processes.milepost("ingest", "--port", str(self.port), env=self.environment | more)
        started.wait_for("runs at", within=60)
        return started

    async def counted(self) -> dict[str, float]:
        """What ingest counts, by the names of samples without labels."""
        async with httpx.AsyncClient(base_url=self.url, timeout=30) as client:
            page = (await client.get("/metrics")).text
        return {sample.name: sample.value for family in families(page) for sample in family.samples}

    async def drained(self) -> bool:
        """Whether nothing waits in the spool."""
        return (await self.counted())["milepost_spool_records"] == 0

    async def ids(self) -> Counter[str]:
        """Message ids on the log, and how often each is there."""
        return Counter(decode(value).id for value in flat(await self.topic.contents()))

    async def nothing_is_lost(self) -> None:
        """Waits for the spool to be drained, and finds everything that was acknowledged."""
        await eventually(self.drained, within=30)
        found = await self.ids()
        assert not set(self.load.acknowledged) - set(found)
        sent = f"{len(self.load.acknowledged):,} acknowledged, {sum(found.values()) - len(found):,} on the log twice"
        _logger.info("%s; %s", sent, Counter(one.status for one in self.load.answers))


@pytest.fixture
def shop(processes: Processes, broker: Kafka, database: str, topic_prefix: str, tmp_path: Path) -> Shop:
    """A shop on this file's Kafka."""
    return Shop(processes, broker, database, f"{topic_prefix}log", tmp_path / "spool")


async def spooling(shop: Shop) -> None:
    """Waits until events go to the spool."""

    async def begun() -> bool:
        return (await shop.counted())["milepost_spooled_total"] > 100

    await eventually(begun, within=30)


async def back(shop: Shop, what: str) -> None:
    """Waits until the log has taken spooled records, and logs how long that took from now."""
    came = time.monotonic()

    async def taken() -> bool:
        return (await shop.counted())["milepost_spool_drained_total"] > 0

    await eventually(taken, within=30)
    _logger.warning("%s: the log took the first spooled records %.2f s after its return", what, time.monotonic() - came)


async def test_a_broker_killed_under_load(shop: Shop, database: str) -> None:
    """SIGKILL of the only broker: every request is answered 200, soon quickly; afterwards all of it is on the log, and
    a stager counts each event once."""
    ingest = shop.ingest()
    async with shop.load.running() as load:
        await eventually(lambda: len(load.acknowledged) > 1000)
        await asyncio.to_thread(shop.kafka.kill)
        await spooling(shop)
        begun = time.monotonic()
        await eventually(lambda: len(load.since(begun)) > 100)
        assert max(one.seconds for one in load.since(begun)) < 0.4
        await asyncio.to_thread(shop.kafka.start)
        await back(shop, "killed")
        assert {one.status for one in load.answers} == {200}
    await shop.nothing_is_lost()
    assert await asyncio.to_thread(ingest.stop) == 0
    assert "Traceback" not in ingest.output()

    stager = shop.processes.milepost("stager", "--port", str(free_port()), env=shop.environment)
    connection = await asyncpg.connect(database)

    async def staged() -> Counter[str]:
        unpack = msgspec.msgpack.Decoder(list[tuple[int, bytes]]).decode
        bodies = [row[0] for row in await connection.fetch("SELECT body FROM touchpoints")]
        return Counter(msgspec.json.decode(value)["messageId"] for body in bodies for _, value in unpack(body))

    async def all_staged() -> bool:
        return len(await staged()) == len(shop.load.acknowledged)

    await eventually(all_staged, within=30)
    assert await staged() == Counter(shop.load.acknowledged)
    await connection.close()
    assert await asyncio.to_thread(stager.stop) == 0


async def test_a_silent_broker_under_load(shop: Shop) -> None:
    """SIGSTOP of the only broker: every request is answered 200, and all of it is on the log afterwards."""
    shop.ingest()
    async with shop.load.running() as load:
        await eventually(lambda: len(load.acknowledged) > 500)
        await asyncio.to_thread(shop.kafka.pause)
        await spooling(shop)
        seen = len(load.acknowledged)
        await eventually(lambda: len(load.acknowledged) > seen + 2000)  # its clients give it up meanwhile
        shop.kafka.resume()
        await back(shop, "silent")
        assert {one.status for one in load.answers} == {200}
    await shop.nothing_is_lost()


async def test_ingest_replaced_while_the_broker_is_down(shop: Shop) -> None:
    """Ingest is asked to stop in the middle of a load, killed in another, and started with no broker to be reached, in
    the end nor a database: it ends and starts in good order and loses nothing."""
    first = shop.ingest()
    async with shop.load.running() as load:
        await eventually(lambda: len(load.acknowledged) > 500)
        await asyncio.to_thread(shop.kafka.kill)
        began = time.monotonic()
        assert await asyncio.to_thread(first.stop) == 0
        assert time.monotonic() - began < 10
        second = await asyncio.to_thread(shop.ingest)
        await spooling(shop)
        await asyncio.to_thread(second.kill)
        third = await asyncio.to_thread(shop.ingest, MILEPOST_DATABASE="postgresql://nobody@127.0.0.1:1/none")
        await spooling(shop)
        await asyncio.to_thread(shop.kafka.start)
        await back(shop, "down while ingest was replaced")
    assert {one.status for one in load.answers} <= {200, 503}
    await shop.nothing_is_lost()
    assert await asyncio.to_thread(third.stop) == 0
    for process in (first, third):
        assert "Traceback" not in process.output()


async def test_a_full_disk_while_the_broker_is_down(shop: Shop, tmp_path: Path) -> None:
    """With no room for the spool: 503 with Retry-After at once, which tells nothing of what is inside. What was
    acknowledged before is drained; then events are taken again."""
    unshare = need("unshare", shutil.which("unshare"), "install util-linux")
    disk = tmp_path / "disk"
    disk.mkdir()
    serve = f"exec {sys.executable} -m services.cli ingest --port {shop.port}"
    user = [] if os.getuid() == 0 else ["--user", "--map-root-user"]
    small = f"mount -t tmpfs -o size=1m none {disk} && {serve}"
    environment = shop.environment | {"MILEPOST_SPOOL": str(disk)}
    ingest = shop.processes.start(unshare, *user, "--mount", "sh", "-c", small, env=environment)
    if not await asyncio.to_thread(ingest.wait_for, "runs at|mount: ", 60) or "mount: " in ingest.output():
        need("a mount namespace", None, "run as root, or allow unprivileged user namespaces")
    load = shop.load
    async with httpx.AsyncClient(base_url=shop.url, auth=(shop.key, ""), timeout=30) as client:
        assert (await load.send(client)).status == 200
        await asyncio.to_thread(shop.kafka.kill)
        while (answer := await load.send(client, padding=20_000)).status == 200:
            assert len(load.answers) < 200
        full = [await load.send(client, padding=20_000) for _ in range(10)]
        for refused in (answer, *full):
            assert refused.status == 503
            assert int(refused.headers["retry-after"]) > 0
            assert not re.search(r"[/:]\d{4,5}|127\.0|tmp|spool|kafka|Traceback|Errno", refused.text, re.IGNORECASE)
        assert min(one.seconds for one in full) < 0.1
        ready = await client.get("/readyz")
        assert ready.status_code == 503
        await asyncio.to_thread(shop.kafka.start)
        await back(shop, "down with a full disk")
        assert (await load.send(client)).status == 200
        assert (await client.get("/readyz")).status_code == 200
    await shop.nothing_is_lost()


@pytest.mark.timeout(200)
async def test_one_of_three_brokers_is_lost(
    processes: Processes, start_kafka: Callable[..., Kafka], database: str, tmp_path: Path
) -> None:
    """SIGKILL of one of three, whose partitions the others take over: every request is answered 200, and all of it is
    on the log afterwards."""
    cluster = await asyncio.to_thread(start_kafka, 3)
    shop = Shop(processes, cluster, database, "log", tmp_path / "spool", MILEPOST_REPLICATION="3")
    shop.ingest()
    async with shop.load.running() as load:
        await eventually(lambda: len(load.acknowledged) > 500)
        await asyncio.to_thread(cluster.nodes[0].kill)
        seen = len(load.acknowledged)
        await eventually(lambda: len(load.acknowledged) > seen + 3000, within=60)
        assert {one.status for one in load.answers} == {200}
    await shop.nothing_is_lost()
