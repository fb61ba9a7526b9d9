"""Every event that was answered 200 is found on the log, whatever happens to the broker, the disk or the process.

A real ingest with a spool on a real Kafka. A record may be on the log twice (the stager counts it once); what was
acknowledged is never missing. How long reconnecting took is logged.
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families as families

from shared.events import decode
from tests.contract.log_backends import KafkaBackend, flat
from tests.support.kafka import Kafka
from tests.support.load import Load
from tests.support.postgres import Postgres
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

    def ingest(self) -> Process:
        """The front door, always on the same port."""
        started = self.processes.milepost("ingest", "--port", str(self.port), env=self.environment)
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
        assert self.load.acknowledged
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
        return (await shop.counted())["milepost_spooled_total"] > 200

    await eventually(begun, within=30)


async def back(shop: Shop, what: str) -> None:
    """Waits until the log takes records again, and logs how long that took from now."""
    before, came = (await shop.counted())["milepost_spool_drained_total"], time.monotonic()

    async def taken() -> bool:
        return (await shop.counted())["milepost_spool_drained_total"] > before

    await eventually(taken, within=30)
    _logger.warning("%s: the log took the first spooled records %.2f s after its return", what, time.monotonic() - came)


async def test_a_broker_killed_under_load(shop: Shop, postgres: Postgres) -> None:
    """SIGKILL of the only broker: every request is answered 200, soon quickly; all of it is on the log afterwards,
    and staged once."""
    ingest = shop.ingest()
    async with shop.load.running() as load:
        await eventually(lambda: len(load.acknowledged) > 1000)
        await asyncio.to_thread(shop.kafka.kill)
        await spooling(shop)
        begun = time.monotonic()
        await eventually(lambda: len(load.since(begun)) > 100)
        assert {one.status for one in load.answers} == {200}
        assert max(one.seconds for one in load.since(begun)) < 0.4
        await asyncio.to_thread(shop.kafka.start)
        await back(shop, "killed")
        seen = len(load.acknowledged)
        await eventually(lambda: len(load.acknowledged) > seen + 500)
    await shop.nothing_is_lost()
    assert ingest.stop() == 0
    assert "Traceback" not in ingest.output()
