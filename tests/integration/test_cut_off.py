"""A stager that is cut off from its database, in silence, with a bang, or before it hears what became of a commit."""

import asyncio
import random
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from pydantic import SecretStr

from shared.events import encode
from shared.log.kafka import open_kafka_log, setup_kafka
from shared.log.port import Entry
from shared.settings import Settings
from shared.store import postgres
from shared.store.schema import setup
from tests.support.crowd import crowd
from tests.support.processes import Processes, free_port, wait_until
from tests.support.proxy import Proxy
from tests.support.recompute import at_rest, check_store, read_topic
from tests.support.small import JOURNEY
from tests.support.staging import record_of
from tests.support.worlds import ask_postgres

PARTITIONS, EVENTS, LEASE = 4, 1500, 2


@pytest.fixture
def proxy(database: str) -> Iterator[Proxy]:
    """What stands between a stager and the test's database."""
    port = urlsplit(database).port
    assert port is not None
    with Proxy(port) as started:
        yield started


@pytest.mark.timeout(300)
def test_cut_off(processes: Processes, kafka: str, topic_prefix: str, database: str, proxy: Proxy) -> None:
    """Frozen past the lease, cut, and deaf to its commits, beside a stager that goes on: nothing is lost or doubled."""
    settings = Settings(
        kafka=kafka, topic=f"{topic_prefix}touchpoints", partitions=PARTITIONS, database=SecretStr(database)
    )
    records = [record_of({**one, "recorded": one["t"] + 1}) for one in crowd(random.Random(5), EVENTS)]
    entries = [Entry(one.source.encode(), encode(one)) for one in records]

    async def prepare() -> None:
        await setup_kafka(settings)
        await setup(database, PARTITIONS, "UTC")
        async with postgres.open(database, 5.0) as store:
            await store.add_journey(1, "small", JOURNEY)

    def ask(sql: str) -> list[tuple[Any, ...]]:
        return asyncio.run(ask_postgres(database, sql))

    def staged() -> int:
        """How far the partitions of the stager behind the proxy are."""
        (total,) = ask(f"SELECT coalesce(sum(position), 0) FROM positions WHERE owner LIKE '%-{stagers[1].pid}'")[0]
        return int(total)

    async def append(count: int) -> None:
        async with open_kafka_log(settings) as log:
            await log.append([entries.pop(0) for _ in range(count)])

    asyncio.run(prepare())
    environment = {
        "MILEPOST_KAFKA": kafka,
        "MILEPOST_TOPIC": settings.topic,
        "MILEPOST_PARTITIONS": str(PARTITIONS),
        "MILEPOST_LEASE": str(LEASE),
        "MILEPOST_BATCH": "20",
    }
    through = database.replace(f":{urlsplit(database).port}/", f":{proxy.port}/")
    stagers = [
        processes.milepost("stager", "--port", str(free_port()), env=environment | {"MILEPOST_DATABASE": dsn})
        for dsn in (database, through)
    ]
    wait_until(lambda: ask("SELECT count(DISTINCT owner) FROM positions WHERE owner <> ''") == [(2,)], within=60)

    def under_way(count: int) -> None:
        """Appends, and returns while it is being staged."""
        before = staged()
        asyncio.run(append(count))
        wait_until(lambda: staged() >= before + 40, within=60)

    def freeze() -> None:
        proxy.freeze()
        time.sleep(1.5 * LEASE)  # the time is the fault: the server ends what is silent for a lease

    def cut() -> None:
        proxy.cut()
        stagers[1].wait_for("waiting: ")

    def deafen() -> None:
        """The next batch that it writes is committed, and it does not hear so."""
        committed = False
        while not committed:  # it may be refused instead: the other stager had changed a customer
            proxy.mend()
            before = staged()
            proxy.deafen(b"messageId")
            asyncio.run(append(20))
            wait_until(lambda: proxy.deaf, within=60)
            until = time.monotonic() + 2
            while not committed and time.monotonic() < until:
                committed = staged() > before
            proxy.cut()

    for fault in (freeze, cut, deafen):
        under_way(300)
        fault()
        proxy.mend()
    asyncio.run(append(len(entries)))
    wait_until(lambda: at_rest(ask, EVENTS), within=90)
    check_store(ask, asyncio.run(read_topic(kafka, settings.topic, PARTITIONS)))
    for one in stagers:
        assert one.stop() == 0, one.tail()
