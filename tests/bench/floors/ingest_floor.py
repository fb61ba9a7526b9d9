"""The ingest floor: raw ASGI, msgspec, and one shared group commit; no validation, no limits, no refusals.

`python -m tests.bench.floors.ingest_floor LOG PORT`, with LOG as for tests.support.server.
"""

import asyncio
import socket
import sqlite3
import sys
import time
import zlib
from base64 import b64encode
from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import uvicorn
import uvloop
from aiokafka import AIOKafkaProducer

PARTITIONS = 4
RAW = msgspec.Raw()
AUTHORIZATION = b"Basic " + b64encode(b"wk_test:")
BODY = b'{"success":true}'

Write = Callable[[dict[int, list[tuple[bytes, bytes]]]], Awaitable[None]]


class Event(msgspec.Struct, gc=False, rename="camel", omit_defaults=True):
    message_id: str
    type: str = "track"
    user_id: str | None = None
    anonymous_id: str | None = None
    event: str | None = None
    timestamp: str | None = None
    properties: msgspec.Raw = RAW
    traits: msgspec.Raw = RAW
    context: msgspec.Raw = RAW
    received_at: int = 0


class Batch(msgspec.Struct):
    batch: list[Event]


class Group:
    """What arrives while one write is under way goes with the next."""

    def __init__(self, write: Write) -> None:
        self._write = write
        self._gathered: dict[int, list[tuple[bytes, bytes]]] = defaultdict(list)
        self._waiters: list[asyncio.Future[None]] = []
        self._task: asyncio.Task[None] | None = None

    async def append(self, entries: list[tuple[bytes, bytes]]) -> None:
        for entry in entries:
            self._gathered[zlib.crc32(entry[0]) % PARTITIONS].append(entry)
        waiter = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        if self._task is None:
            self._task = asyncio.create_task(self._run())
        await waiter

    async def _run(self) -> None:
        while self._waiters:
            gathered, self._gathered = self._gathered, defaultdict(list)
            waiters, self._waiters = self._waiters, []
            await self._write(gathered)
            for waiter in waiters:
                waiter.set_result(None)
        self._task = None


def sqlite_write(path: str) -> Write:
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    db.execute("CREATE TABLE IF NOT EXISTS log (partition INTEGER, count INTEGER, body BLOB)")

    def commit(gathered: dict[int, list[tuple[bytes, bytes]]]) -> None:
        rows = [
            (partition, len(entries), msgspec.msgpack.encode([value for _, value in entries]))
            for partition, entries in gathered.items()
        ]
        db.execute("BEGIN IMMEDIATE")
        db.executemany("INSERT INTO log VALUES (?, ?, ?)", rows)
        db.execute("COMMIT")

    async def write(gathered: dict[int, list[tuple[bytes, bytes]]]) -> None:
        await asyncio.get_running_loop().run_in_executor(None, commit, gathered)

    return write


async def kafka_write(bootstrap: str, topic: str) -> Write:
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap, enable_idempotence=True, acks="all", max_batch_size=1_000_000
    )
    await producer.start()

    async def send(partition: int, entries: list[tuple[bytes, bytes]], stamp: int) -> None:
        batch, acks = producer.create_batch(), []
        for key, value in entries:
            if batch.append(key=key, value=value, timestamp=stamp) is None:
                acks.append(await producer.send_batch(batch, topic, partition=partition))
                batch = producer.create_batch()
                batch.append(key=key, value=value, timestamp=stamp)
        acks.append(await producer.send_batch(batch, topic, partition=partition))
        await asyncio.gather(*acks)

    async def write(gathered: dict[int, list[tuple[bytes, bytes]]]) -> None:
        stamp = int(time.time() * 1000)
        await asyncio.gather(*[send(partition, entries, stamp) for partition, entries in gathered.items()])

    return write


def build(write: Write) -> Any:
    """The app."""
    group = Group(write)
    batch = msgspec.json.Decoder(Batch).decode
    single = msgspec.json.Decoder(Event).decode
    encode = msgspec.json.Encoder().encode
    start = {
        "type": "http.response.start",
        "status": 200,
        "headers": [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(BODY))],
    }

    async def app(scope: Any, receive: Any, send: Any) -> None:
        assert any(name == b"authorization" and value == AUTHORIZATION for name, value in scope["headers"])
        message = await receive()
        body = message["body"]
        while message.get("more_body"):
            message = await receive()
            body += message["body"]
        now = time.time_ns() // 1000
        entries = []
        for event in batch(body).batch if scope["path"] == "/v1/batch" else (single(body),):
            event.received_at = now
            entries.append(((event.user_id or event.anonymous_id or "").encode(), encode(event)))
        await group.append(entries)
        await send(start)
        await send({"type": "http.response.body", "body": BODY})

    return app


async def serve(address: str, port: str) -> None:
    """Serves until SIGTERM."""
    kind, _, rest = address.partition(":")
    write = sqlite_write(rest) if kind == "sqlite" else await kafka_write(*rest.rpartition("/")[::2])
    config = uvicorn.Config(
        build(write), http="httptools", ws="none", log_config=None, access_log=False, lifespan="off"
    )
    await uvicorn.Server(config).serve([socket.create_server(("127.0.0.1", int(port)))])


if __name__ == "__main__":
    uvloop.run(serve(*sys.argv[1:]))
