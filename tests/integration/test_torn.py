"""Stagers that are stopped past the lease, or killed, inside a transaction, on a real Kafka and PostgreSQL, while a
version is being published: every customer is then what the oracle gives for the log."""

import asyncio
import random
import sys
from typing import Any

import pytest
from pydantic import SecretStr

from shared.events import encode
from shared.log.kafka import open_kafka_log, setup_kafka
from shared.log.port import Entry
from shared.settings import Settings
from shared.store import postgres
from shared.store.schema import setup
from tests.support.crowd import crowd
from tests.support.processes import Process, Processes, free_port, stopped, wait_until
from tests.support.recompute import at_rest, check_store, read_topic
from tests.support.small import JOURNEY
from tests.support.staging import record_of
from tests.support.worlds import ask_postgres

PARTITIONS, EVENTS, PEOPLE = 8, 1600, 160
#: Each on partitions of its own.
TEARS = (
    ("copying", "SIGSTOP"),
    ("copied", "SIGSTOP"),
    ("stated", "SIGSTOP"),
    ("locked", "SIGSTOP"),
    ("stated", "SIGKILL"),
    ("committed", "SIGKILL"),
)
LEDGER = "SELECT * FROM ledger ORDER BY writer, seq"
CHANGED = JOURNEY.replace("enter: {quiet: 1d}", "enter: {quiet: 2d}")


@pytest.mark.timeout(300)
def test_torn_transactions(processes: Processes, kafka: str, topic_prefix: str, database: str) -> None:
    """Whoever stopped inside a transaction holds nobody up for long, and writes nothing of it when it wakes."""
    settings = Settings(
        kafka=kafka, topic=f"{topic_prefix}touchpoints", partitions=PARTITIONS, database=SecretStr(database)
    )
    events = crowd(random.Random(3), EVENTS, PEOPLE)
    values = [(one.source.encode(), encode(one)) for one in (record_of({**e, "recorded": e["t"] + 1}) for e in events)]
    half = EVENTS // 2

    async def prepare() -> None:
        await setup_kafka(settings)
        await setup(database, PARTITIONS, "UTC")
        await publish(JOURNEY)

    async def publish(text: str) -> None:
        async with postgres.open(database, 5.0) as store:
            await store.add_journey(1, "small", text)

    async def append(start: int, end: int) -> None:
        async with open_kafka_log(settings) as log:
            await log.append([Entry(*value) for value in values[start:end]])

    def ask(sql: str) -> list[tuple[Any, ...]]:
        return asyncio.run(ask_postgres(database, sql))

    environment = {
        "MILEPOST_KAFKA": kafka,
        "MILEPOST_DATABASE": database,
        "MILEPOST_TOPIC": settings.topic,
        "MILEPOST_PARTITIONS": str(PARTITIONS),
        "MILEPOST_LEASE": "3",
    }

    def torn(point: str, number: str) -> Process:
        module = (sys.executable, "-m", "tests.support.torn_stager", point, number)
        return processes.start(*module, "stager", "--port", str(free_port()), env=environment)

    def owners() -> int:
        return int(ask("SELECT count(DISTINCT owner) FROM positions")[0][0])

    asyncio.run(prepare())
    asyncio.run(append(0, half))
    plain = processes.milepost("stager", "--port", str(free_port()), env=environment)
    wait_until(lambda: at_rest(ask, half), within=60)
    hurt = [torn(*tear) for tear in TEARS]
    wait_until(lambda: owners() == len(TEARS) + 1, within=60)
    asyncio.run(publish(CHANGED))
    asyncio.run(append(half, EVENTS))
    stopping = [one for one, (_, number) in zip(hurt, TEARS, strict=True) if number == "SIGSTOP"]
    wait_until(lambda: all(stopped(one) if one in stopping else not one.running for one in hurt), 60, (OSError,))
    # The rest goes on without them, as if they were dead.
    wait_until(lambda: at_rest(ask, EVENTS), within=90)
    check_store(ask, asyncio.run(read_topic(kafka, settings.topic, PARTITIONS)))
    written = ask(LEDGER)
    for one in stopping:
        one.resume()
        one.wait_for("taken over|waiting: ", within=60)
    wait_until(lambda: owners() == len(stopping) + 1, within=60)
    assert at_rest(ask, EVENTS)
    assert ask(LEDGER) == written
    for one in (plain, *stopping):
        assert one.stop() == 0, one.tail()
