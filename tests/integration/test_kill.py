"""`kill -9` of any process at any moment loses nothing acknowledged and counts nothing twice.

Real processes on a real Kafka and PostgreSQL of their own; a client that sends what was not acknowledged again, as SDKs
do; an independent reader that recomputes every customer from what the client knows.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import asyncpg
import httpx
import msgspec
import pytest
import yaml
from aiokafka import AIOKafkaConsumer, TopicPartition

from shared.events import SECOND
from tests.oracle.identity import customers
from tests.oracle.journey import derive
from tests.support.crowd import crowd
from tests.support.kafka import Kafka
from tests.support.ledgers import read_books
from tests.support.postgres import Postgres
from tests.support.processes import Process, Processes, free_port, wait_until
from tests.support.small import JOURNEY

EVENTS, BATCH = 2400, 20


def sent(one: dict[str, Any]) -> dict[str, Any]:
    """The touchpoint as an SDK sends it."""
    seconds, micro = divmod(one["t"], SECOND)
    names = {"user": "userId", "anonymous": "anonymousId", "previous": "previousId", "id": "messageId"}
    event = {names.get(key, key): value for key, value in one.items() if value not in (None, {}) and key != "t"}
    event["timestamp"] = f"{_utc(seconds)}.{micro:06d}Z"
    if one["type"] == "track":
        event["event"] = event.pop("name")
    return event


def _utc(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")


@pytest.fixture
def servers() -> Iterator[tuple[Kafka, Postgres]]:
    """Servers that may be hurt."""
    with Kafka() as kafka, Postgres() as postgres:
        yield kafka, postgres


class Fleet:
    """The processes of a production Milepost, and how each is started again."""

    def __init__(self, processes: Processes, kafka: Kafka, dsn: str) -> None:
        self._processes = processes
        self.environment = {
            "MILEPOST_KAFKA": kafka.bootstrap,
            "MILEPOST_DATABASE": dsn,
            "MILEPOST_LEASE": "3",
            "MILEPOST_BATCH": "100",
        }
        self.port = free_port()

    def stager(self) -> Process:
        """One more stager."""
        return self._processes.milepost("stager", "--port", str(free_port()), env=self.environment)

    def ingest(self) -> Process:
        """The front door, always on the same port."""
        started = self._processes.milepost("ingest", "--port", str(self.port), env=self.environment)
        started.wait_for("runs at", within=60)
        return started

    def command(self, *arguments: str) -> str:
        """A command run to its end."""
        done = self._processes.milepost(*arguments, env=self.environment)
        assert done.wait(60) == 0, done.output()
        return done.output()


async def send_all(fleet: Fleet, key: str, events: Sequence[dict[str, Any]], at: dict[int, Callable[[], None]]) -> None:
    """Sends every event until it is acknowledged; at some batch numbers something happens first."""
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{fleet.port}", auth=(key, ""), timeout=20) as client:
        for number in range(0, len(events), BATCH):
            if action := at.get(number // BATCH):
                await asyncio.to_thread(action)
            body = {"batch": [sent(one) for one in events[number : number + BATCH]]}
            while True:
                try:
                    answer = await client.post("/v1/batch", json=body)
                except httpx.TransportError:
                    await asyncio.sleep(0.2)
                    continue
                if answer.status_code == 200:
                    assert answer.json()["accepted"] == len(body["batch"]), answer.text
                    break
                assert answer.status_code in (429, 503), answer.text
                await asyncio.sleep(0.2)


@pytest.mark.timeout(400)
def test_killed_processes_lose_and_double_nothing(processes: Processes, servers: tuple[Kafka, Postgres]) -> None:
    """Stagers, ingest, the database and the broker are killed, and a stager is stopped past its lease and continued."""
    kafka, postgres = servers
    dsn = postgres.create_database()
    fleet = Fleet(processes, kafka, dsn)
    fleet.command("setup")

    def ask(sql: str) -> list[Sequence[Any]]:
        async def fetch() -> list[Sequence[Any]]:
            connection = await asyncpg.connect(dsn)
            try:
                return [tuple(row) for row in await connection.fetch(sql)]
            finally:
                await connection.close()

        return asyncio.run(fetch())

    ask("UPDATE journeys SET definition = $$" + JOURNEY + "$$, name = 'small'")
    key = fleet.command("keys", "create", "test").split()
    write_key = next(word for word in key if word.startswith("wk_"))
    events = crowd(random.Random(7), EVENTS)
    stagers, ingest = [fleet.stager(), fleet.stager()], [fleet.ingest()]

    def kill_stager(which: int) -> None:
        stagers[which].kill()
        stagers[which] = fleet.stager()

    def kill_ingest() -> None:
        ingest[0].kill()
        ingest[0] = fleet.ingest()

    def kill_database() -> None:
        postgres.kill()
        postgres.start()

    def kill_broker() -> None:
        kafka.kill()
        kafka.start()

    def staging_began() -> None:
        wait_until(lambda: ask("SELECT count(DISTINCT owner) FROM positions WHERE position > 0") == [(2,)], within=60)

    def partitions_moved() -> None:
        wait_until(lambda: ask("SELECT count(DISTINCT owner) FROM positions") == [(1,)], within=60)

    actions: dict[int, Callable[[], None]] = {
        12: staging_began,
        15: lambda: kill_stager(0),
        30: kill_ingest,
        40: stagers[1].pause,
        45: partitions_moved,
        55: kill_database,
        70: kill_broker,
        90: stagers[1].resume,
        100: lambda: kill_stager(1),
        110: kill_ingest,
    }
    asyncio.run(send_all(fleet, write_key, events, actions))
    ingest[0].stop()

    def end_of_log() -> int:
        async def ends() -> int:
            consumer = AIOKafkaConsumer(bootstrap_servers=kafka.bootstrap)
            await consumer.start()
            try:
                topics = [TopicPartition("milepost.touchpoints", n) for n in range(6)]
                return sum((await consumer.end_offsets(topics)).values())
            finally:
                await consumer.stop()

        return asyncio.run(ends())

    end = end_of_log()
    assert end >= EVENTS
    wait_until(lambda: ask("SELECT sum(position) FROM positions") == [(end,)], within=120)
    wait_until(lambda: ask("SELECT count(*) FROM queue") == [(0,)], within=60)
    fired = "SELECT count(*) FROM timers WHERE due < (SELECT min(clock) FROM positions)"
    wait_until(lambda: ask(fired) == [(0,)], within=60)
    for stager in stagers:
        stager.stop()

    stored = Counter[str]()
    recorded = dict[str, int]()
    unpack = msgspec.msgpack.Decoder(list[tuple[int, bytes]]).decode
    for (body,) in ask("SELECT body FROM touchpoints"):
        for at, value in unpack(body):
            message = msgspec.json.decode(value)["messageId"]
            stored[message] += 1
            recorded[message] = at
    assert stored == Counter(one["id"] for one in events)
    (now,) = ask("SELECT min(clock) FROM positions")[0]
    books = read_books(ask, now - 1)
    assert books.staged == EVENTS
    assert books.staged + books.duplicates == end
    definition = yaml.safe_load(JOURNEY)
    known = [{**one, "recorded": recorded[one["id"]]} for one in events]
    expected = {}
    for customer in customers(known):
        moves = derive(definition, customer.touchpoints, books.now)
        expected[customer.identifiers] = [(move.at, move.source, move.target) for move in moves]
    assert sorted(map(sorted, books.moves)) == sorted(map(sorted, expected))
    assert books.moves == expected
    assert books.populations == Counter(moves[-1][2] for moves in expected.values() if moves)
