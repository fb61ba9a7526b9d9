"""Partitions added to the topic: refused until the settings and the store know of them; then nothing is lost."""

import asyncio
import random
from typing import Any

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions
from pydantic import SecretStr

from shared.events import encode
from shared.log.kafka import open_kafka_log
from shared.log.port import Entry
from shared.settings import Settings
from tests.support.crowd import crowd
from tests.support.processes import Processes, free_port, wait_until
from tests.support.recompute import at_rest, check_store, read_topic
from tests.support.small import JOURNEY
from tests.support.staging import record_of
from tests.support.worlds import ask_postgres

FEW, MORE, EVENTS = 2, 5, 900


@pytest.mark.timeout(300)
def test_more_partitions(processes: Processes, kafka: str, topic_prefix: str, database: str) -> None:
    """Customers whose events lie before and after in different partitions are what the oracle gives for all of them."""
    topic = f"{topic_prefix}touchpoints"
    records = [record_of({**one, "recorded": one["t"] + 1}) for one in crowd(random.Random(8), EVENTS)]
    entries = [Entry(one.source.encode(), encode(one)) for one in records]

    def environment(partitions: int) -> dict[str, str]:
        return {
            "MILEPOST_KAFKA": kafka,
            "MILEPOST_TOPIC": topic,
            "MILEPOST_DATABASE": database,
            "MILEPOST_PARTITIONS": str(partitions),
        }

    def setup(partitions: int) -> str:
        done = processes.milepost("setup", env=environment(partitions))
        done.wait(60)
        return done.output()

    def ask(sql: str) -> list[tuple[Any, ...]]:
        return asyncio.run(ask_postgres(database, sql))

    async def append(partitions: int, some: list[Entry]) -> None:
        settings = Settings(kafka=kafka, topic=topic, partitions=partitions, database=SecretStr(database))
        async with open_kafka_log(settings) as log:
            await log.append(some)

    async def add() -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
        await admin.start()
        await admin.create_partitions({topic: NewPartitions(MORE)})
        await admin.close()

    def stage(partitions: int, end: int) -> None:
        stager = processes.milepost("stager", "--port", str(free_port()), env=environment(partitions))
        wait_until(lambda: at_rest(ask, end), within=90)
        assert stager.stop() == 0, stager.tail()

    assert "Ready" in setup(FEW)
    ask("UPDATE journeys SET definition = $$" + JOURNEY + "$$, name = 'small'")
    remedy = (
        f"it has {FEW} partitions, not {MORE}: set MILEPOST_PARTITIONS={FEW}, or add partitions with Kafka's own tools"
    )
    assert remedy in setup(MORE)
    half = EVENTS // 2
    asyncio.run(append(FEW, entries[:half]))
    stage(FEW, half)
    asyncio.run(add())
    assert f"it has {MORE} partitions, not {FEW}: set MILEPOST_PARTITIONS={MORE}" in setup(FEW)
    asyncio.run(append(MORE, entries[half:]))
    assert "Ready" in setup(MORE)
    stage(MORE, EVENTS)
    assert ask("SELECT count(*) FROM positions WHERE position > 0") == [(MORE,)]
    check_store(ask, asyncio.run(read_topic(kafka, topic, MORE)))
